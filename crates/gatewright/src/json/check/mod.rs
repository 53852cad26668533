//! What generated checks call: one helper for each keyword of JSON Schema 2020-12, with exactly its meaning. A keyword
//! says nothing of values of other kinds, so every helper but [`types`] lets those pass.

mod array;
mod content;
mod logic;
mod mark;
mod object;
mod scalar;

pub use array::{Array, Contains, array, unevaluated_items};
pub use content::{Content, Encoding, content};
pub use logic::{
    Constants, Discriminator, any_of, any_of_recursive, constant, dependent_schema, discriminated, except, one_of,
    one_of_recursive, when,
};
pub use mark::{Mark, Marks};
pub use object::{Object, Property, Rest, ignored, named, object, optional, refused, required, unevaluated_properties};
pub use scalar::{
    exclusive_maximum, exclusive_minimum, format, max_length, maximum, min_length, minimum, multiple_of,
    one_of_strings, pattern,
};

use super::document::{Tag, Value};
use super::number::Parts;
use super::violations::Violations;

/// `null`, as a bit of [`types`].
pub const NULL: u8 = 1;
/// `boolean`, as a bit of [`types`].
pub const BOOLEAN: u8 = 2;
/// `integer`, as a bit of [`types`].
pub const INTEGER: u8 = 4;
/// `number`, as a bit of [`types`].
pub const NUMBER: u8 = 8;
/// `string`, as a bit of [`types`].
pub const STRING: u8 = 16;
/// `array`, as a bit of [`types`].
pub const ARRAY: u8 = 32;
/// `object`, as a bit of [`types`].
pub const OBJECT: u8 = 64;

/// `type`. Whether it holds: what else a schema says is not worth telling of a value of the wrong type.
#[inline]
pub fn types(value: Value<'_>, found: &mut Violations, wanted: u8) -> bool {
    wanted & value.node().tag.types() != 0 || unfit(value, found, wanted)
}

/// Of another type, unless it is a whole number that is written with a fraction or an exponent.
#[cold]
fn unfit(value: Value<'_>, found: &mut Violations, wanted: u8) -> bool {
    if wanted & INTEGER != 0 && value.as_number().is_some_and(|text| Parts::of(text).is_integer()) {
        return true;
    }
    found.at(value, "type", format_args!("must be {}", Wanted(wanted)));
    false
}

impl Tag {
    /// The types that a value with this tag is of.
    #[inline]
    const fn types(self) -> u8 {
        match self {
            Tag::Null => NULL,
            Tag::False | Tag::True => BOOLEAN,
            Tag::Integer => INTEGER | NUMBER,
            Tag::Decimal => NUMBER,
            Tag::String => STRING,
            Tag::Array => ARRAY,
            Tag::Object => OBJECT,
        }
    }
}

macro_rules! plain {
    ($($name:ident: $types:expr, $docs:literal;)*) => {$(
        #[doc = $docs]
        pub fn $name(value: Value<'_>, found: &mut Violations) {
            types(value, found, $types);
        }
    )*};
}
// Schemas that most documents have: a type, or that or null.
plain! {
    is_null: NULL, "`type: null`";
    is_boolean: BOOLEAN, "`type: boolean`";
    is_integer: INTEGER, "`type: integer`";
    is_number: NUMBER, "`type: number`";
    is_string: STRING, "`type: string`";
    is_array: ARRAY, "`type: array`";
    is_object: OBJECT, "`type: object`";
    is_boolean_or_null: BOOLEAN | NULL, "`type: [boolean, null]`";
    is_integer_or_null: INTEGER | NULL, "`type: [integer, null]`";
    is_number_or_null: NUMBER | NULL, "`type: [number, null]`";
    is_string_or_null: STRING | NULL, "`type: [string, null]`";
    is_array_or_null: ARRAY | NULL, "`type: [array, null]`";
    is_object_or_null: OBJECT | NULL, "`type: [object, null]`";
}

/// The schema `true`.
pub fn any(_: Value<'_>, _: &mut Violations) {}

/// The schema `false`.
pub fn never(value: Value<'_>, found: &mut Violations) {
    found.at(value, "false", format_args!("is not allowed"));
}

/// A set of types in words.
struct Wanted(u8);

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const WORDS: [(u8, &str); 7] = [
            (STRING, "a string"),
            (INTEGER, "an integer"),
            (NUMBER, "a number"),
            (BOOLEAN, "true or false"),
            (ARRAY, "an array"),
            (OBJECT, "an object"),
            (NULL, "null"),
        ];
        let hidden = if self.0 & NUMBER != 0 { INTEGER } else { 0 };
        let mut first = true;
        for (_, word) in WORDS.iter().filter(|(bit, _)| self.0 & bit & !hidden != 0) {
            f.write_str(if first { "" } else { " or " })?;
            f.write_str(word)?;
            first = false;
        }
        if first { f.write_str("absent") } else { Ok(()) }
    }
}
