//! An authenticator and a browser in software, for the tests of passkeys: they do what they are told, also what none would.
//! `cargo xtask browser` has real ones.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

/// Flags of authenticator data (WebAuthn Level 3, 6.1).
pub mod flag {
    /// The user was present.
    pub const UP: u8 = 0x01;
    /// The user was verified.
    pub const UV: u8 = 0x04;
    /// May be backed up.
    pub const BE: u8 = 0x08;
    /// Is backed up.
    pub const BS: u8 = 0x10;
    /// There is a new credential.
    pub const AT: u8 = 0x40;
    /// There are extensions.
    pub const ED: u8 = 0x80;
}

/// One passkey, and how it answers. A test changes what it wants to be wrong.
pub struct Authenticator {
    key: EcdsaKeyPair,
    /// The credential id.
    pub id: Vec<u8>,
    /// The relying party whose hash it signs.
    pub rp_id: String,
    /// The page that asked.
    pub origin: String,
    /// Its counter: the next answer has one more, but a counter of 0 stays.
    pub counter: u32,
    /// Flags, beside that of a new credential.
    pub flags: u8,
    /// More members of the client data.
    pub client: Value,
    /// The user handle of assertions.
    pub handle: Option<String>,
}

impl Authenticator {
    /// A passkey with a counter, on the bank's own page.
    ///
    /// # Panics
    /// There is no randomness.
    #[must_use]
    #[allow(clippy::expect_used)]
    pub fn new(id: &[u8]) -> Authenticator {
        Authenticator {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key pair"),
            id: id.to_vec(),
            rp_id: "localhost".to_owned(),
            origin: "https://localhost:8443".to_owned(),
            counter: 1,
            flags: flag::UP | flag::UV,
            client: json!({}),
            handle: None,
        }
    }

    /// The same passkey once more: what a thief of its key has.
    ///
    /// # Panics
    /// The key cannot be copied.
    #[must_use]
    #[allow(clippy::expect_used)]
    pub fn copy(&self) -> Authenticator {
        let secret = self.key.to_pkcs8v1().expect("the key");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, secret.as_ref()).expect("the key again");
        Authenticator {
            key,
            id: self.id.clone(),
            rp_id: self.rp_id.clone(),
            origin: self.origin.clone(),
            counter: self.counter,
            flags: self.flags,
            client: self.client.clone(),
            handle: self.handle.clone(),
        }
    }

    /// What a browser sends for creation options.
    #[allow(clippy::indexing_slicing)] // of JSON, which gives null
    pub fn create(&mut self, options: &Value) -> Value {
        self.handle = options["user"]["id"].as_str().map(str::to_owned);
        let cose = self.cose();
        let mut data = self.data(flag::AT);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&u16::try_from(self.id.len()).unwrap_or(u16::MAX).to_be_bytes());
        data.extend_from_slice(&self.id);
        data.extend_from_slice(&cose);
        self.created(options, &data)
    }

    /// As [`create`](Authenticator::create), with this authenticator data.
    #[must_use]
    pub fn created(&self, options: &Value, data: &[u8]) -> Value {
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData".to_vec();
        match u8::try_from(data.len()) {
            Ok(length) => object.extend_from_slice(&[0x58, length]),
            Err(_) => {
                object.push(0x59);
                object.extend_from_slice(&u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
            }
        }
        object.extend_from_slice(data);
        let client = self.client_data("webauthn.create", options);
        json!({
            "id": base64url(&self.id), "rawId": base64url(&self.id), "type": "public-key", "name": "test key",
            "authenticatorAttachment": "cross-platform", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": base64url(client.as_bytes()), "attestationObject": base64url(&object),
                "transports": ["usb", "<script>"],
            },
        })
    }

    /// What a browser sends for request options.
    ///
    /// # Panics
    /// The key cannot sign.
    #[allow(clippy::expect_used, clippy::indexing_slicing)]
    pub fn get(&mut self, options: &Value) -> Value {
        let data = self.data(0);
        let client = self.client_data("webauthn.get", options);
        let signed = [data.as_slice(), digest(&SHA256, client.as_bytes()).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).expect("a signature");
        let mut response = json!({
            "clientDataJSON": base64url(client.as_bytes()), "authenticatorData": base64url(&data),
            "signature": base64url(signature.as_ref()),
        });
        if let Some(handle) = &self.handle {
            response["userHandle"] = json!(handle);
        }
        json!({
            "id": base64url(&self.id), "rawId": base64url(&self.id), "type": "public-key",
            "clientExtensionResults": {}, "response": response,
        })
    }

    /// The public key as a COSE map.
    #[must_use]
    pub fn cose(&self) -> Vec<u8> {
        let (x, y) = self.key.public_key().as_ref().get(1..).and_then(|xy| xy.split_at_checked(32)).unwrap_or_default();
        [b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20", x, b"\x22\x58\x20", y].concat()
    }

    /// The head of authenticator data, with these flags too.
    pub fn data(&mut self, flags: u8) -> Vec<u8> {
        if self.counter != 0 {
            self.counter = self.counter.wrapping_add(1);
        }
        let mut data = digest(&SHA256, self.rp_id.as_bytes()).as_ref().to_vec();
        data.push(self.flags | flags);
        data.extend_from_slice(&self.counter.to_be_bytes());
        data
    }

    #[allow(clippy::indexing_slicing)] // of JSON, which gives null
    fn client_data(&self, kind: &str, options: &Value) -> String {
        let mut data = json!({
            "type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false,
            "other_keys_can_be_added_here": "do not compare clientDataJSON against a template",
        });
        if let (Value::Object(data), Value::Object(more)) = (&mut data, &self.client) {
            data.extend(more.clone());
        }
        data.to_string()
    }
}

/// Base64url without padding (RFC 4648, 5).
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    crate::issuer::base64url(bytes)
}

/// What base64url stands for; empty where it is none.
#[must_use]
pub fn unbase64url(text: &str) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes() {
        let Some(value) = LETTERS.iter().position(|l| *l == letter) else { return Vec::new() };
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}
