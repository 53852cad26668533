//! The scripts on a real store.

use super::server::RedisServer;
use super::*;

const BUDGET: Duration = Duration::from_secs(1);

fn store(server: &RedisServer) -> Store {
    Store::open(&server.url().into(), "t", None).unwrap()
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn arguments(numbers: &[u64]) -> Vec<Vec<u8>> {
    numbers.iter().map(|n| n.to_string().into_bytes()).collect()
}

async fn charge(store: &Store, keys: &[&str], numbers: &[u64]) -> Vec<String> {
    let keys = keys.iter().map(|k| format!("{{t}}:{k}")).collect();
    let answer = store.run(BUDGET, Script::Charge, keys, arguments(numbers)).await.unwrap();
    answer.into_iter().map(|text| String::from_utf8(text).unwrap()).collect()
}

const HOUR: u64 = 3_600_000_000_000;

#[test]
fn nothing_is_charged_unless_everything_can_be() {
    let server = RedisServer::start();
    let store = store(&server);
    run(async {
        // One of `b` in an hour, three of `a`.
        let both = [HOUR, 3 * HOUR, 3 * HOUR, 0, HOUR, HOUR, HOUR, 0];
        assert_eq!(charge(&store, &["a", "b"], &both).await, ["1", "0", "0"]);
        let again = charge(&store, &["a", "b"], &both).await;
        assert_eq!(again[0], "0");
        // `a` has what it had: two more.
        let a = [HOUR, 3 * HOUR, 3 * HOUR, 0];
        assert_eq!(charge(&store, &["a"], &a).await[0], "1");
        assert_eq!(charge(&store, &["a"], &a).await[0], "1");
        assert_eq!(charge(&store, &["a"], &a).await[0], "0");
    });
}

#[test]
fn a_key_leaves_when_it_says_nothing_any_more() {
    let server = RedisServer::start();
    let store = store(&server);
    run(async {
        charge(&store, &["a"], &[HOUR, 3 * HOUR, 3 * HOUR, 0]).await;
        let left = server.ask(&["PTTL", "{t}:a"]);
        let left: u64 = left.trim_start_matches(':').lines().next().unwrap().parse().unwrap();
        assert!((3_599_000..=3_600_001).contains(&left), "{left}");
    });
}

#[test]
fn a_store_that_forgot_learns_again() {
    let server = RedisServer::start();
    let store = store(&server);
    run(async {
        charge(&store, &["a"], &[HOUR, HOUR, HOUR, 0]).await;
        assert!(server.ask(&["FLUSHALL"]).starts_with("+OK"));
        assert_eq!(charge(&store, &["a"], &[HOUR, HOUR, HOUR, HOUR / 2]).await, ["0", &(HOUR / 2).to_string()]);
    });
}

/// Rows: R12.
#[test]
fn a_clock_that_is_set_back_locks_nobody_out() {
    let server = RedisServer::start();
    let store = store(&server);
    run(async {
        // As if it had been set ten hours ahead, and back.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert!(server.ask(&["SET", "{t}:a", &format!("{} 0", now + 36_000)]).starts_with("+OK"));
        let second = 1_000_000_000;
        assert_eq!(charge(&store, &["a"], &[second, second, second, 0]).await, ["0", "1000000000"]);
        // What was said then is held: after a second it passes.
        let held = server.ask(&["GET", "{t}:a"]);
        let held: u64 = held.lines().nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        assert!(held <= now + 3, "{held} {now}");
    });
}

#[test]
fn scripts_that_were_flushed_are_learnt_again() {
    let server = RedisServer::start();
    let store = store(&server);
    run(async {
        let one = [HOUR, 9 * HOUR, 9 * HOUR, 0];
        assert_eq!(charge(&store, &["a"], &one).await[0], "1");
        assert!(server.ask(&["SCRIPT", "FLUSH", "SYNC"]).starts_with("+OK"));
        assert_eq!(charge(&store, &["a"], &one).await[0], "1");
    });
}

#[test]
fn credentials_and_tls() {
    let folder = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("cert.pem"), certificate.pem()).unwrap();
    std::fs::write(path("key.pem"), key.serialize_pem()).unwrap();
    let (cert, key) = (path("cert.pem"), path("key.pem"));
    let server = RedisServer::with(&[
        "--tls-port",
        "PORT",
        "--tls-cert-file",
        &cert,
        "--tls-key-file",
        &key,
        "--tls-auth-clients",
        "no",
        "--user",
        "default",
        "off",
        "--user",
        "gw",
        "on",
        ">s3cret",
        "~{t}:*",
        "+@all",
        "-@dangerous",
        "+script|load",
    ]);
    let open = |user: &str, authorities: Option<&[u8]>| {
        let url = format!("rediss://{user}@localhost:{}", server.port());
        Store::open(&url.into(), "t", authorities).unwrap()
    };
    run(async {
        let one = || (vec!["{t}:a".to_owned()], arguments(&[HOUR, HOUR, HOUR, 0]));
        let ask = async |store: Store| {
            let (keys, arguments) = one();
            store.run(BUDGET, Script::Charge, keys, arguments).await
        };
        let pem = certificate.pem();
        assert!(ask(open("gw:s3cret", Some(pem.as_bytes()))).await.is_ok());
        assert_eq!(ask(open("gw:wrong", Some(pem.as_bytes()))).await, Err(Away), "a wrong password");
        assert_eq!(ask(open("gw:s3cret", None)).await, Err(Away), "a certificate that nobody vouches for");
    });
}

#[test]
fn a_url_is_never_quoted() {
    for url in ["redis//user:s3cret@host", "http://user:s3cret@host", "redis://user:s3cret@host:99999999", "s3cret", ""]
    {
        let why = Store::open(&url.to_owned().into(), "t", None).err().unwrap();
        assert!(!why.contains("s3cret") && why.contains("rediss://USER:PASSWORD"), "{why}");
    }
}
