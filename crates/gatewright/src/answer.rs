//! An answer on its way out: what is its own, before the fields that every response has are put around it.

use axum::body::Body;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use smallvec::SmallVec;

/// Header fields in the order in which they were set. Most answers have one, their media type: a map for it would cost
/// two allocations, and it is moved to the map of the response all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(SmallVec<[(HeaderName, HeaderValue); 1]>);

impl Fields {
    /// Adds a line.
    pub(crate) fn append(&mut self, name: HeaderName, value: HeaderValue) {
        self.0.push((name, value));
    }

    /// Sets a field: lines of it that stand there are gone.
    pub(crate) fn insert(&mut self, name: HeaderName, value: HeaderValue) {
        self.0.retain(|(other, _)| *other != name);
        self.append(name, value);
    }

    pub(crate) fn extend(&mut self, more: Fields) {
        self.0.extend(more.0);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes the first line of a field.
    pub(crate) fn take(&mut self, name: &HeaderName) -> Option<HeaderValue> {
        let place = self.0.iter().position(|(other, _)| other == name)?;
        Some(self.0.remove(place).1)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(HeaderName, HeaderValue)> {
        self.0.iter()
    }
}

impl IntoIterator for Fields {
    type Item = (HeaderName, HeaderValue);
    type IntoIter = smallvec::IntoIter<[(HeaderName, HeaderValue); 1]>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<HeaderMap> for Fields {
    fn from(map: HeaderMap) -> Fields {
        let mut fields = Fields::default();
        let mut last = None;
        // A map gives the name of a field with its first line.
        for (name, value) in map {
            last = name.or(last);
            if let Some(name) = &last {
                fields.append(name.clone(), value);
            }
        }
        fields
    }
}

impl From<Fields> for HeaderMap {
    fn from(fields: Fields) -> HeaderMap {
        let mut map = HeaderMap::with_capacity(fields.len());
        for (name, value) in fields {
            map.append(name, value);
        }
        map
    }
}

/// An answer that is not finished.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Where it is not among the fields.
    pub(crate) media_type: Option<HeaderValue>,
    pub(crate) fields: Fields,
    pub(crate) body: Body,
}

impl Answer {
    /// An answer without fields of its own.
    pub(crate) fn new(status: StatusCode, body: Body) -> Answer {
        Answer { status, media_type: None, fields: Fields::default(), body }
    }
}

impl From<Response<Body>> for Answer {
    fn from(response: Response<Body>) -> Answer {
        let (parts, body) = response.into_parts();
        Answer { fields: parts.headers.into(), ..Answer::new(parts.status, body) }
    }
}

impl From<Answer> for Response<Body> {
    fn from(answer: Answer) -> Response<Body> {
        let mut response = Response::new(answer.body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.fields.into();
        if let Some(media_type) = answer.media_type {
            response.headers_mut().append(CONTENT_TYPE, media_type);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_field_stay_together_and_in_order() {
        let mut map = HeaderMap::new();
        for (name, value) in [("link", "<a>"), ("x-a", "1"), ("link", "<b>"), ("link", "<c>")] {
            map.append(name, HeaderValue::from_static(value));
        }
        let fields = Fields::from(map.clone());
        assert_eq!(fields.len(), 4);
        assert_eq!(HeaderMap::from(fields), map);
    }
}
