//! The server's own secret, under which secrets of keys are hashed: a stolen store alone verifies nothing.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use zeroize::Zeroize;

/// At least 32 bytes that only the servers of one deployment know. It is not in the store.
#[derive(Clone)]
pub struct Pepper(Arc<hmac::Key>);

/// The pepper is shorter than 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortPepper;

impl fmt::Display for ShortPepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pepper has at least 32 bytes")
    }
}

impl std::error::Error for ShortPepper {}

impl Pepper {
    /// Takes the secret; the given bytes are wiped.
    ///
    /// # Errors
    /// When there are fewer than 32.
    pub fn new(mut secret: Vec<u8>) -> Result<Pepper, ShortPepper> {
        let pepper = (secret.len() >= 32).then(|| Pepper(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &secret))));
        secret.zeroize();
        pepper.ok_or(ShortPepper)
    }

    /// HMAC-SHA-256 over prefix, id and secret as a key has them (`wx_<id>_<secret>`), so that a hash moved to another record
    /// verifies nothing. The secret has 256 bits of its own: a slow password hash would add nothing but a lever against the
    /// server.
    pub(crate) fn digest(&self, body: &str) -> [u8; 32] {
        let mut out = [0; 32];
        let tag = hmac::sign(&self.0, body.as_bytes());
        out.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        out
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(..)")
    }
}
