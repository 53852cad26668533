//! Reading small vocabularies (`x-security`) from a tree with plain serde derives, every error at the innermost node.
//!
//! [`Sp`] keeps a value's place. Use no `flatten` and no `untagged`: they buffer, and the place is lost. "A number or
//! an object" is a hand-written visitor.

use std::fmt;
use std::marker::PhantomData;

use gatewright_diag::{Code, Sink, Span, Spanned, nearest};
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::node::{Key, Node, NodeKind};
use super::scalar::Scalar;
use super::tree::NodeId;

/// A value, its place, and its node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sp<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
    /// The node, for looking at it again.
    pub node: NodeId,
}

impl<T> std::ops::Deref for Sp<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Sp<T> {
    /// The value and its place, in the diagnostics' words.
    pub fn into_spanned(self) -> Spanned<T> {
        Spanned::new(self.value, self.span)
    }
}

const SPANNED: &str = "$gatewright::Sp";

impl<'de, T: de::Deserialize<'de>> de::Deserialize<'de> for Sp<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Place<T>(PhantomData<T>);
        impl<'de, T: de::Deserialize<'de>> Visitor<'de> for Place<T> {
            type Value = Sp<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value with a place")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Sp<T>, A::Error> {
                let missing = || de::Error::custom("a value with a place can be read from a document only");
                let file: u32 = seq.next_element()?.ok_or_else(missing)?;
                let start: u32 = seq.next_element()?.ok_or_else(missing)?;
                let end: u32 = seq.next_element()?.ok_or_else(missing)?;
                let node: u32 = seq.next_element()?.ok_or_else(missing)?;
                let value = seq.next_element()?.ok_or_else(missing)?;
                let span = Span { file: gatewright_diag::FileId(file), start, end };
                Ok(Sp { value, span, node: NodeId(node) })
            }
        }
        deserializer.deserialize_tuple_struct(SPANNED, 5, Place(PhantomData))
    }
}

/// What serde could not read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeError {
    /// What is wrong.
    pub message: String,
    /// The innermost place known.
    pub span: Option<Span>,
    /// The edit that helps.
    pub help: Option<String>,
}

impl fmt::Display for DeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DeError {}

impl DeError {
    fn at(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }

    fn new(message: String, help: Option<String>) -> Self {
        DeError { message, span: None, help }
    }
}

/// `a`, `b` or `c`.
fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing".to_owned(),
    }
}

fn suggest(word: &str, known: &'static [&'static str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it may be {}", list(known)),
    }
}

fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

impl de::Error for DeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        DeError::new(message.to_string(), None)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        DeError::new(format!("unknown key `{}`", shown(field)), Some(suggest(field, expected)))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        DeError::new(format!("unknown word `{}`", shown(variant)), Some(suggest(variant, expected)))
    }

    fn missing_field(field: &'static str) -> Self {
        DeError::new(format!("the key `{field}` is missing"), Some(format!("add `{field}`")))
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        DeError::new(format!("expected {}, found {}", wanted_words(expected), found_words(found)), None)
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        DeError::new(format!("expected {}, found {}", wanted_words(expected), found_words(found)), None)
    }

    fn invalid_length(len: usize, expected: &dyn de::Expected) -> Self {
        DeError::new(format!("expected {}, found {len} items", wanted_words(expected)), None)
    }
}

/// What serde's derives say they expect, without the names of Rust's types.
fn wanted_words(expected: &dyn de::Expected) -> String {
    let said = expected.to_string();
    let words = match said.as_str() {
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "a whole number, zero or more",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" | "string" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" | "map" => "an object",
        said if said.starts_with("struct ") => "an object",
        said if said.starts_with("enum ") => "a word",
        _ => return said,
    };
    words.to_owned()
}

fn found_words(found: de::Unexpected<'_>) -> String {
    use de::Unexpected as U;
    match found {
        U::Bool(b) => format!("`{b}`"),
        U::Unsigned(n) => format!("`{n}`"),
        U::Signed(n) => format!("`{n}`"),
        U::Float(n) => format!("`{n}`"),
        U::Str(s) => format!("the text `{}`", shown(s)),
        U::Unit | U::Option => "null".to_owned(),
        U::Seq => "a list".to_owned(),
        U::Map => "an object".to_owned(),
        other => other.to_string(),
    }
}

/// Reads a value from a node.
///
/// # Errors
/// The first thing that does not fit, at its innermost place.
pub fn from_node<'de, T: de::Deserialize<'de>>(node: Node<'de>) -> Result<T, DeError> {
    value(T::deserialize, node)
}

/// Reads one value. What is found wrong after it was read (`try_from`, `deserialize_with`) has no place yet: it is
/// this value's.
fn value<'de, T>(read: impl FnOnce(From<'de>) -> Result<T, DeError>, node: Node<'de>) -> Result<T, DeError> {
    let from = From(node);
    let span = from.span();
    read(from).map_err(|e| e.at(span))
}

/// Reads a value from a node; an error goes to the sink under `code`.
pub fn read<'de, T: de::Deserialize<'de>>(node: Node<'de>, code: Code, sink: &mut Sink) -> Option<T> {
    match from_node(node) {
        Ok(value) => Some(value),
        Err(error) => {
            let report = sink.error(code, error.span.unwrap_or_else(|| node.anchor_span()), error.message);
            if let Some(help) = error.help {
                report.help(help);
            }
            None
        }
    }
}

struct From<'de>(Node<'de>);

impl<'de> From<'de> {
    fn span(&self) -> Span {
        match self.0.kind() {
            NodeKind::Scalar => self.0.span(),
            _ => self.0.anchor_span(),
        }
    }

    fn number<V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, DeError> {
        let Some(number) = self.0.as_number() else { return self.any(visitor) };
        match (number.as_u64(), number.as_i64(), number.as_i128()) {
            (Some(n), ..) => visitor.visit_u64(n),
            (_, Some(n), _) => visitor.visit_i64(n),
            (.., Some(n)) => visitor.visit_i128(n),
            _ => visitor.visit_f64(number.as_f64()),
        }
    }

    fn any<V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, DeError> {
        match self.0.kind() {
            NodeKind::Map => visitor.visit_map(Fields { entries: self.0.entries(), value: None }),
            NodeKind::Seq => visitor.visit_seq(Elements { items: self.0.items() }),
            NodeKind::Scalar => match self.0.scalar() {
                Some(Scalar::Bool(value)) => visitor.visit_bool(value),
                Some(Scalar::Str(text)) => visitor.visit_borrowed_str(text),
                Some(Scalar::Number(_)) => self.number(visitor),
                Some(Scalar::Null) | None => visitor.visit_unit(),
            },
        }
    }
}

macro_rules! forward {
    ($($name:ident)*) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
            self.deserialize_any(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for From<'de> {
    type Error = DeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        let span = self.span();
        self.any(visitor).map_err(|e| e.at(span))
    }

    forward! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_unit deserialize_seq deserialize_map deserialize_identifier
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DeError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DeError> {
        let span = self.span();
        visitor.visit_newtype_struct(self).map_err(|e| e.at(span))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DeError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        if name != SPANNED {
            return self.deserialize_any(visitor);
        }
        visitor.visit_seq(Placed { node: self.0, next: 0 })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        let span = self.span();
        if !self.0.is_map() {
            let message = format!("expected an object, found {}", self.0.type_name());
            return Err(DeError::new(message, None).at(span));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        let span = self.span();
        // A word is taken by its text: `off` and `no` are text in YAML 1.2, and a number may be a word.
        let (tag, body) = match self.0.kind() {
            NodeKind::Scalar => (self.0.text(), None),
            NodeKind::Map if self.0.len() == 1 => match self.0.entries().next() {
                Some((key, value)) => (Some(key.text), Some(value)),
                None => (None, None),
            },
            _ => (None, None),
        };
        let Some(tag) = tag else {
            let message = format!("expected {}, found {}", list(words), self.0.type_name());
            return Err(DeError::new(message, None).at(span));
        };
        visitor.visit_enum(Variant { tag, body }).map_err(|e| e.at(span))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        visitor.visit_unit()
    }
}

/// The parts of an [`Sp`].
struct Placed<'de> {
    node: Node<'de>,
    next: u8,
}

impl<'de> SeqAccess<'de> for Placed<'de> {
    type Error = DeError;
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, DeError> {
        let span = self.node.span();
        let part = match self.next {
            0 => span.file.0,
            1 => span.start,
            2 => span.end,
            3 => self.node.identity().node.0,
            _ => return value(|from| seed.deserialize(from), self.node).map(Some),
        };
        self.next += 1;
        seed.deserialize(part.into_deserializer()).map(Some)
    }
}

struct Fields<'de> {
    entries: super::node::Entries<'de>,
    value: Option<Node<'de>>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = DeError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, DeError> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        let Key { text, span } = key;
        seed.deserialize(KeyText { text, span, node: value }).map(Some).map_err(|e| e.at(span))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, DeError> {
        match self.value.take() {
            Some(node) => value(|from| seed.deserialize(from), node),
            None => Err(de::Error::custom("a value was asked for before its key")),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        self.entries.size_hint().1
    }
}

/// A key: text always, and it may be asked for with its place.
struct KeyText<'de> {
    text: &'de str,
    span: Span,
    node: Node<'de>,
}

impl<'de> Deserializer<'de> for KeyText<'de> {
    type Error = DeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        visitor.visit_borrowed_str(self.text)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        if name != SPANNED {
            return self.deserialize_any(visitor);
        }
        visitor.visit_seq(PlacedKey { key: self, next: 0 })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        visitor.visit_enum(Variant { tag: self.text, body: None })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple map struct identifier ignored_any
    }
}

struct PlacedKey<'de> {
    key: KeyText<'de>,
    next: u8,
}

impl<'de> SeqAccess<'de> for PlacedKey<'de> {
    type Error = DeError;
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, DeError> {
        let KeyText { text, span, node } = self.key;
        let part = match self.next {
            0 => span.file.0,
            1 => span.start,
            2 => span.end,
            3 => node.identity().node.0,
            _ => return seed.deserialize(KeyText { text, span, node }).map(Some),
        };
        self.next += 1;
        seed.deserialize(part.into_deserializer()).map(Some)
    }
}

struct Elements<'de> {
    items: super::node::Items<'de>,
}

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = DeError;
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, DeError> {
        self.items.next().map(|node| value(|from| seed.deserialize(from), node)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        self.items.size_hint().1
    }
}

struct Variant<'de> {
    tag: &'de str,
    body: Option<Node<'de>>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = DeError;
    type Variant = Self;
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), DeError> {
        let tag: StrDeserializer<'de, DeError> = self.tag.into_deserializer();
        Ok((seed.deserialize(tag)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = DeError;

    fn unit_variant(self) -> Result<(), DeError> {
        match self.body {
            None => Ok(()),
            Some(node) => Err(DeError::new(format!("`{}` takes no value", shown(self.tag)), None).at(node.span())),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, DeError> {
        match self.body {
            Some(node) => value(|from| seed.deserialize(from), node),
            None => Err(DeError::new(format!("`{}` wants a value", shown(self.tag)), None)),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DeError> {
        match self.body {
            Some(node) => From(node).deserialize_any(visitor),
            None => Err(DeError::new(format!("`{}` wants a list", shown(self.tag)), None)),
        }
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, DeError> {
        match self.body {
            Some(node) => From(node).deserialize_any(visitor),
            None => Err(DeError::new(format!("`{}` wants an object", shown(self.tag)), None)),
        }
    }
}
