//! What is known of the values that come: all schemas that hold for them, and which keywords follow from theirs.

use super::{Place, Side};
use crate::json::{Json, Number};
use crate::schema::{Schema, SchemaId, Schemas, Types};

/// All schemas that hold for the values that come.
pub(super) struct Source<'s> {
    pub(super) schemas: &'s Schemas,
    pub(super) side: Side,
    pub(super) all: Vec<&'s Schema>,
}

impl<'s> Source<'s> {
    pub(super) fn at(&self, id: SchemaId) -> Place<'s> {
        (self.schemas, id, self.side)
    }

    /// Whether a value may be of these types.
    pub(super) fn has(&self, types: Types) -> bool {
        let wide = if types.contains(Types::NUMBER) { types.with(Types::INTEGER) } else { types };
        self.all.iter().filter_map(|s| s.types).all(|own| own.without(wide) != own)
    }

    /// Whether all values are of these types.
    pub(super) fn within(&self, types: Types) -> bool {
        let wide = if types.contains(Types::NUMBER) { types.with(Types::INTEGER) } else { types };
        let of = |value: &Json| match value {
            Json::Null => Types::NULL,
            Json::Bool(_) => Types::BOOLEAN,
            Json::Number(number) if number.is_integer() => Types::INTEGER,
            Json::Number(_) => Types::NUMBER,
            Json::String(_) => Types::STRING,
            Json::Array(_) => Types::ARRAY,
            Json::Object(_) => Types::OBJECT,
        };
        self.all.iter().any(|s| {
            s.types.is_some_and(|own| wide.contains(own))
                || s.enumeration.as_ref().is_some_and(|values| values.iter().all(|v| wide.contains(of(v))))
                || s.constant.as_ref().is_some_and(|value| wide.contains(of(value)))
        })
    }

    /// Whether all values are among these.
    pub(super) fn among(&self, values: &[Json]) -> bool {
        self.all.iter().any(|s| {
            s.enumeration.as_ref().is_some_and(|own| own.iter().all(|v| values.contains(v)))
                || s.constant.as_ref().is_some_and(|own| values.contains(own))
        })
    }

    /// Whether items have nothing in them that could be left out.
    pub(super) fn items_are_plain(&self) -> bool {
        self.all.iter().filter_map(|s| s.array.items).any(|id| {
            let item = Source { schemas: self.schemas, side: self.side, all: self.schemas.always(id).collect() };
            !item.has(Types::OBJECT) && !item.has(Types::ARRAY)
        })
    }

    pub(super) fn formatted(&self, format: &str) -> bool {
        let own = self.all.iter().filter_map(|s| s.notes.format.as_ref()).map(|f| f.value.as_str());
        own.into_iter().any(|own| own == format || (own, format) == ("int32", "int64"))
    }
}

pub(super) fn numbers(from: &Source<'_>, to: &Schema) -> bool {
    let rules = &to.number;
    let all = || from.all.iter().map(|s| &s.number);
    let above = |n: &Number, strict: bool| {
        all().any(|r| {
            r.minimum.as_ref().is_some_and(|m| if strict { m > n } else { m >= n })
                || r.exclusive_minimum.as_ref().is_some_and(|m| m >= n)
        })
    };
    let below = |n: &Number, strict: bool| {
        all().any(|r| {
            r.maximum.as_ref().is_some_and(|m| if strict { m < n } else { m <= n })
                || r.exclusive_maximum.as_ref().is_some_and(|m| m <= n)
        })
    };
    rules.minimum.as_ref().is_none_or(|n| above(n, false))
        && rules.exclusive_minimum.as_ref().is_none_or(|n| above(n, true))
        && rules.maximum.as_ref().is_none_or(|n| below(n, false))
        && rules.exclusive_maximum.as_ref().is_none_or(|n| below(n, true))
        && rules.multiple_of.as_ref().is_none_or(|n| all().any(|r| r.multiple_of.as_ref() == Some(n)))
}

pub(super) fn strings(from: &Source<'_>, to: &Schema) -> bool {
    let rules = &to.string;
    let all = || from.all.iter().map(|s| &s.string);
    rules.min_length.is_none_or(|n| n == 0 || all().any(|r| r.min_length.is_some_and(|m| m >= n)))
        && rules.max_length.is_none_or(|n| all().any(|r| r.max_length.is_some_and(|m| m <= n)))
        && rules.pattern.as_ref().is_none_or(|p| all().filter_map(|r| r.pattern.as_ref()).any(|o| o.source == p.source))
        && rules.content_encoding.as_ref().is_none_or(|e| all().any(|r| r.content_encoding.as_ref() == Some(e)))
        && rules.content_media_type.as_ref().is_none_or(|t| all().any(|r| r.content_media_type.as_ref() == Some(t)))
        && rules.content_schema.is_none()
}
