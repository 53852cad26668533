//! Overlays (OpenAPI Overlay 1.0): changes to a document that somebody else writes, such as the `x-security` that its
//! operations lack. They are applied to the entry document's tree before its shape is looked at, and what they add
//! keeps its place in their own files. References in them are relative to the document.

mod path;
mod select;

use std::collections::HashSet;

use gatewright_diag::{Sink, SourceMap, Span, codes, nearest};

use crate::document::keys::shown;
use crate::source;
use crate::syntax::draft::Draft;
use crate::syntax::{self, Node, Tree};
use select::{Found, Selection, WORK};

/// An overlay as a shell read it. Who compiles names it by hand, so it may lie outside the document's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlayFile {
    /// The name to show people.
    pub name: String,
    /// What the file holds: YAML or JSON.
    pub bytes: Vec<u8>,
}

/// What an overlay may say (Overlay 1.0.0, section 4.4.1), an action (4.4.3), and what is read elsewhere.
const ROOT: &[&str] = &["overlay", "info", "extends", "actions"];
const ACTION: &[&str] = &["target", "description", "update", "remove"];

/// Applies overlays to the entry document's tree, in their order. `None` if the result would be of no use; then the sink
/// holds an error.
pub fn overlay(tree: Tree, overlays: &[OverlayFile], map: &mut SourceMap, sink: &mut Sink) -> Option<Tree> {
    if overlays.is_empty() {
        return Some(tree);
    }
    let start = Span { file: tree.file(), start: 0, end: 0 };
    let read: Vec<Tree> = overlays
        .iter()
        .filter_map(|file| {
            let id = source::enter(file.name.clone(), file.bytes.clone(), map, sink)?;
            syntax::parse(id, map, sink)
        })
        .collect();
    let Ok(draft) = Draft::new(tree) else {
        too_large(start, sink);
        return None;
    };
    let mut work = Work { draft, left: WORK };
    for overlay in &read {
        apply(overlay, &mut work, sink)?;
    }
    // An overlay that is missing may have been the one that guards.
    if read.len() < overlays.len() {
        return None;
    }
    match work.draft.finish() {
        Ok(tree) => Some(tree),
        Err(span) => {
            sink.error(codes::TOO_DEEP, span, "values nest too deep once the overlays are applied")
                .help("select what is to be changed more narrowly");
            None
        }
    }
}

struct Work {
    draft: Draft,
    /// How many more nodes may be looked at.
    left: usize,
}

fn apply(overlay: &Tree, work: &mut Work, sink: &mut Sink) -> Option<()> {
    let root = overlay.root();
    let version = root.get("overlay");
    if !version.and_then(Node::as_str).is_some_and(|text| text == "1.0" || text.starts_with("1.0.")) {
        let place = version.map_or_else(|| root.anchor_span(), Node::span);
        sink.error(codes::OVERLAY_SHAPE, place, "this is no overlay of version 1.0")
            .help("start it with `overlay: 1.0.0`");
        return None;
    }
    fields(root, ROOT, "an overlay", sink);
    let Some(actions) = root.get("actions").filter(|actions| actions.is_seq() && !actions.is_empty()) else {
        let place = root.get("actions").map_or_else(|| root.anchor_span(), Node::anchor_span);
        sink.error(codes::OVERLAY_SHAPE, place, "an overlay has a list of `actions`")
            .help("write `actions: [ { target: $.paths.*.get, update: { … } } ]`");
        return None;
    };
    for action in actions.items() {
        one(overlay, action, work, sink)?;
    }
    Some(())
}

/// Unknown fields, which may be misspelt ones.
fn fields(node: Node<'_>, known: &[&'static str], what: &str, sink: &mut Sink) {
    for (key, _) in node.entries().filter(|(key, _)| !known.contains(&key.text) && !key.starts_with("x-")) {
        let help = match nearest(&key, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "remove it, or give it a name that starts with `x-`".to_owned(),
        };
        sink.error(codes::OVERLAY_SHAPE, key.span, format!("unknown field `{}` in {what}", shown(&key))).help(help);
    }
}

/// One action. `None` if going on is of no use.
fn one(overlay: &Tree, action: Node<'_>, work: &mut Work, sink: &mut Sink) -> Option<()> {
    fields(action, ACTION, "an action", sink);
    let Some((target, text)) = action.get("target").and_then(|node| Some((node, node.as_str()?))) else {
        sink.error(codes::OVERLAY_SHAPE, action.anchor_span(), "an action has a `target`")
            .help("say what it changes: `target: $.paths['/things'].get`");
        return Some(());
    };
    let path = match path::parse(text) {
        Ok(path) => path,
        Err(wrong) => {
            let from = text.get(wrong.1..).filter(|rest| !rest.is_empty()).map(shown);
            let place = from.map_or("at its end".to_owned(), |rest| format!("at `{rest}`"));
            sink.error(codes::OVERLAY_TARGET, target.span(), format!("this JSONPath is not understood {place}"))
                .label(wrong.0)
                .help("write names and numbers, as in `$.paths['/things'].*`, and filters such as `[?@.name == 'x']`");
            return Some(());
        }
    };
    let remove = action.get("remove");
    if let Some(node) = remove.filter(|node| node.as_bool().is_none()) {
        sink.error(codes::OVERLAY_SHAPE, node.anchor_span(), "`remove` is true or false").help("write `remove: true`");
        return Some(());
    }
    let remove = remove.and_then(Node::as_bool) == Some(true);
    let Ok(found) = Selection { draft: &work.draft, work: &mut work.left }.select(&path) else {
        too_large(target.span(), sink);
        return None;
    };
    if found.is_empty() {
        sink.warning(codes::OVERLAY_NO_MATCH, target.span(), format!("`{}` selects nothing", shown(text)))
            .label("this action changes nothing")
            .help("compare the path with the document; a key with other characters is written `['…']`");
        return Some(());
    }
    match action.get("update") {
        _ if remove => take_out(target, &found, &mut work.draft, sink),
        Some(update) => return change(overlay, target, update, &found, &mut work.draft, sink),
        None => {
            sink.warning(codes::OVERLAY_SHAPE, action.anchor_span(), "an action without `update` and `remove`")
                .label("it changes nothing")
                .help("write `update`, or `remove: true`");
        }
    }
    Some(())
}

fn take_out(target: Node<'_>, found: &[Found], draft: &mut Draft, sink: &mut Sink) {
    if found.iter().any(|one| one.holder.is_none()) {
        sink.error(codes::OVERLAY_CONFLICT, target.span(), "the document itself cannot be removed")
            .help("select a part of it");
        return;
    }
    let holders: HashSet<_> = found.iter().filter_map(|one| one.holder).collect();
    draft.remove(&holders, &found.iter().map(|one| one.node).collect());
}

/// Merges into objects, appends to lists (section 4.4.3).
fn change(
    overlay: &Tree,
    target: Node<'_>,
    update: Node<'_>,
    found: &[Found],
    draft: &mut Draft,
    sink: &mut Sink,
) -> Option<()> {
    for one in found {
        let fits = draft.is_seq(one.node) || (draft.is_map(one.node) && update.is_map());
        if !fits {
            let (what, help) = match draft.is_map(one.node) {
                true => ("the selected object takes an object", "write the keys that are to be merged into it"),
                false => ("what is selected is neither an object nor a list", "select the object that holds it"),
            };
            let place = if draft.is_map(one.node) { update.anchor_span() } else { target.span() };
            let selected = draft.span(one.node);
            sink.error(codes::OVERLAY_CONFLICT, place, what).related(selected, "it is selected here").help(help);
            return Some(());
        }
        let Ok(copy) = draft.import(overlay, update.identity().node) else {
            too_large(target.span(), sink);
            return None;
        };
        if draft.is_seq(one.node) {
            draft.append(one.node, copy);
        } else if let Err(misfit) = draft.merge(one.node, copy) {
            sink.error(
                codes::OVERLAY_CONFLICT,
                draft.span(misfit),
                "this is of another type than what it is merged into",
            )
            .related(draft.span(one.node), "the object that is changed")
            .help("remove the old value by an action of its own before");
            return Some(());
        }
    }
    Some(())
}

fn too_large(span: Span, sink: &mut Sink) {
    sink.error(codes::TOO_LARGE, span, "the overlays make too much of this document")
        .help("select what is to be changed more narrowly");
}
