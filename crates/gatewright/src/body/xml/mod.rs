//! XML bodies, as the JSON value that the schema's `xml` objects make of them (OpenAPI 3.2.0, 4.26): names, attributes,
//! wrapped lists, namespaces. What is checked and typed is that value.
//!
//! No document type declaration is read, and no entity but the five that XML has: nothing is expanded, nothing is
//! fetched. Depth, elements and attributes have bounds.

#[cfg(feature = "xml")]
mod read;
#[cfg(feature = "xml")]
mod write;

#[cfg(feature = "xml")]
pub(crate) use read::read;
#[cfg(feature = "xml")]
pub(crate) use write::write;

/// How the values of a schema look in XML. Generated code makes it where a body is named.
#[derive(Clone, Copy, Debug)]
pub struct XmlTable {
    /// The name of the root element.
    pub root: XmlName,
    /// The node of the root's schema.
    pub start: u16,
    /// Every schema of the document that becomes XML: all tables share them.
    pub nodes: &'static [XmlNode],
}

impl XmlTable {
    /// A root element without a namespace, and the node of its schema.
    #[must_use]
    pub const fn new(local: &'static str, start: u16, nodes: &'static [XmlNode]) -> XmlTable {
        XmlTable { root: XmlName::new(local), start, nodes }
    }

    /// With another name of its root.
    #[must_use]
    pub const fn named(self, root: XmlName) -> XmlTable {
        XmlTable { root, ..self }
    }
}

/// The name of an element or attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XmlName {
    /// The local name.
    pub local: &'static str,
    /// The namespace; none means any when it is read.
    pub namespace: Option<&'static str>,
    /// The prefix that is written for the namespace.
    pub prefix: Option<&'static str>,
}

impl XmlName {
    /// A name in no namespace.
    #[must_use]
    pub const fn new(local: &'static str) -> XmlName {
        XmlName { local, namespace: None, prefix: None }
    }

    /// In this namespace.
    #[must_use]
    pub const fn within(self, namespace: &'static str) -> XmlName {
        XmlName { namespace: Some(namespace), ..self }
    }

    /// Written with this prefix.
    #[must_use]
    pub const fn prefix(self, prefix: &'static str) -> XmlName {
        XmlName { prefix: Some(prefix), ..self }
    }
}

/// How the values of one schema look.
#[derive(Clone, Copy, Debug)]
pub struct XmlNode {
    /// The JSON types that it admits, as [`kinds`](crate::params::kinds).
    pub kinds: u8,
    /// Of an array: the name of its items' elements and the node of its items.
    pub items: Option<(XmlName, u16)>,
    /// Of an object: its declared properties.
    pub properties: &'static [XmlProperty],
    /// Of an object: the node of other properties, where there may be some.
    pub additional: Option<u16>,
}

impl XmlNode {
    /// Values of these [`kinds`](crate::params::kinds), and nothing in them.
    #[must_use]
    pub const fn new(kinds: u8) -> XmlNode {
        XmlNode { kinds, items: None, properties: &[], additional: None }
    }

    /// With items of this name and node.
    #[must_use]
    pub const fn items(self, name: XmlName, node: u16) -> XmlNode {
        XmlNode { items: Some((name, node)), ..self }
    }

    /// With these properties.
    #[must_use]
    pub const fn properties(self, properties: &'static [XmlProperty]) -> XmlNode {
        XmlNode { properties, ..self }
    }

    /// With other properties of this node.
    #[must_use]
    pub const fn additional(self, node: u16) -> XmlNode {
        XmlNode { additional: Some(node), ..self }
    }
}

/// How a property looks.
#[derive(Clone, Copy, Debug)]
pub struct XmlProperty {
    /// Its name in JSON.
    pub key: &'static str,
    /// Where it stands.
    pub place: XmlPlace,
    /// The name of its element or attribute.
    pub name: XmlName,
    /// The node of its value.
    pub node: u16,
}

impl XmlProperty {
    const fn new(place: XmlPlace, key: &'static str, node: u16) -> XmlProperty {
        XmlProperty { key, place, name: XmlName::new(key), node }
    }

    /// An element, called as the property is.
    #[must_use]
    pub const fn element(key: &'static str, node: u16) -> XmlProperty {
        XmlProperty::new(XmlPlace::Element, key, node)
    }

    /// An element for each item, called as the property is.
    #[must_use]
    pub const fn each(key: &'static str, node: u16) -> XmlProperty {
        XmlProperty::new(XmlPlace::Items, key, node)
    }

    /// An attribute, called as the property is.
    #[must_use]
    pub const fn attribute(key: &'static str, node: u16) -> XmlProperty {
        XmlProperty::new(XmlPlace::Attribute, key, node)
    }

    /// The text of the element itself.
    #[must_use]
    pub const fn text(key: &'static str, node: u16) -> XmlProperty {
        XmlProperty::new(XmlPlace::Text, key, node)
    }

    /// With another name.
    #[must_use]
    pub const fn named(self, name: XmlName) -> XmlProperty {
        XmlProperty { name, ..self }
    }
}

/// Where a property stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlPlace {
    /// An element of its own; around the items of an array, where it is wrapped.
    Element,
    /// An element for each item of the array.
    Items,
    /// An attribute.
    Attribute,
    /// The text of the element itself.
    Text,
}

/// A node for what no table declares: any text.
#[cfg(feature = "xml")]
const TEXT: XmlNode = XmlNode::new(crate::params::kinds::STRING);

/// The namespace of `xsi:nil`.
#[cfg(feature = "xml")]
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

#[cfg(feature = "xml")]
impl XmlTable {
    fn node(&self, index: u16) -> &XmlNode {
        self.nodes.get(usize::from(index)).unwrap_or(&TEXT)
    }
}

/// Compiles where generated code speaks XML only with the feature for it.
#[cfg(feature = "xml")]
#[doc(hidden)]
#[macro_export]
macro_rules! needs_xml {
    () => {};
}

/// Compiles where generated code speaks XML only with the feature for it.
#[cfg(not(feature = "xml"))]
#[doc(hidden)]
#[macro_export]
macro_rules! needs_xml {
    () => {
        ::core::compile_error!("the document declares XML bodies: enable the feature `xml` of `gatewright`");
    };
}

#[cfg(all(test, feature = "xml"))]
pub(super) mod tests;
