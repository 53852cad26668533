//! Formats, from a table: name, `+` or `-`, text.

use crate::json::Format;

fn format(name: &str) -> Format {
    match name {
        "date-time" => Format::DateTime,
        "date" => Format::Date,
        "time" => Format::Time,
        "duration" => Format::Duration,
        "email" => Format::Email,
        "idn-email" => Format::IdnEmail,
        "hostname" => Format::Hostname,
        "idn-hostname" => Format::IdnHostname,
        "ipv4" => Format::Ipv4,
        "ipv6" => Format::Ipv6,
        "uri" => Format::Uri,
        "uri-reference" => Format::UriReference,
        "iri" => Format::Iri,
        "iri-reference" => Format::IriReference,
        "uri-template" => Format::UriTemplate,
        "uuid" => Format::Uuid,
        "json-pointer" => Format::JsonPointer,
        "relative-json-pointer" => Format::RelativeJsonPointer,
        "regex" => Format::Regex,
        "byte" => Format::Byte,
        other => panic!("{other}"),
    }
}

#[test]
fn texts_of_the_table() {
    for line in include_str!("formats.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut parts = line.splitn(3, ' ');
        let (name, sign, text) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap_or(""));
        assert_eq!(format(name).admits_text(text), sign == "+", "{line}");
    }
}
