//! `Client-Cert` (RFC 9440): the certificate that a client showed to a proxy, which verified it. It counts from trusted
//! proxies that are known to set it and to take it away from what clients send, and from nobody else.

use axum::body::Bytes;
use http::HeaderMap;
use http::header::HeaderName;

use crate::auth::jwt::base64;

const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");

/// Longer ones are no certificates of clients.
const LONGEST: usize = 16 * 1024;

/// The certificate's DER form: one line, a byte sequence of structured fields (RFC 9651, 3.3.5).
pub(crate) fn read(headers: &HeaderMap) -> Option<Bytes> {
    let mut lines = headers.get_all(CLIENT_CERT).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    let text = line.to_str().ok().filter(|text| text.len() <= LONGEST)?;
    let encoded = text.trim_matches(' ').strip_prefix(':')?.strip_suffix(':')?;
    base64::standard(encoded).filter(|der| !der.is_empty()).map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn said(lines: &[&str]) -> Option<Bytes> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(CLIENT_CERT, HeaderValue::from_str(line).unwrap());
        }
        read(&headers)
    }

    #[test]
    fn one_byte_sequence_is_one_certificate() {
        assert_eq!(said(&[":AQID:"]), Some(Bytes::from_static(&[1, 2, 3])));
        assert_eq!(said(&[" :AQIDBA==: "]), Some(Bytes::from_static(&[1, 2, 3, 4])));
        let long = format!(":{}:", "AAAA".repeat(5_000));
        for lines in [
            &[][..],
            &["AQID"],
            &[":AQID"],
            &["::"],
            &[":AQ ID:"],
            &[":A_ID:"],
            &[":AQID:, :AQID:"],
            &[":AQID:", ":AQID:"],
            &[&long],
        ] {
            assert_eq!(said(lines), None, "{lines:?}");
        }
    }
}
