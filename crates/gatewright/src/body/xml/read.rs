//! From XML to the JSON text that the table makes of it.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{QName, ResolveResult};
use quick_xml::reader::NsReader;

use super::{INSTANCE, XmlName, XmlNode, XmlPlace, XmlTable};
use crate::params::spec::{Shape, kinds};
use crate::params::text;

/// Elements within each other.
const DEEPEST: usize = 64;
/// Elements and attributes of a body.
const MOST: usize = 65_536;
/// Attributes of an element: they are compared with one another.
const MOST_ATTRIBUTES: usize = 128;

const PLACE: &str = "an element or attribute stands where the document declares none";
const TEXT_PLACE: &str = "text stands where the document declares elements";

/// Reads a body. `Err` says what is wrong, never what was sent.
pub(crate) fn read(table: &XmlTable, body: &str) -> Result<String, &'static str> {
    let root = parse(body)?;
    if !root.name.is(&table.root) {
        return Err("the root element is another than the document declares");
    }
    let mut out = String::new();
    value(table, table.node(table.start), &root, &mut out)?;
    Ok(out)
}

/// A name as it was sent, its prefix resolved.
struct Name {
    local: String,
    namespace: Option<Rc<str>>,
}

impl Name {
    fn is(&self, declared: &XmlName) -> bool {
        self.local == declared.local && declared.namespace.is_none_or(|n| self.namespace.as_deref() == Some(n))
    }
}

struct Element {
    name: Name,
    attributes: Vec<(Name, String)>,
    children: Vec<Element>,
    text: String,
    nil: bool,
}

impl Element {
    fn has_text(&self) -> bool {
        !self.text.trim_ascii().is_empty()
    }
}

#[derive(Default)]
struct Names(HashMap<String, Rc<str>>);

impl Names {
    fn name(&mut self, resolved: ResolveResult<'_>, local: &str) -> Result<Name, &'static str> {
        let namespace = match resolved {
            ResolveResult::Unbound => None,
            ResolveResult::Bound(namespace) => Some(match self.0.get(namespace.0) {
                Some(known) => Rc::clone(known),
                None => {
                    let shared: Rc<str> = namespace.0.into();
                    self.0.insert(namespace.0.to_owned(), Rc::clone(&shared));
                    shared
                }
            }),
            ResolveResult::Unknown(_) => return Err("a prefix has no namespace"),
        };
        Ok(Name { local: local.to_owned(), namespace })
    }
}

fn parse(body: &str) -> Result<Element, &'static str> {
    const BAD: &str = "is not well-formed XML";
    let mut reader = NsReader::from_str(body);
    reader.config_mut().expand_empty_elements = true;
    reader.config_mut().check_comments = true;
    let mut names = Names::default();
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut count = 0;
    loop {
        let event = reader.read_event().map_err(|_| BAD)?;
        let text = match event {
            Event::Start(start) => {
                if root.is_some() {
                    return Err(BAD);
                }
                if open.len() == DEEPEST {
                    return Err("is nested too deeply");
                }
                let element = element(&reader, &start, &mut names, &mut count)?;
                open.push(element);
                continue;
            }
            Event::End(_) => {
                let closed = open.pop().ok_or(BAD)?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(closed),
                    None => root = Some(closed),
                }
                continue;
            }
            Event::Eof => return if open.is_empty() { root.ok_or(BAD) } else { Err(BAD) },
            Event::Text(text) => text.xml10_content().into_owned(),
            Event::CData(text) => text.into_inner().into_owned(),
            Event::GeneralRef(name) => match name.resolve_char_ref().map_err(|_| BAD)? {
                Some(letter) => letter.to_string(),
                None => {
                    resolve_predefined_entity(&name).ok_or("names an entity; only the five of XML are read")?.to_owned()
                }
            },
            Event::DocType(_) => return Err("has a document type declaration, which is not read"),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => continue,
        };
        if !text.chars().all(is_char) {
            return Err("holds characters that XML does not have");
        }
        match open.last_mut() {
            Some(element) => element.text.push_str(&text),
            None if text.trim_ascii().is_empty() => {}
            None => return Err(BAD),
        }
    }
}

/// What XML 1.0 lets stand in a document (2.2).
fn is_char(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

fn element(
    reader: &NsReader<&[u8]>,
    start: &BytesStart<'_>,
    names: &mut Names,
    count: &mut usize,
) -> Result<Element, &'static str> {
    let mut spend = || {
        *count += 1;
        if *count > MOST { Err("has too many elements and attributes") } else { Ok(()) }
    };
    spend()?;
    let (resolved, local) = reader.resolver().resolve_element(start.name());
    let name = names.name(resolved, local.as_ref())?;
    let mut element = Element { name, attributes: Vec::new(), children: Vec::new(), text: String::new(), nil: false };
    for (i, attribute) in start.attributes().enumerate() {
        if i == MOST_ATTRIBUTES {
            return Err("has an element with too many attributes");
        }
        spend()?;
        let attribute = attribute.map_err(|_| "has attributes that are not well-formed")?;
        let key: QName<'_> = attribute.key;
        if key.as_namespace_binding().is_some() {
            continue;
        }
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|_| "has attributes that are not well-formed")?;
        if !value.chars().all(is_char) {
            return Err("holds characters that XML does not have");
        }
        let (resolved, local) = reader.resolver().resolve_attribute(key);
        let name = names.name(resolved, local.as_ref())?;
        match name.namespace.as_deref() {
            Some(INSTANCE) => element.nil |= name.local == "nil" && matches!(&*value, "true" | "1"),
            Some("http://www.w3.org/XML/1998/namespace") => {}
            _ => element.attributes.push((name, value.into_owned())),
        }
    }
    Ok(element)
}

fn value(table: &XmlTable, node: &XmlNode, element: &Element, out: &mut String) -> Result<(), &'static str> {
    if element.nil {
        out.push_str("null");
        return Ok(());
    }
    let admits = |kind: u8| node.kinds & kind != 0;
    let plain = element.children.is_empty() && element.attributes.is_empty();
    let scalar = admits(kinds::STRING | kinds::NUMBER | kinds::BOOLEAN);
    if admits(kinds::OBJECT) && !(scalar && plain) {
        return object(table, node, element, out);
    }
    if !element.attributes.is_empty() {
        return Err(PLACE);
    }
    if admits(kinds::ARRAY) && !(scalar && plain) {
        let Some((name, items)) = &node.items else { return Err(PLACE) };
        if element.has_text() {
            return Err(TEXT_PLACE);
        }
        if !element.children.iter().all(|child| child.name.is(name)) {
            return Err(PLACE);
        }
        return list(table, table.node(*items), element.children.iter(), out);
    }
    if !plain {
        return Err(PLACE);
    }
    scalar_text(node, &element.text, out);
    Ok(())
}

/// White space around what is no string is layout.
fn scalar_text(node: &XmlNode, sent: &str, out: &mut String) {
    let sent = if node.kinds & kinds::STRING == 0 { sent.trim_ascii() } else { sent };
    text::scalar(&Shape::scalar(node.kinds), sent, out);
}

fn list<'e>(
    table: &XmlTable,
    node: &XmlNode,
    elements: impl Iterator<Item = &'e Element>,
    out: &mut String,
) -> Result<(), &'static str> {
    out.push('[');
    for (i, element) in elements.enumerate() {
        if i > 0 {
            out.push(',');
        }
        value(table, node, element, out)?;
    }
    out.push(']');
    Ok(())
}

fn object(table: &XmlTable, node: &XmlNode, element: &Element, out: &mut String) -> Result<(), &'static str> {
    let properties = node.properties;
    let of = |name: &Name, attribute: bool| {
        properties.iter().position(|p| match p.place {
            XmlPlace::Element | XmlPlace::Items => !attribute && name.is(&p.name),
            XmlPlace::Attribute => attribute && name.is(&p.name),
            XmlPlace::Text => false,
        })
    };
    let mut found: Vec<Vec<&Element>> = vec![Vec::new(); properties.len()];
    let mut others: Vec<&Element> = Vec::new();
    for child in &element.children {
        match of(&child.name, false).and_then(|i| found.get_mut(i)) {
            Some(place) => place.push(child),
            None => others.push(child),
        }
    }
    let mut members = Members { out, first: true };
    members.out.push('{');
    for (property, elements) in properties.iter().zip(&found) {
        let node = table.node(property.node);
        match (property.place, elements.as_slice()) {
            (XmlPlace::Text, _) if element.has_text() => {
                members.name(property.key);
                scalar_text(node, &element.text, members.out);
            }
            (XmlPlace::Text | XmlPlace::Attribute, _) | (_, []) => {}
            (XmlPlace::Items, elements) => {
                let items = node.items.map_or(0, |(_, items)| items);
                members.name(property.key);
                list(table, table.node(items), elements.iter().copied(), members.out)?;
            }
            (XmlPlace::Element, [one]) => {
                members.name(property.key);
                value(table, node, one, members.out)?;
            }
            (XmlPlace::Element, _) => return Err("an element stands twice where it may stand once"),
        }
    }
    if element.has_text() && !properties.iter().any(|p| p.place == XmlPlace::Text) {
        return Err(TEXT_PLACE);
    }
    let mut seen: HashSet<&str> = HashSet::new();
    let fresh = |name: &Name| {
        // A name that means another place must not pass for a property.
        if properties.iter().any(|p| p.key == name.local) { Err(PLACE) } else { Ok(()) }
    };
    for (name, sent) in &element.attributes {
        match of(name, true).and_then(|i| properties.get(i)) {
            Some(property) => {
                members.name(property.key);
                scalar_text(table.node(property.node), sent, members.out);
            }
            None => {
                fresh(name)?;
                if !seen.insert(&name.local) {
                    return Err(PLACE);
                }
                members.name(&name.local);
                text::quote(sent, members.out);
            }
        }
    }
    for other in &others {
        fresh(&other.name)?;
        let node = node.additional.map(|index| table.node(index));
        let repeated = node.is_some_and(|node| node.kinds & kinds::ARRAY != 0);
        if !seen.insert(&other.name.local) {
            if repeated {
                continue;
            }
            return Err(PLACE);
        }
        members.name(&other.name.local);
        match node {
            Some(node) if repeated => {
                let same = others.iter().filter(|o| o.name.local == other.name.local).copied();
                list(table, table.node(node.items.map_or(0, |(_, items)| items)), same, members.out)?;
            }
            Some(node) => value(table, node, other, members.out)?,
            // Nobody declares it: the check says so, or passes over it.
            None => members.out.push_str("\"\""),
        }
    }
    members.out.push('}');
    Ok(())
}

struct Members<'o> {
    out: &'o mut String,
    first: bool,
}

impl Members<'_> {
    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
        text::quote(name, self.out);
        self.out.push(':');
    }
}
