//! Parameters: the path item's and the operation's own together, each with how its value is written.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use gatewright_diag::{Span, codes};
use gatewright_ir::api::{Location, Parameter, ParameterEncoding, PathTemplate, Style};

use super::{Lower, is_token, paths, shown, text, truth};
use crate::syntax::Node;
use crate::vocabulary::{Reader, protection};

/// Header fields that OpenAPI says elsewhere (3.2.0, section 4.12.2.1).
const ELSEWHERE: [&str; 3] = ["accept", "content-type", "authorization"];

impl<'a> Lower<'a, '_> {
    /// Path parameters first and in the path's order, then the others in the document's. `path` is `None` for what is
    /// sent and not served.
    pub(super) fn parameters(
        &mut self,
        item: &[Node<'a>],
        node: Node<'a>,
        path: Option<&PathTemplate>,
    ) -> Vec<Parameter> {
        let mut all: Vec<Parameter> = Vec::new();
        let mut at: HashMap<_, usize> = HashMap::new();
        // The farthest first: what is nearer takes its place.
        for layer in item.iter().rev().copied().chain([node]) {
            for own in self.list(layer) {
                match at.entry(key(&own)) {
                    Entry::Occupied(known) => {
                        if let Some(slot) = all.get_mut(*known.get()) {
                            *slot = own;
                        }
                    }
                    Entry::Vacant(free) => {
                        free.insert(all.len());
                        all.push(own);
                    }
                }
            }
        }
        let Some(path) = path else { return all };
        let mut ordered = Vec::with_capacity(all.len());
        // Declared under nearly the name that the path has: said once, not from both sides.
        let mut meant: Vec<String> = Vec::new();
        for name in paths::parameters(path) {
            match all.iter().position(|p| p.location == Location::Path && p.name == name) {
                Some(at) => ordered.push(all.remove(at)),
                None => {
                    let near = all.iter().filter(|p| p.location == Location::Path).map(|p| p.name.as_str());
                    let help = match self.sink.suggest(name, near) {
                        Some(near) => {
                            meant.push(near.to_owned());
                            format!("`{}` is declared: use one name", shown(near))
                        }
                        None => format!("add `{{ name: {}, in: path, required: true, schema: … }}`", shown(name)),
                    };
                    self.sink
                        .error(
                            codes::PATH_PARAMETER_UNDECLARED,
                            path.span,
                            format!("`{{{}}}` is declared nowhere", shown(name)),
                        )
                        .related(node.anchor_span(), "needed by this operation")
                        .help(help);
                    // Its place is kept, so that nothing else is said about it.
                    let schema = self.schemas.anything();
                    ordered.push(Parameter { schema, ..stand_in(name, path) });
                }
            }
        }
        for stranger in all.iter().filter(|p| p.location == Location::Path && !meant.contains(&p.name)) {
            self.sink
                .error(
                    codes::PATH_PARAMETER_UNUSED,
                    stranger.span,
                    format!(
                        "the path parameter `{}` is not in the path `{}`",
                        shown(&stranger.name),
                        shown(&path.text)
                    ),
                )
                .help(format!("put `{{{}}}` into the path, or remove the parameter", shown(&stranger.name)));
        }
        ordered.extend(all.into_iter().filter(|p| p.location != Location::Path));
        ordered
    }

    fn list(&mut self, node: Node<'a>) -> Vec<Parameter> {
        let Some(list) = self.spec.get(node, "parameters") else { return Vec::new() };
        let mut found: Vec<Parameter> = Vec::new();
        let mut seen: HashMap<_, Span> = HashMap::new();
        for node in self.spec.items(list) {
            if !self.afford(node) {
                break;
            }
            let Some(parameter) = self.parameter(node) else { continue };
            if let Some(first) = seen.insert(key(&parameter), parameter.span) {
                self.sink
                    .error(
                        codes::DUPLICATE_PARAMETER,
                        parameter.span,
                        format!(
                            "the {} parameter `{}` stands twice",
                            parameter.location.as_str(),
                            shown(&parameter.name)
                        ),
                    )
                    .related(first, "the first")
                    .help("remove one of them");
                continue;
            }
            found.push(parameter);
        }
        found
    }

    fn parameter(&mut self, node: Node<'a>) -> Option<Parameter> {
        let name = text(node, "name")?;
        let span = node.get("name").map_or_else(|| node.anchor_span(), Node::span);
        let location = match node.get("in")?.as_str()? {
            "path" => Location::Path,
            "query" => Location::Query,
            "header" => Location::Header,
            "cookie" => Location::Cookie,
            "querystring" => Location::QueryString,
            _ => return None,
        };
        if location == Location::Header && ELSEWHERE.contains(&name.to_ascii_lowercase().as_str()) {
            self.sink
                .warning(codes::IGNORED_PARAMETER, span, format!("a header parameter named `{name}` is ignored"))
                .help("say media types under `content`, and credentials under `security`");
            return None;
        }
        let unsound = match location {
            Location::Header => !is_token(&name),
            Location::Cookie => name.is_empty() || name.contains(|c: char| c.is_control() || " ;=,\"".contains(c)),
            Location::Path | Location::Query | Location::QueryString => false,
        };
        if unsound {
            self.sink
                .error(codes::HEADER_NAME, span, format!("`{}` is no name for a {}", shown(&name), location.as_str()))
                .help("use letters, digits, `-` and `_`");
            return None;
        }
        let (encoding, schema) = self.encoding(node, location);
        let schema = match schema {
            Some(schema) => self.schemas.id(schema),
            None => self.schemas.anything(),
        };
        Some(Parameter {
            name,
            location,
            span,
            required: location == Location::Path || truth(node, "required"),
            deprecated: truth(node, "deprecated"),
            description: text(node, "description"),
            encoding,
            schema,
            protection: node.get("x-security").and_then(|n| protection(n, &mut Reader { sink: self.sink })),
            allow_empty: truth(node, "allowEmptyValue"),
        })
    }

    fn encoding(&mut self, node: Node<'a>, location: Location) -> (ParameterEncoding, Option<Node<'a>>) {
        if let Some((key, media)) = self.spec.get(node, "content").and_then(|c| self.spec.entries(c).next()) {
            return (ParameterEncoding::Content(key.text.to_owned()), media.get("schema"));
        }
        let usual = match location {
            Location::Path | Location::Header => Style::Simple,
            Location::Query | Location::QueryString | Location::Cookie => Style::Form,
        };
        let style = match node.get("style").and_then(Node::as_str).and_then(style) {
            Some(style) if admits(location, style) => style,
            Some(_) => {
                let span = node.get("style").map(Node::span);
                self.sink
                    .error(
                        codes::PARAMETER_STYLE,
                        span,
                        format!("a {} parameter is not written in this style", location.as_str()),
                    )
                    .help("remove `style`, or use one that OpenAPI has for this place");
                usual
            }
            None => usual,
        };
        let explode = match node.get("explode").and_then(Node::as_bool) {
            Some(explode) => explode,
            None => matches!(style, Style::Form | Style::Cookie),
        };
        let encoding = ParameterEncoding::Style { style, explode, allow_reserved: truth(node, "allowReserved") };
        (encoding, node.get("schema"))
    }
}

/// The style of a name.
pub(super) fn style(name: &str) -> Option<Style> {
    Some(match name {
        "matrix" => Style::Matrix,
        "label" => Style::Label,
        "simple" => Style::Simple,
        "form" => Style::Form,
        "spaceDelimited" => Style::SpaceDelimited,
        "pipeDelimited" => Style::PipeDelimited,
        "deepObject" => Style::DeepObject,
        "cookie" => Style::Cookie,
        _ => return None,
    })
}

fn admits(location: Location, style: Style) -> bool {
    match location {
        Location::Path => matches!(style, Style::Matrix | Style::Label | Style::Simple),
        Location::Header => style == Style::Simple,
        Location::Cookie => matches!(style, Style::Form | Style::Cookie),
        Location::Query | Location::QueryString => {
            matches!(style, Style::Form | Style::SpaceDelimited | Style::PipeDelimited | Style::DeepObject)
        }
    }
}

/// What makes two the same parameter. Names of header fields have no case.
fn key(parameter: &Parameter) -> (Location, String) {
    let name = match parameter.location {
        Location::Header => parameter.name.to_ascii_lowercase(),
        _ => parameter.name.clone(),
    };
    (parameter.location, name)
}

fn stand_in(name: &str, path: &PathTemplate) -> Parameter {
    Parameter {
        name: name.to_owned(),
        location: Location::Path,
        span: path.span,
        required: true,
        deprecated: false,
        description: None,
        encoding: ParameterEncoding::Style { style: Style::Simple, explode: false, allow_reserved: false },
        schema: gatewright_ir::SchemaId(u32::MAX),
        protection: None,
        allow_empty: false,
    }
}
