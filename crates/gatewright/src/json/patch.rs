//! Members that may be absent, null, or a value: three different things to a `PATCH`.

use super::decode::{FromJson, Mismatch};
use super::document::Value;
use super::write::{ToJson, Writer};

/// An optional member that may also be `null`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Patch<T> {
    /// The member is not there.
    #[default]
    Absent,
    /// The member is `null`.
    Null,
    /// The member has a value.
    Value(T),
}

impl<T> Patch<T> {
    /// The value, where absent and null mean the same.
    pub fn into_option(self) -> Option<T> {
        match self {
            Patch::Value(value) => Some(value),
            Patch::Absent | Patch::Null => None,
        }
    }

    /// As [`into_option`](Self::into_option), borrowed.
    pub const fn as_option(&self) -> Option<&T> {
        match self {
            Patch::Value(value) => Some(value),
            Patch::Absent | Patch::Null => None,
        }
    }

    /// The value changed; what is absent or null stays so.
    #[must_use]
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Patch::Absent => Patch::Absent,
            Patch::Null => Patch::Null,
            Patch::Value(value) => Patch::Value(change(value)),
        }
    }

    /// Whether the member is not there.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Patch::Absent)
    }

    /// Of a member as it was found.
    ///
    /// # Errors
    /// It is there, not `null`, and none of `T`.
    pub fn decode_member(member: Option<Value<'_>>) -> Result<Self, Mismatch>
    where
        T: FromJson,
    {
        match member {
            None => Ok(Patch::Absent),
            Some(value) if value.is_null() => Ok(Patch::Null),
            Some(value) => T::decode(value).map(Patch::Value),
        }
    }
}

impl<T> From<Option<T>> for Patch<T> {
    /// `None` is absent.
    fn from(value: Option<T>) -> Self {
        value.map_or(Patch::Absent, Patch::Value)
    }
}

impl<T: ToJson> ToJson for Patch<T> {
    fn write(&self, out: &mut Writer) {
        match self {
            Patch::Absent | Patch::Null => out.null(),
            Patch::Value(value) => value.write(out),
        }
    }

    fn is_absent(&self) -> bool {
        Patch::is_absent(self)
    }
}
