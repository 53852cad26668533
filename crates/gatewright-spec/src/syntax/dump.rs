//! A tree as text, one value a line with its place: what `dump --stage parse` prints.

use std::fmt;

use super::node::{Node, NodeKind};
use super::tree::Tree;

/// Texts longer than this are cut.
const MAX_TEXT: usize = 100;

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut places = Places { text: &self.text, at: 0, line: 1, start: 0 };
        write(f, &mut places, self.root(), 0)
    }
}

/// Lines and columns of offsets that come in ascending order, as nodes do.
struct Places<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    start: usize,
}

impl Places<'_> {
    fn of(&mut self, offset: u32) -> (usize, usize) {
        let offset = offset as usize;
        let between = self.text.get(self.at..offset).unwrap_or("");
        if let Some(last) = between.rfind('\n') {
            self.line += between.matches('\n').count();
            self.start = self.at + last + 1;
        }
        self.at = self.at.max(offset);
        let column = self.text.get(self.start..offset).map_or(0, |t| t.chars().count());
        (self.line, column + 1)
    }
}

fn write(f: &mut fmt::Formatter<'_>, places: &mut Places<'_>, node: Node<'_>, depth: usize) -> fmt::Result {
    let start = node.key_span().map_or(node.span().start, |span| span.start);
    let (line, column) = places.of(start);
    write!(f, "{:>11} {:indent$}", format!("{line}:{column}"), "", indent = depth * 2)?;
    if let Some(key) = node.key() {
        write!(f, "{}: ", cut(key.text))?;
    } else if depth > 0 {
        f.write_str("- ")?;
    }
    if node.is_alias() {
        return writeln!(f, "alias of {}", target(node));
    }
    match node.kind() {
        NodeKind::Map => writeln!(f, "{{{}}}", node.len())?,
        NodeKind::Seq => writeln!(f, "[{}]", node.len())?,
        NodeKind::Scalar if node.is_plain() => writeln!(f, "{}", cut(node.text().unwrap_or("")))?,
        NodeKind::Scalar => writeln!(f, "{:?}", cut(node.text().unwrap_or("")))?,
    }
    for (_, value) in node.entries() {
        write(f, places, value, depth + 1)?;
    }
    for item in node.items() {
        write(f, places, item, depth + 1)?;
    }
    Ok(())
}

fn target(node: Node<'_>) -> String {
    node.tree().node(node.identity().node).pointer()
}

/// On one line, and not too long.
fn cut(text: &str) -> String {
    let mut out: String = text.chars().take(MAX_TEXT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}
