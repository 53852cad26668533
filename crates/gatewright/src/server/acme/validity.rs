//! From when until when a certificate is valid: the one thing that is read of it here (RFC 5280, 4.1.2.5).

use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Of the first certificate of a PEM text.
pub(super) fn of_pem(text: &[u8]) -> Option<(SystemTime, SystemTime)> {
    of(&CertificateDer::pem_slice_iter(text).next()?.ok()?)
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

fn of(der: &[u8]) -> Option<(SystemTime, SystemTime)> {
    let (certificate, _) = tagged(der, SEQUENCE)?;
    let (mut rest, _) = tagged(certificate, SEQUENCE)?;
    if let Some((_, behind)) = tagged(rest, VERSION) {
        rest = behind;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        (_, _, rest) = element(rest)?;
    }
    let (validity, _) = tagged(rest, SEQUENCE)?;
    let (tag, from, rest) = element(validity)?;
    let (other, until, _) = element(rest)?;
    Some((time(tag, from)?, time(other, until)?))
}

fn tagged(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(der)?;
    (found == tag).then_some((content, rest))
}

/// Tag, content, and what is behind it (X.690, 8.1), with lengths of at most three bytes.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// UTCTime (`991231235959Z`, of 1950 to 2049) or GeneralizedTime (`20501231235959Z`).
fn time(tag: u8, text: &[u8]) -> Option<SystemTime> {
    let digits = text.strip_suffix(b"Z")?;
    let (century, digits) = match (tag, digits) {
        (0x17, [a, ..]) if digits.len() == 12 => (if *a >= b'5' { "19" } else { "20" }, digits),
        (0x18, _) if digits.len() == 14 => ("", digits),
        _ => return None,
    };
    let text = format!("{century}{}", std::str::from_utf8(digits).ok()?);
    let at = DateTime::strptime("%Y%m%d%H%M%S", &text).ok()?;
    let second = TimeZone::UTC.to_timestamp(at).ok()?.as_second();
    let before = Duration::from_secs(second.unsigned_abs());
    if second < 0 { SystemTime::UNIX_EPOCH.checked_sub(before) } else { SystemTime::UNIX_EPOCH.checked_add(before) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(time: SystemTime) -> u64 {
        time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
    }

    #[test]
    fn both_kinds_of_time_are_read() {
        for (until, want) in [((2049, 12, 31), 2_524_521_600), ((2050, 1, 1), 2_524_608_000)] {
            let mut wanted = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
            wanted.not_before = rcgen::date_time_ymd(1999, 12, 31);
            wanted.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
            let made = wanted.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
            let (from, until) = of_pem(format!("a line\n{}", made.pem()).as_bytes()).unwrap();
            assert_eq!((unix(from), unix(until)), (946_598_400, want));
            // What is cut anywhere has no times, or the same: nothing panics.
            for length in 0..made.der().len() {
                assert!(of(&made.der()[..length]).is_none());
            }
        }
        assert!(time(0x17, b"991331000000Z").is_none() && time(0x18, b"991231235959Z").is_none());
        assert_eq!(time(0x17, b"700101000001Z"), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1)));
    }
}
