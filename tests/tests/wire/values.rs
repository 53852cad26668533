//! Bodies and parameters at their bounds and far beyond.

use std::time::Instant;

use serde_json::{Value, json};

use super::Wire;

fn post(wire: &Wire, path: &str, body: &str) -> (u16, String) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let answer = wire.text(format!("{head}{body}").as_bytes());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("`{answer}`"));
    (head[9..12].parse().unwrap(), body.to_owned())
}

/// `pointer rule` of every violation.
fn broken(body: &str) -> Vec<String> {
    let problem: Value = serde_json::from_str(body).unwrap();
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|e| format!("{} {}", e["pointer"].as_str().unwrap(), e["rule"].as_str().unwrap())).collect()
}

/// Rows: A12.
#[test]
fn every_constraint_holds_at_its_bound_and_not_beyond() {
    let wire = Wire::new();
    let good = |field: &str, values: &[Value]| {
        for value in values {
            let (status, body) = post(&wire, "/things", &json!({ field: value }).to_string());
            assert_eq!(status, 204, "{field} {value}: {body}");
        }
    };
    let bad = |field: &str, rows: &[(Value, &str)]| {
        for (value, rule) in rows {
            let (status, body) = post(&wire, "/things", &json!({ field: value }).to_string());
            assert_eq!((status, broken(&body)), (422, vec![format!("/{field}{rule}")]), "{field} {value}: {body}");
        }
    };
    good("whole", &[json!(3), json!(9), json!(4.0)]);
    bad("whole", &[(json!(2), " minimum"), (json!(10), " maximum"), (json!(3.5), " type"), (json!("3"), " type")]);
    good("open", &[json!(4), json!(8)]);
    bad("open", &[(json!(3), " exclusiveMinimum"), (json!(9), " exclusiveMaximum")]);
    good("steps", &[json!(0.25), json!(-1), json!(1e3)]);
    bad("steps", &[(json!(0.3), " multipleOf")]);
    good("text", &[json!("ab"), json!("abcd"), json!("äöüß"), json!("🦀🦀🦀🦀")]);
    bad("text", &[(json!("a"), " minLength"), (json!("abcde"), " maxLength"), (json!("🦀"), " minLength")]);
    good("word", &[json!("ab"), json!("abcd")]);
    bad("word", &[(json!("a"), " pattern"), (json!("abcde"), " pattern"), (json!("ab\n"), " pattern")]);
    good("day", &[json!("2028-02-29"), json!("0000-01-01")]);
    bad("day", &[(json!("2027-02-29"), " format"), (json!("2027-2-1"), " format"), (json!("2027-12-32"), " format")]);
    good("kind", &[json!("a"), json!("b")]);
    bad("kind", &[(json!("c"), " enum"), (json!("A"), " enum")]);
    good("one", &[json!(1), json!(1.0)]);
    bad("one", &[(json!(2), " const"), (json!("1"), " const")]);
    good("list", &[json!([1, 2]), json!([1, 2, 3])]);
    bad("list", &[(json!([1]), " minItems"), (json!([1, 2, 3, 4]), " maxItems"), (json!([1, 1]), "/1 uniqueItems")]);
    bad("list", &[(json!([1, "a"]), "/1 type"), (json!([1, 2_147_483_648_i64]), "/1 format")]);
    good("map", &[json!({ "a": 1, "b": 2 }), json!({ "a": 1, "b": 2, "c": 3 })]);
    bad("map", &[(json!({ "a": 1 }), " minProperties"), (json!({ "a": 1, "b": 2, "c": 3, "d": 4 }), " maxProperties")]);
    good("pair", &[json!({ "left": true }), json!({ "left": true, "right": false })]);
    bad("pair", &[(json!({ "right": true }), "/left required")]);
}

/// Rows: N4.
#[test]
fn what_nobody_declared_is_refused() {
    let wire = Wire::new();
    for (path, body, status) in [
        ("/things", json!({}), 204),
        ("/things?tag=a", json!({}), 204),
        ("/things", json!({ "wholes": 3 }), 422),
        ("/things", json!({ "pair": { "left": true, "middle": true } }), 422),
        ("/things?tags=a", json!({}), 422),
        ("/things?tag=a&tag=a", json!({}), 422),
        ("/things?tag=abcd", json!({}), 422),
    ] {
        let (was, text) = post(&wire, path, &body.to_string());
        assert_eq!(was, status, "{path} {body}: {text}");
    }
    assert_eq!(wire.entered(), 2);
}

/// Rows: N5.
#[test]
fn huge_values_are_refused_in_bounded_time() {
    const MANY: usize = 1_000_000;
    let wire = Wire::new();
    let start = Instant::now();
    let array = format!("{{\"list\":[{}1]}}", "1,".repeat(MANY));
    let distinct = (0..MANY).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let nested = format!("{{\"list\":{}1{}}}", "[".repeat(MANY), "]".repeat(MANY));
    for (name, body, wanted) in [
        ("array", array, 422),
        ("distinct", format!("{{\"list\":[{distinct}]}}"), 422),
        ("string", format!("{{\"text\":\"{}\"}}", "a".repeat(MANY)), 422),
        ("key", format!("{{\"{}\":1}}", "a".repeat(MANY)), 422),
        ("keys", format!("{{{}\"z\":1}}", (0..MANY / 10).map(|n| format!("\"k{n}\":1,")).collect::<String>()), 400),
        ("number", format!("{{\"whole\":1{}}}", "0".repeat(MANY)), 422),
        ("depth", nested, 400),
    ] {
        let (status, answer) = post(&wire, "/heaps", &body);
        assert_eq!(status, wanted, "{name}: {:.300}", answer);
        assert!(answer.len() < 64 * 1024, "{name}: an answer of {} bytes", answer.len());
        assert_eq!(post(&wire, "/things", &body).0, 413, "{name}");
    }
    assert_eq!(wire.entered(), 0);
    // Each is linear work; a test's build on a slow machine has room for it, quadratic work has not.
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

/// Rows: N6.
#[test]
fn patterns_take_linear_time() {
    let wire = Wire::new();
    let start = Instant::now();
    let long = "a".repeat(1_000_000);
    for (field, text) in [("nested", format!("{long}!")), ("mail", format!("{long}!")), ("ahead", format!("{long}1!"))]
    {
        let (status, body) = post(&wire, "/heaps", &json!({ field: text }).to_string());
        assert_eq!((status, broken(&body).last()), (422, Some(&format!("/{field} pattern"))), "{field}");
    }
    assert_eq!(post(&wire, "/heaps", &json!({ "nested": long }).to_string()).0, 204);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

/// Rows: PD7.
#[test]
fn what_is_classified_is_not_shown_to_whom_it_is_refused() {
    let wire = Wire::new();
    for (path, body) in [
        ("/things", json!({ "ssn": "hunter2x" })),
        ("/things", json!({ "pin": "hunter2x" })),
        ("/things", json!({ "born": "hunter2x" })),
        ("/things", json!({ "born": { "hunter2x": "hunter2x" } })),
        ("/things", json!({ "pin": ["hunter2x"] })),
        ("/things?phone=hunter2x", json!({})),
    ] {
        let (status, text) = post(&wire, path, &body.to_string());
        assert_eq!(status, 422, "{path} {body}: {text}");
        assert!(!text.contains("hunter2x"), "{path} {body}: {text}");
    }
}
