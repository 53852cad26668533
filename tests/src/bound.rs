//! A naive reading of what tokens are bound to, and of devices: the second engine of their differential test. It compares texts,
//! one sentence of RFC 8705 and RFC 9449 at a time.

use serde_json::Value;

/// What a request shows beside its token. Thumbprints are base64url.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Of the client's certificate.
    pub certificate: Option<String>,
    /// Whether the token stands behind `DPoP`, and not behind `Bearer`.
    pub as_dpop: bool,
    /// Of the keys of the proofs that were sent, each with whether it is good for this request and this token.
    pub proofs: Vec<(String, bool)>,
}

/// What a scheme says of bound tokens.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Whether it takes tokens that are bound to keys.
    pub dpop: bool,
    /// Whether it takes tokens that are bound to certificates.
    pub mtls: bool,
    /// Whether it takes no others.
    pub require: bool,
}

/// Whether whoever shows this may use a token that is good of itself.
#[must_use]
pub fn may_use(rule: Rule, claims: &Value, shown: &Shown) -> bool {
    let cnf = claims.get("cnf").cloned().unwrap_or(Value::Null);
    let members: Vec<&str> = cnf.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    // Bound in a way that nobody understands here is bound all the same.
    if !cnf.is_null() && (members.is_empty() || members.iter().any(|name| !matches!(*name, "jkt" | "x5t#S256"))) {
        return false;
    }
    let (key, certificate) = (cnf.get("jkt").and_then(Value::as_str), cnf.get("x5t#S256").and_then(Value::as_str));
    if rule.require && key.is_none() && certificate.is_none() {
        return false;
    }
    // RFC 8705, 3: the certificate of this very connection.
    if let Some(bound) = certificate
        && !(rule.mtls && shown.certificate.as_deref() == Some(bound))
    {
        return false;
    }
    match key {
        // RFC 9449, 7.1: behind `DPoP`, with one proof, by this key, for this request.
        Some(bound) => {
            let proof = shown.proofs.as_slice();
            rule.dpop && shown.as_dpop && matches!(proof, [(by, good)] if *good && by == bound)
        }
        None => !shown.as_dpop,
    }
}

/// Whether a caller who may use his token does so from one of these devices: by his certificate, or by the key that he proved.
#[must_use]
pub fn on_device(devices: &[String], claims: &Value, shown: &Shown) -> bool {
    let proved = claims.pointer("/cnf/jkt").and_then(Value::as_str);
    devices.iter().any(|device| shown.certificate.as_ref() == Some(device) || proved == Some(device.as_str()))
}
