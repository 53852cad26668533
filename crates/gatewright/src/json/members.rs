//! Members of generated objects, by how they may be missing: the same word reads and writes.

/// How a member comes in.
pub mod incoming {
    use crate::json::decode::{FromJson, Mismatch, or_default, or_text};
    use crate::json::document::Value;
    use crate::json::patch::Patch;

    pub use crate::json::decode::required;

    /// A member that may be absent.
    ///
    /// # Errors
    /// It is there and none of `T`.
    pub fn optional<T: FromJson>(_: Value<'_>, member: Option<Value<'_>>) -> Result<Option<T>, Mismatch> {
        crate::json::decode::optional(member)
    }

    /// A member that may be absent, or `null`.
    ///
    /// # Errors
    /// It is there, not `null`, and none of `T`.
    pub fn patch<T: FromJson>(_: Value<'_>, member: Option<Value<'_>>) -> Result<Patch<T>, Mismatch> {
        Patch::decode_member(member)
    }

    /// A member that stands for `fallback` when it is absent.
    ///
    /// # Errors
    /// It is there and none of `T`.
    pub fn default<T: FromJson>(_: Value<'_>, member: Option<Value<'_>>, fallback: fn() -> T) -> Result<T, Mismatch> {
        or_default(member, fallback)
    }

    /// A member that stands for the value with this JSON text when it is absent.
    ///
    /// # Errors
    /// It is there and none of `T`, or the text is none.
    pub fn text<T: FromJson>(
        object: Value<'_>,
        member: Option<Value<'_>>,
        fallback: fn() -> &'static str,
    ) -> Result<T, Mismatch> {
        or_text(object, member, fallback())
    }
}

/// How a member goes out.
pub mod outgoing {
    use crate::json::patch::Patch;
    use crate::json::write::{ToJson, Writer};

    /// A member that is always there.
    pub fn required<T: ToJson>(out: &mut Writer, name: &str, value: &T) {
        out.member(name, value);
    }

    /// A member that is left out where there is none.
    pub fn optional<T: ToJson>(out: &mut Writer, name: &str, value: &Option<T>) {
        out.optional(name, value);
    }

    /// A member that is left out, or `null`, or there.
    pub fn patch<T: ToJson>(out: &mut Writer, name: &str, value: &Patch<T>) {
        out.member(name, value);
    }

    pub use required as default;
    pub use required as text;
}
