//! Which trace a request is part of (W3C Trace Context, level 1). What cannot be read begins a new trace: it is never an
//! error, and never half taken.

use std::fmt;

use aws_lc_rs::rand;
use http::HeaderMap;

/// The trace of a request, and the span that it is at this server. A handler finds it among the extensions of
/// [`RawParts`](crate::RawParts), and names it to those whom it calls in turn:
/// `headers.insert("traceparent", context.to_string().parse()?)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace: [u8; 16],
    span: [u8; 8],
    sampled: bool,
}

impl TraceContext {
    /// The id of the trace.
    #[must_use]
    pub fn trace_id(&self) -> [u8; 16] {
        self.trace
    }

    /// The id of the span.
    #[must_use]
    pub fn span_id(&self) -> [u8; 8] {
        self.span
    }

    /// Whether its spans are recorded.
    #[must_use]
    pub fn sampled(&self) -> bool {
        self.sampled
    }

    /// A span of a new trace. `share` of 65,536 traces are recorded.
    pub(super) fn new(share: u32) -> TraceContext {
        let mut trace = [0; 16];
        // Where there is no randomness nothing else works either; an id of nothing but zeros is none.
        let _ = rand::fill(&mut trace);
        let [.., high, low] = trace;
        let sampled = u32::from(u16::from_be_bytes([high, low])) < share;
        TraceContext { trace, span: id(), sampled }
    }

    /// A span below this one.
    pub(super) fn child(self) -> TraceContext {
        TraceContext { span: id(), ..self }
    }

    /// What a request says: one `traceparent`, as it must be written (3.2). One of a later version is read as far as this
    /// version goes.
    pub(super) fn read(headers: &HeaderMap) -> Option<TraceContext> {
        let mut lines = headers.get_all("traceparent").iter();
        let (Some(line), None) = (lines.next(), lines.next()) else { return None };
        parse(line.as_bytes())
    }
}

/// `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`
fn parse(text: &[u8]) -> Option<TraceContext> {
    let (known, rest) = text.split_at_checked(55)?;
    let [v0, v1, b'-', trace @ .., f0, f1] = known else { return None };
    let [version] = hex([*v0, *v1])?;
    // 255 is no version; this one ends here, and later ones go on behind a dash.
    if version == 255 || (version == 0 && !rest.is_empty()) || rest.first().is_some_and(|b| *b != b'-') {
        return None;
    }
    let (trace, rest) = trace.split_at_checked(32)?;
    let [b'-', span @ .., b'-'] = rest else { return None };
    let trace: [u8; 16] = hex(<[u8; 32]>::try_from(trace).ok()?)?;
    let span: [u8; 8] = hex(<[u8; 16]>::try_from(span).ok()?)?;
    let [flags] = hex([*f0, *f1])?;
    (trace != [0; 16] && span != [0; 8]).then_some(TraceContext { trace, span, sampled: flags & 1 == 1 })
}

/// Bytes of lower-case digits: others are not allowed (3.2.2).
fn hex<const DIGITS: usize, const BYTES: usize>(digits: [u8; DIGITS]) -> Option<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        for digit in pair {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => return None,
            };
            *byte = *byte << 4 | value;
        }
    }
    Some(bytes)
}

fn id() -> [u8; 8] {
    let mut id = [0; 8];
    let _ = rand::fill(&mut id);
    if id == [0; 8] { [1; 8] } else { id }
}

/// As `traceparent` is written.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("00-")?;
        self.trace.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("-")?;
        self.span.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, "-{:02x}", u8::from(self.sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_written_is_read_and_the_other_way_round() {
        let context = parse(GOOD.as_bytes()).unwrap();
        assert_eq!(context.to_string(), GOOD);
        assert!(context.sampled());
        let child = context.child();
        assert_eq!(child.trace_id(), context.trace_id());
        assert_ne!(child.span_id(), context.span_id());
        assert_eq!(parse(child.to_string().as_bytes()), Some(child));
    }

    #[test]
    fn what_is_not_written_so_is_none() {
        for (text, good) in [
            (GOOD.to_owned(), true),
            (GOOD.replace("-01", "-00"), true),
            (GOOD.replace("-01", "-ff"), true),
            (GOOD.replace("00-4", "cc-4"), true),
            (format!("{}-what-comes-later", GOOD.replace("00-4", "01-4")), true),
            (format!("{}-", GOOD.replace("00-4", "01-4")), true),
            (format!("{}x", GOOD.replace("00-4", "01-4")), false),
            (format!("{GOOD}-more"), false),
            (format!("{GOOD}-"), false),
            (format!("{GOOD} "), false),
            (GOOD.replace("00-4", "ff-4"), false),
            (GOOD.replace("00-4", "0-4"), false),
            (GOOD.replace("00-4", "0x-4"), false),
            (GOOD.to_uppercase(), false),
            (GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", "00000000000000000000000000000000"), false),
            (GOOD.replace("00f067aa0ba902b7", "0000000000000000"), false),
            (GOOD.replace("00f067aa0ba902b7", "00f067aa0ba902bg"), false),
            (GOOD.replace("-00f067", "_00f067"), false),
            (GOOD.replace("-01", "-0"), false),
            (GOOD.replace("-01", "-0g"), false),
            (GOOD.replace("-01", "+01"), false),
            (String::new(), false),
            ("00".into(), false),
            ("-".repeat(55), false),
            ("é".repeat(40), false),
        ] {
            assert_eq!(parse(text.as_bytes()).is_some(), good, "{text}");
        }
        let mut headers = HeaderMap::new();
        assert_eq!(TraceContext::read(&headers), None);
        headers.append("traceparent", GOOD.parse().unwrap());
        assert!(TraceContext::read(&headers).is_some());
        headers.append("traceparent", GOOD.parse().unwrap());
        assert_eq!(TraceContext::read(&headers), None, "one of two would be a choice");
    }

    #[test]
    fn a_share_of_the_traces_is_recorded() {
        let recorded = |share| (0..4_000).filter(|_| TraceContext::new(share).sampled()).count();
        assert_eq!(recorded(0), 0);
        assert_eq!(recorded(65_536), 4_000);
        assert!((700..1_300).contains(&recorded(65_536 / 4)));
    }
}
