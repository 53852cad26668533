//! Schemas: each is given its id when first met and read when its turn comes. A queue instead of recursion, so that
//! neither circles nor long chains of references cost stack; two uses of one `$ref` have one id.

use std::collections::{HashMap, VecDeque};

use gatewright_diag::{Code, Sink, codes};
use gatewright_ir::api::Api;
use gatewright_ir::schema::{Pattern, Schema, SchemaId, Schemas};

use super::{discriminators, inclusion, keywords, sense};
use crate::document::Version;
use crate::pattern::{self, PatternError, Translation};
use crate::resolve::Spec;
use crate::syntax::{Node, NodeKey};

/// Gives ids to schemas and reads them.
pub(super) struct SchemaLowerer<'a> {
    pub(super) spec: &'a Spec,
    pub(super) schemas: Schemas,
    ids: HashMap<NodeKey, SchemaId>,
    queue: VecDeque<(Node<'a>, SchemaId)>,
    names: HashMap<SchemaId, String>,
    patterns: HashMap<&'a str, Result<Translation, PatternError>>,
    nothing: Option<SchemaId>,
    anything: Option<SchemaId>,
    /// Whether any file speaks of dynamic anchors: looking for them is not free.
    pub(super) has_anchors: Option<bool>,
}

impl<'a> SchemaLowerer<'a> {
    pub(super) fn new(spec: &'a Spec) -> Self {
        SchemaLowerer {
            spec,
            schemas: Schemas::default(),
            ids: HashMap::new(),
            queue: VecDeque::new(),
            names: HashMap::new(),
            patterns: HashMap::new(),
            nothing: None,
            anything: None,
            has_anchors: None,
        }
    }

    /// The id of a schema. It is read later, by [`run`](Self::run).
    pub(super) fn id(&mut self, node: Node<'a>) -> SchemaId {
        let mut node = node;
        // A bare reference is what it names. Circles of these were cut and reported.
        while let Some(reference) = self.spec.reference(node) {
            if reference.siblings && self.keeps_siblings(node) {
                break;
            }
            match reference.target {
                Some(target) => node = target,
                None => return self.nothing(),
            }
        }
        if let Some(id) = self.ids.get(&node.identity()) {
            return *id;
        }
        let id = self.schemas.reserve();
        self.ids.insert(node.identity(), id);
        self.queue.push_back((node, id));
        id
    }

    /// Whether what stands beside a `$ref` means something: from 3.1 on everything does, in 3.0 only our own words.
    fn keeps_siblings(&self, node: Node<'a>) -> bool {
        self.spec.version() > Version::V3_0 || node.has("x-security") || node.has("x-rust-type")
    }

    /// The schema that admits nothing: stands for what could not be understood.
    pub(super) fn nothing(&mut self) -> SchemaId {
        let schemas = &mut self.schemas;
        *self.nothing.get_or_insert_with(|| schemas.add(Schema { nothing: true, ..Schema::default() }))
    }

    /// The schema that admits everything: stands where the document says nothing.
    pub(super) fn anything(&mut self) -> SchemaId {
        let schemas = &mut self.schemas;
        *self.anything.get_or_insert_with(|| schemas.add(Schema::default()))
    }

    /// Calls a schema by the name of its component.
    pub(super) fn name(&mut self, id: SchemaId, name: &str) {
        self.names.entry(id).or_insert_with(|| name.to_owned());
    }

    /// Reads every schema that was met, and those that they lead to.
    pub(super) fn run(&mut self, sink: &mut Sink) {
        while let Some((node, id)) = self.queue.pop_front() {
            let mut schema = keywords::read(self, node, sink);
            schema.name = self.names.get(&id).cloned().or_else(|| self.spec.name_of(node).map(str::to_owned));
            self.schemas.set(id, schema);
        }
    }

    /// What can be judged only over all schemas together.
    pub(super) fn finish(&mut self, api: &mut Api, sink: &mut Sink) {
        discriminators::complete(&mut self.schemas, &api.components);
        inclusion::check(&self.schemas, sink);
        sense::check(&mut self.schemas, sink);
    }

    pub(super) fn take(&mut self) -> Schemas {
        std::mem::take(&mut self.schemas)
    }

    /// A pattern, checked and translated, with the length that stands for a part of it. One that cannot be had is
    /// reported; the document is refused, so what stands for it matters no more.
    pub(super) fn pattern(
        &mut self,
        text: &'a str,
        span: gatewright_diag::Span,
        may_be_length: bool,
        sink: &mut Sink,
    ) -> Option<(Pattern, Option<pattern::Length>)> {
        let read = self.patterns.entry(text).or_insert_with(|| pattern::translate(text)).clone();
        let quoted = super::shown(text);
        let mut refuse = |code: Code, message: String, help: &str| {
            sink.error(code, span, message).help(help);
        };
        match read {
            Ok(Translation { length: Some(_), .. }) if !may_be_length => {
                refuse(
                    codes::PATTERN_TOO_BIG,
                    format!("the pattern `{quoted}` is too big to be matched"),
                    "repeat less often",
                );
                None
            }
            Ok(Translation { translated, length, foreign }) => {
                if let Some(foreign) = foreign {
                    let message = format!("the pattern `{quoted}` says `{foreign}`, which ECMA 262 does not know");
                    sink.warning(codes::PATTERN_DIALECT, span, message).label("read as Java, Ruby and POSIX do").help(
                        "write `^` for `\\A`, `$` for `\\z`, and the ASCII characters that are meant in brackets",
                    );
                }
                if translated.is_none() {
                    sink.warning(
                        codes::PATTERN_NOT_LINEAR,
                        span,
                        format!("the pattern `{quoted}` looks around or back, which cannot be matched in linear time"),
                    )
                    .label("matched with bounded work: a value that needs more is refused")
                    .help("say the same with several patterns under `allOf`, or with `minLength`");
                }
                Some((Pattern { source: text.to_owned(), translated, span }, length))
            }
            Err(PatternError::TooBig) => {
                refuse(
                    codes::PATTERN_TOO_BIG,
                    format!("the pattern `{quoted}` is too big to be matched"),
                    "repeat less often, or say the length with `maxLength`",
                );
                None
            }
            Err(PatternError::Invalid { at, why }) => {
                let column = text.get(..at).unwrap_or(text).chars().count() + 1;
                refuse(
                    codes::PATTERN_INVALID,
                    format!("the pattern `{quoted}` is no regular expression: {why}"),
                    &format!("mend it at its character {column}; patterns are those of ECMA 262"),
                );
                None
            }
        }
    }
}
