//! Types, and how they are read and written, as Rust.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::checks::{Checks, Mode};
use super::docs::lines;
use super::literal;
use super::model::{Choice, Definition, Field, Held, Named, NamedId, Presence, Side, Type, Variant, Wrapper};
use super::plan::Planner;
use crate::fill::fill;
use crate::verbatim::{self, Lines};

/// Which directions a type travels in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Travels {
    pub(super) incoming: bool,
    pub(super) outgoing: bool,
}

fn ident(text: &str) -> Ident {
    Ident::new(text, Span::call_site())
}

/// A type as tokens; `path` makes the path of a named one.
pub(super) fn tokens(kind: &Type, path: &dyn Fn(NamedId) -> TokenStream) -> TokenStream {
    match kind {
        Type::Json => quote!(::gatewright::json::Json),
        Type::Number => quote!(::gatewright::json::Number),
        Type::Bool => quote!(bool),
        Type::I32 => quote!(i32),
        Type::I64 => quote!(i64),
        Type::U32 => quote!(u32),
        Type::U64 => quote!(u64),
        Type::I128 => quote!(i128),
        Type::F64 => quote!(f64),
        Type::String => quote!(::std::string::String),
        Type::Timestamp => quote!(::gatewright::types::Timestamp),
        Type::Date => quote!(::gatewright::types::Date),
        Type::Uuid => quote!(::gatewright::types::Uuid),
        Type::Base64 => quote!(::gatewright::types::Base64),
        Type::File => quote!(::gatewright::body::File),
        Type::Vec(inner) => {
            let inner = tokens(inner, path);
            quote!(::std::vec::Vec<#inner>)
        }
        Type::Map(inner) => {
            let inner = tokens(inner, path);
            quote!(::std::collections::BTreeMap<::std::string::String, #inner>)
        }
        Type::Option(inner) => {
            let inner = tokens(inner, path);
            quote!(::core::option::Option<#inner>)
        }
        Type::Named(id) => path(*id),
        // Parsed as a path before, and written from that.
        Type::Own { path, .. } => path.parse().unwrap_or_default(),
    }
}

/// A type within the file of types.
pub(super) fn local(planner: &Planner<'_>, id: NamedId) -> TokenStream {
    match planner.named.get(id.0 as usize) {
        Some(named) => {
            let ident = ident(&named.ident);
            quote!(#ident)
        }
        None => quote!(::gatewright::json::Json),
    }
}

/// What is written beside a type's own text: in which directions it travels, and whether it is empty by itself.
fn made(travels: Travels, empty: bool) -> String {
    let all = [("FromJson", travels.incoming), ("ToJson", travels.outgoing), ("Default", empty)];
    let words: Vec<&str> = all.iter().filter(|(_, is)| *is).map(|(word, _)| *word).collect();
    format!("[{}]", words.join(", "))
}

/// The module of types may stand in another one.
const WIDTH: usize = 120 - 4;

/// Everything about one named type, as a call of the macro for its kind.
pub(super) fn item(planner: &Planner<'_>, checks: &mut Checks<'_>, named: &Named, travels: Travels) -> TokenStream {
    let notes = &planner.schemas.get(named.schema).notes;
    let about = lines(notes.description.as_deref().or(notes.title.as_deref()));
    let mut out = Lines::default();
    match &named.definition {
        Definition::Alias(target) => {
            about.iter().for_each(|line| out.doc(0, line));
            out.push(0, format!("pub type {} = {};", named.ident, text(planner, target)));
        }
        Definition::Struct { fields, additional, hidden } => {
            structure(planner, &mut out, &about, named, (fields, additional.as_ref(), hidden), travels);
        }
        Definition::Strings(values) => strings(&mut out, &about, &named.ident, values, travels),
        Definition::Union { variants, choice } => {
            let told = travels.incoming.then(|| told(planner, checks, variants, choice, named.side));
            union(planner, &mut out, &about, &named.ident, variants, told, travels);
        }
    }
    out.mark()
}

/// A type as text, by the short names that the module knows; a name that another type of the module has stays long.
fn text(planner: &Planner<'_>, kind: &Type) -> String {
    let known = |long: &str| {
        let short = long.rsplit("::").next().unwrap_or(long);
        if planner.has(short) { long.to_owned() } else { short.to_owned() }
    };
    match kind {
        Type::Json => known("::gatewright::json::Json"),
        Type::Number => known("::gatewright::json::Number"),
        Type::Bool => "bool".to_owned(),
        Type::I32 => "i32".to_owned(),
        Type::I64 => "i64".to_owned(),
        Type::U32 => "u32".to_owned(),
        Type::U64 => "u64".to_owned(),
        Type::I128 => "i128".to_owned(),
        Type::F64 => "f64".to_owned(),
        Type::String => known("::std::string::String"),
        Type::Timestamp => known("::gatewright::types::Timestamp"),
        Type::Date => known("::gatewright::types::Date"),
        Type::Uuid => known("::gatewright::types::Uuid"),
        Type::Base64 => known("::gatewright::types::Base64"),
        Type::File => "::gatewright::body::File".to_owned(),
        Type::Vec(inner) => format!("{}<{}>", known("::std::vec::Vec"), text(planner, inner)),
        Type::Map(inner) => {
            let (map, key) = (known("::std::collections::BTreeMap"), known("::std::string::String"));
            format!("{map}<{key}, {}>", text(planner, inner))
        }
        Type::Option(inner) => format!("{}<{}>", known("::core::option::Option"), text(planner, inner)),
        Type::Named(id) => match planner.named.get(id.0 as usize) {
            Some(named) => named.ident.clone(),
            None => known("::gatewright::json::Json"),
        },
        Type::Own { path, .. } => verbatim::kind(&path.parse().unwrap_or_default()),
    }
}

fn around(planner: &Planner<'_>, long: &str, inner: &str) -> String {
    let short = long.rsplit("::").next().unwrap_or(long);
    format!("{}<{inner}>", if planner.has(short) { long } else { short })
}

fn held(planner: &Planner<'_>, kind: String, held: Held) -> String {
    match held.path() {
        Some(path) => around(planner, path, &kind),
        None => kind,
    }
}

fn field_type(planner: &Planner<'_>, field: &Field) -> String {
    let kind = held(planner, text(planner, &field.kind), field.held);
    let kind = match field.wrapper {
        None => kind,
        Some(Wrapper::Pii) => around(planner, "::gatewright::json::Pii", &kind),
        Some(Wrapper::Secret) => around(planner, "::gatewright::json::Secret", &kind),
    };
    match field.presence {
        Presence::Required | Presence::Default => kind,
        Presence::Optional => around(planner, "::core::option::Option", &kind),
        Presence::Patch => around(planner, "::gatewright::json::Patch", &kind),
    }
}

/// How a member is read, and written.
fn how(planner: &Planner<'_>, field: &Field) -> String {
    let name = &field.name;
    match field.presence {
        Presence::Required => format!("required({name:?})"),
        Presence::Optional => format!("optional({name:?})"),
        Presence::Patch => format!("patch({name:?})"),
        Presence::Default => {
            let json = literal::default_of(planner.schemas, field.schema);
            let path = |id| local(planner, id);
            let value = json.and_then(|json| literal::expression(planner, &field.kind, json, &path));
            let value = value.map(|value| {
                let value = match field.held {
                    Held::Here => value,
                    Held::Boxed => quote!(::std::boxed::Box::new(#value)),
                    Held::Apart => quote!(::gatewright::json::Apart::new(#value)),
                };
                verbatim::one_line(match field.wrapper {
                    None => value,
                    Some(Wrapper::Pii) => quote!(::gatewright::json::Pii::new(#value)),
                    Some(Wrapper::Secret) => quote!(::gatewright::json::Secret::new(#value)),
                })
            });
            match (value, json.map(gatewright_ir::json::Json::to_text)) {
                (Some(value), _) => format!("default({name:?}, {value})"),
                (None, Some(text)) => format!("text({name:?}, {text:?})"),
                (None, None) => format!("required({name:?})"),
            }
        }
    }
}

fn structure(
    planner: &Planner<'_>,
    out: &mut Lines,
    about: &[String],
    named: &Named,
    (fields, additional, hidden): (&[Field], Option<&Type>, &[String]),
    travels: Travels,
) {
    let empty = fields.iter().all(|f| matches!(f.presence, Presence::Optional | Presence::Patch));
    let head = format!("pub struct {}: {}", named.ident, made(travels, empty));
    let mut depth = 1;
    if about.is_empty() {
        if fields.is_empty() && additional.is_none() {
            out.push(0, format!("object! {{ {head} {{}} }}"));
            return;
        }
        out.push(0, format!("object! {{ {head} {{"));
    } else {
        out.push(0, "object! {");
        about.iter().for_each(|line| out.doc(1, line));
        out.push(1, format!("{head} {{"));
        depth = 2;
    }
    for field in fields {
        let schema = planner.schemas.get(field.schema);
        // What a component says of itself stands with its type.
        let said = schema.notes.description.as_deref().or(schema.notes.title.as_deref());
        lines(said.filter(|_| schema.name.is_none())).iter().for_each(|line| out.doc(depth, line));
        let (kind, how) = (field_type(planner, field), how(planner, field));
        let line = format!("{}: {kind} = {how},", field.ident);
        if line.len() + 4 * depth <= WIDTH {
            out.push(depth, line);
        } else {
            out.push(depth, format!("{}: {kind} =", field.ident));
            out.push(depth + 1, format!("{how},"));
        }
    }
    if let Some(kind) = additional {
        let map = text(planner, &Type::Map(Box::new(kind.clone())));
        let hidden: Vec<String> = hidden.iter().map(|name| format!("{name:?}")).collect();
        out.push(depth, format!("..additional: {map} = others({}),", hidden.join(", ")));
    }
    if depth == 2 {
        out.push(1, "}");
        out.push(0, "}");
    } else {
        out.push(0, "} }");
    }
}

/// A call whose head has documentation above it, or none; its list fills lines.
fn listed(out: &mut Lines, about: &[String], call: &str, body: &[String]) {
    if let ([], [body]) = (about, body) {
        let line = format!("{call}! {{ {body} }}");
        if line.chars().count() <= WIDTH {
            out.push(0, line);
            return;
        }
    }
    out.push(0, format!("{call}! {{"));
    about.iter().for_each(|line| out.doc(1, line));
    for part in body {
        fill(part, WIDTH - 4).iter().for_each(|line| out.push(1, line));
    }
    out.push(0, "}");
}

fn strings(out: &mut Lines, about: &[String], name: &str, values: &[(String, String)], travels: Travels) {
    let head = format!("pub enum {name}: {}", made(travels, false));
    // Within the marks of code nothing but such a mark or an end of line means anything.
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c != '`' && crate::docs::is_shown(c));
    if values.iter().all(|(_, text)| plain(text)) {
        let list: Vec<String> = values.iter().map(|(variant, text)| format!("{variant} = {text:?}")).collect();
        listed(out, about, "strings", &[format!("{head} {{ {} }}", list.join(", "))]);
        return;
    }
    out.push(0, "strings! {");
    about.iter().for_each(|line| out.doc(1, line));
    out.push(1, format!("{head} {{"));
    for (variant, text) in values {
        let shown = lines(Some(&format!("`{}`", text.replace('`', "'"))));
        // A text of which nothing is to be seen has its name for it.
        let shown = if shown.is_empty() { vec![variant.clone()] } else { shown };
        shown.iter().for_each(|line| out.doc(2, line));
        out.push(2, format!("{variant} = {text:?},"));
    }
    out.push(1, "}");
    out.push(0, "}");
}

fn union(
    planner: &Planner<'_>,
    out: &mut Lines,
    about: &[String],
    name: &str,
    variants: &[Variant],
    told: Option<String>,
    travels: Travels,
) {
    let head = format!("pub enum {name}: {}", made(travels, false));
    let forms: Vec<(Vec<String>, String)> = variants
        .iter()
        .map(|variant| {
            let schema = planner.schemas.get(variant.schema);
            let said = lines(schema.notes.description.as_deref().filter(|_| schema.name.is_none()));
            let kind = held(planner, text(planner, &variant.kind), variant.held);
            (said, format!("{}({kind})", variant.ident))
        })
        .collect();
    if forms.iter().all(|(said, _)| said.is_empty()) {
        let list: Vec<&str> = forms.iter().map(|(_, form)| form.as_str()).collect();
        let mut body = vec![format!("{head} {{ {} }}", list.join(", "))];
        body.extend(told);
        listed(out, about, "choice", &body);
        return;
    }
    out.push(0, "choice! {");
    about.iter().for_each(|line| out.doc(1, line));
    out.push(1, format!("{head} {{"));
    for (said, form) in forms {
        said.iter().for_each(|line| out.doc(2, line));
        out.push(2, format!("{form},"));
    }
    out.push(1, "}");
    if let Some(part) = told {
        fill(&part, WIDTH - 4).iter().for_each(|line| out.push(1, line));
    }
    out.push(0, "}");
}

/// How a value that comes in is known to have one of the forms.
fn told(planner: &Planner<'_>, checks: &mut Checks<'_>, variants: &[Variant], choice: &Choice, side: Side) -> String {
    let ident = |place: usize| variants.get(place).map(|variant| variant.ident.as_str());
    match choice {
        Choice::Property { name, values, default } => {
            let arms = (0..variants.len()).filter_map(|place| {
                let texts: Vec<String> = values.iter().filter(|v| v.1 == place).map(|v| format!("{:?}", v.0)).collect();
                (!texts.is_empty()).then(|| Some(format!("{} => {}", texts.join(" | "), ident(place)?)))?
            });
            let otherwise = default.and_then(ident).map(|ident| format!("_ => {ident}"));
            let arms: Vec<String> = arms.chain(otherwise).collect();
            format!("by {name:?} {{ {} }}", arms.join(", "))
        }
        Choice::Kind { exactly_one } => {
            // Kinds with the same candidates share an arm.
            let mut groups: Vec<(Vec<usize>, Vec<&str>)> = Vec::new();
            for kind in ["Null", "Boolean", "Number", "String", "Array", "Object"] {
                let fits = |v: &(usize, &Variant)| admits(planner, &v.1.kind, kind);
                let places: Vec<usize> = variants.iter().enumerate().filter(fits).map(|(place, _)| place).collect();
                match groups.iter_mut().find(|(known, _)| *known == places) {
                    _ if places.is_empty() => {}
                    Some((_, kinds)) => kinds.push(kind),
                    None => groups.push((places, vec![kind])),
                }
            }
            let arms = groups.iter().map(|(places, kinds)| {
                let to = match places.as_slice() {
                    [one] => ident(*one).unwrap_or_default().to_owned(),
                    several => format!("[{}]", probes(checks, variants, several, *exactly_one, side).join(", ")),
                };
                format!("{} => {to}", kinds.join(" | "))
            });
            let arms: Vec<String> = arms.collect();
            format!("by kind {{ {} }}", arms.join(", "))
        }
    }
}

/// The branches in the order in which they are asked. The strictest reading comes first: of two branches that both admit the
/// value it prefers the one that knows all of it.
fn probes(
    checks: &mut Checks<'_>,
    variants: &[Variant],
    places: &[usize],
    exactly_one: bool,
    side: Side,
) -> Vec<String> {
    let strict = if exactly_one { Mode::REFUSE_IN_PLACE } else { Mode::REFUSE };
    let mut asked = Vec::new();
    for mode in [strict, Mode::KEEP] {
        // What only responses have is read where it answers what we sent.
        let mode = Mode { answer: side == Side::Response, ..mode };
        for place in places {
            let Some(variant) = variants.get(*place) else { continue };
            let check = checks.path(variant.schema, mode);
            let text = format!("{} => {}", checks.local_path(&check), variant.ident);
            if !asked.contains(&text) {
                asked.push(text);
            }
        }
    }
    asked
}

/// Whether a type can come of a JSON value of this kind.
fn admits(planner: &Planner<'_>, kind: &Type, json: &str) -> bool {
    let wanted = match kind {
        Type::Json => return true,
        Type::Bool => "Boolean",
        Type::Number | Type::I32 | Type::I64 | Type::U32 | Type::U64 | Type::I128 | Type::F64 => "Number",
        Type::String | Type::Timestamp | Type::Date | Type::Uuid | Type::Base64 | Type::File => "String",
        Type::Vec(_) => "Array",
        Type::Map(_) => "Object",
        Type::Own { kinds, .. } => {
            let bit = [("Null", 1), ("Boolean", 2), ("Number", 12), ("String", 16), ("Array", 32), ("Object", 64)];
            return bit.iter().any(|(name, bit)| *name == json && kinds & bit != 0);
        }
        Type::Option(inner) => return json == "Null" || admits(planner, inner, json),
        Type::Named(id) => match planner.named.get(id.0 as usize).map(|named| &named.definition) {
            Some(Definition::Alias(target)) => return admits(planner, target, json),
            Some(Definition::Struct { .. }) => "Object",
            Some(Definition::Strings(_)) => "String",
            Some(Definition::Union { variants, choice }) => {
                return match choice {
                    Choice::Property { .. } => json == "Object",
                    // A union of itself adds no kind.
                    Choice::Kind { .. } => {
                        variants.iter().any(|v| v.kind != *kind && admits_shallow(planner, &v.kind, json))
                    }
                };
            }
            None => return true,
        },
    };
    wanted == json
}

/// As [`admits`], without following unions further: those may hold each other.
fn admits_shallow(planner: &Planner<'_>, kind: &Type, json: &str) -> bool {
    match kind {
        Type::Named(id) => match planner.named.get(id.0 as usize).map(|named| &named.definition) {
            Some(Definition::Union { .. }) | None => true,
            _ => admits(planner, kind, json),
        },
        _ => admits(planner, kind, json),
    }
}
