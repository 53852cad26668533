//! The client of a collector: hyper on the server's own runtime. The exporter calls it from a thread of its own that has none.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Handle;

/// For one batch.
const WITHIN: Duration = Duration::from_secs(10);
/// Of a collector's answer.
const MOST: usize = 64 * 1024;

pub(super) fn exporter(endpoint: &str) -> Result<SpanExporter, String> {
    let uri: Uri = endpoint.parse().map_err(|e| format!("`{endpoint}` is no URL: {e}"))?;
    let roots = match uri.scheme_str() {
        Some("http") => RootCertStore::empty(),
        Some("https") => crate::outbound::roots(None)?,
        _ => return Err(format!("`{endpoint}` begins with neither http nor https")),
    };
    let runtime = Handle::try_current().map_err(|_| "there is no runtime to send spans from".to_owned())?;
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    let connector = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
    let client = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_max_idle_per_host(1)
        .build(connector.wrap_connector(http));
    SpanExporter::builder()
        .with_http()
        .with_http_client(Collector { client, runtime })
        .with_endpoint(endpoint)
        .with_timeout(WITHIN)
        .build()
        .map_err(|e| e.to_string())
}

struct Collector {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    runtime: Handle,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collector")
    }
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.client.request(request.map(Full::new));
        let whole = async {
            let (parts, body) = sent.await?.into_parts();
            let body = Limited::new(body, MOST).collect().await?.to_bytes();
            Ok::<_, HttpError>(Response::from_parts(parts, body))
        };
        // The timer, too, is the runtime's.
        let task = self.runtime.spawn(async { tokio::time::timeout(WITHIN, whole).await });
        let answer = match task.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(late)) => Err(late.into()),
            Err(ended) => Err(ended.into()),
        };
        match &answer {
            Err(error) => tracing::warn!(target: "gatewright::trace", %error, "the collector does not take spans"),
            Ok(answer) if !answer.status().is_success() => {
                let status = answer.status().as_u16();
                tracing::warn!(target: "gatewright::trace", status, "the collector does not take spans");
            }
            Ok(_) => {}
        }
        answer
    }
}
