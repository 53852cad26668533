//! The keys of one issuer: a JWKS (RFC 7517), filtered once to what may verify, each key bound to its algorithms. A token
//! chooses among them by `kid`; it never brings a key, and never an algorithm that its key is not for (RFC 8725, 3.1).

use gatewright_policy::table::Algorithm;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::{CryptoProvider, aws_lc};
use serde_json::{Map, Value};

use super::header::{Header, named};
use super::{Rejected, base64, json};

/// The largest key set that is read, in bytes.
pub(crate) const LARGEST_SET: u64 = 1 << 20;

/// More keys than this are no issuer's.
const MOST_KEYS: usize = 128;

pub(crate) struct KeySet {
    keys: Vec<Key>,
}

pub(crate) struct Key {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl KeySet {
    /// Takes the keys that may verify with one of `pinned`; the others are left aside (RFC 7517, 5).
    pub(crate) fn read(text: &str, pinned: &[Algorithm]) -> Result<KeySet, String> {
        choose_backend();
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > LARGEST_SET {
            return Err("the key set is larger than 1 MiB".to_owned());
        }
        let Some(Value::Object(set)) = json::read(text.as_bytes()) else {
            return Err("the key set is no JSON object, or a member stands twice".to_owned());
        };
        let Some(Value::Array(members)) = set.get("keys") else {
            return Err("the key set has no array `keys`".to_owned());
        };
        if members.len() > MOST_KEYS {
            return Err(format!("the key set has more than {MOST_KEYS} keys"));
        }
        let keys: Vec<Key> = members.iter().filter_map(|m| Key::read(m.as_object()?, pinned)).collect();
        if keys.is_empty() {
            return Err("none of the keys can verify with an algorithm that the scheme pins".to_owned());
        }
        Ok(KeySet { keys })
    }

    /// Checks a signature with the one key that the header may use.
    pub(crate) fn verify(&self, header: &Header, signed: &[u8], signature: &str) -> Result<(), Rejected> {
        let mut usable = self
            .keys
            .iter()
            .filter(|key| key.algorithms.contains(&header.algorithm))
            .filter(|key| header.kid.is_none() || key.kid == header.kid);
        let key = usable.next().ok_or(Rejected::UnknownKey)?;
        // Without a key id, or with one that two keys share, there must be no choice.
        if usable.next().is_some() {
            return Err("more than one key could be meant".into());
        }
        if key.verifies(header.algorithm, signed, signature) {
            Ok(())
        } else {
            Err("the signature does not verify".into())
        }
    }
}

/// Another crate of the program may have enabled a second backend, which makes the automatic choice panic.
fn choose_backend() {
    let _: Result<(), &CryptoProvider> = aws_lc::DEFAULT_PROVIDER.install_default();
}

impl Key {
    /// Whether this key is for the algorithm, and made the signature.
    pub(crate) fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &str) -> bool {
        choose_backend();
        self.algorithms.contains(&algorithm)
            && matches!(jsonwebtoken::crypto::verify(signature, signed, &self.key, external(algorithm)), Ok(true))
    }

    /// A public key for verifying with one of `pinned`; nothing for any other.
    pub(crate) fn read(jwk: &Map<String, Value>, pinned: &[Algorithm]) -> Option<Key> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if jwk.get("use").is_some_and(|u| u.as_str() != Some("sig")) {
            return None;
        }
        if let Some(operations) = jwk.get("key_ops")
            && !operations.as_array()?.iter().any(|o| o.as_str() == Some("verify"))
        {
            return None;
        }
        // A private key in a public set is known to the world.
        if jwk.contains_key("d") {
            return None;
        }
        let kid = match jwk.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str()?.to_owned()),
        };
        use Algorithm as A;
        let (fit, key): (&[A], _) = match (text("kty")?, text("crv")) {
            ("EC", Some("P-256")) => (&[A::ES256], point(jwk, 32)?),
            ("EC", Some("P-384")) => (&[A::ES384], point(jwk, 48)?),
            ("OKP", Some("Ed25519")) => {
                let x = text("x")?;
                (base64::url(x)?.len() == 32).then_some(())?;
                (&[A::EdDSA], DecodingKey::from_ed_components(x).ok()?)
            }
            ("RSA", None) => (&[A::RS256, A::RS384, A::RS512, A::PS256, A::PS384, A::PS512], rsa(jwk)?),
            _ => return None,
        };
        let declared = match jwk.get("alg") {
            None => None,
            Some(alg) => Some(named(alg.as_str()?)?),
        };
        let algorithms: Vec<A> = fit
            .iter()
            .copied()
            .filter(|a| pinned.contains(a) && declared.is_none_or(|declared| declared == *a))
            .collect();
        (!algorithms.is_empty()).then_some(Key { kid, algorithms, key })
    }
}

fn point(jwk: &Map<String, Value>, length: usize) -> Option<DecodingKey> {
    let coordinate = |name: &str| {
        let text = jwk.get(name)?.as_str()?;
        (base64::url(text)?.len() == length).then_some(text)
    };
    DecodingKey::from_ec_components(coordinate("x")?, coordinate("y")?).ok()
}

/// An RSA key of 2,048 to 8,192 bits whose exponent is odd and at least 3 (RFC 7518, 3.3; FIPS 186-5, A.1.1).
fn rsa(jwk: &Map<String, Value>) -> Option<DecodingKey> {
    let (n_text, e_text) = (jwk.get("n")?.as_str()?, jwk.get("e")?.as_str()?);
    let (n, e) = (base64::url(n_text)?, base64::url(e_text)?);
    let bits = n.len() * 8 - usize::try_from(n.first()?.leading_zeros()).ok()?;
    let odd = |number: &[u8]| number.last().is_some_and(|b| b % 2 == 1);
    if !(2_048..=8_192).contains(&bits) || !odd(&n) || !odd(&e) || e.len() > 4 || e == [1] || e.first() == Some(&0) {
        return None;
    }
    DecodingKey::from_rsa_components(n_text, e_text).ok()
}

fn external(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    use jsonwebtoken::Algorithm as E;
    match algorithm {
        Algorithm::ES256 => E::ES256,
        Algorithm::ES384 => E::ES384,
        Algorithm::EdDSA => E::EdDSA,
        Algorithm::RS256 => E::RS256,
        Algorithm::RS384 => E::RS384,
        Algorithm::RS512 => E::RS512,
        Algorithm::PS256 => E::PS256,
        Algorithm::PS384 => E::PS384,
        Algorithm::PS512 => E::PS512,
    }
}
