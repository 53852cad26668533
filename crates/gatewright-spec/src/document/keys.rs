//! What is said about keys: unknown ones, ones of another version, paths, status codes, names.

use gatewright_diag::{codes, distance, nearest};

use super::hints;
use super::tables::{Kind, Mask, Object, Other, PATH_ITEM, RESPONSE, V30, V31, V32};
use super::walk::Walker;
use crate::syntax::{Key, Node};

static PATH: Kind = Kind::Ref(&PATH_ITEM);
static ANSWER: Kind = Kind::Ref(&RESPONSE);

/// Fields that say nothing of what is valid or who may: a misspelt one loses words, no guard.
const DESCRIBES: &[&str] = &[
    "description",
    "summary",
    "title",
    "tags",
    "externalDocs",
    "example",
    "examples",
    "deprecated",
    "contact",
    "license",
    "termsOfService",
];

/// A user's text, short enough for a message.
pub(crate) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(64).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// `a`, `b` or `c`.
pub(crate) fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.map(|w| format!("`{w}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing".to_owned(),
    }
}

/// The versions of a mask, in words.
pub(crate) fn versions(mask: Mask) -> &'static str {
    match mask {
        V30 => "3.0",
        V31 => "3.1",
        V32 => "3.2",
        m if m == V31 | V32 => "3.1 and later",
        m if m == V30 | V31 => "3.0 and 3.1",
        0 => "no version",
        _ => "every version",
    }
}

/// The first version of a mask.
pub(crate) fn first_version(mask: Mask) -> &'static str {
    match mask {
        m if m & V30 != 0 => "3.0",
        m if m & V31 != 0 => "3.1",
        _ => "3.2",
    }
}

/// A field that other versions know.
pub(super) fn wrong_version(walker: &mut Walker<'_, '_>, key: Key<'_>, mask: Mask, object: &Object) {
    let here = walker.version;
    let schema = object.other == Other::Keywords;
    let message = match mask {
        0 => format!("`{}` is a word of older drafts of JSON Schema", key.text),
        _ => format!("`{}` is a word of OpenAPI {}; this document is {here}", key.text, versions(mask)),
    };
    let help = match key.text {
        "nullable" => "write `type: [T, \"null\"]`".to_owned(),
        "const" => "write `enum` with one value".to_owned(),
        "examples" if schema => "write `example`".to_owned(),
        "additionalItems" => {
            "write `items` beside `prefixItems`; it is read so beside a list of `items` only".to_owned()
        }
        _ if mask == V30 => "remove it".to_owned(),
        _ => format!("say `openapi: {}.0` at the top, or remove it", first_version(mask)),
    };
    walker.sink.warning(codes::WRONG_VERSION, key.span, message).help(help);
}

/// A key that is no field.
pub(super) fn other(walker: &mut Walker<'_, '_>, of: Node<'_>, key: Key<'_>, value: Node<'_>, object: &'static Object) {
    match object.other {
        Other::Paths => path(walker, key, value),
        Other::Statuses => status(walker, key, value),
        Other::Expressions => walker.walk(value, &PATH),
        Other::Keywords | Other::No => unknown(walker, of, key, value, object),
    }
}

fn unknown(walker: &mut Walker<'_, '_>, of: Node<'_>, key: Key<'_>, value: Node<'_>, object: &'static Object) {
    let mask = walker.mask();
    let name = shown(&key);
    let known = object.fields.iter().filter(|field| field.versions & mask != 0).map(|field| field.name);
    let guess = walker.may_guess();
    let near = if guess { nearest(&key, known) } else { None };
    // A field that may be a misspelt one is an error, since what it says would be lost, unless it only describes; so
    // is any when nobody compares any more.
    let describes = object.note || near.is_some_and(|near| DESCRIBES.contains(&near));
    // What was meant to check is lost, unless there is something else that does.
    let lost =
        hints::holds_check(object.name, key.text) && !of.has("content") && (key.text == "schema" || !of.has("schema"));
    let error = lost || (near.is_some() || !guess) && !describes;
    let help = match (hints::field(object.name, key.text, value), near) {
        (Some(hint), _) => hint,
        (None, Some(near)) => format!("did you mean `{near}`?"),
        (None, None) => "remove it, or give it a name that starts with `x-`".to_owned(),
    };
    if object.other == Other::Keywords {
        walker
            .sink
            .warning(codes::UNKNOWN_KEYWORD, key.span, format!("unknown keyword `{name}` in a schema"))
            .label("ignored")
            .help(help);
    } else if error {
        walker
            .sink
            .error(codes::UNKNOWN_FIELD, key.span, format!("unknown field `{name}` in {}", object.name))
            .help(help);
    } else {
        walker
            .sink
            .warning(codes::UNKNOWN_FIELD, key.span, format!("unknown field `{name}` in {}", object.name))
            .label("ignored")
            .help(help);
    }
}

fn path(walker: &mut Walker<'_, '_>, key: Key<'_>, value: Node<'_>) {
    if !key.starts_with('/') {
        let name = shown(&key);
        walker
            .sink
            .error(codes::PATH_WITHOUT_SLASH, key.span, format!("the path `{name}` does not start with `/`"))
            .help(format!("write `/{name}`"));
    }
    if value.is_null() {
        walker
            .sink
            .warning(codes::WRONG_TYPE, key.span, format!("the path `{}` holds nothing", shown(&key)))
            .label("it has no operations")
            .help("write operations under it, such as `get: { responses: … }`, or remove it");
        return;
    }
    walker.walk(value, &PATH);
}

fn status(walker: &mut Walker<'_, '_>, key: Key<'_>, value: Node<'_>) {
    let name = shown(&key);
    match key.as_bytes() {
        [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9'] | [b'1'..=b'5', b'X', b'X'] => {}
        [b'1'..=b'5', b'x' | b'X', b'x' | b'X'] => {
            let wide = name.to_uppercase();
            walker
                .sink
                .warning(codes::BAD_STATUS, key.span, format!("the range `{name}` is written with capitals"))
                .help(format!("write `{wide}`"));
        }
        _ => {
            let near = nearest(&key, ["default"]);
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write a status such as `200` or `4XX`, or `default`".to_owned(),
            };
            walker.sink.error(codes::BAD_STATUS, key.span, format!("`{name}` is no status code")).help(help);
            return;
        }
    }
    walker.walk(value, &ANSWER);
}

/// Names of components: `^[a-zA-Z0-9._-]+$`.
pub(super) fn component_name(walker: &mut Walker<'_, '_>, key: Key<'_>) {
    let fits = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if !fits {
        walker
            .sink
            .warning(codes::COMPONENT_NAME, key.span, format!("`{}` is no name for a component", shown(&key)))
            .help("use letters, digits, `.`, `_` and `-` only");
    }
}

/// Whether an extension is likely a misspelt `x-security`.
pub(crate) fn nearly_x_security(key: &str) -> bool {
    const NAME: &str = "x-security";
    if key.len().abs_diff(NAME.len()) > 2 || key == NAME {
        return false;
    }
    let letters =
        |s: &str| s.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect::<String>();
    letters(key) == letters(NAME) || distance(key, NAME) <= 1
}
