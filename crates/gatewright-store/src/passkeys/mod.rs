//! Passkeys (WebAuthn credentials): what is kept of one, and the trait of what keeps them. Nothing of it is secret: a
//! passkey's private half never leaves its authenticator.

mod embedded;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;

pub(crate) use embedded::{PASSKEY_USERS, PASSKEYS};
#[cfg(feature = "postgres")]
pub(crate) use postgres::TABLE;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use crate::Answer;

/// Whose passkeys: a subject of an issuer, at a relying party. A subject of another issuer is somebody else.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct PasskeyUser {
    /// The relying party's id: the domain that the passkeys are for.
    pub rp_id: String,
    /// Who says who the subject is: the `iss` of a token, or the name of the security scheme.
    pub issuer: String,
    /// The subject.
    pub subject: String,
}

impl PasskeyUser {
    /// A key of fixed length for it: no two users share one, whatever characters their names hold.
    #[must_use]
    pub fn key(&self) -> [u8; 32] {
        let mut hash = digest::Context::new(&digest::SHA256);
        for part in [&self.rp_id, &self.issuer, &self.subject] {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut key = [0; 32];
        key.copy_from_slice(hash.finish().as_ref());
        key
    }
}

/// What a store keeps of one passkey (WebAuthn Level 3, 4: credential record). Times are seconds since 1970.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct PasskeyRecord {
    /// The credential id: at most 1,023 bytes, unique.
    pub id: Vec<u8>,
    /// Whose it is.
    pub user: PasskeyUser,
    /// The user handle that its authenticator knows the user by: random, the same for all passkeys of a user.
    pub handle: Vec<u8>,
    /// The public key, as the authenticator gave it (COSE, RFC 9052, 7).
    pub public_key: Vec<u8>,
    /// The signature counter that was last seen; 0 for an authenticator without one.
    pub counter: u32,
    /// Whether it may be backed up. This never changes.
    pub backup_eligible: bool,
    /// Whether it was backed up when it was last used.
    pub backed_up: bool,
    /// How its authenticator may be reached, as the browser says: a hint.
    pub transports: Vec<String>,
    /// The model of the authenticator, or zeros.
    pub aaguid: [u8; 16],
    /// What its user calls it.
    pub name: String,
    /// When it was registered.
    pub registered: i64,
    /// When it was last used.
    pub used: Option<i64>,
}

/// What became of a passkey that was to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyAdded {
    /// It is kept.
    Yes,
    /// There is one of this id, whoever's it is.
    Taken,
    /// The user has as many as he may.
    Full,
}

/// What a use of a passkey changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasskeyUse {
    /// The counter that the use was judged by.
    pub counter_before: u32,
    /// The counter that the authenticator gave.
    pub counter: u32,
    /// Whether it is backed up.
    pub backed_up: bool,
    /// When.
    pub at: i64,
}

/// Keeps passkeys. Asked in ceremonies only, never for a usual request. Each change is made whole or not at all.
pub trait PasskeyStore: Send + Sync + 'static {
    /// All passkeys of a user, oldest first.
    ///
    /// # Errors
    /// When the store cannot say: the ceremony is then refused with 503.
    fn passkeys<'a>(&'a self, user: &'a PasskeyUser) -> Answer<'a, Vec<PasskeyRecord>>;

    /// All passkeys of everybody, by the names of their users, oldest first: for whoever runs the server.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn all_passkeys(&self) -> Answer<'_, Vec<PasskeyRecord>>;

    /// Adds a passkey, unless its id is known or its user has `most` already.
    ///
    /// # Errors
    /// When the store cannot keep it.
    fn add<'a>(&'a self, record: &'a PasskeyRecord, most: usize) -> Answer<'a, PasskeyAdded>;

    /// Notes a use, if the counter is still the one that it was judged by. `false` where it is not, or the passkey is gone:
    /// two uses at once are not both good.
    ///
    /// # Errors
    /// When the store cannot keep it.
    fn used<'a>(&'a self, user: &'a PasskeyUser, id: &'a [u8], used: PasskeyUse) -> Answer<'a, bool>;

    /// Removes a passkey of a user. `false` where he has none of this id.
    ///
    /// # Errors
    /// When the store cannot remove it.
    fn remove<'a>(&'a self, user: &'a PasskeyUser, id: &'a [u8]) -> Answer<'a, bool>;
}

/// In the order of [`PasskeyStore::all_passkeys`].
fn sort(all: &mut [PasskeyRecord]) {
    all.sort_by(|a, b| (&a.user, a.registered, &a.id).cmp(&(&b.user, b.registered, &b.id)));
}

/// The change that a use makes; `None` where the counter is another by now.
fn after(mut record: PasskeyRecord, used: PasskeyUse) -> Option<PasskeyRecord> {
    if record.counter != used.counter_before {
        return None;
    }
    record.counter = used.counter;
    record.backed_up = used.backed_up;
    record.used = Some(used.at);
    Some(record)
}

#[cfg(test)]
mod tests {
    use super::PasskeyUser;

    #[test]
    fn no_two_users_share_a_key() {
        let user = |issuer: &str, subject: &str| PasskeyUser {
            rp_id: "bank.example".into(),
            issuer: issuer.into(),
            subject: subject.into(),
        };
        assert_ne!(user("a", "bc").key(), user("ab", "c").key());
        assert_ne!(user("a\u{0}", "b").key(), user("a", "\u{0}b").key());
    }
}
