//! The same on a real PostgreSQL, which each test starts for itself; and what happens when it stops, stalls, or is not who
//! it should be. `cargo xtask postgres` installs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, unreachable_pub)]
#![allow(clippy::disallowed_methods, reason = "it starts the database")]

mod server;
mod suite;

use std::sync::Arc;
use std::time::{Duration, Instant};

use gatewright_store::{KeyError, KeyStore, Keys, PasskeyAdded, PasskeyStore, PasskeyUse, PostgresStore, Used};
use server::Postgres;
use suite::{order, pepper};

/// Under TLS, with a password: as between machines.
fn store(server: &Postgres) -> PostgresStore {
    PostgresStore::new(&server.url("localhost", "sslmode=require"), Some(server.authority.as_bytes())).unwrap()
}

#[tokio::test]
async fn a_database_holds() {
    let server = Postgres::start();
    let passkeys = store(&server);
    let store: Arc<dyn KeyStore> = Arc::new(store(&server));
    suite::holds(store).await;
    suite::passkeys::holds(&passkeys).await;
}

/// Of two servers that add the last passkey of a user, or note a use of the same counter, one does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_servers_share_passkeys() {
    let server = Postgres::start();
    let (here, there) = (store(&server), store(&server));
    let alice = suite::passkeys::user("i\u{0}", "alice");
    let (one, other) = (suite::passkeys::record(&alice, b"1", 1), suite::passkeys::record(&alice, b"2", 2));
    let (a, b) = tokio::join!(here.add(&one, 1), there.add(&other, 1));
    let mut added = [a.unwrap(), b.unwrap()];
    added.sort_by_key(|added| *added == PasskeyAdded::Full);
    assert_eq!(added, [PasskeyAdded::Yes, PasskeyAdded::Full]);
    let kept = here.passkeys(&alice).await.unwrap();
    let id = kept[0].id.clone();
    let used = PasskeyUse { counter_before: 5, counter: 6, backed_up: false, at: 9 };
    let (a, b) = tokio::join!(here.used(&alice, &id, used), there.used(&alice, &id, used));
    assert!(a.unwrap() != b.unwrap());
}

/// Two servers and a command line: what one writes, the others know at once; what they do at a time, is all counted; of two
/// rotations of one key, one is made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_servers_share_it() {
    let server = Postgres::start();
    let here = Arc::new(store(&server));
    let there = Arc::new(store(&server));
    let (a, b) = (Keys::new(here.clone(), pepper(1)), Keys::new(there.clone(), pepper(1)));
    let issued = a.issue(order(), 100).await.unwrap();
    assert!(b.verify("wx", &issued.text, 100).await.unwrap().is_some());
    let rotations = [a.rotate(&issued.record.id, 10, 100), b.rotate(&issued.record.id, 10, 100)];
    let [one, other] = rotations;
    let (one, other) = tokio::join!(one, other);
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    assert!(matches!(one.and(other), Err(KeyError::NotFound)));
    assert_eq!(a.list().await.unwrap().len(), 2);
    b.revoke(&issued.record.id, 101).await.unwrap();
    assert!(a.verify("wx", &issued.text, 101).await.unwrap().is_none());

    let mut work = tokio::task::JoinSet::new();
    for i in 0..40 {
        let store = if i % 2 == 0 { here.clone() } else { there.clone() };
        work.spawn(async move {
            let used = |id: &str| Used { id: id.into(), uses: 1, last: 100, ..Used::default() };
            // In another order each time: nobody waits for the other.
            let pair = if i % 2 == 0 { [used("a"), used("b")] } else { [used("b"), used("a")] };
            store.count(&pair).await.unwrap();
        });
    }
    while let Some(done) = work.join_next().await {
        done.unwrap();
    }
    let usage = a.usage().await.unwrap();
    assert_eq!(usage.iter().map(|u| u.uses).collect::<Vec<_>>(), [40, 40]);
}

/// Stopped, then started again; stalled: each time an error within a bounded time, and at once for those who come next.
#[tokio::test]
async fn a_database_that_fails_is_an_error_and_not_a_wait() {
    let mut server = Postgres::start();
    let keys = Keys::new(Arc::new(store(&server)), pepper(1));
    let issued = keys.issue(order(), 100).await.unwrap();
    assert!(keys.verify("wx", &issued.text, 100).await.unwrap().is_some());

    server.stop();
    let start = Instant::now();
    for _ in 0..100 {
        assert!(keys.verify("wx", &issued.text, 100).await.is_err());
    }
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    server.restart();
    let found = eventually(&keys, &issued.text).await;
    assert!(found, "it is asked again");

    server.stall();
    let start = Instant::now();
    assert!(keys.verify("wx", &issued.text, 100).await.is_err());
    let first = start.elapsed();
    assert!(first < Duration::from_millis(1_500), "{first:?}");
    let start = Instant::now();
    assert!(keys.verify("wx", &issued.text, 100).await.is_err());
    assert!(start.elapsed() < Duration::from_millis(50), "the next does not wait: {:?}", start.elapsed());
    server.go_on();
    assert!(eventually(&keys, &issued.text).await);
}

/// Whether the key works before long; errors on the way are the outage.
async fn eventually(keys: &Keys, text: &str) -> bool {
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        match keys.verify("wx", text, 100).await {
            Ok(found) => return found.is_some(),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    false
}

/// A database that nobody vouches for, or under another name, or without TLS where it is asked for, is not asked.
#[tokio::test]
async fn only_the_right_database_is_asked() {
    let server = Postgres::start();
    Keys::new(Arc::new(store(&server)), pepper(1)).issue(order(), 1).await.unwrap();
    let another = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    for (url, authority) in [
        (server.url("localhost", "sslmode=require"), another.as_str()),
        // Its certificate is for `localhost`.
        (server.url("127.0.0.1", "sslmode=require"), server.authority.as_str()),
        (server.url("localhost", "sslmode=require").replace("secret", "guessed"), server.authority.as_str()),
    ] {
        let store = PostgresStore::new(&url, Some(authority.as_bytes())).unwrap();
        assert!(store.find("x").await.is_err(), "{url}");
        assert!(store.list().await.is_err(), "{url}");
    }
    // On a loopback nobody is between.
    let plain = PostgresStore::new(&server.url("127.0.0.1", ""), None).unwrap();
    assert_eq!(plain.list().await.unwrap().len(), 1);
    let shown = format!("{plain:?} {:?}", PostgresStore::new("postgres://u:secret@h:x/", None).unwrap_err());
    assert!(!shown.contains("secret"), "{shown}");
}
