//! Who gets in: every combination of credentials against every shape of `security`, and the handler entered exactly when
//! the answer is 200.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bank;

use bank::*;
use gatewright::table::*;
use serde_json::json;

#[test]
fn the_truth_table_of_security() {
    const OR: &[Alternative] = &[OAUTH_ANY, KEY_ANY];
    const AND: &[Alternative] = &[OAUTH_AND_KEY];
    const SCOPED_OR_KEY: &[Alternative] = &[OAUTH_WRITE, KEY_ANY];
    const OPTIONAL: &[Alternative] = &[OAUTH_WRITE, NOBODY];
    // Credentials: the token (none, good without scope, with scope, bad), the key (none, good, bad).
    type Cell = (&'static str, &'static str, u16);
    let rows: &[(&str, &[Alternative], [Cell; 12])] = &[
        (
            "or",
            OR,
            [
                ("-", "-", 401),
                ("t", "-", 200),
                ("w", "-", 200),
                ("x", "-", 401),
                ("-", "k", 200),
                ("t", "k", 200),
                ("w", "k", 200),
                ("x", "k", 200),
                ("-", "x", 401),
                ("t", "x", 200),
                ("w", "x", 200),
                ("x", "x", 401),
            ],
        ),
        (
            "and",
            AND,
            [
                ("-", "-", 401),
                ("t", "-", 401),
                ("w", "-", 401),
                ("x", "-", 401),
                ("-", "k", 401),
                ("t", "k", 200),
                ("w", "k", 200),
                ("x", "k", 401),
                ("-", "x", 401),
                ("t", "x", 401),
                ("w", "x", 401),
                ("x", "x", 401),
            ],
        ),
        (
            "scoped or key",
            SCOPED_OR_KEY,
            [
                ("-", "-", 401),
                ("t", "-", 403),
                ("w", "-", 200),
                ("x", "-", 401),
                ("-", "k", 200),
                ("t", "k", 200),
                ("w", "k", 200),
                ("x", "k", 200),
                ("-", "x", 401),
                ("t", "x", 401),
                ("w", "x", 200),
                ("x", "x", 401),
            ],
        ),
        // A key is nothing to this operation: it is not looked at.
        (
            "optional",
            OPTIONAL,
            [
                ("-", "-", 200),
                ("t", "-", 200),
                ("w", "-", 200),
                ("x", "-", 401),
                ("-", "k", 200),
                ("t", "k", 200),
                ("w", "k", 200),
                ("x", "k", 401),
                ("-", "x", 200),
                ("t", "x", 200),
                ("w", "x", 200),
                ("x", "x", 401),
            ],
        ),
    ];
    for (name, alternatives, cells) in rows {
        let bank = Bank::of(Policy { access: Access::Guarded(alternatives), ..OPEN });
        for (token, key, want) in cells {
            let bearer = match *token {
                "t" => bank.bearer(json!({})),
                "w" => bank.bearer(json!({"scope": "x transfers:write"})),
                "x" => bank.bearer(json!({"aud": "other", "scope": "transfers:write"})),
                _ => String::new(),
            };
            let api_key = match *key {
                "k" => bank.key("free"),
                "x" => "wx_nonsense".to_owned(),
                _ => String::new(),
            };
            let mut headers = Vec::new();
            if !bearer.is_empty() {
                headers.push(("authorization", bearer.as_str()));
            }
            if !api_key.is_empty() {
                headers.push(("x-api-key", api_key.as_str()));
            }
            let answer = bank.send(bank.request(&headers));
            assert_eq!(answer.code(), *want, "{name}: {token} {key}");
            if *name == "optional" && answer.entered {
                // Whoever came in by `{}` is nobody.
                assert_eq!(answer.subject.is_some(), *token == "w", "{token}");
            }
        }
    }
}

/// Rows: B4, B5, B6.
#[test]
fn bearer_rows() {
    let bank = Bank::of(GUARDED);
    let token = bank.token(json!({}));
    let row = |headers: &[(&str, &str)]| bank.send(bank.request(headers));
    for (value, want) in [
        (format!("Bearer {token}"), 200),
        (format!("bearer {token}"), 200),
        (format!("BEARER {token}"), 200),
        (format!("Bearer  {token}"), 401),
        (format!("Bearer {token} "), 200),
        (format!("Bearer {token} x"), 401),
        (format!("Bearer {token}, Bearer {token}"), 401),
        ("Bearer".into(), 401),
        ("Bearer ".into(), 401),
        ("".into(), 401),
        (token.clone(), 401),
        (format!("Token {token}"), 401),
        ("Basic Ym9iOnNlY3JldA==".into(), 401),
        (format!("Bearer {}", "a".repeat(20_000)), 401),
        ("Bearer ä".into(), 401),
    ] {
        // The HTTP reader takes white space off the ends of a field: a table of field values shows what is left.
        assert_eq!(row(&[("authorization", value.trim_end())]).code(), want, "{value}");
    }
    let bearer = format!("Bearer {token}");
    let twice = row(&[("authorization", &bearer), ("authorization", &bearer)]);
    assert_eq!(twice.code(), 400);
    for (query, with_header, want) in
        [("access_token=x", true, 400), ("access_token=x", false, 401), ("a=b", true, 200)]
    {
        let headers: &[(&str, &str)] = if with_header { &[("authorization", &bearer)] } else { &[] };
        let mut request = bank.request(headers);
        *request.uri_mut() = format!("/v1/transfers?{query}").parse().unwrap();
        assert_eq!(bank.send(request).code(), want, "{query} {with_header}");
    }
}

/// Rows: B1, B2, B3, H6.
#[test]
fn challenges_say_what_would_help_and_not_why() {
    let bank = Bank::of(Policy { access: Access::Guarded(&[OAUTH_WRITE, BASIC_ANY, KEY_ANY]), ..OPEN });
    let missing = bank.send(bank.request(&[]));
    let challenges: Vec<_> = missing.headers.get_all("www-authenticate").iter().map(|v| v.to_str().unwrap()).collect();
    assert_eq!(
        challenges,
        [
            "Bearer realm=\"Bank v1\"",
            "Basic realm=\"Bank v1\", charset=\"UTF-8\"",
            "ApiKey realm=\"Bank v1\", in=\"header\", name=\"x-api-key\""
        ]
    );
    let mut bodies = std::collections::BTreeSet::new();
    for bad in [json!({"aud": "x"}), json!({"exp": NOW}), json!({"iss": "x"}), json!({"sub": null})] {
        let answer = bank.send(bank.request(&[("authorization", &bank.bearer(bad))]));
        assert_eq!(answer.code(), 401);
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"Bank v1\", error=\"invalid_token\"");
        let mut problem = answer.problem;
        problem["request_id"] = "".into();
        bodies.insert(problem.to_string());
    }
    let garbage = bank.send(bank.request(&[("authorization", "Bearer x")]));
    let mut problem = garbage.problem.clone();
    problem["request_id"] = "".into();
    bodies.insert(problem.to_string());
    assert_eq!(bodies.len(), 1, "one body for all causes: {bodies:?}");
    let scope = bank.send(bank.request(&[("authorization", &bank.bearer(json!({"scope": "transfers:read"})))]));
    assert_eq!(scope.code(), 403);
    assert_eq!(
        scope.header("www-authenticate"),
        "Bearer realm=\"Bank v1\", error=\"insufficient_scope\", scope=\"transfers:write\""
    );
}

/// Rows: J24.
#[test]
fn a_cached_token_ends_when_it_expires() {
    let bank = Bank::of(GUARDED);
    let bearer = bank.bearer(json!({"exp": NOW + 60}));
    for (now, want) in [(NOW, 200), (NOW + 59, 200), (NOW + 60, 401), (NOW + 59, 200), (NOW + 61, 401)] {
        bank.clock.set(now);
        assert_eq!(bank.send(bank.request(&[("authorization", &bearer)])).code(), want, "{}", now - NOW);
    }
}

/// Rows: J26.
#[test]
fn a_cached_token_is_of_its_own_version() {
    // The second version takes other tokens: what the first one remembers does not count there.
    let bank = Bank::versions(vec![(API, vec![GUARDED]), (strict(), vec![GUARDED])]);
    let bearer = bank.bearer(json!({}));
    for (api, want) in [(0, 200), (1, 401), (0, 200), (1, 401)] {
        assert_eq!(bank.send_to(api, 0, bank.request(&[("authorization", &bearer)])).code(), want);
    }
}

fn strict() -> ApiPolicy {
    let mut schemes = API.schemes.to_vec();
    if let Verify::Jwt(jwt) = &mut schemes[0].verify {
        jwt.audience = &[Setting::Fixed("bank-api-v2")];
    }
    ApiPolicy { prefix: "/v2", schemes: leak(schemes), ..API }
}

#[test]
fn api_keys() {
    let bank = Bank::of(Policy { access: Access::Guarded(&[KEY_ANY]), level: Some(PREMIUM), ..OPEN });
    let (free, premium, none) = (bank.key("free"), bank.key("premium"), bank.key("unheard-of"));
    for (key, want) in [(&premium, 200), (&free, 403), (&none, 403)] {
        assert_eq!(bank.send(bank.request(&[("x-api-key", key)])).code(), want);
    }
    let id = premium.split('_').nth(1).unwrap();
    let mut wrong = premium.clone();
    wrong.replace_range(
        premium.len() - 10..premium.len() - 9,
        if wrong.as_bytes()[premium.len() - 10] == b'A' { "B" } else { "A" },
    );
    for bad in ["", "wx", "x y", wrong.as_str(), &premium.to_uppercase(), &format!("{premium}a")] {
        assert_eq!(bank.send(bank.request(&[("x-api-key", bad)])).code(), 401, "{bad}");
    }
    assert_eq!(bank.send(bank.request(&[("x-api-key", &premium), ("x-api-key", &premium)])).code(), 400);
    gatewright::store::at_once(bank.keys.revoke(id, NOW)).unwrap().unwrap();
    assert_eq!(bank.send(bank.request(&[("x-api-key", &premium)])).code(), 401, "at once");
}

#[test]
fn the_applications_own_scheme() {
    let bank = Bank::of(Policy { access: Access::Guarded(&[BASIC_ANY]), ..OPEN });
    let basic = |pair: &str| {
        let text = base64url(pair.as_bytes()).replace('-', "+").replace('_', "/");
        let padding = "=".repeat((4 - text.len() % 4) % 4);
        format!("Basic {text}{padding}")
    };
    for (pair, want) in [
        ("bob:secret", 200),
        ("bob:wrong", 401),
        ("eve:secret", 401),
        ("down:x", 503),
        ("panic:x", 503),
        ("hang:x", 503),
    ] {
        let answer = bank.send(bank.request(&[("authorization", &basic(pair))]));
        assert_eq!(answer.code(), want, "{pair}");
        assert!(!answer.problem.to_string().contains("directory"), "{answer:?}");
        if want == 503 {
            assert_eq!(answer.header("retry-after"), "1");
        }
    }
    assert_eq!(bank.send(bank.request(&[("authorization", "Basic Ym9iOnNlY3JldA")])).code(), 401, "no padding");
}

#[test]
fn a_server_without_its_parts_does_not_start() {
    let api = leak(API);
    const EVERY: &[Alternative] = &[OAUTH_ANY, KEY_ANY, BASIC_ANY];
    let guarded: &'static Policy = leak(Policy { access: Access::Guarded(EVERY), ..OPEN });
    let unguarded: &'static Policy = leak(Policy { access: Access::Guarded(&[]), at: "bank.yaml:99", ..OPEN });
    let error = gatewright::Gateway::start(
        gatewright::Config::new(),
        vec![gatewright::Api { policy: api, operations: vec![guarded, unguarded], verifiers: vec![] }],
    )
    .unwrap_err()
    .to_string();
    for part in [
        "bank.yaml:12: the variable `ISSUER` is not set",
        "bank.yaml:20: the scheme `key` needs a key store",
        "bank.yaml:30: nobody verifies the scheme `basic`",
        "bank.yaml:99: the operation `op` has no guard",
    ] {
        assert!(error.contains(part), "{part} not in {error}");
    }
}

#[test]
fn what_no_operation_names_need_not_be_there() {
    let api = |operation| gatewright::Api { policy: leak(API), operations: vec![leak(operation)], verifiers: vec![] };
    let start = |operation| gatewright::Gateway::start(gatewright::Config::new(), vec![api(operation)]);
    assert!(start(OPEN).is_ok());
    let basic = Policy { access: Access::Guarded(&[BASIC_ANY]), ..OPEN };
    let error = start(basic).unwrap_err();
    assert_eq!(error.problems.len(), 1, "{error}");
}
