//! What the types of a document are written with: each says what its members are called and how they may be missing, and
//! the macro writes the Rust type and the reading and writing of it. Behind the name stands what it is made: `FromJson` for
//! what requests bring, `ToJson` for what answers carry, or both.

/// An object.
///
/// ```
/// use gatewright::generated::*;
///
/// gatewright::object! {
///     /// An order.
///     pub struct Order: [FromJson, ToJson] {
///         /// Made by the server.
///         id: String = required("id"),
///         note: Option<String> = optional("note"),
///         limit: i32 = default("limit", 20),          // where it is absent
///         at: Vec<i32> = text("at", "[1,2]"),         // likewise, as JSON
///         ..additional: BTreeMap<String, Json> = others("secret"),   // all other members but these
///     }
/// }
///
/// let document = gatewright::json::Document::parse(br#"{"id":"a","more":1}"#).unwrap();
/// let order: Order = gatewright::json::FromJson::decode(document.root()).unwrap();
/// assert_eq!((order.limit, order.at.len(), order.additional.len()), (20, 2, 1));
/// ```
#[macro_export]
macro_rules! object {
    ($(#[$about:meta])* pub struct $name:ident: [$($made:ident),+ $(,)?] $fields:tt) => {
        $crate::object! { @struct [$(#[$about])*] $name $fields }
        $($crate::object! { @$made $name $fields })+
    };
    (@struct [$($about:tt)*] $name:ident {
        $($(#[$docs:meta])* $field:ident: $type:ty = $how:ident($($how_else:tt)*),)*
        $(..$rest:ident: $rest_type:ty = others($($hidden:literal),* $(,)?),)?
    }) => {
        $($about)*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$docs])* pub $field: $type,)*
            $(
                /// Members that the schema does not name.
                pub $rest: $rest_type,
            )?
        }
    };
    (@Default $name:ident {
        $($(#[$docs:meta])* $field:ident: $type:ty = $how:ident($($how_else:tt)*),)*
        $(..$rest:ident: $rest_type:ty = others($($hidden:literal),* $(,)?),)?
    }) => {
        impl ::core::default::Default for $name {
            fn default() -> Self {
                Self {
                    $($field: ::core::default::Default::default(),)*
                    $($rest: ::core::default::Default::default(),)?
                }
            }
        }
    };
    (@FromJson $name:ident {
        $($(#[$docs:meta])* $field:ident: $type:ty = $how:ident($wire:literal $(, $absent:expr)? $(,)?),)*
    }) => {
        impl $crate::json::FromJson for $name {
            fn decode(
                value: $crate::json::Value<'_>,
            ) -> ::core::result::Result<Self, $crate::json::Mismatch> {
                let [$($field),*] = value.pick(&[$($wire),*])?;
                ::core::result::Result::Ok(Self {
                    $($field: $crate::json::incoming::$how(value, $field $(, || $absent)?)?,)*
                })
            }
        }
    };
    (@FromJson $name:ident {
        $($(#[$docs:meta])* $field:ident: $type:ty = $how:ident($wire:literal $(, $absent:expr)? $(,)?),)*
        ..$rest:ident: $rest_type:ty = others($($hidden:literal),* $(,)?),
    }) => {
        impl $crate::json::FromJson for $name {
            fn decode(
                value: $crate::json::Value<'_>,
            ) -> ::core::result::Result<Self, $crate::json::Mismatch> {
                let [$($field),*] = value.pick(&[$($wire),*])?;
                ::core::result::Result::Ok(Self {
                    $($field: $crate::json::incoming::$how(value, $field $(, || $absent)?)?,)*
                    // What has no field because only the server sets it is not let in by the back door.
                    $rest: value.others(&[$($wire,)* $($hidden),*])?,
                })
            }
        }
    };
    (@ToJson $name:ident {
        $($(#[$docs:meta])* $field:ident: $type:ty = $how:ident($wire:literal $(, $absent:expr)? $(,)?),)*
    }) => {
        impl $crate::json::ToJson for $name {
            fn write(&self, out: &mut $crate::json::Writer) {
                out.begin_object();
                $($crate::json::outgoing::$how(out, $wire, &self.$field);)*
                out.end_object();
            }
        }
    };
    (@ToJson $name:ident {
        $($(#[$docs:meta])* $field:ident: $type:ty = $how:ident($wire:literal $(, $absent:expr)? $(,)?),)*
        ..$rest:ident: $rest_type:ty = others($($hidden:literal),* $(,)?),
    }) => {
        impl $crate::json::ToJson for $name {
            fn write(&self, out: &mut $crate::json::Writer) {
                out.begin_object();
                $($crate::json::outgoing::$how(out, $wire, &self.$field);)*
                // No name comes twice, and none that only requests have.
                out.other_members(&self.$rest, &[$($wire,)* $($hidden),*]);
                out.end_object();
            }
        }
    };
}

/// An enumeration of strings. Its variants are documented by their texts; where a text is no documentation, each has its own.
///
/// ```
/// gatewright::strings! {
///     /// How far it got.
///     pub enum Status: [FromJson, ToJson] { Open = "open", HalfDone = "half done" }
/// }
/// assert_eq!(Status::HalfDone.as_str(), "half done");
/// ```
#[macro_export]
macro_rules! strings {
    ($(#[$about:meta])* pub enum $name:ident: [$($made:ident),+ $(,)?] $values:tt) => {
        $crate::strings! { @enum [$(#[$about])*] $name $values }
        $($crate::strings! { @$made $name $values })+
    };
    (@enum $about:tt $name:ident { $($value:ident = $text:literal),* $(,)? }) => {
        $crate::strings! { @enum $about $name { $(#[doc = ::core::concat!("`", $text, "`")] $value = $text,)* } }
    };
    (@enum [$($about:tt)*] $name:ident { $($(#[$docs:meta])+ $value:ident = $text:literal),* $(,)? }) => {
        $($about)*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$docs])+ $value,)*
        }

        impl $name {
            /// The value as it is sent.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $text,)*
                }
            }
        }
    };
    (@FromJson $name:ident { $($(#[$docs:meta])* $value:ident = $text:literal),* $(,)? }) => {
        impl $crate::json::FromJson for $name {
            fn decode(
                value: $crate::json::Value<'_>,
            ) -> ::core::result::Result<Self, $crate::json::Mismatch> {
                $crate::json::listed(value, &[$(($text, Self::$value)),*])
            }
        }
    };
    (@ToJson $name:ident $values:tt) => {
        impl $crate::json::ToJson for $name {
            fn write(&self, out: &mut $crate::json::Writer) {
                out.string(self.as_str());
            }
        }
    };
}

/// A value that has one of several forms. Which one a request brought is told by a property, or by the kind of the value
/// and then by asking the forms, in the order of the list.
///
/// ```text
/// ::gatewright::choice! {
///     /// How an order is paid.
///     pub enum Payment: [FromJson, ToJson] { Card(Card), Transfer(Box<Transfer>) }
///     by "kind" { "card" | "debit" => Card, "transfer" => Transfer }             // `, _ => Card` for any other
/// }
/// ::gatewright::choice! {
///     pub enum Id: [FromJson] { Number(i64), Text(String), Pair(Pair), Point(Point) }
///     by kind { Number => Number, String => Text, Object => [checks::pair => Pair, checks::point => Point] }
/// }
/// ```
#[macro_export]
macro_rules! choice {
    ($(#[$about:meta])* pub enum $name:ident: [$($made:ident),+ $(,)?] $forms:tt $(by $told:tt $list:tt)?) => {
        $crate::choice! { @enum [$(#[$about])*] $name $forms }
        $($crate::choice! { @$made $name $forms })+
        $($crate::choice! { @by $told $name $list })?
    };
    (@enum [$($about:tt)*] $name:ident { $($(#[$docs:meta])* $form:ident($type:ty $(,)?)),* $(,)? }) => {
        $($about)*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name {
            $($(#[$docs])* $form($type),)*
        }
    };
    // Reading stands with what tells the forms apart.
    (@FromJson $name:ident $forms:tt) => {};
    (@ToJson $name:ident { $($(#[$docs:meta])* $form:ident($type:ty $(,)?)),* $(,)? }) => {
        impl $crate::json::ToJson for $name {
            fn write(&self, out: &mut $crate::json::Writer) {
                match self {
                    $(Self::$form(value) => $crate::json::ToJson::write(value, out),)*
                }
            }
        }
    };
    (@by kind $name:ident { $($($kind:ident)|+ => $to:tt),* $(,)? }) => {
        impl $crate::json::FromJson for $name {
            fn decode(
                value: $crate::json::Value<'_>,
            ) -> ::core::result::Result<Self, $crate::json::Mismatch> {
                #[allow(unreachable_patterns)]
                match value.kind() {
                    $($($crate::json::Kind::$kind)|+ => $crate::choice!(@to value $to),)*
                    _ => ::core::result::Result::Err($crate::json::no_form(value, "type")),
                }
            }
        }
    };
    (@by $property:tt $name:ident { $($($text:literal)|+ => $form:ident),* $(, _ => $other:ident)? $(,)? }) => {
        impl $crate::json::FromJson for $name {
            fn decode(
                value: $crate::json::Value<'_>,
            ) -> ::core::result::Result<Self, $crate::json::Mismatch> {
                #[allow(unreachable_patterns)]
                match value.get($property).and_then($crate::json::Value::as_str) {
                    $($(::core::option::Option::Some($text))|+ => $crate::choice!(@to value $form),)*
                    $(_ => $crate::choice!(@to value $other),)?
                    _ => ::core::result::Result::Err($crate::json::no_form(value, "discriminator")),
                }
            }
        }
    };
    (@to $value:ident $form:ident) => {
        $crate::json::FromJson::decode($value).map(Self::$form)
    };
    (@to $value:ident [$($check:path => $form:ident),* $(,)?]) => {
        $crate::json::probed($value, &[$(($check, |value| $crate::json::FromJson::decode(value).map(Self::$form))),*])
    };
}
