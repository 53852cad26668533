//! That a guard allocates nothing once a caller's token is known: networks, credential, scopes, roles and claims are judged in
//! place. Where there are limits, the list of where the caller stands with each is one allocation: it goes along to the
//! answer, and inline each step would copy it. A counting allocator serves this test alone, so it is one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bank;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use bank::*;
use gatewright::table::*;
use serde_json::json;

/// Everything at once, with a rate that nobody reaches.
const ALL: Policy = Policy {
    access: Access::Guarded(&[OAUTH_WRITE, KEY_ANY]),
    roles: &[bit(TELLER)],
    claims: &[
        Claim { path: &["tenant"], must: Must::Equal(Operand::Path("tenantId")) },
        Claim { path: &["branch"], must: Must::In(&[Operand::Integer(6), Operand::Integer(7)]) },
        Claim { path: &["branch"], must: Must::Equal(Operand::Path("number")) },
        Claim { path: &["may"], must: Must::Contain(Operand::Text("transfer")) },
    ],
    allow_networks: Some(&[0]),
    allow_users: Some(&["alice"]),
    limits: &[
        Limit { name: "ip", by: &[Key::Address], quota: Quota::Flat(rate(1_000_000, 60)) },
        Limit { name: "user", by: &[Key::User], quota: Quota::Flat(rate(1_000_000, 60)) },
        Limit { name: "tenant", by: &[Key::Claim(&["tenant"])], quota: Quota::Flat(rate(1_000_000, 60)) },
    ],
    ..GUARDED
};

/// How often `Guard::admit` asks for memory for a second request like this one, and whether it admits it.
fn allocations(bank: &Bank, headers: &[(&str, &str)]) -> (u64, bool) {
    let (parts, ()) = bank.from("203.0.113.9:4711", headers).map(|_| ()).into_parts();
    let exchange = bank.gateway.open(Some(0), &parts);
    let guard = bank.gateway.guard(0, 0).unwrap();
    let path = vec![("tenantId".to_owned(), "t1".to_owned()), ("number".to_owned(), "7".to_owned())];
    let mut admitted = false;
    let mut admit = || {
        let admission = pin!(guard.admit(&exchange, &parts, &path));
        // Nothing waits: the token is known, and the table of limits is in memory.
        let Poll::Ready(answer) = admission.poll(&mut Context::from_waker(Waker::noop())) else { panic!("it waits") };
        admitted = answer.is_ok();
    };
    // The first time the token is verified, and each limit makes its cell.
    admit();
    let counted = measure(&mut admit);
    (counted.count_total, admitted)
}

#[test]
fn a_known_caller_costs_no_memory() {
    for (limits, count) in [(&[][..], 0), (ALL.limits, 1)] {
        let bank = Bank::of(Policy { limits, ..ALL });
        let claims = json!({"scope": "transfers:write", "roles": ["teller"], "tenant": "t1", "branch": 7,
                            "may": "read transfer"});
        let bearer = bank.bearer(claims);
        assert_eq!(allocations(&bank, &[("authorization", &bearer)]), (count, true));
    }
    // The counter counts: a key is looked up in its store, which makes a record.
    let bank = Bank::of(Policy { access: Access::Guarded(&[KEY_ANY]), ..OPEN });
    let key = bank.key("free");
    let (count, admitted) = allocations(&bank, &[("x-api-key", &key)]);
    assert!(admitted && count > 0);
}
