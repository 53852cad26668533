//! `default`s: whether a type can have them, and what stands for them in Rust.

use gatewright_ir::formats::{is_base64, is_date, is_timestamp, is_uuid};
use gatewright_ir::json::Json;
use gatewright_ir::schema::{SchemaId, Schemas};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

use super::model::{Choice, Definition, NamedId, Presence, Type};
use super::plan::Planner;

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

/// Unions may hold themselves, so looking for a fitting variant ends somewhere.
const DEEPEST: u8 = 64;

/// Whether this value can be read as this type. Asked when all types are planned.
pub(super) fn fits(planner: &Planner<'_>, kind: &Type, json: &Json) -> bool {
    fits_within(planner, kind, json, DEEPEST)
}

fn fits_within(planner: &Planner<'_>, kind: &Type, json: &Json, depth: u8) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let fits = |kind: &Type, json: &Json| fits_within(planner, kind, json, depth);
    match (kind, json) {
        // Whether the user's own type takes it is for the user to know.
        (Type::Json | Type::Own { .. }, _) => true,
        (Type::Number, Json::Number(_)) => true,
        (Type::Option(inner), _) => *json == Json::Null || fits(inner, json),
        (Type::Vec(inner), Json::Array(items)) => items.iter().all(|item| fits(inner, item)),
        (Type::Map(inner), Json::Object(members)) => members.iter().all(|(_, member)| fits(inner, member)),
        (Type::Timestamp, Json::String(text)) => is_timestamp(text),
        (Type::Date, Json::String(text)) => is_date(text),
        (Type::Uuid, Json::String(text)) => is_uuid(text),
        (Type::Base64, Json::String(text)) => is_base64(text),
        (Type::Named(id), _) => match planner.named.get(id.0 as usize).map(|named| &named.definition) {
            Some(Definition::Alias(target)) => fits(target, json),
            Some(Definition::Strings(values)) => {
                matches!(json, Json::String(text) if values.iter().any(|(_, value)| value == text))
            }
            Some(Definition::Struct { fields, additional, hidden }) => {
                let Json::Object(members) = json else { return false };
                let member = |name: &str| members.iter().find(|(known, _)| known == name).map(|(_, value)| value);
                let named = fields.iter().all(|field| match (member(&field.name), field.presence) {
                    (Some(Json::Null), Presence::Patch) => true,
                    (Some(value), _) => fits(&field.kind, value),
                    (None, presence) => presence != Presence::Required,
                });
                let spoken_of = |name: &String| fields.iter().any(|field| field.name == *name) || hidden.contains(name);
                let others = members.iter().filter(|(name, _)| !spoken_of(name));
                named && others.map(|(_, value)| value).all(|value| additional.as_ref().is_none_or(|k| fits(k, value)))
            }
            Some(Definition::Union { variants, choice }) => {
                let variant = |place: usize| variants.get(place).is_some_and(|variant| fits(&variant.kind, json));
                match (choice, json) {
                    (Choice::Property { name, values, default }, Json::Object(members)) => {
                        let named = members.iter().find(|(known, _)| known == name).map(|(_, value)| value);
                        let place = values.iter().find(|(text, _)| named == Some(&Json::String(text.clone())));
                        place.map(|(_, place)| *place).or(*default).is_some_and(variant)
                    }
                    (Choice::Property { .. }, _) => false,
                    (Choice::Kind { .. }, _) => (0..variants.len()).any(variant),
                }
            }
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

/// The expression of a value of this type, for those that are short as one; others are read from their JSON text. `path`
/// makes the path of a named type.
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
        (Type::Vec(inner), Json::Array(items)) if items.len() <= 4 => {
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
