//! Development credentials open a development server, and nothing else.
#![cfg(feature = "dev")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bank;

use std::sync::Arc;

use bank::*;
use gatewright::dev::Dev;
use gatewright::table::*;
use gatewright::{Api, Config, Gateway, Verifier};
use serde_json::{Map, json};

#[test]
fn tokens_and_keys_of_one_process_are_good_in_it() {
    let (dev, other) = (Dev::new().unwrap(), Dev::new().unwrap());
    let config = Config::new().variables([("ISSUER", "issuer.example.com")]);
    let access = Access::Guarded(&[OAUTH_WRITE, KEY_ANY]);
    let policy: &'static Policy = leak(Policy { access, ..OPEN });
    let verifiers = vec![Verifier::new::<Basic, App>("basic", Arc::new(App))];
    let api = Api { policy: leak(API), operations: vec![policy], verifiers };
    let mut bank = Bank::of(OPEN);
    bank.gateway = Gateway::start(dev.config(config.clone()), vec![api]).unwrap();
    let claims: Map<_, _> = json!({"scope": "transfers:write"}).as_object().unwrap().clone();
    for (dev, want) in [(&dev, 200), (&other, 401)] {
        let token = dev.token(leak(API), "oauth", &config, "alice", &claims).unwrap();
        let answer = bank.send(bank.request(&[("authorization", &format!("Bearer {token}"))]));
        assert_eq!(answer.code(), want);
        let key = dev.api_key("wx", Some("free")).unwrap();
        assert_eq!(bank.send(bank.request(&[("x-api-key", &key)])).code(), want);
    }
    let missing = dev.token(leak(API), "oauth", &Config::new(), "alice", &claims).unwrap_err();
    assert!(missing.to_string().contains("`ISSUER`"), "{missing}");
    assert!(dev.token(leak(API), "key", &config, "alice", &claims).is_err());
    assert!(dev.config(Config::new()).is_dev());
    assert!(!Config::new().is_dev());
}
