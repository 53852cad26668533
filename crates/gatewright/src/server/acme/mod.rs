//! Certificates by ACME (RFC 8555), for servers that no other program keeps them for. An authority asks for a text over plain
//! HTTP (`http-01`, section 8.3), gets it from this server, and gives a certificate, which is written to a file and read like any
//! other; at two thirds of its life a new one is asked for.

mod client;
mod order;
mod validity;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::Path as Segment;
use axum::routing::get;
use http::StatusCode;
use instant_acme::{Error, LetsEncrypt};
use tokio::task::JoinHandle;

use super::Certificate;
use client::Client;
use order::is_rate_limited;

/// After a failure: at first, and at most. Each time twice as long.
const PAUSES: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(6 * 3_600));
/// At first after the authority said that it was asked too often.
const LIMITED: Duration = Duration::from_secs(3_600);
/// A clock that was set is noticed after so long.
const LOOK: Duration = Duration::from_secs(3_600);
/// All questions of one certificate.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Challenges that are answered at a time.
const ANSWERS: usize = 1_000;

/// A certificate that this server asks an authority for, and keeps.
///
/// ```no_run
/// # async fn serve(router: gatewright::Router) -> std::io::Result<()> {
/// use gatewright::server::{Acme, Server};
///
/// let acme = Acme::new(["api.example.com"], "/var/lib/bank/acme").contact("mailto:ops@example.com").terms_agreed();
/// // The authority comes to port 80; all others are answered there as the spec says.
/// let plain = Server::new(acme.challenges(router.clone())).plain(([0, 0, 0, 0], 80).into())?;
/// let server = Server::new(router).https(([0, 0, 0, 0], 443).into(), acme.certificate().await?)?;
/// # let _ = plain;
/// server.until_signal(std::time::Duration::from_secs(30)).await
/// # }
/// ```
#[derive(Clone)]
pub struct Acme {
    directory: String,
    names: Vec<String>,
    contacts: Vec<String>,
    folder: PathBuf,
    authorities: Option<Vec<u8>>,
    agreed: bool,
    answers: Answers,
}

impl fmt::Debug for Acme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acme").field("directory", &self.directory).field("names", &self.names).finish_non_exhaustive()
    }
}

/// What challenges are answered with, by their tokens.
#[derive(Clone, Default)]
struct Answers(Arc<Mutex<HashMap<String, String>>>);

impl Answers {
    fn all(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Acme {
    /// For these names (or addresses, where the authority certifies them), of Let's Encrypt unless said otherwise. The account, the
    /// certificate and its key are kept in `folder`, which is made, in files that their owner alone can read.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>, folder: impl Into<PathBuf>) -> Acme {
        Acme {
            directory: LetsEncrypt::Production.url().to_owned(),
            names: names.into_iter().map(|name| name.into().to_ascii_lowercase()).collect(),
            contacts: Vec::new(),
            folder: folder.into(),
            authorities: None,
            agreed: false,
            answers: Answers::default(),
        }
    }

    /// The URL of the authority's directory (RFC 8555, 7.1.1): `https` only.
    #[must_use]
    pub fn directory(mut self, url: impl Into<String>) -> Acme {
        self.directory = url.into();
        self
    }

    /// Certificates in PEM that vouch for the authority's own server, in place of the machine's.
    #[must_use]
    pub fn authorities(mut self, pem: impl Into<Vec<u8>>) -> Acme {
        self.authorities = Some(pem.into());
        self
    }

    /// Where the authority may write to (`mailto:…`), of a new account. May be called again.
    #[must_use]
    pub fn contact(mut self, url: impl Into<String>) -> Acme {
        self.contacts.push(url.into());
        self
    }

    /// You have read the authority's terms of service, and agree. Without this there is no certificate.
    #[must_use]
    pub fn terms_agreed(mut self) -> Acme {
        self.agreed = true;
        self
    }

    /// A router that answers the authority's challenges, and gives all else to `router`. It has to be served over plain HTTP on
    /// port 80 of all names ([`Server::plain`](super::Server::plain)); it shows nothing but texts that the authority knows.
    pub fn challenges(&self, router: Router) -> Router {
        let answers = self.answers.clone();
        let answer = move |Segment(token): Segment<String>| async move {
            answers.all().get(&token).cloned().ok_or(StatusCode::NOT_FOUND)
        };
        Router::new().route("/.well-known/acme-challenge/{token}", get(answer)).fallback_service(router)
    }

    /// With the challenges of another one, so that one plain listener answers those of both.
    #[must_use]
    pub fn answering(mut self, with: &Acme) -> Acme {
        self.answers = with.answers.clone();
        self
    }

    /// The certificate: the one that is kept, if it still lives and is for these names, or a new one, for which
    /// [`challenges`](Acme::challenges) must be served already. Where the authority refuses or is away, it is asked again, after
    /// longer and longer pauses, also over starts of the process, and the log says why. As long as it is used by a listener, it is
    /// renewed at two thirds of its life; a renewal that fails leaves the old one in place.
    ///
    /// # Errors
    /// What is said here can lead to no certificate, or the folder cannot be written.
    pub async fn certificate(&self) -> io::Result<Certificate> {
        self.sound()?;
        make_folder(&self.folder)?;
        let mut failures = 0;
        while self.due().is_none() {
            if let Some(pause) = self.pause() {
                tracing::info!(target: "gatewright::server", seconds = pause.as_secs(), "the certificate authority is asked later");
                tokio::time::sleep(pause).await;
            }
            self.attempt(&mut failures).await?;
        }
        let file = self.file();
        let task = tokio::spawn(self.clone().renew());
        Ok(Certificate::files(&file, &file).kept(Arc::new(Renewal(task))))
    }

    fn sound(&self) -> io::Result<()> {
        let bad = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, format!("ACME: {why}")));
        let is_name = |name: &String| {
            !name.is_empty()
                && name.len() < 254
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:".contains(&b))
        };
        if self.names.is_empty() || !self.names.iter().all(is_name) {
            return bad("a certificate is for names, without wildcards: a challenge by HTTP proves none");
        }
        if !self.directory.starts_with("https://") {
            return bad("the directory of an authority is `https://…`");
        }
        if !self.agreed {
            return bad("nobody agreed to the authority's terms of service: read them, and call `terms_agreed`");
        }
        Ok(())
    }

    /// Chain and key, in one file: there is no moment in which one is new and the other old.
    fn file(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// The first line of the file: whose it is and for which names.
    fn heading(&self) -> String {
        format!("{} {}", self.directory, self.names.join(" "))
    }

    /// When the certificate that is kept has to be renewed; nothing where there is none that can be used now.
    fn due(&self) -> Option<SystemTime> {
        let text = std::fs::read(self.file()).ok()?;
        let heading = self.heading();
        text.strip_prefix(heading.as_bytes()).filter(|rest| rest.starts_with(b"\n"))?;
        let (from, until) = validity::of_pem(&text)?;
        let usable = Certificate::pem(text.clone(), text).is_sound();
        let now = SystemTime::now();
        let life = until.duration_since(from).ok()?;
        (usable && now < until).then_some(from + life * 2 / 3)
    }

    async fn renew(self) {
        let mut failures = 0;
        loop {
            let due = self.due().unwrap_or(UNIX_EPOCH);
            let wait = due.duration_since(SystemTime::now()).unwrap_or_default();
            let wait = wait.max(self.pause().unwrap_or_default());
            if !wait.is_zero() {
                tokio::time::sleep(wait.min(LOOK)).await;
                continue;
            }
            if let Err(error) = self.attempt(&mut failures).await {
                tracing::error!(target: "gatewright::server", %error, "what the certificate authority gave cannot be kept");
                tokio::time::sleep(PAUSES.0).await;
            }
        }
    }

    /// Asks for a certificate once. A refusal is kept as a pause.
    ///
    /// # Errors
    /// The folder cannot be written.
    async fn attempt(&self, failures: &mut u32) -> io::Result<()> {
        let client = Client::new(self.authorities.as_deref()).map_err(io::Error::other)?;
        let told = client.told();
        let asked = tokio::time::timeout(LONGEST, order::issue(self, client)).await;
        let error = match asked.unwrap_or(Err(Error::Timeout(None))) {
            Ok(text) => {
                *failures = 0;
                write(&self.file(), &text)?;
                let _ = std::fs::remove_file(self.later());
                tracing::info!(target: "gatewright::server", names = %self.names.join(" "), "a certificate was issued");
                return Ok(());
            }
            Err(error) => error,
        };
        let pause = pause(*failures, is_rate_limited(&error), told.get());
        *failures = failures.saturating_add(1);
        let cause = error.to_string();
        tracing::error!(
            target: "gatewright::server",
            cause = %crate::gateway::one_line(&cause),
            seconds = pause.as_secs(),
            "no certificate was issued; the authority is asked again after a pause"
        );
        let until = unix(SystemTime::now() + pause);
        write(&self.later(), until.to_string().as_bytes())
    }

    /// Holds the moment before which the authority is not asked: a server that is started again and again asks no more often.
    fn later(&self) -> PathBuf {
        self.folder.join("later")
    }

    /// How long from now; never longer than any pause is, whatever the clock says.
    fn pause(&self) -> Option<Duration> {
        let text = std::fs::read_to_string(self.later()).ok()?;
        let until: u64 = text.trim().parse().ok()?;
        let left = until.saturating_sub(unix(SystemTime::now()));
        (left > 0).then(|| Duration::from_secs(left).min(client::MOST_TOLD))
    }
}

fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The pause after so many failures before: what the authority told is the least.
fn pause(failures: u32, limited: bool, told: Option<Duration>) -> Duration {
    let first = if limited { LIMITED } else { PAUSES.0 };
    let grown = first.saturating_mul(2_u32.saturating_pow(failures)).min(PAUSES.1);
    grown.max(told.unwrap_or_default())
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|e| io::Error::new(e.kind(), format!("`{}`: {e}", folder.display())))
}

/// Writes a file that its owner alone can read: whole, or not at all.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let written = || {
        let folder = path.parent().unwrap_or(Path::new("."));
        // Made for its owner alone.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        io::Write::write_all(&mut file, bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|e| e.error)?;
        Ok(())
    };
    written().map_err(|e: io::Error| io::Error::new(e.kind(), format!("`{}`: {e}", path.display())))
}

/// Renews a certificate as long as somebody uses it.
pub(super) struct Renewal(JoinHandle<()>);

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_never_shorter_than_the_authority_says() {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        for (failures, limited, told, want) in [
            (0, false, None, 1),
            (3, false, None, 8),
            (30, false, None, 360),
            (u32::MAX, true, None, 360),
            (0, true, None, 60),
            (1, true, None, 120),
            (0, false, Some(minutes(90)), 90),
            (9, true, Some(minutes(5)), 360),
        ] {
            assert_eq!(pause(failures, limited, told), minutes(want), "{failures} {limited} {told:?}");
        }
    }

    #[test]
    fn what_leads_to_no_certificate_is_said_at_once() {
        let acme = |name: &str| Acme::new([name], "/nowhere").terms_agreed();
        assert!(acme("api.example.com").sound().is_ok() && acme("192.0.2.1").sound().is_ok());
        for (acme, why) in [
            (Acme::new(["api.example.com"], "/nowhere"), "terms of service"),
            (acme("*.example.com"), "wildcards"),
            (acme("a\nb"), "names"),
            (Acme::new([""; 0], "/nowhere").terms_agreed(), "names"),
            (acme("a.example").directory("http://ca.example/dir"), "https"),
        ] {
            let error = acme.sound().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
