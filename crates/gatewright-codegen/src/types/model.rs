//! The Rust types that schemas become.

use std::rc::Rc;

use gatewright_ir::schema::SchemaId;

/// A place in the plan's list of named types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NamedId(pub(super) u32);

/// In which direction a type travels, for schemas whose requests and responses differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Side {
    /// Nothing below it differs.
    Both,
    /// Without `readOnly` properties.
    Request,
    /// Without `writeOnly` properties.
    Response,
}

/// A type where it is used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Type {
    /// Any JSON value.
    Json,
    /// A number of any size, exact.
    Number,
    Bool,
    I32,
    I64,
    U32,
    U64,
    I128,
    F64,
    String,
    Timestamp,
    Date,
    Uuid,
    Base64,
    /// A part of a form.
    File,
    Vec(Box<Type>),
    Map(Box<Type>),
    Option(Box<Type>),
    Named(NamedId),
    /// The user's own type, by `x-rust-type`.
    Own {
        /// Its path, as tokens that were parsed as one.
        path: Rc<str>,
        /// The kinds of JSON values that its schema admits, by the runtime's bits.
        kinds: u8,
    },
}

impl Type {
    /// The type with `null` beside it.
    pub(super) fn nullable(self) -> Type {
        match self {
            // These have `null` already.
            Type::Json | Type::Option(_) => self,
            other => Type::Option(Box::new(other)),
        }
    }

    /// Every named type in it; `direct` tells those that are held by value.
    pub(super) fn named(&self, to: &mut impl FnMut(NamedId, bool)) {
        self.named_within(true, to);
    }

    fn named_within(&self, direct: bool, to: &mut impl FnMut(NamedId, bool)) {
        match self {
            Type::Named(id) => to(*id, direct),
            Type::Option(inner) => inner.named_within(direct, to),
            Type::Vec(inner) | Type::Map(inner) => inner.named_within(false, to),
            _ => {}
        }
    }
}

/// What a property's protection makes of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapper {
    Pii,
    Secret,
}

/// How a value is held by the type around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// It is part of it.
    Here,
    /// A `Box`: the type around it would be infinitely large else.
    Boxed,
    /// An `Apart`: rustc could not see to its end else.
    Apart,
}

impl Held {
    /// The type that holds it, if one does.
    pub(super) fn path(self) -> Option<&'static str> {
        match self {
            Held::Here => None,
            Held::Boxed => Some("::std::boxed::Box"),
            Held::Apart => Some("::gatewright::json::Apart"),
        }
    }
}

/// How a member may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// It is there.
    Required,
    /// `Option`: it may be absent.
    Optional,
    /// `Patch`: it may be absent, or `null`.
    Patch,
    /// It may be absent, and then stands for the schema's `default`.
    Default,
}

/// A field of a struct.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) ident: String,
    pub(super) schema: SchemaId,
    /// Without what `presence` adds.
    pub(super) kind: Type,
    pub(super) wrapper: Option<Wrapper>,
    pub(super) presence: Presence,
    pub(super) held: Held,
}

/// A variant of a union.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    pub(super) ident: String,
    pub(super) schema: SchemaId,
    pub(super) kind: Type,
    pub(super) held: Held,
}

/// How decoding finds the variant.
#[derive(Clone, Debug)]
pub(super) enum Choice {
    /// By this property: which value means which variant, and which variant others mean.
    Property { name: String, values: Vec<(String, usize)>, default: Option<usize> },
    /// By the kind of JSON value, then by asking the branches. `true` where exactly one of them holds.
    Kind { exactly_one: bool },
}

/// What a named type is.
#[derive(Clone, Debug)]
pub(super) enum Definition {
    Alias(Type),
    Struct {
        fields: Vec<Field>,
        additional: Option<Type>,
        /// Names that have no field in this direction and are not among `additional` either.
        hidden: Vec<String>,
    },
    /// Identifier and text of each value.
    Strings(Vec<(String, String)>),
    Union {
        variants: Vec<Variant>,
        choice: Choice,
    },
}

/// A type with a name of its own.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) schema: SchemaId,
    pub(super) side: Side,
    pub(super) ident: String,
    pub(super) definition: Definition,
}
