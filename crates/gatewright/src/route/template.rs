//! Path templates as documents write them, read when generated code is built.

/// A piece of a segment of a path template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text that must stand there.
    Literal(&'static str),
    /// The parameter of this name: at least one character.
    Parameter(&'static str),
}

/// A path template as documents write it: `/accounts/{accountId}`, `/files/{name}.json`. A trailing slash is a last
/// segment without pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template(&'static str);

impl Template {
    /// The template of this text.
    ///
    /// # Panics
    /// In a constant, and so in the build of generated code: it does not begin with a slash, or a brace has no other one, or
    /// nothing in between.
    #[must_use]
    #[allow(clippy::panic, clippy::indexing_slicing, reason = "a wrong route must not build")]
    pub const fn new(text: &'static str) -> Template {
        let bytes = text.as_bytes();
        assert!(!bytes.is_empty() && bytes[0] == b'/', "a path template begins with a slash");
        let mut at = 0;
        let mut open = None;
        while at < bytes.len() {
            match (bytes[at], open) {
                (b'{', None) => open = Some(at),
                (b'}', Some(from)) if at > from + 1 => open = None,
                (b'{' | b'}', _) | (b'/', Some(_)) => panic!("a brace of a path template has no other one"),
                _ => {}
            }
            at += 1;
        }
        assert!(open.is_none(), "a brace of a path template has no other one");
        Template(text)
    }

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// Its segments, each as its pieces.
    pub(super) fn segments(self) -> impl Iterator<Item = Vec<Piece>> {
        self.0.strip_prefix('/').unwrap_or(self.0).split('/').map(pieces)
    }
}

fn pieces(segment: &'static str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = segment;
    while let Some((literal, (name, after))) =
        rest.split_once('{').and_then(|(literal, rest)| Some((literal, rest.split_once('}')?)))
    {
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        pieces.push(Piece::Parameter(name));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_its_pieces() {
        let read = |text| Template::new(text).segments().collect::<Vec<_>>();
        assert_eq!(read("/"), [[]]);
        let (a, b) = (Piece::Parameter("a"), Piece::Parameter("b"));
        assert_eq!(
            read("/x/{a}-{b}.json/"),
            [vec![Piece::Literal("x")], vec![a, Piece::Literal("-"), b, Piece::Literal(".json")], vec![]]
        );
    }
}
