//! What every response carries, whoever made it (OWASP REST security sheet; ASVS 3.4).

use http::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    RETRY_AFTER, STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

use super::exchange::X_REQUEST_ID;
use super::{Exchange, Gateway, Life};
use crate::answer::Answer;
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
pub(crate) struct UsualFields {
    /// By the [`Places`] that they have.
    maps: [HeaderMap; Places::ALL],
}

/// What a response has for itself, of the fields that most have once.
#[derive(Clone, Copy, Debug)]
struct Places {
    media_type: bool,
    limits: bool,
    challenge: bool,
    retry_after: bool,
}

impl Places {
    const ALL: usize = 16;

    fn of(index: usize) -> Places {
        let has = |bit: usize| index & bit != 0;
        Places { media_type: has(1), limits: has(2), challenge: has(4), retry_after: has(8) }
    }

    fn index(self) -> usize {
        let bits = [self.media_type, self.limits, self.challenge, self.retry_after];
        bits.into_iter().rev().fold(0, |index, has| index << 1 | usize::from(has))
    }
}

impl UsualFields {
    pub(crate) fn new(hsts: Option<&HeaderValue>, life: Option<&Life>) -> UsualFields {
        let map = |places: Places| {
            let mut map = HeaderMap::new();
            map.insert(X_REQUEST_ID, OWN);
            for (has, name) in [
                (places.media_type, CONTENT_TYPE),
                (places.limits, RATE_LIMIT_POLICY),
                (places.limits, RATE_LIMIT),
                (places.challenge, WWW_AUTHENTICATE),
                (places.retry_after, RETRY_AFTER),
            ] {
                if has {
                    map.insert(name, OWN);
                }
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
        UsualFields { maps: std::array::from_fn(|index| map(Places::of(index))) }
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
        let Answer { status, media_type, fields: mut own, body } = answer;
        let mut media_type = media_type.or_else(|| own.take(&CONTENT_TYPE));
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let edge = self.edge(exchange.api);
        let hsts = edge.hsts.is_some();
        // Only refusals have these.
        let refusal = status.is_client_error() || status.is_server_error();
        let mut challenge = if refusal { own.take(&WWW_AUTHENTICATE) } else { None };
        let mut retry_after = if refusal { own.take(&RETRY_AFTER) } else { None };
        let rules = guard.map(Guard::limits).or_else(|| Some(&self.unanswered(exchange)?.limits));
        let told = self.shared.rate_limit_headers.then(|| standing.told(rules, status.is_redirection()));
        let mut limits = told.flatten();
        let places = Places {
            media_type: media_type.is_some(),
            limits: limits.is_some(),
            challenge: challenge.is_some(),
            retry_after: retry_after.is_some(),
        };
        // There is one of each.
        let mut headers = edge.usual.maps.get(places.index()).cloned().unwrap_or_default();
        let mut open = 1 + places.index().count_ones() + u32::from(places.limits);
        for (name, value) in &mut headers {
            // Those that have a place are the first that were inserted, and mostly the first to come.
            if open == 0 {
                break;
            }
            let own = if *name == X_REQUEST_ID {
                Some(exchange.id_value())
            } else if *name == CONTENT_TYPE {
                media_type.take()
            } else if *name == RATE_LIMIT_POLICY {
                limits.as_mut().map(|(policy, _)| std::mem::replace(policy, OWN))
            } else if *name == RATE_LIMIT {
                limits.as_mut().map(|(_, limit)| std::mem::replace(limit, OWN))
            } else if *name == WWW_AUTHENTICATE {
                challenge.take()
            } else if *name == RETRY_AFTER {
                retry_after.take()
            } else {
                continue;
            };
            if let Some(own) = own {
                *value = own;
                open -= 1;
            }
        }
        if hsts && !exchange.secure {
            headers.remove(STRICT_TRANSPORT_SECURITY);
        }
        // What a guard let one caller see is not to be kept for the next; only a public success may say otherwise.
        let public = guard.is_some_and(|g| !g.is_guarded()) && status.is_success();
        let mut replaced = REPLACED.map(|_| false);
        for (name, value) in own {
            let ours = name == X_CONTENT_TYPE_OPTIONS
                || name == X_REQUEST_ID
                || (name == STRICT_TRANSPORT_SECURITY && hsts && exchange.secure)
                || (name == CACHE_CONTROL && !public)
                || (places.limits && (name == RATE_LIMIT_POLICY || name == RATE_LIMIT));
            if ours {
                continue;
            }
            let place = REPLACED.iter().position(|other| *other == name);
            let first =
                place.and_then(|place| replaced.get_mut(place)).is_some_and(|done| !std::mem::replace(done, true));
            if first {
                headers.insert(name, value);
            } else {
                headers.append(name, value);
            }
        }
        *response.headers_mut() = headers;
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_map_has_the_places_that_its_number_says() {
        let hsts = HeaderValue::from_static("max-age=1");
        let usual = UsualFields::new(Some(&hsts), None);
        for (index, map) in usual.maps.iter().enumerate() {
            let places = Places::of(index);
            assert_eq!(places.index(), index);
            for (name, has) in [
                (X_REQUEST_ID, true),
                (CONTENT_TYPE, places.media_type),
                (RATE_LIMIT_POLICY, places.limits),
                (RATE_LIMIT, places.limits),
                (WWW_AUTHENTICATE, places.challenge),
                (RETRY_AFTER, places.retry_after),
            ] {
                assert_eq!(map.get(&name).is_some_and(HeaderValue::is_empty), has, "{index} {name}");
            }
            for name in REPLACED.iter().chain([&X_CONTENT_TYPE_OPTIONS, &STRICT_TRANSPORT_SECURITY]) {
                assert!(!map[name].is_empty(), "{index} {name}");
            }
        }
    }
}
