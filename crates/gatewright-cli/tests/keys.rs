//! `gatewright keys` as an operator uses it, on a file and on a database.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

#[cfg(feature = "postgres")]
#[path = "../../gatewright-store/tests/server/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod server;

const SPEC: &str = "\
openapi: 3.1.0
info: { title: Things, version: '1' }
x-security:
  levels: { free: { scopes: [] }, premium: { scopes: [] } }
paths:
  /things:
    get:
      operationId: listThings
      security: [ { key: [] } ]
      responses: { '204': { description: done } }
components:
  securitySchemes:
    key:
      type: apiKey
      in: header
      name: X-Api-Key
      x-security: { prefix: th, rotate-every: 1s, grace: 7d, anomaly: { new-network: warn, spike: 10x } }
";

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn run(folder: &Path, store: &[&str], args: &[&str]) -> Ran {
    let done = Command::new(env!("CARGO_BIN_EXE_gatewright"))
        .arg("keys")
        .args(args)
        .args(store)
        .current_dir(folder)
        .env("GATEWRIGHT_PEPPER", "p".repeat(32))
        .env_remove("GATEWRIGHT_STORE")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: done.status.code().unwrap(), out: text(done.stdout), err: text(done.stderr) }
}

fn good(folder: &Path, store: &[&str], args: &[&str]) -> String {
    let ran = run(folder, store, args);
    assert_eq!(ran.code, 0, "{args:?}: {}", ran.err);
    ran.out
}

fn id(key: &str) -> &str {
    key.split('_').nth(1).unwrap()
}

/// A key's whole life.
fn life(store: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("spec.yaml"), SPEC).unwrap();
    let issue = ["issue", "--spec", "spec.yaml", "--subject", "carol\u{1b}[2J", "--level", "free", "--label", "laptop"];
    let key = good(here, store, &issue);
    assert!(key.starts_with("th_") && key.trim_end().len() == 69, "{key}");
    let secret = key.split('_').nth(2).unwrap().trim_end();
    let listed = good(here, store, &["list"]);
    let cells: Vec<_> = listed.trim_end().split('\t').collect();
    assert_eq!(cells[0], &key[..19]);
    assert_eq!((cells[1], cells[3], cells[4], cells[5]), ("free", "works", "never used", "laptop"));
    assert!(!listed.contains('\u{1b}') && !listed.contains(secret), "{listed:?}");
    assert_eq!(good(here, store, &["usage"]), "");

    for (network, said) in [("192.0.2.7", "Allowed"), ("192.0.2.0/24", "Known"), ("2001:db8:1::/48", "Allowed")] {
        let ran = run(here, store, &["allow", id(&key), network]);
        assert!(ran.code == 0 && ran.err.contains(said), "{network}: {}", ran.err);
    }
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert!(good(here, store, &["list", "--spec", "spec.yaml"]).contains("\tworks, to be rotated\t"));
    let ran = run(here, store, &["rotate", id(&key), "--spec", "spec.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("works for 7 d more") && ran.out.starts_with("th_"), "{}{}", ran.out, ran.err);
    assert_ne!(ran.out, key);
    assert_eq!(run(here, store, &["rotate", id(&key), "--spec", "spec.yaml"]).code, 2, "once");
    assert!(good(here, store, &["list"]).contains("\treplaced, in grace\t"));
    good(here, store, &["revoke", id(&ran.out)]);
    assert!(good(here, store, &["list"]).contains("\trevoked\t"));
    for (args, why) in [
        (&["revoke", "nobody"][..], "no working key"),
        (&["allow", "nobody", "192.0.2.0/24"], "no working key"),
        (&["allow", "nobody", "192.0.2.7/24"], "is no network of a key"),
        (&["allow", "nobody", "192.0.0.0/16"], "is no network of a key"),
        (&["issue", "--spec", "spec.yaml", "--subject", "a", "--network", "office"], "is no network of a key"),
        (&["rotate", "nobody", "--spec", "spec.yaml"], "has the id `nobody`"),
        (&["issue", "--spec", "spec.yaml", "--subject", "a", "--level", "fre"], "is it `free`?"),
        (&["issue", "--spec", "spec.yaml", "--subject", "a", "--scheme", "other"], "no such scheme"),
    ] {
        let ran = run(here, store, args);
        assert!(ran.code == 2 && ran.err.contains(why), "{args:?}: {} {}", ran.code, ran.err);
    }
    good(here, store, &["issue", "--spec", "spec.yaml", "--subject", "dan", "--expires-in", "0"]);
    assert!(good(here, store, &["list"]).contains("\texpired\t"));
}

#[test]
fn a_keys_life_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("keys.redb");
    let none = run(folder.path(), &["--store", "none"], &["list"]);
    assert!(none.code == 2 && none.err.contains("there is no store `none`"), "{}", none.err);
    life(&["--store", store.to_str().unwrap()]);
}

#[cfg(feature = "postgres")]
#[test]
fn a_keys_life_in_a_database() {
    let server = server::Postgres::start();
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    fs::write(&authority, &server.authority).unwrap();
    let url = server.url("localhost", "sslmode=require");
    life(&["--store", &url, "--store-authorities", authority.to_str().unwrap()]);
    let away = run(folder.path(), &["--store", &url.replace("localhost", "127.0.0.2")], &["list"]);
    assert!(away.code == 2 && !away.err.contains("secret"), "{}", away.err);
}
