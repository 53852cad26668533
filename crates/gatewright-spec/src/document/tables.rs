//! The object model of OpenAPI 3.0, 3.1 and 3.2 as data: fields as (name, kind, versions, required).
//!
//! A new version of OpenAPI is a new bit and new rows. Sections named here are of the OpenAPI Specification 3.2.0.

use super::hooks;
use super::walk::Walker;
use crate::syntax::Node;

/// Bits for the versions that know a field or a word; no bit: only JSON Schema's older drafts do.
pub(crate) type Mask = u8;
pub(crate) const V30: Mask = 1;
pub(crate) const V31: Mask = 2;
pub(crate) const V32: Mask = 4;
const FROM31: Mask = V31 | V32;
const ALL: Mask = V30 | V31 | V32;
const DRAFTS: Mask = 0;

/// What a value must be.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Anything; never looked into, no `$ref` in it is followed.
    Any,
    /// As `Any`; plain words that YAML 1.1 reads otherwise get a warning.
    Data,
    /// A list of such.
    DataList,
    Str,
    Bool,
    /// A whole number, zero or more, of any size.
    UInt,
    Num,
    /// One of these words.
    Word(&'static [Word]),
    /// A schema's `type`: a word or, from 3.1, a list of words.
    Type,
    /// A schema's `required`: names. True and false are tolerated.
    Required,
    /// `exclusiveMinimum` and its sister: true or false in 3.0, a number from 3.1.
    Exclusive,
    /// An object whose keys are names.
    Map(&'static Kind),
    /// An object whose keys are names of text. A key `$ref` is a name here.
    StrMap,
    /// As `Map`; names are restricted as the components' are.
    Named(&'static Kind),
    List(&'static Kind),
    Obj(&'static Object),
    /// An object or a reference to one.
    Ref(&'static Object),
    /// A schema, a reference to one, or (from 3.1) true or false.
    Schema,
    /// As `Schema`; true and false in 3.0 too.
    SchemaOrBool,
    /// As `Schema`; a list of them is tolerated, as the older drafts had it for tuples.
    Items,
    /// An object from values to schemas, by name or reference.
    Mapping,
    /// A schema, by name or reference.
    Meant,
}

/// A word and the versions that know it.
pub(crate) type Word = (&'static str, Mask);

pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) versions: Mask,
    /// Versions in which the object means nothing without it.
    pub(crate) needed: Mask,
    /// Versions whose specification requires it, though all is understood without it.
    pub(crate) wanted: Mask,
}

/// What keys beside the fields an object has.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Other {
    /// None but `x-` ones.
    No,
    /// Any: JSON Schema ignores what it does not know.
    Keywords,
    /// Templates that start with `/`.
    Paths,
    /// Status codes.
    Statuses,
    /// Runtime expressions.
    Expressions,
}

pub(crate) struct Object {
    /// With its article, for messages.
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [Field],
    pub(crate) other: Other,
    /// Whether `x-security` may stand in it.
    pub(crate) policy: bool,
    /// Whether it only describes: nothing that a request or a response must meet can be lost with it, so that what is
    /// wrong in it is a warning.
    pub(crate) note: bool,
    /// What a table cannot say.
    pub(crate) check: Option<fn(&mut Walker<'_, '_>, Node<'_>)>,
}

impl Object {
    const fn new(name: &'static str, fields: &'static [Field]) -> Object {
        Object { name, fields, other: Other::No, policy: false, note: false, check: None }
    }

    const fn policy(mut self) -> Object {
        self.policy = true;
        self
    }

    const fn note(mut self) -> Object {
        self.note = true;
        self
    }

    const fn other(mut self, other: Other) -> Object {
        self.other = other;
        self
    }

    const fn check(mut self, check: fn(&mut Walker<'_, '_>, Node<'_>)) -> Object {
        self.check = Some(check);
        self
    }

    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Field {
    const fn only(mut self, versions: Mask) -> Field {
        self.versions = versions;
        self
    }

    const fn needed(mut self) -> Field {
        self.needed = ALL;
        self
    }

    const fn wanted(mut self, versions: Mask) -> Field {
        self.wanted = versions;
        self
    }
}

const fn f(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, versions: ALL, needed: 0, wanted: 0 }
}

use Kind::{
    Any, Bool, Data, DataList, Exclusive, Items, List, Map, Mapping, Meant, Named, Num, Obj, Ref, Schema, SchemaOrBool,
    Str, StrMap, Type, UInt,
};

pub(crate) const TYPES: &[Word] = &[
    ("string", ALL),
    ("number", ALL),
    ("integer", ALL),
    ("boolean", ALL),
    ("array", ALL),
    ("object", ALL),
    ("null", FROM31),
];
const PLACES: &[Word] = &[("query", ALL), ("header", ALL), ("path", ALL), ("cookie", ALL), ("querystring", V32)];
const STYLES: &[Word] = &[
    ("form", ALL),
    ("simple", ALL),
    ("label", ALL),
    ("matrix", ALL),
    ("spaceDelimited", ALL),
    ("pipeDelimited", ALL),
    ("deepObject", ALL),
    ("cookie", V32),
];
const SCHEME_TYPES: &[Word] =
    &[("apiKey", ALL), ("http", ALL), ("mutualTLS", FROM31), ("oauth2", ALL), ("openIdConnect", ALL)];
const KEY_PLACES: &[Word] = &[("query", ALL), ("header", ALL), ("cookie", ALL)];
const NODE_TYPES: &[Word] = &[("element", V32), ("attribute", V32), ("text", V32), ("cdata", V32), ("none", V32)];

/// 4.1 OpenAPI Object.
pub(crate) static ROOT: Object = Object::new(
    "the document",
    &[
        f("openapi", Str).needed(),
        f("$self", Str).only(V32),
        f("info", Obj(&INFO)).wanted(ALL),
        f("jsonSchemaDialect", Str).only(FROM31),
        f("servers", List(&Obj(&SERVER))),
        f("paths", Obj(&PATHS)).wanted(V30),
        f("webhooks", Map(&Ref(&PATH_ITEM))).only(FROM31),
        f("components", Obj(&COMPONENTS)),
        f("security", SECURITY),
        f("tags", List(&Obj(&TAG))),
        f("externalDocs", Obj(&EXTERNAL_DOCS)),
    ],
)
.policy()
.check(hooks::document);

const SECURITY: Kind = List(&Map(&List(&Str)));

static INFO: Object = Object::new(
    "the `info` object",
    &[
        f("title", Str).wanted(ALL),
        f("summary", Str).only(FROM31),
        f("description", Str),
        f("termsOfService", Str),
        f("contact", Obj(&CONTACT)),
        f("license", Obj(&LICENSE)),
        f("version", Str).wanted(ALL),
    ],
);

static CONTACT: Object = Object::new("a contact", &[f("name", Str), f("url", Str), f("email", Str)]).note();

static LICENSE: Object =
    Object::new("a license", &[f("name", Str).wanted(ALL), f("identifier", Str).only(FROM31), f("url", Str)]).note();

static SERVER: Object = Object::new(
    "a server",
    &[
        f("url", Str).needed(),
        f("name", Str).only(V32),
        f("description", Str),
        f("variables", Map(&Obj(&SERVER_VARIABLE))),
    ],
)
.check(hooks::server);

static SERVER_VARIABLE: Object =
    Object::new("a server variable", &[f("enum", List(&Str)), f("default", Str).wanted(ALL), f("description", Str)]);

static COMPONENTS: Object = Object::new(
    "the `components` object",
    &[
        f("schemas", Named(&Schema)),
        f("responses", Named(&Ref(&RESPONSE))),
        f("parameters", Named(&Ref(&PARAMETER))),
        f("examples", Named(&Ref(&EXAMPLE))),
        f("requestBodies", Named(&Ref(&REQUEST_BODY))),
        f("headers", Named(&Ref(&HEADER))),
        f("securitySchemes", Named(&Ref(&SECURITY_SCHEME))),
        f("links", Named(&Ref(&LINK))),
        f("callbacks", Named(&Ref(&CALLBACK))),
        f("pathItems", Named(&Ref(&PATH_ITEM))).only(FROM31),
        f("mediaTypes", Named(&Ref(&MEDIA_TYPE))).only(V32),
    ],
);

static PATHS: Object = Object::new("the `paths` object", &[]).other(Other::Paths);

/// 4.9 Path Item Object. Its own `$ref` is handled as a reference.
pub(crate) static PATH_ITEM: Object = Object::new(
    "a path",
    &[
        f("$ref", Str),
        f("summary", Str),
        f("description", Str),
        f("get", Obj(&OPERATION)),
        f("put", Obj(&OPERATION)),
        f("post", Obj(&OPERATION)),
        f("delete", Obj(&OPERATION)),
        f("options", Obj(&OPERATION)),
        f("head", Obj(&OPERATION)),
        f("patch", Obj(&OPERATION)),
        f("trace", Obj(&OPERATION)),
        f("query", Obj(&OPERATION)).only(V32),
        f("additionalOperations", Map(&Obj(&OPERATION))).only(V32),
        f("servers", List(&Obj(&SERVER))),
        f("parameters", List(&Ref(&PARAMETER))),
    ],
)
.policy();

static OPERATION: Object = Object::new(
    "an operation",
    &[
        f("tags", List(&Str)),
        f("summary", Str),
        f("description", Str),
        f("externalDocs", Obj(&EXTERNAL_DOCS)),
        f("operationId", Str),
        f("parameters", List(&Ref(&PARAMETER))),
        f("requestBody", Ref(&REQUEST_BODY)),
        f("responses", Obj(&RESPONSES)).wanted(V30),
        f("callbacks", Map(&Ref(&CALLBACK))),
        f("deprecated", Bool),
        f("security", SECURITY),
        f("servers", List(&Obj(&SERVER))),
    ],
)
.policy();

static EXTERNAL_DOCS: Object =
    Object::new("an `externalDocs` object", &[f("description", Str), f("url", Str).wanted(ALL)]).note();

pub(crate) static PARAMETER: Object = Object::new(
    "a parameter",
    &[
        f("name", Str).needed(),
        f("in", Kind::Word(PLACES)).needed(),
        f("description", Str),
        f("required", Bool),
        f("deprecated", Bool),
        f("allowEmptyValue", Bool),
        f("style", Kind::Word(STYLES)),
        f("explode", Bool),
        f("allowReserved", Bool),
        f("schema", Schema),
        f("example", Any),
        f("examples", Map(&Ref(&EXAMPLE))),
        f("content", Map(&Ref(&MEDIA_TYPE))),
    ],
)
.policy()
.check(hooks::parameter);

static HEADER: Object = Object::new(
    "a header",
    &[
        f("description", Str),
        f("required", Bool),
        f("deprecated", Bool),
        f("allowEmptyValue", Bool),
        f("style", Kind::Word(STYLES)),
        f("explode", Bool),
        f("allowReserved", Bool),
        f("schema", Schema),
        f("example", Any),
        f("examples", Map(&Ref(&EXAMPLE))),
        f("content", Map(&Ref(&MEDIA_TYPE))),
    ],
);

static REQUEST_BODY: Object = Object::new(
    "a request body",
    &[f("description", Str), f("content", Map(&Ref(&MEDIA_TYPE))).wanted(ALL), f("required", Bool)],
);

static MEDIA_TYPE: Object = Object::new(
    "a media type",
    &[
        f("schema", Schema),
        f("itemSchema", Schema).only(V32),
        f("example", Any),
        f("examples", Map(&Ref(&EXAMPLE))),
        f("encoding", Map(&Obj(&ENCODING))),
        f("prefixEncoding", List(&Obj(&ENCODING))).only(V32),
        f("itemEncoding", Obj(&ENCODING)).only(V32),
    ],
);

static ENCODING: Object = Object::new(
    "an encoding",
    &[
        f("contentType", Str),
        f("headers", Map(&Ref(&HEADER))),
        f("style", Kind::Word(STYLES)),
        f("explode", Bool),
        f("allowReserved", Bool),
        f("encoding", Map(&Obj(&ENCODING))).only(V32),
        f("prefixEncoding", List(&Obj(&ENCODING))).only(V32),
        f("itemEncoding", Obj(&ENCODING)).only(V32),
    ],
);

static RESPONSES: Object =
    Object::new("the `responses` object", &[f("default", Ref(&RESPONSE))]).other(Other::Statuses);

pub(crate) static RESPONSE: Object = Object::new(
    "a response",
    &[
        f("summary", Str).only(V32),
        f("description", Str).wanted(V30 | V31),
        f("headers", Map(&Ref(&HEADER))),
        f("content", Map(&Ref(&MEDIA_TYPE))),
        f("links", Map(&Ref(&LINK))),
    ],
);

static CALLBACK: Object = Object::new("a callback", &[]).other(Other::Expressions);

static EXAMPLE: Object = Object::new(
    "an example",
    &[
        f("summary", Str),
        f("description", Str),
        f("dataValue", Any).only(V32),
        f("serializedValue", Str).only(V32),
        f("value", Any),
        f("externalValue", Str),
    ],
)
.note();

static LINK: Object = Object::new(
    "a link",
    &[
        f("operationRef", Str),
        f("operationId", Str),
        f("parameters", Map(&Any)),
        f("requestBody", Any),
        f("description", Str),
        f("server", Obj(&SERVER)),
    ],
)
.note();

static TAG: Object = Object::new(
    "a tag",
    &[
        f("name", Str).wanted(ALL),
        f("summary", Str).only(V32),
        f("description", Str),
        f("externalDocs", Obj(&EXTERNAL_DOCS)),
        f("parent", Str).only(V32),
        f("kind", Str).only(V32),
    ],
)
.note();

static SECURITY_SCHEME: Object = Object::new(
    "a security scheme",
    &[
        f("type", Kind::Word(SCHEME_TYPES)).needed(),
        f("description", Str),
        f("name", Str),
        f("in", Kind::Word(KEY_PLACES)),
        f("scheme", Str),
        f("bearerFormat", Str),
        f("flows", Obj(&FLOWS)),
        f("openIdConnectUrl", Str),
        f("oauth2MetadataUrl", Str).only(V32),
        f("deprecated", Bool).only(V32),
    ],
)
.policy()
.check(hooks::security_scheme);

static FLOWS: Object = Object::new(
    "the `flows` object",
    &[
        f("implicit", Obj(&FLOW)),
        f("password", Obj(&FLOW)),
        f("clientCredentials", Obj(&FLOW)),
        f("authorizationCode", Obj(&FLOW)),
        f("deviceAuthorization", Obj(&FLOW)).only(V32),
    ],
);

static FLOW: Object = Object::new(
    "a flow",
    &[
        f("authorizationUrl", Str),
        f("deviceAuthorizationUrl", Str).only(V32),
        f("tokenUrl", Str),
        f("refreshUrl", Str),
        f("scopes", StrMap).wanted(ALL),
    ],
);

static DISCRIMINATOR: Object = Object::new(
    "a discriminator",
    &[f("propertyName", Str).needed(), f("mapping", Mapping), f("defaultMapping", Meant).only(V32)],
);

static XML: Object = Object::new(
    "an `xml` object",
    &[
        f("nodeType", Kind::Word(NODE_TYPES)).only(V32),
        f("name", Str),
        f("namespace", Str),
        f("prefix", Str),
        f("attribute", Bool),
        f("wrapped", Bool),
    ],
)
.note();

/// 4.24 Schema Object, and the vocabularies of JSON Schema 2020-12 that it takes in from 3.1 on.
pub(crate) static SCHEMA: Object = Object::new(
    "a schema",
    &[
        f("$ref", Str),
        f("type", Type),
        f("properties", Map(&Schema)),
        f("required", Kind::Required),
        f("items", Items),
        f("additionalItems", SchemaOrBool).only(DRAFTS),
        f("description", Str),
        f("title", Str),
        f("format", Str),
        f("enum", DataList),
        f("default", Data),
        f("nullable", Bool).only(V30),
        f("example", Any),
        f("examples", List(&Any)).only(FROM31),
        f("allOf", List(&Schema)),
        f("oneOf", List(&Schema)),
        f("anyOf", List(&Schema)),
        f("not", Schema),
        f("additionalProperties", SchemaOrBool),
        f("minLength", UInt),
        f("maxLength", UInt),
        f("pattern", Str),
        f("minimum", Num),
        f("maximum", Num),
        f("exclusiveMinimum", Exclusive),
        f("exclusiveMaximum", Exclusive),
        f("multipleOf", Num),
        f("minItems", UInt),
        f("maxItems", UInt),
        f("uniqueItems", Bool),
        f("minProperties", UInt),
        f("maxProperties", UInt),
        f("readOnly", Bool),
        f("writeOnly", Bool),
        f("deprecated", Bool),
        f("discriminator", Obj(&DISCRIMINATOR)),
        f("xml", Obj(&XML)),
        f("externalDocs", Obj(&EXTERNAL_DOCS)),
        f("const", Data).only(FROM31),
        f("$schema", Str).only(FROM31),
        f("$id", Str).only(FROM31),
        f("$anchor", Str).only(FROM31),
        f("$dynamicRef", Str).only(FROM31),
        f("$dynamicAnchor", Str).only(FROM31),
        f("$vocabulary", Map(&Bool)).only(FROM31),
        f("$comment", Str).only(FROM31),
        f("$defs", Map(&Schema)).only(FROM31),
        f("if", Schema).only(FROM31),
        f("then", Schema).only(FROM31),
        f("else", Schema).only(FROM31),
        f("dependentSchemas", Map(&Schema)).only(FROM31),
        f("dependentRequired", Map(&List(&Str))).only(FROM31),
        f("prefixItems", List(&Schema)).only(FROM31),
        f("contains", Schema).only(FROM31),
        f("minContains", UInt).only(FROM31),
        f("maxContains", UInt).only(FROM31),
        f("patternProperties", Map(&Schema)).only(FROM31),
        f("propertyNames", Schema).only(FROM31),
        f("unevaluatedItems", Schema).only(FROM31),
        f("unevaluatedProperties", Schema).only(FROM31),
        f("contentEncoding", Str).only(FROM31),
        f("contentMediaType", Str).only(FROM31),
        f("contentSchema", Schema).only(FROM31),
    ],
)
.policy()
.other(Other::Keywords)
.check(hooks::schema);

/// The section of `components` (or of other well-known homes) whose entries are of a kind.
pub(crate) fn section_kind(section: &str) -> Option<Kind> {
    match section {
        "$defs" | "definitions" => Some(Schema),
        _ => match COMPONENTS.field(section)?.kind {
            Named(kind) => Some(*kind),
            _ => None,
        },
    }
}

/// What must stand at a JSON pointer of an OpenAPI document, going by the tables alone. `None` where they say nothing.
pub(crate) fn kind_at<'a>(tokens: impl Iterator<Item = std::borrow::Cow<'a, str>>) -> Option<Kind> {
    static PATH: Kind = Ref(&PATH_ITEM);
    static ANSWER: Kind = Ref(&RESPONSE);
    let mut kind = Obj(&ROOT);
    for token in tokens {
        kind = match kind {
            Map(inner) | Named(inner) | List(inner) => *inner,
            Items if token.bytes().all(|b| b.is_ascii_digit()) => Schema,
            Schema | SchemaOrBool | Items => SCHEMA.field(&token)?.kind,
            Obj(object) | Ref(object) => match object.field(&token) {
                Some(field) => field.kind,
                None if token.starts_with("x-") => return None,
                None => match object.other {
                    Other::Paths | Other::Expressions => PATH,
                    Other::Statuses => ANSWER,
                    Other::No | Other::Keywords => return None,
                },
            },
            _ => return None,
        };
    }
    Some(kind)
}
