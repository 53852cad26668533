//! Values that must not be shown: `x-security: { classification: pii | secret }`.

use std::fmt;

use super::decode::{FromJson, Mismatch};
use super::document::Value;
use super::write::{ToJson, Writer};

macro_rules! classified {
    ($(#[$doc:meta])* $name:ident, $shown:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name<T>(T);

        impl<T> $name<T> {
            /// Wraps a value.
            pub const fn new(value: T) -> Self {
                $name(value)
            }

            /// The value itself. What is done with it is up to the caller from here on.
            pub const fn expose(&self) -> &T {
                &self.0
            }

            /// The value itself, owned.
            pub fn into_inner(self) -> T {
                self.0
            }

            /// The value changed, and as well kept.
            #[must_use]
            pub fn map<U>(self, change: impl FnOnce(T) -> U) -> $name<U> {
                $name(change(self.0))
            }
        }

        impl<T> From<T> for $name<T> {
            fn from(value: T) -> Self {
                $name(value)
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($shown)
            }
        }

        impl<T: FromJson> FromJson for $name<T> {
            fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
                T::decode(value).map($name)
            }
        }

        impl<T: ToJson> ToJson for $name<T> {
            fn write(&self, out: &mut Writer) {
                self.0.write(out);
            }
        }
    };
}

classified! {
    /// Personal data: never in `Debug`, logs or error bodies.
    Pii, "[pii]"
}
classified! {
    /// A secret: never in `Debug`, logs or error bodies. It is part of JSON that is written, because a response that
    /// declares it must carry it.
    Secret, "[secret]"
}
