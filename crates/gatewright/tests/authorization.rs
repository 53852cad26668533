//! What known callers may: levels, roles, claims, lists, networks. Each row names what is asked, who asks, and the answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bank;

use bank::*;
use gatewright::table::*;
use serde_json::{Value, json};

fn ask(policy: Policy, claims: Value, headers: &[(&str, &str)]) -> u16 {
    let bank = Bank::of(policy);
    let bearer = bank.bearer(claims);
    let mut all = vec![("authorization", bearer.as_str())];
    all.extend_from_slice(headers);
    let mut request = bank.request(&all);
    *request.uri_mut() = "/v1/transfers?tenant=t1&n=7&twice=a&twice=a".parse().unwrap();
    bank.send(request).code()
}

#[test]
fn roles() {
    let tellers = Policy { roles: const { &[bit(TELLER)] }, ..GUARDED };
    let either = Policy { roles: const { &[bit(TELLER) | bit(ADMIN)] }, ..GUARDED };
    for (policy, roles, want) in [
        (tellers, json!(["teller"]), 200),
        (tellers, json!("teller"), 200),
        (tellers, json!(["admin"]), 200),
        (either, json!(["admin"]), 200),
        (tellers, json!(["Teller"]), 403),
        (tellers, json!(["unheard-of"]), 403),
        (tellers, json!([]), 403),
        (tellers, json!(null), 403),
        (tellers, json!({"teller": true}), 403),
        (tellers, json!(7), 403),
    ] {
        assert_eq!(ask(policy, json!({"roles": roles}), &[]), want, "{roles}");
    }
    // A role brings its scopes.
    let write = Policy { access: Access::Guarded(&[OAUTH_WRITE]), ..OPEN };
    assert_eq!(ask(write, json!({"roles": ["admin"]}), &[]), 200);
    assert_eq!(ask(write, json!({"roles": ["teller"]}), &[]), 403);
}

#[test]
fn a_role_of_one_scheme_is_nothing_in_another() {
    // The application says that bob is an admin, by a scheme that carries no roles.
    let bank = Bank::of(Policy { access: Access::Guarded(&[BASIC_ANY]), roles: const { &[bit(ADMIN)] }, ..OPEN });
    assert_eq!(bank.send(bank.request(&[("authorization", "Basic Ym9iOnNlY3JldA==")])).code(), 403);
}

#[test]
fn claims() {
    const fn equal(path: &'static [&'static str], operand: Operand) -> Claim {
        Claim { path, must: Must::Equal(operand) }
    }
    macro_rules! rows {
        ($(($claim:expr, $claims:expr, $want:expr)),* $(,)?) => {
            $({
                const CLAIMS: &[Claim] = &[$claim];
                let claims = $claims;
                assert_eq!(ask(Policy { claims: CLAIMS, ..GUARDED }, claims.clone(), &[("x-tenant", "t1")]), $want,
                    "{:?} {claims}", CLAIMS);
            })*
        };
    }
    rows![
        (equal(&["tenant"], Operand::Text("t1")), json!({"tenant": "t1"}), 200),
        (equal(&["tenant"], Operand::Text("t1")), json!({"tenant": "T1"}), 403),
        (equal(&["tenant"], Operand::Text("t1")), json!({"tenant": ["t1"]}), 403),
        (equal(&["tenant"], Operand::Text("t1")), json!({"tenant": null}), 403),
        (equal(&["tenant"], Operand::Text("t1")), json!({}), 403),
        (equal(&["a", "b"], Operand::Text("x")), json!({"a": {"b": "x"}}), 200),
        (equal(&["a", "b"], Operand::Text("x")), json!({"a.b": "x"}), 403),
        (equal(&["a", "b"], Operand::Text("x")), json!({"a": [{"b": "x"}]}), 403),
        (equal(&["n"], Operand::Integer(7)), json!({"n": 7}), 200),
        (equal(&["n"], Operand::Integer(7)), json!({"n": "7"}), 403),
        (equal(&["n"], Operand::Integer(7)), json!({"n": 7.5}), 403),
        (equal(&["v"], Operand::Bool(true)), json!({"v": true}), 200),
        (equal(&["v"], Operand::Bool(true)), json!({"v": "true"}), 403),
        (equal(&["v"], Operand::Bool(true)), json!({"v": 1}), 403),
        (equal(&["tenant"], Operand::Path("tenantId")), json!({"tenant": "t1"}), 200),
        (equal(&["tenant"], Operand::Path("tenantId")), json!({"tenant": "t2"}), 403),
        (equal(&["tenant"], Operand::Path("absent")), json!({"tenant": ""}), 403),
        (equal(&["n"], Operand::Path("number")), json!({"n": 7}), 200),
        (equal(&["n"], Operand::Path("number")), json!({"n": 8}), 403),
        (equal(&["tenant"], Operand::Query("tenant")), json!({"tenant": "t1"}), 200),
        (equal(&["tenant"], Operand::Query("absent")), json!({"tenant": ""}), 403),
        (equal(&["tenant"], Operand::Query("twice")), json!({"tenant": "a"}), 403),
        (equal(&["tenant"], Operand::Header("x-tenant")), json!({"tenant": "t1"}), 200),
        (equal(&["tenant"], Operand::Header("x-absent")), json!({"tenant": ""}), 403),
        (Claim { path: &["d"], must: Must::In(&[Operand::Text("a"), Operand::Text("b")]) }, json!({"d": "b"}), 200),
        (Claim { path: &["d"], must: Must::In(&[Operand::Text("a"), Operand::Text("b")]) }, json!({"d": "c"}), 403),
        (Claim { path: &["d"], must: Must::In(&[]) }, json!({"d": "c"}), 403),
        (Claim { path: &["g"], must: Must::Contain(Operand::Text("x")) }, json!({"g": ["y", "x"]}), 200),
        (Claim { path: &["g"], must: Must::Contain(Operand::Text("x")) }, json!({"g": "y x"}), 200),
        (Claim { path: &["g"], must: Must::Contain(Operand::Text("x")) }, json!({"g": "xx"}), 403),
        (Claim { path: &["g"], must: Must::Contain(Operand::Text("x")) }, json!({"g": [["x"]]}), 403),
        (Claim { path: &["g"], must: Must::Contain(Operand::Text("x")) }, json!({"g": {"x": 1}}), 403),
    ];
    // All must hold.
    const BOTH: &[Claim] = &[equal(&["a"], Operand::Text("1")), equal(&["b"], Operand::Text("2"))];
    let both = Policy { claims: BOTH, ..GUARDED };
    assert_eq!(ask(both, json!({"a": "1", "b": "2"}), &[]), 200);
    assert_eq!(ask(both, json!({"a": "1"}), &[]), 403);
    assert_eq!(ask(both, json!({"b": "2"}), &[]), 403);
}

#[test]
fn what_two_credentials_disagree_on_holds_for_neither() {
    // Not reachable by OR: the first one that holds would do. By AND, the claim is nobody's.
    const TENANT: &[Claim] = &[Claim { path: &["tenant"], must: Must::Equal(Operand::Text("t1")) }];
    const ALTERNATIVES: &[Alternative] = &[OAUTH_ANY, BASIC_ANY];
    let bank = Bank::of(Policy { access: Access::Guarded(ALTERNATIVES), claims: TENANT, ..OPEN });
    assert_eq!(bank.send(bank.request(&[("authorization", "Basic Ym9iOnNlY3JldA==")])).code(), 200);
    let other = bank.bearer(json!({"tenant": "t2"}));
    let both = bank.request(&[("authorization", "Basic Ym9iOnNlY3JldA=="), ("authorization", &other)]);
    assert_eq!(bank.send(both).code(), 400, "one place holds one credential");
}

#[test]
fn lists_of_users() {
    let policy = Policy { allow_users: Some(&["alice", "svc"]), ..GUARDED };
    for (subject, want) in [("alice", 200), ("svc", 200), ("Alice", 403), ("mallory", 403)] {
        assert_eq!(ask(policy, json!({"sub": subject}), &[]), want, "{subject}");
    }
    assert_eq!(ask(Policy { allow_users: Some(&[]), ..GUARDED }, json!({}), &[]), 403);
}

/// Rows: X1, X2.
#[test]
fn networks_and_proxies() {
    let office = Policy { allow_networks: Some(&[0]), ..OPEN };
    for (peer, forwarded, want) in [
        ("203.0.113.7:1", "", 200),
        ("[2001:db8::7]:1", "", 200),
        ("[::ffff:203.0.113.7]:1", "", 200),
        ("198.51.100.7:1", "", 403),
        // Nobody believes the internet.
        ("198.51.100.7:1", "203.0.113.7", 403),
        ("203.0.113.7:1", "198.51.100.7", 200),
        ("10.0.0.1:1", "203.0.113.7", 200),
        ("10.0.0.1:1", "203.0.113.7, 198.51.100.7", 403),
        ("10.0.0.1:1", "203.0.113.7, unknown", 403),
        ("10.0.0.1:1", "", 403),
    ] {
        let bank = Bank::of(office);
        let headers: &[(&str, &str)] = if forwarded.is_empty() { &[] } else { &[("x-forwarded-for", forwarded)] };
        assert_eq!(bank.send(bank.from(peer, headers)).code(), want, "{peer} {forwarded}");
    }
    assert_eq!(Bank::of(Policy { allow_networks: Some(&[]), ..OPEN }).send(Bank::of(OPEN).request(&[])).code(), 403);
    let api = ApiPolicy { allow_networks: &[0], ..API };
    let bank = Bank::new(api, vec![OPEN]);
    assert_eq!(bank.send(bank.request(&[])).code(), 403);
    assert_eq!(bank.send(bank.from("203.0.113.9:1", &[])).code(), 200);
    let mut nowhere = bank.request(&[]);
    nowhere.extensions_mut().clear();
    assert_eq!(bank.send(nowhere).code(), 403, "a request from nowhere is neither secure nor inside");
}

#[test]
fn claims_about_the_body() {
    use gatewright::BodyValue;
    const ACCOUNT: &[Claim] = &[
        Claim { path: &["account"], must: Must::Equal(Operand::Body("/from/account")) },
        Claim { path: &["tenant"], must: Must::Equal(Operand::Text("t1")) },
    ];
    let bank = Bank::of(Policy { claims: ACCOUNT, ..GUARDED });
    for (claim, body, holds) in [
        (json!("a1"), Some(BodyValue::Text("a1")), true),
        (json!("a1"), Some(BodyValue::Text("a2")), false),
        (json!("a1"), None, false),
        (json!("7"), Some(BodyValue::Integer(7)), false),
        (json!(7), Some(BodyValue::Integer(7)), true),
        (json!(7), Some(BodyValue::Text("7")), false),
        (json!(true), Some(BodyValue::Bool(true)), true),
        (json!("true"), Some(BodyValue::Bool(true)), false),
        (json!(null), None, false),
    ] {
        let bearer = bank.bearer(json!({"account": claim, "tenant": "t1"}));
        let (parts, _) = bank.request(&[("authorization", &bearer)]).into_parts();
        let exchange = bank.gateway.open(Some(0), &parts);
        let guard = bank.gateway.guard(0, 0).unwrap();
        assert!(guard.has_body_claims());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let admission = runtime.block_on(guard.admit(&exchange, &parts, &())).unwrap();
        let found = guard.check_body_claims(&admission, &|pointer| {
            assert_eq!(pointer, "/from/account");
            body
        });
        assert_eq!(found.is_ok(), holds, "{claim} {body:?}");
    }
    // The condition without the body is checked before.
    let bearer = bank.bearer(json!({"account": "a1", "tenant": "t2"}));
    assert_eq!(bank.send(bank.request(&[("authorization", &bearer)])).code(), 403);
}
