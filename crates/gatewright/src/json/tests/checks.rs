//! The helpers that checks are made of: what each says, where, and that hostile values cost bounded work.

use crate::json::check::{self, Array, Constants, Contains, Discriminator, Marks, Object, Property, Rest};
use crate::json::*;

/// The rules that a check finds broken, each with its pointer.
fn found(check: Check, text: &str) -> Vec<(String, &'static str)> {
    let document = Document::parse(text.as_bytes()).unwrap();
    let mut found = Violations::new();
    found.scope(Scope::Body, document.root());
    check(document.root(), &mut found);
    let list = found.list().iter().map(|violation| (violation.pointer.clone(), violation.rule)).collect();
    let verdict = found.is_empty();
    assert_eq!(found.probe(check, document.root()), verdict, "a probe says the same: {text}");
    list
}

fn rules(check: Check, text: &str) -> Vec<&'static str> {
    found(check, text).into_iter().map(|(_, rule)| rule).collect()
}

fn integer(value: Value<'_>, found: &mut Violations) {
    check::types(value, found, check::INTEGER);
}

fn string(value: Value<'_>, found: &mut Violations) {
    check::types(value, found, check::STRING);
}

#[test]
fn numbers_are_exact() {
    fn number(value: Value<'_>, found: &mut Violations) {
        check::minimum(value, found, &Bound::new("-9007199254740993", Some(-9_007_199_254_740_993)));
        check::exclusive_maximum(value, found, &Bound::new("1e20", None));
        check::multiple_of(value, found, &Bound::new("0.01", None));
    }
    for (text, broken) in [
        ("0.3", vec![]),
        ("19.99", vec![]),
        ("19.999", vec!["multipleOf"]),
        ("-9007199254740993", vec![]),
        ("-9007199254740993.00", vec![]),
        ("-9007199254740994", vec!["minimum"]),
        ("99999999999999999999.99", vec![]),
        ("100000000000000000000", vec!["exclusiveMaximum"]),
        ("\"text\"", vec![]),
    ] {
        assert_eq!(rules(number, text), broken, "{text}");
    }
    for (text, whole) in [("1", true), ("1.0", true), ("10e-1", true), ("1.5", false), ("1e-1", false), ("-0.0", true)]
    {
        assert_eq!(rules(integer, text).is_empty(), whole, "{text}");
    }
}

#[test]
fn lengths_count_code_points() {
    fn text(value: Value<'_>, found: &mut Violations) {
        check::min_length(value, found, 2);
        check::max_length(value, found, 3);
    }
    for (text_of, broken) in [
        ("\"é\"", vec!["minLength"]),
        ("\"💩\"", vec!["minLength"]),
        ("\"a💩\"", vec![]),
        ("\"\"", vec!["minLength"]),
        ("\"💩💩\"", vec![]),
        ("\"日本語\"", vec![]),
        ("\"日本語x\"", vec!["maxLength"]),
    ] {
        assert_eq!(rules(text, text_of), broken, "{text_of}");
    }
}

#[test]
fn constants_are_equal_by_value() {
    fn constant(value: Value<'_>, found: &mut Violations) {
        static VALUES: Constants = Constants::new(&["1", "{\"a\":[1.0,null]}", "false"]);
        check::constant(value, found, &VALUES);
    }
    for (text, equal) in
        [("1.0", true), ("true", false), ("0", false), ("{\"a\":[1,null]}", true), ("{\"a\":[1]}", false)]
    {
        assert_eq!(rules(constant, text).is_empty(), equal, "{text}");
    }
}

#[test]
fn arrays() {
    fn array(value: Value<'_>, found: &mut Violations) {
        static RULES: Array = Array {
            max: 4,
            unique: true,
            prefix: &[string],
            items: Some(integer),
            contains: Some(&Contains { check: integer, min: 1, max: 2 }),
            ..Array::ANY
        };
        check::array(value, found, &RULES);
    }
    for (text, broken) in [
        (r#"["a", 1]"#, vec![]),
        (r#"["a", "b", 1]"#, vec![("/1", "type")]),
        (r#"["a", 1, 1.0]"#, vec![("/2", "uniqueItems")]),
        (r#"["a"]"#, vec![("", "contains")]),
        (r#"["a", 1, 2, 3]"#, vec![("", "maxContains")]),
        (r#"["a", 1, 2, 3, 4]"#, vec![("", "maxItems")]),
        ("{}", vec![]),
    ] {
        let broken: Vec<_> = broken.into_iter().map(|(pointer, rule)| (pointer.to_owned(), rule)).collect();
        assert_eq!(found(array, text), broken, "{text}");
    }
}

#[test]
fn objects() {
    fn object(value: Value<'_>, found: &mut Violations) {
        static X: Pattern = Pattern::new("^x-", "^x-");
        fn short(value: Value<'_>, found: &mut Violations) {
            check::max_length(value, found, 6);
        }
        static RULES: Object = Object {
            properties: &[
                Property { name: "id", check: check::any, flags: Property::READ_ONLY },
                Property { name: "name", check: string, flags: Property::REQUIRED },
                Property { name: "old", check: check::any, flags: Property::IGNORED },
                Property { name: "from", check: check::any, flags: 0 },
            ],
            required: 1,
            patterns: &[(&X, integer)],
            rest: Rest::Closed,
            names: Some(short),
            max: 4,
            dependent: &[("from", &["to"])],
            ..Object::ANY
        };
        check::object(value, found, &RULES);
    }
    for (text, broken) in [
        (r#"{"name":"n","x-a":1,"old":[]}"#, vec![]),
        (r#"{}"#, vec![("/name", "required")]),
        (r#"{"name":1}"#, vec![("/name", "type")]),
        (r#"{"name":"n","id":1}"#, vec![("/id", "readOnly")]),
        (r#"{"name":"n","x-a":"1"}"#, vec![("/x-a", "type")]),
        (r#"{"name":"n","y":1}"#, vec![("/y", "additionalProperties")]),
        (r#"{"name":"n","x-a/~bc":1}"#, vec![("/x-a~1~0bc", "maxLength")]),
        (r#"{"name":"n","from":1}"#, vec![("/to", "dependentRequired")]),
        (r#"{"name":"n","x-1":1,"x-2":1,"x-3":1,"x-4":1}"#, vec![("", "maxProperties")]),
    ] {
        let broken: Vec<_> = broken.into_iter().map(|(pointer, rule)| (pointer.to_owned(), rule)).collect();
        assert_eq!(found(object, text), broken, "{text}");
    }
}

#[test]
fn what_no_branch_looks_at_is_unevaluated() {
    fn cat(value: Value<'_>, found: &mut Violations) {
        static RULES: Object = Object {
            properties: &[Property { name: "claws", check: integer, flags: Property::REQUIRED }],
            required: 1,
            ..Object::ANY
        };
        check::object(value, found, &RULES);
    }
    fn cat_marks(value: Value<'_>, found: &mut Violations, marks: &mut Marks) {
        marks.properties(value, found, &["claws"], &[]);
    }
    fn marks(value: Value<'_>, found: &mut Violations, marks: &mut Marks) {
        marks.properties(value, found, &["name"], &[]);
        marks.branches(value, found, &[(cat, cat_marks)]);
    }
    fn pet(value: Value<'_>, found: &mut Violations) {
        check::unevaluated_properties(value, found, marks, &Rest::Closed);
    }
    assert!(found(pet, r#"{"name":1,"claws":1}"#).is_empty());
    assert_eq!(found(pet, r#"{"name":1,"claws":"x"}"#), [("/claws".to_owned(), "unevaluatedProperties")]);
    assert_eq!(found(pet, r#"{"name":1,"tail":1}"#), [("/tail".to_owned(), "unevaluatedProperties")]);
}

#[test]
fn unions_are_counted_and_discriminators_choose() {
    fn small(value: Value<'_>, found: &mut Violations) {
        check::maximum(value, found, &Bound::new("10", Some(10)));
    }
    fn one(value: Value<'_>, found: &mut Violations) {
        check::one_of(value, found, &[integer, small]);
    }
    assert!(rules(one, "11").is_empty() && rules(one, "1.5").is_empty());
    assert_eq!(rules(one, "1"), ["oneOf"]);
    assert_eq!(rules(one, "11.5"), ["oneOf"]);
    fn other(value: Value<'_>, found: &mut Violations) {
        check::except(value, found, integer);
    }
    assert_eq!(rules(other, "1"), ["not"]);
    fn by_kind(value: Value<'_>, found: &mut Violations) {
        static RULES: Discriminator =
            Discriminator { property: "kind", branches: &[("a", check::any), ("b", check::never)], default: None };
        check::discriminated(value, found, &RULES);
    }
    assert!(rules(by_kind, r#"{"kind":"a"}"#).is_empty());
    assert_eq!(rules(by_kind, r#"{"kind":"b"}"#), ["false"]);
    assert_eq!(found(by_kind, "{}"), [("/kind".to_owned(), "required")]);
    assert_eq!(found(by_kind, r#"{"kind":"c"}"#), [("/kind".to_owned(), "discriminator")]);
    assert_eq!(rules(by_kind, "[]"), ["type"]);
}

#[test]
fn many_items_are_compared_in_bounded_time() {
    fn unique(value: Value<'_>, found: &mut Violations) {
        static RULES: Array = Array { unique: true, ..Array::ANY };
        check::array(value, found, &RULES);
    }
    let objects: Vec<String> = (0..50_000).map(|n| format!(r#"{{"b":{n},"a":1e3}}"#)).collect();
    let text = format!("[{}]", objects.join(","));
    let start = std::time::Instant::now();
    assert!(rules(unique, &text).is_empty());
    assert_eq!(rules(unique, &text.replace("]", r#",{"a":1000.0,"b":7}]"#)), ["uniqueItems"]);
    // Comparing each with each would be more than a thousand million comparisons.
    assert!(start.elapsed().as_secs() < 60);
}

#[test]
fn values_are_never_echoed() {
    fn all(value: Value<'_>, found: &mut Violations) {
        check::types(value, found, check::INTEGER);
        check::max_length(value, found, 1);
        check::one_of_strings(value, found, &["a"]);
        check::format(value, found, Format::Email);
        check::except(value, found, check::any);
    }
    let document = Document::parse(br#""hunter2 hunter2""#).unwrap();
    let mut found = Violations::new();
    all(document.root(), &mut found);
    assert_eq!(found.list().len(), 5);
    assert!(!format!("{found:?} {document:?} {:?}", document.root()).contains("hunter2"));
    assert_eq!(format!("{:?} {:?}", Secret::new("hunter2"), Pii::new("hunter2")), "[secret] [pii]");
}

#[test]
fn patches_tell_absent_from_null() {
    let document = Document::parse(br#"{"a":null,"b":1}"#).unwrap();
    let [a, b, c] = document.root().pick(&["a", "b", "c"]).unwrap();
    let read = |member| Patch::<i64>::decode_member(member).unwrap();
    assert_eq!((read(a), read(b), read(c)), (Patch::Null, Patch::Value(1), Patch::Absent));
    let mut out = Writer::new();
    out.begin_object();
    out.member("a", &read(a));
    out.member("b", &read(b));
    out.member("c", &read(c));
    out.other_members(&[("b".to_owned(), 9), ("d".to_owned(), 4)].into(), &["a", "b", "c"]);
    out.end_object();
    assert_eq!(out.finish().unwrap(), br#"{"a":null,"b":1,"d":4}"#);
}
