//! What a deployment says, as opposed to what the spec says: environment, clock, stores, keys. Nothing here can open what
//! the spec closes.

mod setting;

pub(crate) use setting::Resolver;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::around::{For, Inside, Wrap};
use crate::auth::Uses;
use crate::clock::{Clock, SystemClock};
use crate::gateway::AuditLog;
use crate::net::Forwarding;
use crate::outbound::Fetch;
use crate::shared::{Store, VARIABLE};
use gatewright_store::{KeyStore, PasskeyStore, Pepper, QuotaStore};
use secrecy::{SecretSlice, SecretString};

/// Looks a variable up.
/// Which devices a group is.
#[derive(Clone)]
pub(crate) enum DeviceList {
    Known(Vec<String>),
    File(PathBuf),
}

pub(crate) type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The deployment's side of a server.
#[derive(Clone)]
pub struct Config {
    pub(crate) environment: Environment,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keys: Option<(Arc<dyn KeyStore>, Pepper, Arc<Uses>)>,
    pub(crate) passkeys: Option<Arc<dyn PasskeyStore>>,
    pub(crate) jwks: BTreeMap<String, String>,
    pub(crate) key_hosts: Vec<String>,
    pub(crate) key_outage: Duration,
    /// By scheme: who asks about its tokens.
    pub(crate) introspection_clients: BTreeMap<String, (String, SecretString)>,
    pub(crate) dpop_proofs: usize,
    pub(crate) dpop_nonce_key: Option<SecretSlice<u8>>,
    authorities: Option<Vec<u8>>,
    /// Made when it is first needed.
    outbound: Arc<OnceLock<Result<Arc<dyn Fetch>, String>>>,
    pub(crate) forwarding: Forwarding,
    pub(crate) trust_request_id: bool,
    pub(crate) token_cache: usize,
    pub(crate) limiter_keys: usize,
    pub(crate) rate_limit_headers: bool,
    pub(crate) requests: usize,
    pub(crate) idempotency_bytes: usize,
    pub(crate) place_lease: Duration,
    pub(crate) quotas: Option<Arc<dyn QuotaStore>>,
    store: Option<SecretString>,
    store_namespace: String,
    /// In place of a network.
    #[cfg(test)]
    pub(crate) store_over: Option<Arc<crate::shared::Store>>,
    /// Whether development credentials are accepted.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) devices: BTreeMap<String, DeviceList>,
    pub(crate) certificate_header: bool,
    pub(crate) audit: Option<AuditLog>,
    #[cfg(feature = "otel")]
    pub(crate) traces: Option<crate::Traces>,
    /// Layers of the application's, and before which operations each stands.
    pub(crate) layers: Vec<(For, Wrap)>,
    pub(crate) dev: bool,
    /// The development issuer's keys, in place of everybody's.
    pub(crate) dev_jwks: Option<String>,
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}

impl Config {
    /// Safe defaults, the machine's clock, no key store, and an empty environment: only defaults of `${NAME:-default}`
    /// are then known.
    #[must_use]
    pub fn new() -> Config {
        Config {
            environment: Arc::new(|_| None),
            clock: Arc::new(SystemClock::new()),
            keys: None,
            passkeys: None,
            jwks: BTreeMap::new(),
            key_hosts: Vec::new(),
            key_outage: Duration::from_secs(4 * 3_600),
            introspection_clients: BTreeMap::new(),
            dpop_proofs: 500_000,
            dpop_nonce_key: None,
            authorities: None,
            outbound: Arc::default(),
            forwarding: Forwarding::XForwardedFor,
            trust_request_id: false,
            token_cache: 10_000,
            limiter_keys: 1 << 20,
            rate_limit_headers: true,
            requests: 1_024,
            idempotency_bytes: 64 << 20,
            place_lease: Duration::from_secs(10),
            quotas: None,
            store: None,
            store_namespace: "gatewright".to_owned(),
            #[cfg(test)]
            store_over: None,
            files: Vec::new(),
            devices: BTreeMap::new(),
            certificate_header: false,
            audit: None,
            #[cfg(feature = "otel")]
            traces: None,
            layers: Vec::new(),
            dev: false,
            dev_jwks: None,
        }
    }

    /// As [`new`](Config::new), with the variables of this process.
    #[must_use]
    pub fn from_env() -> Config {
        Config::new().environment(|name| std::env::var(name).ok())
    }

    /// Where `${NAME}` is looked up. It is asked once for each, at start.
    #[must_use]
    pub fn environment(mut self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Config {
        self.environment = Arc::new(lookup);
        self
    }

    /// Variables from a list: the other ones are unset.
    #[must_use]
    pub fn variables<K: Into<String>, V: Into<String>>(self, pairs: impl IntoIterator<Item = (K, V)>) -> Config {
        let map: BTreeMap<String, String> = pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        self.environment(move |name| map.get(name).cloned())
    }

    /// Where the time comes from.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Config {
        self.clock = clock;
        self
    }

    /// Where API keys are looked up, and the secret that their hashes are keyed with.
    #[must_use]
    pub fn api_keys(mut self, store: Arc<dyn KeyStore>, pepper: Pepper) -> Config {
        let uses = Arc::new(Uses::new(store.clone()));
        self.keys = Some((store, pepper, uses));
        self
    }

    /// Where passkeys are kept. Challenges, and who showed a passkey and when, are known to this process alone: several behind
    /// one name need a balancer that sends a caller to the same one.
    #[must_use]
    pub fn passkeys(mut self, store: Arc<dyn PasskeyStore>) -> Config {
        self.passkeys = Some(store);
        self
    }

    /// Variables from a file, before all others: a `NAME=value` each line; empty lines and those that begin with `#` say
    /// nothing. Networks and trusted proxies are read from it again when it changes ([`Gateway::reload`]).
    ///
    /// [`Gateway::reload`]: crate::Gateway::reload
    #[must_use]
    pub fn environment_file(mut self, path: impl Into<PathBuf>) -> Config {
        let (path, others) = (path.into(), self.environment.clone());
        self.files.push(path.clone());
        // A file that cannot be read is reported where settings are: it never comes to its defaults.
        self.environment(move |name| {
            let text = std::fs::read_to_string(&path).ok()?;
            let said = text.lines().filter_map(|line| pair(line)?).find(|(key, _)| *key == name);
            said.map(|(_, value)| value.to_owned()).or_else(|| others(name))
        })
    }

    /// Which devices a group of `allow.devices` is: SHA-256 thumbprints of client certificates, or of the keys of DPoP proofs
    /// (RFC 7638), in hexadecimal digits or base64url.
    #[must_use]
    pub fn devices<T: Into<String>>(
        mut self,
        group: impl Into<String>,
        thumbprints: impl IntoIterator<Item = T>,
    ) -> Config {
        let list = thumbprints.into_iter().map(Into::into).collect();
        self.devices.insert(group.into(), DeviceList::Known(list));
        self
    }

    /// The same from a file: a thumbprint each line, and what stands behind `#` is for people. It is read again when it
    /// changes ([`Gateway::reload`](crate::Gateway::reload)).
    #[must_use]
    pub fn devices_file(mut self, group: impl Into<String>, path: impl Into<PathBuf>) -> Config {
        self.devices.insert(group.into(), DeviceList::File(path.into()));
        self
    }

    /// Writes audit records there too, beside the log: each refusal, each admission where the operation asks for it
    /// (`audit: true`), and unusual uses of API keys.
    #[must_use]
    pub fn audit(mut self, log: AuditLog) -> Config {
        self.audit = Some(log);
        self
    }

    /// Sends a span of each request, and of what its guard decided, to an OpenTelemetry collector. A request of a trusted proxy
    /// is part of the trace that its `traceparent` names (W3C Trace Context).
    #[cfg(feature = "otel")]
    #[must_use]
    pub fn traces(mut self, traces: crate::Traces) -> Config {
        self.traces = Some(traces);
        self
    }

    /// Takes the client's certificate from `Client-Cert` (RFC 9440) of trusted proxies. Default: no. Say yes only where each of
    /// them verifies certificates, sets the header, and takes away what clients send under its name.
    #[must_use]
    pub fn client_certificate_header(mut self, trust: bool) -> Config {
        self.certificate_header = trust;
        self
    }

    /// The JWKS (RFC 7517) of a security scheme, in place of what the spec says about its keys.
    #[must_use]
    pub fn jwks(mut self, scheme: impl Into<String>, json: impl Into<String>) -> Config {
        self.jwks.insert(scheme.into(), json.into());
        self
    }

    /// Hosts besides an issuer's own on which its metadata may say that its keys are.
    #[must_use]
    pub fn key_hosts<H: Into<String>>(mut self, hosts: impl IntoIterator<Item = H>) -> Config {
        self.key_hosts.extend(hosts.into_iter().map(Into::into));
        self
    }

    /// For how long keys by URL or discovery are used after they were last fetched, while the issuer cannot be reached.
    /// After that its tokens are refused (503). Default: four hours.
    #[must_use]
    pub fn key_outage(mut self, longest: Duration) -> Config {
        self.key_outage = longest;
        self
    }

    /// The client that asks a scheme's issuer about tokens (RFC 7662, 2.1), and its secret.
    #[must_use]
    pub fn introspection_client(
        mut self,
        scheme: impl Into<String>,
        id: impl Into<String>,
        secret: impl Into<SecretString>,
    ) -> Config {
        self.introspection_clients.insert(scheme.into(), (id.into(), secret.into()));
        self
    }

    /// How many proofs (RFC 9449) are remembered within two minutes, so that none is used twice; one more is refused
    /// (503). Default 500,000, about 20 MB when full. Other processes know them where a store is shared.
    #[must_use]
    pub fn dpop_proofs(mut self, most: usize) -> Config {
        self.dpop_proofs = most;
        self
    }

    /// What nonces of proofs are made with, for several servers that stand for one. Default: random in each process.
    #[must_use]
    pub fn dpop_nonce_key(mut self, key: impl Into<SecretSlice<u8>>) -> Config {
        self.dpop_nonce_key = Some(key.into());
        self
    }

    /// Certificate authorities, in PEM, that may vouch for the issuers that are asked, in place of the machine's own.
    #[must_use]
    pub fn certificate_authorities(mut self, pem: impl Into<Vec<u8>>) -> Config {
        self.authorities = Some(pem.into());
        self.outbound = Arc::default();
        self
    }

    /// Which forwarding header trusted proxies set. The other one is ignored. Default: `X-Forwarded-For`.
    #[must_use]
    pub fn forwarding(mut self, forwarding: Forwarding) -> Config {
        self.forwarding = forwarding;
        self
    }

    /// Takes a request id from a trusted proxy's `X-Request-Id`. Default: no. One from anybody else never counts.
    #[must_use]
    pub fn request_id_of_proxies(mut self, trust: bool) -> Config {
        self.trust_request_id = trust;
        self
    }

    /// How many verified tokens are remembered per scheme. Default 10,000, about 10 MB; 0 remembers none.
    #[must_use]
    pub fn token_cache(mut self, entries: usize) -> Config {
        self.token_cache = entries;
        self
    }

    /// How many keys the rate limiter holds at most. Default 1,048,576, about 64 MB when full.
    #[must_use]
    pub fn limiter_keys(mut self, keys: usize) -> Config {
        self.limiter_keys = keys;
        self
    }

    /// Whether `RateLimit` and `RateLimit-Policy` are sent (draft-ietf-httpapi-ratelimit-headers-10). Default: yes.
    #[must_use]
    pub fn rate_limit_headers(mut self, send: bool) -> Config {
        self.rate_limit_headers = send;
        self
    }

    /// Puts a [`tower`](https://docs.rs/tower) layer between the guards and the handlers of some operations. The caller is
    /// known by then (`Arc<Identity>` is among the request's extensions, where there is one), and nothing of the body is
    /// read. Of several the first is the outermost. A layer cannot skip a guard, and its time counts against the
    /// operation's `timeout`. Default: none.
    ///
    /// What must see every request as it comes, also one that is refused, is a layer of the whole
    /// [`Router`](axum::Router::layer); what is about the values of one operation is written around its handler.
    ///
    /// ```text
    /// config.layer(For::policy(|policy| policy.audit), SetResponseHeaderLayer::overriding(name, value))
    /// ```
    #[must_use]
    pub fn layer<L, B>(mut self, operations: For, layer: L) -> Config
    where
        L: Layer<Inside> + Send + Sync + 'static,
        L::Service: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Error: Into<Infallible>,
        <L::Service as Service<Request<Body>>>::Future: Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        self.layers.push((operations, Inside::wrap(layer)));
        self
    }

    /// How many requests are worked on at a time, at least 1: from their head to the head of their answer. One more is
    /// answered 503 with `Retry-After`, before anything of it is read. Default 1,024.
    #[must_use]
    pub fn requests_at_once(mut self, most: usize) -> Config {
        self.requests = most;
        self
    }

    /// About how many bytes idempotency keys and their results may take in the memory of this server, where there is no
    /// shared store; one caller has an eighth of them. One more key is refused (503). Default 64 MB.
    #[must_use]
    pub fn idempotency_bytes(mut self, most: usize) -> Config {
        self.idempotency_bytes = most;
        self
    }

    /// The store that several servers share for their limits and idempotency keys: Redis 5 or later, or Valkey. `redis://HOST:PORT`; with TLS and
    /// an ACL user, `rediss://USER:PASSWORD@HOST:PORT/DATABASE`. Where this is not called, the variable `GATEWRIGHT_STORE`
    /// names it; without either each server counts for itself. Needs the feature `redis`. The spec says what happens while
    /// the store is away (`limits: { on-outage, store-budget }`).
    #[must_use]
    pub fn shared_store(mut self, url: impl Into<SecretString>) -> Config {
        self.store = Some(url.into());
        self
    }

    /// What keeps quotas of days and months over restarts of this server, where it counts alone:
    /// [`store::FileStore`](crate::store::FileStore). It is written every second beside the requests, and by
    /// [`Gateway::flush`](crate::Gateway::flush): a server that dies forgets what passed in its last second.
    #[must_use]
    pub fn quotas(mut self, store: Arc<dyn QuotaStore>) -> Config {
        self.quotas = Some(store);
        self
    }

    /// How long a place among the requests of a caller that run at once (`concurrent`) outlives a server that died, where servers
    /// share a store. A server prolongs the places of what runs every third of it. Default 10 s, at least 1 s.
    #[must_use]
    pub fn place_lease(mut self, length: Duration) -> Config {
        self.place_lease = length;
        self
    }

    /// What the store's keys begin with. Servers of the same API have the same, those of two APIs have two, or the calls of
    /// one count in the other. Default `gatewright`.
    #[must_use]
    pub fn store_namespace(mut self, namespace: impl Into<String>) -> Config {
        self.store_namespace = namespace.into();
        self
    }
}

impl Config {
    /// The store that is shared, if any.
    pub(crate) fn store(&self, r: &mut Resolver) -> Option<Arc<Store>> {
        #[cfg(test)]
        if let Some(store) = &self.store_over {
            return Some(store.clone());
        }
        let named = || (self.environment)(VARIABLE).filter(|url| !url.is_empty()).map(SecretString::from);
        let url = self.store.clone().or_else(named)?;
        let namespace = &self.store_namespace;
        if namespace.is_empty() || namespace.contains(['{', '}']) {
            r.problem("", "the namespace of the shared store is empty, or has braces");
        }
        match Store::open(&url, namespace, self.authorities.as_deref()) {
            Ok(store) => Some(Arc::new(store)),
            Err(why) => {
                r.problem("", why);
                None
            }
        }
    }

    /// What asks others.
    pub(crate) fn outbound(&self) -> Result<Arc<dyn Fetch>, String> {
        self.outbound.get_or_init(|| client(self.authorities.as_deref())).clone()
    }

    /// Asks by way of this in place of the network.
    #[cfg(test)]
    pub(crate) fn asking(mut self, fetch: Arc<dyn Fetch>) -> Config {
        self.outbound = Arc::new(OnceLock::from(Ok(fetch)));
        self
    }

    /// The keys that stand in for those of a scheme.
    pub(crate) fn jwks_of(&self, scheme: &str) -> Option<&str> {
        self.jwks.get(scheme).or(self.dev_jwks.as_ref()).map(String::as_str)
    }

    /// Whether the server accepts development credentials: to show in a health report, or to refuse in a deployment's own
    /// checks.
    #[must_use]
    pub fn is_dev(&self) -> bool {
        self.dev
    }
}

#[cfg(feature = "oidc")]
fn client(authorities: Option<&[u8]>) -> Result<Arc<dyn Fetch>, String> {
    Ok(Arc::new(crate::outbound::Https::new(authorities)?))
}

#[cfg(not(feature = "oidc"))]
fn client(_: Option<&[u8]>) -> Result<Arc<dyn Fetch>, String> {
    Err("to ask an issuer, `gatewright` needs its feature `oidc`".to_owned())
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("keys", &self.keys.is_some()).field("dev", &self.dev).finish_non_exhaustive()
    }
}

/// A line of an environment's file: a name and its value; nothing within for a line that says nothing, nothing at all for one
/// that cannot be read.
#[allow(clippy::option_option, reason = "a line may be good and say nothing")]
pub(crate) fn pair(line: &str) -> Option<Option<(&str, &str)>> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Some(None);
    }
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end();
    let good = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    good.then(|| Some((name, value.trim())))
}

/// Why a server does not start: everything that is wrong, at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartError {
    /// The problems, in the order of the spec.
    pub problems: Vec<StartProblem>,
}

/// One thing that is wrong with a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartProblem {
    /// Where the spec asks for it (`bank.yaml:12`); empty where it is not about a line.
    pub at: String,
    /// What is wrong. Never holds a secret.
    pub message: String,
}

impl StartError {
    /// One problem that is not about a line of the spec.
    pub fn new(message: impl Into<String>) -> StartError {
        StartError { problems: vec![StartProblem { at: String::new(), message: message.into() }] }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server does not start")?;
        for problem in &self.problems {
            write!(f, "\n  ")?;
            if !problem.at.is_empty() {
                write!(f, "{}: ", problem.at)?;
            }
            f.write_str(&problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for StartError {}
