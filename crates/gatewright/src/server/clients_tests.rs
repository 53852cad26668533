//! Client certificates over real handshakes: rows M4 and M7 of RFC 8705.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use axum::Router;
use gatewright_policy::table::{ClientCertificates, Hsts, Https, Transport};
use http::Extensions;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, ExtendedKeyUsagePurpose,
    IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::*;
use crate::net::Peer;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

type Client = (CertificateDer<'static>, PrivateKeyDer<'static>);

fn client(authority: &Authority, change: impl Fn(&mut CertificateParams)) -> Client {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["client.example.com".to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.serial_number = Some(SerialNumber::from(1_000_u64));
    change(&mut params);
    let certificate = params.signed_by(&key, authority).unwrap();
    (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
}

fn revoking(authority: &Authority, serial: u64) -> String {
    let revoked = RevokedCertParams {
        serial_number: SerialNumber::from(serial),
        revocation_time: date_time_ymd(2024, 1, 1),
        reason_code: None,
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 1, 1),
        next_update: date_time_ymd(2090, 1, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: vec![revoked],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(authority).unwrap().pem().unwrap()
}

fn transport(client_certificates: ClientCertificates) -> Transport {
    let hsts = Some(Hsts { max_age: 1, include_subdomains: false, preload: false });
    let (hosts, trusted_proxies) = (&[][..], &[][..]);
    Transport { https: Https::Required, tls13_only: false, hsts, client_certificates, hosts, trusted_proxies }
}

fn router() -> Router {
    Router::new().fallback(|extensions: Extensions| async move {
        let certificate = extensions.get::<Peer>().and_then(Peer::certificate);
        certificate.map_or_else(|| "none".to_owned(), |c| crate::auth::jwt::base64::encode_url(&c))
    })
}

struct Setup {
    running: Running,
    root: CertificateDer<'static>,
}

fn listen(wanted: ClientCertificates, clients: ClientAuthorities) -> Setup {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let root = made.cert.der().clone();
    let own = Certificate::pem(made.cert.pem().into_bytes(), made.signing_key.serialize_pem().into_bytes());
    let server = Server::new(router()).transport(&transport(wanted)).client_authorities(clients);
    Setup { running: server.https(([127, 0, 0, 1], 0).into(), own).unwrap(), root }
}

impl Setup {
    fn config(&self, client: Option<&Client>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match client {
            Some((chain, key)) => builder.with_client_auth_cert(vec![chain.clone()], key.clone_key()).unwrap(),
            None => builder.with_no_client_auth(),
        })
    }

    /// What the server saw of the client; nothing where it closed the connection.
    async fn sees(&self, config: &Arc<ClientConfig>) -> Option<String> {
        let (address, config) = (self.running.address(), config.clone());
        tokio::task::spawn_blocking(move || ask(address, config)).await.unwrap()
    }

    async fn takes(&self, client: Option<&Client>) -> Option<String> {
        self.sees(&self.config(client)).await
    }
}

fn ask(address: SocketAddr, config: Arc<ClientConfig>) -> Option<String> {
    let connection = ClientConnection::new(config, ServerName::try_from("localhost").unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8(answer).unwrap();
    text.starts_with("HTTP/1.1 200").then(|| text.rsplit("\r\n").next().unwrap_or_default().to_owned())
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(test);
}

fn thumbprint(client: &Client) -> Option<String> {
    Some(crate::auth::jwt::base64::encode_url(&crate::auth::jwt::sha256(&client.0)))
}

#[test]
fn m4_only_certificates_that_an_authority_vouches_for_come_in() {
    run(async {
        let (ours, theirs) = (authority(), authority());
        let good = client(&ours, |_| ());
        let bad = [
            ("of another authority", client(&theirs, |_| ())),
            ("expired", client(&ours, |p| p.not_after = date_time_ymd(2001, 1, 1))),
            ("not yet valid", client(&ours, |p| p.not_before = date_time_ymd(2900, 1, 1))),
            ("for servers", client(&ours, |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth])),
            ("revoked", client(&ours, |p| p.serial_number = Some(SerialNumber::from(7_u64)))),
        ];
        let clients = || ClientAuthorities::pem(ours.pem()).revocation_pem(revoking(&ours, 7));
        let required = listen(ClientCertificates::Required, clients());
        let optional = listen(ClientCertificates::Optional, clients());
        for server in [&required, &optional] {
            assert_eq!(server.takes(Some(&good)).await, thumbprint(&good));
            for (name, bad) in &bad {
                assert_eq!(server.takes(Some(bad)).await, None, "{name}");
            }
        }
        assert_eq!(required.takes(None).await, None);
        assert_eq!(optional.takes(None).await.as_deref(), Some("none"));
        let off = listen(ClientCertificates::Off, clients());
        assert_eq!(off.takes(Some(&good)).await.as_deref(), Some("none"), "a certificate that is not asked for");
    });
}

#[test]
fn m7_a_resumed_connection_is_the_same_clients() {
    run(async {
        let ours = authority();
        let (first, second) = (client(&ours, |_| ()), client(&ours, |p| p.serial_number = None));
        let server = listen(ClientCertificates::Optional, ClientAuthorities::pem(ours.pem()));
        let config = server.config(Some(&first));
        for _ in 0..3 {
            assert_eq!(server.sees(&config).await, thumbprint(&first));
        }
        assert_eq!(server.takes(Some(&second)).await, thumbprint(&second));
    });
}

#[test]
fn a_server_that_nobody_vouches_to_does_not_listen() {
    run(async {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let own = || Certificate::pem(made.cert.pem().into_bytes(), made.signing_key.serialize_pem().into_bytes());
        let server = || Server::new(router()).transport(&transport(ClientCertificates::Optional));
        let local = SocketAddr::from(([127, 0, 0, 1], 0));
        assert!(server().https(local, own()).is_err());
        for text in ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert!(server().client_authorities(ClientAuthorities::pem(text)).https(local, own()).is_err(), "{text}");
        }
        let ours = authority();
        let unreadable = ClientAuthorities::pem(ours.pem()).revocation_pem("x");
        assert!(server().client_authorities(unreadable).https(local, own()).is_err());
    });
}
