//! Types of one version of an API as those of another, where nothing has to be decided for it.
//!
//! Two types convert when their shapes do and when every value of the one passes the checks of the other, so a converted
//! request is a valid one. Which pairs do is found for all of them together, since types may contain themselves: at first all
//! do, and those whose parts do not are taken out until no more are.

use std::collections::{BTreeSet, HashSet};

use gatewright_ir::fits::{Bound, Fits};
use gatewright_ir::schema::SchemaId;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::model::{Choice, Definition, Field, Held, NamedId, Presence, Type, Variant, Wrapper};
use super::plan::Planner;
use super::roots::Way;
use super::{Inner, Plan, literal};

/// How a value becomes one of the other version's type.
#[derive(Clone, Debug)]
pub(crate) enum How {
    /// It is one.
    Same,
    /// By `From`.
    Into,
    /// A number of a wider type.
    Wide(TokenStream),
    /// What is in an `Option`, a `Patch`, or kept from being shown.
    Each(Box<How>),
    /// The items of a list.
    Items(Box<How>),
    /// The values of a map.
    Values(Box<How>),
    /// Out of a box, and into one.
    Reboxed(Held, Held, Box<How>),
    /// In a call of this.
    Within(TokenStream, Box<How>),
}

impl How {
    /// The expression for the value that this expression is.
    pub(crate) fn apply(&self, value: TokenStream) -> TokenStream {
        match self {
            How::Same => value,
            How::Into => quote!(#value.into()),
            How::Wide(ty) => quote!(#ty::from(#value)),
            How::Each(how) => {
                let function = how.function();
                quote!(#value.map(#function))
            }
            How::Items(how) => {
                let function = how.function();
                quote!(#value.into_iter().map(#function).collect())
            }
            How::Values(how) => {
                let inner = how.apply(quote!(value));
                quote!(#value.into_iter().map(|(name, value)| (name, #inner)).collect())
            }
            How::Reboxed(from, to, how) => {
                let value = match from {
                    Held::Here => value,
                    Held::Boxed => quote!((*#value)),
                    Held::Apart => quote!(#value.into_inner()),
                };
                let value = how.apply(value);
                match to {
                    Held::Here => value,
                    Held::Boxed => quote!(::std::boxed::Box::new(#value)),
                    Held::Apart => quote!(::gatewright::json::Apart::new(#value)),
                }
            }
            How::Within(call, how) => {
                let value = how.apply(value);
                quote!(#call(#value))
            }
        }
    }

    /// The same for what is in an `Option`.
    pub(crate) fn inside(self) -> How {
        self.around(How::Each)
    }

    /// The expression for a value that is always given, or an `Option`; nothing where one that may be missing has to be given.
    pub(crate) fn given(self, from: bool, to: bool, value: TokenStream) -> Option<TokenStream> {
        match (from, to) {
            (true, true) => Some(self.apply(value)),
            (true, false) => Some(How::Within(quote!(::core::option::Option::Some), Box::new(self)).apply(value)),
            (false, false) => Some(self.inside().apply(value)),
            (false, true) => None,
        }
    }

    /// The same for a value that the types around it hold so.
    fn held(self, from: Held, to: Held) -> How {
        match (from, to, self) {
            (a, b, How::Same) if a == b => How::Same,
            (Held::Here, Held::Here, how) => how,
            (a, b, how) => How::Reboxed(a, b, Box::new(how)),
        }
    }

    fn function(&self) -> TokenStream {
        match self {
            How::Into => quote!(::core::convert::Into::into),
            other => {
                let inner = other.apply(quote!(value));
                quote!(|value| #inner)
            }
        }
    }

    fn around(self, wrap: impl FnOnce(Box<How>) -> How) -> How {
        if matches!(self, How::Same) { How::Same } else { wrap(Box::new(self)) }
    }
}

/// A named type of the one version, and one of the other.
type Pair = (NamedId, NamedId);

/// The conversions between the types of two versions: of requests from the older to the newer, of responses back.
#[derive(Debug)]
pub(crate) struct Conversions<'p, 'o, 'n> {
    old: &'p Plan<'o>,
    new: &'p Plan<'n>,
    /// The older version's module, as the module of conversions sees it.
    module: Ident,
    requests: Direction<'p>,
    responses: Direction<'p>,
}

#[derive(Debug)]
struct Direction<'p> {
    fits: Fits<'p>,
    met: BTreeSet<Pair>,
    /// Those that do not convert.
    out: HashSet<Pair>,
}

impl<'p> Direction<'p> {
    fn new(bound: Bound, from: &'p Plan<'_>, to: &'p Plan<'_>) -> Direction<'p> {
        let fits = Fits::new(bound, &from.ir.api.schemas, &to.ir.api.schemas);
        Direction { fits, met: BTreeSet::new(), out: HashSet::new() }
    }
}

impl<'p, 'o, 'n> Conversions<'p, 'o, 'n> {
    pub(crate) fn new(old: &'p Plan<'o>, new: &'p Plan<'n>) -> Conversions<'p, 'o, 'n> {
        Conversions {
            old,
            new,
            module: crate::names::ident(&old.ir.name),
            requests: Direction::new(Bound::Request, old, new),
            responses: Direction::new(Bound::Response, new, old),
        }
    }

    /// How a value of a request's schema becomes one of the newer version's.
    pub(crate) fn request(&mut self, old: SchemaId, new: SchemaId) -> Option<How> {
        let (from, to) = (&mut *self.old.inner.borrow_mut(), &mut *self.new.inner.borrow_mut());
        root(&mut self.requests, Way::In, (from, old), (to, new))
    }

    /// How a value of a response's schema becomes one of the older version's.
    pub(crate) fn response(&mut self, new: SchemaId, old: SchemaId) -> Option<How> {
        let (from, to) = (&mut *self.new.inner.borrow_mut(), &mut *self.old.inner.borrow_mut());
        root(&mut self.responses, Way::Out, (from, new), (to, old))
    }

    /// A default of the newer version, as a value of its type.
    pub(crate) fn default(&self, id: SchemaId) -> Option<TokenStream> {
        let inner = &mut *self.new.inner.borrow_mut();
        let kind = inner.planner.root(id, Way::In);
        let json = literal::default_of(&self.new.ir.api.schemas, id)?;
        literal::expression(&inner.planner, &kind, json, &|id| path(&inner.planner, None, id))
    }

    /// Takes out every pair that was met and does not convert. What [`request`](Self::request) and
    /// [`response`](Self::response) say before is a guess.
    pub(crate) fn settle(&mut self) {
        let (old, new) = (&self.old.inner.borrow().planner, &self.new.inner.borrow().planner);
        settle(&mut self.requests, (old, None), (new, None));
        settle(&mut self.responses, (new, None), (old, None));
    }

    /// The conversions of all named types that were met.
    pub(crate) fn items(&mut self) -> TokenStream {
        let (old, new) = (&self.old.inner.borrow().planner, &self.new.inner.borrow().planner);
        let module = self.module.clone();
        let mut all = items(&mut self.requests, (old, Some(&module)), (new, None));
        all.extend(items(&mut self.responses, (new, None), (old, Some(&module))));
        all
    }
}

/// A version's types, and the module that they are in where it is not this one's.
type Version<'a, 's> = (&'a Planner<'s>, Option<&'a Ident>);

fn path(planner: &Planner<'_>, module: Option<&Ident>, id: NamedId) -> TokenStream {
    let local = super::items::local(planner, id);
    match module {
        Some(module) => quote!(#module::types::#local),
        None => quote!(super::types::#local),
    }
}

fn root(
    direction: &mut Direction<'_>,
    way: Way,
    (from, source): (&mut Inner<'_>, SchemaId),
    (to, target): (&mut Inner<'_>, SchemaId),
) -> Option<How> {
    let (a, b) = (from.planner.root(source, way), to.planner.root(target, way));
    let how = kind(direction, (&from.planner, &a), (&to.planner, &b))?;
    direction.fits.fits(source, target).then_some(how)
}

fn settle(direction: &mut Direction<'_>, from: Version<'_, '_>, to: Version<'_, '_>) {
    loop {
        let (met, out) = (direction.met.len(), direction.out.len());
        for pair in direction.met.clone() {
            if !direction.out.contains(&pair) && item(direction, pair, from, to).is_none() {
                direction.out.insert(pair);
            }
        }
        if (met, out) == (direction.met.len(), direction.out.len()) {
            return;
        }
    }
}

fn items(direction: &mut Direction<'_>, from: Version<'_, '_>, to: Version<'_, '_>) -> TokenStream {
    let mut all: Vec<(String, TokenStream)> = Vec::new();
    for pair in direction.met.clone() {
        if direction.out.contains(&pair) {
            continue;
        }
        if let Some(item) = item(direction, pair, from, to) {
            let name = from.0.named.get(pair.0.0 as usize).map(|n| n.ident.clone()).unwrap_or_default();
            all.push((name, item));
        }
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all.into_iter().map(|(_, item)| item).collect()
}

/// The `From` of one pair.
fn item(
    direction: &mut Direction<'_>,
    pair: Pair,
    (from, from_module): Version<'_, '_>,
    (to, to_module): Version<'_, '_>,
) -> Option<TokenStream> {
    let (a, b) = (from.named.get(pair.0.0 as usize)?, to.named.get(pair.1.0 as usize)?);
    if !direction.fits.fits(a.schema, b.schema) {
        return None;
    }
    let source = path(from, from_module, pair.0);
    let target = path(to, to_module, pair.1);
    let (value, body) = match (&a.definition, &b.definition) {
        (
            Definition::Struct { fields, additional, .. },
            Definition::Struct { fields: wanted, additional: rest, .. },
        ) => structure(direction, (from, fields, additional.as_ref()), (to, to_module, wanted, rest.as_ref()))?,
        (Definition::Strings(values), Definition::Strings(known)) => {
            let arms = values.iter().map(|(name, text)| {
                let (other, _) = known.iter().find(|(_, known)| known == text)?;
                let (name, other) = (ident(name), ident(other));
                Some(quote!(#source::#name => Self::#other,))
            });
            let arms = arms.collect::<Option<Vec<_>>>()?;
            (quote!(value), quote!(match value { #(#arms)* }))
        }
        (Definition::Union { variants, choice }, Definition::Union { variants: wanted, choice: other }) => {
            let arms = union(direction, &source, (from, variants, choice), (to, wanted, other))?;
            (quote!(value), quote!(match value { #(#arms)* }))
        }
        _ => return None,
    };
    Some(quote! {
        impl ::core::convert::From<#source> for #target {
            fn from(#value: #source) -> Self {
                #body
            }
        }
    })
}

fn structure(
    direction: &mut Direction<'_>,
    (from, fields, additional): (&Planner<'_>, &[Field], Option<&Type>),
    (to, module, wanted, rest): (&Planner<'_>, Option<&Ident>, &[Field], Option<&Type>),
) -> Option<(TokenStream, TokenStream)> {
    let mut used = 0;
    let mut values = Vec::new();
    for field in wanted {
        let name = ident(&field.ident);
        let value = match fields.iter().find(|known| known.name == field.name) {
            Some(known) => {
                used += 1;
                member(direction, (from, known), (to, module, field))?
            }
            None => missing(to, module, field)?,
        };
        values.push(quote!(#name: #value));
    }
    let lossless = direction.fits.bound() == Bound::Request;
    if lossless && used < fields.len() {
        return None;
    }
    let mut takes = used > 0;
    match (additional, rest) {
        (None, None) => {}
        (None, Some(_)) => values.push(quote!(additional: ::std::collections::BTreeMap::new())),
        (Some(_), None) if lossless => return None,
        (Some(_), None) => {}
        (Some(a), Some(b)) => {
            let how = kind(direction, (from, a), (to, b))?.around(How::Values);
            let value = how.apply(quote!(value.additional));
            values.push(quote!(additional: #value));
            takes = true;
        }
    }
    let value = if takes { quote!(value) } else { quote!(_) };
    Some((value, quote!(Self { #(#values),* })))
}

/// A member that both have.
fn member(
    direction: &mut Direction<'_>,
    (from, known): (&Planner<'_>, &Field),
    (to, module, field): (&Planner<'_>, Option<&Ident>, &Field),
) -> Option<TokenStream> {
    let how = kind(direction, (from, &known.kind), (to, &field.kind))?.held(known.held, field.held);
    let how = match (known.wrapper, field.wrapper) {
        (None, None) => how,
        (Some(a), Some(b)) if a == b => how.around(How::Each),
        (None, Some(b)) => {
            let call = wrapper(b);
            How::Within(quote!(#call::new), Box::new(how))
        }
        // What was protected would not be.
        _ => return None,
    };
    let given = |presence: Presence| matches!(presence, Presence::Required | Presence::Default);
    let name = ident(&known.ident);
    let value = quote!(value.#name);
    Some(match (known.presence, field.presence) {
        (a, b) if given(a) && given(b) => how.apply(value),
        (a, Presence::Optional) if given(a) => {
            How::Within(quote!(::core::option::Option::Some), how.into()).apply(value)
        }
        (a, Presence::Patch) if given(a) => {
            How::Within(quote!(::gatewright::json::Patch::Value), how.into()).apply(value)
        }
        (Presence::Optional, Presence::Optional) | (Presence::Patch, Presence::Patch) => {
            how.around(How::Each).apply(value)
        }
        (Presence::Optional, Presence::Patch) => {
            let option = how.around(How::Each).apply(value);
            quote!(::gatewright::json::Patch::from(#option))
        }
        (Presence::Optional, Presence::Default) => {
            let default = default(to, module, field)?;
            let inner = how.apply(quote!(value));
            quote!(match #value {
                ::core::option::Option::Some(value) => #inner,
                ::core::option::Option::None => #default,
            })
        }
        _ => return None,
    })
}

fn wrapper(wrapper: Wrapper) -> TokenStream {
    match wrapper {
        Wrapper::Pii => quote!(::gatewright::json::Pii),
        Wrapper::Secret => quote!(::gatewright::json::Secret),
    }
}

/// A member that only the newer version has.
fn missing(to: &Planner<'_>, module: Option<&Ident>, field: &Field) -> Option<TokenStream> {
    match field.presence {
        Presence::Required => None,
        Presence::Optional => Some(quote!(::core::option::Option::None)),
        Presence::Patch => Some(quote!(::gatewright::json::Patch::Absent)),
        Presence::Default => default(to, module, field),
    }
}

/// What a member is that did not come.
fn default(to: &Planner<'_>, module: Option<&Ident>, field: &Field) -> Option<TokenStream> {
    let json = literal::default_of(to.schemas, field.schema)?;
    let value = literal::expression(to, &field.kind, json, &|id| path(to, module, id))?;
    let value = How::Reboxed(Held::Here, field.held, Box::new(How::Same)).apply(value);
    Some(match field.wrapper.map(wrapper) {
        Some(call) => quote!(#call::new(#value)),
        None => value,
    })
}

fn union(
    direction: &mut Direction<'_>,
    source: &TokenStream,
    (from, variants, choice): (&Planner<'_>, &[Variant], &Choice),
    (to, wanted, other): (&Planner<'_>, &[Variant], &Choice),
) -> Option<Vec<TokenStream>> {
    let arms = variants.iter().enumerate().map(|(place, variant)| {
        let target = match (choice, other) {
            (
                Choice::Property { name, values, default },
                Choice::Property { name: same, values: known, default: rest },
            ) if name == same => {
                let mut words = values.iter().filter(|(_, of)| *of == place).map(|(word, _)| word).peekable();
                match words.peek() {
                    Some(_) => {
                        let of = |word: &String| known.iter().find(|(w, _)| w == word).map(|(_, place)| *place);
                        let mut places = words.map(of);
                        let first = places.next()??;
                        places.all(|place| place == Some(first)).then_some(first)?
                    }
                    None if *default == Some(place) => (*rest)?,
                    None => return None,
                }
            }
            // Told apart by what they are: the same forms in the same order.
            (Choice::Kind { .. }, Choice::Kind { .. }) if variants.len() == wanted.len() => place,
            _ => return None,
        };
        let target = wanted.get(target)?;
        let how = kind(direction, (from, &variant.kind), (to, &target.kind))?.held(variant.held, target.held);
        let (name, other, value) = (ident(&variant.ident), ident(&target.ident), how.apply(quote!(value)));
        Some(quote!(#source::#name(value) => Self::#other(#value),))
    });
    arms.collect()
}

/// How a type becomes another; a pair of named ones is noted.
fn kind(
    direction: &mut Direction<'_>,
    (from, a): (&Planner<'_>, &Type),
    (to, b): (&Planner<'_>, &Type),
) -> Option<How> {
    let (a, b) = (resolved(from, a)?, resolved(to, b)?);
    Some(match (a, b) {
        (Type::I32, Type::I64) => How::Wide(quote!(i64)),
        (Type::U32, Type::U64) => How::Wide(quote!(u64)),
        (Type::U32, Type::I64) => How::Wide(quote!(i64)),
        (Type::I32 | Type::I64 | Type::U32 | Type::U64, Type::I128) => How::Wide(quote!(i128)),
        (Type::Vec(a), Type::Vec(b)) => kind(direction, (from, a), (to, b))?.around(How::Items),
        (Type::Map(a), Type::Map(b)) => kind(direction, (from, a), (to, b))?.around(How::Values),
        (Type::Option(a), Type::Option(b)) => kind(direction, (from, a), (to, b))?.around(How::Each),
        (Type::Option(_), _) => return None,
        (_, Type::Option(b)) => {
            let how = kind(direction, (from, a), (to, b))?;
            How::Within(quote!(::core::option::Option::Some), Box::new(how))
        }
        (Type::Named(a), Type::Named(b)) => {
            direction.met.insert((*a, *b));
            if direction.out.contains(&(*a, *b)) {
                return None;
            }
            How::Into
        }
        (a, b) => (a == b).then_some(How::Same)?,
    })
}

/// The type that an alias stands for.
fn resolved<'t>(planner: &'t Planner<'_>, mut kind: &'t Type) -> Option<&'t Type> {
    for _ in 0..100 {
        let Type::Named(id) = kind else { return Some(kind) };
        match &planner.named.get(id.0 as usize)?.definition {
            Definition::Alias(target) => kind = target,
            _ => return Some(kind),
        }
    }
    None
}

fn ident(text: &str) -> Ident {
    Ident::new(text, Span::call_site())
}
