//! What an authenticator and a browser say: authenticator data (WebAuthn Level 3, 6.1) and client data (5.8.1).

use std::borrow::Cow;

use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::cbor::{self, Value};
use crate::auth::jwt::base64::encode_url;

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;

/// Longer credential ids are refused (WebAuthn Level 3, 7.1, step 25).
const LONGEST_ID: usize = 1_023;

/// What an authenticator says, with its bytes all accounted for.
pub(super) struct AuthenticatorData<'b> {
    pub(super) rp_hash: &'b [u8],
    flags: u8,
    pub(super) counter: u32,
    pub(super) attested: Option<Attested<'b>>,
}

/// A new credential.
pub(super) struct Attested<'b> {
    pub(super) aaguid: [u8; 16],
    pub(super) id: &'b [u8],
    pub(super) key: Value<'b>,
    pub(super) key_bytes: &'b [u8],
}

impl<'b> AuthenticatorData<'b> {
    pub(super) fn read(bytes: &'b [u8]) -> Option<AuthenticatorData<'b>> {
        let (rp_hash, rest) = bytes.split_at_checked(32)?;
        let (&flags, rest) = rest.split_first()?;
        let (counter, mut rest) = rest.split_first_chunk::<4>()?;
        let mut attested = None;
        if flags & ATTESTED != 0 {
            let (aaguid, after) = rest.split_first_chunk::<16>()?;
            let (length, after) = after.split_first_chunk::<2>()?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (id, after) = after.split_at_checked(length).filter(|_| (1..=LONGEST_ID).contains(&length))?;
            let (key, left) = cbor::first(after)?;
            let key_bytes = after.get(..after.len().checked_sub(left.len())?)?;
            attested = Some(Attested { aaguid: *aaguid, id, key, key_bytes });
            rest = left;
        }
        if flags & EXTENSIONS != 0 {
            // None was asked for, and none has a meaning here; but they must be what they say.
            match cbor::first(rest)? {
                (Value::Map(_), left) => rest = left,
                _ => return None,
            }
        }
        let counter = u32::from_be_bytes(*counter);
        rest.is_empty().then_some(AuthenticatorData { rp_hash, flags, counter, attested })
    }

    pub(super) fn user_present(&self) -> bool {
        self.flags & USER_PRESENT != 0
    }

    pub(super) fn user_verified(&self) -> bool {
        self.flags & USER_VERIFIED != 0
    }

    pub(super) fn backup_eligible(&self) -> bool {
        self.flags & BACKUP_ELIGIBLE != 0
    }

    pub(super) fn backed_up(&self) -> bool {
        self.flags & BACKED_UP != 0
    }
}

/// What a browser says. Members that are not known are ignored: browsers add some to see whether they are.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData<'b> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'b, str>,
    #[serde(borrow)]
    challenge: Cow<'b, str>,
    #[serde(borrow)]
    origin: Cow<'b, str>,
    #[serde(default)]
    cross_origin: Option<bool>,
    #[serde(default)]
    top_origin: Option<serde::de::IgnoredAny>,
}

/// Compares client data with what was asked: `kind` is `webauthn.create` or `webauthn.get`.
pub(super) fn judge_client(
    bytes: &[u8],
    kind: &str,
    challenge: &[u8; 32],
    origins: &[String],
) -> Result<(), &'static str> {
    let Ok(data) = serde_json::from_slice::<ClientData<'_>>(bytes) else { return Err("malformed client data") };
    if data.kind != kind {
        return Err("client data of another ceremony");
    }
    if !bool::from(encode_url(challenge).as_bytes().ct_eq(data.challenge.as_bytes())) {
        return Err("another challenge");
    }
    if !origins.iter().any(|origin| *origin == data.origin) {
        return Err("another origin");
    }
    if data.cross_origin == Some(true) || data.top_origin.is_some() {
        return Err("asked for within another origin's page");
    }
    Ok(())
}
