//! Media types: which declared one a body has (RFC 9110, 8.3), and whether the caller accepts what we answer (12.5.1).

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};

use super::spec::{MediaSpec, Read};

/// Whether `media_type` is `range`, or lies in it (`image/png` in `image/*`). Case and parameters do not matter.
pub(crate) fn within(media_type: &str, range: &str) -> bool {
    fit(essence(media_type), essence(range)).is_some()
}

/// How closely: 3 exact, 2 what it is written in (`application/*+json`), 1 the main type, 0 any.
fn fit(media_type: &str, range: &str) -> Option<u8> {
    let (main, sub) = media_type.split_once('/')?;
    match range.split_once('/')? {
        ("*", "*") => Some(0),
        (m, "*") if m.eq_ignore_ascii_case(main) => Some(1),
        (m, s) if m.eq_ignore_ascii_case(main) && s.eq_ignore_ascii_case(sub) => Some(3),
        (m, s) if m.eq_ignore_ascii_case(main) => {
            let (written, (name, own)) = (s.strip_prefix("*+")?, sub.rsplit_once('+')?);
            (!name.is_empty() && own.eq_ignore_ascii_case(written)).then_some(2)
        }
        _ => None,
    }
}

/// `application/json`, `text/json`, or a type that says it is written so (RFC 6839, 3.1).
pub(crate) fn is_json(media_type: &str) -> bool {
    let sub = essence(media_type).rsplit('/').next().unwrap_or_default();
    sub.eq_ignore_ascii_case("json") || sub.len() > 5 && sub.to_ascii_lowercase().ends_with("+json")
}

/// Whether it is written from a value, item by item or otherwise than JSON: XML, JSON Lines, JSON text sequences, events.
pub(crate) fn is_of_values(media_type: &str) -> bool {
    let sub = essence(media_type).rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let suffix = sub.rsplit('+').next().unwrap_or_default();
    let sequences = ["jsonl", "x-jsonl", "jsonlines", "x-jsonlines", "ndjson", "x-ndjson", "json-seq", "event-stream"];
    suffix == "xml" || sequences.contains(&suffix)
}

fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or("").trim()
}

/// The index of the declared media type that a request's body has; `None` is 415. A `Content-Encoding`, which we do not
/// undo, is 415 too (RFC 9110, 15.5.16), and so is a charset other than UTF-8 where we read text.
pub(crate) fn select(headers: &HeaderMap, content: &'static [MediaSpec]) -> Option<usize> {
    let coded = headers.get_all(CONTENT_ENCODING).iter().any(|v| !v.as_bytes().eq_ignore_ascii_case(b"identity"));
    let mut sent = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None, false) = (sent.next(), sent.next(), coded) else { return None };
    // What nearly all bodies are: the first declared type, without parameters. Nothing fits closer.
    if content.first().is_some_and(|first| same_plain(value, first.media_type)) {
        return Some(0);
    }
    let value = value.to_str().ok()?;
    let sent = essence(value);
    let (index, spec) = content
        .iter()
        .enumerate()
        .filter_map(|(i, spec)| fit(sent, spec.media_type).map(|fit| (fit, i, spec)))
        .max_by_key(|(fit, i, _)| (*fit, std::cmp::Reverse(*i)))
        .map(|(_, i, spec)| (i, spec))?;
    let reads_text = !matches!(spec.read, Read::Bytes | Read::Parts(..) | Read::Multipart);
    if reads_text && !utf8(value) {
        return None;
    }
    Some(index)
}

/// Whether a field is exactly a media type, neither having parameters or being a range.
fn same_plain(value: &http::HeaderValue, media_type: &str) -> bool {
    const JSON: &str = "application/json";
    if media_type == JSON && value == JSON {
        return true;
    }
    let plain = media_type.contains('/') && !media_type.contains(['*', ';', ',']);
    plain && value.as_bytes().eq_ignore_ascii_case(media_type.as_bytes())
}

/// Whether the text of this media type is in UTF-8, as far as it says so.
pub(crate) fn utf8(content_type: &str) -> bool {
    content_type.split(';').skip(1).all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            let value = value.trim().trim_matches('"');
            value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("us-ascii")
        }
        _ => true,
    })
}

/// What a body may be, for the `Accept` of a 415 (RFC 9110, 15.5.16).
pub(crate) fn offered(content: &[MediaSpec]) -> Option<http::HeaderValue> {
    let types: Vec<&str> = content.iter().map(|spec| spec.media_type).collect();
    http::HeaderValue::try_from(types.join(", ")).ok()
}

/// Whether one of `produces` is acceptable. No `Accept`, or one that says nothing, accepts everything.
pub(crate) fn acceptable(headers: &HeaderMap, produces: &[&str]) -> bool {
    let mut lines = headers.get_all(ACCEPT).iter();
    let (first, more) = (lines.next(), lines.next().is_some());
    let Some(first) = first.filter(|_| !produces.is_empty()) else { return true };
    // What nearly all clients say: anything, or just what there is.
    if !more && (first == "*/*" || produces.iter().any(|p| same_plain(first, p))) {
        return true;
    }
    let lines: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|v| v.to_str().ok()).collect();
    let ranges: Vec<(&str, bool)> = lines
        .iter()
        .flat_map(|line| line.split(','))
        .filter(|range| !range.trim().is_empty())
        .map(|range| (essence(range), refused(range)))
        .collect();
    // A produced range (`image/*`) may meet a narrower accepted one.
    let meets = |produced: &str| {
        let produced = essence(produced);
        let closest = ranges
            .iter()
            .filter_map(|(range, refused)| {
                let fit = fit(produced, range).or_else(|| fit(range, produced).map(|_| 3))?;
                Some((fit, *refused))
            })
            .max_by_key(|(fit, _)| *fit);
        closest.is_some_and(|(_, refused)| !refused)
    };
    ranges.is_empty() || produces.iter().any(|p| meets(p))
}

/// Of several media types that could be answered, the one that the caller likes best (RFC 9110, 12.5.1): by the weight of
/// the closest range that each lies in, the first of equals. `None` where none is acceptable.
pub(crate) fn preferred<'t>(headers: &HeaderMap, of: &[&'t str]) -> Option<&'t str> {
    best(headers.get_all(ACCEPT).iter(), of).and_then(|index| of.get(index).copied())
}

/// As [`preferred`], of these lines of `Accept`: the index.
pub(crate) fn best<'v>(accept: impl Iterator<Item = &'v http::HeaderValue>, of: &[&str]) -> Option<usize> {
    let lines: Vec<&str> = accept.filter_map(|v| v.to_str().ok()).collect();
    let ranges: Vec<(&str, f32)> = lines
        .iter()
        .flat_map(|line| line.split(','))
        .filter(|range| !range.trim().is_empty())
        .map(|range| (essence(range), weight(range)))
        .collect();
    if ranges.is_empty() {
        return (!of.is_empty()).then_some(0);
    }
    let weigh = |media_type: &str| {
        let fitting = ranges.iter().filter_map(|(range, weight)| Some((fit(essence(media_type), range)?, *weight)));
        fitting.max_by_key(|(fit, _)| *fit).map_or(0.0, |(_, weight)| weight)
    };
    let mut best: Option<(usize, f32)> = None;
    for (index, media_type) in of.iter().enumerate() {
        let weight = weigh(media_type);
        if weight > best.map_or(0.0, |(_, weight)| weight) {
            best = Some((index, weight));
        }
    }
    best.map(|(index, _)| index)
}

/// The `q` of a range; 1 where there is none, or one that is no number.
fn weight(range: &str) -> f32 {
    let quality = range.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let quality = quality.filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    let mut numbers = quality.filter_map(|(_, value)| value.trim().parse::<f32>().ok());
    numbers.find(|number| (0.0..=1.0).contains(number)).unwrap_or(1.0)
}

/// `q=0`, however many zeros it has.
fn refused(range: &str) -> bool {
    range.split(';').skip(1).any(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("q") => {
            value.trim().parse::<f32>().is_ok_and(|q| q <= 0.0)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENT: &[MediaSpec] = &[
        MediaSpec { media_type: "*/*", read: Read::Bytes },
        MediaSpec { media_type: "text/*", read: Read::Text(crate::json::check::any) },
        MediaSpec { media_type: "text/csv", read: Read::Text(crate::json::check::any) },
        MediaSpec { media_type: "image/*", read: Read::Bytes },
        MediaSpec { media_type: "application/*+json", read: Read::Json(crate::json::check::any) },
    ];

    fn headers(rows: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in rows {
            map.append(*name, http::HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn the_closest_declared_type_is_read() {
        for (sent, expected) in [
            ("text/csv; charset=utf-8", Some(2)),
            ("TEXT/CSV", Some(2)),
            ("text/html", Some(1)),
            ("text/html; charset=latin1", None),
            ("image/png", Some(3)),
            ("application/x", Some(0)),
            ("application/x+JSON", Some(4)),
            ("application/x+json+zip", Some(0)),
            ("application/+json", Some(0)),
            ("nonsense", None),
        ] {
            assert_eq!(select(&headers(&[("content-type", sent)]), CONTENT), expected, "{sent}");
        }
        assert_eq!(select(&headers(&[]), CONTENT), None);
        assert_eq!(select(&headers(&[("content-type", "text/csv"), ("content-type", "text/csv")]), CONTENT), None);
        assert_eq!(select(&headers(&[("content-type", "text/csv"), ("content-encoding", "gzip")]), CONTENT), None);
    }

    #[test]
    fn the_caller_chooses() {
        const JSON: &str = "application/json";
        const CSV: &str = "text/csv";
        for (accept, expected) in [
            ("", Some(JSON)),
            ("*/*", Some(JSON)),
            ("text/csv", Some(CSV)),
            ("text/csv;q=0.5, application/json;q=0.4", Some(CSV)),
            ("application/*;q=0.2, text/*;q=0.3", Some(CSV)),
            ("*/*;q=0.1, application/json;q=0", Some(CSV)),
            ("text/csv;q=0.5, */*;q=0.9", Some(JSON)),
            ("text/csv;Q=1.000, */*;q=0.9", Some(CSV)),
            ("text/html", None),
            ("text/csv;q=0", None),
        ] {
            assert_eq!(preferred(&headers(&[("accept", accept)]), &[JSON, CSV]), expected, "{accept}");
        }
        assert_eq!(preferred(&headers(&[]), &[CSV, JSON]), Some(CSV));
        assert_eq!(preferred(&headers(&[("accept", "text/html"), ("accept", "text/csv")]), &[JSON, CSV]), Some(CSV));
        assert_eq!(preferred(&headers(&[]), &[]), None);
    }

    #[test]
    fn accept_is_read_as_http_says() {
        for (accept, expected) in [
            ("application/json", true),
            ("*/*", true),
            ("application/*;q=0.1", true),
            ("text/html, application/json;q=0.9", true),
            ("text/html", false),
            ("application/json;q=0, */*", false),
            ("application/json;q=0.000", false),
            ("", true),
        ] {
            assert_eq!(acceptable(&headers(&[("accept", accept)]), &["application/json"]), expected, "{accept}");
        }
        assert!(acceptable(&headers(&[]), &["application/json"]));
        assert!(acceptable(&headers(&[("accept", "text/html")]), &[]));
        assert!(acceptable(&headers(&[("accept", "image/png")]), &["image/*"]));
    }
}
