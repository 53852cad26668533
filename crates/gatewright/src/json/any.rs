//! Values without a type of their own, owned.

use std::collections::BTreeMap;
use std::fmt;

use super::decode::{FromJson, Mismatch};
use super::document::{Document, Kind, Value};
use super::number;
use super::write::{ToJson, Writer};

/// A number as exact as it was written; compared by value.
#[derive(Clone)]
pub struct Number(String);

impl Number {
    /// The number with this JSON text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Number> {
        let document = Document::parse(text.as_bytes()).ok()?;
        document.root().as_number().map(|text| Number(text.to_owned()))
    }

    /// Its JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The integer it is, if it is one that fits.
    #[must_use]
    pub fn as_i128(&self) -> Option<i128> {
        number::integer(&self.0)
    }

    /// The nearest float; infinite beyond the range of floats.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        number::compare(&self.0, &other.0).is_eq()
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        number::compare(&self.0, &other.0)
    }
}

macro_rules! from_integers {
    ($($type:ty),*) => {$(
        impl From<$type> for Number {
            fn from(value: $type) -> Self {
                Number(value.to_string())
            }
        }
        impl From<$type> for Json {
            fn from(value: $type) -> Self {
                Json::Number(value.into())
            }
        }
    )*};
}
from_integers!(i32, i64, i128, u32, u64);

/// A JSON value of any kind.
///
/// ```
/// use gatewright::json::Json;
/// let value: Json = serde_json::json!({"a": [1, null]}).into();
/// assert_eq!(serde_json::Value::from(value), serde_json::json!({"a": [1, null]}));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Json {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, exact.
    Number(Number),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(BTreeMap<String, Json>),
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Json::Bool(value)
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Json::String(value.to_owned())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Self {
        Json::String(value)
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Json::Null,
            serde_json::Value::Bool(value) => Json::Bool(value),
            serde_json::Value::Number(value) => Json::Number(Number(value.to_string())),
            serde_json::Value::String(value) => Json::String(value),
            serde_json::Value::Array(items) => Json::Array(items.into_iter().map(Json::from).collect()),
            serde_json::Value::Object(members) => {
                Json::Object(members.into_iter().map(|(name, value)| (name, value.into())).collect())
            }
        }
    }
}

impl From<Json> for serde_json::Value {
    /// A number beyond 64 bits becomes the nearest float, and `null` beyond the range of floats.
    fn from(value: Json) -> Self {
        match value {
            Json::Null => serde_json::Value::Null,
            Json::Bool(value) => value.into(),
            Json::Number(number) => match number.0.parse::<serde_json::Number>() {
                Ok(number) => serde_json::Value::Number(number),
                Err(_) => serde_json::Number::from_f64(number.as_f64()).map_or(serde_json::Value::Null, Into::into),
            },
            Json::String(value) => value.into(),
            Json::Array(items) => items.into_iter().map(serde_json::Value::from).collect(),
            Json::Object(members) => {
                members.into_iter().map(|(name, value)| (name, serde_json::Value::from(value))).collect()
            }
        }
    }
}

impl FromJson for Number {
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        let text = value.as_number().ok_or_else(|| Mismatch::new(value, "type", "must be a number"))?;
        Ok(Number(text.to_owned()))
    }
}

impl ToJson for Number {
    fn write(&self, out: &mut Writer) {
        out.number(&self.0);
    }
}

impl FromJson for Json {
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        Ok(match value.kind() {
            Kind::Null => Json::Null,
            Kind::Boolean => Json::Bool(value.as_bool().unwrap_or_default()),
            Kind::Number => Json::Number(Number::decode(value)?),
            Kind::String => Json::String(String::decode(value)?),
            Kind::Array => Json::Array(Vec::decode(value)?),
            Kind::Object => Json::Object(BTreeMap::decode(value)?),
        })
    }
}

impl ToJson for Json {
    fn write(&self, out: &mut Writer) {
        match self {
            Json::Null => out.null(),
            Json::Bool(value) => out.bool(*value),
            Json::Number(value) => value.write(out),
            Json::String(value) => out.string(value),
            Json::Array(items) => items.write(out),
            Json::Object(members) => members.write(out),
        }
    }
}
