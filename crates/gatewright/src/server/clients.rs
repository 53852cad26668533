//! Client certificates: who may vouch for clients, and what was revoked. A certificate that is presented and not good ends
//! the handshake, also where none is needed.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

/// Certificate authorities whose clients are believed, in PEM.
#[derive(Clone)]
pub struct ClientAuthorities {
    authorities: Pem,
    revoked: Vec<Pem>,
}

#[derive(Clone)]
enum Pem {
    File(PathBuf),
    Text(Vec<u8>),
}

impl fmt::Debug for ClientAuthorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientAuthorities").field("revocation_lists", &self.revoked.len()).finish_non_exhaustive()
    }
}

impl ClientAuthorities {
    /// From a file, which is watched as the server's own certificate is.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> ClientAuthorities {
        ClientAuthorities { authorities: Pem::File(path.into()), revoked: Vec::new() }
    }

    /// From text.
    #[must_use]
    pub fn pem(text: impl Into<Vec<u8>>) -> ClientAuthorities {
        ClientAuthorities { authorities: Pem::Text(text.into()), revoked: Vec::new() }
    }

    /// A file of certificate revocation lists (RFC 5280, 5), which is watched too. With a list, a certificate whose
    /// authority has none is refused.
    #[must_use]
    pub fn revocation_file(mut self, path: impl Into<PathBuf>) -> ClientAuthorities {
        self.revoked.push(Pem::File(path.into()));
        self
    }

    /// Certificate revocation lists from text.
    #[must_use]
    pub fn revocation_pem(mut self, text: impl Into<Vec<u8>>) -> ClientAuthorities {
        self.revoked.push(Pem::Text(text.into()));
        self
    }

    /// The files that it is read from.
    pub(super) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.authorities].into_iter().chain(&self.revoked).filter_map(|pem| match pem {
            Pem::File(path) => Some(path),
            Pem::Text(_) => None,
        })
    }

    pub(super) fn verifier(&self, required: bool) -> io::Result<Arc<dyn ClientCertVerifier>> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&self.authorities.read()?) {
            roots.add(certificate.map_err(bad)?).map_err(bad)?;
        }
        if roots.is_empty() {
            return Err(bad("no authority vouches for clients"));
        }
        let mut revoked = Vec::new();
        for pem in &self.revoked {
            let before = revoked.len();
            for list in CertificateRevocationListDer::pem_slice_iter(&pem.read()?) {
                revoked.push(list.map_err(bad)?);
            }
            if revoked.len() == before {
                return Err(bad("a revocation list is empty"));
            }
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).with_crls(revoked);
        if !required {
            builder = builder.allow_unauthenticated();
        }
        builder.build().map_err(bad)
    }
}

impl Pem {
    fn read(&self) -> io::Result<Vec<u8>> {
        match self {
            Pem::File(path) => {
                std::fs::read(path).map_err(|e| io::Error::new(e.kind(), format!("`{}`: {e}", path.display())))
            }
            Pem::Text(text) => Ok(text.clone()),
        }
    }
}

fn bad(why: impl fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the client authorities: {why}"))
}
