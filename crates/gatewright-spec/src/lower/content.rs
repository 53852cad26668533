//! What is sent and answered: bodies, responses, their media types and headers.

use std::collections::HashSet;

use gatewright_diag::{Spanned, codes};
use gatewright_ir::api::{Body, Header, Link, Media, MediaKind, PartEncoding, Response, StatusKey};
use gatewright_ir::json::Json;

use super::parameters::style;
use super::{Lower, is_token, shown, text, truth};
use crate::source::percent_decode;
use crate::syntax::{Node, unescape};

impl<'a> Lower<'a, '_> {
    pub(super) fn body(&mut self, operation: Node<'a>) -> Option<Body> {
        let node = self.spec.get(operation, "requestBody").filter(|node| node.is_map())?;
        let content = self.content(node);
        if content.is_empty() {
            return None;
        }
        let (description, required) = (text(node, "description"), truth(node, "required"));
        Some(Body { span: node.anchor_span(), description, required, content })
    }

    pub(super) fn responses(&mut self, operation: Node<'a>) -> Vec<Response> {
        let Some(responses) = self.spec.get(operation, "responses") else { return Vec::new() };
        let mut found: Vec<Response> = Vec::new();
        for (key, raw) in responses.entries().filter(|(key, _)| !key.text.starts_with("x-")) {
            if !self.afford(raw) {
                break;
            }
            // A key that is no status was reported when its shape was.
            let (Some(status), Some(node)) = (status(key.text), self.spec.resolve(raw)) else { continue };
            if found.iter().any(|response| response.status == status) {
                self.sink
                    .error(codes::DUPLICATE_STATUS, key.span, format!("`{}` stands twice", shown(key.text)))
                    .help("keep one response of a status");
                continue;
            }
            let links = self.spec.get(node, "links");
            let links = links.into_iter().flat_map(|links| self.spec.entries(links)).take(MOST_LINKS);
            let links: Vec<_> = links.collect();
            for id in links.iter().filter_map(|(_, node)| node.get("operationId")) {
                self.linked.extend(id.as_str().map(|text| Spanned::new(text, id.span())));
            }
            let links = links.into_iter().map(|(key, node)| link(key.text, node)).collect();
            found.push(Response {
                status,
                span: key.span,
                description: text(node, "description"),
                headers: self.headers(node),
                content: self.content(node),
                name: self.spec.reference(raw).and_then(|r| r.name).map(str::to_owned),
                links,
            });
        }
        found
    }

    fn content(&mut self, node: Node<'a>) -> Vec<Media> {
        let Some(content) = self.spec.get(node, "content") else { return Vec::new() };
        let mut found: Vec<Media> = Vec::new();
        for (key, media) in self.spec.entries(content).filter(|(key, _)| !key.text.starts_with("x-")) {
            if !self.afford(media) {
                break;
            }
            if !is_media_type(key.text) {
                self.sink
                    .warning(codes::MEDIA_TYPE, key.span, format!("`{}` is no media type", shown(key.text)))
                    .label("never chosen")
                    .help("write a media type such as `application/json`");
                continue;
            }
            found.push(Media {
                media_type: Spanned::new(key.text.to_owned(), key.span),
                kind: MediaKind::of(key.text),
                schema: media.get("schema").map(|schema| self.schemas.id(schema)),
                item_schema: media.get("itemSchema").map(|schema| self.schemas.id(schema)),
                encoding: self.parts(media),
            });
        }
        found
    }

    fn parts(&mut self, media: Node<'a>) -> Vec<(String, PartEncoding)> {
        let Some(encoding) = self.spec.get(media, "encoding") else { return Vec::new() };
        let mut found = Vec::new();
        for (key, part) in self.spec.entries(encoding) {
            if !self.afford(part) {
                break;
            }
            let part = PartEncoding {
                content_type: text(part, "contentType"),
                style: part.get("style").and_then(Node::as_str).and_then(style),
                explode: part.get("explode").and_then(Node::as_bool),
                headers: self.headers(part),
            };
            found.push((key.text.to_owned(), part));
        }
        found
    }

    fn headers(&mut self, node: Node<'a>) -> Vec<Header> {
        let Some(headers) = self.spec.get(node, "headers") else { return Vec::new() };
        let mut found: Vec<Header> = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        for (key, header) in self.spec.entries(headers) {
            if !self.afford(header) {
                break;
            }
            // The media type of a body says this (OpenAPI 3.2.0, section 4.17.1).
            if key.text.eq_ignore_ascii_case("content-type") || key.text.starts_with("x-") && !header.is_map() {
                continue;
            }
            if !is_token(key.text) {
                self.sink
                    .error(codes::HEADER_NAME, key.span, format!("`{}` is no name for a header", shown(key.text)))
                    .help("use letters, digits, `-` and `_`");
                continue;
            }
            if !seen.insert(key.text.to_ascii_lowercase()) {
                self.sink
                    .error(
                        codes::DUPLICATE_PARAMETER,
                        key.span,
                        format!("the header `{}` stands twice", shown(key.text)),
                    )
                    .help("remove one of them: names of headers have no case");
                continue;
            }
            let content = self.spec.get(header, "content").and_then(|c| self.spec.entries(c).next());
            let schema = header.get("schema").or_else(|| content.and_then(|(_, media)| media.get("schema")));
            let schema = match schema {
                Some(schema) => self.schemas.id(schema),
                None => self.schemas.anything(),
            };
            found.push(Header {
                name: key.text.to_owned(),
                description: text(header, "description"),
                required: truth(header, "required"),
                schema,
                explode: truth(header, "explode"),
                json: content.is_some_and(|(key, _)| MediaKind::of(key.text) == MediaKind::Json),
            });
        }
        found
    }
}

fn status(key: &str) -> Option<StatusKey> {
    match key.as_bytes() {
        b"default" => Some(StatusKey::Default),
        [class @ b'1'..=b'5', b'x' | b'X', b'x' | b'X'] => Some(StatusKey::Class(class - b'0')),
        [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9'] => key.parse().ok().map(StatusKey::Code),
        _ => None,
    }
}

/// `type/subtype` with optional parameters (RFC 9110, 8.3.1); wildcards are for ranges.
fn is_media_type(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or("").trim();
    let sound = essence.split_once('/').is_some_and(|(main, sub)| is_token(main) && is_token(sub));
    sound && !text.contains(|c: char| c.is_control())
}

/// Documentation shows fewer; a response that many operations share may have any number.
const MOST_LINKS: usize = 16;

fn link(name: &str, node: Node<'_>) -> Link {
    let parameters = node.get("parameters").into_iter().flat_map(Node::entries);
    let value = |value: Node<'_>| {
        super::json::of_node(value).map_or_else(String::new, |json| match json {
            Json::String(text) => text,
            other => other.to_text(),
        })
    };
    // `#/paths/~1a~1{id}/get` is read more easily as `GET /a/{id}`.
    let pointed = |reference: String| {
        let pointer = reference.strip_prefix("#/paths/").and_then(percent_decode);
        match pointer.as_deref().and_then(|pointer| pointer.split_once('/')) {
            Some((path, method)) => format!("{} {}", method.to_ascii_uppercase(), unescape(path)),
            None => reference,
        }
    };
    Link {
        name: name.to_owned(),
        target: text(node, "operationId").or_else(|| text(node, "operationRef").map(pointed)),
        parameters: parameters.take(MOST_LINKS).map(|(name, node)| (name.text.to_owned(), value(node))).collect(),
        description: text(node, "description"),
    }
}
