//! What it costs to turn a body of about a kilobyte into a valid, typed value: generated code, `serde_json` with the same
//! checks by hand, `serde_json` alone, and the `jsonschema` crate.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::LazyLock;

use gatewright::Operation;
use gatewright::json::{Check, Document, Format, FromJson, Scope, Violations};
use gatewright::params::Read;
use regex::Regex;
use serde::Deserialize;

use crate::shop::orders::create_order::Op;
use crate::shop::types::NewOrder;
use crate::timing::{Contender, compare};

/// The same schema for the `jsonschema` crate: `spec/shop.yaml`, as JSON and by itself.
const SCHEMA: &str = r##"{
  "$ref": "#/$defs/NewOrder",
  "$defs": {
    "Text": { "type": "string", "minLength": 1, "maxLength": 100 },
    "Customer": {
      "type": "object", "required": ["name", "email", "street", "city", "country"], "additionalProperties": false,
      "properties": {
        "name": { "$ref": "#/$defs/Text" }, "email": { "type": "string", "format": "email", "maxLength": 254 },
        "street": { "$ref": "#/$defs/Text" }, "city": { "$ref": "#/$defs/Text" },
        "postcode": { "type": "string", "minLength": 2, "maxLength": 12 },
        "country": { "type": "string", "pattern": "^[A-Z]{2}$" } } },
    "Item": {
      "type": "object", "required": ["sku", "name", "quantity", "price"], "additionalProperties": false,
      "properties": {
        "sku": { "type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$" }, "name": { "$ref": "#/$defs/Text" },
        "quantity": { "type": "integer", "minimum": 1, "maximum": 1000 },
        "price": { "type": "number", "minimum": 0, "maximum": 100000 }, "gift": { "type": "boolean" } } },
    "NewOrder": {
      "type": "object", "required": ["id", "customer", "items", "total", "currency", "placedAt"],
      "additionalProperties": false,
      "properties": {
        "id": { "type": "string", "format": "uuid" }, "customer": { "$ref": "#/$defs/Customer" },
        "items": { "type": "array", "minItems": 1, "maxItems": 50, "items": { "$ref": "#/$defs/Item" } },
        "total": { "type": "number", "minimum": 0 }, "currency": { "type": "string", "enum": ["CHF", "EUR", "USD"] },
        "placedAt": { "type": "string", "format": "date-time" },
        "priority": { "type": "integer", "minimum": 0, "maximum": 9 }, "note": { "type": "string", "maxLength": 500 },
        "tags": { "type": "array", "maxItems": 10, "uniqueItems": true, "items": { "$ref": "#/$defs/Text" } },
        "metadata": {
          "type": "object", "maxProperties": 10, "additionalProperties": { "type": "string", "maxLength": 100 } } } }
  }
}"##;

const BODY: &str = r#"{"id":"0b0c1f5e-6f0a-4a43-9d9c-0e3a5e1f7d22","customer":{"name":"Ada Lovelace","email":"ada@example.com","street":"12 St James's Square","city":"London","postcode":"SW1Y 4JH","country":"GB"},"items":[{"sku":"ABC-1001","name":"A very nice thing","quantity":1,"price":11.95},{"sku":"ABC-1002","name":"Another \"nice\" thing","quantity":2,"price":12.5,"gift":true},{"sku":"XYZ-0815","name":"Something for the garden","quantity":12,"price":3},{"sku":"XYZ-4711","name":"Eau de Cologne, 100 ml","quantity":1,"price":39.9},{"sku":"LMN-2000","name":"A lamp for the desk","quantity":1,"price":119},{"sku":"LMN-2001","name":"Bulbs for that lamp","quantity":4,"price":7.25}],"total":275.8,"currency":"EUR","placedAt":"2026-03-14T15:09:26.535Z","priority":3,"note":"Please ring twice; the dog is friendly. Leave it with the neighbours at number 14 if nobody opens.","tags":["gift","express","garden"],"metadata":{"campaign":"spring-2026","referrer":"newsletter","basket":"7f3a9c"}}"#;

/// The order as a careful engineer would declare it.
#[allow(dead_code, reason = "it is made, and its making is what is timed")]
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Order {
    id: uuid::Uuid,
    customer: Customer,
    items: Vec<Item>,
    total: f64,
    currency: Currency,
    placed_at: jiff::Timestamp,
    priority: Option<i32>,
    note: Option<String>,
    tags: Option<Vec<String>>,
    metadata: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Customer {
    name: String,
    email: String,
    street: String,
    city: String,
    postcode: Option<String>,
    country: String,
}

#[allow(dead_code, reason = "it is made, and its making is what is timed")]
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    sku: String,
    name: String,
    quantity: i32,
    price: f64,
    gift: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Currency {
    Chf,
    Eur,
    Usd,
}

struct Fault {
    #[allow(dead_code, reason = "for whoever reads the answer")]
    pointer: String,
    #[allow(dead_code, reason = "for whoever reads the answer")]
    rule: &'static str,
}

static SKU: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("^[A-Z]{3}-[0-9]{4}$").ok());
static COUNTRY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("^[A-Z]{2}$").ok());

fn matches(regex: &LazyLock<Option<Regex>>, text: &str) -> bool {
    regex.as_ref().is_some_and(|regex| regex.is_match(text))
}

/// How many characters; counted only where the bytes leave a doubt.
fn within(text: &str, least: usize, most: usize) -> bool {
    text.len() >= least
        && (text.len() <= most || text.chars().count() <= most)
        && (least < 2 || text.chars().count() >= least)
}

/// The rules, each broken one listed with its place.
fn faults(order: &Order) -> Vec<Fault> {
    let mut faults = Vec::new();
    // The pointer is only made where it is needed.
    let mut check = |good: bool, rule: &'static str, pointer: &dyn Fn() -> String| {
        if !good {
            faults.push(Fault { pointer: pointer(), rule });
        }
    };
    let customer = &order.customer;
    check(within(&customer.name, 1, 100), "length", &|| "/customer/name".into());
    check(customer.email.len() <= 254 && Format::Email.admits_text(&customer.email), "format", &|| {
        "/customer/email".into()
    });
    check(within(&customer.street, 1, 100), "length", &|| "/customer/street".into());
    check(within(&customer.city, 1, 100), "length", &|| "/customer/city".into());
    check(customer.postcode.as_ref().is_none_or(|t| within(t, 2, 12)), "length", &|| "/customer/postcode".into());
    check(matches(&COUNTRY, &customer.country), "pattern", &|| "/customer/country".into());
    check((1..=50).contains(&order.items.len()), "items", &|| "/items".into());
    for (i, item) in order.items.iter().enumerate() {
        check(matches(&SKU, &item.sku), "pattern", &|| format!("/items/{i}/sku"));
        check(within(&item.name, 1, 100), "length", &|| format!("/items/{i}/name"));
        check((1..=1000).contains(&item.quantity), "range", &|| format!("/items/{i}/quantity"));
        check((0.0..=100_000.0).contains(&item.price), "range", &|| format!("/items/{i}/price"));
    }
    check(order.total >= 0.0, "minimum", &|| "/total".into());
    check(order.priority.is_none_or(|p| (0..=9).contains(&p)), "range", &|| "/priority".into());
    check(order.note.as_ref().is_none_or(|t| within(t, 0, 500)), "length", &|| "/note".into());
    if let Some(tags) = &order.tags {
        check(tags.len() <= 10, "maxItems", &|| "/tags".into());
        let unique = tags.iter().enumerate().all(|(i, tag)| tags.iter().skip(i + 1).all(|other| other != tag));
        check(unique, "uniqueItems", &|| "/tags".into());
        for (i, tag) in tags.iter().enumerate() {
            check(within(tag, 1, 100), "length", &|| format!("/tags/{i}"));
        }
    }
    if let Some(metadata) = &order.metadata {
        check(metadata.len() <= 10, "maxProperties", &|| "/metadata".into());
        for (name, value) in metadata {
            check(within(value, 0, 100), "maxLength", &|| format!("/metadata/{name}"));
        }
    }
    faults
}

fn by_hand(body: &[u8]) -> Option<Order> {
    let order: Order = serde_json::from_slice(body).ok()?;
    faults(&order).is_empty().then_some(order)
}

/// As `Input::value` does it for a request.
fn generated(body: &[u8], check: Check) -> Option<NewOrder> {
    let document = Document::parse(body).ok()?;
    let mut found = Violations::new();
    found.scope(Scope::Body, document.root());
    check(document.root(), &mut found);
    found.is_empty().then(|| found.decode(document.root()))?
}

fn interpreted(body: &[u8], schema: &jsonschema::Validator) -> Option<serde_json::Value> {
    let value = serde_json::from_slice(body).ok()?;
    schema.is_valid(&value).then_some(value)
}

/// How many rules the body breaks, if it can be read.
fn violations(body: &[u8], check: Check) -> Option<usize> {
    let document = Document::parse(body).ok()?;
    let mut found = Violations::new();
    found.scope(Scope::Body, document.root());
    check(document.root(), &mut found);
    Some(found.list().len())
}

/// All three must give the same verdicts, or their times cannot be compared.
fn agree(check: Check, schema: &jsonschema::Validator) -> Result<(), Box<dyn Error>> {
    for (from, to) in [
        ("", ""),
        ("ABC-1001", "ABC-10012"),
        ("\"quantity\":12", "\"quantity\":0"),
        ("EUR", "eur"),
        ("ada@example.com", "ada"),
        ("London", ""),
        ("SW1Y 4JH", "S"),
        ("\"express\"", "\"gift\""),
        ("2026-03-14T", "2026-02-30T"),
        ("0b0c1f5e-", "0b0c1f5e_"),
        ("\"priority\":3", "\"priority\":10"),
        ("\"priority\"", "\"other\""),
        ("\"currency\":\"EUR\",", ""),
        ("spring-2026", &"x".repeat(101)),
    ] {
        let text = BODY.replacen(from, to, usize::from(!from.is_empty()));
        let text = text.as_bytes();
        let verdicts = [generated(text, check).is_some(), by_hand(text).is_some(), interpreted(text, schema).is_some()];
        if verdicts != [from.is_empty(); 3] {
            return Err(format!("`{from}` as `{to}` is judged {verdicts:?}").into());
        }
    }
    Ok(())
}

/// Prints the figures.
///
/// # Errors
/// The three do not agree on what is valid, so there is nothing to compare.
pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    let Some(Read::Json(body)) = Op::META.body.and_then(|b| b.content.first()).map(|media| media.read) else {
        return Err("the operation has a JSON body".into());
    };
    let schema: serde_json::Value = serde_json::from_str(SCHEMA)?;
    let schema = jsonschema::options().should_validate_formats(true).build(&schema)?;
    agree(body, &schema)?;

    let text = BODY.as_bytes();
    println!("a body of {} bytes, to a valid value; ratios to serde_json alone", text.len());
    compare(vec![
        Contender::new("serde_json alone, to a struct", || serde_json::from_slice::<Order>(text).is_ok()),
        Contender::new("serde_json and checks by hand", || by_hand(text).is_some()),
        Contender::new("generated: all", || generated(text, body).is_some()),
        Contender::new("serde_json and the jsonschema crate", || interpreted(text, &schema).is_some()),
    ]);
    let parsed = Document::parse(text)?;
    println!("of which generated code; ratios to its own parsing");
    compare(vec![
        Contender::new("parse", || Document::parse(text).is_ok()),
        Contender::new("check", || {
            let mut found = Violations::new();
            found.scope(Scope::Body, parsed.root());
            body(parsed.root(), &mut found);
            found.is_empty()
        }),
        Contender::new("decode", || NewOrder::decode(parsed.root()).is_ok()),
    ]);
    let wrong = BODY.replace("ABC-1001", "abc").replace("\"quantity\":12", "\"quantity\":0").replace("EUR", "eur");
    let wrong = wrong.as_bytes();
    println!("the same with three violations; ratios to the jsonschema crate, which lists them too");
    compare(vec![
        Contender::new("serde_json and the jsonschema crate", || {
            let value: serde_json::Value = serde_json::from_slice(wrong).unwrap_or_default();
            schema.iter_errors(&value).map(|e| (e.instance_path().to_string(), e.to_string())).collect::<Vec<_>>()
        }),
        Contender::new("generated: all", || violations(wrong, body)),
    ]);
    Ok(())
}
