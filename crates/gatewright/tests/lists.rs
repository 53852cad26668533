//! Who may call from where and with what: networks, devices, and the proxies that say so; and that lists change while the
//! server runs, all at once or not at all. Every row shows whether the handler was entered.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "lists are files")]

mod bank;

use std::path::Path;

use bank::*;
use gatewright::table::*;
use gatewright::{Config, Gateway, Peer};
use serde_json::json;

const LAPTOP: [u8; 32] = [0x11; 32];
const OTHER: [u8; 32] = [0x22; 32];
const ON_LAPTOPS: Policy = Policy { allow_devices: Some(&["laptops"]), ..GUARDED };

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref().try_into().unwrap()
}

fn send(bank: &Bank, peer: &str, certificate: Option<[u8; 32]>, headers: &[(&str, &str)]) -> u16 {
    let bearer = bank.bearer(json!({}));
    let mut all = vec![("authorization", bearer.as_str())];
    all.extend_from_slice(headers);
    let mut request = bank.from(peer, &all);
    if let Some(certificate) = certificate {
        let peer = Peer::new(peer.parse().unwrap()).over_tls().with_certificate(certificate);
        request.extensions_mut().insert(peer);
    }
    bank.send(request).code()
}

const CLIENT: &str = "198.51.100.7:1";
const PROXY: &str = "10.0.0.1:1";

#[test]
fn a_device_is_what_it_holds() {
    let bank = Bank::configured(vec![(API, vec![ON_LAPTOPS])], |c| c.devices("laptops", [hex(&LAPTOP)]));
    assert_eq!(send(&bank, CLIENT, Some(LAPTOP), &[]), 200);
    assert_eq!(send(&bank, CLIENT, Some(OTHER), &[]), 403);
    assert_eq!(send(&bank, CLIENT, None, &[]), 403);
    // Names are no proof.
    for header in ["client-cert", "x-device-id", "x-client-cert-fingerprint", "x-ssl-client-sha256"] {
        assert_eq!(send(&bank, CLIENT, None, &[(header, &hex(&LAPTOP))]), 403, "{header}");
    }
    // A good device does not make a good caller.
    let mut stranger = bank.request(&[]);
    stranger.extensions_mut().insert(Peer::new(CLIENT.parse().unwrap()).over_tls().with_certificate(LAPTOP));
    assert_eq!(bank.send(stranger).code(), 401);
    // Nor a good user on it.
    let both = Policy { allow_users: Some(&["bob"]), ..ON_LAPTOPS };
    let bank = Bank::configured(vec![(API, vec![both])], |c| c.devices("laptops", [hex(&LAPTOP)]));
    assert_eq!(send(&bank, CLIENT, Some(LAPTOP), &[]), 403);
    let empty = Bank::configured(vec![(API, vec![ON_LAPTOPS])], |c| c.devices("laptops", [""; 0]));
    assert_eq!(send(&empty, CLIENT, Some(LAPTOP), &[]), 403, "an empty list allows nobody");
}

/// Rows: M5.
#[test]
fn a_certificate_in_a_header_counts_from_trusted_proxies_alone() {
    let der = b"a certificate";
    let base64 = "YSBjZXJ0aWZpY2F0ZQ==";
    let header = format!(":{base64}:");
    let devices = |c: Config| c.devices("laptops", [hex(&sha256(der))]);
    let asked = Bank::configured(vec![(API, vec![ON_LAPTOPS])], |c| devices(c).client_certificate_header(true));
    assert_eq!(send(&asked, PROXY, None, &[("client-cert", &header)]), 200);
    assert_eq!(send(&asked, CLIENT, None, &[("client-cert", &header)]), 403, "forged");
    assert_eq!(send(&asked, PROXY, None, &[("client-cert", base64)]), 403, "no byte sequence");
    assert_eq!(send(&asked, PROXY, None, &[("client-cert", &header), ("client-cert", &header)]), 403);
    assert_eq!(send(&asked, PROXY, Some(sha256(der)), &[]), 403, "the proxy's own certificate is nobody's behind it");
    let unasked = Bank::configured(vec![(API, vec![ON_LAPTOPS])], devices);
    assert_eq!(send(&unasked, PROXY, None, &[("client-cert", &header)]), 403);
}

#[test]
fn a_server_with_a_list_that_it_cannot_read_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken");
    std::fs::write(&broken, "# laptops\nnonsense\n").unwrap();
    let configs: [(&dyn Fn(Config) -> Config, &str); 5] = [
        (&|c| c, "nobody says which devices `laptops` are"),
        (&|c| c.devices("laptops", ["nonsense"]), "`nonsense` of the devices `laptops` is no thumbprint"),
        (&|c| c.devices_file("laptops", folder.path().join("none")), "cannot be read"),
        (&|c| c.devices_file("laptops", &broken), "broken:2` is no thumbprint"),
        (&|c| c.devices("laptops", [""; 0]).environment_file(folder.path().join("none")), "cannot be read"),
    ];
    for (also, why) in configs {
        let config = also(Config::new().variables([("ISSUER", "issuer.example.com")]).jwks("oauth", r#"{"keys":[]}"#));
        let api = gatewright::Api { policy: leak(API), operations: vec![leak(ON_LAPTOPS)], verifiers: vec![] };
        let error = Gateway::start(config, vec![api]).unwrap_err().to_string();
        assert!(error.contains(why), "{why}: {error}");
    }
}

/// An API whose networks and proxies a file says, and the file.
fn changing(file: &Path) -> Bank {
    const OFFICE: &[Network] =
        &[Network { name: "office", ranges: &[Setting::Environment { template: "${OFFICE}", at: "bank.yaml:5" }] }];
    const PROXIES: &[Setting<&str>] = &[Setting::Environment { template: "${PROXIES:-}", at: "bank.yaml:6" }];
    let transport = Transport { trusted_proxies: PROXIES, ..API.transport };
    let api = ApiPolicy { networks: OFFICE, transport, ..API };
    let inside = ApiPolicy { allow_networks: &[0], prefix: "/v2", ..api };
    let policy = Policy { allow_networks: Some(&[0]), ..GUARDED };
    let devices = file.with_file_name("devices");
    Bank::configured(vec![(api, vec![policy, ON_LAPTOPS]), (inside, vec![GUARDED])], |c| {
        c.environment_file(file).devices_file("laptops", &devices)
    })
}

#[test]
fn lists_change_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (file, devices) = (folder.path().join("environment"), folder.path().join("devices"));
    let say = |text: &str| std::fs::write(&file, format!("# of this host\n{text}")).unwrap();
    say("OFFICE=198.51.100.0/24\n");
    std::fs::write(&devices, format!("{} # hers\n", hex(&LAPTOP))).unwrap();
    let bank = changing(&file);
    let from = |operation: (usize, usize), peer: &str, certificate: [u8; 32], forwarded: &str| {
        let bearer = bank.bearer(json!({}));
        let headers = [("authorization", bearer.as_str()), ("x-forwarded-for", forwarded)];
        let mut request = bank.from(peer, &headers);
        request.extensions_mut().insert(Peer::new(peer.parse().unwrap()).over_tls().with_certificate(certificate));
        bank.send_to(operation.0, operation.1, request).code()
    };
    for operation in [(0, 0), (1, 0)] {
        assert_eq!(from(operation, CLIENT, OTHER, ""), 200);
        assert_eq!(from(operation, "203.0.113.9:1", OTHER, "198.51.100.7"), 403, "nobody trusts it");
    }
    assert_eq!(from((0, 1), CLIENT, LAPTOP, ""), 200);

    say("OFFICE=203.0.113.0/24\nPROXIES=192.0.2.1\n");
    std::fs::write(&devices, hex(&OTHER)).unwrap();
    assert_eq!(from((0, 0), CLIENT, OTHER, ""), 200, "nothing before it is read");
    bank.gateway.reload().unwrap();
    for operation in [(0, 0), (1, 0)] {
        assert_eq!(from(operation, CLIENT, OTHER, ""), 403);
        assert_eq!(from(operation, "203.0.113.9:1", OTHER, ""), 200);
        assert_eq!(from(operation, "192.0.2.1:1", OTHER, "203.0.113.9"), 200, "a new proxy is believed");
        assert_eq!(from(operation, "192.0.2.2:1", OTHER, "203.0.113.9"), 403);
    }
    assert_eq!((from((0, 1), CLIENT, LAPTOP, ""), from((0, 1), "192.0.2.9:1", OTHER, "")), (403, 200));

    // One mistake leaves all as it was: a file that is half written, or gone.
    for (text, broken) in
        [("OFFICE=198.51.100.0/24\n", "nonsense"), ("OFFICE=198.51.100.0/240\n", ""), ("OFFICE\n", ""), ("", "")]
    {
        say(text);
        std::fs::write(&devices, broken).unwrap();
        assert!(bank.gateway.reload().is_err(), "{text}");
        assert_eq!((from((0, 0), CLIENT, OTHER, ""), from((0, 0), "203.0.113.9:1", OTHER, "")), (403, 200), "{text}");
        assert_eq!(from((0, 1), "203.0.113.9:1", OTHER, ""), 200);
    }
    std::fs::remove_file(&file).unwrap();
    let error = bank.gateway.reload().unwrap_err().to_string();
    assert!(error.contains("cannot be read"), "{error}");
    assert_eq!(from((0, 0), "203.0.113.9:1", OTHER, ""), 200);
    // And back.
    say("OFFICE=198.51.100.0/24\n");
    bank.gateway.reload_if_changed().unwrap();
    assert_eq!((from((0, 0), CLIENT, OTHER, ""), from((0, 0), "203.0.113.9:1", OTHER, "")), (200, 403));
}

#[test]
fn limits_change_while_the_server_runs_and_never_by_mistake() {
    const fn said(template: &'static str) -> Quota {
        Quota::Flat(Setting::Environment { template, at: "bank.yaml:9" })
    }
    const RATE: Quota = said("${RATE:-1000/min}");
    const DAILY: Quota = said("${DAILY:-1000/day}");
    const LIMITS: &[Limit] = &[
        Limit { name: "user", by: &[Key::User], quota: RATE },
        Limit { name: "daily", by: &[Key::User], quota: Quota::Calendar(&DAILY) },
    ];
    const ACTION: &[Limit] = &[Limit { name: "shared", by: &[Key::Address], quota: Quota::Action(0) }];
    const A: &[Action] =
        &[Action { name: "a", limits: &[Limit { name: "x", by: &[Key::Address], quota: said("${A}") }] }];
    const B: &[Action] =
        &[Action { name: "a", limits: &[Limit { name: "x", by: &[Key::Address], quota: said("${B}") }] }];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("environment");
    let say = |text: &str| std::fs::write(&file, text).unwrap();
    say("RATE=4/h\nDAILY=100/day\nA=50/h\nB=50/h\n");
    let policies = |limits| vec![Policy { limits, ..GUARDED }];
    let versions = vec![
        (API, policies(LIMITS)),
        (ApiPolicy { actions: A, prefix: "/a", ..API }, policies(ACTION)),
        (ApiPolicy { actions: B, prefix: "/b", ..API }, policies(ACTION)),
    ];
    let bank = Bank::configured(versions, |c| c.environment_file(&file));
    let send = |user: &str| {
        let bearer = bank.bearer(json!({ "sub": user }));
        bank.send_to(0, 0, bank.from(CLIENT, &[("authorization", bearer.as_str())]))
    };
    let passes = |user: &str| (0..200).take_while(|_| send(user).code() == 200).count();
    assert_eq!(passes("ann"), 4);

    // A larger one counts at once, for whoever was limited too: she waits no longer than its own minute.
    say("RATE=60/min\nDAILY=100/day\nA=50/h\nB=50/h\n");
    assert_eq!(send("ann").code(), 429, "nothing before it is read");
    bank.gateway.reload_if_changed().unwrap();
    assert_eq!(passes("bob"), 60);
    let limited = send("ann");
    assert_eq!((limited.code(), limited.header("retry-after")), (429, "1"), "and not for an hour");

    // What cannot be understood, a file that was cut, a bucket of two minds: all stays as it was.
    for (text, why) in [
        ("RATE=many\nDAILY=100/day\nA=50/h\nB=50/h\n", "a rate is written"),
        ("RATE=60/min\nDAILY=100/d\nA=50/h\nB=50/h\n", "a quota is written"),
        ("RATE=60/min\nDAILY=100/day\nA=50/h\nB=51/h\n", "has other limits in another version"),
        ("DAILY=100/day\nA=50/h\nB=50/h\n", "`RATE` was set, and is not any more"),
        ("", "`DAILY` was set, and is not any more"),
        ("RATE=60/min\nDAI", "is no `NAME=value`"),
    ] {
        say(text);
        let error = bank.gateway.reload().unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        let answer = send(why);
        assert!(
            answer.header("ratelimit-policy").contains("\"user\";q=60;w=60, \"daily\";q=100;w=86400"),
            "{answer:?}"
        );
    }
    // Smaller ones; the default, where that is asked for.
    say("RATE=3/min\nDAILY=2/day\nA=50/h\nB=50/h\n");
    bank.gateway.reload().unwrap();
    assert_eq!(passes("cid"), 2);
    say("RATE=\nDAILY=2/day\nA=50/h\nB=50/h\n");
    bank.gateway.reload().unwrap();
    assert!(send("cid").header("ratelimit-policy").contains("q=2;w=86400"));
    assert!(send("dan").header("ratelimit-policy").contains("\"user\";q=1000;w=60"));
}

/// `mutualTLS`: a certificate that was verified is a credential, and the application says whose.
#[test]
fn a_certificate_is_a_credential() {
    let [oauth, key, basic] = API.schemes else { panic!("three schemes") };
    let certificate = Scheme { carrier: Carrier::ClientCertificate, ..*basic };
    let transport = Transport { client_certificates: ClientCertificates::Optional, ..API.transport };
    let api = ApiPolicy { schemes: leak([*oauth, *key, certificate]), transport, ..API };
    let policy = Policy { access: Access::Guarded(&[BASIC_ANY]), ..OPEN };
    let bank = Bank::configured(vec![(api, vec![policy])], |c| c.client_certificate_header(true));
    let send = |peer: &str, certificate: Option<[u8; 32]>, der: Option<&'static [u8]>, headers: &[(&str, &str)]| {
        let mut request = bank.from(peer, headers);
        if let Some(certificate) = certificate {
            let peer = Peer::new(peer.parse().unwrap()).over_tls().with_certificate(certificate);
            request.extensions_mut().insert(peer);
        }
        if let Some(der) = der {
            request.extensions_mut().insert(gatewright::net::CertificateDer(der.into()));
        }
        let answer = bank.send(request);
        (answer.code(), answer.subject)
    };
    let subject = |name: &str| (200, Some(name.to_owned()));
    assert_eq!(send(CLIENT, Some([0x33; 32]), None, &[]), subject("machine"));
    assert_eq!(send(CLIENT, Some([0x44; 32]), Some(b"DER of bob"), &[]), subject("bob"));
    assert_eq!(send(CLIENT, Some([0x44; 32]), Some(b"DER of eve"), &[]), (401, None), "verified, and nobody's");
    assert_eq!(send(CLIENT, None, None, &[]), (401, None));
    assert_eq!(send(CLIENT, None, Some(b"DER of bob"), &[]), (401, None), "one that no handshake verified");
    let header = [("client-cert", ":REVSIG9mIGJvYg==:")];
    assert_eq!(send(PROXY, None, None, &header), subject("bob"));
    assert_eq!(send(CLIENT, None, None, &header), (401, None), "forged");
    assert_eq!(send(PROXY, Some([0x33; 32]), None, &[]), (401, None), "the proxy's own");
    let basic = [("authorization", "Basic Ym9iOnNlY3JldA==")];
    assert_eq!(send(CLIENT, None, None, &basic), (401, None), "another kind of credential");

    let off = ApiPolicy { transport: API.transport, ..api };
    let verifier = gatewright::Verifier::new::<Basic, App>("basic", std::sync::Arc::new(App));
    let api = gatewright::Api { policy: leak(off), operations: vec![leak(policy)], verifiers: vec![verifier] };
    let error = Gateway::start(Config::new(), vec![api]).unwrap_err().to_string();
    assert!(error.contains("needs client certificates"), "{error}");
}
