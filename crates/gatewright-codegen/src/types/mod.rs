//! Schemas to Rust: types, how they are read and written, and the check of everything that a type cannot say.
//!
//! [`Plan::new`] decides about every schema that an operation uses, so names do not depend on the order of later calls;
//! what is then asked for, and whatever that needs, is [emitted](Plan::emit).

mod applicators;
mod checks;
pub(crate) mod convert;
mod define;
mod docs;
mod far;
mod graph;
mod items;
mod keywords;
mod literal;
mod marks;
mod model;
mod plan;
mod roots;
mod settle;
mod view;

pub(crate) use graph::{below, in_place, reaching};

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use gatewright_ir::CheckedIr;
use gatewright_ir::policy::UnknownFields;
use gatewright_ir::schema::SchemaId;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use checks::{Checks, Mode};
use items::Travels;
use model::{Definition, NamedId, Type};
use plan::Planner;
use roots::Way;

/// Where generated code stands.
#[derive(Clone, Debug)]
pub struct Options {
    /// The path of the module of types as the users of [`Plan`]'s paths see it.
    pub types: String,
}

impl Default for Options {
    /// `super::types`: for modules beside that of types.
    fn default() -> Self {
        Options { types: "super::types".to_owned() }
    }
}

/// Which Rust type each schema is, and which function checks it.
pub struct Plan<'i> {
    ir: &'i CheckedIr,
    prefix: TokenStream,
    inner: RefCell<Inner<'i>>,
    /// The tables of what becomes XML.
    pub(crate) xml: crate::xml::Tables,
}

struct Inner<'i> {
    planner: Planner<'i>,
    checks: Checks<'i>,
    incoming: BTreeSet<NamedId>,
    outgoing: BTreeSet<NamedId>,
}

impl std::fmt::Debug for Plan<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").field("schemas", &self.ir.api.schemas.len()).finish_non_exhaustive()
    }
}

impl<'i> Plan<'i> {
    /// Plans the types of everything that an operation uses.
    pub fn new(ir: &'i CheckedIr, options: &Options) -> Plan<'i> {
        let graph = Rc::new(graph::Graph::new(&ir.api.schemas));
        let inner = Inner {
            planner: Planner::new(ir, graph.clone()),
            checks: Checks::new(&ir.api.schemas, graph),
            incoming: BTreeSet::new(),
            outgoing: BTreeSet::new(),
        };
        // A prefix that is no path makes paths that do not compile: that is for the build of the output to say.
        let prefix = options.types.parse().unwrap_or_default();
        Plan { ir, prefix, inner: RefCell::new(inner), xml: crate::xml::Tables::default() }
    }

    /// The type of a schema in requests. The policy on unknown fields changes the check, never the type.
    pub fn request_type(&self, id: SchemaId, _: UnknownFields) -> TokenStream {
        self.root(id, Way::In)
    }

    /// The type of a schema in responses.
    pub fn response_type(&self, id: SchemaId) -> TokenStream {
        self.root(id, Way::Out)
    }

    /// The type of a schema in answers to what we send: as in any response, but read.
    pub fn answer_type(&self, id: SchemaId) -> TokenStream {
        self.root_of(id, Way::Out, true)
    }

    fn root(&self, id: SchemaId, way: Way) -> TokenStream {
        self.root_of(id, way, way == Way::In)
    }

    fn root_of(&self, id: SchemaId, way: Way, read: bool) -> TokenStream {
        let inner = &mut *self.inner.borrow_mut();
        let kind = inner.planner.root(id, way);
        let roots = if read { &mut inner.incoming } else { &mut inner.outgoing };
        kind.named(&mut |id, _| {
            roots.insert(id);
        });
        self.tokens(&inner.planner, &kind)
    }

    fn tokens(&self, planner: &Planner<'_>, kind: &Type) -> TokenStream {
        items::tokens(kind, &|id| self.path(planner, id))
    }

    fn path(&self, planner: &Planner<'_>, id: NamedId) -> TokenStream {
        let (prefix, local) = (&self.prefix, items::local(planner, id));
        quote!(#prefix::#local)
    }

    /// The path of the function that checks a request's value: a `json::Check`.
    pub fn check(&self, id: SchemaId, mode: UnknownFields) -> TokenStream {
        self.check_in(
            id,
            match mode {
                UnknownFields::Refuse => Mode::REFUSE,
                UnknownFields::Ignore | UnknownFields::Keep => Mode::KEEP,
            },
        )
    }

    /// As [`check`](Self::check), of an answer to what we send; fields that the schema does not know are let pass.
    pub fn answer_check(&self, id: SchemaId) -> TokenStream {
        self.check_in(id, Mode::ANSWER)
    }

    fn check_in(&self, id: SchemaId, mode: Mode) -> TokenStream {
        let inner = &mut *self.inner.borrow_mut();
        let name = inner.checks.path(id, mode);
        if let Some(known) = name.strip_prefix("check::") {
            let known = Ident::new(known, Span::call_site());
            return quote!(::gatewright::json::check::#known);
        }
        let (prefix, name) = (&self.prefix, Ident::new(&name, Span::call_site()));
        quote!(#prefix::checks::#name)
    }

    /// The JSON text of the schema's `default`; `None` if there is none, or none that its [`request_type`](Self::request_type)
    /// can have.
    pub fn default(&self, id: SchemaId) -> Option<String> {
        let inner = &mut *self.inner.borrow_mut();
        let kind = inner.planner.root(id, Way::In);
        let json = literal::default_of(&self.ir.api.schemas, id)?;
        literal::fits(&inner.planner, &kind, json).then(|| json.to_text())
    }

    /// The types that a schema admits, as the bits of the runtime's `json::check`: for values that come as plain text.
    /// All of them where the schema does not say.
    pub fn wanted_types(&self, id: SchemaId) -> u8 {
        keywords::wanted_types(&self.ir.api.schemas, id)
    }

    /// The items of the file of types: what was asked for, and what that needs.
    pub fn emit(&self) -> TokenStream {
        crate::verbatim::written_out(self.lines())
    }

    /// As [`emit`](Self::emit), with marks for what is laid out line by line.
    pub(crate) fn lines(&self) -> TokenStream {
        let inner = &mut *self.inner.borrow_mut();
        let planner = &inner.planner;
        let incoming = planner.reachable(&inner.incoming);
        let outgoing = planner.reachable(&inner.outgoing);
        let mut all: Vec<NamedId> = incoming.union(&outgoing).copied().collect();
        let ident = |id: &NamedId| planner.named.get(id.0 as usize).map(|named| named.ident.as_str());
        all.sort_by(|a, b| ident(a).cmp(&ident(b)));
        let mut out = quote!(
            use ::gatewright::generated::*;
        );
        for id in all {
            let Some(named) = planner.named.get(id.0 as usize) else { continue };
            let travels = Travels { incoming: incoming.contains(&id), outgoing: outgoing.contains(&id) };
            out.extend(items::item(planner, &mut inner.checks, named, travels));
        }
        out.extend(inner.checks.emit());
        out
    }

    /// The strings of a schema that is an enumeration of strings.
    pub fn strings(&self, id: SchemaId) -> Option<Vec<String>> {
        let inner = &mut *self.inner.borrow_mut();
        match inner.planner.root(id, Way::In) {
            Type::Named(named) => match &inner.planner.named.get(named.0 as usize)?.definition {
                Definition::Strings(values) => Some(values.iter().map(|(_, text)| text.clone()).collect()),
                _ => None,
            },
            _ => None,
        }
    }
}
