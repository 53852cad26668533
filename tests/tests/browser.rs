//! The bank's page in Chromium: passkeys made and shown by a browser's own code, over HTTPS. `cargo xtask browser` says what is
//! missing, and takes the picture of the README.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "it starts a browser, and asks the clock")]

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use gatewright::Config;
use gatewright::server::{Certificate, Server};
use gatewright::store::{FileStore, Pepper};
use gatewright_example_bank::{api, app};
use gatewright_tests::authenticator::base64url;
use gatewright_tests::issuer::Issuer;
use serde_json::{Value, json};

/// Where Debian and others put it; `CHROMIUM` names another one.
const PROGRAMS: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

fn chromium() -> String {
    if let Ok(named) = std::env::var("CHROMIUM") {
        return named;
    }
    let runs =
        |program: &&&str| Command::new(program).arg("--version").output().is_ok_and(|done| done.status.success());
    let found = PROGRAMS.iter().find(runs);
    (*found.expect("no Chromium: install it (Debian: `apt install chromium`), or name it in `CHROMIUM`")).to_owned()
}

/// Base64 with its padding: 32 bytes have one letter of it.
fn base64(bytes: &[u8]) -> String {
    base64url(bytes).replace('-', "+").replace('_', "/") + "="
}

/// Rows: W12.
#[tokio::test(flavor = "multi_thread")]
async fn w12_a_browser_registers_and_shows_passkeys() {
    let program = chromium();
    let folder = tempfile::tempdir().unwrap();
    // A port that was free a moment ago: the origin is a part of the configuration.
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let origin = format!("https://localhost:{port}");
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let (issuer, store) = (Issuer::new(), Arc::new(FileStore::open(folder.path().join("store")).unwrap()));
    let config = Config::new()
        .variables([("BANK_ORIGIN", origin.as_str())])
        .jwks("oauth", issuer.jwks())
        .passkeys(store.clone())
        .api_keys(store, Pepper::new(vec![9; 32]).unwrap());
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = Certificate::pem(made.cert.pem().into_bytes(), made.signing_key.serialize_pem().into_bytes());
    let key = base64(digest(&SHA256, &rcgen::PublicKeyData::subject_public_key_info(&made.signing_key)).as_ref());
    let server = Server::new(app::router(config).unwrap()).transport(&api::v2::policy::API.transport);
    let running = server.https(([127, 0, 0, 1], port).into(), certificate).unwrap();

    let token = issuer.token(now, &json!({ "sub": "alice", "scope": "transfers:write" }));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/passkeys.mjs");
    let mut node = Command::new("node");
    node.arg(script).args([&program, &origin, &token, &key]);
    // Where `cargo xtask browser` wants the picture.
    node.args(std::env::var("GATEWRIGHT_PICTURE").ok());
    let done = tokio::task::spawn_blocking(move || node.output()).await.unwrap();
    let done = done.expect("Node.js (20 or later) is needed, and `node` does not start");
    running.stop(Duration::from_secs(1)).await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let steps: Vec<(String, Value, String)> = serde_json::from_slice(&done.stdout).unwrap();
    let found: Vec<(&str, &str)> = steps.iter().map(|(what, status, _)| (&**what, status.as_str().unwrap())).collect();
    let wanted = [
        ("set without a passkey", "401"),
        ("show without one", "403"),
        ("register", "201"),
        ("set with one that was not shown", "401"),
        // The browser itself refuses: nothing is sent.
        ("show without verification", "NotAllowedError"),
        ("register a second one without showing the first", "401"),
        ("show", "200"),
        ("set", "200"),
        ("list", "200"),
        ("show a copy", "403"),
    ];
    assert_eq!(found, wanted, "{steps:#?}");
}
