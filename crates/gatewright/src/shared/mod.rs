//! What several servers share: counters, keys and proofs in one store beside them. A server asks it once for a request, for
//! at most the time that the spec grants (`limits.store-budget`), and decides by the spec (`limits.on-outage`) when it does not
//! answer.

mod link;
#[cfg(feature = "redis")]
mod redis;
mod script;
#[cfg(all(test, feature = "redis"))]
#[allow(dead_code, reason = "other tests use more of it, from outside")]
pub(crate) mod server;
#[cfg(all(test, feature = "redis"))]
mod tests;

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use secrecy::SecretString;

pub(crate) use link::Away;
#[cfg(all(test, feature = "redis"))]
pub(crate) use link::{Fault, Line, Transport};
pub(crate) use script::Script;

use link::Link;

/// The variable that names the store, where the configuration does not.
pub(crate) const VARIABLE: &str = "GATEWRIGHT_STORE";

/// The store, as one server sees it.
pub(crate) struct Store {
    link: Link,
    /// What stands in front of all keys. In braces: in a cluster, keys with the same text in braces lie on one node, and a
    /// script may name no others.
    prefix: String,
}

impl Store {
    /// The store behind a URL: `redis://` or `rediss://`.
    ///
    /// # Errors
    /// The URL is not understood, or this build has no client. Never shows the URL, which may hold a password.
    pub(crate) fn open(url: &SecretString, namespace: &str, authorities: Option<&[u8]>) -> Result<Store, String> {
        let prefix = format!("{{{namespace}}}");
        Ok(Store { link: Link::new(transport(url, &prefix, authorities)?), prefix })
    }

    /// A store behind something else than a network.
    #[cfg(all(test, feature = "redis"))]
    pub(crate) fn over(transport: Box<dyn link::Transport>) -> Store {
        Store { link: Link::new(transport), prefix: "{test}".to_owned() }
    }

    /// Starts to connect, where there is a runtime to do it in; else the first request does.
    pub(crate) fn begin(&self) {
        self.link.begin();
    }

    /// Whether it is known to be away: nobody needs to prepare a question then.
    pub(crate) fn is_away(&self) -> bool {
        self.link.is_down()
    }

    /// The key of something, by what it is (a letter) and which.
    pub(crate) fn key(&self, kind: char, which: Digest) -> String {
        use std::fmt::Write;
        let mut key = format!("{}:{kind}:", self.prefix);
        for byte in which {
            let _ = write!(key, "{byte:02x}");
        }
        key
    }

    /// Runs a script, within the budget.
    ///
    /// # Errors
    /// The store is away: it did not answer in time, or did not before and has not been found back.
    pub(crate) async fn run(
        &self,
        budget: Duration,
        script: Script,
        keys: Vec<String>,
        arguments: Vec<Vec<u8>>,
    ) -> Result<Vec<Vec<u8>>, Away> {
        self.link.run(budget, script, keys, arguments).await
    }

    /// What answered makes no sense: as if it had not.
    pub(crate) fn nonsense(&self) -> Away {
        self.link.nonsense()
    }
}

#[cfg(feature = "redis")]
fn transport(url: &SecretString, prefix: &str, authorities: Option<&[u8]>) -> Result<Box<dyn link::Transport>, String> {
    Ok(Box::new(redis::Redis::new(url, prefix, authorities)?))
}

#[cfg(not(feature = "redis"))]
fn transport(_: &SecretString, _: &str, _: Option<&[u8]>) -> Result<Box<dyn link::Transport>, String> {
    Err("to share a store with other servers, `gatewright` needs its feature `redis`".to_owned())
}

/// 128 bits of SHA-256: the same in every server, and nobody finds two texts that share one.
pub(crate) type Digest = [u8; 16];

/// Makes a digest of parts; the length in front of each keeps ("ab", "c") and ("a", "bc") apart.
pub(crate) struct Digester(Context);

impl Digester {
    pub(crate) fn new() -> Digester {
        Digester(Context::new(&SHA256))
    }

    pub(crate) fn add(&mut self, tag: u8, bytes: &[u8]) {
        self.0.update(&[tag]);
        self.0.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> Digest {
        self.0.finish().as_ref().first_chunk().copied().unwrap_or_default()
    }
}
