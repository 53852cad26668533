//! Every code in one table: its name, its usual level, one line about it, and its page.
//!
//! To add one: a row here, a page in `docs/`, and report it. A test holds table and folder together.

use crate::{Code, Level};

/// What is known of a code.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its number.
    pub code: Code,
    /// Its name, in words that read after "allow".
    pub name: &'static str,
    /// How bad it usually is.
    pub level: Level,
    /// One line, lower case, without full stop.
    pub summary: &'static str,
    /// Its page, in Markdown: why, a bad document, a good one.
    pub page: &'static str,
}

macro_rules! codes {
    ($($number:literal $constant:ident $name:literal $level:ident $summary:literal;)*) => {
        /// The codes by name.
        #[allow(clippy::zero_prefixed_literal)]
        pub mod codes {
            use crate::Code;
            $(#[doc = concat!("`", $name, "`: ", $summary, ".")] pub const $constant: Code = Code($number);)*
        }

        /// All codes, in the order of their numbers.
        pub const ALL: &[Entry] = &[$(Entry {
            code: codes::$constant,
            name: $name,
            level: Level::$level,
            summary: $summary,
            page: include_str!(concat!("../docs/GW", stringify!($number), ".md")),
        }),*];
    };
}

codes! {
    // 00: reading and parsing.
    0001 FILE_NOT_READ "file-not-read" Error "a file of the document cannot be read";
    0002 TOO_LARGE "too-large" Error "a file, or the number of files, is beyond the limit";
    0003 NOT_UTF8 "not-utf8" Error "a file is not UTF-8 text";
    0004 CONTROL_CHARACTER "control-character" Error "a file holds NUL bytes";
    0005 EMPTY_FILE "empty-file" Error "a file holds no document";
    0006 YAML_SYNTAX "yaml-syntax" Error "malformed YAML";
    0007 JSON_SYNTAX "json-syntax" Error "malformed JSON";
    0008 DUPLICATE_KEY "duplicate-key" Error "a key stands twice in one object";
    0009 TOO_DEEP "too-deep" Error "values nest deeper than the limit";
    0010 ALIAS_EXPANSION "alias-expansion" Error "YAML aliases multiply a document beyond all measure";
    0011 ALIAS_CYCLE "alias-cycle" Error "a YAML alias stands inside the value that it names";
    0012 CUSTOM_TAG "custom-tag" Error "a YAML tag that has no meaning in an OpenAPI document";
    0013 SEVERAL_DOCUMENTS "several-documents" Error "a YAML file holds more than one document";
    0014 MERGE_KEY "merge-key" Error "a YAML merge key `<<`";
    0015 KEY_NOT_TEXT "key-not-text" Error "a YAML key is a list, an object, or missing";

    0016 AMBIGUOUS_SCALAR "ambiguous-scalar" Warning "a plain value that YAML 1.1 tools read otherwise";

    // 02: the shape of a document.
    0201 NOT_OPENAPI "not-openapi" Error "the file is no OpenAPI document";
    0202 UNSUPPORTED_VERSION "unsupported-version" Error "a version of OpenAPI that is not supported";
    0203 WRONG_TYPE "wrong-type" Error "a value of the wrong type";
    0204 UNKNOWN_FIELD "unknown-field" Error "a field that OpenAPI does not have in this place";
    0205 UNKNOWN_KEYWORD "unknown-keyword" Warning "a schema keyword that nobody knows";
    0206 WRONG_VERSION "wrong-version" Warning "a field or word of another version of OpenAPI";
    0207 MISSING_FIELD "missing-field" Error "a field without which an object means nothing";
    0208 MISSING_DETAIL "missing-detail" Warning "a required field is missing, though all is understood without it";
    0209 UNKNOWN_WORD "unknown-word" Error "a word that is none of those allowed here";
    0210 BAD_STATUS "bad-status" Error "a key of `responses` that is no status code";
    0211 PATH_WITHOUT_SLASH "path-without-slash" Error "a path that does not start with `/`";
    0212 MISPLACED_POLICY "misplaced-policy" Error "`x-security` where it has no meaning, or misspelt";
    0213 NOT_QUOTED "not-quoted" Warning "a number, true, false or null where text is wanted";
    0214 EXCLUSIVE_FIELDS "exclusive-fields" Error "two fields of which only one may be";
    0215 COMPONENT_NAME "component-name" Warning "a component's name has characters that it must not have";

    // 03: references.
    0301 UNRESOLVED_REFERENCE "unresolved-reference" Error "a reference names nothing";
    0302 REFERENCE_OUTSIDE "reference-outside" Error "a reference leads out of the document's folder";
    0303 REFERENCE_TO_URL "reference-to-url" Error "a reference names a URL";
    0304 REFERENCE_TO_WRONG_KIND "reference-to-wrong-kind" Error "a reference names something of another kind";
    0305 REFERENCE_CYCLE "reference-cycle" Error "references that lead in a circle and name nothing";
    0306 IGNORED_SIBLINGS "ignored-siblings" Warning "keys beside a `$ref` that are ignored";
    0307 MISPLACED_REFERENCE "misplaced-reference" Warning "a `$ref` where OpenAPI has no place for one";
    0308 POLICY_BESIDE_REFERENCE "policy-beside-reference" Error "`x-security` beside a `$ref` that would drop it";
    0309 MALFORMED_REFERENCE "malformed-reference" Error "a reference that is no valid URI reference or JSON pointer";
}

/// The entry of a code.
pub fn lookup(code: Code) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.code == code)
}

/// The entry with a name such as `duplicate-key`, or a number such as `GW0008`.
pub fn lookup_name(name: &str) -> Option<&'static Entry> {
    match Code::parse(name) {
        Some(code) => lookup(code),
        None => ALL.iter().find(|entry| entry.name == name),
    }
}
