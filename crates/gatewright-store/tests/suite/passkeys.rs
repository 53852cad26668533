//! What every store of passkeys must do. Each store runs all of it.

use gatewright_store::{PasskeyAdded, PasskeyRecord, PasskeyStore, PasskeyUse, PasskeyUser};

pub fn user(issuer: &str, subject: &str) -> PasskeyUser {
    PasskeyUser { rp_id: "bank.example".into(), issuer: issuer.into(), subject: subject.into() }
}

pub fn record(user: &PasskeyUser, id: &[u8], registered: i64) -> PasskeyRecord {
    PasskeyRecord {
        id: id.to_vec(),
        user: user.clone(),
        handle: vec![7; 32],
        public_key: vec![1, 2, 3],
        counter: 5,
        backup_eligible: true,
        backed_up: false,
        transports: vec!["usb".into()],
        aaguid: [0; 16],
        name: "key".into(),
        registered,
        used: None,
    }
}

/// Everything, on one store that is empty.
pub async fn holds(store: &dyn PasskeyStore) {
    let (alice, bob) = (user("i", "alice"), user("i", "bob"));
    assert!(store.passkeys(&alice).await.unwrap().is_empty());
    // An id that begins as another one does is another one.
    let (second, first) = (record(&alice, b"\x00\x01", 2), record(&alice, b"\x00", 1));
    for record in [&second, &first] {
        assert_eq!(store.add(record, 2).await.unwrap(), PasskeyAdded::Yes);
    }
    assert_eq!(store.passkeys(&alice).await.unwrap(), [first.clone(), second.clone()], "oldest first");
    assert_eq!(store.add(&record(&alice, b"\x02", 3), 2).await.unwrap(), PasskeyAdded::Full);
    assert_eq!(
        store.add(&record(&bob, b"\x00", 3), 2).await.unwrap(),
        PasskeyAdded::Taken,
        "ids are unique among users"
    );
    assert_eq!(store.add(&record(&bob, b"\x03", 3), 2).await.unwrap(), PasskeyAdded::Yes);
    assert_eq!(store.passkeys(&alice).await.unwrap().len(), 2);
    assert!(
        store.passkeys(&user("j", "alice")).await.unwrap().is_empty(),
        "a subject of another issuer is somebody else"
    );

    let used = PasskeyUse { counter_before: 5, counter: 9, backed_up: true, at: 77 };
    assert!(!store.used(&bob, b"\x00", used).await.unwrap(), "somebody else's");
    assert!(store.used(&alice, b"\x00", used).await.unwrap());
    assert!(!store.used(&alice, b"\x00", used).await.unwrap(), "judged by a counter that is gone");
    let kept = store.passkeys(&alice).await.unwrap().swap_remove(0);
    assert_eq!(kept, PasskeyRecord { counter: 9, backed_up: true, used: Some(77), ..first });

    assert!(!store.remove(&bob, b"\x00").await.unwrap(), "somebody else's");
    assert!(store.remove(&alice, b"\x00").await.unwrap());
    assert!(!store.remove(&alice, b"\x00").await.unwrap());
    assert_eq!(store.passkeys(&alice).await.unwrap(), [second]);
    assert_eq!(store.add(&record(&bob, b"\x00", 4), 2).await.unwrap(), PasskeyAdded::Yes, "a removed id is free");
    let all = store.all_passkeys().await.unwrap();
    let all: Vec<(&str, &[u8])> = all.iter().map(|r| (r.user.subject.as_str(), r.id.as_slice())).collect();
    assert_eq!(all, [("alice", &[0, 1][..]), ("bob", &[3]), ("bob", &[0])], "by user, oldest first");
}
