//! What the checks of a document are written with.

/// The check of one schema: a function of the name that stands first. Behind it, in parentheses, the types that a value may
/// have, as the bits of [`json::check`](crate::json::check); then what else is asked of it, each with the name of its helper
/// there, or of another check for `also`.
///
/// ```
/// use gatewright::json::{Bound, Value, Violations, check};
///
/// gatewright::check! { page(check::INTEGER), minimum(&Bound::new("1", Some(1))), maximum(&Bound::new("9", Some(9))) }
/// gatewright::check! { pages(check::ARRAY), array { items: Some(page), min: 1 } }
/// gatewright::check! { query(check::OBJECT), object { properties: &[check::required("pages", pages)], required: 1 } }
///
/// let document = gatewright::json::Document::parse(br#"{"pages":[10]}"#).unwrap();
/// let mut found = Violations::new();
/// query(document.root(), &mut found);
/// assert_eq!(found.list()[0].pointer, "/pages/0");
/// ```
///
/// A schema that leads back to itself in place has a number, `in 7`, by which a round is noticed.
#[macro_export]
macro_rules! check {
    ($name:ident $(($types:expr $(,)?))? $(, $rule:ident $what:tt)* $(,)?) => {
        pub fn $name(value: $crate::json::Value<'_>, found: &mut $crate::json::Violations) {
            $(if !$crate::json::check::types(value, found, $types) {
                return;
            })?
            $($crate::check! { @ value found $rule $what })*
        }
    };
    (in $number:literal $name:ident $($rest:tt)*) => {
        pub fn $name(value: $crate::json::Value<'_>, found: &mut $crate::json::Violations) {
            $crate::check! { inside $($rest)* }
            if found.enter($number, value) {
                inside(value, found);
                found.leave();
            }
        }
    };
    (@ $value:ident $found:ident object { $($key:ident: $said:expr),* $(,)? }) => {{
        static RULES: $crate::json::check::Object =
            $crate::json::check::Object { $($key: $said,)* ..$crate::json::check::Object::ANY };
        $crate::json::check::object($value, $found, &RULES);
    }};
    (@ $value:ident $found:ident array { $($key:ident: $said:expr),* $(,)? }) => {{
        static RULES: $crate::json::check::Array =
            $crate::json::check::Array { $($key: $said,)* ..$crate::json::check::Array::ANY };
        $crate::json::check::array($value, $found, &RULES);
    }};
    (@ $value:ident $found:ident content { $($rules:tt)* }) => {{
        static RULES: $crate::json::check::Content = $crate::json::check::Content { $($rules)* };
        $crate::json::check::content($value, $found, &RULES);
    }};
    (@ $value:ident $found:ident discriminated { $($rules:tt)* }) => {{
        static RULES: $crate::json::check::Discriminator = $crate::json::check::Discriminator { $($rules)* };
        $crate::json::check::discriminated($value, $found, &RULES);
    }};
    // `null` says nothing of the property, where the schema admits it beside the branches.
    (@ $value:ident $found:ident discriminated_unless_null $rules:tt) => {
        if !$value.is_null() {
            $crate::check! { @ $value $found discriminated $rules }
        }
    };
    (@ $value:ident $found:ident constant ($($text:literal),* $(,)?)) => {{
        static VALUES: $crate::json::check::Constants = $crate::json::check::Constants::new(&[$($text),*]);
        $crate::json::check::constant($value, $found, &VALUES);
    }};
    (@ $value:ident $found:ident also ($check:path $(,)?)) => { $check($value, $found); };
    (@ $value:ident $found:ident $rule:ident ($($what:tt)*)) => {
        $crate::json::check::$rule($value, $found, $($what)*);
    };
}

/// What one schema looks at, for the `unevaluated…` around it: a function of the name that stands first, with the calls of
/// [`Marks`](crate::json::check::Marks), or of another such function for `also`.
#[macro_export]
macro_rules! mark {
    ($name:ident $(, $rule:ident $what:tt)* $(,)?) => {
        pub fn $name(
            value: $crate::json::Value<'_>,
            found: &mut $crate::json::Violations,
            marks: &mut $crate::json::check::Marks,
        ) {
            $($crate::mark! { @ value found marks $rule $what })*
        }
    };
    (@ $value:ident $found:ident $marks:ident also ($mark:path $(,)?)) => { $mark($value, $found, $marks); };
    (@ $value:ident $found:ident $marks:ident everything ()) => { $marks.all(); };
    (@ $value:ident $found:ident $marks:ident all ($kind:ident $(,)?)) => {
        if $value.kind() == $crate::json::Kind::$kind {
            $marks.all();
        }
    };
    (@ $value:ident $found:ident $marks:ident patterns ([$($name:literal),* $(,)?] $(, $pattern:ident)* $(,)?)) => {{
        static PATTERNS: &[&$crate::json::Pattern] = &[$(&$pattern),*];
        $marks.properties($value, $found, &[$($name),*], PATTERNS);
    }};
    (@ $value:ident $found:ident $marks:ident first ($count:literal $(,)?)) => {
        if $value.kind() == $crate::json::Kind::Array {
            $marks.first($count);
        }
    };
    (@ $value:ident $found:ident $marks:ident $rule:ident ($($what:tt)*)) => {
        $marks.$rule($value, $found, $($what)*);
    };
}
