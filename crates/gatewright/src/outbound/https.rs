//! The client: hyper over rustls, with the machine's certificate authorities or those that the deployment names.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;

use super::roots::roots;
use super::{Ask, Failed, Fetch, Fetched, Pending};

/// Connects to others, over TLS where a URL says so.
pub(crate) type Connector = HttpsConnector<HttpConnector>;

/// `authorities` are certificates in PEM, in place of the machine's.
pub(crate) fn connector(authorities: Option<&[u8]>) -> Result<Connector, String> {
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots(authorities)?)
        .with_no_client_auth();
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    let connector = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
    Ok(connector.wrap_connector(http))
}

pub(crate) struct Https {
    client: Client<Connector, Full<Bytes>>,
}

impl Https {
    /// `authorities` are certificates in PEM, in place of the machine's.
    pub(crate) fn new(authorities: Option<&[u8]>) -> Result<Https, String> {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(std::time::Duration::from_secs(30))
            .pool_max_idle_per_host(8)
            .http1_max_headers(64)
            .build(connector(authorities)?);
        Ok(Https { client })
    }

    async fn ask(&self, ask: Ask) -> Result<Fetched, Failed> {
        let mut request = Request::builder().uri(ask.uri).header(ACCEPT, "application/json");
        let mut body = Bytes::new();
        if let Some(form) = ask.form {
            request = request
                .method(Method::POST)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(AUTHORIZATION, form.authorization);
            body = form.body;
        }
        let request = request.body(Full::new(body)).map_err(|_| other("the request cannot be made"))?;
        // hyper's text names kinds of failure, and nothing of what was sent.
        let response = self.client.request(request).await.map_err(|e| Failed::Other(causes(&e)))?;
        if response.status() != http::StatusCode::OK {
            return Err(Failed::Status(response.status().as_u16()));
        }
        if !is_json(response.headers()) {
            return Err(other("its answer is no JSON by its media type"));
        }
        let max_age = max_age(response.headers());
        let body = Limited::new(response.into_body(), ask.most).collect().await;
        let body = body.map_err(|_| other("its answer is too large, or breaks off"))?.to_bytes();
        Ok(Fetched { body, max_age })
    }
}

impl Fetch for Https {
    fn fetch(&self, ask: Ask) -> Pending<'_> {
        let within = ask.within;
        Box::pin(async move {
            tokio::time::timeout(within, self.ask(ask)).await.unwrap_or_else(|_| Err(other("it takes too long")))
        })
    }
}

fn other(why: &str) -> Failed {
    Failed::Other(why.to_owned())
}

pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// `application/json`, or a type that says it is written so (RFC 6839, 3.1).
fn is_json(headers: &HeaderMap) -> bool {
    let Some(text) = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()) else { return false };
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// `max-age` (RFC 9111, 5.2.2.1); 0 where nothing may be kept.
fn max_age(headers: &HeaderMap) -> Option<u64> {
    let directives = || {
        let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|v: &HeaderValue| v.to_str().ok());
        lines.flat_map(|line| line.split(',')).map(str::trim)
    };
    if directives().any(|d| d.eq_ignore_ascii_case("no-store") || d.eq_ignore_ascii_case("no-cache")) {
        return Some(0);
    }
    directives().find_map(|d| {
        let (name, value) = d.split_once('=')?;
        name.eq_ignore_ascii_case("max-age").then_some(())?;
        value.trim_matches('"').parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_how_long_an_answer_may_be_kept() {
        for (value, want) in [
            ("max-age=60", Some(60)),
            ("public, Max-Age=\"5\"", Some(5)),
            ("no-store, max-age=60", Some(0)),
            ("no-cache", Some(0)),
            ("max-age=-1", None),
            ("max-age=99999999999999999999999", None),
            ("private", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
            assert_eq!(max_age(&headers), want, "{value}");
        }
        assert_eq!(max_age(&HeaderMap::new()), None);
    }

    #[test]
    fn knows_json_by_its_type() {
        for (value, want) in [
            ("application/json", true),
            ("application/json; charset=utf-8", true),
            ("application/jwk-set+json", true),
            ("application/token-introspection+jwt", false),
            ("text/html", false),
            ("text/json", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            assert_eq!(is_json(&headers), want, "{value}");
        }
    }

    #[test]
    fn trusts_nobody_by_mistake() {
        assert!(Https::new(Some(b"")).is_err());
        assert!(Https::new(Some(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")).is_err());
    }
}
