//! What every response carries, whoever made it (OWASP REST security sheet; ASVS 3.4).

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Response, StatusCode};

use super::exchange::X_REQUEST_ID;
use super::{Exchange, Gateway, Life};
use crate::answer::{Answer, Fields};
use crate::guard::Guard;
use crate::limit::{RATE_LIMIT, RATE_LIMIT_POLICY, Standing};

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Fields that a handler may have a reason to set otherwise: they stand where it did not.
const DEFAULTS: [(HeaderName, HeaderValue); 3] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Fields of which a handler's value takes the place of ours.
const REPLACED: [HeaderName; 4] = [CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS, REFERRER_POLICY, CACHE_CONTROL];

/// Stands where a value is written that each response has for itself.
const OWN: HeaderValue = HeaderValue::from_static("");

/// The fields that all responses of a version have, made once: to copy a map costs a fraction of making it. The copies have
/// places for what each response has for itself.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    /// Without and with a media type; each without and with the fields of limits.
    maps: [[HeaderMap; 2]; 2],
    hsts: bool,
}

impl Common {
    pub(crate) fn new(hsts: Option<&HeaderValue>, life: Option<&Life>) -> Common {
        let map = |typed: bool, limited: bool| {
            let mut map = HeaderMap::new();
            map.insert(X_REQUEST_ID, OWN);
            if typed {
                map.insert(CONTENT_TYPE, OWN);
            }
            if limited {
                map.insert(RATE_LIMIT_POLICY, OWN);
                map.insert(RATE_LIMIT, OWN);
            }
            map.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            map.extend(DEFAULTS);
            map.insert(CACHE_CONTROL, NO_STORE);
            if let Some(hsts) = hsts {
                map.insert(STRICT_TRANSPORT_SECURITY, hsts.clone());
            }
            if let Some(life) = life {
                life.write(&mut map);
            }
            // A copy takes as much room as is used.
            map.clone()
        };
        let both = |typed| [map(typed, false), map(typed, true)];
        Common { maps: [both(false), both(true)], hsts: hsts.is_some() }
    }

    fn copy(&self, typed: bool, limited: bool) -> HeaderMap {
        let [untyped, with_type] = &self.maps;
        let [unlimited, with_limits] = if typed { with_type } else { untyped };
        if limited { with_limits.clone() } else { unlimited.clone() }
    }
}

impl Gateway {
    /// The answer with the fields that every response has.
    pub(super) fn finish(
        &self,
        exchange: &Exchange,
        guard: Option<&Guard>,
        standing: &Standing,
        answer: Answer,
    ) -> Response<axum::body::Body> {
        let Answer { status, fields, body } = answer;
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = self.fields(exchange, guard, standing, status, fields);
        response
    }

    /// All fields of a response, of which these are its own.
    pub(super) fn fields(
        &self,
        exchange: &Exchange,
        guard: Option<&Guard>,
        standing: &Standing,
        status: StatusCode,
        mut own: Fields,
    ) -> HeaderMap {
        let common = &self.edge(exchange.api).common;
        let mut media_type = own.take(&CONTENT_TYPE);
        let rules = guard.map(Guard::limits).or_else(|| Some(&self.unanswered(exchange)?.limits));
        let told = self.shared.rate_limit_headers.then(|| standing.told(rules, status.is_redirection()));
        let mut limits = told.flatten();
        let limited = limits.is_some();

        let mut headers = common.copy(media_type.is_some(), limited);
        for (name, value) in &mut headers {
            if *name == X_REQUEST_ID {
                *value = exchange.id_value();
            } else if *name == CONTENT_TYPE {
                *value = media_type.take().unwrap_or(OWN);
            } else if *name == RATE_LIMIT_POLICY {
                *value = limits.as_mut().map_or(OWN, |(policy, _)| std::mem::replace(policy, OWN));
            } else if *name == RATE_LIMIT {
                *value = limits.as_mut().map_or(OWN, |(_, limit)| std::mem::replace(limit, OWN));
            }
        }
        if common.hsts && !exchange.secure {
            headers.remove(STRICT_TRANSPORT_SECURITY);
        }
        // What a guard let one caller see is not to be kept for the next; only a public success may say otherwise.
        let public = guard.is_some_and(|g| !g.is_guarded()) && status.is_success();
        let mut replaced = REPLACED.map(|_| false);
        for (name, value) in own {
            let ours = name == X_CONTENT_TYPE_OPTIONS
                || name == X_REQUEST_ID
                || (name == STRICT_TRANSPORT_SECURITY && common.hsts && exchange.secure)
                || (name == CACHE_CONTROL && !public)
                || (limited && (name == RATE_LIMIT_POLICY || name == RATE_LIMIT));
            if ours {
                continue;
            }
            let place = REPLACED.iter().position(|other| *other == name);
            let first = place.and_then(|place| replaced.get_mut(place)).is_some_and(|done| !std::mem::replace(done, true));
            if first {
                headers.insert(name, value);
            } else {
                headers.append(name, value);
            }
        }
        headers
    }
}
