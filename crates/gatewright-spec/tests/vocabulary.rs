//! Reading a small vocabulary with serde derives: values with places, errors at the innermost node.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use gatewright_diag::{Code, Sink, SourceMap};
use gatewright_spec::syntax::{Sp, parse, read};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Policy {
    public: Option<Sp<String>>,
    rate_limit: Option<Vec<Sp<Rate>>>,
    claims: Option<BTreeMap<String, Sp<u64>>>,
    unknown_fields: Option<Mode>,
    body_limit: Option<Size>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rate {
    by: Sp<By>,
    limit: Sp<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum By {
    Ip,
    User,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(try_from = "String")]
struct Size(u64);

impl TryFrom<String> for Size {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.strip_suffix("KiB").and_then(|n| n.parse().ok()).map(Size).ok_or("this is no size; write `64KiB`")
    }
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Refuse,
    Off,
}

fn check(text: &str) -> Result<Policy, (String, String, String)> {
    let mut map = SourceMap::new();
    let file = map.add("t.yaml", text);
    let mut sink = Sink::new();
    let tree = parse(file, &map, &mut sink).unwrap();
    let value = read(tree.root(), Code(400), &mut sink);
    match sink.finish().into_iter().next() {
        None => Ok(value.unwrap()),
        Some(d) => Err((d.message, map.text(d.span.unwrap()).to_owned(), d.help.unwrap_or_default())),
    }
}

#[test]
fn values_come_with_places() {
    let policy =
        check("public: why\nrate-limit:\n- {by: user, limit: 5/min}\nclaims: {a: 3}\nunknown-fields: off\nbody-limit: 64KiB\n").unwrap();
    assert_eq!(policy.public.as_ref().unwrap().value, "why");
    assert_eq!(policy.public.unwrap().span.start, 8);
    let rates = policy.rate_limit.unwrap();
    assert_eq!((rates[0].by.value == By::User, rates[0].limit.value.as_str()), (true, "5/min"));
    assert_eq!(policy.claims.unwrap()["a"].value, 3);
    assert_eq!((policy.unknown_fields, policy.body_limit), (Some(Mode::Off), Some(Size(64))));
}

#[test]
fn errors_stand_at_the_innermost_node() {
    let rows = [
        ("rate-limt: []\n", "unknown key `rate-limt`", "rate-limt", "did you mean `rate-limit`?"),
        ("rate-limit:\n- {by: usr, limit: x}\n", "unknown word `usr`", "usr", "did you mean `user`?"),
        ("rate-limit:\n- {by: user}\n", "the key `limit` is missing", "by", "add `limit`"),
        ("rate-limit:\n- 5\n", "expected an object, found a number", "5", ""),
        ("claims: {a: 1, b: x}\n", "expected a whole number, zero or more, found the text `x`", "x", ""),
        ("claims: {a: 1}\nbody-limit: 64\n", "expected text, found `64`", "64", ""),
        ("claims: {a: 1}\nbody-limit: 64XiB\n", "this is no size; write `64KiB`", "64XiB", ""),
        ("public: [a]\n", "expected text, found a list", "public", ""),
    ];
    for (text, message, place, help) in rows {
        let got = check(text).unwrap_err();
        assert_eq!((got.0.as_str(), got.1.as_str(), got.2.as_str()), (message, place, help), "{text}");
    }
}
