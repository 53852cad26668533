//! Where a server's log goes: standard error, as text or as JSON.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logs {
    /// A line for people.
    Text,
    /// A JSON object per line, for collectors.
    Json,
}

impl Logs {
    /// `LOG_FORMAT` is `json` or `text`; without it, text where standard error is a terminal and JSON where it is not.
    #[must_use]
    pub fn from_env() -> Logs {
        match std::env::var("LOG_FORMAT").as_deref() {
            Ok("json") => Logs::Json,
            Ok("text") => Logs::Text,
            _ if std::io::stderr().is_terminal() => Logs::Text,
            _ => Logs::Json,
        }
    }
}

/// Writes the log to standard error: what `RUST_LOG` asks for, `info` without it. Once per process; a subscriber that is
/// installed already stays, and `false` says so.
///
/// Refusals, audit records (`gatewright::audit`) and breakdowns (`gatewright::internal`) are events of `tracing`: without
/// a subscriber they are lost.
pub fn log(form: Logs) -> bool {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_timer(SystemTime);
    match form {
        Logs::Text => lines.with_ansi(std::io::stderr().is_terminal()).try_init().is_ok(),
        Logs::Json => lines.json().flatten_event(true).try_init().is_ok(),
    }
}
