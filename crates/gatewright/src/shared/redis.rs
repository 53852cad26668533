//! Redis and Valkey: one connection on which all requests are pipelined, which for a store that does one thing at a time is
//! as fast as many. Nothing here tries again: a request has no time for that. In a cluster, the node that holds our keys is
//! looked for when a connection is made.

use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, ConnectionAddr, TlsCertificates, cmd};
use secrecy::{ExposeSecret, SecretString};

use super::Script;
use super::link::{Fault, Line, Transport};
use crate::operation::Boxed;

/// Only a connection that nobody waits for on a request's time has so long; the budget ends everything else.
const LONGEST: Duration = Duration::from_secs(1);

pub(super) struct Redis {
    client: Client,
    /// Written to see whether it can be: in front of it stands what stands in front of all keys.
    probe: String,
}

impl Redis {
    pub(super) fn new(url: &SecretString, prefix: &str, authorities: Option<&[u8]>) -> Result<Redis, String> {
        let text = url.expose_secret();
        let client = match (text.starts_with("rediss://"), authorities) {
            (true, authorities) => {
                // The client takes the process's provider, and ends the process where there is none or a choice.
                let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
                let root_cert = authorities.map(<[u8]>::to_vec);
                Client::build_with_tls(text, TlsCertificates { client_tls: None, root_cert })
            }
            (false, _) if text.starts_with("redis://") => Client::open(text),
            _ => return Err(NOT_UNDERSTOOD.to_owned()),
        };
        // What the client says of a URL may quote it.
        let client = client.map_err(|_| NOT_UNDERSTOOD.to_owned())?;
        Ok(Redis { client, probe: format!("{prefix}:probe") })
    }
}

const NOT_UNDERSTOOD: &str = "the URL of the shared store is not understood: it is written \
                              `redis://HOST:PORT` or, with TLS, `rediss://USER:PASSWORD@HOST:PORT`";

impl Transport for Redis {
    fn connect(&self) -> Boxed<Result<Arc<dyn Line>, Fault>> {
        let (mut client, probe) = (self.client.clone(), self.probe.clone());
        Box::pin(async move {
            let mut hops = 0;
            let mut connection = loop {
                match reach(&client, &probe).await {
                    Ok(connection) => break connection,
                    // Another node of a cluster holds all our keys. Whom it names is believed as far as the URL's TLS says.
                    Err(error) if hops < HOPS => {
                        hops += 1;
                        let info = client.get_connection_info();
                        let moved = error.redirect_node().and_then(|(node, _)| at(info.addr(), node));
                        let Some(address) = moved else { return Err(fault(&error)) };
                        client = Client::open(info.clone().set_addr(address)).map_err(|e| fault(&e))?;
                    }
                    Err(error) => return Err(fault(&error)),
                }
            };
            let mut hashes = Vec::new();
            for script in Script::ALL {
                let loaded = cmd("SCRIPT").arg("LOAD").arg(script.text()).query_async(&mut connection).await;
                hashes.push(loaded.map_err(|e| fault(&e))?);
            }
            let line: Arc<dyn Line> = Arc::new(Connected { connection, hashes: hashes.into() });
            Ok(line)
        })
    }
}

/// Redirections that are followed one after the other: a cluster that is settled needs one.
const HOPS: u32 = 3;

/// A connection on which keys of ours can be written: a replica that only reads, or a full store, is none.
async fn reach(client: &Client, probe: &str) -> ::redis::RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(LONGEST)).set_response_timeout(Some(LONGEST));
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    let mut write = cmd("SET");
    write.arg(probe).arg("1").arg("PX").arg(1_000);
    write.exec_async(&mut connection).await?;
    Ok(connection)
}

/// The address of `HOST:PORT`, reached as this one is. A node that does not know its own host names none.
fn at(known: &ConnectionAddr, node: &str) -> Option<ConnectionAddr> {
    let (host, port) = node.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let named = |known: &String| if host.is_empty() || host == "?" { known.clone() } else { host.to_owned() };
    Some(match known {
        ConnectionAddr::Tcp(host, _) => ConnectionAddr::Tcp(named(host), port),
        ConnectionAddr::TcpTls { host, insecure, tls_params, .. } => {
            let (insecure, tls_params) = (*insecure, tls_params.clone());
            ConnectionAddr::TcpTls { host: named(host), port, insecure, tls_params }
        }
        _ => return None,
    })
}

struct Connected {
    connection: MultiplexedConnection,
    /// By the script's number.
    hashes: Arc<[String]>,
}

impl Line for Connected {
    fn run(&self, script: Script, keys: Vec<String>, arguments: Vec<Vec<u8>>) -> Boxed<Result<Vec<Vec<u8>>, Fault>> {
        let (mut connection, hashes) = (self.connection.clone(), self.hashes.clone());
        Box::pin(async move {
            let hash = hashes.get(script.index()).map_or("", String::as_str);
            let mut known = cmd("EVALSHA");
            known.arg(hash).arg(keys.len()).arg(&keys).arg(&arguments);
            let answer = match known.query_async(&mut connection).await {
                // Its scripts were flushed: it learns this one again.
                Err(error) if error.code() == Some("NOSCRIPT") => {
                    let mut whole = cmd("EVAL");
                    whole.arg(script.text()).arg(keys.len()).arg(&keys).arg(&arguments);
                    whole.query_async(&mut connection).await
                }
                answer => answer,
            };
            answer.map_err(|e| fault(&e))
        })
    }
}

/// Kind and code of an error. Its text may quote what was sent, a password among it.
fn fault(error: &::redis::RedisError) -> Fault {
    Fault(match error.code() {
        Some(code) => format!("{:?} ({code})", error.kind()),
        None => format!("{:?}", error.kind()),
    })
}
