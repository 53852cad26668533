//! `format`: the ones that we know are enforced, the others say nothing.

mod bidi;
mod net;
mod text;
mod time;

use super::document::Value;
use super::number::{self, Parts};

/// A known format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// RFC 3339 `date-time`, leap seconds at the end of a UTC day included.
    DateTime,
    /// RFC 3339 `full-date`.
    Date,
    /// RFC 3339 `full-time`.
    Time,
    /// ISO 8601 duration, as RFC 3339 appendix A has it.
    Duration,
    /// RFC 5321 mailbox.
    Email,
    /// RFC 6531 mailbox: as `email`, with any character beyond ASCII in the local part and in domain labels.
    IdnEmail,
    /// RFC 1123 host name.
    Hostname,
    /// As `hostname`, with letters beyond ASCII in labels. The context rules of RFC 5892 are checked for the characters
    /// that it lists one by one; the derived property tables and the rules for both directions of writing (RFC 5893) are
    /// not consulted.
    IdnHostname,
    /// Dotted quad.
    Ipv4,
    /// RFC 4291.
    Ipv6,
    /// RFC 3986, absolute.
    Uri,
    /// RFC 3986.
    UriReference,
    /// RFC 3987, absolute.
    Iri,
    /// RFC 3987.
    IriReference,
    /// RFC 6570.
    UriTemplate,
    /// RFC 4122.
    Uuid,
    /// RFC 6901.
    JsonPointer,
    /// A relative JSON pointer.
    RelativeJsonPointer,
    /// ECMA 262, as far as the engines behind `pattern` take it.
    Regex,
    /// Whole numbers of 32 bits with sign.
    Int32,
    /// Whole numbers of 64 bits with sign.
    Int64,
    /// Whole numbers of 32 bits without sign.
    Uint32,
    /// Whole numbers of 64 bits without sign.
    Uint64,
    /// Numbers within the range of a 32-bit float.
    Float,
    /// Numbers within the range of a 64-bit float.
    Double,
    /// Base64 with padding (RFC 4648, section 4).
    Byte,
}

impl Format {
    /// Whether a value is in the format; values that the format does not speak of are.
    pub(super) fn admits(self, value: Value<'_>) -> bool {
        if let Some(text) = value.as_str() {
            self.admits_text(text)
        } else if let Some(text) = value.as_number() {
            self.admits_number(text)
        } else {
            true
        }
    }

    /// Whether a text is in the format. Formats of numbers admit every text.
    ///
    /// ```
    /// use gatewright::json::Format;
    /// assert!(Format::DateTime.admits_text("2026-02-28T23:59:59.5Z"));
    /// assert!(!Format::DateTime.admits_text("2026-02-29T00:00:00Z"));
    /// ```
    #[must_use]
    pub fn admits_text(self, text: &str) -> bool {
        match self {
            Format::DateTime => time::is_date_time(text),
            Format::Date => time::is_date(text),
            Format::Time => time::is_time(text),
            Format::Duration => time::is_duration(text),
            Format::Email => net::is_email(text, false),
            Format::IdnEmail => net::is_email(text, true),
            Format::Hostname => net::is_hostname(text),
            Format::IdnHostname => net::is_idn_hostname(text),
            Format::Ipv4 => text.parse::<std::net::Ipv4Addr>().is_ok(),
            Format::Ipv6 => text.parse::<std::net::Ipv6Addr>().is_ok(),
            Format::Uri => iri_string::validate::iri::<iri_string::spec::UriSpec>(text).is_ok(),
            Format::UriReference => iri_string::validate::iri_reference::<iri_string::spec::UriSpec>(text).is_ok(),
            Format::Iri => iri_string::validate::iri::<iri_string::spec::IriSpec>(text).is_ok(),
            Format::IriReference => iri_string::validate::iri_reference::<iri_string::spec::IriSpec>(text).is_ok(),
            Format::UriTemplate => text::is_uri_template(text),
            Format::Uuid => text::is_uuid(text),
            Format::JsonPointer => text::is_json_pointer(text),
            Format::RelativeJsonPointer => text::is_relative_json_pointer(text),
            Format::Regex => text::is_regex(text),
            Format::Byte => super::base64::is_base64(text),
            Format::Int32 | Format::Int64 | Format::Uint32 | Format::Uint64 | Format::Float | Format::Double => true,
        }
    }

    fn admits_number(self, text: &str) -> bool {
        let within = |least: i128, most: i128| {
            number::integer(text).map_or(!Parts::of(text).is_integer(), |value| least <= value && value <= most)
        };
        match self {
            Format::Int32 => within(i32::MIN.into(), i32::MAX.into()),
            Format::Int64 => within(i64::MIN.into(), i64::MAX.into()),
            Format::Uint32 => within(0, u32::MAX.into()),
            Format::Uint64 => within(0, u64::MAX.into()),
            Format::Float => text.parse::<f32>().is_ok_and(f32::is_finite),
            Format::Double => text.parse::<f64>().is_ok_and(f64::is_finite),
            _ => true,
        }
    }

    /// What a value must be, for messages.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Format::DateTime => "a date and time such as 2026-01-31T12:00:00Z",
            Format::Date => "a date such as 2026-01-31",
            Format::Time => "a time such as 12:00:00Z",
            Format::Duration => "a duration such as P1DT12H",
            Format::Email | Format::IdnEmail => "an e-mail address",
            Format::Hostname | Format::IdnHostname => "a host name",
            Format::Ipv4 => "an IPv4 address",
            Format::Ipv6 => "an IPv6 address",
            Format::Uri => "an absolute URI",
            Format::UriReference => "a URI or a relative reference",
            Format::Iri => "an absolute IRI",
            Format::IriReference => "an IRI or a relative reference",
            Format::UriTemplate => "a URI template",
            Format::Uuid => "a UUID",
            Format::JsonPointer => "a JSON pointer",
            Format::RelativeJsonPointer => "a relative JSON pointer",
            Format::Regex => "a regular expression",
            Format::Int32 => "a whole number of 32 bits",
            Format::Int64 => "a whole number of 64 bits",
            Format::Uint32 => "a whole number of 32 bits, zero or more",
            Format::Uint64 => "a whole number of 64 bits, zero or more",
            Format::Float => "a number in the range of a 32-bit float",
            Format::Double => "a number in the range of a 64-bit float",
            Format::Byte => "base64",
        }
    }
}
