//! Which operations are compiled at all: by tag, by name, and by exception.

use std::collections::HashSet;

use gatewright_diag::{Sink, codes, nearest};

use super::{shown, text};
use crate::resolve::Spec;
use crate::syntax::Node;

/// Which operations of a document are compiled. What is left out is not served, and nothing is said about its mistakes as
/// an operation. Each list that is not empty narrows what the others leave. An operation is named by its `operationId`,
/// or by method and path: `GET /things/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Select {
    /// Only operations with at least one of these tags.
    pub only_tags: Vec<String>,
    /// Only these operations.
    pub only_operations: Vec<String>,
    /// All but these operations.
    pub skip_operations: Vec<String>,
}

/// A selection at work: it remembers which of its names it has met.
pub(super) struct Selector<'o> {
    select: &'o Select,
    met: HashSet<&'o str>,
    /// What could have been meant, where a name is left that nothing has.
    tags: HashSet<String>,
    operations: HashSet<String>,
    taken: usize,
}

impl<'o> Selector<'o> {
    pub(super) fn new(select: &'o Select) -> Self {
        Selector { select, met: HashSet::new(), tags: HashSet::new(), operations: HashSet::new(), taken: 0 }
    }

    fn idle(&self) -> bool {
        *self.select == Select::default()
    }

    /// Whether an operation is compiled.
    pub(super) fn takes(&mut self, spec: &Spec, method: &str, path: &str, node: Node<'_>) -> bool {
        if self.idle() {
            return true;
        }
        let id = text(node, "operationId").unwrap_or_default();
        let route = format!("{method} {path}");
        let tags: Vec<String> = spec
            .get(node, "tags")
            .into_iter()
            .flat_map(Node::items)
            .filter_map(|t| t.text().map(str::to_owned))
            .collect();
        let named = |name: &&'o String| {
            **name == id
                || name.split_once(' ').is_some_and(|(m, p)| m.eq_ignore_ascii_case(method) && p.trim_start() == path)
        };
        let tagged: Vec<&str> = self
            .select
            .only_tags
            .iter()
            .map(String::as_str)
            .filter(|name| tags.iter().any(|tag| tag == name))
            .collect();
        let only: Vec<&str> = self.select.only_operations.iter().filter(named).map(String::as_str).collect();
        let skip: Vec<&str> = self.select.skip_operations.iter().filter(named).map(String::as_str).collect();
        let takes = (self.select.only_tags.is_empty() || !tagged.is_empty())
            && (self.select.only_operations.is_empty() || !only.is_empty())
            && skip.is_empty();
        self.met.extend(tagged.into_iter().chain(only).chain(skip));
        self.tags.extend(tags);
        self.operations.insert(if id.is_empty() { route } else { id });
        self.taken += usize::from(takes);
        takes
    }

    /// Reports names that nothing has: of those to be left out, one that is misspelt would be served.
    pub(super) fn finish(self, sink: &mut Sink) {
        if self.idle() {
            return;
        }
        let rows = [
            ("only-tags", &self.select.only_tags, "has the tag", &self.tags),
            ("only-operations", &self.select.only_operations, "is called", &self.operations),
            ("skip-operations", &self.select.skip_operations, "is called", &self.operations),
        ];
        let mut unknown = false;
        for (key, names, verb, known) in rows {
            let mut known: Vec<&str> = known.iter().map(String::as_str).collect();
            known.sort_unstable();
            for name in names.iter().filter(|name| !self.met.contains(name.as_str())) {
                unknown = true;
                let help = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{}`?", shown(near)),
                    None => format!("remove it from `{key}`, or write it as the document does"),
                };
                let message = format!("no operation {verb} `{}`, which `{key}` names", shown(name));
                sink.error(codes::UNKNOWN_SELECTION, None, message).help(help);
            }
        }
        if self.taken == 0 && !unknown {
            sink.error(
                codes::UNKNOWN_SELECTION,
                None,
                "`only-tags`, `only-operations` and `skip-operations` leave no operation",
            )
            .help("select at least one operation");
        }
    }
}
