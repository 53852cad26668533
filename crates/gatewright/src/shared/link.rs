//! The way to the store, and what happens when it is blocked. A request waits for the budget, once; from then on nobody waits
//! until a task beside the requests has found the store back. So an outage costs the requests that met it one budget each,
//! and every later one a look at a flag.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::Script;
use crate::operation::Boxed;

/// The budget is the most that a request waits, not the least. But a timer ends at a whole millisecond behind its deadline, and
/// whoever sleeps for it wakes at one more.
const TICKS: Duration = Duration::from_millis(2);
/// What the smallest budget leaves.
const LEAST: Duration = Duration::from_millis(1);
/// How long a new connection may take: no request waits for it.
const CONNECT: Duration = Duration::from_secs(1);
/// Between two attempts: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// The store cannot be asked just now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Away;

/// Why an attempt failed: for the log.
#[derive(Debug)]
pub(crate) struct Fault(pub(crate) String);

/// Connects to a store.
pub(crate) trait Transport: Send + Sync + 'static {
    /// A connection on which scripts were seen to work.
    fn connect(&self) -> Boxed<Result<Arc<dyn Line>, Fault>>;
}

/// A connection that many requests use at once.
pub(crate) trait Line: Send + Sync + 'static {
    /// Runs a script.
    fn run(&self, script: Script, keys: Vec<String>, arguments: Vec<Vec<u8>>) -> Boxed<Result<Vec<Vec<u8>>, Fault>>;
}

/// Where the connection stands.
#[derive(Clone)]
enum Phase {
    /// Nobody asked for it yet.
    Idle,
    /// The first attempt runs: requests may wait for it.
    Starting,
    /// There is one; they are numbered, so that a late failure of an old one breaks no new one.
    Up(u64, Arc<dyn Line>),
    /// It is looked for; requests do not wait.
    Down,
}

pub(super) struct Link(Arc<Inner>);

struct Inner {
    transport: Box<dyn Transport>,
    phase: watch::Sender<Phase>,
}

impl Link {
    pub(super) fn new(transport: Box<dyn Transport>) -> Link {
        Link(Arc::new(Inner { transport, phase: watch::Sender::new(Phase::Idle) }))
    }

    pub(super) fn begin(&self) {
        // Without a runtime there is nothing to connect with yet.
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let first = self.0.phase.send_if_modified(|phase| {
            let idle = matches!(phase, Phase::Idle);
            if idle {
                *phase = Phase::Starting;
            }
            idle
        });
        if first {
            tokio::spawn(search(Arc::downgrade(&self.0), 1));
        }
    }

    pub(super) fn is_down(&self) -> bool {
        matches!(*self.0.phase.borrow(), Phase::Down)
    }

    pub(super) async fn run(
        &self,
        budget: Duration,
        script: Script,
        keys: Vec<String>,
        arguments: Vec<Vec<u8>>,
    ) -> Result<Vec<Vec<u8>>, Away> {
        let phase = self.0.phase.borrow().clone();
        let deadline = Instant::now() + budget.saturating_sub(TICKS).max(LEAST);
        let (number, line) = match phase {
            Phase::Up(number, line) => (number, line),
            Phase::Down => return Err(Away),
            Phase::Idle | Phase::Starting => {
                self.begin();
                self.first(deadline).await?
            }
        };
        let why = match timeout_at(deadline, line.run(script, keys, arguments)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(Fault(why))) => why,
            Err(_) => format!("no answer within {} ms", budget.as_millis()),
        };
        self.broken(number, &why);
        Err(Away)
    }

    pub(super) fn nonsense(&self) -> Away {
        let number = match &*self.0.phase.borrow() {
            Phase::Up(number, _) => Some(*number),
            _ => None,
        };
        if let Some(number) = number {
            self.broken(number, "an answer that makes no sense");
        }
        Away
    }

    /// The first connection, until the deadline.
    async fn first(&self, deadline: Instant) -> Result<(u64, Arc<dyn Line>), Away> {
        let mut phases = self.0.phase.subscribe();
        let settled = phases.wait_for(|phase| matches!(phase, Phase::Up(..) | Phase::Down));
        match timeout_at(deadline, settled).await {
            Ok(Ok(phase)) => match &*phase {
                Phase::Up(number, line) => Ok((*number, line.clone())),
                _ => Err(Away),
            },
            _ => Err(Away),
        }
    }

    /// This connection failed somebody. Whoever notices first starts the search.
    fn broken(&self, number: u64, why: &str) {
        let first = self.0.phase.send_if_modified(|phase| {
            let current = matches!(phase, Phase::Up(up, _) if *up == number);
            if current {
                *phase = Phase::Down;
            }
            current
        });
        if first {
            tracing::warn!(target: "gatewright::store", cause = %crate::gateway::one_line(why), "the shared store is away");
            tokio::spawn(search(Arc::downgrade(&self.0), number + 1));
        }
    }
}

/// Looks for the store until it is found, or nobody needs it any more.
async fn search(of: Weak<Inner>, number: u64) {
    let (mut pause, longest) = PAUSES;
    loop {
        let Some(inner) = of.upgrade() else { return };
        let attempt = inner.transport.connect();
        drop(inner);
        let why = match timeout(CONNECT, attempt).await {
            Ok(Ok(line)) => {
                if let Some(inner) = of.upgrade() {
                    tracing::info!(target: "gatewright::store", "the shared store is there");
                    inner.phase.send_replace(Phase::Up(number, line));
                }
                return;
            }
            Ok(Err(Fault(why))) => why,
            Err(_) => "no connection in time".to_owned(),
        };
        let Some(inner) = of.upgrade() else { return };
        inner.phase.send_if_modified(|phase| {
            let starting = matches!(phase, Phase::Starting);
            if starting {
                tracing::warn!(target: "gatewright::store", cause = %crate::gateway::one_line(&why), "the shared store is away");
                *phase = Phase::Down;
            }
            starting
        });
        drop(inner);
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A store that does as it is told.
    #[derive(Default)]
    struct Fake {
        mood: Mutex<Mood>,
        asked: AtomicUsize,
        connects: AtomicUsize,
    }

    #[derive(Clone, Copy, Default, PartialEq)]
    enum Mood {
        #[default]
        Well,
        Stalled,
        Dead,
    }

    struct To(Arc<Fake>);

    impl Transport for To {
        fn connect(&self) -> Boxed<Result<Arc<dyn Line>, Fault>> {
            let fake = self.0.clone();
            fake.connects.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                fake.mood().await?;
                let line: Arc<dyn Line> = Arc::new(To(fake));
                Ok(line)
            })
        }
    }

    impl Line for To {
        fn run(&self, _: Script, _: Vec<String>, _: Vec<Vec<u8>>) -> Boxed<Result<Vec<Vec<u8>>, Fault>> {
            let fake = self.0.clone();
            fake.asked.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move { fake.mood().await.map(|()| vec![b"1".to_vec()]) })
        }
    }

    impl Fake {
        async fn mood(&self) -> Result<(), Fault> {
            let mood = *self.mood.lock().unwrap();
            match mood {
                Mood::Well => Ok(()),
                Mood::Stalled => std::future::pending().await,
                Mood::Dead => Err(Fault("dead".into())),
            }
        }

        fn set(&self, mood: Mood) {
            *self.mood.lock().unwrap() = mood;
        }
    }

    const BUDGET: Duration = Duration::from_millis(20);

    async fn ask(link: &Link) -> (Result<Vec<Vec<u8>>, Away>, Duration) {
        let began = Instant::now();
        let answer = link.run(BUDGET, Script::Charge, Vec::new(), Vec::new()).await;
        (answer, began.elapsed())
    }

    /// Time stands still but for what is waited for.
    fn run<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
    }

    /// Rows: R11.
    #[test]
    fn an_outage_costs_one_budget_and_then_nothing() {
        run(async {
            for mood in [Mood::Stalled, Mood::Dead] {
                let fake = Arc::new(Fake::default());
                let link = Link::new(Box::new(To(fake.clone())));
                assert!(ask(&link).await.0.is_ok());
                fake.set(mood);
                let before = fake.asked.load(Ordering::SeqCst);
                let (answer, took) = ask(&link).await;
                assert_eq!(answer, Err(Away));
                assert!(took <= BUDGET, "{took:?}");
                for _ in 0..1_000 {
                    let (answer, took) = ask(&link).await;
                    assert_eq!((answer, took), (Err(Away), Duration::ZERO));
                }
                assert_eq!(fake.asked.load(Ordering::SeqCst), before + 1, "nobody else asked");
                // It is back, and is found back without anybody asking.
                fake.set(Mood::Well);
                link.0.phase.subscribe().wait_for(|phase| matches!(phase, Phase::Up(..))).await.unwrap();
                assert!(ask(&link).await.0.is_ok());
            }
        });
    }

    #[test]
    fn many_that_meet_an_outage_wait_beside_each_other() {
        run(async {
            let fake = Arc::new(Fake::default());
            let link = Arc::new(Link::new(Box::new(To(fake.clone()))));
            assert!(ask(&link).await.0.is_ok());
            fake.set(Mood::Stalled);
            let began = Instant::now();
            let asking: Vec<_> = (0..100)
                .map(|_| {
                    let link = link.clone();
                    tokio::spawn(async move { ask(&link).await.0 })
                })
                .collect();
            for asked in asking {
                assert_eq!(asked.await.unwrap(), Err(Away));
            }
            assert!(began.elapsed() <= BUDGET, "{:?}", began.elapsed());
        });
    }

    #[test]
    fn a_store_that_was_never_there_is_waited_for_once() {
        run(async {
            let fake = Arc::new(Fake::default());
            fake.set(Mood::Stalled);
            let link = Link::new(Box::new(To(fake.clone())));
            let (answer, took) = ask(&link).await;
            assert_eq!(answer, Err(Away));
            assert!(took <= BUDGET + Duration::from_millis(1));
            // The first attempt ends.
            link.0.phase.subscribe().wait_for(|phase| matches!(phase, Phase::Down)).await.unwrap();
            assert_eq!(ask(&link).await, (Err(Away), Duration::ZERO));
        });
    }

    #[test]
    fn a_late_failure_breaks_no_new_connection() {
        run(async {
            let fake = Arc::new(Fake::default());
            let link = Link::new(Box::new(To(fake.clone())));
            assert!(ask(&link).await.0.is_ok());
            link.broken(1, "first");
            link.0.phase.subscribe().wait_for(|phase| matches!(phase, Phase::Up(2, _))).await.unwrap();
            link.broken(1, "late");
            assert!(ask(&link).await.0.is_ok());
            assert_eq!(fake.connects.load(Ordering::SeqCst), 2);
        });
    }

    #[test]
    fn the_search_ends_with_the_server() {
        run(async {
            let fake = Arc::new(Fake::default());
            fake.set(Mood::Dead);
            let link = Link::new(Box::new(To(fake.clone())));
            assert_eq!(ask(&link).await.0, Err(Away));
            drop(link);
            sleep(Duration::from_secs(60)).await;
            let connects = fake.connects.load(Ordering::SeqCst);
            sleep(Duration::from_secs(60)).await;
            assert_eq!(fake.connects.load(Ordering::SeqCst), connects);
        });
    }
}
