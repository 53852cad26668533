//! Bodies that are not read whole before a handler sees them, and bodies that a handler sends piece by piece.
//!
//! In: [`ByteStream`] (bytes as they come), [`ItemStream`] (JSON Lines, JSON text sequences and server-sent events, each
//! item checked by its schema), [`Parts`] (a multipart body part by part), [`File`] (a part that was put aside before the
//! handler is called, on the disk where it is large). Out: [`Lines`] and [`Events`].
//!
//! What holds for all that come in: nothing is read before the request is admitted, no more than the operation's body
//! limit is read, and not beyond its deadline. What is held in memory at a time is bounded by constants of this module.

mod error;
mod events;
mod file;
mod items;
mod lines;
mod multipart;
mod outgoing;
mod stream;
mod xml;

pub use error::BodyError;
pub use events::{Event, Events};
pub use file::File;
pub use items::ItemStream;
pub use lines::Lines;
pub use multipart::{FormSpec, Part, PartKind, PartSpec, Parts};
pub use outgoing::{Closed, Sender};
pub use stream::ByteStream;
pub use xml::{XmlName, XmlNode, XmlPlace, XmlProperty, XmlTable};

pub(crate) use items::Framing;
#[cfg(feature = "xml")]
pub(crate) use xml::{read as read_xml, write as write_xml};

pub(crate) use multipart::{Boundary, read_form};
