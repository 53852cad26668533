//! `default`s as Rust expressions.

use gatewright_ir::json::Json;
use gatewright_ir::schema::{SchemaId, Schemas};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

use super::model::{Definition, NamedId, Type};
use super::plan::Planner;
use super::view::View;

/// The `default` of a schema, or of what it refers to.
pub(super) fn default_of(schemas: &Schemas, id: SchemaId) -> Option<&Json> {
    let mut here = id;
    for _ in 0..16 {
        let schema = schemas.get(here);
        if let Some(default) = &schema.notes.default {
            return Some(&default.value);
        }
        here = schema.reference?;
    }
    None
}

/// Whether the schema has a `default` that [`expression`] can say.
pub(super) fn fits_default(planner: &Planner<'_>, schema: SchemaId, kind: &Type) -> bool {
    default_of(planner.schemas, schema).is_some_and(|json| fits(planner, kind, json))
}

fn fits(planner: &Planner<'_>, kind: &Type, json: &Json) -> bool {
    match (kind, json) {
        (Type::Option(_), Json::Null) => true,
        (Type::Option(inner), _) => fits(planner, inner, json),
        (Type::Vec(inner), Json::Array(items)) => {
            items.len() <= 32 && items.iter().all(|item| fits(planner, inner, item))
        }
        (Type::Map(_), Json::Object(members)) => members.is_empty(),
        (Type::Named(id), _) => match planner.named.get(id.0 as usize) {
            // An enum that is not planned yet is known by its schema.
            Some(named) => match &named.definition {
                Definition::Alias(Type::Json) | Definition::Strings(_) => match json {
                    Json::String(text) => View::of(planner.schemas, named.schema)
                        .strings()
                        .is_some_and(|(strings, _)| strings.contains(&text.as_str())),
                    _ => false,
                },
                Definition::Alias(target) => fits(planner, target, json),
                Definition::Struct { .. } | Definition::Union { .. } => false,
            },
            None => false,
        },
        _ => plain(kind, json).is_some(),
    }
}

fn plain(kind: &Type, json: &Json) -> Option<TokenStream> {
    let whole = |least: i128, most: i128| match json {
        Json::Number(number) => number.as_i128().filter(|value| least <= *value && *value <= most),
        _ => None,
    };
    let signed = |value: i128| match i64::try_from(value) {
        Ok(short) => Literal::i64_unsuffixed(short),
        Err(_) => Literal::i128_unsuffixed(value),
    };
    Some(match (kind, json) {
        (Type::Bool, Json::Bool(value)) => quote!(#value),
        (Type::String, Json::String(text)) => quote!(::std::string::String::from(#text)),
        (Type::I32, _) => signed(whole(i32::MIN.into(), i32::MAX.into())?).into_tokens(),
        (Type::I64, _) => signed(whole(i64::MIN.into(), i64::MAX.into())?).into_tokens(),
        (Type::U32, _) => signed(whole(0, u32::MAX.into())?).into_tokens(),
        (Type::U64, _) => signed(whole(0, u64::MAX.into())?).into_tokens(),
        (Type::I128, _) => signed(whole(i128::MIN, i128::MAX)?).into_tokens(),
        (Type::F64, Json::Number(number)) => {
            let value = number.as_f64();
            if !value.is_finite() {
                return None;
            }
            Literal::f64_suffixed(value).into_tokens()
        }
        _ => return None,
    })
}

trait IntoTokens {
    fn into_tokens(self) -> TokenStream;
}

impl IntoTokens for Literal {
    fn into_tokens(self) -> TokenStream {
        quote!(#self)
    }
}

/// The expression of a value of this type; `path` makes the path of a named type.
pub(super) fn expression(
    planner: &Planner<'_>,
    kind: &Type,
    json: &Json,
    path: &dyn Fn(NamedId) -> TokenStream,
) -> Option<TokenStream> {
    Some(match (kind, json) {
        (Type::Option(_), Json::Null) => quote!(::core::option::Option::None),
        (Type::Option(inner), _) => {
            let inner = expression(planner, inner, json, path)?;
            quote!(::core::option::Option::Some(#inner))
        }
        (Type::Vec(_), Json::Array(items)) if items.is_empty() => quote!(::std::vec::Vec::new()),
        (Type::Vec(inner), Json::Array(items)) => {
            let items = items.iter().map(|item| expression(planner, inner, item, path)).collect::<Option<Vec<_>>>()?;
            quote!(::std::vec![#(#items),*])
        }
        (Type::Map(_), Json::Object(members)) if members.is_empty() => quote!(::std::collections::BTreeMap::new()),
        (Type::Named(id), _) => match (&planner.named.get(id.0 as usize)?.definition, json) {
            (Definition::Alias(target), _) => expression(planner, target, json, path)?,
            (Definition::Strings(values), Json::String(text)) => {
                let (ident, _) = values.iter().find(|(_, value)| value == text)?;
                let (path, ident) = (path(*id), Ident::new(ident, Span::call_site()));
                quote!(#path::#ident)
            }
            _ => return None,
        },
        _ => plain(kind, json)?,
    })
}
