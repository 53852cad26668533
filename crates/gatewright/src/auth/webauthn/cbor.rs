//! CBOR (RFC 8949) as authenticators write it, and nothing else: definite lengths in their shortest form, no tags, no floats,
//! no name twice in a map, a bounded depth (CTAP2 canonical form, but for the order of names). A length is never believed
//! before its bytes are there, so that nothing is allocated for a claim.

/// Deeper than any attestation is nested.
const DEPTH: u8 = 8;
/// Items of an array or members of a map: more than any attestation has. Each name is compared with those before it.
const ITEMS: u64 = 64;

/// A value. Maps keep their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'b> {
    Integer(i64),
    Bytes(&'b [u8]),
    Text(&'b str),
    Array(Vec<Value<'b>>),
    Map(Vec<(Value<'b>, Value<'b>)>),
    Bool(bool),
    Null,
}

/// Reads one value; nothing may follow it.
pub(super) fn whole(bytes: &[u8]) -> Option<Value<'_>> {
    match first(bytes)? {
        (value, []) => Some(value),
        _ => None,
    }
}

/// Reads one value, and gives what follows it.
pub(super) fn first(bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(DEPTH)?;
    Some((value, reader.rest))
}

impl<'b> Value<'b> {
    /// The value of a text name of a map.
    pub(super) fn named(&self, name: &str) -> Option<&Value<'b>> {
        self.member(|key| matches!(key, Value::Text(text) if *text == name))
    }

    /// The value of a number of a map.
    pub(super) fn numbered(&self, number: i64) -> Option<&Value<'b>> {
        self.member(|key| *key == Value::Integer(number))
    }

    fn member(&self, is: impl Fn(&Value<'b>) -> bool) -> Option<&Value<'b>> {
        let Value::Map(members) = self else { return None };
        members.iter().find(|(key, _)| is(key)).map(|(_, value)| value)
    }

    pub(super) fn integer(&self) -> Option<i64> {
        match self {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn bytes(&self) -> Option<&'b [u8]> {
        match self {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    fn value(&mut self, depth: u8) -> Option<Value<'b>> {
        let (major, argument) = self.head()?;
        let deeper = || depth.checked_sub(1).filter(|_| argument <= ITEMS);
        Some(match major {
            0 => Value::Integer(i64::try_from(argument).ok()?),
            1 => Value::Integer(-1 - i64::try_from(argument).ok()?),
            2 => Value::Bytes(self.take(argument)?),
            3 => Value::Text(std::str::from_utf8(self.take(argument)?).ok()?),
            4 => {
                let depth = deeper()?;
                let mut items = Vec::new();
                for _ in 0..argument {
                    items.push(self.value(depth)?);
                }
                Value::Array(items)
            }
            5 => {
                let depth = deeper()?;
                let mut members: Vec<(Value<'b>, Value<'b>)> = Vec::new();
                for _ in 0..argument {
                    let key = self.value(depth)?;
                    if !matches!(key, Value::Integer(_) | Value::Text(_)) || members.iter().any(|(k, _)| *k == key) {
                        return None;
                    }
                    members.push((key, self.value(depth)?));
                }
                Value::Map(members)
            }
            7 => match argument {
                20 => Value::Bool(false),
                21 => Value::Bool(true),
                22 => Value::Null,
                _ => return None,
            },
            _ => return None,
        })
    }

    /// The major type and its argument, in the shortest form.
    fn head(&mut self) -> Option<(u8, u64)> {
        let (&head, rest) = self.rest.split_first()?;
        self.rest = rest;
        let (major, low) = (head >> 5, head & 31);
        let length = match low {
            0..24 => return Some((major, u64::from(low))),
            // Simple values of two bytes and floats are none of ours.
            _ if major == 7 => return None,
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return None,
        };
        let bytes = self.take(length)?;
        let argument = bytes.iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
        let least = match length {
            1 => 24,
            2 => 1 << 8,
            4 => 1 << 16,
            _ => 1 << 32,
        };
        (argument >= least).then_some((major, argument))
    }

    fn take(&mut self, length: u64) -> Option<&'b [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.rest = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_authenticators_write() {
        let bytes = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x43abc";
        let value = whole(bytes).unwrap();
        assert_eq!(value.named("fmt"), Some(&Value::Text("none")));
        assert_eq!(value.named("authData").and_then(Value::bytes), Some(&b"abc"[..]));
        assert_eq!(value.named("other"), None);
        let key = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x22\x40";
        let key = whole(key).unwrap();
        assert_eq!(key.numbered(3).and_then(Value::integer), Some(-7));
        assert_eq!(key.numbered(-1).and_then(Value::integer), Some(1));
        assert_eq!(first(b"\xf5rest"), Some((Value::Bool(true), &b"rest"[..])));
    }

    #[test]
    fn w8_any_other_form_is_refused_and_costs_nothing() {
        let deep = [&[0x81; 9][..], &[0x00]].concat();
        let many = [&[0x98, 65][..], &[0x00; 65]].concat();
        let wide: Vec<u8> = [0xb8, 65].into_iter().chain((0..65).flat_map(|n| [0x61, b' ' + n, 0x00])).collect();
        for (what, bytes) in [
            ("nothing", &b""[..]),
            ("bytes of indefinite length", b"\x5f\x41a\xff"),
            ("text of indefinite length", b"\x7f\x61a\xff"),
            ("an array of indefinite length", b"\x9f\x01\xff"),
            ("a map of indefinite length", b"\xbf\x01\x02\xff"),
            ("a break alone", b"\xff"),
            ("trailing bytes", b"\x01\x00"),
            ("a name twice", b"\xa2\x01\x00\x01\x01"),
            ("a text name twice", b"\xa2\x61a\x00\x61a\x01"),
            ("a name that is a map", b"\xa1\xa0\x00"),
            ("a longer form than needed", b"\x18\x17"),
            ("a longer length than needed", b"\x58\x01a"),
            ("4 bytes for what fits in 2", b"\x1a\x00\x00\xff\xff"),
            ("8 bytes for what fits in 4", b"\x1b\x00\x00\x00\x00\xff\xff\xff\xff"),
            ("a length beyond the end", b"\x42a"),
            ("a huge length", b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff"),
            ("a huge array", b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff\x00"),
            ("a huge map", b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff\x00"),
            ("a number beyond 63 bits", b"\x1b\x80\x00\x00\x00\x00\x00\x00\x00"),
            ("a tag", b"\xc0\x60"),
            ("a float", b"\xf9\x00\x00"),
            ("undefined", b"\xf7"),
            ("a simple value", b"\xf8\x20"),
            ("text that is no UTF-8", b"\x61\xff"),
            ("a reserved length", b"\x1c"),
            ("too deep", &deep),
            ("too many items", &many),
            ("too many members", &wide),
        ] {
            assert_eq!(whole(bytes), None, "{what}");
        }
        assert!(whole(&[&[0x81; 8][..], &[0x00]].concat()).is_some());
        assert!(whole(&[&[0x98, 64][..], &[0x00; 64]].concat()).is_some());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = first(&bytes);
        }
    }
}
