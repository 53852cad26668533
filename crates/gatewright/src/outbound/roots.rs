//! Whom we trust when we ask others.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The authorities of this PEM, or the machine's.
pub(crate) fn roots(authorities: Option<&[u8]>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let added =
                    certificate.map_err(|e| e.to_string()).and_then(|c| roots.add(c).map_err(|e| e.to_string()));
                added.map_err(|why| format!("the certificate authorities cannot be read: {why}"))?;
            }
        }
        None => {
            // One broken file in the machine's store must not close all others.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err("there is no certificate authority to trust: install them, or name them with \
                    `Config::certificate_authorities`"
            .to_owned());
    }
    Ok(roots)
}
