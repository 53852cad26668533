//! How credentials are shown and verified.

use gatewright_diag::{Span, Spanned};

use super::Setting;

/// A security scheme.
#[derive(Clone, Debug)]
pub struct Scheme {
    /// Its name in the document.
    pub name: Spanned<String>,
    /// `description`
    pub description: Option<String>,
    /// What it is.
    pub kind: SchemeKind,
    /// Every scope that its flows declare, with their descriptions; empty where it declares none.
    pub scopes: Vec<(Spanned<String>, String)>,
    /// `flows`: where clients get their tokens. Servers do not care; exported documents do.
    pub flows: Vec<Flow>,
    /// Whether scopes must be declared to be used: OAuth2 has a list, the others have none.
    pub scopes_declared: bool,
    /// How it is verified.
    pub verify: Verify,
}

/// One of the `flows` of an OAuth2 scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Its key: `clientCredentials`.
    pub kind: Spanned<String>,
    /// `authorizationUrl`
    pub authorization_url: Option<String>,
    /// `tokenUrl`
    pub token_url: Option<String>,
    /// `refreshUrl`
    pub refresh_url: Option<String>,
    /// `deviceAuthorizationUrl`, of OpenAPI 3.2.
    pub device_url: Option<String>,
    /// Its scopes, with their descriptions.
    pub scopes: Vec<(String, String)>,
}

/// What OpenAPI says of a scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemeKind {
    /// `type: apiKey`: where, and the name there.
    ApiKey {
        /// Header, query or cookie.
        location: crate::api::Location,
        /// The name.
        name: String,
    },
    /// `type: http`: the scheme's name in lower case.
    Http {
        /// `scheme`
        scheme: String,
        /// `bearerFormat`
        bearer_format: Option<String>,
    },
    /// `type: oauth2`
    OAuth2,
    /// `type: openIdConnect`
    OpenIdConnect {
        /// `openIdConnectUrl`
        url: String,
    },
    /// `type: mutualTLS`
    MutualTls,
}

/// How a scheme's credential is verified.
#[derive(Clone, Debug)]
pub enum Verify {
    /// As a signed token: `x-security` of the scheme says by whom.
    Jwt(Box<Jwt>),
    /// As an opaque token, by asking the issuer (RFC 7662).
    Introspection(Spanned<Introspection>),
    /// As a leveled API key of the store.
    ApiKey(ApiKey),
    /// By a passkey ceremony.
    WebAuthn(WebAuthn),
    /// By the application.
    Application,
}

impl Verify {
    /// Where a token of this scheme holds the caller's roles, by path.
    pub fn roles_claim(&self) -> Option<&[String]> {
        match self {
            Verify::Jwt(jwt) => jwt.roles_claim.as_deref(),
            Verify::Introspection(asked) => asked.roles_claim.as_deref(),
            Verify::ApiKey(_) | Verify::WebAuthn(_) | Verify::Application => None,
        }
    }

    /// Which bound tokens a scheme takes.
    pub fn bound(&self) -> Option<&Spanned<Bound>> {
        match self {
            Verify::Jwt(jwt) => jwt.bound.as_ref(),
            Verify::Introspection(asked) => asked.bound.as_ref(),
            Verify::ApiKey(_) | Verify::WebAuthn(_) | Verify::Application => None,
        }
    }
}

/// `introspection` (RFC 7662).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspection {
    /// `url`
    pub url: Spanned<Setting<String>>,
    /// `issuer` of the scheme.
    pub issuer: Option<Spanned<Setting<String>>>,
    /// `audience` of the scheme: any of these.
    pub audience: Vec<Spanned<Setting<String>>>,
    /// `leeway` of the scheme, seconds.
    pub leeway: u32,
    /// `bound` of the scheme.
    pub bound: Option<Spanned<Bound>>,
    /// `cache`, seconds for which an answer may be reused.
    pub cache: u32,
    /// `scopes-claim`, by path.
    pub scopes_claim: Vec<String>,
    /// `roles-claim`, by path.
    pub roles_claim: Option<Vec<String>>,
}

/// `bound`: tokens that only their owner can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// `dpop` (RFC 9449)
    pub dpop: bool,
    /// `mtls` (RFC 8705)
    pub mtls: bool,
    /// Whether tokens that are not bound are refused.
    pub require: bool,
    /// Whether proofs must hold a nonce of the server (RFC 9449, 9).
    pub nonce: bool,
}

/// `x-security` of `scheme: webauthn`.
#[derive(Clone, Debug)]
pub struct WebAuthn {
    /// Where it stands.
    pub span: Span,
    /// `rp-id`
    pub rp_id: Setting<String>,
    /// `rp-name`
    pub rp_name: Option<String>,
    /// `origins`
    pub origins: Vec<Spanned<Setting<String>>>,
    /// `user-verification`: `required`, `preferred` or `discouraged`.
    pub user_verification: String,
}

/// `x-security` of a scheme whose credential is a JWT.
#[derive(Clone, Debug)]
pub struct Jwt {
    /// Where it stands.
    pub span: Span,
    /// `issuer`
    pub issuer: Spanned<Setting<String>>,
    /// `audience`: any of these.
    pub audience: Vec<Spanned<Setting<String>>>,
    /// `keys`
    pub keys: Spanned<Keys>,
    /// `algorithms`
    pub algorithms: Vec<Spanned<gatewright_policy::table::Algorithm>>,
    /// `max-lifetime`, seconds; one hour unless said.
    pub max_lifetime: u32,
    /// `leeway`, seconds; 30 unless said.
    pub leeway: u32,
    /// `typ: any` gives false: then `JWT` and none are taken besides `at+jwt`.
    pub typed: bool,
    /// `scopes-claim`, by path; `scope` unless said.
    pub scopes_claim: Vec<String>,
    /// `roles-claim`, by path.
    pub roles_claim: Option<Vec<String>>,
    /// `bound`
    pub bound: Option<Spanned<Bound>>,
    /// `introspection`, besides keys.
    pub introspection: Option<Spanned<Introspection>>,
}

/// Where keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// `file: PATH` of a JWKS.
    File(Setting<String>),
    /// `inline: {…}`: a JWKS in the spec, as JSON text.
    Inline(String),
    /// `jwks: URL`
    Url(Setting<String>),
    /// `discovery: true`
    Discovery,
}

/// `x-security` of an API key scheme.
#[derive(Clone, Debug, Default)]
pub struct ApiKey {
    /// `prefix`
    pub prefix: String,
    /// `rotate-every`, seconds.
    pub rotate_every: Option<u32>,
    /// `grace`, seconds.
    pub grace: u32,
    /// `anomaly`
    pub anomaly: Option<Spanned<Anomaly>>,
}

/// `anomaly`: what is unusual for a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anomaly {
    /// `new-network`: `warn` or `refuse`.
    pub new_network: Option<String>,
    /// `spike`: so many times the usual traffic.
    pub spike: Option<u32>,
}
