//! The audit record: one line a decision, nothing secret in it, nothing that could pass for another line.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bank;

use std::io::Write;
use std::sync::{Arc, Mutex};

use bank::*;
use gatewright::table::*;
use serde_json::{Value, json};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn recorded(work: impl FnOnce()) -> (String, Vec<Value>) {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, work);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let parsed = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (text, parsed)
}

/// Rows: A14.
#[test]
fn every_decision_is_one_line_without_secrets() {
    let bank = Bank::of(Policy { audit: true, access: Access::Guarded(&[OAUTH_WRITE, KEY_ANY]), ..OPEN });
    let subject = "eve\r\n{\"decision\":\"allow\"}\u{1b}[2J\u{202e}";
    let good = bank.bearer(json!({"sub": subject, "scope": "transfers:write"}));
    let short = bank.bearer(json!({"sub": subject}));
    let bad = bank.bearer(json!({"sub": subject, "aud": "other"}));
    let key = bank.key("free");
    let mut ids = Vec::new();
    let (text, events) = recorded(|| {
        for headers in [
            &[("authorization", good.as_str())][..],
            &[("authorization", &short)],
            &[("authorization", &bad)],
            &[("x-api-key", &key)],
            &[("x-api-key", "wx_secret_guess")],
            &[],
        ] {
            ids.push(bank.send(bank.request(headers)).header("x-request-id").to_owned());
        }
    });
    assert_eq!(events.len(), 6, "{text}");
    let rows: Vec<_> = events
        .iter()
        .map(|e| (e["fields"]["decision"].as_str().unwrap(), e["fields"]["status"].as_u64().unwrap()))
        .collect();
    assert_eq!(rows, [("allow", 200), ("deny", 403), ("deny", 401), ("allow", 200), ("deny", 401), ("deny", 401)]);
    for (event, id) in events.iter().zip(&ids) {
        let fields = &event["fields"];
        assert_eq!(event["target"], "gatewright::audit");
        assert_eq!(fields["request_id"], id.as_str());
        assert_eq!((fields["operation"].as_str(), fields["policy"].as_str()), (Some("op"), Some("bank.yaml:41")));
        assert_eq!(fields["client"], "198.51.100.7");
    }
    let shown = events[0]["fields"]["subject"].as_str().unwrap();
    assert!(shown.starts_with("eve\\u{d}\\u{a}{") && !shown.chars().any(char::is_control), "{shown}");
    assert_eq!(events[1]["fields"]["subject"], shown);
    assert_eq!(events[2]["fields"]["reason"], "another audience");
    assert_eq!(events[3]["fields"]["key"], key.split('_').nth(1).unwrap());
    let secret_of_key = key.split('_').nth(2).unwrap();
    for secret in [&good[7..], &short[7..], &bad[7..], secret_of_key, "secret_guess"] {
        let signature = secret.rsplit('.').next().unwrap();
        assert!(!text.contains(signature), "{signature} in {text}");
    }
}

/// What is unusual for a key is said once, without a request that waits for it, and nobody is refused.
#[test]
fn a_key_from_a_new_network_and_a_spike_are_recorded() {
    let anomaly = Some(Anomaly { new_network: NewNetwork::Warn, spike: Some(10) });
    let mut schemes = API.schemes.to_vec();
    schemes[1].verify = Verify::ApiKey(ApiKey { prefix: "wx", rotate_every: None, grace: 0, anomaly });
    let api = ApiPolicy { schemes: leak(schemes), ..API };
    let bank = Bank::new(api, vec![Policy { access: Access::Guarded(&[KEY_ANY]), ..OPEN }]);
    let key = bank.key("premium");
    let headers = [("x-api-key", key.as_str())];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (text, events) = recorded(|| {
        runtime.block_on(async {
            for address in ["198.51.100.7:1", "198.51.100.250:1", "[2001:db8:1::9]:1", "[2001:db8:1:2::9]:1"] {
                assert_eq!(bank.answer(0, 0, bank.from(address, &headers)).await.code(), 200);
                bank.gateway.flush().await;
            }
            bank.clock.set(NOW + 3_600);
            bank.clock.wait(3_600_000);
            for _ in 0..70 {
                assert_eq!(bank.answer(0, 0, bank.from("198.51.100.7:1", &headers)).await.code(), 200);
            }
            bank.gateway.flush().await;
        });
    });
    let said: Vec<_> = events.iter().map(|e| e["fields"]["event"].as_str().unwrap()).collect();
    assert_eq!(said, ["new-network", "spike"], "{text}");
    assert_eq!(events[0]["fields"]["detail"], "2001:db8:1::/48");
    assert!(events[1]["fields"]["detail"].as_str().unwrap().starts_with("70 uses in a minute"), "{text}");
    assert_eq!(events[0]["fields"]["key"], key.split('_').nth(1).unwrap());
    assert!(!text.contains(key.split('_').nth(2).unwrap()));
    let used = gatewright::store::at_once(bank.keys.usage()).unwrap().unwrap();
    assert_eq!(used[0].uses, 74);
}

/// `new-network: refuse`: a key is good in the network of its first use and in those that were named, and nowhere else. Whoever
/// tries it elsewhere learns no more than of a wrong one; the audit record says why, and which network once.
#[test]
fn a_key_is_refused_in_a_network_that_is_new_to_it() {
    let anomaly = Some(Anomaly { new_network: NewNetwork::Refuse, spike: None });
    let mut schemes = API.schemes.to_vec();
    schemes[1].verify = Verify::ApiKey(ApiKey { prefix: "wx", rotate_every: None, grace: 0, anomaly });
    let api = ApiPolicy { schemes: leak(schemes), ..API };
    let bank = Bank::new(api, vec![Policy { access: Access::Guarded(&[KEY_ANY]), ..OPEN }]);
    let key = bank.key("premium");
    let id = key.split('_').nth(1).unwrap();
    let headers = [("x-api-key", key.as_str())];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (text, events) = recorded(|| {
        runtime.block_on(async {
            let ask = async |address: &str| bank.answer(0, 0, bank.from(address, &headers)).await;
            // A wrong secret names no network.
            let wrong = format!("{}{}", &key[..key.len() - 1], if key.ends_with('x') { 'y' } else { 'x' });
            let request = bank.from("192.0.2.1:1", &[("x-api-key", wrong.as_str())]);
            let unknown = bank.answer(0, 0, request).await;
            assert_eq!(unknown.code(), 401);
            assert_eq!(ask("198.51.100.7:1").await.code(), 200, "the first");
            assert_eq!(ask("198.51.100.250:1").await.code(), 200, "the same network");
            assert_eq!(ask("[::ffff:198.51.100.9]:1").await.code(), 200, "the same, written otherwise");
            for address in ["198.51.101.7:1", "198.51.101.8:1", "[2001:db8:1::9]:1"] {
                let refused = ask(address).await;
                assert_eq!(refused.code(), 401, "{address}");
                for member in ["type", "title", "detail", "status"] {
                    assert_eq!(refused.problem.get(member), unknown.problem.get(member), "{address} {member}");
                }
                assert_eq!(refused.header("www-authenticate"), unknown.header("www-authenticate"));
            }
            bank.gateway.flush().await;
            assert!(bank.keys.allow(id, "2001:db8:1::/48", NOW).await.unwrap());
            assert_eq!(ask("[2001:db8:1:2::9]:1").await.code(), 200, "named");
            assert_eq!(ask("[2001:db8:2::9]:1").await.code(), 401);
            assert_eq!(ask("198.51.100.8:1").await.code(), 200, "still");
            bank.keys.revoke(id, NOW).await.unwrap();
            assert_eq!(ask("198.51.100.8:1").await.code(), 401);
            bank.gateway.flush().await;
        });
    });
    assert_eq!(bank.entered.load(std::sync::atomic::Ordering::SeqCst), 5, "nobody who was refused");
    let field =
        |name: &str| events.iter().filter_map(|e| e["fields"][name].as_str()).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(field("detail"), ["198.51.101.0/24", "2001:db8:1::/48", "2001:db8:2::/48"], "{text}");
    let why = "the API key comes from a network that is new to it";
    assert_eq!(field("reason").iter().filter(|reason| *reason == why).count(), 4, "{text}");
    assert!(!text.contains(key.split('_').nth(2).unwrap()));
    let used = gatewright::store::at_once(bank.keys.usage()).unwrap().unwrap();
    assert_eq!(used[0].uses, 5);
}

/// A new key that two use at once from two networks is good in one of them.
#[test]
fn the_first_network_of_a_key_is_one() {
    let anomaly = Some(Anomaly { new_network: NewNetwork::Refuse, spike: None });
    let mut schemes = API.schemes.to_vec();
    schemes[1].verify = Verify::ApiKey(ApiKey { prefix: "wx", rotate_every: None, grace: 0, anomaly });
    let api = ApiPolicy { schemes: leak(schemes), ..API };
    let bank = Arc::new(Bank::new(api, vec![Policy { access: Access::Guarded(&[KEY_ANY]), ..OPEN }]));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap();
    for _ in 0..50 {
        let key = bank.key("premium");
        let tasks: Vec<_> = (0..4)
            .map(|n| {
                let (bank, key) = (bank.clone(), key.clone());
                runtime.spawn(async move {
                    let request = bank.from(&format!("192.0.{n}.1:1"), &[("x-api-key", key.as_str())]);
                    bank.answer(0, 0, request).await.status
                })
            })
            .collect();
        let codes = tasks.into_iter().map(|task| runtime.block_on(task).unwrap());
        assert_eq!(codes.filter(|code| *code == 200).count(), 1);
    }
}

#[test]
fn an_admission_is_recorded_where_the_operation_asks() {
    let quiet = Bank::of(OPEN);
    assert!(recorded(|| drop(quiet.send(quiet.request(&[])))).1.is_empty());
    let loud = Bank::of(Policy { audit: true, ..OPEN });
    assert_eq!(recorded(|| drop(loud.send(loud.request(&[])))).1.len(), 1);
}

/// Rows: A7, A15.
///
/// Secrets in every place where a client can put one, good and bad, with the log at its most talkative: they are neither in
/// the log, nor in the audit log, nor in an answer. Who was refused and why is in both, each on one line.
#[test]
fn no_secret_is_ever_written() {
    let kept = Lines::default();
    let log = gatewright::AuditLog::to(kept.clone()).unwrap();
    let policy = Policy { audit: true, access: Access::Guarded(&[OAUTH_WRITE, KEY_ANY, BASIC_ANY]), ..OPEN };
    let bank = Bank::configured(vec![(API, vec![policy])], |config| config.audit(log.clone()));
    let subject = "eve\r\n{\"event\":\"decision\"}\u{1b}[2J\u{2028}";
    let good = bank.bearer(json!({"sub": subject, "scope": "transfers:write", "email": "canary-claim"}));
    let late = bank.bearer(json!({"sub": "canary-unverified", "exp": NOW - 100, "iat": NOW - 200}));
    let key = bank.key("free");
    let revoked = bank.key("free");
    let id = |key: &str| key.split('_').nth(1).unwrap().to_owned();
    gatewright::store::at_once(bank.keys.revoke(&id(&revoked), NOW)).unwrap().unwrap();
    let lines = Lines::default();
    let writer = lines.clone();
    let talkative = tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE);
    let subscriber = talkative.with_writer(move || writer.clone()).finish();
    let mut answers = String::new();
    tracing::subscriber::with_default(subscriber, || {
        for headers in [
            &[("authorization", good.as_str())][..],
            &[("authorization", &late)],
            &[("authorization", "Bearer canary-token")],
            &[("authorization", "Basic Y2FuYXJ5LXVzZXI6Y2FuYXJ5LXBhc3N3b3Jk")],
            &[("authorization", "canary-scheme canary")],
            &[("x-api-key", &key)],
            &[("x-api-key", &revoked)],
            &[("x-api-key", "wx_canary_key")],
            &[("x-api-key", &key), ("x-api-key", "canary-second")],
            &[("cookie", "session=canary-cookie"), ("dpop", "canary-proof")],
            &[("host", "canary-host")],
        ] {
            let mut request = bank.request(headers);
            *request.uri_mut() = "/v1/transfers?token=canary-query&key=canary".parse().unwrap();
            let answer = bank.send(request);
            answers.push_str(&format!("{} {:?}", answer.problem, answer.headers));
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(log.flush());
    let read = |lines: &Lines| String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let (logged, audited) = (read(&lines), read(&kept));
    let mut secrets = vec!["canary".to_owned()];
    for token in [&good, &late] {
        secrets.extend(token.trim_start_matches("Bearer ").split('.').map(str::to_owned));
    }
    secrets.extend([&key, &revoked].map(|key| key.split('_').nth(2).unwrap().to_owned()));
    for secret in &secrets {
        // What every token begins with is no secret.
        if secret.starts_with("eyJ") && good.contains(secret.as_str()) && late.contains(secret.as_str()) {
            continue;
        }
        for (place, text) in [("log", &logged), ("audit log", &audited), ("answers", &answers)] {
            assert!(!text.contains(secret.as_str()), "`{secret}` is in the {place}: {text}");
        }
    }
    let records: Vec<Value> = audited.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 11, "{audited}");
    assert_eq!(records[0]["decision"], "allow");
    let shown = records[0]["subject"].as_str().unwrap();
    assert!(shown.starts_with("eve\\u{d}\\u{a}{") && !shown.chars().any(char::is_control), "{shown}");
    assert_eq!((records[5]["key"].as_str(), records[5]["status"].as_u64()), (Some(id(&key).as_str()), Some(200)));
    assert_eq!((records[6]["reason"].as_str(), records[6]["status"].as_u64()), (Some("no such API key"), Some(401)));
    for record in &records {
        assert_eq!((record["event"].as_str(), record["api"].as_str()), (Some("decision"), Some("Bank v1")));
        assert_eq!(record["time"], "2027-01-15T08:00:00Z");
        assert_eq!(record["client"], "198.51.100.7");
        assert!(record["request_id"].as_str().is_some_and(|id| id.len() == 32));
        let denied = record["decision"] == "deny";
        assert_eq!(record.get("refusal").is_some() && record.get("check").is_some(), denied, "{record}");
    }
}

/// Whoever is refused behind his credential is named, by whatever check: an allowlist, his rate, a step-up.
#[test]
fn who_was_refused_is_named() {
    const LIMITS: &[Limit] = &[Limit { name: "user", by: &[Key::User], quota: Quota::Flat(rate(1, 3_600)) }];
    const ADMINS: &[u64] = &[bit(ADMIN)];
    let step = StepUp { method: StepUpMethod::Mfa { acr: &[] }, within: 300 };
    let kept = Lines::default();
    let log = gatewright::AuditLog::to(kept.clone()).unwrap();
    let policies = vec![
        Policy { allow_users: Some(&["bob"]), ..GUARDED },
        Policy { allow_devices: Some(&["laptops"]), ..GUARDED },
        Policy { allow_networks: Some(&[0]), ..GUARDED },
        Policy { roles: ADMINS, ..GUARDED },
        Policy { limits: LIMITS, ..GUARDED },
        Policy { step_up: Some(step), ..GUARDED },
    ];
    let none: [String; 0] = [];
    let bank =
        Bank::configured(vec![(API, policies)], |config| config.audit(log.clone()).devices("laptops", none.clone()));
    let bearer = bank.bearer(json!({"sub": "alice"}));
    for operation in [0, 1, 2, 3, 4, 4, 5] {
        bank.send_to(0, operation, bank.request(&[("authorization", &bearer)]));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(log.flush());
    let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: Vec<[&str; 3]> =
        records.iter().map(|r| ["refusal", "subject", "client"].map(|name| r[name].as_str().unwrap_or(""))).collect();
    let from = "198.51.100.7";
    let want = [
        ["CallerNotAllowed", "alice", from],
        ["CallerNotAllowed", "alice", from],
        // Nobody has asked yet who it is.
        ["NetworkNotAllowed", "", from],
        ["RoleMissing", "alice", from],
        ["RateLimited", "alice", from],
        ["StepUpRequired", "alice", from],
    ];
    assert_eq!(said, want, "{text}");
}
