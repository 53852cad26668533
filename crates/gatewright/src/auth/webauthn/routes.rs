//! The routes that a server with passkeys has beside those of its document. Who may call them is a policy of the table:
//! whoever may call an operation that asks for a passkey, as far as his credentials go.

use aws_lc_rs::rand;
use axum::body::{Body, Bytes};
use gatewright_policy::Refusal;
use gatewright_store::{PasskeyAdded, PasskeyRecord, PasskeyUse, StoreError};
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::ceremony::{self, Assertion, Registration};
use super::{Challenge, Kind, MOST, Owner, Passkeys, RECENT};
use crate::auth::jwt::base64::{self, encode_url};
use crate::gateway::{Exchange, PathValues, note_passkey};
use crate::guard::{Admission, Guard};
use crate::params::media;
use crate::reply::Reply;
use crate::{Internal, Refused, collect_body};

/// One of the routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    RegistrationOptions,
    Registration,
    AssertionOptions,
    Assertion,
    List,
    Remove,
}

pub(super) const ASSERTION_OPTIONS: &str = "/webauthn/assertion/options";

/// Each with its method and path, behind the prefix of its version.
pub(crate) const ROUTES: [(Route, &str, &str); 6] = [
    (Route::RegistrationOptions, "POST", "/webauthn/registration/options"),
    (Route::Registration, "POST", "/webauthn/registration"),
    (Route::AssertionOptions, "POST", ASSERTION_OPTIONS),
    (Route::Assertion, "POST", "/webauthn/assertion"),
    (Route::List, "GET", "/webauthn/passkeys"),
    (Route::Remove, "DELETE", "/webauthn/passkeys/{passkey}"),
];

/// Letters of a passkey's name at most.
const NAME: usize = 64;

/// A request of an admitted caller.
pub(crate) struct Asked<'r> {
    pub(crate) exchange: &'r Exchange,
    pub(crate) guard: &'r Guard,
    pub(crate) admission: &'r Admission,
    pub(crate) parts: &'r Parts,
    pub(crate) path: &'r dyn PathValues,
}

impl Passkeys {
    /// Answers an admitted request.
    pub(crate) async fn answer(&self, route: Route, asked: &Asked<'_>, body: Body) -> Result<Reply, Refused> {
        let owner = asked.admission.identity().and_then(|identity| self.owner(identity));
        let owner = owner.ok_or_else(|| refused("the credential names no subject"))?;
        match route {
            Route::RegistrationOptions => self.begin_registration(&owner, asked).await,
            Route::Registration => self.register(&owner, asked, read(asked, body).await?).await,
            Route::AssertionOptions => self.begin_assertion(&owner, asked).await,
            Route::Assertion => self.assert(&owner, asked, read(asked, body).await?).await,
            Route::List => {
                let passkeys: Vec<Value> = self.passkeys(&owner).await?.iter().map(shown).collect();
                Ok(reply(200, &json!({"passkeys": passkeys})))
            }
            Route::Remove => self.remove(&owner, asked).await,
        }
    }

    async fn passkeys(&self, owner: &Owner) -> Result<Vec<PasskeyRecord>, Refused> {
        self.store.passkeys(&owner.user).await.map_err(unavailable)
    }

    /// Whoever has passkeys changes them with one of them: a stolen token alone adds none, and removes none.
    fn fresh(&self, owner: &Owner, asked: &Asked<'_>) -> Result<(), Refused> {
        if self.assertions.recent(&owner.mark, RECENT, asked.exchange.started).is_some() {
            return Ok(());
        }
        let refused = Refused::new(Refusal::StepUpRequired).because("passkeys are changed with a passkey");
        Err(refused.with_header(WWW_AUTHENTICATE, self.challenge.clone()))
    }

    fn challenge(&self, owner: &Owner, kind: Kind, handle: Vec<u8>, now: u64) -> Result<[u8; 32], Refused> {
        let bytes = random()?;
        if self.challenges.put((owner.mark, kind), Challenge { bytes, handle }, now) {
            return Ok(bytes);
        }
        Err(full())
    }

    async fn begin_registration(&self, owner: &Owner, asked: &Asked<'_>) -> Result<Reply, Refused> {
        let known = self.passkeys(owner).await?;
        if !known.is_empty() {
            self.fresh(owner, asked)?;
        }
        if known.len() >= MOST {
            return Err(too_many());
        }
        let handle = match known.first() {
            Some(record) => record.handle.clone(),
            None => random()?.to_vec(),
        };
        let challenge = self.challenge(owner, Kind::Registration, handle.clone(), asked.exchange.started)?;
        Ok(reply(200, &self.party.creation(&challenge, &handle, &owner.user.subject, &known)))
    }

    async fn register(&self, owner: &Owner, asked: &Asked<'_>, sent: Registration) -> Result<Reply, Refused> {
        // Taken whatever comes of it: a challenge is answered once.
        let taken = self.challenges.take(&(owner.mark, Kind::Registration), asked.exchange.started);
        let challenge = taken.ok_or_else(|| refused("no challenge of this caller's is open"))?;
        // Somebody else may have registered the first one in the meantime.
        if !self.passkeys(owner).await?.is_empty() {
            self.fresh(owner, asked)?;
        }
        let name: String = sent.name.chars().filter(|c| !c.is_control()).take(NAME).collect();
        let made = self.party.register(&challenge.bytes, sent).map_err(refused)?;
        let record = PasskeyRecord {
            id: made.id,
            user: owner.user.clone(),
            handle: challenge.handle,
            public_key: made.public_key,
            counter: made.counter,
            backup_eligible: made.backup_eligible,
            backed_up: made.backed_up,
            transports: made.transports,
            aaguid: made.aaguid,
            name,
            registered: asked.exchange.unix,
            used: None,
        };
        match self.store.add(&record, MOST).await.map_err(unavailable)? {
            PasskeyAdded::Yes => {
                note_passkey(
                    asked.guard.shared(),
                    asked.exchange,
                    "passkey-registered",
                    &owner.user.subject,
                    &encode_url(&record.id),
                );
                Ok(reply(201, &shown(&record)))
            }
            PasskeyAdded::Taken => Err(refused("there is a passkey of this id")),
            PasskeyAdded::Full => Err(too_many()),
        }
    }

    async fn begin_assertion(&self, owner: &Owner, asked: &Asked<'_>) -> Result<Reply, Refused> {
        let known = self.passkeys(owner).await?;
        if known.is_empty() {
            let detail = format!("register a passkey first: POST {}/webauthn/registration/options", self.prefix);
            return Err(refused("the user has no passkey").with_detail(detail));
        }
        let challenge = self.challenge(owner, Kind::Assertion, Vec::new(), asked.exchange.started)?;
        Ok(reply(200, &self.party.request(&challenge, &known)))
    }

    async fn assert(&self, owner: &Owner, asked: &Asked<'_>, sent: Assertion) -> Result<Reply, Refused> {
        let taken = self.challenges.take(&(owner.mark, Kind::Assertion), asked.exchange.started);
        let challenge = taken.ok_or_else(|| refused("no challenge of this caller's is open"))?;
        let id = sent.id().map_err(refused)?;
        let known = self.passkeys(owner).await?;
        let record = known.iter().find(|record| record.id == id);
        let asserted = match self.party.assert(&challenge.bytes, record, &sent) {
            Ok(asserted) => asserted,
            Err(ceremony::Refusal::For(why)) => return Err(refused(why)),
            Err(ceremony::Refusal::Cloned) => return Err(self.cloned(owner, asked, &id)),
        };
        let used = PasskeyUse {
            counter_before: record.map_or(0, |record| record.counter),
            counter: asserted.counter,
            backed_up: asserted.backed_up,
            at: asked.exchange.unix,
        };
        if !self.store.used(&owner.user, &id, used).await.map_err(unavailable)? {
            return Err(self.cloned(owner, asked, &id));
        }
        if !self.assertions.put(owner.mark, asked.exchange.unix, asked.exchange.started) {
            return Err(full());
        }
        note_passkey(asked.guard.shared(), asked.exchange, "passkey-shown", &owner.user.subject, &encode_url(&id));
        Ok(reply(200, &json!({"passkey": encode_url(&id), "asserted": asked.exchange.unix})))
    }

    /// Two that count as one: the same answer as for any passkey that is not good, and an event of its own.
    fn cloned(&self, owner: &Owner, asked: &Asked<'_>, id: &[u8]) -> Refused {
        note_passkey(asked.guard.shared(), asked.exchange, "passkey-cloned", &owner.user.subject, &encode_url(id));
        refused("the passkey's counter did not rise: there may be a copy of it")
    }

    async fn remove(&self, owner: &Owner, asked: &Asked<'_>) -> Result<Reply, Refused> {
        self.fresh(owner, asked)?;
        let id = asked.path.get("passkey").and_then(base64::url);
        let id = id.ok_or_else(|| Refused::new(Refusal::NotOwned))?;
        if !self.store.remove(&owner.user, &id).await.map_err(unavailable)? {
            return Err(Refused::new(Refusal::NotOwned));
        }
        note_passkey(asked.guard.shared(), asked.exchange, "passkey-removed", &owner.user.subject, &encode_url(&id));
        Ok(Reply::empty(204))
    }
}

/// The body of an answer. It must say that it is JSON: a form of another site's page cannot.
async fn read<T: DeserializeOwned>(asked: &Asked<'_>, body: Body) -> Result<T, Refused> {
    let kind = asked.parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !kind.is_some_and(media::is_json) {
        return Err(Refused::new(Refusal::UnsupportedMediaType));
    }
    let deadline = asked.exchange.deadline(asked.guard);
    let bytes: Bytes = collect_body(&asked.parts.headers, body, asked.guard.body_limit(), deadline).await?;
    serde_json::from_slice(&bytes).map_err(|_| Refused::new(Refusal::Malformed))
}

fn random() -> Result<[u8; 32], Refused> {
    let mut bytes = [0; 32];
    match rand::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(Refused::internal(Internal::new("there is no randomness"))),
    }
}

/// One answer for everything that can be wrong with a ceremony; why is in the audit record.
fn refused(why: &'static str) -> Refused {
    Refused::new(Refusal::PasskeyRefused).because(why)
}

fn too_many() -> Refused {
    refused("as many passkeys as a user may have").with_detail("remove a passkey first")
}

fn full() -> Refused {
    unavailable(StoreError::new("more callers are in ceremonies than can be remembered"))
}

fn unavailable(cause: StoreError) -> Refused {
    let mut refused = Refused::new(Refusal::Unavailable).retry_after(1);
    refused.inner_mut().cause = Some(Internal::new(cause.to_string()));
    refused
}

/// What its user may know of a passkey.
fn shown(record: &PasskeyRecord) -> Value {
    json!({
        "id": encode_url(&record.id), "name": record.name, "registered": record.registered, "used": record.used,
        "backedUp": record.backed_up,
    })
}

fn reply(status: u16, body: &Value) -> Reply {
    Reply::body(status, "application/json", body.to_string())
}
