//! `gatewright passkeys` as an operator uses it, on a file and on a database.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

use std::path::Path;
use std::process::{Command, Stdio};

use gatewright_store::{FileStore, PasskeyAdded, PasskeyRecord, PasskeyStore, PasskeyUse, PasskeyUser, at_once};

#[cfg(feature = "postgres")]
#[path = "../../gatewright-store/tests/server/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod server;

fn record(subject: &str, id: &[u8], registered: i64) -> PasskeyRecord {
    let user = PasskeyUser { rp_id: "bank.example".into(), issuer: "https://login".into(), subject: subject.into() };
    PasskeyRecord {
        id: id.to_vec(),
        user,
        handle: vec![1; 32],
        public_key: b"the public key".to_vec(),
        counter: 1,
        backup_eligible: true,
        backed_up: registered == 0,
        transports: Vec::new(),
        aaguid: [0; 16],
        name: "my \u{1b}[2Jphone\tat home".into(),
        registered,
        used: None,
    }
}

fn passkeys() -> [PasskeyRecord; 3] {
    // `fb ff` shows whether the letters are those of URLs.
    [record("carol", &[0xfb, 0xff], 951_827_696), record("alice", b"one", 0), record("alice", b"two", 86_400)]
}

fn run(folder: &Path, store: &[&str], args: &[&str]) -> (i32, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_gatewright"))
        .arg("passkeys")
        .args(args)
        .args(store)
        .current_dir(folder)
        .env_remove("GATEWRIGHT_STORE")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

fn life(store: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let list = |more: &[&str]| {
        let (code, out, err) = run(here, store, &[&["list"][..], more].concat());
        assert_eq!(code, 0, "{err}");
        out
    };
    let all = list(&[]);
    assert!(!all.contains('\u{1b}') && !all.contains("public key"), "{all:?}");
    let rows: Vec<Vec<&str>> = all.lines().map(|line| line.splitn(8, '\t').collect()).collect();
    let firsts: Vec<[&str; 2]> = rows.iter().map(|row| [row[0], row[1]]).collect();
    assert_eq!(firsts, [["b25l", "alice"], ["dHdv", "alice"], ["-_8", "carol"]]);
    let want = ["https://login", "bank.example", "1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z", "backed up"];
    assert_eq!(rows[0][2..7], want);
    assert_eq!(rows[2][4..7], ["2000-02-29T12:34:56Z", "never shown", "on one device"]);
    assert_eq!(list(&["--subject", "carol"]).lines().count(), 1);
    assert_eq!(list(&["--subject", "nobody"]), "");

    for (id, why) in [("nobody", "there is no passkey `nobody`"), ("b25", "there is no passkey")] {
        let (code, _, err) = run(here, store, &["revoke", id]);
        assert!(code == 2 && err.contains(why), "{id}: {code} {err}");
    }
    let (code, _, err) = run(here, store, &["revoke", "b25l"]);
    assert!(code == 0 && err.contains("b25l of alice"), "{code} {err}");
    assert_eq!(run(here, store, &["revoke", "b25l"]).0, 2, "once");
    // An id may begin with a dash.
    let (code, _, err) = run(here, store, &["revoke", "-_8"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(list(&[]).lines().count(), 1);
}

fn used() -> PasskeyUse {
    PasskeyUse { counter_before: 1, counter: 2, backed_up: true, at: 86_400 }
}

#[test]
fn a_passkeys_life_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.redb");
    let (code, _, err) = run(folder.path(), &["--store", "none"], &["list"]);
    assert!(code == 2 && err.contains("there is no store `none`"), "{err}");
    let store = FileStore::open(&path).unwrap();
    for record in passkeys() {
        assert_eq!(at_once(store.add(&record, 9)).unwrap().unwrap(), PasskeyAdded::Yes);
    }
    assert!(at_once(store.used(&passkeys()[1].user, b"one", used())).unwrap().unwrap());
    drop(store);
    life(&["--store", path.to_str().unwrap()]);
}

#[cfg(feature = "postgres")]
#[test]
fn a_passkeys_life_in_a_database() {
    let server = server::Postgres::start();
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, &server.authority).unwrap();
    let url = server.url("localhost", "sslmode=require");
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let store = gatewright_store::PostgresStore::new(&url, Some(server.authority.as_bytes())).unwrap();
        for record in passkeys() {
            assert_eq!(store.add(&record, 9).await.unwrap(), PasskeyAdded::Yes);
        }
        assert!(store.used(&passkeys()[1].user, b"one", used()).await.unwrap());
    });
    life(&["--store", &url, "--store-authorities", authority.to_str().unwrap()]);
}
