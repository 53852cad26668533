//! Certificates: read, checked against their key, and read again when their files change.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum_server::tls_rustls::RustlsConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{NamedGroup, ServerConfig};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::clients::ClientAuthorities;

/// What is asked of handshakes.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) tls13_only: bool,
    /// Who vouches for clients, and whether each must have a certificate.
    pub(super) clients: Option<(ClientAuthorities, bool)>,
}

/// A certificate chain and its private key, in PEM.
#[derive(Clone)]
pub struct Certificate {
    pub(super) source: Source,
    /// Who renews it, as long as it is used.
    #[cfg(feature = "acme")]
    #[allow(dead_code, reason = "it is held, and ends when nobody holds it")]
    renewal: Option<Arc<super::acme::Renewal>>,
}

#[derive(Clone)]
pub(super) enum Source {
    Files { chain: PathBuf, key: PathBuf },
    Text { chain: Vec<u8>, key: Zeroizing<Vec<u8>> },
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.source {
            Source::Files { .. } => "Certificate(files)",
            Source::Text { .. } => "Certificate(text)",
        })
    }
}

impl Certificate {
    /// From two files, which are watched.
    #[must_use]
    pub fn files(chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Certificate {
        Certificate::of(Source::Files { chain: chain.into(), key: key.into() })
    }

    /// From text.
    #[must_use]
    pub fn pem(chain: Vec<u8>, key: Vec<u8>) -> Certificate {
        Certificate::of(Source::Text { chain, key: Zeroizing::new(key) })
    }

    fn of(source: Source) -> Certificate {
        Certificate {
            source,
            #[cfg(feature = "acme")]
            renewal: None,
        }
    }

    /// The same, renewed as long as it is used.
    #[cfg(feature = "acme")]
    pub(super) fn kept(self, renewal: Arc<super::acme::Renewal>) -> Certificate {
        Certificate { renewal: Some(renewal), ..self }
    }

    /// Whether a listener could use it.
    #[cfg(feature = "acme")]
    pub(super) fn is_sound(&self) -> bool {
        self.config(&Tls { tls13_only: false, clients: None }).is_ok()
    }

    pub(super) fn load(&self, tls: &Tls) -> io::Result<RustlsConfig> {
        Ok(RustlsConfig::from_config(self.config(tls)?))
    }

    fn config(&self, tls: &Tls) -> io::Result<Arc<ServerConfig>> {
        match &self.source {
            Source::Text { chain, key } => config(chain, key, tls),
            Source::Files { chain, key } => {
                let read = |path: &Path| {
                    std::fs::read(path).map_err(|e| io::Error::new(e.kind(), format!("`{}`: {e}", path.display())))
                };
                config(&read(chain)?, &Zeroizing::new(read(key)?), tls)
            }
        }
    }

    /// When each file was last changed; a file that is not there has no time.
    fn changed(&self, tls: &Tls) -> Vec<Option<SystemTime>> {
        let own = match &self.source {
            Source::Files { chain, key } => vec![chain, key],
            Source::Text { .. } => Vec::new(),
        };
        let files = own.into_iter().chain(tls.clients.iter().flat_map(|(clients, _)| clients.files()));
        files.map(|path| std::fs::metadata(path).and_then(|m| m.modified()).ok()).collect()
    }

    pub(super) fn watch(self, config: RustlsConfig, tls: Tls) -> Option<Watch> {
        let seen = self.changed(&tls);
        // Text does not change.
        (!seen.is_empty()).then_some(())?;
        let shared = Arc::new(Shared { certificate: self, config, tls, seen: Mutex::new(seen) });
        let watched = shared.clone();
        let task = tokio::spawn(async move {
            let mut every = tokio::time::interval(Duration::from_secs(10));
            loop {
                every.tick().await;
                match watched.reload() {
                    Ok(true) => tracing::info!(target: "gatewright::server", "the certificate was read again"),
                    Ok(false) => {}
                    Err(error) => tracing::error!(
                        target: "gatewright::server",
                        %error,
                        "the certificate changed and cannot be used: the old one stays"
                    ),
                }
            }
        });
        Some(Watch { shared, task })
    }
}

fn config(chain: &[u8], key: &[u8], tls: &Tls) -> io::Result<Arc<ServerConfig>> {
    let bad = |e: &dyn fmt::Display| io::Error::new(io::ErrorKind::InvalidData, format!("the certificate: {e}"));
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().map_err(|e| bad(&e))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| bad(&"the key is no PEM private key"))?;
    let versions: &[&rustls::SupportedProtocolVersion] = if tls.tls13_only { &[&TLS13] } else { &[&TLS13, &TLS12] };
    // Named, not chosen: another crate of the program may bring a second provider, and rustls then chooses none.
    let mut provider = aws_lc_rs::default_provider();
    // First: what is recorded today must not be read by tomorrow's machines.
    provider.kx_groups.sort_by_key(|group| group.name() != NamedGroup::X25519MLKEM768);
    let builder = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .map_err(|e| bad(&e))?;
    let builder = match &tls.clients {
        Some((clients, required)) => builder.with_client_cert_verifier(clients.verifier(*required)?),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|e| bad(&e))?;
    config.ignore_client_order = true;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Reads a certificate again when its files change.
pub(super) struct Watch {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    certificate: Certificate,
    config: RustlsConfig,
    tls: Tls,
    seen: Mutex<Vec<Option<SystemTime>>>,
}

impl Watch {
    pub(super) fn reload(&self) -> io::Result<bool> {
        self.shared.reload()
    }
}

impl Shared {
    fn reload(&self) -> io::Result<bool> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.certificate.changed(&self.tls);
        if *seen == now {
            return Ok(false);
        }
        // A pair that is half written is tried again when its other half comes.
        *seen = now;
        self.config.reload_from_config(self.certificate.config(&self.tls)?);
        Ok(true)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}
