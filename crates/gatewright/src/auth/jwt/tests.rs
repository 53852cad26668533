//! Tokens good and bad: rows of (what is changed, whether it passes). Every row changes one thing of a token that passes.

use std::sync::LazyLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use gatewright_policy::table::{Algorithm, Carrier, Jwt, Keys, Scheme, Setting, Verify};
use serde_json::{Value, json};

use super::base64::encode_url;
use super::{JwtVerifier, Source, Token};
use crate::config::{Config, Resolver};

pub(super) const NOW: i64 = 1_800_000_000;
pub(super) const ISSUER: &str = "https://issuer.example.com";

pub(super) struct Issuer {
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    ed: Ed25519KeyPair,
    rsa: RsaKeyPair,
}

pub(super) static ISSUER_KEYS: LazyLock<Issuer> = LazyLock::new(Issuer::new);
pub(super) static STRANGER: LazyLock<Issuer> = LazyLock::new(Issuer::new);

impl Issuer {
    fn new() -> Issuer {
        Issuer {
            p256: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            p384: EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap(),
            ed: Ed25519KeyPair::generate().unwrap(),
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
        }
    }

    pub(super) fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let rsa = |padding: &'static dyn RsaEncoding| {
            let mut signature = vec![0; self.rsa.public_modulus_len()];
            self.rsa.sign(padding, &random, message, &mut signature).unwrap();
            signature
        };
        match alg {
            "ES256" => self.p256.sign(&random, message).unwrap().as_ref().to_vec(),
            "ES384" => self.p384.sign(&random, message).unwrap().as_ref().to_vec(),
            "EdDSA" => self.ed.sign(message).as_ref().to_vec(),
            "RS256" => rsa(&RSA_PKCS1_SHA256),
            "PS256" => rsa(&RSA_PSS_SHA256),
            _ => panic!("{alg}"),
        }
    }

    pub(super) fn jwk(&self, kid: &str) -> Value {
        let ec = |key: &EcdsaKeyPair, crv: &str| {
            let point = key.public_key().as_ref()[1..].to_vec();
            let (x, y) = point.split_at(point.len() / 2);
            json!({"kty": "EC", "crv": crv, "kid": kid, "x": encode_url(x), "y": encode_url(y)})
        };
        match kid {
            "p256" => ec(&self.p256, "P-256"),
            "p384" => ec(&self.p384, "P-384"),
            "ed" => json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": encode_url(self.ed.public_key().as_ref())}),
            "rsa" => json!({"kty": "RSA", "kid": kid,
                "n": encode_url(self.rsa.public_key().modulus().big_endian_without_leading_zero()),
                "e": encode_url(self.rsa.public_key().exponent().big_endian_without_leading_zero())}),
            _ => panic!("{kid}"),
        }
    }

    pub(super) fn set(&self) -> Value {
        json!({"keys": [self.jwk("p256"), self.jwk("p384"), self.jwk("ed"), self.jwk("rsa")]})
    }
}

pub(super) fn scheme(typed: bool, algorithms: &'static [Algorithm]) -> (&'static Scheme, Jwt) {
    const AUDIENCE: &[Setting<&str>] = &[Setting::Fixed("bank-api"), Setting::Fixed("bank-api-2")];
    let jwt = Jwt {
        issuer: Setting::Fixed(ISSUER),
        audience: AUDIENCE,
        keys: Keys::Inline("{}"),
        algorithms,
        max_lifetime: 3_600,
        leeway: 30,
        typed,
        scopes_claim: &["scope"],
        roles_claim: Some(&["realm_access", "roles"]),
        bound: None,
        introspection: None,
    };
    let scheme = Scheme {
        name: "oauth",
        at: "bank.yaml:7",
        bit: 0,
        scopes: &[],
        carrier: Carrier::Authorization("bearer"),
        verify: Verify::Jwt(jwt),
    };
    (Box::leak(Box::new(scheme)), jwt)
}

pub(super) const ALL: &[Algorithm] =
    &[Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA, Algorithm::RS256, Algorithm::PS256];

fn verifier_of(typed: bool, algorithms: &'static [Algorithm], set: &Value) -> Result<JwtVerifier, String> {
    let (scheme, jwt) = scheme(typed, algorithms);
    let mut r = Resolver::new(std::sync::Arc::new(|_| None));
    let verifier = JwtVerifier::start(scheme, &jwt, &Config::new().jwks("oauth", set.to_string()), &mut r);
    r.finish().map_err(|e| e.to_string())?;
    verifier.ok_or_else(|| "nothing".to_owned())
}

fn verifier() -> JwtVerifier {
    verifier_of(true, ALL, &ISSUER_KEYS.set()).unwrap()
}

pub(super) fn header() -> Value {
    json!({"alg": "ES256", "typ": "at+jwt", "kid": "p256"})
}

pub(super) fn claims() -> Value {
    json!({"iss": ISSUER, "aud": "bank-api", "sub": "alice", "client_id": "app", "jti": "1",
           "iat": NOW - 10, "exp": NOW + 600, "scope": "a b",
           "realm_access": {"roles": ["teller"]}})
}

pub(super) fn with(mut value: Value, changes: Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        match change {
            Value::Null => drop(value.as_object_mut().unwrap().remove(name)),
            change => value[name] = change.clone(),
        }
    }
    value
}

/// Signs two texts, whatever they are, with the key that `alg` names.
pub(super) fn mint_text(issuer: &Issuer, alg: &str, header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", encode_url(header.as_bytes()), encode_url(payload.as_bytes()));
    let signature = issuer.sign(alg, signed.as_bytes());
    format!("{signed}.{}", encode_url(&signature))
}

pub(super) fn mint(header: &Value, payload: &Value) -> String {
    mint_text(&ISSUER_KEYS, "ES256", &header.to_string(), &payload.to_string())
}

fn at(verifier: &JwtVerifier, token: &str, now: i64) -> Result<Token, &'static str> {
    let Source::Fixed(held) = &verifier.keys else { panic!("the keys are fixed") };
    verifier.verify(token, held, now).map_err(|rejected| rejected.why())
}

fn check(verifier: &JwtVerifier, token: &str) -> Result<Token, &'static str> {
    at(verifier, token, NOW)
}

#[test]
fn a_good_token_says_who_it_is() {
    let token = check(&verifier(), &mint(&header(), &claims())).unwrap();
    assert_eq!((token.subject.as_deref(), token.client.as_deref()), (Some("alice"), Some("app")));
    assert_eq!(token.scopes, ["a", "b"]);
    assert_eq!(token.roles, ["teller"]);
    assert_eq!(token.until, NOW + 629);
}

/// Rows: J5.
#[test]
fn every_pinned_algorithm_passes_with_its_key_and_no_other() {
    let verifier = verifier();
    for (alg, own) in [("ES256", "p256"), ("ES384", "p384"), ("EdDSA", "ed"), ("RS256", "rsa"), ("PS256", "rsa")] {
        for kid in ["p256", "p384", "ed", "rsa", "other", "../../etc/passwd", "' or 1=1 --"] {
            let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid}).to_string();
            let token = mint_text(&ISSUER_KEYS, alg, &header, &claims().to_string());
            assert_eq!(check(&verifier, &token).is_ok(), kid == own, "{alg} {kid}");
            let forged = mint_text(&STRANGER, alg, &header, &claims().to_string());
            assert!(check(&verifier, &forged).is_err(), "a stranger's key: {alg} {kid}");
        }
    }
    // An algorithm that is not pinned, although the key could.
    let narrow = verifier_of(true, &[Algorithm::ES256, Algorithm::PS256], &ISSUER_KEYS.set()).unwrap();
    let rs = json!({"alg": "RS256", "typ": "at+jwt", "kid": "rsa"}).to_string();
    assert!(check(&narrow, &mint_text(&ISSUER_KEYS, "RS256", &rs, &claims().to_string())).is_err());
}

/// Rows: J1, J2, J3, J8, J18.
#[test]
fn headers() {
    let verifier = verifier();
    let lax = verifier_of(false, ALL, &ISSUER_KEYS.set()).unwrap();
    // What is changed; whether it passes as RFC 9068 wants it; whether it does where the scheme takes any JWT.
    for (change, typed, untyped) in [
        (json!({}), true, true),
        (json!({"typ": "AT+JWT"}), true, true),
        (json!({"typ": "application/at+jwt"}), true, true),
        (json!({"typ": "application/AT+jwt"}), true, true),
        (json!({"typ": null}), false, true),
        (json!({"typ": "JWT"}), false, true),
        (json!({"typ": "id_token"}), false, false),
        (json!({"typ": "dpop+jwt"}), false, false),
        (json!({"typ": "logout+jwt"}), false, false),
        (json!({"typ": ""}), false, false),
        (json!({"typ": 1}), false, false),
        (json!({"alg": "none"}), false, false),
        (json!({"alg": "None"}), false, false),
        (json!({"alg": "NONE"}), false, false),
        (json!({"alg": "es256"}), false, false),
        (json!({"alg": "HS256"}), false, false),
        (json!({"alg": "ES384"}), false, false),
        (json!({"alg": "RS256"}), false, false),
        (json!({"alg": null}), false, false),
        (json!({"alg": ["ES256"]}), false, false),
        (json!({"crit": ["exp"]}), false, false),
        (json!({"crit": []}), false, false),
        (json!({"b64": false}), false, false),
        (json!({"b64": true}), false, false),
        (json!({"zip": "DEF"}), false, false),
        (json!({"enc": "A128GCM"}), false, false),
        (json!({"kid": ""}), false, false),
        (json!({"kid": 1}), false, false),
        (json!({"kid": "k".repeat(10_000)}), false, false),
        (json!({"kid": "unknown"}), false, false),
        // The set has one key for ES256, so none need be named.
        (json!({"kid": null}), true, true),
        (json!({"cty": "x"}), true, true),
    ] {
        let token = mint(&with(header(), change.clone()), &claims());
        assert_eq!(check(&verifier, &token).is_ok(), typed, "typed: {change}");
        assert_eq!(check(&lax, &token).is_ok(), untyped, "untyped: {change}");
    }
}

/// Rows: J6.
#[test]
fn a_token_brings_no_key() {
    let verifier = verifier();
    let theirs = STRANGER.jwk("p256");
    for change in [
        json!({"jwk": theirs, "kid": null}),
        json!({"jwk": theirs}),
        json!({"jku": "https://evil.example.com/jwks"}),
        json!({"x5u": "https://evil.example.com/cert"}),
        json!({"x5c": ["MIIB"]}),
    ] {
        let header = with(header(), change.clone()).to_string();
        let forged = mint_text(&STRANGER, "ES256", &header, &claims().to_string());
        assert!(check(&verifier, &forged).is_err(), "{change}");
    }
}

/// Rows: J4.
#[test]
fn a_public_key_is_no_hmac_secret() {
    let verifier = verifier();
    let rsa = &ISSUER_KEYS.rsa;
    let secrets = [
        rsa.public_key().as_ref().to_vec(),
        rsa.public_key().as_der().unwrap().as_ref().to_vec(),
        ISSUER_KEYS.p256.public_key().as_ref().to_vec(),
        ISSUER_KEYS.jwk("rsa").to_string().into_bytes(),
        ISSUER_KEYS.set().to_string().into_bytes(),
    ];
    for secret in secrets {
        for kid in ["rsa", "p256"] {
            let header = json!({"alg": "HS256", "typ": "at+jwt", "kid": kid}).to_string();
            let signed = format!("{}.{}", encode_url(header.as_bytes()), encode_url(claims().to_string().as_bytes()));
            let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret);
            let tag = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
            assert!(check(&verifier, &format!("{signed}.{}", encode_url(tag.as_ref()))).is_err());
        }
    }
}

/// Rows: J10, J11, J12, J13, J14.
#[test]
fn claim_rows() {
    let verifier = verifier();
    let far = 253_402_300_800i64;
    for (change, passes) in [
        (json!({}), true),
        (json!({"iss": "https://other.example.com"}), false),
        (json!({"iss": "https://ISSUER.example.com"}), false),
        (json!({"iss": "https://issuer.example.com/"}), false),
        (json!({"iss": [ISSUER]}), false),
        (json!({"iss": null}), false),
        (json!({"aud": null}), false),
        (json!({"aud": "other"}), false),
        (json!({"aud": "bank-api-2"}), true),
        (json!({"aud": ["other", "bank-api"]}), true),
        (json!({"aud": ["other"]}), false),
        (json!({"aud": []}), false),
        (json!({"aud": 1}), false),
        (json!({"aud": ["bank-api", 1]}), false),
        (json!({"aud": {"a": "bank-api"}}), false),
        (json!({"exp": null}), false),
        (json!({"iat": null}), false),
        (json!({"sub": null}), false),
        (json!({"sub": ""}), false),
        (json!({"sub": 1}), false),
        (json!({"client_id": null}), false),
        (json!({"jti": null}), false),
        (json!({"exp": NOW}), true),
        (json!({"exp": NOW - 29}), true),
        (json!({"exp": NOW - 30}), false),
        (json!({"exp": (NOW + 600).to_string()}), false),
        (json!({"exp": -1}), false),
        (json!({"exp": 1e18}), false),
        (json!({"exp": i64::MAX}), false),
        (json!({"exp": u64::MAX}), false),
        (json!({"exp": far}), false),
        (json!({"exp": 1_800_000_600.5}), false),
        (json!({"exp": true}), false),
        (json!({"nbf": NOW + 30}), true),
        (json!({"nbf": NOW + 31}), false),
        (json!({"nbf": "x"}), false),
        (json!({"iat": NOW + 30}), true),
        (json!({"iat": NOW + 31}), false),
        (json!({"iat": NOW, "exp": NOW + 3_600}), true),
        (json!({"iat": NOW, "exp": NOW + 3_601}), false),
        (json!({"iat": 0}), false),
    ] {
        let token = mint(&header(), &with(claims(), change.clone()));
        assert_eq!(check(&verifier, &token).is_ok(), passes, "{change}");
    }
}

/// Rows: J22.
#[test]
fn scopes_and_roles_of_another_type_grant_nothing() {
    let verifier = verifier();
    for (change, scopes, roles) in [
        (json!({"scope": "a  b "}), 2, 1),
        (json!({"scope": ["a", "b", "c"]}), 3, 1),
        (json!({"scope": ["a", 1]}), 0, 1),
        (json!({"scope": 7}), 0, 1),
        (json!({"scope": {"a": true}}), 0, 1),
        (json!({"scope": null}), 0, 1),
        (json!({"realm_access": "teller"}), 2, 0),
        (json!({"realm_access": {"roles": {"teller": true}}}), 2, 0),
        (json!({"realm_access": {"roles": [["teller"]]}}), 2, 0),
    ] {
        let token = check(&verifier, &mint(&header(), &with(claims(), change.clone()))).unwrap();
        assert_eq!((token.scopes.len(), token.roles.len()), (scopes, roles), "{change}");
    }
}

/// Rows: J9, J25.
#[test]
fn members_stand_once() {
    let verifier = verifier();
    let good_header = header().to_string();
    let good_claims = claims().to_string();
    let doubled = |text: &str, member: &str| text.replacen('{', &format!("{{{member},"), 1);
    for (header, payload) in [
        (doubled(&good_header, "\"alg\":\"ES256\""), good_claims.clone()),
        (doubled(&good_header, "\"kid\":\"p256\""), good_claims.clone()),
        (good_header.clone(), doubled(&good_claims, "\"sub\":\"mallory\"")),
        (good_header.clone(), doubled(&good_claims, "\"\\u0073ub\":\"mallory\"")),
        (good_header.clone(), doubled(&good_claims, "\"x\":{\"a\":1,\"a\":2}")),
        (good_header.clone(), format!("{good_claims} ")),
        (good_header.clone(), format!("{good_claims}{{}}")),
        (good_header.clone(), "[]".to_owned()),
        (good_header.clone(), String::new()),
        (format!("\u{feff}{good_header}"), good_claims.clone()),
        (good_header.clone(), doubled(&good_claims, &format!("\"x\":{}{}", "[".repeat(1_000), "]".repeat(1_000)))),
    ] {
        let token = mint_text(&ISSUER_KEYS, "ES256", &header, &payload);
        let is_only_white_space = payload.ends_with(' ');
        assert_eq!(check(&verifier, &token).is_ok(), is_only_white_space, "{header} {payload}");
    }
}

/// Rows: J17.
#[test]
fn the_form_is_strict() {
    let verifier = verifier();
    let good = mint(&header(), &claims());
    let [h, p, s]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let nested = mint_text(&ISSUER_KEYS, "ES256", &header().to_string(), &format!("\"{good}\""));
    let huge = with(claims(), json!({"x": "y".repeat(9_000)}));
    for token in [
        String::new(),
        ".".into(),
        "..".into(),
        format!("{h}.{p}"),
        format!("{h}.{p}."),
        format!("{h}..{s}"),
        format!(".{p}.{s}"),
        format!("{h}.{p}.{s}."),
        format!("{h}.{p}.{s}.{s}"),
        format!("{h}.{p}.{s}.{s}.{s}"),
        format!("{h}=.{p}.{s}"),
        format!("{h}.{p}==.{s}"),
        format!("{h}.{p}.{s}=="),
        format!("{h}.{p}.{s}\n"),
        format!(" {h}.{p}.{s}"),
        format!("{h}.{p} .{s}"),
        format!("{h}.{p}.{}", s.replace(['-', '_'], "+")) + "+",
        format!("{{\"payload\":\"{p}\",\"protected\":\"{h}\",\"signature\":\"{s}\"}}"),
        nested,
        mint(&header(), &huge),
        "a".repeat(20_000),
    ] {
        assert!(check(&verifier, &token).is_err(), "{token}");
    }
}

/// Rows: J15.
#[test]
fn signatures_are_strict() {
    let verifier = verifier();
    let good = mint(&header(), &claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let raw = super::base64::url(signature).unwrap();
    let (r, s) = raw.split_at(32);
    let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let der = |r: &[u8], s: &[u8]| [&[0x30, 70, 2, 33, 0][..], r, &[2, 33, 0], s].concat();
    for bad in [
        vec![],
        vec![0; 64],
        [&[0; 32], s].concat(),
        [r, &[0; 32]].concat(),
        [&order[..], s].concat(),
        [r, &order[..]].concat(),
        raw[..63].to_vec(),
        [&raw[..], &[0]].concat(),
        [&[0][..], &raw].concat(),
        der(r, s),
    ] {
        assert!(check(&verifier, &format!("{signed}.{}", encode_url(&bad))).is_err(), "{bad:?}");
    }
    for i in 0..raw.len() {
        let mut flipped = raw.clone();
        flipped[i] ^= 1;
        assert!(check(&verifier, &format!("{signed}.{}", encode_url(&flipped))).is_err(), "byte {i}");
    }
    // Ed25519: S + L is the same signature to a careless verifier.
    let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "ed"}).to_string();
    let token = mint_text(&ISSUER_KEYS, "EdDSA", &header, &claims().to_string());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut raw = super::base64::url(signature).unwrap();
    assert!(check(&verifier, &token).is_ok());
    let mut carry = 0;
    let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    for (byte, l) in raw[32..].iter_mut().zip(&order) {
        let sum = u16::from(*byte) + u16::from(*l) + carry;
        *byte = (sum & 255) as u8;
        carry = sum >> 8;
    }
    assert!(check(&verifier, &format!("{signed}.{}", encode_url(&raw))).is_err());
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// Rows: J16, J20.
#[test]
fn keys_that_are_not_for_verifying_are_left_aside() {
    let good = || ISSUER_KEYS.jwk("p256");
    let small = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let n = small.public_key().modulus().big_endian_without_leading_zero().to_vec();
    let off_curve = with(good(), json!({"y": encode_url(&[7; 32])}));
    // Whether a token of `p256` passes where this is the set's only key of that id.
    for (key, passes) in [
        (good(), true),
        (with(good(), json!({"use": "sig"})), true),
        (with(good(), json!({"use": "enc"})), false),
        (with(good(), json!({"use": 1})), false),
        (with(good(), json!({"key_ops": ["verify"]})), true),
        (with(good(), json!({"key_ops": ["verify", "sign"]})), true),
        (with(good(), json!({"key_ops": ["encrypt"]})), false),
        (with(good(), json!({"key_ops": []})), false),
        (with(good(), json!({"key_ops": "verify"})), false),
        (with(good(), json!({"alg": "ES256"})), true),
        (with(good(), json!({"alg": "ES384"})), false),
        (with(good(), json!({"alg": "HS256"})), false),
        (with(good(), json!({"alg": "ES521"})), false),
        (with(good(), json!({"d": "AAAA"})), false),
        (with(good(), json!({"crv": "P-384"})), false),
        (with(good(), json!({"crv": "secp256k1"})), false),
        (with(good(), json!({"kty": "oct", "k": "AAAA"})), false),
        (with(good(), json!({"kty": "unknown"})), false),
        (with(good(), json!({"kid": 5})), false),
        (with(good(), json!({"x": encode_url(&[1; 31])})), false),
        (off_curve, false),
    ] {
        let set = json!({"keys": [key, ISSUER_KEYS.jwk("ed"), {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}]});
        let verifier = verifier_of(true, ALL, &set).unwrap();
        assert_eq!(check(&verifier, &mint(&header(), &claims())).is_ok(), passes, "{key}");
        let ed = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "ed"}).to_string();
        let other = mint_text(&ISSUER_KEYS, "EdDSA", &ed, &claims().to_string());
        assert!(check(&verifier, &other).is_ok(), "the other key works: {key}");
    }
    let rsa = |n: &[u8], e: &[u8]| json!({"keys": [{"kty": "RSA", "n": encode_url(n), "e": encode_url(e)}]});
    assert!(verifier_of(true, ALL, &rsa(&n, &[1, 0, 1])).is_ok());
    for (n, e) in [(&n[..128], &[1, 0, 1][..]), (&n, &[1]), (&n, &[2]), (&n, &[]), (&[][..], &[3]), (&[1; 1_100], &[3])]
    {
        assert!(verifier_of(true, ALL, &rsa(n, e)).is_err());
    }
}

/// Rows: J19.
#[test]
fn a_set_without_a_usable_key_does_not_start() {
    let oct = json!({"keys": [{"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}]});
    for set in [json!({}), json!([]), json!({"keys": {}}), json!({"keys": []}), json!({"keys": [1]}), oct] {
        assert!(verifier_of(true, ALL, &set).err().unwrap().contains("bank.yaml:7"), "{set}");
    }
    let many: Vec<Value> = (0..200).map(|_| ISSUER_KEYS.jwk("p256")).collect();
    assert!(verifier_of(true, ALL, &json!({"keys": many})).is_err());
    // Two keys of one id: neither is chosen by chance.
    let twice = verifier_of(true, ALL, &json!({"keys": [STRANGER.jwk("p256"), ISSUER_KEYS.jwk("p256")]})).unwrap();
    assert!(check(&twice, &mint(&header(), &claims())).is_err());
    // Two keys for the algorithm: one must be named.
    let mut other = STRANGER.jwk("p256");
    other["kid"] = "q256".into();
    let two = verifier_of(true, ALL, &json!({"keys": [ISSUER_KEYS.jwk("p256"), other]})).unwrap();
    assert!(check(&two, &mint(&header(), &claims())).is_ok());
    assert!(check(&two, &mint(&with(header(), json!({"kid": null})), &claims())).is_err());
}

#[test]
fn keys_are_fetched_from_where_a_deployment_may_ask() {
    let (scheme, mut jwt) = scheme(true, ALL);
    for (keys, issuer, why) in [
        (Keys::Url(Setting::Fixed("http://issuer.example.com/jwks")), ISSUER, "is not `https`"),
        (Keys::Url(Setting::Fixed("/jwks")), ISSUER, "no absolute URL"),
        (Keys::Discovery, "http://issuer.example.com", "is not `https`"),
        (Keys::Discovery, "issuer", "is not `https`"),
    ] {
        (jwt.keys, jwt.issuer) = (keys, Setting::Fixed(issuer));
        let mut r = Resolver::new(std::sync::Arc::new(|_| None));
        assert!(JwtVerifier::start(scheme, &jwt, &Config::new(), &mut r).is_none());
        let error = r.finish().unwrap_err().to_string();
        assert!(error.contains(why) && error.contains("bank.yaml:7"), "{error}");
    }
}

/// Runs the Wycheproof JWS vectors in the folder that `WYCHEPROOF` names; without it there is nothing to run. None that is
/// marked invalid may pass.
/// Rows: J21.
#[test]
fn wycheproof() {
    let Ok(folder) = std::env::var("WYCHEPROOF") else { return };
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join("signature.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let (mut refused, mut passed) = (0, Vec::new());
    for group in file["testGroups"].as_array().unwrap() {
        let jwk = group.get("public").or_else(|| group.get("private")).unwrap();
        let all = &[
            Algorithm::ES256,
            Algorithm::ES384,
            Algorithm::EdDSA,
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ];
        let keys = super::KeySet::read(&json!({"keys": [jwk]}).to_string(), all);
        for test in group["tests"].as_array().unwrap() {
            let token = test["jws"].as_str().unwrap_or_default();
            let good = (|| {
                let keys = keys.as_ref().ok()?;
                let (signed, signature) = token.rsplit_once('.')?;
                let (header, payload) = signed.split_once('.')?;
                super::base64::url(payload)?;
                super::base64::url(signature)?;
                let header = super::Header::read(&super::base64::url(header)?, false).ok()?;
                keys.verify(&header, signed.as_bytes(), signature).ok()
            })()
            .is_some();
            match (test["result"].as_str().unwrap(), good) {
                ("invalid", true) => panic!("{}: {}", test["tcId"], test["comment"]),
                ("invalid", false) => refused += 1,
                (_, true) => passed.push(test["tcId"].clone()),
                _ => {}
            }
        }
    }
    assert_eq!((refused, passed.len()), (355, 32), "{passed:?}");
}
