//! A relying party from its table and the deployment: what is wrong with its domain or its origins stops the start.

use aws_lc_rs::digest;
use gatewright_policy::table::Passkeys as Declared;
use http::uri::Uri;

use super::ceremony::Party;
use crate::config::Resolver;
use crate::net::host;

impl Party {
    pub(super) fn start(declared: &'static Declared, r: &mut Resolver) -> Option<Party> {
        let (at, rp_id) = (declared.at, r.text(declared.rp_id)?);
        if !is_domain(&rp_id) {
            r.problem(
                at,
                format_args!("`rp-id` is `{rp_id}`: it is a domain name in lower case, without scheme and port"),
            );
            return None;
        }
        let mut origins = Vec::new();
        for origin in declared.origins {
            let Some(origin) = r.text(*origin) else { continue };
            match judge(&origin, &rp_id) {
                Ok(()) => origins.push(origin),
                Err(why) => r.problem(at, format_args!("the origin `{origin}` {why}")),
            }
        }
        if origins.len() != declared.origins.len() || origins.is_empty() {
            r.problem(at, "passkeys need at least one good origin");
            return None;
        }
        let mut rp_hash = [0; 32];
        rp_hash.copy_from_slice(digest::digest(&digest::SHA256, rp_id.as_bytes()).as_ref());
        let verification = declared.user_verification;
        Some(Party { rp_id, rp_hash, name: declared.rp_name, origins, verification })
    }
}

/// A domain, not an address (WebAuthn Level 3, 5.4.2).
fn is_domain(text: &str) -> bool {
    let plain = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // The last label of an IPv4 address is a number; no top-level domain is.
    let named = text.rsplit('.').next().is_some_and(|last| last.bytes().any(|b| b.is_ascii_lowercase()));
    text.len() <= 253 && named && text.split('.').all(plain)
}

/// Whether an origin is written as browsers write it (RFC 6454, 6.2), and passkeys of the domain may be used there.
fn judge(origin: &str, rp_id: &str) -> Result<(), &'static str> {
    let uri: Uri = origin.parse().map_err(|_| "is no origin")?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("is no origin: write `https://host`");
    };
    if origin != format!("{scheme}://{authority}") || authority.as_str().contains('@') {
        return Err("is more than an origin: browsers write no path and no final slash");
    }
    if host::name(authority.as_str()).as_deref() != Some(authority.host()) || !is_domain(authority.host()) {
        return Err("names no host as browsers write it");
    }
    let local = authority.host() == "localhost" || authority.host().ends_with(".localhost");
    match (scheme, authority.port_u16()) {
        ("https", Some(443)) | ("http", Some(80)) => {
            return Err("names its scheme's own port, which browsers leave out");
        }
        ("https", _) => {}
        ("http", _) if local => {}
        _ => return Err("is not of HTTPS"),
    }
    if authority.host() == rp_id || authority.host().strip_suffix(rp_id).is_some_and(|rest| rest.ends_with('.')) {
        Ok(())
    } else {
        Err("lies outside of `rp-id`: browsers refuse its passkeys there")
    }
}

#[cfg(test)]
mod tests {
    use super::{is_domain, judge};

    #[test]
    fn domains() {
        for (text, good) in [
            ("bank.example.com", true),
            ("localhost", true),
            ("xn--bcher-kva.example", true),
            ("Bank.example", false),
            ("", false),
            ("bank..example", false),
            (".example", false),
            ("bank.example.", false),
            ("-bank.example", false),
            ("https://bank.example", false),
            ("bank.example:443", false),
            ("192.0.2.1", false),
            ("[2001:db8::1]", false),
        ] {
            assert_eq!(is_domain(text), good, "{text}");
        }
    }

    #[test]
    fn origins() {
        for (origin, rp_id, good) in [
            ("https://bank.example", "bank.example", true),
            ("https://login.bank.example", "bank.example", true),
            ("https://bank.example:8443", "bank.example", true),
            ("http://localhost:8080", "localhost", true),
            ("https://bank.example/", "bank.example", false),
            ("https://bank.example:443", "bank.example", false),
            ("https://bank.example/app", "bank.example", false),
            ("https://u@bank.example", "bank.example", false),
            ("http://bank.example", "bank.example", false),
            ("https://BANK.example", "bank.example", false),
            ("https://evilbank.example", "bank.example", false),
            ("https://bank.example.evil", "bank.example", false),
            ("https://example", "bank.example", false),
            ("https://192.0.2.1", "192.0.2.1", false),
            ("bank.example", "bank.example", false),
            ("null", "bank.example", false),
        ] {
            assert_eq!(judge(origin, rp_id).is_ok(), good, "{origin} {rp_id}");
        }
    }
}
