//! What all operations of a version share.

use gatewright_diag::{Span, Spanned};
use gatewright_policy::Rate;

use super::Setting;

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name.
    pub name: Spanned<String>,
    /// `scopes`
    pub scopes: Vec<Spanned<String>>,
    /// `inherits`
    pub inherits: Vec<Spanned<String>>,
}

/// An API key level.
#[derive(Clone, Debug)]
pub struct Level {
    /// Its name.
    pub name: Spanned<String>,
    /// `scopes`
    pub scopes: Vec<Spanned<String>>,
    /// `rate-limit`
    pub rate: Option<Spanned<Setting<Rate>>>,
}

/// A named network.
#[derive(Clone, Debug)]
pub struct Network {
    /// Its name.
    pub name: Spanned<String>,
    /// Its ranges in CIDR notation.
    pub ranges: Vec<Spanned<Setting<String>>>,
}

/// `transport`
#[derive(Clone, Debug)]
pub struct Transport {
    /// `https`
    pub https: gatewright_policy::table::Https,
    /// `min-tls` is `1.3`.
    pub tls13_only: bool,
    /// `hsts`; `None` is `off`.
    pub hsts: Option<gatewright_policy::table::Hsts>,
    /// `client-certificates`
    pub client_certificates: gatewright_policy::table::ClientCertificates,
    /// `hosts`
    pub hosts: Vec<Spanned<Setting<String>>>,
    /// `trusted-proxies`
    pub trusted_proxies: Vec<Spanned<Setting<String>>>,
}

/// Two years.
const TWO_YEARS: u64 = 63_072_000;

impl Default for Transport {
    fn default() -> Self {
        use gatewright_policy::table::{ClientCertificates, Hsts, Https};
        Transport {
            https: Https::Required,
            tls13_only: false,
            hsts: Some(Hsts { max_age: TWO_YEARS, include_subdomains: true, preload: false }),
            client_certificates: ClientCertificates::Off,
            hosts: Vec::new(),
            trusted_proxies: Vec::new(),
        }
    }
}

/// `lifecycle`
#[derive(Clone, Debug)]
pub struct Lifecycle {
    /// `status`
    pub status: gatewright_policy::table::Status,
    /// `deprecated-at`, seconds since 1970.
    pub deprecated_at: Option<i64>,
    /// `sunset`, seconds since 1970.
    pub sunset: Option<i64>,
    /// `successor`
    pub successor: Option<String>,
    /// `documentation`: a URL for people.
    pub documentation: Option<String>,
    /// `notes`
    pub notes: Option<String>,
    /// Where it stands.
    pub span: Span,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Lifecycle {
            status: gatewright_policy::table::Status::Stable,
            deprecated_at: None,
            sunset: None,
            successor: None,
            documentation: None,
            notes: None,
            span: Span::default(),
        }
    }
}

/// `errors`
#[derive(Clone, Debug)]
pub struct Errors {
    /// `type-base`
    pub type_base: Option<Setting<String>>,
    /// `validation`: 400 or 422.
    pub validation: u16,
}

impl Default for Errors {
    fn default() -> Self {
        Errors { type_base: None, validation: 400 }
    }
}
