//! From Rust types to JSON text.

use std::collections::BTreeMap;
use std::fmt;

use super::document::{Kind, Value};
use super::read::plain;

/// Types that become JSON.
pub trait ToJson {
    /// Writes the value.
    fn write(&self, out: &mut Writer);

    /// Whether the value is no value at all, so that an object leaves the member out.
    fn is_absent(&self) -> bool {
        false
    }

    /// Whether the value is a server-sent event around what the document declares, and not that itself.
    #[doc(hidden)]
    const IS_EVENT: bool = false;
}

/// Why a value could not be written: it has no JSON form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson;

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number is infinite or not a number, which JSON cannot say")
    }
}

impl std::error::Error for NotJson {}

/// Writes JSON, compact. What has no JSON form makes [`finish`](Writer::finish) fail; nothing invalid is ever written.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
    /// Whether the next item or member needs a comma in front.
    comma: bool,
    failed: bool,
}

/// The JSON text of a value.
///
/// # Errors
/// It holds a float that is infinite or not a number.
///
/// ```
/// assert_eq!(gatewright::json::to_vec(&vec![1.5, 2.0]).unwrap(), b"[1.5,2]");
/// assert!(gatewright::json::to_vec(&f64::NAN).is_err());
/// ```
pub fn to_vec<T: ToJson + ?Sized>(value: &T) -> Result<Vec<u8>, NotJson> {
    // Room for a small answer, which then grows without being copied half a dozen times on its way there.
    let mut writer = Writer { out: Vec::with_capacity(256), ..Writer::new() };
    value.write(&mut writer);
    writer.finish()
}

impl Writer {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Writer::default()
    }

    /// The text.
    ///
    /// # Errors
    /// Something had no JSON form.
    pub fn finish(self) -> Result<Vec<u8>, NotJson> {
        if self.failed { Err(NotJson) } else { Ok(self.out) }
    }

    fn separate(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
        self.comma = true;
    }

    fn raw(&mut self, text: &str) {
        self.separate();
        self.out.extend_from_slice(text.as_bytes());
    }

    /// `null`
    pub fn null(&mut self) {
        self.raw("null");
    }

    /// `true` or `false`
    pub fn bool(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// A string.
    pub fn string(&mut self, text: &str) {
        self.separate();
        self.quoted(text);
    }

    fn quoted(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        self.out.reserve(rest.len() + 4);
        self.out.push(b'"');
        // Up to the next byte that must be escaped, all at once.
        while let Some((plain, [byte, behind @ ..])) = rest.split_at_checked(plain(rest, 0)) {
            self.out.extend_from_slice(plain);
            rest = behind;
            let escape: &[u8] = match byte {
                b'"' => b"\\\"",
                b'\\' => b"\\\\",
                b'\n' => b"\\n",
                b'\r' => b"\\r",
                b'\t' => b"\\t",
                _ => {
                    self.out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                    continue;
                }
            };
            self.out.extend_from_slice(escape);
        }
        self.out.extend_from_slice(rest);
        self.out.push(b'"');
    }

    /// A whole number.
    pub fn integer(&mut self, value: i128) {
        // Nearly all are short, and formatting 64 bits is much quicker.
        match i64::try_from(value) {
            Ok(short) => self.raw(itoa::Buffer::new().format(short)),
            Err(_) => self.display(value),
        }
    }

    fn display(&mut self, value: impl fmt::Display) {
        use std::io::Write;
        self.separate();
        self.failed |= write!(self.out, "{value}").is_err();
    }

    /// A float, in the shortest text that reads back as the same.
    pub fn float(&mut self, value: f64) {
        if !value.is_finite() {
            self.failed = true;
            return self.null();
        }
        if value != 0.0 && !(1e-7..1e21).contains(&value.abs()) {
            return self.display(format_args!("{value:e}"));
        }
        self.display(value);
    }

    /// A float of 32 bits, in the shortest text that reads back as the same.
    pub fn short_float(&mut self, value: f32) {
        if !value.is_finite() {
            self.failed = true;
            return self.null();
        }
        if value != 0.0 && !(1e-7..1e21).contains(&value.abs()) {
            return self.display(format_args!("{value:e}"));
        }
        self.display(value);
    }

    /// A number that is text already; the text must come from a [`Number`](super::Number).
    pub(super) fn number(&mut self, text: &str) {
        self.raw(text);
    }

    /// `{`
    pub fn begin_object(&mut self) {
        self.separate();
        self.out.push(b'{');
        self.comma = false;
    }

    /// `}`
    pub fn end_object(&mut self) {
        self.out.push(b'}');
        self.comma = true;
    }

    /// A member's name; its value must follow.
    pub fn name(&mut self, name: &str) {
        self.separate();
        self.quoted(name);
        self.out.push(b':');
        self.comma = false;
    }

    /// A member, left out if its value is absent.
    pub fn member<T: ToJson + ?Sized>(&mut self, name: &str, value: &T) {
        if !value.is_absent() {
            self.name(name);
            value.write(self);
        }
    }

    /// An optional member, left out if it is `None`.
    pub fn optional<T: ToJson>(&mut self, name: &str, value: &Option<T>) {
        if let Some(value) = value {
            self.member(name, value);
        }
    }

    /// The members of a map, within an object.
    pub fn members<T: ToJson>(&mut self, members: &BTreeMap<String, T>) {
        for (name, value) in members {
            self.member(name, value);
        }
    }

    /// The members of a map, within an object that has written members with these `names` itself: no name comes twice.
    pub fn other_members<T: ToJson>(&mut self, members: &BTreeMap<String, T>, names: &[&str]) {
        for (name, value) in members.iter().filter(|(name, _)| !names.contains(&name.as_str())) {
            self.member(name, value);
        }
    }

    /// `[`
    pub fn begin_array(&mut self) {
        self.separate();
        self.out.push(b'[');
        self.comma = false;
    }

    /// `]`
    pub fn end_array(&mut self) {
        self.out.push(b']');
        self.comma = true;
    }
}

impl ToJson for () {
    fn write(&self, out: &mut Writer) {
        out.null();
    }
}

impl ToJson for bool {
    fn write(&self, out: &mut Writer) {
        out.bool(*self);
    }
}

impl ToJson for str {
    fn write(&self, out: &mut Writer) {
        out.string(self);
    }
}

impl ToJson for String {
    fn write(&self, out: &mut Writer) {
        out.string(self);
    }
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl ToJson for $type {
            fn write(&self, out: &mut Writer) {
                out.integer((*self).into());
            }
        }
    )*};
}
integers!(i32, i64, u32, u64, i128);

impl ToJson for f64 {
    fn write(&self, out: &mut Writer) {
        out.float(*self);
    }
}

impl ToJson for f32 {
    fn write(&self, out: &mut Writer) {
        out.short_float(*self);
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn write(&self, out: &mut Writer) {
        match self {
            Some(value) => value.write(out),
            None => out.null(),
        }
    }
}

impl<T: ToJson + ?Sized> ToJson for Box<T> {
    fn write(&self, out: &mut Writer) {
        (**self).write(out);
    }
}

impl<T: ToJson + ?Sized> ToJson for &T {
    fn write(&self, out: &mut Writer) {
        (**self).write(out);
    }
}

impl<T: ToJson> ToJson for [T] {
    fn write(&self, out: &mut Writer) {
        out.begin_array();
        for item in self {
            item.write(out);
        }
        out.end_array();
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn write(&self, out: &mut Writer) {
        self.as_slice().write(out);
    }
}

impl<T: ToJson> ToJson for BTreeMap<String, T> {
    fn write(&self, out: &mut Writer) {
        out.begin_object();
        out.members(self);
        out.end_object();
    }
}

/// As it was read: its members in their order, its numbers to the digit.
impl ToJson for Value<'_> {
    fn write(&self, out: &mut Writer) {
        match self.kind() {
            Kind::Null => out.null(),
            Kind::Boolean => out.bool(self.as_bool().unwrap_or_default()),
            Kind::Number => out.raw(self.as_number().unwrap_or("0")),
            Kind::String => out.string(self.as_str().unwrap_or_default()),
            Kind::Array => {
                out.begin_array();
                self.items().for_each(|item| item.write(out));
                out.end_array();
            }
            Kind::Object => {
                out.begin_object();
                for member in self.members() {
                    out.name(member.name);
                    member.value.write(out);
                }
                out.end_object();
            }
        }
    }
}

impl ToJson for jiff::Timestamp {
    fn write(&self, out: &mut Writer) {
        out.string(&self.to_string());
    }
}

impl ToJson for jiff::civil::Date {
    fn write(&self, out: &mut Writer) {
        out.string(&self.to_string());
    }
}

impl ToJson for uuid::Uuid {
    fn write(&self, out: &mut Writer) {
        out.string(self.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()));
    }
}

impl ToJson for super::Base64 {
    fn write(&self, out: &mut Writer) {
        out.string(&self.to_text());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<T: ToJson>(value: T) -> String {
        String::from_utf8(to_vec(&value).unwrap()).unwrap()
    }

    #[test]
    fn writes() {
        assert_eq!(text("a\"\\\u{1}\n\u{7f}é".to_owned()), "\"a\\\"\\\\\\u0001\\n\u{7f}é\"");
        assert_eq!(text(vec![Some(1), None]), "[1,null]");
        assert_eq!(
            text(BTreeMap::from([("x".to_owned(), vec![(); 2]), ("y".to_owned(), vec![])])),
            r#"{"x":[null,null],"y":[]}"#
        );
        assert_eq!(text(1e300), "1e300");
        assert_eq!(text(0.1_f32), "0.1");
        assert_eq!(text(-0.0), "-0");
        assert_eq!(to_vec(&vec![f64::NAN]), Err(NotJson));
        assert_eq!(to_vec(&f32::INFINITY), Err(NotJson));
    }
}
