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

    // 01: who may.
    0101 UNGUARDED_OPERATION "unguarded-operation" Error "an operation has neither `security` nor `public`";
    0102 OPENED_WITHOUT_PUBLIC "opened-without-public" Error "`security: []` opens an operation without saying why";
    0103 PUBLIC_WITH_SECURITY "public-with-security" Error "`public` and `security` contradict each other";
    0104 UNKNOWN_SCHEME "unknown-scheme" Error "`security` names a scheme that is declared nowhere";
    0105 UNDECLARED_SCOPE "undeclared-scope" Error "a scope that no flow of its scheme declares";
    0106 UNKNOWN_NAME "unknown-name" Error "a role, level, network or action that is declared nowhere";
    0107 UNKNOWN_REFERENCE "unknown-reference" Error "a value of the request that does not exist, or cannot be what it is compared with";
    0108 UNREACHABLE_ROLE "unreachable-role" Error "an operation asks for roles that nobody can have";
    0109 ROLE_CYCLE "role-cycle" Error "roles that inherit from one another";
    0110 LEVEL_WITHOUT_KEY "level-without-key" Error "a level where no API key is asked for";
    0111 LEVEL_BELOW_SCOPE "level-below-scope" Error "a level that does not grant the scope asked for beside it";
    0112 UNSATISFIABLE "unsatisfiable" Error "nobody can satisfy this policy";
    0113 UNCOUNTABLE_LIMIT "uncountable-limit" Error "a limit that cannot count some of the callers it is for";
    0114 NEEDS_CALLER "needs-caller" Error "a key that needs to know the caller, on an operation that admits anybody";
    0115 LIFECYCLE_ORDER "lifecycle-order" Error "dates of a lifecycle that contradict each other";
    0116 WEAKENS_DEFAULT "weakens-default" Warning "a nearer key is weaker than the one that it replaces";
    0117 FLOW_WITHOUT_LIMIT "flow-without-limit" Error "a sensitive flow without a limit";
    0118 KEY_IN_QUERY "key-in-query" Warning "a credential is sent in the URL";
    0119 SECRET_IN_URL "secret-in-url" Warning "sensitive data is sent in the URL";
    0120 OPTIONAL_OWNER "optional-owner" Error "the id of an owned object may be absent";
    0121 WRONG_COST "wrong-cost" Error "a cost that no limit of its operation can take";
    0122 PUBLIC_LIST "public-list" Warning "everybody sees a list of objects of which each belongs to somebody";
    0123 GUARDED_OUTGOING "guarded-outgoing" Warning "a webhook or callback sends what only some may see";
    0124 GUARDED_NO_PROPERTY "guarded-no-property" Error "`read` or `write` of a value that is no property";

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
    0216 UNKNOWN_FORMAT "unknown-format" Warning "a format that is a known one misspelt";
    0217 IDLE_KEYWORD "idle-keyword" Warning "a schema keyword that says nothing beside its `type`";
    0218 PATTERN_DELIMITED "pattern-delimited" Warning "a pattern between slashes";

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

    // 04: what exists.
    0402 PATH_TEMPLATE "path-template" Error "a path template that cannot be read";
    0403 PATH_CONFLICT "path-conflict" Error "two paths that are one route";
    0404 PATH_PARAMETER_UNDECLARED "path-parameter-undeclared" Error "a parameter of the path is declared nowhere";
    0405 PATH_PARAMETER_UNUSED "path-parameter-unused" Error "a path parameter that is not in the path";
    0406 DUPLICATE_OPERATION_ID "duplicate-operation-id" Error "two operations of one name";
    0407 HEADER_NAME "header-name" Error "a name that no header or cookie can have";
    0408 IGNORED_PARAMETER "ignored-parameter" Warning "a header parameter that OpenAPI says elsewhere";
    0409 DUPLICATE_PARAMETER "duplicate-parameter" Error "a parameter or header stands twice";
    0410 DUPLICATE_STATUS "duplicate-status" Error "two responses for one status";
    0411 METHOD_NAME "method-name" Error "a key of `additionalOperations` that is no method";
    0412 PARAMETER_STYLE "parameter-style" Error "a style that this place does not have";
    0413 MEDIA_TYPE "media-type" Warning "a key of `content` that is no media type";
    0414 PATH_UNREACHABLE "path-unreachable" Warning "a path that no request can have";
    0415 LINK_TO_NOTHING "link-to-nothing" Warning "a link that names no operation";
    0416 SERVER_VARIABLE "server-variable" Warning "a variable of a server's URL that nothing declares, or a default that is none of its values";
    0417 DUPLICATE_TAG "duplicate-tag" Warning "a tag that is declared twice";

    // 05: schemas.
    0501 PATTERN_INVALID "pattern-invalid" Error "a pattern that is no regular expression";
    0502 PATTERN_TOO_BIG "pattern-too-big" Error "a pattern that is too big to be matched";
    0503 BOUNDS_INVERTED "bounds-inverted" Error "bounds that no value meets";
    0504 INFINITE_INCLUSION "infinite-inclusion" Error "a schema that is part of itself";
    0505 WRONG_DEFAULT "wrong-default" Warning "a default that its own schema refuses";
    0506 ENUM_TYPE "enum-type" Warning "a value of an enumeration that is not of the type beside it";
    0507 REQUIRED_UNDECLARED "required-undeclared" Warning "a required property that is not declared";
    0508 KEYWORD_VALUE "keyword-value" Error "a value that a schema keyword cannot have";
    0509 RUST_TYPE "rust-type" Error "`x-rust-type` is not the path of a type";
    0510 ENUM_DUPLICATE "enum-duplicate" Warning "a value that an enumeration lists twice";
    0511 WRONG_EXAMPLE "wrong-example" Warning "an example that its own schema refuses";
    0512 PATTERN_DIALECT "pattern-dialect" Warning "a pattern in another language than ECMA 262";

    // 06: the vocabulary.
    0601 VOCABULARY_KEY "vocabulary-key" Error "an unknown key in `x-security`";
    0602 VOCABULARY_TYPE "vocabulary-type" Error "a value of the wrong type in `x-security`";
    0603 VOCABULARY_VALUE "vocabulary-value" Error "a value in `x-security` that cannot be understood";
    0604 VOCABULARY_MISSING "vocabulary-missing" Error "a key of `x-security` is missing";
    0605 SETTING_SYNTAX "setting-syntax" Error "a deployment value that cannot be read";
    0606 VOCABULARY_MISPLACED "vocabulary-misplaced" Error "`x-security` on a scheme that it says nothing about";

    // 07: what is not enforced.
    0701 NOT_ENFORCED_YET "not-enforced-yet" Error "the vocabulary has this word, and the server cannot enforce it yet";
    0702 PATTERN_NOT_LINEAR "pattern-not-linear" Warning "a pattern that cannot be matched in linear time";
    0703 UNCHECKED_BODY "unchecked-body" Warning "a body that the handler reads itself, so that its schema is not checked";

    // 08: overlays.
    0801 OVERLAY_SHAPE "overlay-shape" Error "a file that is no overlay, or a part of one that cannot be understood";
    0802 OVERLAY_TARGET "overlay-target" Error "a JSONPath that is not understood";
    0803 OVERLAY_NO_MATCH "overlay-no-match" Warning "an action of an overlay that selects nothing";
    0804 OVERLAY_CONFLICT "overlay-conflict" Error "a change that does not fit what it selects";

    // 09: the tool itself.
    0901 CONFIG_SYNTAX "config-syntax" Error "malformed TOML in `gatewright.toml`";
    0902 CONFIG_UNKNOWN_KEY "config-unknown-key" Error "a key of `gatewright.toml` that has no meaning";
    0903 CONFIG_VALUE "config-value" Error "a value of `gatewright.toml` that is missing or of the wrong kind";
    0904 CONFIG_CONFLICT "config-conflict" Error "two APIs of `gatewright.toml` would overwrite each other";
    0905 UNKNOWN_SELECTION "unknown-selection" Error "a filter names a tag or an operation that the document does not have";
    0910 FOREIGN_FILE "foreign-file" Error "a file that was not generated stands where output goes";
    0911 NOT_GENERATED "not-generated" Error "a backend cannot write what the document asks for";
    0920 EXPORT_LOSS "export-loss" Warning "the exported format has no word for something";
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
