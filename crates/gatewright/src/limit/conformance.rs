//! One suite for both stores: at the same times, the table of this server and a real Redis let the same requests pass, refuse
//! the others for the same limits, and say the same of what is left.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::redis::aio::MultiplexedConnection;
use gatewright_policy::table::{OnOutage, SharedStore};
use gatewright_policy::{Period, Rate};
use proptest::prelude::*;

use super::charge::Charged;
use super::headers::Standing;
use super::key::KeyHasher;
use super::remote::Remote;
use super::rules::{CallerFacts, Rule, Rules};
use super::running::Running;
use super::table::Table;
use crate::clock::Clock;
use crate::operation::Boxed;
use crate::shared::server::RedisServer;
use crate::shared::{Fault, Line, Script, Store, Transport};

/// Nanoseconds that a test sets, in whole microseconds as a store counts.
#[derive(Default)]
struct Time(AtomicU64);

impl Clock for Time {
    fn unix(&self) -> i64 {
        i64::try_from(self.monotonic() / 1_000_000_000).unwrap()
    }

    fn monotonic(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A real Redis that takes the time from the test.
struct Timed {
    client: ::redis::Client,
    time: Arc<Time>,
}

struct TimedLine(MultiplexedConnection, Arc<Time>);

impl Transport for Timed {
    fn connect(&self) -> Boxed<Result<Arc<dyn Line>, Fault>> {
        let (client, time) = (self.client.clone(), self.time.clone());
        Box::pin(async move {
            let connection = client.get_multiplexed_async_connection().await.map_err(|e| Fault(e.to_string()))?;
            let line: Arc<dyn Line> = Arc::new(TimedLine(connection, time));
            Ok(line)
        })
    }
}

impl Line for TimedLine {
    fn run(&self, script: Script, keys: Vec<String>, arguments: Vec<Vec<u8>>) -> Boxed<Result<Vec<Vec<u8>>, Fault>> {
        let mut connection = self.0.clone();
        let nanos = self.1.monotonic();
        let time = format!("{{'{}','{}'}}", nanos / 1_000_000_000, nanos % 1_000_000_000 / 1_000);
        let text = script.text();
        assert!(text.contains("redis.call('TIME')"));
        let text = text.replace("redis.call('TIME')", &time);
        Box::pin(async move {
            let mut command = ::redis::cmd("EVAL");
            command.arg(text).arg(keys.len()).arg(&keys).arg(&arguments);
            command.query_async(&mut connection).await.map_err(|e| Fault(e.to_string()))
        })
    }
}

/// What a request met: whether it passed, and each limit's name, what is left, and when there is more.
type Met = (bool, Vec<(&'static str, u32, u64)>);

struct Side {
    table: Table,
    quotas: Table,
    running: Arc<Running>,
    hasher: KeyHasher,
    clock: Arc<dyn Clock>,
    store: Option<Store>,
}

impl Side {
    fn charged(&self) -> Charged<'_> {
        let policy = SharedStore { on_outage: OnOutage::Closed, budget: 1_000 };
        let remote = self.store.as_ref().map(|store| Remote { store, clock: &self.clock, policy, leases: None });
        let (table, quotas, running, hasher) = (&self.table, &self.quotas, &self.running, &self.hasher);
        Charged {
            table,
            quotas,
            running,
            hasher,
            kept: None,
            now: self.clock.monotonic(),
            unix: self.clock.unix(),
            remote,
        }
    }

    async fn meet(&self, rules: &Rules, address: IpAddr) -> Met {
        let facts = CallerFacts { address: Some(address), identity: None };
        let (charged, mut standing) = (self.charged(), Standing::default());
        let mut result = charged.before(rules, facts, &mut standing);
        if result.is_ok() {
            result = charged.admitted(rules, facts, &mut standing, None).await;
        }
        match result {
            Ok(()) => (true, standing.0.iter().map(|e| (e.name, e.remaining, e.next)).collect()),
            // Of a refusal only the limits that refuse are the same: who is known to be over is not asked about the rest.
            Err(refused) => {
                let standing = &refused.inner().standing.0;
                let violated = standing.iter().filter(|e| e.violated);
                (false, violated.map(|e| (e.name, e.remaining, e.next)).collect())
            }
        }
    }
}

struct Both {
    time: Arc<Time>,
    embedded: Side,
    /// One that remembers what the store said, and one that forgets it each time.
    shared: [Side; 2],
}

impl Both {
    fn new(server: &RedisServer) -> Both {
        assert!(server.ask(&["FLUSHALL"]).starts_with("+OK"));
        let time = Arc::new(Time(1_000_000_000_000_000.into()));
        let side = |store: bool| Side {
            table: Table::new(1_000),
            quotas: Table::new(1_000),
            running: Arc::new(Running::new()),
            hasher: KeyHasher::default(),
            clock: time.clone(),
            store: store.then(|| {
                let client = ::redis::Client::open(server.url()).unwrap();
                Store::over(Box::new(Timed { client, time: time.clone() }))
            }),
        };
        Both { embedded: side(false), shared: [side(true), side(true)], time }
    }
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A rate that the dearest request fits in.
fn rate() -> impl Strategy<Value = Rate> {
    (1u32..20, prop_oneof![1u32..5, 60u32..4_000], 3u32..20).prop_map(|(limit, window, burst)| Rate {
        limit,
        window,
        burst,
    })
}

/// So many in a day or in a month.
fn quota() -> impl Strategy<Value = Rate> {
    (3u32..20, prop_oneof![Just(Period::Day), Just(Period::Month)]).prop_map(|(limit, period)| Rate {
        limit,
        window: period.longest(),
        burst: limit,
    })
}

/// Rows: R4, R9.
#[test]
fn both_stores_let_the_same_pass() {
    let server = RedisServer::start();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(60));
    // Some seconds; some hours, so that days end; some days, so that months do. In microseconds.
    let step = prop_oneof![8 => 0u64..3_000_000, 1 => 0u64..30_000_000_000, 1 => 0u64..1_500_000_000_000];
    let requests = proptest::collection::vec((step, 0usize..5, 0u8..3), 1..60);
    let rules = (rate(), 1u32..4, rate(), 1u32..4, rate(), quota());
    runner
        .run(&(rules, requests), |((first, cost, second, dear, third, quota), requests)| {
            // Several requests that share some of their limits, as operations do that draw from one bucket.
            let a = |cost| Rule::plain(1, "a", first, cost);
            let b = |cost| Rule::plain(2, "b", second, cost);
            let q = |cost| Rule::calendar(4, "q", quota, cost);
            let kinds = [
                Rules::of(vec![a(1), q(cost)], vec![b(1)]),
                Rules::of(vec![], vec![q(dear), Rule::calendar(6, "r", quota, 1)]),
                Rules::of(vec![a(1)], vec![b(cost), Rule::plain(3, "c", third, 1)]),
                Rules::of(vec![a(dear)], vec![]),
                Rules::of(vec![], vec![b(1)]),
            ];
            run(async {
                for which in 0..2 {
                    let mut both = Both::new(&server);
                    for (step, kind, from) in &requests {
                        both.time.0.fetch_add(step * 1_000, Ordering::SeqCst);
                        let address = IpAddr::from([192, 0, 2, *from]);
                        let ours = both.embedded.meet(&kinds[*kind], address).await;
                        if which == 1 {
                            both.shared[1].table = Table::new(1_000);
                            both.shared[1].quotas = Table::new(1_000);
                        }
                        let theirs = both.shared[which].meet(&kinds[*kind], address).await;
                        prop_assert_eq!(ours.0, theirs.0);
                        if ours.0 {
                            prop_assert_eq!(ours, theirs);
                        } else if which == 1 {
                            // The table refuses for the address before it looks at the caller; the store sees all at once.
                            prop_assert!(!ours.1.is_empty(), "{:?}", ours);
                            prop_assert!(
                                ours.1.iter().all(|limit| theirs.1.contains(limit)),
                                "{:?} {:?}",
                                ours,
                                theirs
                            );
                        } else {
                            // Whoever is known to be over by one limit is not asked about others.
                            let same = theirs.1.iter().filter(|limit| ours.1.contains(limit));
                            let named = theirs.1.iter().filter(|limit| ours.1.iter().any(|other| other.0 == limit.0));
                            prop_assert!(
                                !theirs.1.is_empty() && same.count() == named.count(),
                                "{:?} {:?}",
                                ours,
                                theirs
                            );
                        }
                    }
                }
                Ok(())
            })
        })
        .unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// In no window does more pass than the burst and the rate, whichever store counts.
    #[test]
    fn no_window_passes_more(
        rate in rate(), steps in proptest::collection::vec((0u64..2_000_000, 1u32..4), 1..60),
    ) {
        let server = SERVER.with(|server| server.clone());
        run(async {
            let both = Both::new(&server);
            let costing = |cost| Rules::of(vec![Rule::plain(1, "a", rate, cost)], vec![]);
            let address = IpAddr::from([192, 0, 2, 1]);
            for side in [&both.embedded, &both.shared[0], &both.shared[1]] {
                both.time.0.fetch_add(1_000_000_000_000_000, Ordering::SeqCst);
                assert!(server.ask(&["FLUSHALL"]).starts_with("+OK"));
                let mut passed = Vec::new();
                for (step, cost) in &steps {
                    both.time.0.fetch_add(step * 1_000, Ordering::SeqCst);
                    if side.meet(&costing(*cost), address).await.0 {
                        passed.push((both.time.monotonic(), u128::from(*cost)));
                    }
                }
                for (i, (from, _)) in passed.iter().enumerate() {
                    let mut taken = 0;
                    for (to, cost) in passed.iter().skip(i) {
                        taken += cost;
                        let span = u128::from(to - from);
                        let over = taken.saturating_sub(u128::from(rate.burst));
                        prop_assert!(over * u128::from(rate.window) * 1_000_000_000 <= span * u128::from(rate.limit));
                    }
                }
            }
            Ok(())
        })?;
    }
}

thread_local! {
    static SERVER: std::rc::Rc<RedisServer> = std::rc::Rc::new(RedisServer::start());
}
