//! Two servers and one store: what passes in all, what each refuses, and what they do while the store is away.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "measures how long a request waits")]

mod bank;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../src/shared/server.rs"]
mod server;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bank::*;
use gatewright::table::*;
use gatewright_policy::Rate;
use serde_json::json;
use server::RedisServer;

const fn by(name: &'static str, by: &'static [Key], limit: u32) -> Limit {
    Limit { name, by, quota: Quota::Flat(Setting::Fixed(Rate { limit, window: 86_400, burst: limit })) }
}

/// Twenty of a caller, fifty of an address.
const LIMITS: &[Limit] = &[by("user", &[Key::User], 20), by("ip", &[Key::Address], 50)];

const COUNTED: Policy = Policy { limits: LIMITS, ..GUARDED };

/// A machine that is busy with other tests is slower than the budget of a real one.
const BUDGET: u32 = 500;

fn bank(server: &RedisServer, on_outage: OnOutage, budget: u32) -> Bank {
    let api = ApiPolicy { store: SharedStore { on_outage, budget }, ..API };
    Bank::configured(vec![(api, vec![COUNTED])], |config| config.shared_store(server.url()))
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

/// A request of this caller, from this address.
async fn send(bank: &Bank, user: &str, address: &str) -> Answer {
    let token = bank.bearer(json!({ "sub": user }));
    let request = bank.from(&format!("{address}:1"), &[("authorization", &token)]);
    bank.answer(0, 0, request).await
}

/// Until the store is found back.
async fn until_answered(bank: &Bank) {
    let began = Instant::now();
    while send(bank, "probe", "192.0.2.250").await.status == 503 {
        assert!(began.elapsed() < Duration::from_secs(20), "it is not found back");
        tokio::task::yield_now().await;
    }
}

fn scripts(server: &RedisServer) -> u64 {
    let text = server.ask(&["INFO", "commandstats"]);
    let line = text.lines().find(|line| line.starts_with("cmdstat_evalsha:"));
    line.map_or(0, |line| line.split("calls=").nth(1).unwrap().split(',').next().unwrap().parse().unwrap())
}

/// Rows: R5.
#[test]
fn two_servers_pass_exactly_the_limit_together() {
    let server = RedisServer::start();
    let banks = [0, 1].map(|_| Arc::new(bank(&server, OnOutage::Closed, BUDGET)));
    run(async {
        for bank in &banks {
            until_answered(bank).await;
        }
        let mut senders = Vec::new();
        for n in 0..8 {
            let bank = banks[n % 2].clone();
            senders.push(tokio::spawn(async move {
                let mut passed = 0;
                for m in 0..25 {
                    // One caller from many addresses.
                    let answer = send(&bank, "alice", &format!("192.0.2.{}", n * 25 + m)).await;
                    assert!(matches!(answer.status, 200 | 429), "{answer:?}");
                    passed += usize::from(answer.status == 200);
                }
                passed
            }));
        }
        let mut passed = 0;
        for sender in senders {
            passed += sender.await.unwrap();
        }
        assert_eq!(passed, 20);
        let refused = send(&banks[0], "alice", "192.0.2.1").await;
        assert_eq!(refused.code(), 429);
        assert_eq!(refused.problem["violated-policies"], json!(["user"]));
        assert!(refused.header("retry-after").parse::<u64>().unwrap() > 4_000, "a day for twenty");
        assert_eq!(send(&banks[1], "bob", "192.0.2.1").await.code(), 200);
    });
}

#[test]
fn a_request_asks_once_and_whoever_is_known_to_be_over_not_at_all() {
    let server = RedisServer::start();
    let bank = bank(&server, OnOutage::Closed, BUDGET);
    run(async {
        until_answered(&bank).await;
        let before = scripts(&server);
        for _ in 0..20 {
            let answer = send(&bank, "alice", "192.0.2.1").await;
            assert_eq!(answer.code(), 200);
            assert!(answer.header("ratelimit-policy").contains("\"ip\";q=50;w=86400"), "{answer:?}");
        }
        assert_eq!(scripts(&server) - before, 20, "both limits in one");
        for _ in 0..50 {
            assert_eq!(send(&bank, "alice", "192.0.2.1").await.code(), 429);
        }
        // The answer that passed last already said that nothing is left.
        assert_eq!(scripts(&server) - before, 20);
        // A refusal charged nothing else.
        let bob = send(&bank, "bob", "192.0.2.1").await;
        assert!(bob.header("ratelimit").starts_with("\"ip\";r=29;"), "{bob:?}");
    });
}

#[test]
fn a_bad_credential_counts_against_its_address_everywhere() {
    let server = RedisServer::start();
    let banks = [0, 1].map(|_| bank(&server, OnOutage::Closed, BUDGET));
    run(async {
        for bank in &banks {
            until_answered(bank).await;
        }
        let guess = async |bank: &Bank| {
            bank.answer(0, 0, bank.from("192.0.2.9:1", &[("authorization", "Bearer x.y.z")])).await.code()
        };
        for n in 0..50 {
            assert_eq!(guess(&banks[n % 2]).await, 401, "{n}");
        }
        for bank in &banks {
            assert_eq!(guess(bank).await, 429);
            assert_eq!(send(bank, "alice", "192.0.2.9").await.code(), 429);
            assert_eq!(send(bank, "alice", "192.0.2.10").await.code(), 200);
        }
    });
}

/// Rows: R11.
#[test]
fn closed_lets_nothing_pass_and_recovers_by_itself() {
    let mut server = RedisServer::start();
    let bank = bank(&server, OnOutage::Closed, BUDGET);
    run(async {
        until_answered(&bank).await;
        for _ in 0..20 {
            assert_eq!(send(&bank, "alice", "192.0.2.1").await.code(), 200);
        }
        server.kill();
        for n in 0..100 {
            let answer = send(&bank, &format!("user{n}"), "192.0.2.1").await;
            assert_eq!(answer.code(), 503, "{answer:?}");
            assert_eq!(answer.header("retry-after"), "1");
        }
        assert_eq!(send(&bank, "alice", "192.0.2.1").await.code(), 429, "known without asking");
        server.restart();
        until_answered(&bank).await;
        // The store is empty, but this server knows who was limited.
        assert_eq!(send(&bank, "alice", "192.0.2.1").await.code(), 429);
        assert_eq!(send(&bank, "bob", "192.0.2.1").await.code(), 200);
    });
}

/// Rows: R11.
#[test]
fn a_stalled_store_costs_one_budget_and_is_found_back() {
    let server = RedisServer::start();
    // The true budget, for it is what is measured here.
    let bank = bank(&server, OnOutage::Closed, 20);
    run(async {
        until_answered(&bank).await;
        server.pause();
        let began = Instant::now();
        assert_eq!(send(&bank, "alice", "192.0.2.1").await.code(), 503);
        let first = began.elapsed();
        // Less the tick of the timer: the budget is the most that a request waits.
        assert!(first >= Duration::from_millis(15) && first < Duration::from_millis(500), "{first:?}");
        let began = Instant::now();
        for _ in 0..200 {
            assert_eq!(send(&bank, "alice", "192.0.2.1").await.code(), 503);
        }
        // Two hundred budgets would be four seconds.
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        server.go_on();
        until_answered(&bank).await;
        assert_eq!(send(&bank, "carol", "192.0.2.1").await.code(), 200);
    });
}

/// The promise of `local`: each server by itself holds the limit, so that of `n` servers at most `n` times the limit passes.
#[test]
fn local_goes_on_within_each_servers_limit() {
    let mut server = RedisServer::start();
    let banks = [0, 1].map(|_| bank(&server, OnOutage::Local, BUDGET));
    run(async {
        // Of the caller's twenty, five pass before, at one server.
        for bank in &banks {
            while send(bank, "probe", "192.0.2.250").await.header("ratelimit").is_empty() {}
        }
        for _ in 0..5 {
            assert_eq!(send(&banks[0], "alice", "192.0.2.1").await.code(), 200);
        }
        server.kill();
        let mut passed = [0, 0];
        for (bank, passed) in banks.iter().zip(&mut passed) {
            for n in 0..60 {
                let answer = send(bank, "alice", &format!("192.0.2.{n}")).await;
                assert!(matches!(answer.code(), 200 | 429), "{answer:?}");
                *passed += u32::from(answer.status == 200);
            }
        }
        // The first knows of the five.
        assert_eq!(passed, [15, 20]);
        // Back again, the store hears of both, and nobody begins anew.
        server.restart();
        for bank in &banks {
            for n in 0..200 {
                assert_eq!(send(bank, "alice", &format!("198.51.100.{n}")).await.code(), 429);
            }
        }
    });
}

#[test]
fn two_apis_count_apart_by_namespace() {
    let server = RedisServer::start();
    let versions = || {
        let api = ApiPolicy { store: SharedStore { on_outage: OnOutage::Closed, budget: BUDGET }, ..API };
        vec![(api, vec![COUNTED])]
    };
    let banks = ["one", "two"]
        .map(|name| Bank::configured(versions(), |config| config.shared_store(server.url()).store_namespace(name)));
    run(async {
        for bank in &banks {
            until_answered(bank).await;
            for _ in 0..20 {
                assert_eq!(send(bank, "alice", "192.0.2.1").await.code(), 200);
            }
            assert_eq!(send(bank, "alice", "192.0.2.1").await.code(), 429);
        }
    });
}

/// A node that does not hold the keys says who does, and that one is asked.
#[test]
fn in_a_cluster_the_node_of_the_keys_is_found() {
    let folders = [0, 1].map(|_| tempfile::tempdir().unwrap());
    let buses = [0, 1].map(|_| std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port());
    let [other, holder] = [0, 1].map(|n: usize| {
        let (folder, bus) = (folders[n].path().to_str().unwrap(), buses[n].to_string());
        RedisServer::with(&["--cluster-enabled", "yes", "--dir", folder, "--cluster-port", &bus])
    });
    assert!(holder.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).starts_with("+OK"));
    let (port, bus) = (holder.port().to_string(), buses[1].to_string());
    assert!(other.ask(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).starts_with("+OK"));
    // Until the first has heard whose the keys are.
    let began = Instant::now();
    while !other.ask(&["GET", "{gatewright}:probe"]).starts_with("-MOVED") {
        assert!(began.elapsed() < Duration::from_secs(60), "the nodes do not find each other");
        std::thread::yield_now();
    }
    let bank = bank(&other, OnOutage::Closed, BUDGET);
    run(async {
        until_answered(&bank).await;
        for _ in 0..20 {
            assert_eq!(send(&bank, "alice", "192.0.2.1").await.code(), 200);
        }
        assert_eq!(send(&bank, "alice", "192.0.2.1").await.code(), 429);
    });
    assert!(scripts(&holder) >= 20);
    assert_eq!(scripts(&other), 0);
}
