//! From checked values to Rust types.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::document::{Document, Kind, Value};
use super::number::{self, Short};

/// A value that the Rust type cannot hold. After a check this is rare: an integer beyond the type's range, for one.
#[derive(Debug)]
pub struct Mismatch {
    pub(super) index: u32,
    pub(super) rule: &'static str,
    pub(super) detail: Cow<'static, str>,
}

impl Mismatch {
    /// `value` breaks `rule`; `detail` says in plain words what it must be.
    #[must_use]
    pub fn new(value: Value<'_>, rule: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Mismatch { index: value.index, rule, detail: detail.into() }
    }

    fn kind(value: Value<'_>, wanted: &'static str) -> Self {
        Mismatch::new(value, "type", wanted)
    }
}

/// Types that a JSON value becomes.
pub trait FromJson: Sized {
    /// The value as this type.
    ///
    /// # Errors
    /// The type cannot hold it.
    fn decode(value: Value<'_>) -> Result<Self, Mismatch>;
}

impl<'d> Value<'d> {
    /// The values of the members with these names, where they are there: one look through the object for all.
    ///
    /// # Errors
    /// The value is no object.
    pub fn pick<const N: usize>(self, names: &'static [&'static str; N]) -> Result<[Option<Value<'d>>; N], Mismatch> {
        let mut picked = [None; N];
        self.pick_into(names, &mut picked)?;
        Ok(picked)
    }

    fn pick_into(self, names: &[&str], picked: &mut [Option<Value<'d>>]) -> Result<(), Mismatch> {
        if self.kind() != Kind::Object {
            return Err(Mismatch::kind(self, "must be an object"));
        }
        let mut hint = 0;
        for member in self.members() {
            let place = if names.get(hint) == Some(&member.name) {
                Some(hint)
            } else {
                names.iter().position(|name| *name == member.name)
            };
            if let Some(place) = place {
                hint = place + 1;
                if let Some(slot) = picked.get_mut(place) {
                    *slot = Some(member.value);
                }
            }
        }
        Ok(())
    }

    /// The members with other names than these, as a map.
    ///
    /// # Errors
    /// A value is none of `T`.
    pub fn others<T: FromJson>(self, names: &[&str]) -> Result<BTreeMap<String, T>, Mismatch> {
        let others = self.members().filter(|member| !names.contains(&member.name));
        others.map(|member| Ok((member.name.to_owned(), T::decode(member.value)?))).collect()
    }
}

/// A member that must be there.
///
/// # Errors
/// It is not, or is none of `T`.
pub fn required<T: FromJson>(object: Value<'_>, member: Option<Value<'_>>) -> Result<T, Mismatch> {
    match member {
        Some(value) => T::decode(value),
        None => Err(Mismatch::new(object, "required", "lacks a member")),
    }
}

/// A member that may be absent.
///
/// # Errors
/// It is there and none of `T`.
pub fn optional<T: FromJson>(member: Option<Value<'_>>) -> Result<Option<T>, Mismatch> {
    member.map(T::decode).transpose()
}

/// A member that stands for `fallback` when it is absent.
///
/// # Errors
/// It is there and none of `T`.
pub fn or_default<T: FromJson>(member: Option<Value<'_>>, fallback: fn() -> T) -> Result<T, Mismatch> {
    member.map_or_else(|| Ok(fallback()), T::decode)
}

/// A member that stands for the value with the JSON text `fallback` when it is absent.
///
/// # Errors
/// It is there and none of `T`, or the text is none.
pub fn or_text<T: FromJson>(
    object: Value<'_>,
    member: Option<Value<'_>>,
    fallback: &'static str,
) -> Result<T, Mismatch> {
    if let Some(value) = member {
        return T::decode(value);
    }
    let document = Document::parse(fallback.as_bytes()).map_err(|_| Mismatch::new(object, "default", "is no JSON"))?;
    // The place of the mismatch is the object that lacks the member: the text stands in no request.
    T::decode(document.root()).map_err(|mismatch| Mismatch { index: object.index, ..mismatch })
}

/// What a user's type makes of a value of the type `W`: for [`FromJson`] of types that `x-rust-type` names.
///
/// ```
/// use gatewright::json::{FromJson, Mismatch, Value, converted};
///
/// #[derive(Clone, Debug, PartialEq)]
/// struct Even(u32);
///
/// impl TryFrom<u32> for Even {
///     type Error = &'static str;
///     fn try_from(number: u32) -> Result<Self, Self::Error> {
///         if number % 2 == 0 { Ok(Even(number)) } else { Err("must be even") }
///     }
/// }
///
/// impl FromJson for Even {
///     fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
///         converted::<u32, _, _>(value, Even::try_from)
///     }
/// }
///
/// let document = gatewright::json::Document::parse(b"3").unwrap();
/// let mut found = gatewright::json::Violations::new();
/// assert!(found.decode::<Even>(document.root()).is_none());
/// assert_eq!(found.list()[0].detail, "must be even");
/// ```
///
/// # Errors
/// The value is none of `W`, or the conversion refuses it. Its error's text is shown to the caller, so it must say what is
/// wanted and not what came.
pub fn converted<W: FromJson, T, E: std::fmt::Display>(
    value: Value<'_>,
    convert: impl FnOnce(W) -> Result<T, E>,
) -> Result<T, Mismatch> {
    convert(W::decode(value)?).map_err(|error| {
        let detail: String = error.to_string().chars().take(200).collect();
        Mismatch::new(value, "value", detail)
    })
}

impl FromJson for () {
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        if value.is_null() { Ok(()) } else { Err(Mismatch::kind(value, "must be null")) }
    }
}

impl FromJson for bool {
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        value.as_bool().ok_or_else(|| Mismatch::kind(value, "must be true or false"))
    }
}

impl FromJson for String {
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        value.as_str().map(str::to_owned).ok_or_else(|| Mismatch::kind(value, "must be a string"))
    }
}

fn integer(value: Value<'_>) -> Result<i128, Mismatch> {
    if let Some(short) = value.as_short_integer() {
        return Ok(short.into());
    }
    let Some(text) = value.as_number() else { return Err(Mismatch::kind(value, "must be an integer")) };
    number::integer(text).ok_or_else(|| Mismatch::new(value, "type", "must be an integer of moderate size"))
}

macro_rules! integers {
    ($($type:ty: $detail:literal),* $(,)?) => {$(
        impl FromJson for $type {
            fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
                <$type>::try_from(integer(value)?).map_err(|_| Mismatch::new(value, "range", $detail))
            }
        }
    )*};
}
integers! {
    i32: "must fit in 32 bits",
    i64: "must fit in 64 bits",
    u32: "must fit in 32 bits, zero or more",
    u64: "must fit in 64 bits, zero or more",
    i128: "must fit in 128 bits",
}

impl FromJson for f64 {
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        if let Some(float) = value.as_short().and_then(Short::float) {
            return Ok(float);
        }
        let text = value.as_number().ok_or_else(|| Mismatch::kind(value, "must be a number"))?;
        let parsed = text.parse::<f64>().ok().filter(|number| number.is_finite());
        parsed.ok_or_else(|| Mismatch::new(value, "range", "must be in the range of a 64-bit float"))
    }
}

impl FromJson for f32 {
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        let text = value.as_number().ok_or_else(|| Mismatch::kind(value, "must be a number"))?;
        let parsed = text.parse::<f32>().ok().filter(|number| number.is_finite());
        parsed.ok_or_else(|| Mismatch::new(value, "range", "must be in the range of a 32-bit float"))
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        if value.is_null() { Ok(None) } else { T::decode(value).map(Some) }
    }
}

impl<T: FromJson> FromJson for Box<T> {
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        T::decode(value).map(Box::new)
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        if value.kind() != Kind::Array {
            return Err(Mismatch::kind(value, "must be an array"));
        }
        let mut items = Vec::with_capacity(value.len());
        for item in value.items() {
            items.push(T::decode(item)?);
        }
        Ok(items)
    }
}

impl<T: FromJson> FromJson for BTreeMap<String, T> {
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        if value.kind() != Kind::Object {
            return Err(Mismatch::kind(value, "must be an object"));
        }
        value.others(&[])
    }
}

impl FromJson for jiff::Timestamp {
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        let text = value.as_str().filter(|text| super::Format::DateTime.admits_text(text));
        let parsed = text.and_then(|text| text.parse().ok());
        parsed.ok_or_else(|| Mismatch::new(value, "format", super::Format::DateTime.in_words()))
    }
}

impl FromJson for jiff::civil::Date {
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        let text = value.as_str().filter(|text| super::Format::Date.admits_text(text));
        let parsed = text.and_then(|text| text.parse().ok());
        parsed.ok_or_else(|| Mismatch::new(value, "format", super::Format::Date.in_words()))
    }
}

impl FromJson for uuid::Uuid {
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        let text = value.as_str().filter(|text| text.len() == 36);
        let parsed = text.and_then(|text| uuid::Uuid::try_parse(text).ok());
        parsed.ok_or_else(|| Mismatch::new(value, "format", super::Format::Uuid.in_words()))
    }
}

impl FromJson for super::Base64 {
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        let parsed = value.as_str().and_then(super::Base64::parse);
        parsed.ok_or_else(|| Mismatch::new(value, "format", super::Format::Byte.in_words()))
    }
}
