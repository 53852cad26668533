//! What a browser is asked, as `PublicKeyCredential.parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON` take it
//! (WebAuthn Level 3, 5.1.8 and 5.1.9).

use gatewright_policy::table::UserVerification;
use gatewright_store::PasskeyRecord;
use serde_json::{Value, json};

use super::CHALLENGE;
use super::ceremony::Party;
use super::key::ALGORITHMS;
use crate::auth::jwt::base64::encode_url;

fn descriptors(records: &[PasskeyRecord]) -> Vec<Value> {
    let one = |r: &PasskeyRecord| json!({"type": "public-key", "id": encode_url(&r.id), "transports": r.transports});
    records.iter().map(one).collect()
}

impl Party {
    fn verification(&self) -> &'static str {
        match self.verification {
            UserVerification::Required => "required",
            UserVerification::Preferred => "preferred",
            UserVerification::Discouraged => "discouraged",
        }
    }

    pub(super) fn creation(&self, challenge: &[u8], handle: &[u8], subject: &str, known: &[PasskeyRecord]) -> Value {
        let algorithms = ALGORITHMS.map(|alg| json!({"type": "public-key", "alg": alg}));
        json!({
            "rp": {"id": self.rp_id, "name": self.name},
            "user": {"id": encode_url(handle), "name": subject, "displayName": subject},
            "challenge": encode_url(challenge),
            "pubKeyCredParams": algorithms,
            "timeout": u64::from(CHALLENGE) * 1_000,
            "excludeCredentials": descriptors(known),
            "authenticatorSelection": {
                "residentKey": "preferred", "requireResidentKey": false, "userVerification": self.verification(),
            },
            "attestation": "none",
        })
    }

    pub(super) fn request(&self, challenge: &[u8], known: &[PasskeyRecord]) -> Value {
        json!({
            "rpId": self.rp_id,
            "challenge": encode_url(challenge),
            "timeout": u64::from(CHALLENGE) * 1_000,
            "allowCredentials": descriptors(known),
            "userVerification": self.verification(),
        })
    }
}
