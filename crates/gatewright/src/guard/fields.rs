//! Who may see or send which member of a JSON value. A member that a caller may not send is refused by name (403); one
//! that he may not see is not in the answer, as if it were not there.

use std::sync::Arc;

use gatewright_policy::bits;
use gatewright_policy::table::{Field, Fields};

use crate::json::{self, Document, Kind, Limits, NotJson, ToJson, Value, Writer};
use crate::params::ParameterSpec;
use crate::{Identity, Internal};

/// The guarded members of an operation's values.
#[derive(Clone, Copy)]
pub(super) struct Filter<'g> {
    pub(super) graph: &'static [Fields],
    pub(super) root: u16,
    /// What the caller has.
    pub(super) have: &'g [u64],
}

/// A filter of one caller, kept for values that are read or written while a request is under way: items of a sequence, and
/// answers that are no JSON when they are sent.
#[derive(Clone, Debug)]
pub(crate) struct Sieve {
    pub(super) graph: &'static [Fields],
    pub(super) root: u16,
    pub(super) identity: Option<Arc<Identity>>,
}

impl Sieve {
    fn filter(&self) -> Filter<'_> {
        let have = self.identity.as_deref().map_or(&[][..], Identity::grants);
        Filter { graph: self.graph, root: self.root, have }
    }

    /// The pointer of the first member that this caller may not send; `at` is where the value stands.
    pub(crate) fn forbidden(&self, value: Value<'_>, mut at: String) -> Option<String> {
        self.filter().forbidden_in(value, Some(self.root), &mut at)
    }

    /// A value of ours without what this caller may not see; of an event only the data is looked through.
    pub(crate) fn visible(&self, json: Vec<u8>, event: bool) -> Result<Vec<u8>, Internal> {
        let document = Document::parse_owned(json, &Limits::default()).map_err(|e| Internal::new(e.to_string()))?;
        let filter = self.filter();
        if !event {
            return filter.visible(&document).map_err(Internal::new);
        }
        let mut out = Writer::new();
        out.begin_object();
        for member in document.root().members() {
            out.name(member.name);
            filter.write(member.value, (member.name == "data").then_some(self.root), &mut out);
        }
        out.end_object();
        out.finish().map_err(Internal::new)
    }
}

/// A value as JSON, without what a sieve leaves out.
pub(crate) fn json_through<T: ToJson>(sieve: Option<&Sieve>, value: &T) -> Result<Vec<u8>, Internal> {
    let json = json::to_vec(value).map_err(Internal::new)?;
    match sieve {
        Some(sieve) => sieve.visible(json, T::IS_EVENT),
        None => Ok(json),
    }
}

impl Filter<'_> {
    fn node(&self, index: u16) -> Option<&'static Fields> {
        self.graph.get(usize::from(index))
    }

    /// Of each set one bit is needed.
    fn may(&self, field: &Field) -> bool {
        field.need.iter().all(|any| bits::meets(self.have, any))
    }

    /// The pointer of the first member that this caller may not send (RFC 6901).
    pub(super) fn forbidden(&self, document: &Document) -> Option<String> {
        self.forbidden_in(document.root(), Some(self.root), &mut String::new())
    }

    /// What of a parameter this caller may not send: a pointer into its value, which is empty for all of it.
    pub(super) fn forbidden_parameter(&self, spec: &ParameterSpec, value: Value<'_>) -> Option<String> {
        let place = spec.place.as_str();
        let named =
            |field: &&Field| field.name.split_once('.').is_some_and(|(at, name)| at == place && name == spec.name);
        let field = self.node(self.root)?.members.iter().find(named)?;
        if !self.may(field) {
            return Some(String::new());
        }
        self.forbidden_in(value, field.within, &mut String::new())
    }

    fn forbidden_in(&self, value: Value<'_>, node: Option<u16>, at: &mut String) -> Option<String> {
        let node = node.and_then(|index| self.node(index))?;
        let length = at.len();
        match value.kind() {
            Kind::Object => {
                for member in value.members() {
                    at.push('/');
                    at.push_str(&member.name.replace('~', "~0").replace('/', "~1"));
                    let field = node.members.iter().find(|field| field.name == member.name);
                    if field.is_some_and(|field| !self.may(field)) {
                        return Some(at.clone());
                    }
                    let within = field.map_or(node.others, |field| field.within);
                    if let Some(found) = self.forbidden_in(member.value, within, at) {
                        return Some(found);
                    }
                    at.truncate(length);
                }
            }
            Kind::Array => {
                for (place, item) in value.items().enumerate() {
                    at.push_str(&format!("/{place}"));
                    if let Some(found) = self.forbidden_in(item, node.items, at) {
                        return Some(found);
                    }
                    at.truncate(length);
                }
            }
            _ => {}
        }
        None
    }

    /// The value without what this caller may not see.
    pub(super) fn visible(&self, document: &Document) -> Result<Vec<u8>, NotJson> {
        let mut out = Writer::new();
        self.write(document.root(), Some(self.root), &mut out);
        out.finish()
    }

    fn write(&self, value: Value<'_>, node: Option<u16>, out: &mut Writer) {
        let node = node.and_then(|index| self.node(index));
        match value.kind() {
            Kind::Object => {
                out.begin_object();
                for member in value.members() {
                    let field = node.and_then(|n| n.members.iter().find(|field| field.name == member.name));
                    if field.is_some_and(|field| !self.may(field)) {
                        continue;
                    }
                    out.name(member.name);
                    let within = field.map_or(node.and_then(|n| n.others), |field| field.within);
                    self.write(member.value, within, out);
                }
                out.end_object();
            }
            Kind::Array => {
                out.begin_array();
                for item in value.items() {
                    self.write(item, node.and_then(|n| n.items), out);
                }
                out.end_array();
            }
            _ => value.write(out),
        }
    }
}
