//! The audit log as a file of its own: a JSON object each line, written by a thread, so that no request waits for a disk. What
//! the thread cannot keep up with is lost, counted, and the log itself says how much.
//!
//! | member | what |
//! | --- | --- |
//! | `time` | when, in UTC (RFC 3339) |
//! | `event` | `decision`; of API keys `new-network` and `spike`; of passkeys `passkey-registered`, `passkey-shown`, `passkey-removed` and `passkey-cloned`; `lost` |
//! | `decision` | `allow` or `deny` |
//! | `request_id` | as in the answer's `X-Request-Id` |
//! | `api`, `operation`, `policy` | version, operation, and the line of the document that guards it |
//! | `method`, `client` | of the request; `client` is an address |
//! | `subject`, `oauth_client`, `key` | who, as far as that is known: `key` is the public id of an API key |
//! | `status` | of the answer |
//! | `refusal`, `check`, `reason` | why not, and which check said so |
//! | `detail` | of an event of an API key |
//! | `passkey` | the id of a passkey, of an event of one |
//! | `records` | how many were lost |
//!
//! Members that say nothing are left out. Texts of clients have no character that could end a line or hide one; no record
//! holds a credential, a body, a path or a query.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use serde_json::{Map, Value};

use super::one_line;

/// Records that wait for the disk at most.
const WAITING: usize = 16 * 1024;

/// Where audit records are written, beside the log. Cloning shares it.
#[derive(Clone)]
pub struct AuditLog(Arc<Inner>);

struct Inner {
    records: SyncSender<Message>,
    lost: Arc<AtomicU64>,
}

enum Message {
    Record(String),
    /// Everything before it is on its way to the disk when this is answered.
    Flush(tokio::sync::oneshot::Sender<()>),
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog").field("lost", &self.lost()).finish_non_exhaustive()
    }
}

impl AuditLog {
    /// Appends to a file, and makes it where it is not there.
    ///
    /// # Errors
    /// It cannot be opened, or no thread can be started.
    pub fn file(path: impl AsRef<Path>) -> io::Result<AuditLog> {
        AuditLog::to(std::fs::OpenOptions::new().append(true).create(true).open(path)?)
    }

    /// Writes to whatever takes bytes, on a thread of its own.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn to(writer: impl Write + Send + 'static) -> io::Result<AuditLog> {
        let (records, waiting) = sync_channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = lost.clone();
        std::thread::Builder::new().name("audit".to_owned()).spawn(move || write(&waiting, writer, &counted))?;
        Ok(AuditLog(Arc::new(Inner { records, lost })))
    }

    /// How many records were lost since the start: the disk was too slow, or full.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    /// Hands a record over. Never waits.
    pub(super) fn record(&self, unix: i64, event: &str, members: &[(&str, &str)], status: Option<u16>) {
        let mut record = Map::new();
        let time = jiff::Timestamp::from_second(unix).map(|time| time.to_string()).unwrap_or_default();
        record.insert("time".to_owned(), time.into());
        record.insert("event".to_owned(), event.into());
        for (name, text) in members.iter().filter(|(_, text)| !text.is_empty()) {
            record.insert((*name).to_owned(), one_line(text).to_string().into());
        }
        if let Some(status) = status {
            record.insert("status".to_owned(), status.into());
        }
        let before = self.lost();
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            self.0.records.try_send(Message::Record(Value::Object(record).to_string()))
        {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
            // Once each time that it begins, not for each.
            if before == 0 {
                tracing::error!(target: "gatewright::audit", "audit records are lost: the log cannot keep up");
            }
        }
    }

    /// Waits until what was handed over is written.
    pub async fn flush(&self) {
        let (done, wait) = tokio::sync::oneshot::channel();
        let sender = self.0.records.clone();
        // The queue may be full: then this waits, and no request does.
        let sent = tokio::task::spawn_blocking(move || sender.send(Message::Flush(done))).await;
        if matches!(sent, Ok(Ok(()))) {
            let _ = wait.await;
        }
    }
}

/// Writes what comes, and after a gap says how large it was.
fn write(waiting: &Receiver<Message>, writer: impl Write, lost: &AtomicU64) {
    let mut out = io::BufWriter::new(writer);
    let mut said = 0;
    while let Ok(message) = waiting.recv() {
        let mut next = Some(message);
        // All that waits at a time goes out together.
        while let Some(message) = next {
            match message {
                Message::Record(text) => {
                    let so_far = lost.load(Ordering::Relaxed);
                    let more = so_far.saturating_sub(said);
                    if more > 0 && writeln!(out, "{{\"event\":\"lost\",\"records\":{more}}}").is_ok() {
                        said = so_far;
                    }
                    if writeln!(out, "{text}").is_err() {
                        lost.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Message::Flush(done) => {
                    let _ = out.flush();
                    let _ = done.send(());
                }
            }
            next = waiting.try_recv().ok();
        }
        if out.flush().is_err() {
            tracing::error!(target: "gatewright::audit", "the audit log cannot be written");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_record_is_one_line_of_json() {
        let kept = Kept::default();
        let log = AuditLog::to(kept.clone()).unwrap();
        log.record(0, "decision", &[("subject", "a\r\n\u{1b}\u{2028}\"}"), ("key", "")], Some(403));
        log.flush().await;
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["time"], "1970-01-01T00:00:00Z");
        assert_eq!(value["subject"], "a\\u{d}\\u{a}\\u{1b}\\u{2028}\"}");
        assert_eq!((value["status"].as_u64(), value.get("key")), (Some(403), None));
    }

    /// Takes nothing until it is let go.
    struct Stuck(std::sync::mpsc::Receiver<()>, Kept);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            self.1.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_disk_that_hangs_makes_nobody_wait_and_loses_a_counted_number() {
        let (go, stuck) = std::sync::mpsc::channel();
        let kept = Kept::default();
        let log = AuditLog::to(Stuck(stuck, kept.clone())).unwrap();
        let sent = 3 * u64::try_from(WAITING).unwrap();
        for _ in 0..sent {
            log.record(0, "decision", &[], None);
        }
        let lost = log.lost();
        assert!(lost > 0 && lost < sent, "{lost}");
        drop(go);
        log.flush().await;
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let (decisions, gaps): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.contains("\"decision\""));
        assert_eq!(u64::try_from(decisions.len()).unwrap(), sent - lost);
        let said = |line: &&str| serde_json::from_str::<Value>(line).unwrap()["records"].as_u64().unwrap();
        assert_eq!(gaps.iter().map(said).sum::<u64>(), lost);
    }
}
