//! Values of a document as exact JSON.

use gatewright_ir::json::{Json, Number};

use crate::syntax::{Node, NodeKind, Scalar};

/// The value of a node. `None` where it holds what JSON has no word for: an infinite number.
pub(crate) fn of_node(node: Node<'_>) -> Option<Json> {
    Some(match node.kind() {
        NodeKind::Map => Json::Object(
            node.entries().map(|(key, value)| Some((key.text.to_owned(), of_node(value)?))).collect::<Option<_>>()?,
        ),
        NodeKind::Seq => Json::Array(node.items().map(of_node).collect::<Option<_>>()?),
        NodeKind::Scalar => match node.scalar()? {
            Scalar::Null => Json::Null,
            Scalar::Bool(value) => Json::Bool(value),
            Scalar::Number(number) => Json::Number(Number::parse(&number.to_json()?)?),
            Scalar::Str(text) => Json::String(text.to_owned()),
        },
    })
}
