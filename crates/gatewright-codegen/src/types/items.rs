//! Types, and how they are read and written, as Rust.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

use super::checks::{Checks, Mode};
use super::docs::doc;
use super::literal;
use super::model::{Choice, Definition, Field, Named, NamedId, Presence, Type, Variant, Wrapper};
use super::plan::Planner;

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

fn boxed(kind: TokenStream, boxed: bool) -> TokenStream {
    if boxed { quote!(::std::boxed::Box<#kind>) } else { kind }
}

/// Everything about one named type.
pub(super) fn item(planner: &Planner<'_>, checks: &mut Checks<'_>, named: &Named, travels: Travels) -> TokenStream {
    let notes = &planner.schemas.get(named.schema).notes;
    let text = notes.description.as_deref().or(notes.title.as_deref());
    let doc = doc(text.or(Some(named.ident.as_str())));
    let name = ident(&named.ident);
    match &named.definition {
        Definition::Alias(target) => {
            let target = tokens(target, &|id| local(planner, id));
            quote!(#doc pub type #name = #target;)
        }
        Definition::Struct { fields, additional, hidden } => {
            structure(planner, &doc, &name, (fields, additional.as_ref(), hidden), travels)
        }
        Definition::Strings(values) => strings(&doc, &name, values, travels),
        Definition::Union { variants, choice } => union(planner, checks, &doc, &name, variants, choice, travels),
    }
}

fn field_type(planner: &Planner<'_>, field: &Field) -> TokenStream {
    let kind = boxed(tokens(&field.kind, &|id| local(planner, id)), field.boxed);
    let kind = match field.wrapper {
        None => kind,
        Some(Wrapper::Pii) => quote!(::gatewright::json::Pii<#kind>),
        Some(Wrapper::Secret) => quote!(::gatewright::json::Secret<#kind>),
    };
    match field.presence {
        Presence::Required | Presence::Default => kind,
        Presence::Optional => quote!(::core::option::Option<#kind>),
        Presence::Patch => quote!(::gatewright::json::Patch<#kind>),
    }
}

fn structure(
    planner: &Planner<'_>,
    doc: &TokenStream,
    name: &Ident,
    (fields, additional, hidden): (&[Field], Option<&Type>, &[String]),
    travels: Travels,
) -> TokenStream {
    let idents: Vec<Ident> = fields.iter().map(|field| ident(&field.ident)).collect();
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let declared = fields.iter().zip(&idents).map(|(field, ident)| {
        let schema = planner.schemas.get(field.schema);
        // What a component says of itself stands with its type.
        let said = schema.notes.description.as_deref().or(schema.notes.title.as_deref());
        let doc = self::doc(said.filter(|_| schema.name.is_none()).or(Some(&format!("`{}`", field.name))));
        let kind = field_type(planner, field);
        quote!(#doc pub #ident: #kind)
    });
    let rest = additional.map(|kind| {
        let kind = tokens(kind, &|id| local(planner, id));
        quote! {
            #[doc = " Members that the schema does not name."]
            pub additional: ::std::collections::BTreeMap<::std::string::String, #kind>
        }
    });
    let declared = declared.chain(rest);
    let all_may_lack = fields.iter().all(|f| matches!(f.presence, Presence::Optional | Presence::Patch));
    let derives = if all_may_lack { quote!(Clone, Debug, Default, PartialEq) } else { quote!(Clone, Debug, PartialEq) };
    let decode = travels.incoming.then(|| {
        let rest = additional.map(|_| hidden);
        decode_struct(planner, name, fields, &idents, &names, rest)
    });
    let write = travels.outgoing.then(|| {
        let members = fields.iter().zip(&idents).zip(&names).map(|((field, ident), name)| match field.presence {
            Presence::Optional => quote!(out.optional(#name, &self.#ident);),
            _ => quote!(out.member(#name, &self.#ident);),
        });
        let rest = additional.map(|_| quote!(out.members(&self.additional);));
        quote! {
            impl ::gatewright::json::ToJson for #name {
                fn write(&self, out: &mut ::gatewright::json::Writer) {
                    out.begin_object();
                    #(#members)*
                    #rest
                    out.end_object();
                }
            }
        }
    });
    quote! {
        #doc
        #[derive(#derives)]
        pub struct #name { #(#declared),* }
        #decode
        #write
    }
}

fn decode_struct(
    planner: &Planner<'_>,
    name: &Ident,
    fields: &[Field],
    idents: &[Ident],
    names: &[&str],
    additional: Option<&[String]>,
) -> TokenStream {
    let values = fields.iter().zip(idents).map(|(field, ident)| match field.presence {
        Presence::Required => quote!(#ident: ::gatewright::json::required(value_, #ident)?),
        Presence::Optional => quote!(#ident: ::gatewright::json::optional(#ident)?),
        Presence::Patch => quote!(#ident: ::gatewright::json::Patch::decode_member(#ident)?),
        Presence::Default => {
            let json = literal::default_of(planner.schemas, field.schema);
            let path = |id| local(planner, id);
            let value = json.and_then(|json| literal::expression(planner, &field.kind, json, &path));
            let value = match (value, field.boxed) {
                (Some(value), true) => Some(quote!(::std::boxed::Box::new(#value))),
                (value, _) => value,
            };
            let value = match (value, field.wrapper) {
                (Some(value), Some(Wrapper::Pii)) => Some(quote!(::gatewright::json::Pii::new(#value))),
                (Some(value), Some(Wrapper::Secret)) => Some(quote!(::gatewright::json::Secret::new(#value))),
                (value, _) => value,
            };
            match (value, json.map(gatewright_ir::json::Json::to_text)) {
                (Some(value), _) => quote!(#ident: ::gatewright::json::or_default(#ident, || #value)?),
                (None, Some(text)) => quote!(#ident: ::gatewright::json::or_text(value_, #ident, #text)?),
                (None, None) => quote!(#ident: ::gatewright::json::required(value_, #ident)?),
            }
        }
    });
    let count = Literal::usize_unsuffixed(names.len());
    // No field can be called `value_`: identifiers end in an underscore only behind reserved words.
    let (picked, rest) = match additional {
        Some([]) => (
            quote! {
                const NAMES: &[&str; #count] = &[#(#names),*];
                let [#(#idents),*] = value_.pick(NAMES)?;
            },
            Some(quote!(additional: value_.others(NAMES)?)),
        ),
        // What has no field because only the server sets it is not let in by the back door.
        Some(hidden) => (
            quote!(let [#(#idents),*] = value_.pick(&[#(#names),*])?;),
            Some(quote!(additional: value_.others(&[#(#names,)* #(#hidden),*])?)),
        ),
        None => (quote!(let [#(#idents),*] = value_.pick(&[#(#names),*])?;), None),
    };
    let values = values.chain(rest);
    quote! {
        impl ::gatewright::json::FromJson for #name {
            fn decode(
                value_: ::gatewright::json::Value<'_>,
            ) -> ::core::result::Result<Self, ::gatewright::json::Mismatch> {
                #picked
                ::core::result::Result::Ok(Self { #(#values),* })
            }
        }
    }
}

fn strings(doc: &TokenStream, name: &Ident, values: &[(String, String)], travels: Travels) -> TokenStream {
    let idents: Vec<Ident> = values.iter().map(|(variant, _)| ident(variant)).collect();
    let texts: Vec<&str> = values.iter().map(|(_, text)| text.as_str()).collect();
    let docs = texts.iter().map(|text| self::doc(Some(&format!("`{}`", text.replace('`', "'")))));
    let decode = travels.incoming.then(|| {
        quote! {
            impl ::gatewright::json::FromJson for #name {
                fn decode(
                    value: ::gatewright::json::Value<'_>,
                ) -> ::core::result::Result<Self, ::gatewright::json::Mismatch> {
                    ::gatewright::json::listed(value, &[#((#texts, Self::#idents)),*])
                }
            }
        }
    });
    let write = travels.outgoing.then(|| {
        quote! {
            impl ::gatewright::json::ToJson for #name {
                fn write(&self, out: &mut ::gatewright::json::Writer) {
                    out.string(self.as_str());
                }
            }
        }
    });
    quote! {
        #doc
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum #name { #(#docs #idents),* }
        impl #name {
            #[doc = " The value as it is sent."]
            pub const fn as_str(self) -> &'static str {
                match self { #(Self::#idents => #texts),* }
            }
        }
        #decode
        #write
    }
}

fn union(
    planner: &Planner<'_>,
    checks: &mut Checks<'_>,
    doc: &TokenStream,
    name: &Ident,
    variants: &[Variant],
    choice: &Choice,
    travels: Travels,
) -> TokenStream {
    let idents: Vec<Ident> = variants.iter().map(|variant| ident(&variant.ident)).collect();
    let kinds = variants.iter().map(|v| boxed(tokens(&v.kind, &|id| local(planner, id)), v.boxed));
    let docs = variants.iter().map(|variant| {
        let schema = planner.schemas.get(variant.schema);
        let said = schema.notes.description.as_deref().filter(|_| schema.name.is_none());
        self::doc(said.or(Some(&format!("One of the forms: {}.", variant.ident))))
    });
    let decode = travels.incoming.then(|| {
        let body = decode_union(planner, checks, variants, &idents, choice);
        quote! {
            impl ::gatewright::json::FromJson for #name {
                fn decode(
                    value: ::gatewright::json::Value<'_>,
                ) -> ::core::result::Result<Self, ::gatewright::json::Mismatch> {
                    #body
                }
            }
        }
    });
    let write = travels.outgoing.then(|| {
        quote! {
            impl ::gatewright::json::ToJson for #name {
                fn write(&self, out: &mut ::gatewright::json::Writer) {
                    match self { #(Self::#idents(value) => ::gatewright::json::ToJson::write(value, out)),* }
                }
            }
        }
    });
    quote! {
        #doc
        #[derive(Clone, Debug, PartialEq)]
        pub enum #name { #(#docs #idents(#kinds)),* }
        #decode
        #write
    }
}

fn decode_union(
    planner: &Planner<'_>,
    checks: &mut Checks<'_>,
    variants: &[Variant],
    idents: &[Ident],
    choice: &Choice,
) -> TokenStream {
    let make = |place: usize| {
        let ident = idents.get(place);
        quote!(::gatewright::json::FromJson::decode(value).map(Self::#ident))
    };
    let refuse = |rule: &str| {
        quote!(::core::result::Result::Err(
            ::gatewright::json::Mismatch::new(value, #rule, "must have one of the listed forms"),
        ))
    };
    match choice {
        Choice::Property { name, values, default } => {
            let arms = (0..variants.len()).filter_map(|place| {
                let texts: Vec<&str> = values.iter().filter(|v| v.1 == place).map(|v| v.0.as_str()).collect();
                let make = make(place);
                (!texts.is_empty()).then(|| quote!(::core::option::Option::Some(#(#texts)|*) => #make,))
            });
            let otherwise = default.map_or_else(|| refuse("discriminator"), make);
            quote! {
                match value.get(#name).and_then(::gatewright::json::Value::as_str) {
                    #(#arms)*
                    _ => #otherwise,
                }
            }
        }
        Choice::Kind { exactly_one } => {
            let mut arms = Vec::new();
            // Kinds with the same candidates share an arm.
            let mut groups: Vec<(Vec<usize>, Vec<Ident>)> = Vec::new();
            for kind in ["Null", "Boolean", "Number", "String", "Array", "Object"] {
                let fits = |v: &(usize, &Variant)| admits(planner, &v.1.kind, kind);
                let places: Vec<usize> = variants.iter().enumerate().filter(fits).map(|(place, _)| place).collect();
                match groups.iter_mut().find(|(known, _)| *known == places) {
                    _ if places.is_empty() => {}
                    Some((_, kinds)) => kinds.push(ident(kind)),
                    None => groups.push((places, vec![ident(kind)])),
                }
            }
            let all = groups.iter().map(|(_, kinds)| kinds.len()).sum::<usize>() == 6;
            for (places, kinds) in &groups {
                let body = match places.as_slice() {
                    [one] => make(*one),
                    several => {
                        let probes = probes(checks, variants, several, *exactly_one, &make);
                        let refuse = refuse("oneOf");
                        quote!({
                            let mut found = ::gatewright::json::Violations::new();
                            #probes
                            #refuse
                        })
                    }
                };
                if all && groups.len() == 1 {
                    // One group for every kind: nothing to match on.
                    return match places.as_slice() {
                        [_] => body,
                        _ => quote!(#body),
                    };
                }
                arms.push(quote!(#(::gatewright::json::Kind::#kinds)|* => #body,));
            }
            let otherwise = (!all).then(|| {
                let refuse = refuse("type");
                quote!(_ => #refuse,)
            });
            quote!(match value.kind() { #(#arms)* #otherwise })
        }
    }
}

/// Asks the branches one by one. The strictest reading comes first: of two branches that both admit the value it prefers
/// the one that knows all of it.
fn probes(
    checks: &mut Checks<'_>,
    variants: &[Variant],
    places: &[usize],
    exactly_one: bool,
    make: &dyn Fn(usize) -> TokenStream,
) -> TokenStream {
    let strict = if exactly_one { Mode::REFUSE_IN_PLACE } else { Mode::REFUSE };
    let mut asked = Vec::new();
    let mut probes = TokenStream::new();
    for mode in [strict, Mode::KEEP] {
        for place in places {
            let Some(variant) = variants.get(*place) else { continue };
            let check = checks.path(variant.schema, mode);
            let text = (check.clone(), *place);
            if asked.contains(&text) {
                continue;
            }
            asked.push(text);
            let check = checks.local_path(&check);
            let make = make(*place);
            probes.extend(quote!(if found.probe(#check, value) { return #make; }));
        }
    }
    probes
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
