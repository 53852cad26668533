//! What admission costs: a guard with a cached token, two limits, scope, role and a claim, against the bare parts that it
//! cannot do without. Prints nanoseconds a call, the least of many samples: use the ratios.
//!
//! `cargo run --release -p gatewright --example admit`
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    unreachable_pub
)]

#[path = "../tests/bank/mod.rs"]
mod bank;

use std::hint::black_box;
use std::time::Instant;

use bank::*;
use gatewright::table::*;
use serde_json::json;

const LIMITS: &[Limit] = &[
    Limit { name: "ip", by: &[Key::Address], quota: Quota::Flat(rate(4_000_000_000, 1)) },
    Limit { name: "user", by: &[Key::User], quota: Quota::Flat(rate(4_000_000_000, 1)) },
];
const CLAIMS: &[Claim] = &[Claim { path: &["tenant"], must: Must::Equal(Operand::Path("tenantId")) }];

fn least(name: &str, mut work: impl FnMut()) {
    let mut best = f64::MAX;
    for _ in 0..200 {
        let start = Instant::now();
        for _ in 0..1_000 {
            work();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / 1_000.0);
    }
    println!("{name:<44} {best:>8.1} ns");
}

fn main() {
    let roles = const { &[bit(TELLER)] };
    let guarded = Policy { access: Access::Guarded(&[OAUTH_WRITE]), ..OPEN };
    let full = Policy { limits: LIMITS, claims: CLAIMS, roles, ..guarded };
    let bank = Bank::new(API, vec![full, guarded, OPEN]);
    let claims = json!({"scope": "transfers:write", "roles": ["teller"], "tenant": "t1"});
    let bearer = bank.bearer(claims);
    let key = bank.key("free");
    let keyed = Bank::of(Policy { access: Access::Guarded(&[KEY_ANY]), ..OPEN });
    let (parts, _) = bank.request(&[("authorization", &bearer)]).into_parts();
    let (key_parts, _) = keyed.request(&[("x-api-key", &keyed.key("free"))]).into_parts();
    let _ = key;
    let path = vec![("tenantId".to_owned(), "t1".to_owned())];
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let admit = |name: &str, bank: &Bank, operation: usize, parts: &http::request::Parts| {
        let guard = bank.gateway.guard(0, operation).unwrap();
        let exchange = bank.gateway.open(Some(0), parts);
        runtime.block_on(async {
            let mut best = f64::MAX;
            for _ in 0..200 {
                let start = Instant::now();
                for _ in 0..1_000 {
                    black_box(guard.admit(&exchange, parts, &path).await.unwrap());
                }
                best = best.min(start.elapsed().as_nanos() as f64 / 1_000.0);
            }
            println!("{name:<44} {best:>8.1} ns");
        });
    };
    admit("admit: token, 2 limits, scope, role, claim", &bank, 0, &parts);
    admit("admit: token, scope", &bank, 1, &parts);
    admit("admit: public", &bank, 2, &parts);
    admit("admit: API key, in memory", &keyed, 0, &key_parts);
    least("open: id, host, time, address", || {
        black_box(bank.gateway.open(Some(0), &parts));
    });
    let exchange = bank.gateway.open(Some(0), &parts);
    least("check_connection", || {
        black_box(bank.gateway.check_connection(&exchange, &parts).is_ok());
    });
    let guard = bank.gateway.guard(0, 0).unwrap();
    let admission = runtime.block_on(guard.admit(&exchange, &parts, &path)).unwrap();
    least("answer: headers", || {
        black_box(bank.gateway.answer(&exchange, &admission, http::Response::new(axum::body::Body::empty())));
    });
    let table = {
        let mut map: std::collections::HashMap<String, u64, foldhash::fast::RandomState> = Default::default();
        map.insert(bearer.clone(), 1);
        map
    };
    least("bare: token in a map", || {
        black_box(table.get(black_box(bearer.as_str())));
    });
    least("bare: clock", || {
        black_box(std::time::SystemTime::now());
    });
}
