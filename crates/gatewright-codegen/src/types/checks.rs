//! One check function for each schema, with exactly the meaning of its keywords. Functions without a name of their own are
//! called after a hash of what they do, so equal checks are one function, whatever schema asks for them.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt::Write;
use std::rc::Rc;

use gatewright_ir::names::{self, Case};
use gatewright_ir::schema::{SchemaId, Schemas};
use proc_macro2::TokenStream;
use quote::quote;

use super::graph::Graph;
use super::keywords;
use crate::fill::fill;
use crate::verbatim::Lines;

/// How a request's unknown fields are taken, and whether the schema is the whole of its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Mode {
    /// Fields that no schema of the place knows are refused.
    pub(super) refuse: bool,
    /// No other schema looks at the same value from outside: what is unknown here is unknown.
    pub(super) whole: bool,
    /// It is of an answer that we are given: what is `writeOnly` is not there, and what is `readOnly` is.
    pub(super) answer: bool,
}

impl Mode {
    pub(super) const KEEP: Mode = Mode { refuse: false, whole: false, answer: false };
    pub(super) const REFUSE: Mode = Mode { refuse: true, whole: true, answer: false };
    pub(super) const REFUSE_IN_PLACE: Mode = Mode { refuse: true, whole: false, answer: false };
    /// Of answers to webhooks and callbacks: who gives them may say more than the document knows.
    pub(super) const ANSWER: Mode = Mode { answer: true, ..Mode::KEEP };

    /// JSON Schema's own meaning of what only decides, in the same direction.
    pub(super) fn deciding(self) -> Mode {
        Mode { answer: self.answer, ..Mode::KEEP }
    }

    /// Of a member of the composition.
    pub(super) fn in_place(self) -> Mode {
        Mode { whole: false, ..self }
    }

    /// Of items, members and names.
    pub(super) fn below(self) -> Mode {
        Mode { whole: self.refuse, ..self }
    }
}

/// What a check function is made for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) id: SchemaId,
    pub(super) mode: Mode,
    pub(super) scope: Scope,
}

/// What a check takes from the schemas around it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    /// What outer resources bind `$dynamicAnchor`s to.
    pub(super) anchors: Rc<BTreeMap<String, SchemaId>>,
    /// Properties that a neighbour in the composition has `readOnly`, so that none of them is required of a request; for an
    /// answer, `writeOnly`.
    pub(super) hidden: Rc<Vec<String>>,
}

impl Scope {
    pub(super) fn is_empty(&self) -> bool {
        self.anchors.is_empty() && self.hidden.is_empty()
    }
}

/// Which members or items a marking function speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Marking {
    pub(super) objects: bool,
    /// The marks serve the policy on unknown fields, so free-form branches of unions leave the object open.
    pub(super) meant: bool,
    /// Only what stands beside the schema's own `unevaluated…` counts.
    pub(super) beside: bool,
}

/// All check functions that were asked for.
pub(super) struct Checks<'s> {
    pub(super) schemas: &'s Schemas,
    pub(super) graph: Rc<Graph>,
    /// The snake-case name of each schema that has one.
    names: HashMap<SchemaId, String>,
    paths: HashMap<Key, String>,
    marks: HashMap<(Key, Marking), Option<String>>,
    queue: VecDeque<(Key, String)>,
    mark_queue: VecDeque<(Key, Marking, String)>,
    under_way: Vec<Key>,
    marking: Vec<(Key, Marking)>,
    /// Names of nameless schemas that were needed before their bodies were known.
    forced: HashMap<Key, String>,
    /// Every function's text, by name.
    functions: BTreeMap<String, String>,
    patterns: BTreeMap<String, String>,
}

/// Inline schemas nested deeper than this go on in the queue.
const MOST_NESTED: usize = 64;

impl<'s> Checks<'s> {
    pub(super) fn new(schemas: &'s Schemas, graph: Rc<Graph>) -> Self {
        let mut seen: HashSet<String> = HashSet::new();
        let mut texts = Vec::new();
        let mut ids = Vec::new();
        for (id, schema) in schemas.iter() {
            if let Some(name) = &schema.name {
                let mut text = name.clone();
                let mut count = 1;
                while !seen.insert(text.clone()) {
                    count += 1;
                    text = format!("{name} {count}");
                }
                texts.push(text);
                ids.push(id);
            }
        }
        let idents = names::unique(texts.iter().map(String::as_str), Case::Snake, &[]);
        Checks {
            schemas,
            graph,
            names: ids.into_iter().zip(idents).collect(),
            paths: HashMap::new(),
            marks: HashMap::new(),
            queue: VecDeque::new(),
            mark_queue: VecDeque::new(),
            under_way: Vec::new(),
            marking: Vec::new(),
            forced: HashMap::new(),
            functions: BTreeMap::new(),
            patterns: BTreeMap::new(),
        }
    }

    /// The name of the check of a schema, made if need be: a function of the module of checks, or one of the runtime's.
    pub(super) fn path(&mut self, id: SchemaId, mode: Mode) -> String {
        let path = self.name(Key { id, mode, scope: Scope::default() });
        self.run();
        path
    }

    /// The path of a check from outside the module of checks.
    pub(super) fn local_path(&self, name: &str) -> String {
        if name.starts_with("check::") { name.to_owned() } else { format!("checks::{name}") }
    }

    fn run(&mut self) {
        loop {
            if let Some((key, name)) = self.queue.pop_front() {
                self.under_way.push(key.clone());
                let body = keywords::body(self, &key);
                self.under_way.pop();
                self.functions.insert(name.clone(), function(&name, &key, &body, &self.graph));
            } else if let Some((key, marking, name)) = self.mark_queue.pop_front() {
                let body = super::marks::body(self, &key, marking);
                self.functions.insert(name.clone(), mark_function(&name, &body));
            } else {
                return;
            }
        }
    }

    /// The key without what makes no difference to the check.
    fn reduced(&self, mut key: Key) -> Key {
        if !self.graph.closes_below(key.id) {
            key.mode = key.mode.deciding();
        }
        key.mode.answer &= self.graph.differs(key.id);
        if key.mode.whole && !keywords::closes(self.schemas, key.id) {
            key.mode.whole = false;
        }
        if !key.scope.hidden.is_empty() {
            let asked = keywords::required_of(self.schemas, key.id, &key.scope.hidden);
            key.scope.hidden = Rc::new(asked);
        }
        if !key.scope.anchors.is_empty() && !self.graph.dynamic_below(key.id) {
            key.scope.anchors = Rc::default();
        }
        key
    }

    /// The name of a check; its function follows from the queue, or is there when this returns.
    pub(super) fn name(&mut self, key: Key) -> String {
        let schema = self.schemas.get(key.id);
        if keywords::admits_all(schema) {
            return "check::any".to_owned();
        }
        if let Some(known) = keywords::only_types(schema) {
            return format!("check::{known}");
        }
        let key = self.reduced(key);
        if let Some(known) = self.paths.get(&key) {
            return known.clone();
        }
        if let Some(base) = self.names.get(&key.id) {
            let mut name = match (key.mode.refuse, key.mode.whole) {
                (false, _) if self.graph.closes_below(key.id) => format!("open_{base}"),
                (true, false) if keywords::closes(self.schemas, key.id) => format!("part_{base}"),
                _ => format!("check_{base}"),
            };
            // Two underscores: no name of a schema has them.
            if key.mode.answer {
                name.push_str("__answer");
            }
            if !key.scope.is_empty() {
                let _ = write!(name, "__{:08x}", hash(&format!("{:?}", key.scope)));
            }
            self.paths.insert(key.clone(), name.clone());
            self.queue.push_back((key, name.clone()));
            return name;
        }
        if self.under_way.contains(&key) || self.under_way.len() > MOST_NESTED {
            let name = self
                .forced
                .get(&key)
                .cloned()
                .unwrap_or_else(|| format!("check__{:016x}", wide_hash(&format!("{key:?}"))));
            if !self.under_way.contains(&key) && !self.forced.contains_key(&key) {
                self.queue.push_back((key.clone(), name.clone()));
                self.paths.insert(key.clone(), name.clone());
            }
            self.forced.insert(key, name.clone());
            return name;
        }
        self.under_way.push(key.clone());
        let body = keywords::body(self, &key);
        self.under_way.pop();
        let name = match self.forced.get(&key) {
            Some(forced) => forced.clone(),
            None => format!("check_{:016x}", wide_hash(&body)),
        };
        self.functions.entry(name.clone()).or_insert_with(|| function(&name, &key, &body, &self.graph));
        self.paths.insert(key, name.clone());
        name
    }

    /// The name of the function that marks what a schema looks at; `None` if it looks at nothing.
    pub(super) fn mark(&mut self, key: Key, marking: Marking) -> Option<String> {
        let key = Key { mode: key.mode.in_place(), ..key };
        if let Some(known) = self.marks.get(&(key.clone(), marking)) {
            return known.clone();
        }
        if !super::marks::looks(self.schemas, key.id, marking) {
            self.marks.insert((key, marking), None);
            return None;
        }
        let asked = (key, marking);
        let (key, marking) = &asked;
        // A schema that looks at its own value again, or one too deep, cannot be named by what it says.
        if self.marking.contains(&asked) || self.marking.len() > MOST_NESTED {
            let name = format!("mark__{:016x}", wide_hash(&format!("{key:?}{marking:?}")));
            if !self.marking.contains(&asked) {
                self.mark_queue.push_back((key.clone(), *marking, name.clone()));
            }
            self.marks.insert(asked, Some(name.clone()));
            return Some(name);
        }
        self.marking.push(asked.clone());
        let body = super::marks::body(self, key, *marking);
        self.marking.pop();
        let name = match self.marks.get(&asked) {
            Some(Some(forced)) => forced.clone(),
            _ => format!("mark_{:016x}", wide_hash(&body)),
        };
        self.functions.entry(name.clone()).or_insert_with(|| mark_function(&name, &body));
        self.marks.insert(asked, Some(name.clone()));
        Some(name)
    }

    /// The name of a pattern's static.
    pub(super) fn pattern(&mut self, pattern: &gatewright_ir::schema::Pattern) -> String {
        let name = format!("PATTERN_{:016X}", wide_hash(&pattern.source));
        self.patterns.entry(name.clone()).or_insert_with(|| match &pattern.translated {
            Some(text) => format!("new({text:?}, {:?})", pattern.source),
            None => format!("backtracking({:?})", pattern.source),
        });
        name
    }

    /// The module of checks.
    pub(super) fn emit(&self) -> TokenStream {
        let mut lines = Lines::default();
        for (name, said) in &self.patterns {
            lines.push(0, format!("static {name}: Pattern = Pattern::{said};"));
        }
        for (name, nothing) in [("mark_nothing", ""), ("mark_all", ", everything()")] {
            if self.functions.values().any(|text| text.contains(name)) {
                lines.push(0, format!("mark! {{ {name}{nothing} }}"));
            }
        }
        for text in self.functions.values() {
            fill(text, WIDTH).iter().for_each(|line| lines.push(0, line));
        }
        let items = lines.mark();
        quote! {
            #[doc = " What each schema asks of its values."]
            #[allow(non_snake_case)]
            pub(super) mod checks {
                use ::gatewright::generated::*;
                use ::gatewright::json::{Bound, Format, Pattern, check::*};
                #items
            }
        }
    }
}

/// A module in a module stands this much further in, whatever the layout of files.
const WIDTH: usize = 120 - 8;

fn function(name: &str, key: &Key, body: &str, graph: &Graph) -> String {
    let number = if graph.in_place(key.id) { format!("in {} ", key.id.0) } else { String::new() };
    format!("check! {{ {number}{name}{body} }}")
}

fn mark_function(name: &str, body: &str) -> String {
    format!("mark! {{ {name}{body} }}")
}

/// FNV-1a: short, and the same on every machine. Not for security.
pub(super) fn wide_hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

fn hash(text: &str) -> u32 {
    let wide = wide_hash(text);
    (wide >> 32) as u32 ^ wide as u32
}
