//! Before the route and around the answer: hosts, HTTPS, the life of a version, limits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bank;

use bank::*;
use gatewright::Peer;
use gatewright::table::*;
use gatewright_policy::Rate;
use serde_json::json;

/// Rows: H1, H2.
#[test]
fn hosts() {
    let bank = Bank::of(OPEN);
    for (host, want) in [
        ("api.example.com", 200),
        ("API.EXAMPLE.COM:443", 200),
        ("api.example.com.", 200),
        ("evil.example.com", 421),
        ("api.example.com.evil.com", 421),
        ("xapi.example.com", 421),
        ("", 400),
        ("a b", 400),
    ] {
        let mut request = bank.request(&[]);
        request.headers_mut().insert("host", host.parse().unwrap());
        assert_eq!(bank.send(request).code(), want, "{host}");
    }
    let mut none = bank.request(&[]);
    none.headers_mut().remove("host");
    assert_eq!(bank.send(none).code(), 400);
    assert_eq!(bank.send(bank.request(&[("host", "api.example.com")])).code(), 400, "twice");
    let mut absolute = bank.request(&[]);
    *absolute.uri_mut() = "http://evil.example.com/v1/transfers".parse().unwrap();
    assert_eq!(bank.send(absolute).code(), 400);
    let smuggled = bank.request(&[("content-length", "0"), ("transfer-encoding", "chunked")]);
    assert_eq!(bank.send(smuggled).code(), 400);
    let proxied = bank.from("10.0.0.1:1", &[("x-forwarded-host", "evil.example.com")]);
    assert_eq!(bank.send(proxied).code(), 421);
    let ignored = bank.request(&[("x-forwarded-host", "evil.example.com")]);
    assert_eq!(bank.send(ignored).code(), 200);
}

/// Rows: B9, T3, T4, X5.
#[test]
fn plain_http_is_refused_and_never_hsts() {
    let bank = Bank::of(OPEN);
    let mut plain = bank.request(&[]);
    plain.extensions_mut().insert(Peer::new("198.51.100.7:1".parse().unwrap()));
    let answer = bank.send(plain);
    assert_eq!(answer.code(), 403);
    assert_eq!((answer.header("location"), answer.header("strict-transport-security")), ("", ""));
    let secure = bank.send(bank.request(&[]));
    assert_eq!(secure.header("strict-transport-security"), "max-age=63072000; includeSubDomains");
    for (proto, want) in [("https", 200), ("http", 403), ("http, https", 403), ("HTTPS", 200)] {
        let request = bank.from("10.0.0.1:1", &[("x-forwarded-proto", proto), ("x-forwarded-for", "1.2.3.4")]);
        assert_eq!(bank.send(request).code(), want, "{proto}");
    }
}

#[test]
fn old_tls_is_refused_where_the_spec_says_so_whatever_the_listener_took() {
    let strict = Transport { tls13_only: true, ..API.transport };
    let peer = |address: &str| Peer::new(address.parse().unwrap());
    for (transport, old, modern) in [(API.transport, 200, 200), (strict, 403, 200)] {
        let bank = Bank::new(ApiPolicy { transport, ..API }, vec![OPEN]);
        for (peer, want) in [(peer("198.51.100.7:1").over_tls_1_2(), old), (peer("198.51.100.7:1").over_tls(), modern)]
        {
            let mut request = bank.request(&[]);
            request.extensions_mut().insert(peer);
            assert_eq!(bank.send(request).code(), want, "{peer:?}");
        }
        // Behind a trusted proxy the client's connection is the proxy's to judge.
        let mut request = bank.from("10.0.0.1:1", &[("x-forwarded-proto", "https"), ("x-forwarded-for", "1.2.3.4")]);
        request.extensions_mut().insert(peer("10.0.0.1:1").over_tls_1_2());
        assert_eq!(bank.send(request).code(), 200);
    }
}

#[test]
fn only_harmless_requests_are_redirected() {
    let transport = Transport { https: Https::Redirect, ..API.transport };
    let bank = Bank::new(ApiPolicy { transport, ..API }, vec![OPEN]);
    for (method, headers, want) in [
        ("GET", &[][..], 308),
        ("HEAD", &[], 308),
        ("POST", &[], 403),
        ("GET", &[("authorization", "x")], 403),
        ("GET", &[("cookie", "a=b")], 403),
        ("GET", &[("x-api-key", "x")], 403),
    ] {
        let mut request = bank.request(headers);
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = "/v1/transfers?a=b".parse().unwrap();
        request.extensions_mut().insert(Peer::new("198.51.100.7:1".parse().unwrap()));
        let answer = bank.send(request);
        assert_eq!(answer.status, want, "{method} {headers:?}");
        let location = if want == 308 { "https://api.example.com/v1/transfers?a=b" } else { "" };
        assert_eq!(answer.header("location"), location);
        assert!(!answer.entered);
    }
}

/// Rows: V1, V2, V4, V5.
#[test]
fn the_life_of_a_version() {
    let lifecycle = Lifecycle {
        status: Status::Deprecated,
        deprecated_at: Some(NOW - 100),
        sunset: Some(NOW + 100),
        successor: Some("/v2"),
        documentation: None,
    };
    const LIMITS: &[Limit] = &[Limit { name: "ip", by: &[Key::Address], quota: Quota::Flat(rate(4, 60)) }];
    let bank = Bank::new(ApiPolicy { lifecycle, ..API }, vec![Policy { limits: LIMITS, ..GUARDED }]);
    for (now, token, want) in [(99, true, 200), (99, false, 401), (100, true, 410), (101, false, 410), (102, true, 429)]
    {
        bank.clock.set(NOW + now);
        let bearer = bank.bearer(json!({}));
        let headers: &[(&str, &str)] = if token { &[("authorization", &bearer)] } else { &[] };
        let answer = bank.send(bank.request(headers));
        assert_eq!(answer.code(), want, "{now} {token}");
        assert_eq!(answer.header("deprecation"), format!("@{}", NOW - 100));
        assert!(answer.header("sunset").ends_with("GMT"));
        assert_eq!(answer.header("link"), "</v2>; rel=\"successor-version\"");
    }
}

/// Rows: R1, R2, R3, R4.
#[test]
fn a_limit_passes_exactly_its_number() {
    const LIMITS: &[Limit] = &[Limit { name: "ip", by: &[Key::Address], quota: Quota::Flat(rate(3, 60)) }];
    let bank = Bank::of(Policy { limits: LIMITS, ..OPEN });
    for remaining in [2, 1, 0] {
        let answer = bank.send(bank.request(&[]));
        assert_eq!(answer.code(), 200);
        assert_eq!(answer.header("ratelimit-policy"), "\"ip\";q=3;w=60");
        assert_eq!(answer.header("ratelimit"), format!("\"ip\";r={remaining};t=20"));
    }
    let refused = bank.send(bank.request(&[]));
    assert_eq!(refused.code(), 429);
    assert_eq!(refused.header("ratelimit"), "\"ip\";r=0;t=20");
    assert_eq!(refused.header("retry-after"), "20");
    assert_eq!(refused.problem["violated-policies"], json!(["ip"]));
    assert!(refused.problem["type"].as_str().unwrap().ends_with("#quota-exceeded"));
    assert_eq!(bank.send(bank.from("198.51.100.8:1", &[])).code(), 200, "another address");
    let spoofed = bank.request(&[("x-forwarded-for", "1.2.3.4")]);
    assert_eq!(bank.send(spoofed).code(), 429, "who claims to be another");
    bank.clock.set(NOW - 3_600);
    assert_eq!(bank.send(bank.request(&[])).code(), 429, "the wall clock is nothing to a limit");
    bank.clock.wait(19_999);
    assert_eq!(bank.send(bank.request(&[])).code(), 429);
    bank.clock.wait(1);
    assert_eq!(bank.send(bank.request(&[])).code(), 200);
}

/// Rows: R6, R13.
#[test]
fn who_shares_a_network_shares_a_limit_and_the_answer_does_not_say_whose_it_is() {
    const LIMITS: &[Limit] = &[
        Limit { name: "ip", by: &[Key::Address], quota: Quota::Flat(rate(3, 60)) },
        Limit { name: "user", by: &[Key::User], quota: Quota::Flat(rate(100, 60)) },
    ];
    let bank = Bank::of(Policy { limits: LIMITS, ..GUARDED });
    let bearer = bank.bearer(json!({"sub": "alice@example.com"}));
    let ask = |peer: &str, more: (&str, &str)| {
        let answer = bank.send(bank.from(peer, &[("authorization", &bearer), more]));
        let said = format!("{} {}", answer.header("ratelimit"), answer.header("ratelimit-policy"));
        assert!(!said.contains("pk=") && !said.contains("alice") && !said.contains("198.51"), "{said}");
        (answer.code(), answer.header("ratelimit").split(',').next().unwrap_or_default().to_owned())
    };
    let plain = ("accept", "*/*");
    let forged = ("x-forwarded-for", "192.0.2.1");
    assert_eq!(ask("198.51.100.7:1", plain), (200, "\"ip\";r=2;t=20".into()));
    assert_eq!(
        ask("[::ffff:198.51.100.7]:2", plain),
        (200, "\"ip\";r=1;t=20".into()),
        "the same address, written in IPv6"
    );
    assert_eq!(ask("198.51.100.7:3", forged), (200, "\"ip\";r=0;t=20".into()), "nobody says that he is another");
    assert_eq!(ask("198.51.100.7:4", plain).0, 429);
    assert_eq!(ask("[2001:db8:0:7::1]:1", plain), (200, "\"ip\";r=2;t=20".into()));
    assert_eq!(ask("[2001:db8:0:7:ffff:ffff:ffff:ffff]:2", plain), (200, "\"ip\";r=1;t=20".into()), "the same /64");
    assert_eq!(ask("[2001:db8:0:8::1]:1", plain), (200, "\"ip\";r=2;t=20".into()), "another /64");
    // Behind a proxy that is trusted, its client is counted.
    assert_eq!(ask("10.0.0.1:1", forged), (200, "\"ip\";r=2;t=20".into()));
    assert_eq!(ask("192.0.2.1:1", plain), (200, "\"ip\";r=1;t=20".into()));
}

/// Rows: R9.
#[test]
fn a_refused_request_charges_no_other_limit() {
    const LIMITS: &[Limit] = &[
        Limit { name: "ip", by: &[Key::Address], quota: Quota::Flat(rate(10, 3_600)) },
        Limit { name: "user", by: &[Key::User], quota: Quota::Flat(rate(2, 3_600)) },
    ];
    let bank = Bank::of(Policy { limits: LIMITS, ..GUARDED });
    let ask = |user: &str| {
        let bearer = bank.bearer(json!({"sub": user}));
        bank.send(bank.request(&[("authorization", &bearer)]))
    };
    for want in [200, 200, 429, 429, 429, 429] {
        assert_eq!(ask("alice").code(), want);
    }
    // Two of ten are spent: eight more pass, for others.
    for n in 0..8 {
        assert_eq!(ask(&format!("user{n}")).code(), 200, "{n}");
    }
    let refused = ask("zoe");
    assert_eq!(refused.code(), 429);
    assert_eq!(refused.problem["violated-policies"], json!(["ip"]));
}

/// Rows: A13.
#[test]
fn guessing_credentials_is_limited() {
    const LIMITS: &[Limit] = &[Limit { name: "ip", by: &[Key::Address], quota: Quota::Flat(rate(3, 60)) }];
    let bank = Bank::of(Policy { limits: LIMITS, ..GUARDED });
    for want in [401, 401, 401, 429] {
        assert_eq!(bank.send(bank.request(&[("authorization", "Bearer x")])).code(), want);
    }
}

#[test]
fn rates_by_role_and_level() {
    const BY_ROLE: &[Limit] = &[Limit {
        name: "user",
        by: &[Key::User],
        quota: Quota::ByGrant { default: rate(1, 60), rates: &[(TELLER, rate(2, 60)), (ADMIN, rate(4, 60))] },
    }];
    let bank = Bank::of(Policy { limits: BY_ROLE, ..GUARDED });
    for (user, roles, passes) in [("a", json!([]), 1), ("b", json!(["teller"]), 2), ("c", json!(["admin"]), 4)] {
        let bearer = bank.bearer(json!({"sub": user, "roles": roles}));
        let ask = || bank.send(bank.request(&[("authorization", &bearer)])).code();
        let passed = (0..6).filter(|_| ask() == 200).count();
        assert_eq!(passed, passes, "{user}");
    }
    const BY_LEVEL: &[Limit] = &[Limit { name: "level", by: &[Key::ApiKey], quota: Quota::OfLevel }];
    let access = Access::Guarded(&[KEY_ANY]);
    let bank = Bank::of(Policy { limits: BY_LEVEL, access, ..OPEN });
    for (level, passes) in [("free", 2), ("premium", 5)] {
        let key = bank.key(level);
        let passed = (0..8).filter(|_| bank.send(bank.request(&[("x-api-key", &key)])).code() == 200).count();
        assert_eq!(passed, passes, "{level}");
    }
    assert_eq!(bank.send(bank.request(&[("x-api-key", &bank.key("unheard-of"))])).code(), 403, "no level, no rate");
}

#[test]
fn an_action_is_one_bucket_for_all_who_name_it() {
    const LOGIN: &[Limit] = &[Limit { name: "login", by: &[Key::Address], quota: Quota::Action(0) }];
    let policy = Policy { limits: LOGIN, ..OPEN };
    let second = ApiPolicy { prefix: "/v2", ..API };
    let bank = Bank::versions(vec![(API, vec![policy, policy]), (second, vec![policy])]);
    for ((api, operation), want) in [((0, 0), 200), ((0, 1), 200), ((1, 0), 200), ((0, 0), 429), ((1, 0), 429)] {
        assert_eq!(bank.send_to(api, operation, bank.request(&[])).code(), want, "{api} {operation}");
    }
    // Limits that are not of an action are each operation's own.
    const OWN: &[Limit] = &[Limit { name: "ip", by: &[Key::Address], quota: Quota::Flat(rate(1, 60)) }];
    let bank = Bank::new(API, vec![Policy { limits: OWN, ..OPEN }, Policy { limits: OWN, ..OPEN }]);
    for (operation, want) in [(0, 200), (1, 200), (0, 429), (1, 429)] {
        assert_eq!(bank.send_to(0, operation, bank.request(&[])).code(), want);
    }
}

#[test]
fn an_action_with_two_meanings_does_not_start() {
    const LOGIN: &[Limit] = &[Limit { name: "login", by: &[Key::Address], quota: Quota::Action(0) }];
    const OTHER: &[Action] = &[Action {
        name: "login",
        limits: &[Limit {
            name: "login",
            by: &[Key::Address],
            quota: Quota::Flat(Setting::Fixed(Rate { limit: 9, window: 60, burst: 9 })),
        }],
    }];
    let api = |policy| gatewright::Api {
        policy,
        operations: vec![leak(Policy { limits: LOGIN, ..OPEN })],
        verifiers: vec![],
    };
    let plain = ApiPolicy { schemes: &[], ..API };
    let apis = vec![api(leak(plain)), api(leak(ApiPolicy { actions: OTHER, ..plain }))];
    let error = gatewright::Gateway::start(gatewright::Config::new(), apis).unwrap_err().to_string();
    assert!(error.contains("the action `login` has other limits"), "{error}");
}

#[test]
fn a_handler_may_set_what_harms_nobody() {
    let own = [
        ("content-type", "text/plain"),
        ("content-security-policy", "default-src 'self'"),
        ("x-a", "1"),
        ("content-security-policy", "img-src 'none'"),
        ("x-frame-options", "SAMEORIGIN"),
        ("cache-control", "public"),
        ("x-content-type-options", "sniff"),
        ("x-request-id", "mine"),
        ("strict-transport-security", "max-age=0"),
        ("ratelimit", "mine"),
        ("www-authenticate", "Mine"),
        ("x-a", "2"),
    ];
    const LIMITS: &[Limit] = &[Limit { name: "ip", by: &[Key::Address], quota: Quota::Flat(rate(5, 60)) }];
    for (policy, cached) in [(OPEN, "public"), (GUARDED, "no-store")] {
        let bank = Bank::of(Policy { limits: LIMITS, ..policy });
        let bearer = bank.bearer(json!({}));
        let (parts, _) = bank.request(&[("authorization", &bearer)]).into_parts();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let headers = runtime.block_on(async {
            let exchange = bank.gateway.open(Some(0), &parts);
            let admission = bank.gateway.guard(0, 0).unwrap().admit(&exchange, &parts, &()).await.unwrap();
            let mut response = http::Response::new(axum::body::Body::from("a"));
            for (name, value) in own {
                response.headers_mut().append(name, value.parse().unwrap());
            }
            bank.gateway.answer(&exchange, &admission, response).into_parts().0.headers
        });
        let lines = |name: &str| headers.get_all(name).iter().map(|v| v.to_str().unwrap()).collect::<Vec<_>>();
        for (name, want) in [
            ("content-type", &["text/plain"][..]),
            ("content-security-policy", &["default-src 'self'", "img-src 'none'"]),
            ("x-a", &["1", "2"]),
            ("x-frame-options", &["SAMEORIGIN"]),
            ("referrer-policy", &["no-referrer"]),
            ("cache-control", &[cached]),
            ("x-content-type-options", &["nosniff"]),
            ("strict-transport-security", &["max-age=63072000; includeSubDomains"]),
            ("ratelimit-policy", &["\"ip\";q=5;w=60"]),
            ("ratelimit", &["\"ip\";r=4;t=12"]),
            ("www-authenticate", &["Mine"]),
        ] {
            assert_eq!(lines(name), want, "{name}");
        }
        assert_eq!(lines("x-request-id").len(), 1);
        assert!(!headers.values().any(|value| value.is_empty() || value == "mine"), "{headers:?}");
    }
}

#[test]
fn request_ids_are_ours() {
    let bank = Bank::of(OPEN);
    let theirs = [("x-request-id", "theirs-1")];
    assert_ne!(bank.send(bank.request(&theirs)).header("x-request-id"), "theirs-1");
    assert_ne!(bank.send(bank.from("10.0.0.1:1", &theirs)).header("x-request-id"), "theirs-1");
    let trusting = Bank::configured(vec![(API, vec![OPEN])], |c| c.request_id_of_proxies(true));
    assert_ne!(trusting.send(trusting.request(&theirs)).header("x-request-id"), "theirs-1");
    assert_eq!(trusting.send(trusting.from("10.0.0.1:1", &theirs)).header("x-request-id"), "theirs-1");
    let nasty = [("x-request-id", "a b\"")];
    assert_ne!(trusting.send(trusting.from("10.0.0.1:1", &nasty)).header("x-request-id"), "a b\"");
}

#[test]
fn where_no_version_is_concerned_the_strictest_rules_hold() {
    let office = ApiPolicy { allow_networks: &[0], ..API };
    let elsewhere = ApiPolicy {
        store: SharedStore { on_outage: OnOutage::Closed, budget: 20 },
        transport: Transport { hosts: &[Setting::Fixed("other.example.com")], trusted_proxies: &[], ..API.transport },
        ..office
    };
    let bank = Bank::versions(vec![(office, vec![OPEN]), (elsewhere, vec![OPEN])]);
    let check = |peer: &str, host: &str, headers: &[(&str, &str)]| {
        let mut request = bank.from(peer, headers);
        request.headers_mut().insert("host", host.parse().unwrap());
        let (parts, _) = request.into_parts();
        let exchange = bank.gateway.open(None, &parts);
        bank.gateway.check_connection(&exchange, &parts).map_err(|r| r.refusal().status())
    };
    assert_eq!(check("203.0.113.7:1", "api.example.com", &[]), Ok(()));
    assert_eq!(check("203.0.113.7:1", "other.example.com", &[]), Ok(()));
    assert_eq!(check("203.0.113.7:1", "evil.example.com", &[]), Err(421));
    assert_eq!(check("198.51.100.7:1", "api.example.com", &[]), Err(403));
    // Only one version trusts this proxy: without a version nobody does.
    assert_eq!(check("10.0.0.1:1", "api.example.com", &[("x-forwarded-for", "203.0.113.7")]), Err(403));
}
