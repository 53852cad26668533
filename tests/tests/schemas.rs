//! What the code of `golden/schemas` makes of requests: the values, where `golden` looks at the text and `values` at verdicts.
#![allow(clippy::unwrap_used, clippy::panic)]

mod money {
    //! A type of the application's own, as `x-rust-type` names it.

    use gatewright::json::{FromJson, Mismatch, ToJson, Value, Writer, converted};

    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Amount(pub(crate) u64);

    impl FromJson for Amount {
        fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
            converted::<String, _, _>(value, |text| match text.strip_suffix(" EUR").map(str::parse) {
                Some(Ok(amount)) => Ok(Amount(amount)),
                _ => Err("must be an amount in EUR"),
            })
        }
    }

    impl ToJson for Amount {
        fn write(&self, out: &mut Writer) {
            out.string(&format!("{} EUR", self.0));
        }
    }
}

#[allow(dead_code, unused_imports)]
mod generated {
    include!("../golden/schemas/expected.rs");

    use gatewright::json::Check;

    /// The checks, which only their own module's parent may name.
    pub(crate) const ORDER: Check = types::checks::check_order;
    pub(crate) const PROFILE: Check = types::checks::open_profile;
}

use gatewright::json::{Check, Document, FromJson, Json, Patch, Scope, Violations, to_vec};
use generated::types::{Order, OrderRequest, Payment, PaymentRequest, Point, Profile, ProfileRequest};
use money::Amount;

fn read<T: FromJson>(check: Check, text: &str) -> Result<T, Vec<(String, &'static str)>> {
    let document = Document::parse(text.as_bytes()).unwrap();
    let mut found = Violations::new();
    found.scope(Scope::Body, document.root());
    check(document.root(), &mut found);
    let decoded = if found.is_empty() { found.decode(document.root()) } else { None };
    decoded.ok_or_else(|| found.list().iter().map(|v| (v.pointer.clone(), v.rule)).collect())
}

fn order(text: &str) -> Result<OrderRequest, Vec<(String, &'static str)>> {
    read(generated::ORDER, text)
}

#[test]
fn defaults_of_any_shape_stand_in() {
    let order = order(r#"{ "total": "5 EUR", "by": { "kind": "Transfer" } }"#).unwrap();
    assert_eq!(order.at, Point { x: 1, y: 3 });
    let note = serde_json::Value::from(Json::Object(order.note));
    assert_eq!(note, serde_json::json!({ "lang": "en", "words": [1, null] }));
}

#[test]
fn the_users_type_is_made_of_what_passed_the_checks() {
    let order = |total: &str| order(&format!(r#"{{ "total": {total}, "by": {{ "kind": "Transfer" }}, "tip": null }}"#));
    let good = order(r#""5 EUR""#).unwrap();
    assert_eq!((good.total, good.tip), (Amount(5), Patch::Null));
    assert_eq!(order(r#""five""#).unwrap_err(), [("/total".to_owned(), "pattern")]);
    assert_eq!(order("5").unwrap_err(), [("/total".to_owned(), "type")]);
    // The schema admits it, the type does not: one more violation.
    assert_eq!(order(r#""5 USD""#).unwrap_err(), [("/total".to_owned(), "value")]);
}

#[test]
fn a_parent_becomes_the_child_that_its_discriminator_names() {
    let by = |by: &str| order(&format!(r#"{{ "total": "5 EUR", "by": {by} }}"#)).map(|order| order.by);
    match by(r#"{ "kind": "card", "number": "4" }"#).unwrap() {
        PaymentRequest::Card(card) => assert_eq!((card.kind.as_str(), card.number.as_str()), ("card", "4")),
        other => panic!("{other:?}"),
    }
    assert!(matches!(by(r#"{ "kind": "Transfer", "iban": "x" }"#), Ok(PaymentRequest::Transfer(_))));
    assert_eq!(by(r#"{ "kind": "card" }"#).unwrap_err(), [("/by/number".to_owned(), "required")]);
    assert_eq!(by(r#"{ "kind": "cash" }"#).unwrap_err(), [("/by/kind".to_owned(), "discriminator")]);
    // Set by the server, in a schema that is shared.
    assert_eq!(
        by(r#"{ "kind": "card", "number": "4", "last": "x" }"#).unwrap_err(),
        [("/by/last".to_owned(), "readOnly")]
    );
}

#[test]
fn what_goes_out_has_other_fields_than_what_came_in() {
    let card = generated::types::Card { kind: "card".to_owned(), last: Some("4242".to_owned()) };
    let order = Order {
        id: "1".to_owned(),
        total: Amount(5),
        tip: Patch::Absent,
        by: Payment::Card(card),
        at: Point { x: 1, y: 2 },
        note: Default::default(),
    };
    let text = String::from_utf8(to_vec(&order).unwrap()).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "id": "1", "total": "5 EUR", "by": { "kind": "card", "last": "4242" }, "at": { "x": 1, "y": 2 }, "note": {}
        })
    );
}

#[test]
fn unknown_fields_are_kept_where_the_policy_says_so_but_not_what_only_the_server_sets() {
    let text = r#"{ "name": "x", "admin": true, "hat": [1], "home": { "town": "y", "zip": "z" } }"#;
    let profile: ProfileRequest = read(generated::PROFILE, text).unwrap();
    assert_eq!(profile.additional.keys().collect::<Vec<_>>(), ["hat"]);
    let home = profile.home.unwrap();
    assert_eq!(home.additional.get("zip"), Some(&Json::from("z")));
    let back = Profile { name: profile.name, admin: None, home: Some(home), additional: profile.additional };
    let json: serde_json::Value = serde_json::from_slice(&to_vec(&back).unwrap()).unwrap();
    assert_eq!(json, serde_json::json!({ "name": "x", "hat": [1], "home": { "town": "y", "zip": "z" } }));
}
