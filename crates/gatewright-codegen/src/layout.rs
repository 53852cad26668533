//! The last hand on formatted text: what fits on a line stands on one line, and an empty line stands between items. Only
//! white space moves, and commas in front of a closing bracket go.

use crate::verbatim;

/// As wide as a line may be.
const WIDTH: usize = 120;

/// Lines may be as wide as `narrower` leaves them.
pub(crate) fn lay_out(text: &str, narrower: usize) -> String {
    let mut page = Page { width: WIDTH - narrower, ..Page::default() };
    for line in text.lines() {
        page.add(line);
    }
    page.end_chain();
    spaced(&page.lines)
}

/// Lines that are done, as far as it is known.
#[derive(Default)]
struct Page {
    width: usize,
    lines: Vec<String>,
    /// Where a bracket was opened at the end of a line.
    open: Vec<usize>,
}

impl Page {
    fn add(&mut self, line: &str) {
        let trimmed = line.trim_start();
        if !trimmed.starts_with('.') {
            self.end_chain();
        }
        if trimmed.starts_with([')', ']', '}', '>']) {
            let line = match self.open.pop() {
                Some(at) => match self.joined(at, line) {
                    Some(joined) => {
                        self.lines.truncate(at);
                        joined
                    }
                    None => self.hugged(at, line).unwrap_or_else(|| line.to_owned()),
                },
                None => line.to_owned(),
            };
            self.push(line);
        } else {
            self.push(line.to_owned());
        }
    }

    fn push(&mut self, line: String) {
        if opens(&line) {
            self.open.push(self.lines.len());
        }
        self.lines.push(line);
    }

    /// The group from the line at `at` to this closing line, as one line.
    fn joined(&self, at: usize, closing: &str) -> Option<String> {
        let opening = self.lines.get(at)?;
        let inside = self.lines.get(at + 1..)?;
        let depth = indent(opening);
        // What rustc is told to say is no reading for people, and a mark becomes lines of its own.
        let rustcs = ["#[diagnostic", verbatim::MARK].iter().any(|s| opening.trim_start().starts_with(s));
        let width = if rustcs { usize::MAX / 2 } else { self.width };
        // What begins a chain of calls is indented once more.
        let shift = if indent(closing) == depth + 4 { 4 } else { 0 };
        let flat = |line: &String| {
            indent(line) == depth + shift + 4
                && !line.trim_start().starts_with("//")
                && !line.trim_start().starts_with('#')
        };
        let long = opening.len() + closing.trim().len() + inside.iter().map(|l| l.trim().len() + 1).sum::<usize>();
        if inside.is_empty()
            || indent(closing) != depth + shift
            || long > width + 4 * inside.len()
            || !inside.iter().all(flat)
        {
            return None;
        }
        let texts: Vec<&str> = inside.iter().map(|line| line.trim()).collect();
        let mut text = texts.join(" ");
        let bracket = opening.chars().last()?;
        let start = opening.trim_start();
        let closing = closing.trim_start();
        if bracket == '{' {
            if let Some(arm) = opening.strip_suffix(" => {") {
                // The arm of a `match` whose block is one value.
                let value = texts.len() == 1 && !text.ends_with([';', ',']) && closing == "}";
                let joined = format!("{arm} => {text},");
                // The same in every layout of files, whatever the arm stands in.
                return (value && joined.trim_start().len() <= 95).then_some(joined);
            }
            let block = ["pub enum", "enum", "match", "impl", "trait", "pub trait", "mod", "pub mod"]
                .iter()
                .any(|word| start.starts_with(word))
                || start.contains("fn ")
                || start.contains("match ");
            // Fields of a value, a pattern or an import; a block of statements stays as it is.
            if block || !texts.iter().all(|t| t.ends_with(',') || t.starts_with("..")) || text.contains(" => ") {
                return None;
            }
            text = format!(" {} ", text.trim_end_matches(','));
        } else if texts.len() > 1 || !is_tuple(opening) {
            text.truncate(text.trim_end_matches(',').len());
        }
        let joined = format!("{opening}{text}{closing}");
        (joined.len() <= width).then_some(joined)
    }

    /// The last line of a call whose one argument is a bracket of its own: the two open and close together.
    fn hugged(&mut self, at: usize, closing: &str) -> Option<String> {
        let (opening, inside) = self.lines.get(at..)?.split_first()?;
        let [first, middle @ .., last] = inside else { return None };
        let depth = indent(opening);
        let argument = indent(first) == depth + 4
            && indent(last) == depth + 4
            && first.ends_with(['[', '{'])
            && last.trim_start().trim_end_matches(',').chars().all(|c| [']', '}'].contains(&c))
            && middle.iter().all(|line| indent(line) > depth + 4);
        let call = opening.ends_with('(') && !is_tuple(opening) && indent(closing) == depth;
        let width = opening.len() + first.trim_start().len();
        if !argument || !call || middle.is_empty() || width > self.width {
            return None;
        }
        let begin = format!("{opening}{}", first.trim_start());
        let end = format!("{}{}{}", " ".repeat(depth), last.trim().trim_end_matches(','), closing.trim_start());
        let middle: Vec<String> = middle.iter().map(|line| line.get(4..).unwrap_or_default().to_owned()).collect();
        self.lines.truncate(at);
        self.lines.push(begin);
        self.lines.extend(middle);
        Some(end)
    }

    /// A chain of calls that fits stands on the line that it begins on.
    fn end_chain(&mut self) {
        let links = self.lines.iter().rev().take_while(|line| line.trim_start().starts_with('.')).count();
        let Some(first) = self.lines.len().checked_sub(links + 1).filter(|_| links > 0) else { return };
        // A link with a bracket that is still open, or a value that ends in more than one line, stays.
        if self.open.last().is_some_and(|open| *open >= first) {
            return;
        }
        let Some(begin) = self.lines.get(first) else { return };
        let depth = indent(begin);
        let chain = self.lines.get(first + 1..).unwrap_or_default();
        if begin.trim_start().starts_with([')', ']', '}', '>']) || chain.iter().any(|line| indent(line) != depth + 4) {
            return;
        }
        let joined = chain.iter().fold(begin.clone(), |joined, link| joined + link.trim());
        if joined.len() <= self.width {
            self.lines.truncate(first);
            self.lines.push(joined);
            return;
        }
        // What a constant is may stand on the line below its name.
        let Some((name, value)) = joined.split_once(" = ").filter(|_| begin.trim_start().starts_with("pub static"))
        else {
            return;
        };
        if depth + 4 + value.len() <= self.width {
            let (name, value) = (format!("{name} ="), format!("{}{value}", " ".repeat(depth + 4)));
            self.lines.truncate(first);
            self.lines.extend([name, value]);
        }
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether a bracket is opened at the end of a line.
fn opens(line: &str) -> bool {
    !line.trim_start().starts_with("//") && line.ends_with(['(', '[', '{', '<'])
}

/// Whether the bracket at the end is that of a tuple, whose comma may be what makes it one.
fn is_tuple(opening: &str) -> bool {
    let before = opening.trim_end_matches('(');
    opening.ends_with('(') && !before.ends_with(|c: char| c.is_alphanumeric() || ['_', '>', '!'].contains(&c))
}

/// An empty line between items: the formatter puts none. One-line items of a kind stand together.
fn spaced(lines: &[String]) -> String {
    let written = lines.iter().flat_map(|line| verbatim::written(line).unwrap_or_else(|| vec![line.clone()]));
    let mut lines = written.peekable();
    let mut out = String::new();
    while let Some(line) = lines.next() {
        out.push_str(&line);
        out.push('\n');
        let Some(next) = lines.peek() else { break };
        let (here, there) = (line.trim_start(), next.trim_start());
        let whole = |line: &str| line.contains("! {") && line.ends_with('}');
        let ends = here == "}"
            || here == "};"
            || here == "} }"
            || (whole(here) && !whole(there))
            || (here.ends_with(';')
                && ["pub static", "pub struct", "pub type", "pub use", "use "].iter().any(|s| here.starts_with(s)));
        let calls = ["object! {", "strings! {", "choice! {", "operation! {", "::gatewright::mounts! {"];
        let starts = ["pub ", "impl", "///", "#["].iter().chain(&calls).any(|s| there.starts_with(s));
        if ends && starts && indent(&line) == indent(next) && !(here.starts_with("pub type") && whole(there)) {
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::lay_out;

    #[test]
    fn what_fits_stands_on_one_line() {
        for (long, short) in [
            ("f(\n    a,\n    b,\n);\n", "f(a, b);\n"),
            ("let x = y(\n    &[\n        1,\n        2,\n    ],\n)?;\n", "let x = y(&[1, 2])?;\n"),
            ("S {\n    a: 1,\n    b: 2,\n}\n", "S { a: 1, b: 2 }\n"),
            ("x\n    .a(\n        1,\n    )\n    .b();\n", "x.a(1).b();\n"),
            ("match x {\n    A => {\n        f()\n    }\n}\n", "match x {\n    A => f(),\n}\n"),
            ("let x: (\n    u8,\n) = y;\n", "let x: (u8,) = y;\n"),
            ("f(\n    &[\n        // x\n        1,\n    ],\n)\n", "f(&[\n    // x\n    1,\n])\n"),
            ("A::b(\n        1,\n    )\n    .c(),\n", "A::b(1).c(),\n"),
            ("fn f(\n    a: A,\n) -> B {\n    c();\n}\n", "fn f(a: A) -> B {\n    c();\n}\n"),
        ] {
            assert_eq!(lay_out(long, 0), short);
        }
    }

    #[test]
    fn docs_blocks_and_long_lines_stay() {
        let long = format!("f(\n    {},\n    b,\n);\n", "a".repeat(120));
        for text in ["struct S {\n    /// x\n    a: u8,\n}\n", "if x {\n    y();\n}\n", "enum E {\n    A,\n}\n", &long]
        {
            assert_eq!(lay_out(text, 0), text);
        }
    }
}
