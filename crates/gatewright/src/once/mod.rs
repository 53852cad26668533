//! Idempotency keys (draft-ietf-httpapi-idempotency-key-header-07): a request that is sent again is answered with the first
//! result, and its handler is not entered again. A key belongs to one caller and one operation.
//!
//! While the first request is worked on, the key is leased: for a little longer than the request may take. The work goes on
//! when its client leaves, since a client that hears nothing is the one that sends again.
//!
//! Whoever began and did not come to an answer (a panic, a deadline, a server that died) may have acted: nobody does it
//! again under that key.

mod memory;
mod stored;

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use gatewright_policy::Refusal;
use gatewright_policy::table::Idempotency;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderName};
use tokio::time::Instant;

pub(crate) use memory::Memory;

use crate::auth::Identity;
use crate::gateway::Shared;
use crate::guard::{Admission, Guard};
use crate::limit::{Slots, away, counted};
use crate::params::Sent;
use crate::reply::Reply;
use crate::shared::{Away, Digest, Digester, Script};
use crate::{Internal, RawParts, Refused, shield};

const FIELD: HeaderName = HeaderName::from_static("idempotency-key");
/// Longer keys are refused.
const LONGEST_KEY: usize = 255;
/// How much longer than its request a lease lives.
const GRACE: Duration = Duration::from_secs(5);

/// The SHA-256 of what a request asks.
type Fingerprint = [u8; 32];

/// What a store knows of a key.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// Nothing: it is leased now.
    Fresh,
    /// It is leased to another request.
    Running,
    /// The first request asked something else.
    Other,
    /// The first request was begun, and its lease ended without a result.
    Unknown,
    /// The first result.
    Done(Vec<u8>),
    /// There is no room to remember it.
    Full,
}

/// A request whose operation takes idempotency keys.
pub(crate) struct Once {
    guard: Guard,
    policy: Idempotency,
    key: Result<Option<Digest>, ()>,
    caller: Digest,
    fingerprint: Fingerprint,
    deadline: Instant,
    /// Its work may outlive its client, and runs as long.
    running: Option<Arc<Slots>>,
}

impl std::fmt::Debug for Once {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Once").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Once {
    /// What is compared and remembered of a request; nothing where its operation takes no keys, or needs none and got none.
    pub(crate) fn of(
        admission: &Admission,
        client: Option<IpAddr>,
        raw: &RawParts,
        sent: &Sent,
        deadline: Instant,
    ) -> Option<Box<Once>> {
        let guard = admission.guard();
        let policy = guard.policy().idempotency?;
        let body = match sent {
            Sent::Json(_, document) => document.text(),
            // Bodies that are not held are refused by the compiler.
            Sent::Nothing | Sent::Stream(..) | Sent::Wrong => "",
        };
        let key = key(&raw.headers);
        // Nothing is to be remembered of it.
        if key == Ok(None) && !policy.required {
            return None;
        }
        let caller = caller(admission.identity().map(|id| &**id), client);
        let key = key.map(|key| {
            let key = key?;
            let mut digester = Digester::new();
            for part in [guard.prefix(), guard.policy().operation] {
                digester.add(1, part.as_bytes());
            }
            digester.add(2, &caller);
            digester.add(3, key.as_bytes());
            Some(digester.finish())
        });
        let fingerprint = fingerprint(raw, body.as_bytes());
        let (guard, running) = (guard.clone(), admission.running().cloned());
        Some(Box::new(Once { guard, policy, key, caller, fingerprint, deadline, running }))
    }

    /// Does the work, unless it was done before.
    ///
    /// # Errors
    /// The key is missing, is none, is in use, or was another request's; or it cannot be remembered now.
    pub(crate) async fn run(
        self: Box<Once>,
        work: Pin<Box<dyn Future<Output = Reply> + Send>>,
    ) -> Result<Reply, Refused> {
        let key = match self.key {
            Err(()) => return Err(Refused::new(Refusal::IdempotencyKeyInvalid).with_detail(INVALID)),
            Ok(None) => return Err(Refused::new(Refusal::IdempotencyKeyMissing).with_detail(MISSING)),
            Ok(Some(key)) => key,
        };
        let shared = self.guard.shared().clone();
        let now = shared.clock.monotonic();
        let lease = Lease { once: self, key, token: shared.ids.next(), shared };
        match lease.begin(now).await {
            Err(Away) => return Err(away()),
            Ok(Found::Fresh) => {}
            Ok(Found::Running) => {
                let refused = Refused::new(Refusal::IdempotencyConflict).with_detail(RUNNING);
                return Err(refused.retry_after(1));
            }
            Ok(Found::Other) => return Err(Refused::new(Refusal::IdempotencyKeyReused).with_detail(REUSED)),
            Ok(Found::Unknown) => return Err(unknown()),
            Ok(Found::Full) => {
                let refused = Refused::new(Refusal::Unavailable).retry_after(60);
                return Err(refused.because("there is no room for idempotency keys"));
            }
            Ok(Found::Done(bytes)) => return again(&bytes, lease.once.guard.filters_answers()),
        }
        let done = tokio::spawn(async move {
            match shield(lease.once.deadline, work).await {
                Ok(mut reply) => {
                    let bytes = stored::write(&mut reply).await;
                    lease.finish(bytes).await;
                    Ok(reply)
                }
                // What it had done by then, nobody knows.
                Err(refused) => {
                    lease.finish(stored::unknown()).await;
                    Err(refused)
                }
            }
        });
        done.await.unwrap_or_else(|error| Err(Refused::internal(Internal::new(error.to_string()))))
    }
}

const MISSING: &str =
    "the operation needs an Idempotency-Key: a text that is new for each request, and the same when it is sent again";
const INVALID: &str = "the Idempotency-Key is one text in quotes of at most 255 visible characters";
const RUNNING: &str = "the same request is being worked on";
const REUSED: &str = "another request had this Idempotency-Key";
const UNKNOWN: &str = "the same request was begun before, and how it ended is not known: look for its effect before it is sent \
                       under another Idempotency-Key";
const NOT_KEPT: &str = "the request was done before, and its answer is not kept: it was too large, or values \
                        of which each caller sees others";

/// The first result. Where answers are looked through now, values that were kept in another form than JSON are from before
/// there was something to hide, and are not shown again.
fn again(bytes: &[u8], filtered: bool) -> Result<Reply, Refused> {
    match stored::read(bytes) {
        Some(stored::Kept::Reply(reply)) if filtered && reply.holds_other_values() => {
            Err(Refused::new(Refusal::IdempotencyConflict).with_detail(NOT_KEPT))
        }
        Some(stored::Kept::Reply(reply)) => Ok(*reply),
        Some(stored::Kept::Nothing) => Err(Refused::new(Refusal::IdempotencyConflict).with_detail(NOT_KEPT)),
        Some(stored::Kept::Unknown) => Err(unknown()),
        None => Err(Refused::internal(Internal::new("a kept answer cannot be read"))),
    }
}

fn unknown() -> Refused {
    Refused::new(Refusal::IdempotencyOutcomeUnknown).with_detail(UNKNOWN)
}

/// A key in use by one request.
struct Lease {
    once: Box<Once>,
    key: Digest,
    /// Whose it is.
    token: [u8; 32],
    shared: Arc<Shared>,
}

impl Lease {
    fn budget(&self) -> Duration {
        Duration::from_millis(u64::from(self.once.guard.store_policy().budget))
    }

    fn lease(&self) -> Duration {
        self.once.guard.timeout() + GRACE
    }

    /// For how long a result is kept.
    fn kept(&self) -> Duration {
        Duration::from_secs(u64::from(self.once.policy.expires))
    }

    async fn ask(&self, script: Script, arguments: Vec<Vec<u8>>) -> Option<Result<Vec<Vec<u8>>, Away>> {
        let store = self.shared.store.as_ref()?;
        Some(store.run(self.budget(), script, vec![store.key('i', self.key)], arguments).await)
    }

    async fn begin(&self, now: u64) -> Result<Found, Away> {
        let (lease, kept) = (self.lease(), self.kept());
        let arguments = || {
            let [lease, kept] = [lease, lease + kept].map(|time| time.as_millis().to_string().into_bytes());
            vec![self.once.fingerprint.to_vec(), self.token.to_vec(), lease, kept]
        };
        match self.ask(Script::Begin, arguments()).await {
            None => {
                let (caller, fingerprint) = (self.once.caller, self.once.fingerprint);
                Ok(self.shared.once.begin(self.key, caller, fingerprint, self.token, now, (lease, kept)))
            }
            Some(answer) => {
                let mut answer = answer?.into_iter();
                match (answer.next().as_deref(), answer.next()) {
                    (Some(b"fresh"), None) => Ok(Found::Fresh),
                    (Some(b"running"), None) => Ok(Found::Running),
                    (Some(b"other"), None) => Ok(Found::Other),
                    (Some(b"unknown"), None) => Ok(Found::Unknown),
                    (Some(b"done"), Some(bytes)) => Ok(Found::Done(bytes)),
                    _ => Err(Away),
                }
            }
        }
    }

    /// Keeps the result. While the store is away it is tried again, for as long as the lease lives.
    async fn finish(mut self, bytes: Vec<u8>) {
        // The work is done, however long it takes to say so.
        self.once.running = None;
        let now = self.shared.clock.monotonic();
        let expires = self.kept();
        let arguments = move |this: &Lease, bytes: &[u8]| {
            let milliseconds = expires.as_millis().to_string().into_bytes();
            vec![this.once.fingerprint.to_vec(), this.token.to_vec(), milliseconds, bytes.to_vec()]
        };
        match self.ask(Script::Finish, arguments(&self, &bytes)).await {
            None => self.shared.once.finish(self.key, self.token, bytes, now, expires),
            Some(Ok(_)) => {}
            Some(Err(Away)) => {
                let until = Instant::now() + self.lease();
                tokio::spawn(async move {
                    while Instant::now() < until {
                        tokio::time::sleep(AGAIN).await;
                        if let Some(Ok(_)) = self.ask(Script::Finish, arguments(&self, &bytes)).await {
                            return;
                        }
                    }
                    tracing::error!(target: "gatewright::store", "the result of a request could not be kept: whoever sends it again hears that its outcome is unknown");
                });
            }
        }
    }
}

const AGAIN: Duration = Duration::from_millis(200);

/// Who sends: whoever the credential names, or an address where there is none.
fn caller(identity: Option<&Identity>, client: Option<IpAddr>) -> Digest {
    let mut digester = Digester::new();
    let known =
        identity.map(|id| [(1, id.subject()), (2, id.client()), (3, id.key().filter(|_| id.subject().is_none()))]);
    let known: Vec<(u8, &str)> = known.into_iter().flatten().filter_map(|(tag, text)| Some((tag, text?))).collect();
    for scheme in identity.iter().flat_map(|id| id.schemes()) {
        digester.add(4, scheme.as_bytes());
    }
    if known.is_empty() {
        let (kind, address) = counted(client);
        digester.add(0, &[kind.to_be_bytes(), address.to_be_bytes()].concat());
    }
    for (tag, text) in known {
        digester.add(tag, text.as_bytes());
    }
    digester.finish()
}

/// The key: a string of structured fields (RFC 9651, 3.3.3), or the same without its quotes, which many clients send.
fn key(headers: &HeaderMap) -> Result<Option<String>, ()> {
    let mut all = headers.get_all(FIELD).iter();
    let (Some(value), None) = (all.next(), all.next()) else {
        return if headers.contains_key(FIELD) { Err(()) } else { Ok(None) };
    };
    let text = value.to_str().map_err(drop)?.trim_matches(' ');
    let key = match text.strip_prefix('"') {
        Some(rest) => unquoted(rest)?,
        None if text.contains(['"', ',', ';', '\\', ' ']) => return Err(()),
        None => text.to_owned(),
    };
    let sound = (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|b| (b' '..=b'~').contains(&b));
    if sound { Ok(Some(key)) } else { Err(()) }
}

fn unquoted(rest: &str) -> Result<String, ()> {
    let (mut key, mut characters) = (String::new(), rest.chars());
    loop {
        match characters.next().ok_or(())? {
            '"' => break,
            '\\' => match characters.next() {
                Some(c @ ('"' | '\\')) => key.push(c),
                _ => return Err(()),
            },
            c => key.push(c),
        }
    }
    if characters.next().is_none() { Ok(key) } else { Err(()) }
}

fn fingerprint(raw: &RawParts, body: &[u8]) -> Fingerprint {
    let target = raw.uri.path_and_query().map_or("", |target| target.as_str());
    let media = raw.headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let mut text = Vec::with_capacity(target.len() + media.len() + body.len() + 48);
    for part in [raw.method.as_str().as_bytes(), target.as_bytes(), media, body] {
        text.extend_from_slice(&part.len().to_be_bytes());
        text.extend_from_slice(part);
    }
    digest(&SHA256, &text).as_ref().first_chunk().copied().unwrap_or([0; 32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_before_it_had_to_be_looked_through_is_not_shown() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for (media_type, filtered, shown) in [
            ("application/json", true, true),
            ("application/hal+json", true, true),
            ("image/png", true, true),
            ("application/xml", false, true),
            ("application/xml", true, false),
            ("application/jsonl", true, false),
            ("text/event-stream; charset=utf-8", true, false),
        ] {
            let mut reply = Reply::body(200, media_type, "x");
            let bytes = runtime.block_on(stored::write(&mut reply));
            assert_eq!(again(&bytes, filtered).is_ok(), shown, "{media_type}");
        }
    }

    /// Rows: K2.
    #[test]
    fn k2_a_key_is_one_short_text() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(FIELD, value.parse().unwrap());
            }
            key(&headers)
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["\"8e03978e-40d5\""]), Ok(Some("8e03978e-40d5".into())));
        assert_eq!(read(&["8e03978e-40d5"]), Ok(Some("8e03978e-40d5".into())), "as many send it");
        assert_eq!(read(&["\"a \\\"b\\\\\""]), Ok(Some("a \"b\\".into())));
        let long = "x".repeat(256);
        for bad in ["", "\"\"", "\"a", "\"a\"b", "\"a\\b\"", "a b", "a,b", "a;q=1", "\"a\";q=1", &long] {
            assert_eq!(read(&[bad]), Err(()), "{bad}");
        }
        assert_eq!(read(&["a", "a"]), Err(()));
    }
}
