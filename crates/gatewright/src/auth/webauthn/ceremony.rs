//! The two ceremonies, judged (WebAuthn Level 3, 7.1 and 7.2). Nothing here keeps or asks anything: a ceremony is its
//! challenge, what the browser sent, and what is known of the passkey. The reasons are for the audit record.

use aws_lc_rs::digest;
use gatewright_policy::table::UserVerification;
use gatewright_store::PasskeyRecord;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::cbor::{self, Value};
use super::data::{AuthenticatorData, judge_client};
use super::key::Key;
use crate::auth::jwt::base64;

/// Who asks for passkeys.
pub(super) struct Party {
    pub(super) rp_id: String,
    pub(super) rp_hash: [u8; 32],
    pub(super) name: &'static str,
    pub(super) origins: Vec<String>,
    pub(super) verification: UserVerification,
}

/// `RegistrationResponseJSON` (5.1), with the name that the user gives the passkey.
#[derive(Deserialize)]
pub(super) struct Registration {
    id: String,
    #[serde(rename = "rawId")]
    raw_id: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    response: AttestationResponse,
    #[serde(default)]
    pub(super) name: String,
}

#[derive(Deserialize)]
struct AttestationResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    #[serde(rename = "attestationObject")]
    attestation: String,
    #[serde(default)]
    transports: Vec<String>,
}

/// `AuthenticationResponseJSON` (5.1).
#[derive(Deserialize)]
pub(super) struct Assertion {
    id: String,
    #[serde(rename = "rawId")]
    raw_id: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    response: AssertionResponse,
}

#[derive(Deserialize)]
struct AssertionResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    #[serde(rename = "authenticatorData")]
    authenticator_data: String,
    signature: String,
    #[serde(rename = "userHandle")]
    user_handle: Option<String>,
}

/// A passkey that may be kept.
pub(super) struct Registered {
    pub(super) id: Vec<u8>,
    pub(super) public_key: Vec<u8>,
    pub(super) counter: u32,
    pub(super) backup_eligible: bool,
    pub(super) backed_up: bool,
    pub(super) transports: Vec<String>,
    pub(super) aaguid: [u8; 16],
}

/// What a good assertion changes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asserted {
    pub(super) counter: u32,
    pub(super) backed_up: bool,
}

/// Why an assertion is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    For(&'static str),
    /// The counter did not rise: there may be a copy of the passkey.
    Cloned,
}

impl From<&'static str> for Refusal {
    fn from(why: &'static str) -> Refusal {
        Refusal::For(why)
    }
}

fn decoded(text: &str) -> Result<Vec<u8>, &'static str> {
    base64::url(text).ok_or("not base64url")
}

/// The credential id, which stands there twice.
fn credential_id(id: &str, raw: Option<&str>, kind: &str) -> Result<Vec<u8>, &'static str> {
    if kind != "public-key" || raw.is_some_and(|raw| raw != id) {
        return Err("no public-key credential, or two ids");
    }
    decoded(id)
}

impl Party {
    /// What both ceremonies ask of an authenticator.
    fn judge(&self, data: &AuthenticatorData<'_>) -> Result<(), &'static str> {
        if !bool::from(data.rp_hash.ct_eq(&self.rp_hash)) {
            return Err("another relying party");
        }
        if !data.user_present() {
            return Err("the user was not present");
        }
        if self.verification == UserVerification::Required && !data.user_verified() {
            return Err("the user was not verified");
        }
        if data.backed_up() && !data.backup_eligible() {
            return Err("backed up, and not eligible for it");
        }
        Ok(())
    }

    /// A new passkey, if the ceremony is the one of this challenge. Its attestation is not looked at: none is asked for, so
    /// nothing is known of who made the authenticator.
    pub(super) fn register(&self, challenge: &[u8; 32], sent: Registration) -> Result<Registered, &'static str> {
        let id = credential_id(&sent.id, sent.raw_id.as_deref(), &sent.kind)?;
        judge_client(&decoded(&sent.response.client_data)?, "webauthn.create", challenge, &self.origins)?;
        let attestation = decoded(&sent.response.attestation)?;
        let attestation = cbor::whole(&attestation).ok_or("a malformed attestation")?;
        if !matches!(
            (attestation.named("fmt"), attestation.named("attStmt")),
            (Some(Value::Text(_)), Some(Value::Map(_)))
        ) {
            return Err("an attestation without its form");
        }
        let bytes = attestation.named("authData").and_then(Value::bytes).ok_or("an attestation without data")?;
        let data = AuthenticatorData::read(bytes).ok_or("malformed authenticator data")?;
        self.judge(&data)?;
        let attested = data.attested.as_ref().ok_or("no credential was made")?;
        if attested.id != id {
            return Err("two credential ids");
        }
        Key::read(&attested.key).ok_or("a key that was not asked for")?;
        let known = ["usb", "nfc", "ble", "smart-card", "hybrid", "internal"];
        Ok(Registered {
            id,
            public_key: attested.key_bytes.to_vec(),
            counter: data.counter,
            backup_eligible: data.backup_eligible(),
            backed_up: data.backed_up(),
            // Nothing but words that we know goes back to browsers.
            transports: sent.response.transports.into_iter().filter(|t| known.contains(&t.as_str())).take(6).collect(),
            aaguid: attested.aaguid,
        })
    }

    /// Whether the ceremony of this challenge was done with this passkey; `None` where the user has none of the id. Then a
    /// signature is checked all the same, so that the time tells nothing.
    pub(super) fn assert(
        &self,
        challenge: &[u8; 32],
        record: Option<&PasskeyRecord>,
        sent: &Assertion,
    ) -> Result<Asserted, Refusal> {
        judge_client(&decoded(&sent.response.client_data)?, "webauthn.get", challenge, &self.origins)?;
        let bytes = decoded(&sent.response.authenticator_data)?;
        let data = AuthenticatorData::read(&bytes).ok_or("malformed authenticator data")?;
        self.judge(&data)?;
        if data.attested.is_some() {
            return Err("a credential in an assertion".into());
        }
        let signature = decoded(&sent.response.signature)?;
        let client = digest::digest(&digest::SHA256, &decoded(&sent.response.client_data)?);
        let signed = [bytes.as_slice(), client.as_ref()].concat();
        let public_key = record.map_or(NOBODYS, |record| record.public_key.as_slice());
        let cose = cbor::whole(public_key).ok_or("the kept key is malformed")?;
        let good = Key::read(&cose).ok_or("the kept key is none")?.signed(&signed, &signature);
        let Some(record) = record else { return Err("a passkey that the user does not have".into()) };
        if !good {
            return Err("a wrong signature".into());
        }
        if let Some(handle) = &sent.response.user_handle
            && !bool::from(decoded(handle)?.as_slice().ct_eq(&record.handle))
        {
            return Err("another user's handle".into());
        }
        if data.backup_eligible() != record.backup_eligible {
            return Err("its eligibility for backup has changed".into());
        }
        if (data.counter != 0 || record.counter != 0) && data.counter <= record.counter {
            return Err(Refusal::Cloned);
        }
        Ok(Asserted { counter: data.counter, backed_up: data.backed_up() })
    }
}

impl Assertion {
    /// The id of the passkey that was used.
    pub(super) fn id(&self) -> Result<Vec<u8>, &'static str> {
        credential_id(&self.id, self.raw_id.as_deref(), &self.kind)
    }
}

/// A key whose private half nobody has: the base point of P-256.
const NOBODYS: &[u8] = b"\xa5\x01\x02\x03\x26\x20\x01\
    \x21\x58\x20\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96\
    \x22\x58\x20\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5";
