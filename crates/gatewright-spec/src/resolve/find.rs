//! From the text of a reference to the node it names.

use gatewright_diag::{Level, Span, codes, nearest};

use super::{Resolver, Target, uri};
use crate::document::tables::{Kind, Object, Other, kind_at, section_kind};
use crate::document::walk::{How, Use, reference};
use crate::document::{Version, keys};
use crate::source::{FilePath, PathError, percent_decode, scheme};
use crate::syntax::{Node, NodeKey, unescape};

/// The component schema that a discriminator's mapping names by its bare name.
pub(super) fn component(resolver: &Resolver<'_>, from: NodeKey, name: &str) -> Option<Target> {
    if name.contains(['/', '#']) {
        return None;
    }
    let own = resolver.node(from)?.tree().root();
    let entry = resolver.files.first()?.tree.as_ref()?.root();
    [own, entry].into_iter().find_map(|root| {
        let node = root.get("components")?.get("schemas")?.get(name)?;
        Some(Target { node: Some(node.identity()), name: Some(name.into()), walked: false })
    })
}

pub(super) fn find(resolver: &mut Resolver<'_>, found: &Use, text: &str, span: Span) -> Option<Target> {
    if found.how == How::Mapping && !text.contains(['/', '#', '.']) {
        let node = resolver.node(found.text)?;
        let root = node.tree().root();
        let schemas = root.get("components").and_then(|c| c.get("schemas"));
        let names = schemas.map_or(0, Node::len).min(resolver.names);
        let near = nearest(text, schemas.into_iter().flat_map(Node::entries).take(names).map(|(key, _)| key.text));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "name a schema of `components/schemas`".to_owned(),
        };
        // Where there is no union to tell the members of, and nothing that was likely meant, nothing is lost.
        let level = match near.is_none() && names < resolver.names && !tells_union(node) {
            true => Level::Warning,
            false => Level::Error,
        };
        resolver.names -= names;
        resolver
            .sink
            .report(codes::UNRESOLVED_REFERENCE, level, span, format!("`{}` names no schema", keys::shown(text)))
            .help(help);
        return None;
    }
    let (address, fragment) = match text.split_once('#') {
        Some((address, fragment)) => (address, Some(fragment)),
        None => (text, None),
    };
    let Some(fragment) = percent_decode(fragment.unwrap_or("")) else {
        malformed(resolver, span, "percent-encoding is cut short in this reference", "write `%25` for a `%`");
        return None;
    };
    let resource = if address.is_empty() {
        resolver.ids.resource_of(resolver.node(found.text)?)
    } else {
        resource(resolver, found, address, span)?
    };
    let node = locate(resolver, resource, &fragment, text, found, span)?;
    let name = name(resolver, resource, &fragment);
    match misfit(resolver, node, &fragment, found.wants) {
        None => {}
        Some(Misfit::Near(is)) => {
            let message = format!("`{}` names {is} where {} is wanted", keys::shown(text), kind_name(found.wants));
            resolver
                .sink
                .warning(codes::REFERENCE_TO_WRONG_KIND, span, message)
                .label("read as what is wanted")
                .help(format!("define {} with the same content", kind_name(found.wants)));
        }
        Some(Misfit::Wrong(is)) => {
            let place = resolver.node(node).map(Node::anchor_span);
            let message = format!("`{}` names {is}, and {} is wanted", keys::shown(text), kind_name(found.wants));
            let report = resolver.sink.error(codes::REFERENCE_TO_WRONG_KIND, span, message);
            let report = match place {
                Some(place) => report.related(place, "this is what it names"),
                None => report,
            };
            report.help(format!("refer to {}", kind_name(found.wants)));
            return None;
        }
    }
    // An entry of a section of the entry document's `components`: what the tables shaped it as was compared above.
    let entry = resolver.files.first().and_then(|f| f.tree.as_ref()).map(|tree| tree.root().identity());
    let component = fragment.strip_prefix("/components/").is_some_and(|rest| rest.matches('/').count() == 1);
    let walked = entry == Some(resource) && component && direct(resolver, resource, &fragment) == Some(node);
    Some(Target { node: Some(node), name, walked })
}

/// The component of this document that an address without `#` was meant for: `Pet`, `/components/schemas/Pet`.
fn inner(resolver: &Resolver<'_>, found: &Use, address: &str) -> Option<String> {
    let root = resolver.node(found.text)?.tree().root();
    if address.starts_with('/') {
        return root.at(address).map(|_| format!("#{}", keys::shown(address)));
    }
    let section = match found.wants {
        Kind::Schema | Kind::SchemaOrBool | Kind::Items => "schemas",
        other => match kind_name(other) {
            "a response" => "responses",
            "a parameter" => "parameters",
            "a request body" => "requestBodies",
            "a header" => "headers",
            _ => return None,
        },
    };
    let known = root.get("components")?.get(section)?.has(address);
    known.then(|| format!("#/components/{section}/{}", keys::shown(address)))
}

/// Whether the discriminator in whose mapping this value stands, or as its `defaultMapping`, tells the members of a `oneOf` or
/// `anyOf`.
fn tells_union(value: Node<'_>) -> bool {
    let pointer = value.pointer();
    let above = if pointer.ends_with("/discriminator/defaultMapping") { 2 } else { 3 };
    let schema = pointer.rsplitn(above + 1, '/').nth(above).and_then(|schema| value.tree().root().at(schema));
    schema.is_none_or(|schema| schema.has("oneOf") || schema.has("anyOf"))
}

/// What a pointer leads to without another reference in between.
fn direct(resolver: &Resolver<'_>, resource: NodeKey, fragment: &str) -> Option<NodeKey> {
    resolver.node(resource)?.at(fragment).map(Node::identity)
}

fn malformed(resolver: &mut Resolver<'_>, span: Span, message: &str, help: &str) {
    resolver.sink.error(codes::MALFORMED_REFERENCE, span, message).help(help);
}

/// The resource that the part before `#` names: a schema with that `$id`, or a file.
fn resource(resolver: &mut Resolver<'_>, found: &Use, address: &str, span: Span) -> Option<NodeKey> {
    let from = resolver.node(found.text)?;
    if !resolver.ids.is_empty() {
        let base = resolver.ids.uri_of(resolver.ids.resource_of(from)).unwrap_or("");
        let absolute = uri::join(base, address);
        if let Some(key) = resolver.ids.by_uri(&absolute).or_else(|| resolver.ids.by_uri(address)) {
            return Some(key);
        }
    }
    let path: FilePath = resolver.file_of(found.text.file)?.path.clone();
    let bare = address.split('?').next().unwrap_or("");
    match path.join(bare) {
        Ok(path) => {
            // `$ref: Pet`: no file, but a component of that name.
            if !bare.contains(['/', '.'])
                && !resolver.has(&path)
                && let Some(inner) = inner(resolver, found, address)
            {
                resolver
                    .sink
                    .error(
                        codes::UNRESOLVED_REFERENCE,
                        span,
                        format!("`{}` is read as a file's name", keys::shown(bare)),
                    )
                    .help(format!("did you mean `{inner}`?"));
                return None;
            }
            let at = resolver.open(path, span)?;
            resolver.files.get(at)?.tree.as_ref().map(|tree| tree.root().identity())
        }
        Err(PathError::Url) => {
            let file = scheme(address).is_some_and(|s| s.eq_ignore_ascii_case("file"));
            let what = if file { "a `file:` URL" } else { "a URL" };
            resolver
                .sink
                .error(codes::REFERENCE_TO_URL, span, format!("this reference names {what}"))
                .label("compiling never opens a connection")
                .help("put a copy into the document's folder and refer to it by a relative path");
            None
        }
        Err(PathError::Absolute | PathError::Outside) => {
            let help = match inner(resolver, found, address) {
                Some(inner) => format!("did you mean `{inner}`?"),
                None => "put a copy into the folder, or name a wider one: `--root DIR`, or `root` in gatewright.toml"
                    .to_owned(),
            };
            resolver
                .sink
                .error(codes::REFERENCE_OUTSIDE, span, "this reference leads out of the document's folder")
                .label("not read")
                .help(help);
            None
        }
        Err(PathError::Malformed) => {
            malformed(
                resolver,
                span,
                "this reference names no file",
                "write a relative path with `/` between its parts",
            );
            None
        }
    }
}

fn locate(
    resolver: &mut Resolver<'_>,
    resource: NodeKey,
    fragment: &str,
    text: &str,
    found: &Use,
    span: Span,
) -> Option<NodeKey> {
    if fragment.is_empty() {
        return Some(resource);
    }
    if !fragment.starts_with('/') {
        if let Some(key) = resolver.ids.anchor(resource, fragment) {
            return Some(key);
        }
        let name = keys::shown(fragment);
        let known = resolver.version > Version::V3_0 && found.how != How::Mapping;
        let (message, help) = match known {
            true => (
                format!("there is no `$anchor: {name}` here"),
                format!("write `#/…` for a path, or `$anchor: {name}` in the schema meant"),
            ),
            false => (format!("`{}` names nothing", keys::shown(text)), "write `#/components/schemas/NAME`".to_owned()),
        };
        resolver.sink.error(codes::UNRESOLVED_REFERENCE, span, message).help(help);
        return None;
    }
    if let Some(node) = descend(resolver, resource, fragment) {
        return Some(node);
    }
    // Schemas with an `$id` are resources of their own, and `#/…` starts at them; many documents mean the file.
    let root = resolver.node(resource)?.tree().root().identity();
    if root != resource
        && let Some(node) = descend(resolver, root, fragment)
    {
        resolver
            .sink
            .warning(
                codes::UNRESOLVED_REFERENCE,
                span,
                "`#/…` starts at the schema with the `$id` around it, where this is not found",
            )
            .label("found from the file's root instead")
            .help("remove the `$id`, or write the file's name before the `#`");
        return Some(node);
    }
    let (missing, help, names) = near_miss(resolver, resolver.node(root)?, fragment, text);
    resolver.names = resolver.names.saturating_sub(names);
    resolver
        .sink
        .error(codes::UNRESOLVED_REFERENCE, span, format!("`{}` names nothing", keys::shown(text)))
        .label(format!("there is no `{missing}`"))
        .help(help);
    None
}

/// A JSON pointer's way, through references on it: `#/components/parameters/P/schema` where `P` is a reference.
fn descend(resolver: &mut Resolver<'_>, start: NodeKey, pointer: &str) -> Option<NodeKey> {
    let mut at = start;
    for token in pointer.split('/').skip(1) {
        let token = unescape(token);
        let node = resolver.node(at)?;
        at = match node.child(&token) {
            Some(below) => below.identity(),
            None => {
                let text = reference(node)?.identity();
                let through = resolver.through(text)?;
                resolver.node(through)?.child(&token)?.identity()
            }
        };
    }
    Some(at)
}

/// What a dangling pointer lacks, and what it may have meant.
fn near_miss(resolver: &Resolver<'_>, root: Node<'_>, pointer: &str, text: &str) -> (String, String, usize) {
    // The deepest part that exists, and the nearest name below it.
    let mut at = root;
    let mut missing = "";
    let mut good = String::new();
    for token in pointer.split('/').skip(1) {
        match at.child(&unescape(token)) {
            Some(below) => {
                at = below;
                good.push('/');
                good.push_str(token);
            }
            None => {
                missing = token;
                break;
            }
        }
    }
    let missing = unescape(missing).into_owned();
    // Names are compared while the budget lasts.
    let names = at.len().min(resolver.names);
    let near = nearest(&missing, at.entries().take(names).map(|(key, _)| key.text)).map(str::to_owned);
    // The same name in another section: `#/definitions/Pet` left over from Swagger.
    let elsewhere = || {
        let last = unescape(pointer.rsplit('/').next()?).into_owned();
        let sections = root.get("components")?;
        sections
            .entries()
            .take(16)
            .find(|(_, s)| s.has(&last))
            .map(|(key, _)| format!("/components/{}/{last}", key.text))
    };
    let other = if near.is_none() { elsewhere() } else { None };
    let help = match (near, other) {
        (Some(near), _) => {
            format!("did you mean `{}#{good}/{}`?", text.split('#').next().unwrap_or(""), keys::shown(&near))
        }
        (_, Some(other)) => format!("did you mean `#{other}`?"),
        _ => format!("define `{}`, or correct the reference", keys::shown(&missing)),
    };
    (keys::shown(&missing), help, names + 1)
}

/// What a reference calls the thing it names.
fn name(resolver: &Resolver<'_>, resource: NodeKey, fragment: &str) -> Option<Box<str>> {
    if fragment.is_empty() {
        let file = resolver.file_of(resource.file)?;
        let whole = file.tree.as_ref()?.root().identity() == resource;
        return whole.then(|| file.path.stem().into());
    }
    let mut tokens = fragment.rsplit('/');
    let last = tokens.next()?;
    let section = tokens.next();
    let named = !fragment.starts_with('/') || section.is_some_and(|s| section_kind(s).is_some());
    // In a file of parts (`schemas.yaml#/Pet`) names stand at the top.
    let top = fragment.matches('/').count() == 1;
    (named || top).then(|| unescape(last).into_owned().into())
}

/// How what was found is not what is wanted; its place tells, or else its keys.
enum Misfit {
    /// The words for what it is.
    Wrong(String),
    /// Another object with all that is needed here: a parameter as a header, a request body as a response.
    Near(&'static str),
}

fn misfit(resolver: &Resolver<'_>, key: NodeKey, fragment: &str, wants: &'static Kind) -> Option<Misfit> {
    let node = resolver.node(key)?;
    let root = node.tree().root();
    // The place tells only if the pointer led there without another reference in between.
    if root.has("openapi")
        && root.at(fragment) == Some(node)
        && let Some(kind) = kind_at(fragment.split('/').skip(1).map(unescape))
    {
        if same(&kind, wants) {
            return None;
        }
        let (is, wanted) = (kind_name(&kind), kind_name(wants));
        return Some(match (is, wanted) {
            ("a parameter", "a header") | ("a request body", "a response") => Misfit::Near(is),
            _ => Misfit::Wrong(is.to_owned()),
        });
    }
    if reference(node).is_some() {
        return None;
    }
    let fits = match wants {
        Kind::Any => true,
        Kind::Schema | Kind::SchemaOrBool | Kind::Items => node.is_map() || node.as_bool().is_some(),
        Kind::List(_) => node.is_seq(),
        _ => node.is_map(),
    };
    if !fits {
        return Some(Misfit::Wrong(node.type_name().to_owned()));
    }
    let object = object_of(wants)?;
    if object.fields.is_empty() || node.is_empty() {
        return None;
    }
    // Words that every object has tell nothing.
    let neutral = |key: &str| matches!(key, "description" | "title" | "summary") || key.starts_with("x-");
    let own = |key: &str| object.field(key).is_some() || key.as_bytes().first().is_some_and(u8::is_ascii_digit);
    let foreign = node.entries().any(|(key, _)| !neutral(&key) && !own(&key));
    let some_own = node.entries().any(|(key, _)| !neutral(&key) && own(&key));
    // A parameter or header holds a schema; as a schema it would say nothing and admit everything.
    let wrapper = object.other == Other::Keywords
        && (node.has("schema") || node.has("content"))
        && !node.has("type")
        && !node.has("properties");
    ((foreign && !some_own) || wrapper).then(|| Misfit::Wrong(format!("something else than {}", kind_name(wants))))
}

fn object_of(kind: &Kind) -> Option<&'static Object> {
    match kind {
        Kind::Obj(object) | Kind::Ref(object) => Some(object),
        Kind::Schema | Kind::SchemaOrBool | Kind::Items => Some(&crate::document::tables::SCHEMA),
        _ => None,
    }
}

fn same(a: &Kind, b: &Kind) -> bool {
    match (object_of(a), object_of(b)) {
        (Some(a), Some(b)) => std::ptr::eq(a, b),
        (None, None) => match (a, b) {
            (_, Kind::Any) => true,
            // A section of `components` holds what a map of the same holds.
            (Kind::Map(a) | Kind::Named(a), Kind::Map(b) | Kind::Named(b)) | (Kind::List(a), Kind::List(b)) => {
                same(a, b)
            }
            _ => std::mem::discriminant(a) == std::mem::discriminant(b),
        },
        _ => matches!(b, Kind::Any),
    }
}

fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::List(_) | Kind::DataList | Kind::Required => "a list",
        Kind::Str | Kind::Word(_) | Kind::Type => "text",
        Kind::Bool => "true or false",
        Kind::UInt | Kind::Num | Kind::Exclusive => "a number",
        Kind::Any | Kind::Data => "data",
        _ => object_of(kind).map_or("an object", |object| object.name),
    }
}
