//! How the authority is asked: with the client that asks issuers, over HTTPS alone, each answer bounded in size and time.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::Limited;
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};

use crate::outbound::Connector;

/// Of one answer: a chain of certificates is some kilobytes.
const MOST: usize = 1 << 20;
const LONGEST: Duration = Duration::from_secs(30);
/// The longest pause that an authority may ask for.
pub(super) const MOST_TOLD: Duration = Duration::from_secs(7 * 86_400);

pub(super) struct Client {
    client: legacy::Client<Connector, BodyWrapper<Bytes>>,
    told: Told,
}

/// How long the authority asked to be left alone, by what it said last.
#[derive(Clone, Default)]
pub(super) struct Told(Arc<Mutex<Option<Duration>>>);

impl Told {
    pub(super) fn get(&self) -> Option<Duration> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, status: StatusCode, headers: &HeaderMap, now: SystemTime) {
        if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            return;
        }
        let text = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).unwrap_or_default().trim();
        let told = match text.parse() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            // `Fri, 31 Dec 1999 23:59:59 GMT`
            Err(_) => {
                let at = jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp().as_second());
                let at = at.and_then(|second| u64::try_from(second).ok()).map(Duration::from_secs);
                at.and_then(|at| (SystemTime::UNIX_EPOCH + at).duration_since(now).ok())
            }
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = told.map(|told| told.min(MOST_TOLD));
    }
}

impl Client {
    pub(super) fn new(authorities: Option<&[u8]>) -> Result<Client, String> {
        let connector = crate::outbound::connector(authorities)?;
        Ok(Client { client: legacy::Client::builder(TokioExecutor::new()).build(connector), told: Told::default() })
    }

    pub(super) fn told(&self) -> Told {
        self.told.clone()
    }
}

fn other(why: &str) -> Error {
    Error::Other(why.into())
}

impl HttpClient for Client {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        // The directory says where the rest is; nothing of it is asked without TLS.
        let secure = request.uri().scheme_str() == Some("https");
        let (asked, told) = (self.client.request(request), self.told.clone());
        Box::pin(async move {
            if !secure {
                return Err(other("the authority names a URL that is not `https`"));
            }
            let response =
                tokio::time::timeout(LONGEST, asked).await.map_err(|_| other("the authority does not answer"))?;
            let response = response.map_err(|e| Error::Other(crate::outbound::causes(&e).into()))?;
            told.hear(response.status(), response.headers(), SystemTime::now());
            Ok(BytesResponse::from(response.map(|body| Limited::new(body, MOST))))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_says_how_long_it_is_to_be_left_alone() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(946_684_799 - 60);
        for (status, text, want) in [
            (429, "120", Some(120)),
            (503, "Fri, 31 Dec 1999 23:59:59 GMT", Some(60)),
            (429, "99999999999", Some(MOST_TOLD.as_secs())),
            (429, "Thu, 01 Jan 1970 00:00:00 GMT", None),
            (429, "soon", None),
            (200, "120", None),
        ] {
            let told = Told::default();
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            told.hear(StatusCode::from_u16(status).unwrap(), &headers, now);
            assert_eq!(told.get(), want.map(Duration::from_secs), "{text}");
        }
    }
}
