//! The life of a version: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), `Link` (RFC 8288) on each of its answers, and
//! 410 once it is over.

use gatewright_policy::table::{Lifecycle, Status};
use http::HeaderValue;
use http::header::{HeaderMap, HeaderName, LINK};

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// A version's life, its fields written once.
pub(crate) struct Life {
    status: Status,
    sunset: Option<i64>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Life {
    pub(crate) fn new(life: &Lifecycle) -> Life {
        let mut headers = Vec::new();
        let mut add =
            |name: HeaderName, text: String| headers.extend(HeaderValue::try_from(text).ok().map(|v| (name, v)));
        if matches!(life.status, Status::Deprecated | Status::Retired) {
            if let Some(at) = life.deprecated_at {
                add(DEPRECATION, format!("@{at}"));
            }
            if let Some(sunset) = life.sunset {
                add(SUNSET, http_date(sunset));
            }
            for (target, relations) in
                [(life.documentation, &["deprecation", "sunset"][..]), (life.successor, &["successor-version"])]
            {
                let Some(target) = target.filter(|t| t.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>'))
                else {
                    continue;
                };
                for relation in relations.iter().filter(|r| **r != "sunset" || life.sunset.is_some()) {
                    add(LINK, format!("<{target}>; rel=\"{relation}\""));
                }
            }
        }
        Life { status: life.status, sunset: life.sunset, headers }
    }

    /// Whether it is over.
    pub(crate) fn retired(&self, now: i64) -> bool {
        match self.status {
            Status::Retired => true,
            Status::Deprecated => self.sunset.is_some_and(|sunset| now >= sunset),
            Status::Preview | Status::Stable => false,
        }
    }

    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.append(name.clone(), value.clone());
        }
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
fn http_date(unix: i64) -> String {
    jiff::Timestamp::from_second(unix)
        .ok()
        .and_then(|t| jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&t).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(status: Status) -> Lifecycle {
        Lifecycle {
            status,
            deprecated_at: Some(1_780_272_000),
            sunset: Some(1_811_808_000),
            successor: Some("/v2"),
            documentation: Some("https://example.com/migrate"),
        }
    }

    fn headers(life: &Lifecycle) -> HeaderMap {
        let mut headers = HeaderMap::new();
        Life::new(life).write(&mut headers);
        headers
    }

    /// Rows: V3, V6.
    #[test]
    fn a_deprecated_version_says_so() {
        for status in [Status::Deprecated, Status::Retired] {
            let headers = headers(&life(status));
            assert_eq!(headers[DEPRECATION], "@1780272000");
            assert_eq!(headers[SUNSET], "Tue, 01 Jun 2027 00:00:00 GMT");
            let links: Vec<_> = headers.get_all(LINK).iter().map(|l| l.to_str().unwrap()).collect();
            assert_eq!(
                links,
                [
                    "<https://example.com/migrate>; rel=\"deprecation\"",
                    "<https://example.com/migrate>; rel=\"sunset\"",
                    "</v2>; rel=\"successor-version\""
                ]
            );
        }
        assert!(headers(&life(Status::Stable)).is_empty());
        assert!(headers(&life(Status::Preview)).is_empty());
    }

    #[test]
    fn it_ends_at_its_sunset_to_the_second() {
        let deprecated = Life::new(&life(Status::Deprecated));
        assert!(!deprecated.retired(1_811_807_999));
        assert!(deprecated.retired(1_811_808_000));
        assert!(Life::new(&life(Status::Retired)).retired(0));
        assert!(!Life::new(&life(Status::Stable)).retired(i64::MAX));
        let endless = Lifecycle { sunset: None, ..life(Status::Deprecated) };
        assert!(!Life::new(&endless).retired(i64::MAX));
    }
}
