//! A token issuer of the tests' own: it signs whatever it is told to.

use std::collections::BTreeMap;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// The `iss` of every good token: the default of the bank's `${BANK_ISSUER}`.
pub const ISSUER: &str = "https://login.bank.example/";

/// An ES256 key pair, and tokens signed with it.
pub struct Issuer {
    key: EncodingKey,
    jwks: String,
}

impl Issuer {
    /// A fresh key.
    ///
    /// # Panics
    /// There is no randomness.
    #[must_use]
    #[allow(clippy::expect_used)]
    pub fn new() -> Issuer {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key pair");
        let secret = pair.to_pkcs8v1().expect("the key in PKCS #8");
        let point = pair.public_key().as_ref().to_vec();
        let (x, y) = point.get(1..).and_then(|xy| xy.split_at_checked(32)).expect("an uncompressed point");
        let jwk = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "k1",
                          "x": base64url(x), "y": base64url(y) });
        Issuer { key: EncodingKey::from_ec_der(secret.as_ref()), jwks: json!({ "keys": [jwk] }).to_string() }
    }

    /// The public half, as a JWKS.
    #[must_use]
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// A token with these claims, on top of what RFC 9068 requires; a claim that is `null` is left out.
    ///
    /// # Panics
    /// The key cannot sign.
    #[must_use]
    #[allow(clippy::expect_used)]
    pub fn token(&self, now: i64, claims: &Value) -> String {
        let mut all = BTreeMap::from([
            ("iss".to_owned(), json!(ISSUER)),
            ("aud".to_owned(), json!("bank-api")),
            ("iat".to_owned(), json!(now - 1)),
            ("exp".to_owned(), json!(now + 600)),
            ("jti".to_owned(), json!("t1")),
            ("client_id".to_owned(), json!("tests")),
        ]);
        for (name, value) in claims.as_object().into_iter().flatten() {
            all.insert(name.clone(), value.clone());
        }
        all.retain(|_, value| !value.is_null());
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some("k1".to_owned());
        jsonwebtoken::encode(&header, &all, &self.key).expect("a signed token")
    }
}

impl Default for Issuer {
    fn default() -> Self {
        Issuer::new()
    }
}

/// Base64url without padding (RFC 4648, 5).
pub(crate) fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let index = (bits >> (18 - 6 * place)) & 63;
            text.push(char::from(LETTERS.get(index as usize).copied().unwrap_or(b'A')));
        }
    }
    text
}
