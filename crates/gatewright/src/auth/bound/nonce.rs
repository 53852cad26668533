//! Nonces for proofs (RFC 9449, 9): the time, keyed, so that nothing needs to be stored. With them a proof cannot be made
//! ahead of its use.

use aws_lc_rs::hmac;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretSlice};
use subtle::ConstantTimeEq;

use super::super::jwt::base64;

/// Seconds for which one nonce is handed out; it is good for as long again.
const WINDOW: i64 = 120;

pub(crate) struct Nonces {
    key: hmac::Key,
}

impl Nonces {
    /// Servers that share a key take each other's nonces.
    pub(crate) fn new(key: Option<&SecretSlice<u8>>) -> Option<Nonces> {
        let key = match key {
            Some(key) => hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret()),
            None => hmac::Key::generate(hmac::HMAC_SHA256, &aws_lc_rs::rand::SystemRandom::new()).ok()?,
        };
        Some(Nonces { key })
    }

    fn of(&self, window: i64) -> String {
        let tag = hmac::sign(&self.key, &window.to_be_bytes());
        base64::encode_url(tag.as_ref().get(..16).unwrap_or_default())
    }

    /// The nonce to hand out now.
    pub(super) fn current(&self, now: i64) -> HeaderValue {
        HeaderValue::try_from(self.of(now.div_euclid(WINDOW))).unwrap_or_else(|_| HeaderValue::from_static("none"))
    }

    /// Whether it was handed out lately.
    pub(super) fn is_good(&self, nonce: &str, now: i64) -> bool {
        let window = now.div_euclid(WINDOW);
        let same = |window: i64| bool::from(self.of(window).as_bytes().ct_eq(nonce.as_bytes()));
        same(window) | same(window - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_for_a_while_and_only_here() {
        let nonces = Nonces::new(None).unwrap();
        let now = 1_800_000_000;
        let nonce = nonces.current(now).to_str().unwrap().to_owned();
        for (later, good) in [(0, true), (WINDOW, true), (2 * WINDOW, false), (-2 * WINDOW, false)] {
            assert_eq!(nonces.is_good(&nonce, now + later), good, "{later}");
        }
        assert!(!nonces.is_good("", now));
        assert!(!Nonces::new(None).unwrap().is_good(&nonce, now));
        let key = SecretSlice::from(vec![7; 32]);
        let shared = Nonces::new(Some(&key)).unwrap().current(now);
        assert!(Nonces::new(Some(&key)).unwrap().is_good(shared.to_str().unwrap(), now));
    }
}
