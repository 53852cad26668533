//! The registered claims (RFC 7519, 4.1; RFC 9068, 2.2), by our own rules.

use serde_json::{Map, Value};

/// 9999-12-31T23:59:59Z: no honest date is later, and sums with it cannot overflow.
const LATEST: i64 = 253_402_300_799;

pub(crate) struct Claims<'m> {
    pub(crate) issuer: &'m str,
    pub(crate) audience: Vec<&'m str>,
    pub(crate) subject: Option<&'m str>,
    pub(crate) client: Option<&'m str>,
    pub(crate) expires: i64,
    issued: i64,
    not_before: Option<i64>,
}

impl<'m> Claims<'m> {
    /// `typed` tokens are those of RFC 9068, which has `sub`, `client_id` and `jti` too.
    pub(crate) fn read(map: &'m Map<String, Value>, typed: bool) -> Result<Claims<'m>, &'static str> {
        let audience = match map.get("aud") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(several)) => {
                several.iter().map(Value::as_str).collect::<Option<_>>().ok_or("`aud` is not of strings")?
            }
            _ => return Err("`aud` is missing or no string"),
        };
        let claims = Claims {
            issuer: text(map, "iss")?.ok_or("`iss` is missing")?,
            audience,
            subject: text(map, "sub")?,
            client: match text(map, "client_id")? {
                Some(client) => Some(client),
                None => text(map, "azp")?,
            },
            expires: date(map, "exp")?.ok_or("`exp` is missing")?,
            issued: date(map, "iat")?.ok_or("`iat` is missing")?,
            not_before: date(map, "nbf")?,
        };
        if typed {
            for name in ["sub", "client_id", "jti"] {
                text(map, name)?.ok_or("a claim of RFC 9068 is missing")?;
            }
        }
        Ok(claims)
    }

    pub(crate) fn check_times(&self, now: i64, leeway: i64, max_lifetime: i64) -> Result<(), &'static str> {
        if now >= self.expires + leeway {
            return Err("expired");
        }
        if self.issued > now + leeway || self.not_before.is_some_and(|nbf| nbf > now + leeway) {
            return Err("not yet valid");
        }
        if self.expires - self.issued > max_lifetime {
            return Err("it lives too long");
        }
        Ok(())
    }
}

fn text<'m>(map: &'m Map<String, Value>, name: &str) -> Result<Option<&'m str>, &'static str> {
    match map.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err("a registered claim is no string, or empty"),
    }
}

/// A NumericDate. Fractions are allowed by RFC 7519 and sent by nobody; exponents hide sizes: whole numbers only.
fn date(map: &Map<String, Value>, name: &str) -> Result<Option<i64>, &'static str> {
    match map.get(name) {
        None => Ok(None),
        Some(value) => match value.as_i64() {
            Some(date) if (0..=LATEST).contains(&date) => Ok(Some(date)),
            _ => Err("a date is no date"),
        },
    }
}
