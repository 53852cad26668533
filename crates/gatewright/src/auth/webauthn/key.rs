//! Public keys of passkeys (COSE, RFC 9052, 7; RFC 9053) and what they sign.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};

use super::cbor::Value;

/// The algorithms that are offered to authenticators (IANA, COSE Algorithms), the best first: EdDSA, ES256, RS256.
pub(super) const ALGORITHMS: [i64; 3] = [EDDSA, ES256, RS256];
const EDDSA: i64 = -8;
const ES256: i64 = -7;
const RS256: i64 = -257;

/// Bytes of an RSA modulus at least, and at most.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=1_024;

/// A key that signatures can be checked with.
pub(super) enum Key<'b> {
    Parsed(ParsedPublicKey),
    Rsa { modulus: &'b [u8], exponent: &'b [u8] },
}

impl<'b> Key<'b> {
    /// The key in a COSE map; `None` for one of another algorithm, off its curve, too short, or with more in it than its
    /// algorithm has (WebAuthn Level 3, 6.5.1.1).
    pub(super) fn read(cose: &Value<'b>) -> Option<Key<'b>> {
        let Value::Map(members) = cose else { return None };
        let number = |label: i64| cose.numbered(label)?.integer();
        let bytes = |label: i64| cose.numbered(label)?.bytes();
        match (number(1)?, number(3)?, members.len()) {
            (2, ES256, 5) if number(-1)? == 1 => {
                let (x, y) = (bytes(-2)?, bytes(-3)?);
                if x.len() != 32 || y.len() != 32 {
                    return None;
                }
                // Parsing refuses a point that is not on the curve.
                let point = [&[4], x, y].concat();
                ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).ok().map(Key::Parsed)
            }
            (1, EDDSA, 4) if number(-1)? == 6 => {
                let x = bytes(-2)?;
                if x.len() != 32 {
                    return None;
                }
                ParsedPublicKey::new(&ED25519, x).ok().map(Key::Parsed)
            }
            (3, RS256, 4) => {
                let (modulus, exponent) = (bytes(-1)?, bytes(-2)?);
                let first = modulus.first()?;
                let long = MODULUS.contains(&modulus.len()) && (*first >= 0x80 || modulus.len() > 256) && *first != 0;
                let odd = exponent.last()? % 2 == 1 && exponent.len() <= 4 && exponent != [1];
                (long && odd).then_some(Key::Rsa { modulus, exponent })
            }
            _ => None,
        }
    }

    /// Whether `signature` is this key's over `message`.
    pub(super) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Key::Parsed(key) => key.verify_sig(message, signature).is_ok(),
            Key::Rsa { modulus, exponent } => {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

    use super::super::cbor::whole;
    use super::*;

    fn ec(x: &[u8], y: &[u8]) -> Vec<u8> {
        let mut cose = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58".to_vec();
        cose.push(u8::try_from(x.len()).unwrap());
        cose.extend_from_slice(x);
        cose.extend_from_slice(b"\x22\x58");
        cose.push(u8::try_from(y.len()).unwrap());
        cose.extend_from_slice(y);
        cose
    }

    fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
        let mut cose = b"\xa4\x01\x03\x03\x39\x01\x00\x20\x59".to_vec();
        cose.extend_from_slice(&u16::try_from(modulus.len()).unwrap().to_be_bytes());
        cose.extend_from_slice(modulus);
        cose.push(0x21);
        cose.push(0x40 + u8::try_from(exponent.len()).unwrap());
        cose.extend_from_slice(exponent);
        cose
    }

    fn is_key(cose: &[u8]) -> bool {
        whole(cose).is_some_and(|cose| Key::read(&cose).is_some())
    }

    #[test]
    fn the_three_algorithms_verify() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let point = pair.public_key().as_ref();
        let cose = ec(&point[1..33], &point[33..]);
        let key = whole(&cose).unwrap();
        let key = Key::read(&key).unwrap();
        let signature = pair.sign(&SystemRandom::new(), b"message").unwrap();
        assert!(key.signed(b"message", signature.as_ref()));
        assert!(!key.signed(b"massage", signature.as_ref()));

        let pair = Ed25519KeyPair::generate().unwrap();
        let cose = [b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20", pair.public_key().as_ref()].concat();
        let key = whole(&cose).unwrap();
        assert!(Key::read(&key).unwrap().signed(b"message", pair.sign(b"message").as_ref()));

        use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
        let pair = aws_lc_rs::signature::RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let parts = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
        let cose = rsa(&parts.n, &parts.e);
        let key = whole(&cose).unwrap();
        let mut signature = vec![0; pair.public_modulus_len()];
        let padding = &aws_lc_rs::signature::RSA_PKCS1_SHA256;
        pair.sign(padding, &SystemRandom::new(), b"message", &mut signature).unwrap();
        let key = Key::read(&key).unwrap();
        assert!(key.signed(b"message", &signature));
        signature[9] ^= 1;
        assert!(!key.signed(b"message", &signature));
    }

    #[test]
    fn w4_other_algorithms_points_off_the_curve_and_short_keys_are_none() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let point = pair.public_key().as_ref();
        let (x, y) = (&point[1..33], &point[33..]);
        assert!(is_key(&ec(x, y)));
        let mut off = y.to_vec();
        off[31] ^= 1;
        assert!(!is_key(&ec(x, &off)), "off the curve");
        assert!(!is_key(&ec(&[0; 32], &[0; 32])), "no point");
        assert!(!is_key(&ec(&x[1..], y)), "a short coordinate");
        // P-384, ES384, a compressed point (a sign for y), another label, a missing one.
        let good = ec(x, y);
        for (at, byte) in [(6, 2), (4, 0x38), (2, 1)] {
            let mut other = good.clone();
            other[at] = byte;
            assert!(!is_key(&other), "byte {at}");
        }
        let mut more = good.clone();
        more[0] = 0xa6;
        more.extend_from_slice(b"\x02\x41a");
        assert!(!is_key(&more), "a key id beside it");
        let e = [1, 0, 1];
        let modulus = |bytes: usize, first: u8| {
            let mut modulus = vec![0xff; bytes];
            modulus[0] = first;
            modulus
        };
        assert!(is_key(&rsa(&modulus(256, 0x80), &e)));
        assert!(is_key(&rsa(&modulus(384, 0x01), &e)));
        assert!(!is_key(&rsa(&modulus(256, 0x7f), &e)), "2,047 bits");
        assert!(!is_key(&rsa(&modulus(128, 0xff), &e)), "1,024 bits");
        assert!(!is_key(&rsa(&modulus(257, 0), &e)), "zeros in front");
        assert!(!is_key(&rsa(&modulus(1_025, 0xff), &e)), "more than 8,192 bits");
        assert!(!is_key(&rsa(&modulus(256, 0x80), &[1])), "an exponent of 1");
        assert!(!is_key(&rsa(&modulus(256, 0x80), &[1, 0])), "an even exponent");
    }
}
