//! What is wrong with a request, all of it at once: where, against which rule, in plain words. What was sent is never
//! repeated.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use super::decode::{FromJson, Mismatch};
use super::document::Value;

/// At most this many are kept; behind them only [`Violations::has_more`] says that there were others.
pub const MAX_VIOLATIONS: usize = 100;
/// Pointers are cut at about this many bytes.
pub(super) const MAX_POINTER: usize = 512;

/// A check of one schema, as the generator writes them.
pub type Check = for<'d> fn(Value<'d>, &mut Violations);

/// The part of a request that is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// The body.
    #[default]
    Body,
    /// The path parameter of this name.
    Path(Cow<'static, str>),
    /// The query parameter of this name.
    Query(Cow<'static, str>),
    /// The query string as a whole.
    QueryString,
    /// The header of this name.
    Header(Cow<'static, str>),
    /// The cookie of this name.
    Cookie(Cow<'static, str>),
}

impl Scope {
    /// OpenAPI's word for the part.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Scope::Body => "body",
            Scope::Path(_) => "path",
            Scope::Query(_) => "query",
            Scope::QueryString => "querystring",
            Scope::Header(_) => "header",
            Scope::Cookie(_) => "cookie",
        }
    }

    /// The parameter's name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Scope::Body | Scope::QueryString => None,
            Scope::Path(name) | Scope::Query(name) | Scope::Header(name) | Scope::Cookie(name) => Some(name),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// In which part of the request.
    pub scope: Scope,
    /// The JSON pointer of the value in that part; empty for the part itself.
    pub pointer: String,
    /// JSON Schema's keyword, or `readOnly`, `complexity`.
    pub rule: &'static str,
    /// In plain words, with the limit; never what was sent.
    pub detail: String,
}

/// The collected violations of a request, and the budget of work that checking it may take.
#[derive(Debug)]
pub struct Violations {
    list: Vec<Violation>,
    more: bool,
    scope: Scope,
    root: u32,
    /// Above 0 while only the verdict counts.
    quiet: u32,
    failed: bool,
    exhausted: bool,
    steps: u64,
    /// Few schemas need it.
    recursion: Option<Box<Recursion>>,
}

/// What keeps checks of schemas that contain themselves within bounds.
#[derive(Debug, Default)]
struct Recursion {
    /// Verdicts of branches of recursive unions, by check and node.
    verdicts: HashMap<(usize, u32), bool, foldhash::fast::RandomState>,
    /// Checks of schemas that contain themselves in place, under way.
    under_way: Vec<(u32, u32)>,
}

impl Default for Violations {
    fn default() -> Self {
        Violations::new()
    }
}

/// A check may take this many steps in any case, and this many for every node.
const STEPS: u64 = 100_000;
const STEPS_PER_NODE: u64 = 1_000;
const MOST_STEPS: u64 = 20_000_000;

impl Violations {
    /// None yet, looking at the body.
    #[must_use]
    pub fn new() -> Self {
        Violations {
            list: Vec::new(),
            more: false,
            scope: Scope::Body,
            root: 0,
            quiet: 0,
            failed: false,
            exhausted: false,
            steps: MOST_STEPS,
            recursion: None,
        }
    }

    /// From now on `scope` is looked at, and pointers start at `root`. The work that its checks may take is set by the
    /// size of its document; verdicts of another document are forgotten.
    pub fn scope(&mut self, scope: Scope, root: Value<'_>) {
        self.scope = scope;
        self.root = root.index;
        self.steps = (STEPS + STEPS_PER_NODE * root.document.len() as u64).min(MOST_STEPS);
        self.recursion = None;
    }

    /// As [`scope`](Self::scope), for a part that has no value: it is missing or unreadable.
    pub fn scope_of_absent(&mut self, scope: Scope) {
        self.scope = scope;
        self.root = 0;
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && !self.exhausted
    }

    /// What is wrong, in the order of finding.
    #[must_use]
    pub fn list(&self) -> &[Violation] {
        &self.list
    }

    /// Whether there were more than are kept.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.more
    }

    /// Something is wrong with the scope itself.
    pub fn add(&mut self, rule: &'static str, detail: impl fmt::Display) {
        if self.quiet > 0 {
            self.failed = true;
        } else {
            self.push(String::new(), rule, detail.to_string());
        }
    }

    /// Something is wrong with `value`.
    #[cold]
    pub fn at(&mut self, value: Value<'_>, rule: &'static str, detail: fmt::Arguments<'_>) {
        if self.quiet > 0 {
            self.failed = true;
        } else if self.has_room() {
            let pointer = self.pointer_of(value);
            self.push(pointer, rule, detail.to_string());
        }
    }

    /// Something is wrong with the member `name` of `object`, which it may not have.
    #[cold]
    pub fn at_member(&mut self, object: Value<'_>, name: &str, rule: &'static str, detail: fmt::Arguments<'_>) {
        if self.quiet > 0 {
            self.failed = true;
        } else if self.has_room() {
            let mut pointer = self.pointer_of(object);
            super::document::push_segment(&mut pointer, name, MAX_POINTER);
            self.push(pointer, rule, detail.to_string());
        }
    }

    /// The typed value, or what is wrong with it as a violation. Call it on what was checked.
    pub fn decode<T: FromJson>(&mut self, value: Value<'_>) -> Option<T> {
        match T::decode(value) {
            Ok(decoded) => Some(decoded),
            Err(mismatch) => {
                self.mismatch(value, mismatch);
                None
            }
        }
    }

    /// A mismatch somewhere in the document of `value`, as a violation.
    pub fn mismatch(&mut self, value: Value<'_>, mismatch: Mismatch) {
        let Mismatch { index, rule, detail } = mismatch;
        self.at(Value { document: value.document, index }, rule, format_args!("{detail}"));
    }

    fn pointer_of(&self, value: Value<'_>) -> String {
        let root = Value { document: value.document, index: self.root };
        value.path(root, MAX_POINTER).unwrap_or_default()
    }

    fn has_room(&mut self) -> bool {
        let room = self.list.len() < MAX_VIOLATIONS;
        self.more |= !room;
        room
    }

    fn push(&mut self, pointer: String, rule: &'static str, detail: String) {
        if self.has_room() {
            self.list.push(Violation { scope: self.scope.clone(), pointer, rule, detail });
        }
    }

    /// Whether `check` finds nothing wrong with `value`; nothing is reported.
    pub fn probe(&mut self, check: Check, value: Value<'_>) -> bool {
        let before = std::mem::replace(&mut self.failed, false);
        self.quiet += 1;
        check(value, self);
        self.quiet -= 1;
        !std::mem::replace(&mut self.failed, before)
    }

    /// As [`probe`](Self::probe), remembering the verdict: for branches of recursive unions, whose repeated checking
    /// would double with each level.
    pub fn probe_once(&mut self, check: Check, value: Value<'_>) -> bool {
        let key = (check as usize, value.index);
        if let Some(verdict) = self.recursion.as_ref().and_then(|known| known.verdicts.get(&key)) {
            return *verdict;
        }
        let verdict = self.probe(check, value);
        self.recursion.get_or_insert_default().verdicts.insert(key, verdict);
        verdict
    }

    /// Begins the check of a schema that contains itself in place (`allOf` back to itself). `false`: that very check of
    /// this value is under way, and adds nothing to itself.
    pub fn enter(&mut self, schema: u32, value: Value<'_>) -> bool {
        let under_way = &mut self.recursion.get_or_insert_default().under_way;
        if under_way.contains(&(schema, value.index)) {
            return false;
        }
        under_way.push((schema, value.index));
        true
    }

    /// Ends what [`enter`](Self::enter) began.
    pub fn leave(&mut self) {
        if let Some(recursion) = &mut self.recursion {
            recursion.under_way.pop();
        }
    }

    /// Whether the verdict is known already and further looking only costs.
    #[inline]
    pub(super) fn settled(&self) -> bool {
        self.exhausted || (self.quiet > 0 && self.failed) || self.more
    }

    /// Takes `count` steps from the budget. `false` when it is used up: the request is then refused, whatever it holds.
    #[inline]
    pub(super) fn step(&mut self, count: usize) -> bool {
        if let Some(left) = self.steps.checked_sub(count as u64) {
            self.steps = left;
            return true;
        }
        self.give_up("takes too much work to check");
        false
    }

    /// The request is refused, because whether it is valid cannot be known: also where only a verdict was asked for, and
    /// whatever is made of that verdict.
    #[cold]
    pub(super) fn give_up(&mut self, why: &'static str) {
        if !self.exhausted {
            self.exhausted = true;
            self.push(String::new(), "complexity", why.to_owned());
        }
        self.failed = true;
    }
}
