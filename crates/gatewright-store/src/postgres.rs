//! Keys and passkeys in PostgreSQL: for several servers, and for a command line beside them. A key that is revoked is useless everywhere
//! at once, since nothing is remembered here.
//!
//! One connection looks keys up, all requests on it at a time; another one changes them. Each wait is bounded, and a
//! database that failed is not asked again for a second: while it is down, requests are refused at once, not slowly.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Mutex;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Answer, KeyRecord, KeyStore, StoreError, Unusual, Usage, Used};

/// How long a look-up may take, with the connection that it may need first.
const FIND: Duration = Duration::from_millis(500);
/// How long a change may take.
const CHANGE: Duration = Duration::from_secs(5);
/// How long a database that failed is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// The lock of who makes the tables: a number that nobody else is likely to use.
const MAKING: i64 = 0x6761_7465_7772_6967;
/// The names carry the version of the form.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS gatewright_keys_1 (
        id text PRIMARY KEY, revision bigint NOT NULL, record jsonb NOT NULL);
    CREATE TABLE IF NOT EXISTS gatewright_key_usage_1 (id text PRIMARY KEY, usage jsonb);";
const THERE: &str = "SELECT to_regclass('gatewright_keys_1') IS NOT NULL AND to_regclass('gatewright_key_usage_1') IS NOT NULL \
     AND to_regclass('gatewright_passkeys_1_owner') IS NOT NULL";
const ONE: &str = "SELECT record::text FROM gatewright_keys_1 WHERE id = $1";
const ALL: &str = "SELECT record::text FROM gatewright_keys_1 ORDER BY id";
const ADD: &str = "INSERT INTO gatewright_keys_1 (id, revision, record) VALUES ($1, $2, $3::text::jsonb)";
const NEXT: &str = "UPDATE gatewright_keys_1 SET revision = $2::bigint, record = $3::text::jsonb WHERE id = $1 AND revision = $2::bigint - 1";
const USED: &str = "SELECT usage::text FROM gatewright_key_usage_1 WHERE usage IS NOT NULL ORDER BY id";
/// So that there is a row to lock for each.
const EACH: &str =
    "INSERT INTO gatewright_key_usage_1 (id) SELECT unnest($1::text[]) ORDER BY 1 ON CONFLICT (id) DO NOTHING";
const LOCK: &str =
    "SELECT id, usage::text FROM gatewright_key_usage_1 WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE";
const KEEP: &str = "UPDATE gatewright_key_usage_1 AS kept SET usage = new.usage::jsonb \
                    FROM unnest($1::text[], $2::text[]) AS new(id, usage) WHERE kept.id = new.id";

/// Keeps keys and passkeys in a PostgreSQL database.
pub struct PostgresStore {
    config: Config,
    tls: MakeRustlsConnect,
    reader: RwLock<Option<Arc<Reader>>>,
    writer: Mutex<Option<Client>>,
    /// When it last failed. Who holds it connects; the others wait for him.
    failed: Mutex<Option<Instant>>,
}

struct Reader {
    client: Client,
    one: Statement,
}

impl PostgresStore {
    /// For a database that a URL names: `postgres://user:password@host/database`. The certificate authorities, in PEM, vouch
    /// for the database in place of the machine's own. It is asked when it is needed, and its tables are made then.
    ///
    /// To a database that is not on this machine the connection is always under TLS with a verified certificate, unless the
    /// URL says `sslmode=disable`.
    ///
    /// # Errors
    /// The URL or an authority cannot be read.
    pub fn new(url: &str, authorities: Option<&[u8]>) -> Result<PostgresStore, StoreError> {
        let mut config: Config = url.parse().map_err(StoreError::new)?;
        if config.get_ssl_mode() == SslMode::Prefer {
            // `Prefer` is talked out of TLS by whoever stands between.
            let local = config.get_hosts().iter().all(is_local);
            config.ssl_mode(if local { SslMode::Disable } else { SslMode::Require });
        }
        config.application_name("gatewright").connect_timeout(FIND).keepalives_idle(Duration::from_secs(30));
        Ok(PostgresStore {
            tls: MakeRustlsConnect::new(client_config(authorities)?),
            config,
            reader: RwLock::default(),
            writer: Mutex::default(),
            failed: Mutex::default(),
        })
    }

    async fn connect(&self) -> Result<Client, StoreError> {
        let (client, connection) = self.config.connect(self.tls.clone()).await.map_err(StoreError::new)?;
        tokio::spawn(connection);
        let there: bool = client.query_one(THERE, &[]).await.and_then(|row| row.try_get(0)).map_err(StoreError::new)?;
        if !there {
            // One at a time: two servers that make the same table at once are an error to one of them.
            let passkeys = crate::passkeys::TABLE;
            let tables = format!("BEGIN; SELECT pg_advisory_xact_lock({MAKING}); {TABLES} {passkeys} COMMIT;");
            client.batch_execute(&tables).await.map_err(StoreError::new)?;
        }
        Ok(client)
    }

    fn open_reader(&self) -> Option<Arc<Reader>> {
        let reader = self.reader.read().unwrap_or_else(PoisonError::into_inner);
        reader.as_ref().filter(|reader| !reader.client.is_closed()).cloned()
    }

    async fn reader(&self) -> Result<Arc<Reader>, StoreError> {
        if let Some(reader) = self.open_reader() {
            return Ok(reader);
        }
        let mut failed = self.failed.lock().await;
        if let Some(reader) = self.open_reader() {
            return Ok(reader);
        }
        if failed.is_some_and(|at| at.elapsed() < PAUSE) {
            return Err(StoreError::new("the database did not answer a moment ago"));
        }
        let made = within(FIND, async {
            let client = self.connect().await?;
            let one = client.prepare(ONE).await.map_err(StoreError::new)?;
            Ok(Arc::new(Reader { client, one }))
        });
        let made = made.await;
        *failed = made.is_err().then(Instant::now);
        let reader = made?;
        *self.reader.write().unwrap_or_else(PoisonError::into_inner) = Some(reader.clone());
        Ok(reader)
    }

    async fn one(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        let reader = self.reader().await?;
        let asked = async { reader.client.query_opt(&reader.one, &[&id]).await.map_err(StoreError::new) };
        match within(FIND, asked).await {
            Ok(row) => row.map(|row| json(&row, 0)).transpose(),
            Err(cause) => {
                // Who does not answer is asked anew on another connection, after a pause.
                *self.failed.lock().await = Some(Instant::now());
                let mut current = self.reader.write().unwrap_or_else(PoisonError::into_inner);
                if current.as_ref().is_some_and(|c| Arc::ptr_eq(c, &reader)) {
                    *current = None;
                }
                Err(cause)
            }
        }
    }

    /// Does something with the connection that changes, within its time. After a failure the next one is a new one.
    pub(crate) async fn change<T>(
        &self,
        work: impl AsyncFnOnce(&mut Client) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        within(CHANGE, async {
            let mut kept = self.writer.lock().await;
            // Taken out: if this is given up in the middle of a transaction, its connection goes with it.
            let mut client = match kept.take().filter(|client| !client.is_closed()) {
                Some(client) => client,
                None => self.connect().await?,
            };
            let done = work(&mut client).await?;
            *kept = Some(client);
            Ok(done)
        })
        .await
    }

    async fn next(&self, next: &KeyRecord, added: Option<&KeyRecord>) -> Result<bool, StoreError> {
        self.change(async |client| {
            let change = client.transaction().await.map_err(StoreError::new)?;
            let (revision, record) = (revision(next)?, text(next)?);
            let changed = change.execute(NEXT, &[&next.id, &revision, &record]).await.map_err(StoreError::new)?;
            if changed != 1 {
                change.rollback().await.map_err(StoreError::new)?;
                return Ok(false);
            }
            if let Some(new) = added {
                let values = (self::revision(new)?, text(new)?);
                change.execute(ADD, &[&new.id, &values.0, &values.1]).await.map_err(StoreError::new)?;
            }
            change.commit().await.map_err(StoreError::new)?;
            Ok(true)
        })
        .await
    }

    async fn add(&self, used: &[Used]) -> Result<Vec<(String, Unusual)>, StoreError> {
        let ids: Vec<&str> = used.iter().map(|used| used.id.as_str()).collect();
        self.change(async |client| {
            let change = client.transaction().await.map_err(StoreError::new)?;
            change.execute(EACH, &[&ids]).await.map_err(StoreError::new)?;
            let rows = change.query(LOCK, &[&ids]).await.map_err(StoreError::new)?;
            let mut unusual = Vec::new();
            let (mut kept, mut texts) = (Vec::new(), Vec::new());
            for row in rows {
                let id: String = row.try_get(0).map_err(StoreError::new)?;
                let written: Option<String> = row.try_get(1).map_err(StoreError::new)?;
                let mut usage = match written {
                    Some(text) => serde_json::from_str(&text).map_err(StoreError::new)?,
                    None => Usage::default(),
                };
                for used in used.iter().filter(|used| used.id == id) {
                    unusual.extend(usage.add(used).into_iter().map(|what| (id.clone(), what)));
                }
                texts.push(serde_json::to_string(&usage).map_err(StoreError::new)?);
                kept.push(id);
            }
            change.execute(KEEP, &[&kept, &texts]).await.map_err(StoreError::new)?;
            change.commit().await.map_err(StoreError::new)?;
            Ok(unusual)
        })
        .await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresStore")
    }
}

impl KeyStore for PostgresStore {
    fn find<'a>(&'a self, id: &'a str) -> Answer<'a, Option<KeyRecord>> {
        Answer::later(self.one(id))
    }

    fn insert<'a>(&'a self, record: &'a KeyRecord) -> Answer<'a, ()> {
        Answer::later(self.change(async |client| {
            let (revision, written) = (revision(record)?, text(record)?);
            client.execute(ADD, &[&record.id, &revision, &written]).await.map_err(StoreError::new)?;
            Ok(())
        }))
    }

    fn replace<'a>(&'a self, next: &'a KeyRecord, added: Option<&'a KeyRecord>) -> Answer<'a, bool> {
        Answer::later(self.next(next, added))
    }

    fn list(&self) -> Answer<'_, Vec<KeyRecord>> {
        Answer::later(self.change(async |client| {
            let rows = client.query(ALL, &[]).await.map_err(StoreError::new)?;
            rows.iter().map(|row| json(row, 0)).collect()
        }))
    }

    fn count<'a>(&'a self, used: &'a [Used]) -> Answer<'a, Vec<(String, Unusual)>> {
        Answer::later(self.add(used))
    }

    fn usage(&self) -> Answer<'_, Vec<Usage>> {
        Answer::later(self.change(async |client| {
            let rows = client.query(USED, &[]).await.map_err(StoreError::new)?;
            rows.iter().map(|row| json(row, 0)).collect()
        }))
    }
}

async fn within<T>(most: Duration, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match tokio::time::timeout(most, work).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::new("the database does not answer")),
    }
}

fn json<T: serde::de::DeserializeOwned>(row: &Row, column: usize) -> Result<T, StoreError> {
    let text: &str = row.try_get(column).map_err(StoreError::new)?;
    serde_json::from_str(text).map_err(StoreError::new)
}

fn text(record: &KeyRecord) -> Result<String, StoreError> {
    serde_json::to_string(record).map_err(StoreError::new)
}

fn revision(record: &KeyRecord) -> Result<i64, StoreError> {
    i64::try_from(record.revision).map_err(StoreError::new)
}

/// Whether nobody stands between: a socket of this machine, or its own address.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        #[allow(unreachable_patterns, reason = "sockets are hosts on some systems only")]
        _ => true,
    }
}

fn client_config(authorities: Option<&[u8]>) -> Result<ClientConfig, StoreError> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                roots.add(certificate.map_err(StoreError::new)?).map_err(StoreError::new)?;
            }
        }
        // One broken file in the machine's store must not close all others. None at all is fine on a loopback.
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(StoreError::new)?.with_root_certificates(roots).with_no_client_auth())
}
