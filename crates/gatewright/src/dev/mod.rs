//! What a developer's machine lacks: a certificate for `localhost`, an issuer that signs tokens, and API keys. All of it is
//! made anew in each process and is good nowhere else. The feature does not compile without debug assertions, so that it
//! cannot end up in a release.

#[cfg(not(debug_assertions))]
compile_error!("the feature `dev` of `gatewright` is for debug builds: a release would accept development credentials");

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use gatewright_policy::table::{ApiPolicy, Verify};
use gatewright_store::format::random;
use gatewright_store::{Keys, MemoryStore, Order, Pepper, at_once};
use serde_json::{Map, Value, json};

use crate::Internal;
use crate::auth::jwt::base64::encode_url;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Resolver, StartError};
use crate::server::Certificate;

/// Development's own certificate, issuer and keys.
pub struct Dev {
    certificate: Certificate,
    certificate_pem: String,
    issuer: Ed25519KeyPair,
    store: Arc<MemoryStore>,
    pepper: Pepper,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Dev {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dev(..)")
    }
}

impl Dev {
    /// Makes them.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn new() -> Result<Dev, Internal> {
        let made =
            rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()])
                .map_err(Internal::new)?;
        let certificate_pem = made.cert.pem();
        let pepper = random(43).map_err(Internal::new)?.as_bytes().to_vec();
        Ok(Dev {
            certificate: Certificate::pem(
                certificate_pem.clone().into_bytes(),
                made.signing_key.serialize_pem().into_bytes(),
            ),
            certificate_pem,
            issuer: Ed25519KeyPair::generate().map_err(|_| Internal::new("no Ed25519 key could be made"))?,
            store: Arc::default(),
            pepper: Pepper::new(pepper).map_err(Internal::new)?,
            clock: Arc::new(SystemClock::new()),
        })
    }

    /// The certificate, for [`Server::https`](crate::server::Server::https).
    #[must_use]
    pub fn certificate(&self) -> Certificate {
        self.certificate.clone()
    }

    /// The certificate as PEM, for clients to trust.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// `config` with the development issuer in place of every issuer's keys, and the development keys. A server started
    /// with it says so, loudly.
    #[must_use]
    pub fn config(&self, mut config: Config) -> Config {
        tracing::warn!(
            target: "gatewright::dev",
            "\n  ************************************************************\n  \
             *  DEVELOPMENT MODE: this server accepts tokens and keys   *\n  \
             *  that it hands out itself. Never expose it to a network. *\n  \
             ************************************************************"
        );
        config.dev = true;
        config.dev_jwks = Some(self.jwks().to_string());
        config.clock(self.clock.clone()).api_keys(self.store.clone(), self.pepper.clone()).passkeys(self.store.clone())
    }

    /// The key set of the development issuer.
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "dev",
                         "x": encode_url(self.issuer.public_key().as_ref())}]})
    }

    /// A token that a scheme of an API takes: good for ten minutes, or for as long as the scheme allows if that is less.
    /// `claims` are added, and stand above the usual ones. The settings are read from `config`'s environment.
    ///
    /// # Errors
    /// There is no such JWT scheme, it does not pin `EdDSA`, or a setting of it is missing.
    pub fn token(
        &self,
        api: &'static ApiPolicy,
        scheme: &str,
        config: &Config,
        subject: &str,
        claims: &Map<String, Value>,
    ) -> Result<String, StartError> {
        let found = api.schemes.iter().find(|s| s.name == scheme);
        let Some((jwt, at)) = found.and_then(|s| match &s.verify {
            Verify::Jwt(jwt) => Some((jwt, s.at)),
            _ => None,
        }) else {
            return Err(StartError::new(format!("`{scheme}` is no scheme of signed tokens")));
        };
        let mut r = Resolver::new(config.environment.clone());
        if !jwt.algorithms.contains(&gatewright_policy::table::Algorithm::EdDSA) {
            r.problem(
                at,
                format_args!("the scheme `{scheme}` does not pin EdDSA, which development tokens are signed with"),
            );
        }
        let issuer = r.text(jwt.issuer);
        let audience: Vec<_> = jwt.audience.iter().filter_map(|a| r.text(*a)).collect();
        r.finish()?;
        let now = self.clock.unix();
        let mut payload = json!({
            "iss": issuer, "aud": audience, "sub": subject, "client_id": "dev", "jti": format!("dev-{now}"),
            "iat": now, "exp": now + i64::from(jwt.max_lifetime).min(600),
        });
        if let Value::Object(map) = &mut payload {
            map.extend(claims.clone());
        }
        let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "dev"});
        let signed =
            format!("{}.{}", encode_url(header.to_string().as_bytes()), encode_url(payload.to_string().as_bytes()));
        let signature = self.issuer.sign(signed.as_bytes());
        Ok(format!("{signed}.{}", encode_url(signature.as_ref())))
    }

    /// The development keys: issue one with an [`Order`].
    #[must_use]
    pub fn keys(&self) -> Keys {
        Keys::new(self.store.clone(), self.pepper.clone())
    }

    /// An API key of this prefix and level.
    ///
    /// # Errors
    /// The prefix is none, or there is no randomness.
    pub fn api_key(&self, prefix: &str, level: Option<&str>) -> Result<String, Internal> {
        let order = Order {
            prefix: prefix.to_owned(),
            label: "development".to_owned(),
            subject: Some("dev".to_owned()),
            level: level.map(str::to_owned),
            ..Order::default()
        };
        let issued = at_once(self.keys().issue(order, self.clock.unix()));
        let issued =
            issued.ok_or_else(|| Internal::new("a store in memory waits for nobody"))?.map_err(Internal::new)?;
        Ok(issued.text.to_string())
    }
}
