//! The stores of this process: in memory, and in a file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, unreachable_pub)]

mod suite;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatewright_store::{FileStore, KeyError, KeyStore, Keys, MemoryStore, Order, PasskeyStore, at_once, format};
use suite::{order, pepper};

#[test]
fn memory_holds() {
    at_once(suite::holds(Arc::new(MemoryStore::default()))).unwrap();
}

#[test]
fn a_file_holds() {
    let folder = tempfile::tempdir().unwrap();
    at_once(suite::holds(Arc::new(FileStore::open(folder.path().join("keys")).unwrap()))).unwrap();
}

#[test]
fn memory_holds_passkeys() {
    at_once(suite::passkeys::holds(&MemoryStore::default())).unwrap();
}

#[test]
fn a_file_holds_passkeys_also_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    at_once(suite::passkeys::holds(&FileStore::open(&path).unwrap())).unwrap();
    let store = FileStore::open(&path).unwrap();
    for (subject, count) in [("alice", 1), ("bob", 2)] {
        let user = suite::passkeys::user("i", subject);
        assert_eq!(at_once(store.passkeys(&user)).unwrap().unwrap().len(), count);
    }
}

#[test]
fn what_a_file_holds_survives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let issued = {
        let keys = Keys::new(Arc::new(FileStore::open(&path).unwrap()), pepper(1));
        at_once(keys.issue(order(), 1)).unwrap().unwrap()
    };
    let keys = Keys::new(Arc::new(FileStore::open(&path).unwrap()), pepper(1));
    assert!(at_once(keys.verify("wx", &issued.text, 1)).unwrap().unwrap().is_some());
}

#[test]
fn nobody_finds_a_key_as_it_was_before_it_was_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(FileStore::open(folder.path().join("keys")).unwrap());
    let keys = Keys::new(store.clone(), pepper(1));
    for _ in 0..20 {
        let id = at_once(keys.issue(order(), 1)).unwrap().unwrap().record.id;
        let find = || at_once(store.find(&id)).unwrap().unwrap().unwrap();
        let revoked = AtomicBool::new(false);
        std::thread::scope(|scope| {
            // They read the record from the file and from memory, also while it changes.
            for _ in 0..2 {
                scope.spawn(|| {
                    while find().revoked.is_none() {
                        assert!(!revoked.load(Ordering::SeqCst) || find().revoked.is_some());
                    }
                });
            }
            at_once(keys.revoke(&id, 2)).unwrap().unwrap();
            revoked.store(true, Ordering::SeqCst);
            assert!(find().revoked.is_some());
        });
    }
}

#[test]
fn a_digest_of_zeros_is_no_back_door() {
    let store = Arc::new(MemoryStore::default());
    let keys = Keys::new(store.clone(), pepper(1));
    let mut record = at_once(keys.issue(order(), 1)).unwrap().unwrap().record;
    record.digest = [0; 32];
    record.revision += 1;
    assert!(at_once(store.replace(&record, None)).unwrap().unwrap());
    let text = format::write("wx", &record.id, &format::random(format::SECRET_LETTERS).unwrap());
    assert!(at_once(keys.verify("wx", &text, 1)).unwrap().unwrap().is_none());
}

#[test]
fn neither_secret_nor_digest_is_shown() {
    let keys = Keys::new(Arc::new(MemoryStore::default()), pepper(9));
    let issued = at_once(keys.issue(order(), 1)).unwrap().unwrap();
    let shown = format!("{issued:?} {keys:?} {:?}", pepper(9));
    assert!(!shown.contains("digest") && !shown.contains(issued.text.as_str()), "{shown}");
    assert!(gatewright_store::Pepper::new(vec![1; 31]).is_err());
    let odd = Order { prefix: "W_x".into(), ..order() };
    assert!(matches!(at_once(keys.issue(odd, 1)).unwrap(), Err(KeyError::Prefix)));
}
