//! What is read, what is refused, and that both agree with `serde_json`.

use proptest::prelude::*;

use crate::json::*;

/// Rows: N3.
#[test]
fn refuses_what_is_not_json() {
    for (text, reason) in [
        ("", Reason::Ends),
        (" ", Reason::Ends),
        ("{", Reason::Ends),
        ("[1,", Reason::Ends),
        ("tru", Reason::Ends),
        ("nul!", Reason::Expected("a value")),
        ("NaN", Reason::Expected("a value")),
        ("Infinity", Reason::Expected("a value")),
        ("[1,]", Reason::Expected("a value")),
        ("{\"a\":1,}", Reason::Expected("a member name")),
        ("{a:1}", Reason::Expected("a member name")),
        ("{\"a\" 1}", Reason::Expected("`:`")),
        ("[1 2]", Reason::Expected("`,` or `]`")),
        ("[1}", Reason::Expected("`,` or `]`")),
        ("{\"a\":1]", Reason::Expected("`,` or `}`")),
        ("1 1", Reason::Trailing),
        ("{}x", Reason::Trailing),
        ("01", Reason::Expected("a number without leading zeros")),
        ("-", Reason::Ends),
        ("1.", Reason::Expected("a digit")),
        ("+1", Reason::Expected("a value")),
        (".5", Reason::Expected("a value")),
        ("1e", Reason::Expected("a digit")),
        ("1e100001", Reason::Exponent),
        ("1e99999999999999999999", Reason::Exponent),
        ("\"\t\"", Reason::Control),
        ("\"\\x\"", Reason::Escape),
        ("\"\\u12g4\"", Reason::Escape),
        ("\"\\ud800\"", Reason::Surrogate),
        ("\"\\ud800\\u0041\"", Reason::Surrogate),
        ("\"\\udc00\"", Reason::Surrogate),
        ("{\"\\ud800\":1}", Reason::Surrogate),
        ("\"abc", Reason::Ends),
        ("\u{feff}1", Reason::ByteOrderMark),
        ("{\"a\":1,\"a\":2}", Reason::Duplicate),
        ("{\"a\":1,\"\\u0061\":2}", Reason::Duplicate),
        ("[{\"x\":{\"b\":1,\"a\":1,\"b\":1}}]", Reason::Duplicate),
    ] {
        assert_eq!(Document::parse(text.as_bytes()).unwrap_err().reason, reason, "{text}");
    }
    for bytes in [&b"\"\xff\""[..], b"\"\xed\xa0\x80\"", b"\"\xc0\xaf\"", b"\xff"] {
        assert_eq!(Document::parse(bytes).unwrap_err().reason, Reason::Utf8);
    }
}

/// Rows: N2.
#[test]
fn limits_hold() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Document::parse(nested(64).as_bytes()).is_ok());
    assert_eq!(Document::parse(nested(65).as_bytes()).unwrap_err().reason, Reason::Depth);
    assert_eq!(Document::parse("[".repeat(1_000_000).as_bytes()).unwrap_err().reason, Reason::Depth);
    let few = Limits { nodes: 3, members: 1, ..Limits::default() };
    let parse = |text: &str| Document::parse_owned(text.into(), &few).map_err(|error| error.reason);
    assert!(parse("[1,2]").is_ok());
    assert_eq!(parse("[1,2,3]").unwrap_err(), Reason::Size);
    assert_eq!(parse("{\"a\":1,\"b\":2}").unwrap_err(), Reason::Size);
}

#[test]
fn many_names_are_compared_in_bounded_time() {
    let names: Vec<String> = (0..60_000).map(|n| format!("\"{n:05}\":0")).collect();
    let text = format!("{{{}}}", names.join(","));
    assert_eq!(Document::parse(text.as_bytes()).unwrap().root().len(), 60_000);
    let twice = format!("{{{},\"00007\":0}}", names.join(","));
    assert_eq!(Document::parse(twice.as_bytes()).unwrap_err().reason, Reason::Duplicate);
}

/// Rows: N3.
#[test]
fn numbers_keep_their_text() {
    let document = Document::parse(b"[9007199254740993, 1e400, -0, 1.10, 0.1e-2]").unwrap();
    let texts: Vec<_> = document.root().items().map(|item| item.as_number().unwrap()).collect();
    assert_eq!(texts, ["9007199254740993", "1e400", "-0", "1.10", "0.1e-2"]);
    let mut found = Violations::new();
    assert_eq!(found.decode::<f64>(document.root().items().nth(1).unwrap()), None);
    assert_eq!(found.list()[0].pointer, "/1");
}

#[test]
fn pointers_lead_to_violations_and_never_echo_much() {
    let long = "x".repeat(10_000);
    let document = Document::parse(format!(r#"{{"a/b":[0,{{"~":[]}}],"{long}":{{"{long}":1}}}}"#).as_bytes()).unwrap();
    let mut found = Violations::new();
    let deep = document.root().pointer("/a~1b/1/~0").unwrap();
    found.at(deep, "r", format_args!("d"));
    found.at(document.root().get(&long).unwrap().get(&long).unwrap(), "r", format_args!("d"));
    found.at_member(document.root(), "new", "required", format_args!("is required"));
    found.scope(Scope::Query("q".into()), document.root().get("a/b").unwrap());
    found.at(deep, "r", format_args!("d"));
    let pointers: Vec<&str> = found.list().iter().map(|violation| violation.pointer.as_str()).collect();
    assert_eq!((pointers[0], pointers[2], pointers[3]), ("/a~1b/1/~0", "/new", "/1/~0"));
    assert!(pointers[1].len() < 600);
    for _ in 0..200 {
        found.add("r", "d");
    }
    assert!(found.list().len() == MAX_VIOLATIONS && found.has_more());
}

#[test]
fn what_is_wrong_deep_within_a_union_costs_bounded_work() {
    // oneOf [{n: self}, {n: self}, null]: each level would double the work.
    fn node(value: Value<'_>, found: &mut Violations) {
        check::one_of(value, found, &[a, b, null]);
    }
    fn null(value: Value<'_>, found: &mut Violations) {
        check::types(value, found, check::NULL);
    }
    fn a(value: Value<'_>, found: &mut Violations) {
        static RULES: check::Object = check::Object {
            properties: &[check::Property { name: "n", check: node, flags: check::Property::REQUIRED }],
            required: 1,
            ..check::Object::ANY
        };
        if check::types(value, found, check::OBJECT) {
            check::object(value, found, &RULES);
        }
    }
    fn b(value: Value<'_>, found: &mut Violations) {
        a(value, found);
    }
    let text = format!("{}null{}", "{\"n\":".repeat(60), "}".repeat(60));
    let document = Document::parse(text.as_bytes()).unwrap();
    let mut found = Violations::new();
    found.scope(Scope::Body, document.root());
    node(document.root(), &mut found);
    assert!(!found.is_empty());
    assert!(found.list().iter().any(|violation| violation.rule == "complexity"));
}

fn same(ours: Value<'_>, theirs: &serde_json::Value) -> bool {
    match theirs {
        serde_json::Value::Null => ours.is_null(),
        serde_json::Value::Bool(value) => ours.as_bool() == Some(*value),
        serde_json::Value::Number(value) => match value.as_i64() {
            Some(value) => ours.as_i128() == Some(value.into()),
            // Theirs is only near without a feature of its own.
            None => {
                let (ours, theirs) = (ours.as_number().unwrap().parse::<f64>().unwrap(), value.as_f64().unwrap());
                (ours - theirs).abs() <= theirs.abs() * 1e-14 + f64::MIN_POSITIVE
            }
        },
        serde_json::Value::String(value) => ours.as_str() == Some(value),
        serde_json::Value::Array(items) => {
            ours.len() == items.len() && ours.items().zip(items).all(|(ours, theirs)| same(ours, theirs))
        }
        serde_json::Value::Object(members) => {
            ours.len() == members.len()
                && ours.members().all(|m| members.get(m.name).is_some_and(|theirs| same(m.value, theirs)))
        }
    }
}

/// Text that is JSON, or nearly.
fn nearly_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| format!("{number:e}")),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        "[-+0-9.eE]{1,6}",
        r#""[\\a-fu0-9\\"d]{0,12}""#,
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(" , "))),
            prop::collection::vec(("[a-z]{0,3}", inner), 0..6).prop_map(|members| {
                let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(",\n"))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_serde_json(text in nearly_json(), cut in 0_usize..200) {
        let cut = (0..=text.len()).rev().find(|at| text.is_char_boundary(*at) && (cut > 40 || *at <= cut)).unwrap_or(0);
        let text = if cut == 0 { text.as_str() } else { &text[..cut] };
        let theirs = serde_json::from_str::<serde_json::Value>(text);
        match (Document::parse(text.as_bytes()), theirs) {
            (Ok(document), Ok(theirs)) => {
                prop_assert!(same(document.root(), &theirs), "{}", text);
                let json = Json::decode(document.root()).unwrap();
                let again = Document::parse(&to_vec(&json).unwrap()).unwrap();
                prop_assert!(same(again.root(), &theirs), "{}", text);
            }
            (Err(_), Err(_)) => {}
            (Ok(document), Err(_)) => {
                // Floats beyond their range are text to us.
                prop_assert!(text.contains(['e', 'E']), "{} {:?}", text, document);
            }
            (Err(error), Ok(_)) => {
                prop_assert!(matches!(error.reason, Reason::Duplicate | Reason::Exponent), "{} {}", text, error);
            }
        }
    }

    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Document::parse(&bytes);
    }
}
