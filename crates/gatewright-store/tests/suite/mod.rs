//! What every store must do. Each store runs all of it.

pub mod passkeys;

use std::sync::Arc;

use gatewright_store::format::{self, ID_LETTERS, SECRET_LETTERS};
use gatewright_store::{Issued, KeyError, KeyStore, Keys, Order, Pepper, Unusual, Used, good_in, verify};

pub fn pepper(byte: u8) -> Pepper {
    Pepper::new(vec![byte; 32]).unwrap()
}

pub fn order() -> Order {
    Order { prefix: "wx".into(), label: "tést \"1\"".into(), level: Some("free".into()), ..Order::default() }
}

/// Everything, on one store that is empty.
pub async fn holds(store: Arc<dyn KeyStore>) {
    let keys = Keys::new(store.clone(), pepper(1));
    assert!(keys.list().await.unwrap().is_empty() && keys.usage().await.unwrap().is_empty());
    works_until_revoked(&*store, &keys).await;
    forged_ones_are_refused(&keys).await;
    grace_and_no_more(&keys).await;
    nobody_is_overtaken(&*store, &keys).await;
    a_first_network_is_one(&*store, &keys).await;
    use_is_counted(&*store, &keys).await;
}

async fn issue(keys: &Keys, order: Order) -> Issued {
    keys.issue(order, 100).await.unwrap()
}

async fn works_until_revoked(store: &dyn KeyStore, keys: &Keys) {
    let full = Order {
        subject: Some("carol".into()),
        client: Some("app".into()),
        scopes: vec!["a:b".into()],
        roles: vec!["teller".into()],
        works_until: Some(10_000),
        ..order()
    };
    let issued = issue(keys, full).await;
    let found = keys.verify("wx", &issued.text, 100).await.unwrap().unwrap();
    assert_eq!(found, issued.record);
    assert!(keys.verify("wx", &issued.text, 10_000).await.unwrap().is_none(), "expired");
    assert!(verify(store, &pepper(2), "wx", &issued.text, 100).await.unwrap().is_none(), "another pepper");
    assert!(keys.verify("wy", &issued.text, 100).await.unwrap().is_none(), "another prefix");
    keys.revoke(&issued.record.id, 200).await.unwrap();
    assert!(keys.verify("wx", &issued.text, 200).await.unwrap().is_none());
    assert!(matches!(keys.revoke(&issued.record.id, 201).await, Err(KeyError::NotFound)));
    assert!(matches!(keys.rotate(&issued.record.id, 10, 201).await, Err(KeyError::NotFound)));
    assert!(matches!(keys.revoke("x", 201).await, Err(KeyError::NotFound)));
    assert_eq!(keys.list().await.unwrap().len(), 1);
    assert!(store.insert(&issued.record).await.is_err(), "an id is taken once");
}

async fn forged_ones_are_refused(keys: &Keys) {
    let issued = issue(keys, order()).await;
    let forged = format::write("wx", &issued.record.id, &format::random(SECRET_LETTERS).unwrap());
    assert!(keys.verify("wx", &forged, 100).await.unwrap().is_none());
    let unknown = format::write("wx", &format::random(ID_LETTERS).unwrap(), &format::random(SECRET_LETTERS).unwrap());
    assert!(keys.verify("wx", &unknown, 100).await.unwrap().is_none());
    for text in ["", "wx_", "' OR 1=1 --", &issued.record.id] {
        assert!(keys.verify("wx", text, 100).await.unwrap().is_none(), "{text}");
    }
}

async fn grace_and_no_more(keys: &Keys) {
    let old = issue(keys, order()).await;
    let new = keys.rotate(&old.record.id, 10, 100).await.unwrap();
    for (now, old_works) in [(100, true), (109, true), (110, false)] {
        assert_eq!(keys.verify("wx", &old.text, now).await.unwrap().is_some(), old_works, "{now}");
        assert!(keys.verify("wx", &new.text, now).await.unwrap().is_some());
    }
    assert_eq!(new.record.level, old.record.level);
    assert!(matches!(keys.rotate(&old.record.id, 10, 100).await, Err(KeyError::NotFound)), "replaced already");
    let short = issue(keys, Order { works_until: Some(105), ..order() }).await;
    keys.rotate(&short.record.id, 1_000, 100).await.unwrap();
    assert!(keys.verify("wx", &short.text, 105).await.unwrap().is_none(), "grace is no prolongation");
}

/// A rotation made from what a key was before it was revoked must not bring it back.
async fn nobody_is_overtaken(store: &dyn KeyStore, keys: &Keys) {
    let issued = issue(keys, order()).await;
    let mut late = store.find(&issued.record.id).await.unwrap().unwrap();
    keys.revoke(&issued.record.id, 200).await.unwrap();
    late.revision += 1;
    let before = keys.list().await.unwrap().len();
    let added = gatewright_store::KeyRecord { id: "n".repeat(ID_LETTERS), ..late.clone() };
    assert!(!store.replace(&late, Some(&added)).await.unwrap());
    assert!(keys.verify("wx", &issued.text, 200).await.unwrap().is_none());
    assert_eq!(keys.list().await.unwrap().len(), before, "both or nothing");
    // One that is not there is not made.
    let ghost = gatewright_store::KeyRecord { id: "g".repeat(ID_LETTERS), revision: 1, ..late };
    assert!(!store.replace(&ghost, None).await.unwrap());
    assert!(store.find(&ghost.id).await.unwrap().is_none());
}

/// Two servers that see a key's first use at once agree on its network.
async fn a_first_network_is_one(store: &dyn KeyStore, keys: &Keys) {
    let issued = issue(keys, order()).await;
    let seen = issued.record.clone();
    assert!(good_in(store, &seen, "192.0.2.0/24", 100).await.unwrap());
    // The other one looked before.
    assert!(!good_in(store, &seen, "198.51.100.0/24", 100).await.unwrap());
    assert!(good_in(store, &seen, "192.0.2.0/24", 100).await.unwrap());
    assert!(keys.allow(&seen.id, "198.51.100.0/24", 100).await.unwrap());
    assert!(!keys.allow(&seen.id, "198.51.100.0/24", 100).await.unwrap(), "once");
    let now = keys.verify("wx", &issued.text, 100).await.unwrap().unwrap();
    assert_eq!(now.networks, ["192.0.2.0/24", "198.51.100.0/24"]);
    for (network, good) in [("198.51.100.0/24", true), ("192.0.2.0/24", true), ("203.0.113.0/24", false)] {
        assert_eq!(good_in(store, &now, network, 100).await.unwrap(), good, "{network}");
    }
    // The key that replaces it is used by the same client.
    let next = keys.rotate(&seen.id, 10, 100).await.unwrap();
    assert_eq!(next.record.networks, now.networks);
    // Nobody's first use brings a key back.
    let revoked = issue(keys, order()).await;
    keys.revoke(&revoked.record.id, 100).await.unwrap();
    assert!(!good_in(store, &revoked.record, "192.0.2.0/24", 100).await.unwrap());
    assert!(keys.verify("wx", &revoked.text, 100).await.unwrap().is_none());
    assert!(matches!(keys.allow(&revoked.record.id, "192.0.2.0/24", 100).await, Err(KeyError::NotFound)));
}

async fn use_is_counted(store: &dyn KeyStore, keys: &Keys) {
    let used = |id: &str, uses, last, networks: &[&str]| Used {
        id: id.into(),
        uses,
        last,
        networks: networks.iter().map(|n| (*n).to_owned()).collect(),
        spike: Some(10),
    };
    let first = [used("a", 2, 60, &["192.0.2.0/24"]), used("b", 1, 61, &[])];
    assert_eq!(store.count(&first).await.unwrap(), []);
    let unusual = store.count(&[used("a", 3, 50, &["2001:db8::/48"])]).await.unwrap();
    assert_eq!(unusual, [("a".to_owned(), Unusual::Network("2001:db8::/48".to_owned()))]);
    assert_eq!(store.count(&[]).await.unwrap(), []);
    let usage = keys.usage().await.unwrap();
    let seen: Vec<_> = usage.iter().map(|u| (u.id.as_str(), u.uses, u.first, u.last)).collect();
    assert_eq!(seen, [("a", 5, 60, 60), ("b", 1, 61, 61)]);
    assert_eq!(usage[0].networks, ["192.0.2.0/24", "2001:db8::/48"]);
}
