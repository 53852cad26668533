//! The audit record: one `tracing` event per decision, target `gatewright::audit`. Fields are safe on one line, and hold
//! neither credential nor body. A refusal is always recorded; an admission where the operation asks for it (`audit: true`),
//! else at debug level.

use std::fmt::{self, Write};

use gatewright_store::Unusual;
use http::StatusCode;

use super::{AuditLog, Exchange, Shared};
use crate::auth::Identity;
use crate::guard::{Admission, Guard};
use crate::problem::Refused;

/// A text with nothing in it that would end a line, move a terminal's cursor or be invisible.
pub(crate) struct OneLine<'a>(&'a str);

pub(crate) fn one_line(text: &str) -> OneLine<'_> {
    OneLine(text)
}

/// Longer fields are cut.
const LONGEST: usize = 2_048;

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars().take(LONGEST) {
            match c {
                // Direction marks and separators can disguise a line as another.
                c if c.is_control()
                    || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') =>
                {
                    write!(f, "\\u{{{:x}}}", u32::from(c))?;
                }
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

fn client(exchange: &Exchange) -> String {
    exchange.client().map_or_else(|| "unknown".to_owned(), |a| a.to_string())
}

fn place(guard: Option<&Guard>) -> (&'static str, &'static str) {
    guard.map_or(("", ""), |g| (g.policy().operation, g.policy().at))
}

/// Something became of a passkey. Its id is public.
pub(crate) fn passkey(shared: &Shared, exchange: &Exchange, event: &'static str, subject: &str, id: &str) {
    if let Some(log) = &shared.audit {
        let client = client(exchange);
        let members = [("request_id", exchange.id()), ("client", &*client), ("subject", subject), ("passkey", id)];
        log.record(exchange.unix, event, &members, None);
    }
    macro_rules! record {
        ($level:ident) => {
            tracing::$level!(
                target: "gatewright::audit",
                request_id = exchange.id(),
                event,
                client = client(exchange),
                subject = %one_line(subject),
                passkey = %one_line(id),
            )
        };
    }
    // That there is a copy is no usual event.
    if event == "passkey-cloned" { record!(warn) } else { record!(info) }
}

pub(super) fn refused(
    shared: &Shared,
    exchange: &Exchange,
    version: &'static str,
    guard: Option<&Guard>,
    refused: &Refused,
    status: StatusCode,
) {
    let (operation, at) = place(guard);
    let inner = refused.inner();
    if let Some(log) = &shared.audit {
        let members = [
            ("decision", "deny"),
            ("request_id", exchange.id()),
            ("api", version),
            ("operation", operation),
            ("policy", at),
            ("method", exchange.method.as_str()),
            ("client", &client(exchange)),
            ("subject", inner.subject.as_deref().unwrap_or_default()),
            ("refusal", &format!("{:?}", refused.refusal())),
            ("check", &format!("{:?}", refused.refusal().check())),
            ("reason", inner.reason.as_deref().unwrap_or_default()),
        ];
        log.record(exchange.unix, "decision", &members, Some(status.as_u16()));
    }
    tracing::info!(
        target: "gatewright::audit",
        request_id = exchange.id(),
        decision = "deny",
        operation,
        policy = at,
        method = exchange.method.as_str(),
        client = client(exchange),
        subject = %one_line(inner.subject.as_deref().unwrap_or_default()),
        status = status.as_u16(),
        refusal = ?refused.refusal(),
        check = ?refused.refusal().check(),
        reason = %one_line(inner.reason.as_deref().unwrap_or_default()),
    );
}

pub(super) fn admitted(
    shared: &Shared,
    exchange: &Exchange,
    version: &'static str,
    admission: &Admission,
    status: StatusCode,
) {
    let guard = admission.guard();
    let identity = admission.identity().map(|i| &**i);
    if let (true, Some(log)) = (guard.policy().audit, &shared.audit) {
        let members = [
            ("decision", "allow"),
            ("request_id", exchange.id()),
            ("api", version),
            ("operation", guard.policy().operation),
            ("policy", guard.policy().at),
            ("method", exchange.method.as_str()),
            ("client", &client(exchange)),
            ("subject", identity.and_then(Identity::subject).unwrap_or_default()),
            ("oauth_client", identity.and_then(Identity::client).unwrap_or_default()),
            ("key", identity.and_then(Identity::key).unwrap_or_default()),
        ];
        log.record(exchange.unix, "decision", &members, Some(status.as_u16()));
    }
    macro_rules! record {
        ($level:ident) => {
            tracing::$level!(
                target: "gatewright::audit",
                request_id = exchange.id(),
                decision = "allow",
                operation = guard.policy().operation,
                policy = guard.policy().at,
                method = exchange.method.as_str(),
                client = client(exchange),
                subject = %one_line(identity.and_then(Identity::subject).unwrap_or_default()),
                key = %one_line(identity.and_then(Identity::key).unwrap_or_default()),
                status = status.as_u16(),
            )
        };
    }
    if guard.policy().audit {
        record!(info);
    } else {
        record!(debug);
    }
}

/// What is unusual in the use of an API key.
pub(crate) fn unusual(log: Option<&AuditLog>, unix: i64, key: &str, what: &Unusual) {
    let (event, detail) = match what {
        Unusual::Network(network) => ("new-network", network.clone()),
        Unusual::Spike { uses, usual } => ("spike", format!("{uses} uses in a minute, usually {usual:.1}")),
    };
    if let Some(log) = log {
        log.record(unix, event, &[("key", key), ("detail", &detail)], None);
    }
    tracing::warn!(target: "gatewright::audit", event, key = %one_line(key), detail = %one_line(&detail));
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_field_stays_on_its_line() {
        let shown = one_line("a\r\n{\"decision\":\"allow\"}\u{1b}[31m\u{85}\u{2028}\u{202e}é").to_string();
        assert_eq!(shown, "a\\u{d}\\u{a}{\"decision\":\"allow\"}\\u{1b}[31m\\u{85}\\u{2028}\\u{202e}é");
        assert_eq!(one_line(&"x".repeat(10_000)).to_string().len(), 2_048);
    }
}
