//! From a value to XML, by the table.

use super::{INSTANCE, XmlName, XmlPlace, XmlTable};
use crate::Internal;
use crate::json::{Document, Kind, Value};

/// The XML of a value, which is given as JSON.
///
/// # Errors
/// It holds what XML cannot say: characters, or names of properties.
pub(crate) fn write(table: &XmlTable, json: &[u8]) -> Result<String, Internal> {
    let document = Document::parse(json).map_err(|e| Internal::new(e.to_string()))?;
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    Writer { table, out: &mut out }.element(&Name::of(&table.root), table.start, document.root())?;
    Ok(out)
}

/// A name to write.
struct Name<'n> {
    local: &'n str,
    namespace: Option<&'n str>,
    prefix: Option<&'n str>,
}

impl<'n> Name<'n> {
    fn of(name: &XmlName) -> Name<'static> {
        Name { local: name.local, namespace: name.namespace, prefix: name.prefix }
    }

    /// The name of a property that the document does not name.
    fn free(local: &'n str) -> Result<Name<'n>, Internal> {
        let first = |c: char| c.is_alphabetic() || c == '_';
        let rest = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        if local.starts_with(first) && local.chars().all(rest) {
            return Ok(Name { local, namespace: None, prefix: None });
        }
        Err(Internal::new("a property has a name that XML cannot have"))
    }

    fn write(&self, out: &mut String) {
        if let Some(prefix) = self.prefix {
            out.push_str(prefix);
            out.push(':');
        }
        out.push_str(self.local);
    }

    fn declare(&self, out: &mut String) -> Result<(), Internal> {
        let Some(namespace) = self.namespace else { return Ok(()) };
        out.push_str(" xmlns");
        if let Some(prefix) = self.prefix {
            out.push(':');
            out.push_str(prefix);
        }
        out.push_str("=\"");
        escape(namespace, out)?;
        out.push('"');
        Ok(())
    }
}

struct Writer<'w> {
    table: &'w XmlTable,
    out: &'w mut String,
}

impl Writer<'_> {
    fn element(&mut self, name: &Name<'_>, node: u16, value: Value<'_>) -> Result<(), Internal> {
        self.out.push('<');
        name.write(self.out);
        name.declare(self.out)?;
        let node = self.table.node(node);
        match value.kind() {
            Kind::Null => {
                self.out.push_str(" xsi:nil=\"true\" xmlns:xsi=\"");
                self.out.push_str(INSTANCE);
                self.out.push_str("\"/>");
                return Ok(());
            }
            Kind::Object => {
                let declared = |key: &str| node.properties.iter().find(|p| p.key == key);
                for member in value.members() {
                    let Some(property) = declared(member.name) else { continue };
                    if property.place == XmlPlace::Attribute && !member.value.is_null() {
                        let name = Name::of(&property.name);
                        name.declare(self.out)?;
                        self.out.push(' ');
                        name.write(self.out);
                        self.out.push_str("=\"");
                        escape(&plain(member.value)?, self.out)?;
                        self.out.push('"');
                    }
                }
                self.out.push('>');
                for member in value.members() {
                    match declared(member.name) {
                        Some(p) if p.place == XmlPlace::Attribute => {}
                        Some(p) if p.place == XmlPlace::Text => escape(&plain(member.value)?, self.out)?,
                        Some(p) if p.place == XmlPlace::Items && !member.value.is_null() => {
                            let items = self.table.node(p.node).items.map_or(0, |(_, items)| items);
                            for item in member.value.items() {
                                self.element(&Name::of(&p.name), items, item)?;
                            }
                        }
                        Some(p) => self.element(&Name::of(&p.name), p.node, member.value)?,
                        None => {
                            let index = node.additional.unwrap_or(u16::MAX);
                            let name = Name::free(member.name)?;
                            match self.table.node(index).items {
                                Some((_, items)) if member.value.kind() == Kind::Array => {
                                    for item in member.value.items() {
                                        self.element(&name, items, item)?;
                                    }
                                }
                                _ => self.element(&name, index, member.value)?,
                            }
                        }
                    }
                }
            }
            Kind::Array => {
                self.out.push('>');
                let Some((item, items)) = &node.items else {
                    return Err(Internal::new("a list stands where the document declares none"));
                };
                for value in value.items() {
                    self.element(&Name::of(item), *items, value)?;
                }
            }
            _ => {
                self.out.push('>');
                escape(&plain(value)?, self.out)?;
            }
        }
        self.out.push_str("</");
        name.write(self.out);
        self.out.push('>');
        Ok(())
    }
}

/// The text of a value that is no object and no array.
fn plain(value: Value<'_>) -> Result<String, Internal> {
    match value.kind() {
        Kind::String => Ok(value.as_str().unwrap_or_default().to_owned()),
        Kind::Number => Ok(value.as_number().unwrap_or_default().to_owned()),
        Kind::Boolean => Ok(value.as_bool().unwrap_or_default().to_string()),
        Kind::Null => Ok(String::new()),
        Kind::Array | Kind::Object => Err(Internal::new("an object or list stands where XML has a text")),
    }
}

fn escape(text: &str, out: &mut String) -> Result<(), Internal> {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // As they stand, a reader would make other white space of them.
            '\r' => out.push_str("&#13;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                return Err(Internal::new("a text holds characters that XML does not have"));
            }
            c => out.push(c),
        }
    }
    Ok(())
}
