//! Calls of the runtime's macros, as text: the formatter leaves what stands in a macro as it is, so its pieces are formatted
//! one by one. A call travels as a mark that holds its lines, and is written out when all else is formatted.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;

use crate::fill::chain;
use crate::layout::lay_out;

/// How a mark begins.
pub(crate) const MARK: &str = "__lines!(";

/// How much narrower a piece is than a line: what it stands in is indented.
const INDENT: usize = 16;

/// Lines of a macro call.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    lines: Vec<String>,
}

impl Lines {
    pub(crate) fn push(&mut self, depth: usize, line: impl AsRef<str>) {
        let line = line.as_ref();
        let indent = if line.is_empty() { 0 } else { depth * 4 };
        self.lines.push(format!("{}{line}", " ".repeat(indent)));
    }

    /// A line whose lists fill lines where it is too long.
    pub(crate) fn filled(&mut self, depth: usize, line: &str, width: usize) {
        chain(line, width.saturating_sub(depth * 4)).iter().for_each(|line| self.push(depth, line));
    }

    /// `name = value` on one line, or on two, or with the lists of the value filling lines.
    pub(crate) fn assigned(&mut self, depth: usize, name: &str, value: &str, width: usize) {
        let room = width.saturating_sub(depth * 4);
        if name.len() + 3 + value.len() > room && value.len() + 4 <= room {
            self.push(depth, format!("{name} ="));
            self.push(depth + 1, value);
        } else {
            self.filled(depth, &format!("{name} = {value}"), width);
        }
    }

    /// `before`, the expression, a comma.
    pub(crate) fn value(&mut self, depth: usize, before: &str, value: TokenStream) {
        let mut text = expression(value);
        if let Some(first) = text.first_mut() {
            first.insert_str(0, before);
        }
        if let Some(last) = text.last_mut() {
            last.push(',');
        }
        text.iter().for_each(|line| self.push(depth, line));
    }

    /// A line of documentation that is harmless.
    pub(crate) fn doc(&mut self, depth: usize, line: &str) {
        self.push(depth, format!("/// {line}").trim_end());
    }

    pub(crate) fn docs(&mut self, depth: usize, text: &str) {
        for line in crate::docs::lines(text) {
            self.doc(depth, &line);
        }
    }

    /// The mark that stands for the lines.
    pub(crate) fn mark(&self) -> TokenStream {
        let text = self.lines.join("\n");
        quote!(__lines!(#text);)
    }
}

/// The same tokens with what each mark stands for in its place.
pub(crate) fn written_out(tokens: TokenStream) -> TokenStream {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut out = TokenStream::new();
    let mut rest = trees.as_slice();
    while let [tree, behind @ ..] = rest {
        rest = behind;
        match (tree, behind) {
            (TokenTree::Ident(word), [_, TokenTree::Group(lines), _, after @ ..]) if word == "__lines" => {
                let text = syn::parse2::<syn::LitStr>(lines.stream()).map(|text| text.value()).unwrap_or_default();
                // Balanced, and its texts are escaped literals; if it did not parse, the build of the output would say so.
                out.extend(
                    text.parse().unwrap_or_else(|_| quote!(::core::compile_error!("a type could not be written");)),
                );
                rest = after;
            }
            (TokenTree::Group(group), _) => {
                out.extend([TokenTree::Group(Group::new(group.delimiter(), written_out(group.stream())))]);
            }
            (tree, _) => out.extend([tree.clone()]),
        }
    }
    out
}

/// An expression, formatted. What does not parse stays as it is: the build of the output tells of it.
fn expression(tokens: TokenStream) -> Vec<String> {
    let Ok(file) = syn::parse2::<syn::File>(quote!(fn f() { #tokens })) else { return vec![tokens.to_string()] };
    let text = lay_out(&prettyplease::unparse(&file), INDENT);
    let inner = text.lines().skip(1);
    let mut lines: Vec<String> = inner.map(|line| line.strip_prefix("    ").unwrap_or(line).to_owned()).collect();
    lines.pop();
    lines
}

/// An expression on one line.
pub(crate) fn one_line(tokens: TokenStream) -> String {
    let mut out = String::new();
    for line in expression(tokens) {
        let line = line.trim();
        if line.starts_with([')', ']']) {
            out.truncate(out.trim_end_matches(',').len());
        }
        let close = line.starts_with([')', ']', '.']) || out.ends_with(['(', '[']) || out.is_empty();
        out.extend([if close { "" } else { " " }, line]);
    }
    out
}

/// Items, formatted.
pub(crate) fn items(tokens: TokenStream) -> Vec<String> {
    let Ok(file) = syn::parse2::<syn::File>(tokens.clone()) else { return vec![tokens.to_string()] };
    lay_out(&prettyplease::unparse(&file), INDENT).lines().map(str::to_owned).collect()
}

/// A type on one line.
pub(crate) fn kind(tokens: &TokenStream) -> String {
    let Ok(file) = syn::parse2::<syn::File>(quote!(type T = #tokens;)) else { return tokens.to_string() };
    let text = lay_out(&prettyplease::unparse(&file), 0);
    let text = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    text.trim_start_matches("type T = ").trim_end_matches(';').to_owned()
}

/// The lines that a line of formatted text stands for; `None` if it is no mark.
pub(crate) fn written(line: &str) -> Option<Vec<String>> {
    let trimmed = line.trim_start();
    let literal = trimmed.strip_prefix(MARK)?.strip_suffix(");")?;
    let text = syn::parse_str::<syn::LitStr>(literal).ok()?.value();
    let indent = " ".repeat(line.len() - trimmed.len());
    Some(text.lines().map(|l| if l.is_empty() { String::new() } else { format!("{indent}{l}") }).collect())
}
