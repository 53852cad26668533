//! How long a request body takes from bytes to a checked, typed value, beside `serde_json` into an equal struct with the
//! same checks by hand. Ratios of one run mean something on any machine: `cargo run --release --example json_speed`.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use gatewright::json::check::{self, Array, Object, Property, Rest};
use gatewright::json::{Bound, Document, FromJson, Mismatch, Pattern, Scope, Value, Violations, optional, required};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    id: String,
    customer: Customer,
    items: Vec<Item>,
    total: f64,
    note: Option<String>,
    priority: i64,
    tags: Vec<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Customer {
    name: String,
    email: String,
    address: String,
    city: String,
    country: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    sku: String,
    name: String,
    quantity: i64,
    price: f64,
}

/// A struct as the generator writes its reading.
macro_rules! decoded {
    ($name:ident { $($field:ident: $how:ident),* }, $count:literal) => {
        impl FromJson for $name {
            fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
                let [$($field),*] = value.pick::<$count>(&[$(stringify!($field)),*])?;
                Ok($name { $($field: decoded!($how value $field)),* })
            }
        }
    };
    (required $value:ident $member:ident) => { required($value, $member)? };
    (optional $value:ident $member:ident) => { optional($member)? };
}
decoded!(
    Order {
        id: required,
        customer: required,
        items: required,
        total: required,
        note: optional,
        priority: required,
        tags: required
    },
    7
);
decoded!(Customer { name: required, email: required, address: required, city: required, country: required }, 5);
decoded!(Item { sku: required, name: required, quantity: required, price: required }, 4);

static SKU: Pattern = Pattern::new("^[A-Z]{3}-[0-9]{4}$", "^[A-Z]{3}-[0-9]{4}$");

const fn field(name: &'static str, check: gatewright::json::Check) -> Property {
    Property { name, check, flags: Property::REQUIRED }
}

fn text(value: Value<'_>, found: &mut Violations) {
    if check::types(value, found, check::STRING) {
        check::min_length(value, found, 1);
        check::max_length(value, found, 100);
    }
}

fn sku(value: Value<'_>, found: &mut Violations) {
    if check::types(value, found, check::STRING) {
        check::pattern(value, found, &SKU);
    }
}

fn quantity(value: Value<'_>, found: &mut Violations) {
    if check::types(value, found, check::INTEGER) {
        check::minimum(value, found, &Bound::new("1", Some(1)));
        check::maximum(value, found, &Bound::new("1000", Some(1000)));
    }
}

fn price(value: Value<'_>, found: &mut Violations) {
    if check::types(value, found, check::NUMBER) {
        check::minimum(value, found, &Bound::new("0", Some(0)));
    }
}

fn item(value: Value<'_>, found: &mut Violations) {
    static RULES: Object = Object {
        properties: &[field("sku", sku), field("name", text), field("quantity", quantity), field("price", price)],
        required: 4,
        rest: Rest::Closed,
        ..Object::ANY
    };
    if check::types(value, found, check::OBJECT) {
        check::object(value, found, &RULES);
    }
}

fn items(value: Value<'_>, found: &mut Violations) {
    static RULES: Array = Array { min: 1, max: 50, items: Some(item), ..Array::ANY };
    if check::types(value, found, check::ARRAY) {
        check::array(value, found, &RULES);
    }
}

fn tags(value: Value<'_>, found: &mut Violations) {
    static RULES: Array = Array { max: 10, items: Some(text), ..Array::ANY };
    if check::types(value, found, check::ARRAY) {
        check::array(value, found, &RULES);
    }
}

fn customer(value: Value<'_>, found: &mut Violations) {
    static RULES: Object = Object {
        properties: &[
            field("name", text),
            field("email", text),
            field("address", text),
            field("city", text),
            field("country", text),
        ],
        required: 5,
        rest: Rest::Closed,
        ..Object::ANY
    };
    if check::types(value, found, check::OBJECT) {
        check::object(value, found, &RULES);
    }
}

fn order(value: Value<'_>, found: &mut Violations) {
    static RULES: Object = Object {
        properties: &[
            field("id", text),
            field("customer", customer),
            field("items", items),
            field("total", price),
            Property { name: "note", check: text, flags: 0 },
            field("priority", quantity),
            field("tags", tags),
        ],
        required: 6,
        rest: Rest::Closed,
        ..Object::ANY
    };
    if check::types(value, found, check::OBJECT) {
        check::object(value, found, &RULES);
    }
}

fn ours(body: &[u8]) -> Option<Order> {
    let document = Document::parse(body).ok()?;
    let mut found = Violations::new();
    found.scope(Scope::Body, document.root());
    order(document.root(), &mut found);
    let decoded = found.is_empty().then(|| found.decode(document.root()))?;
    decoded.filter(|_| found.is_empty())
}

/// The same checks by hand.
fn theirs(body: &[u8], sku: &gatewright_regex::Regex) -> Option<Order> {
    let order: Order = serde_json::from_slice(body).ok()?;
    let text = |text: &str| !text.is_empty() && text.len() <= 400 && text.chars().count() <= 100;
    let customer = &order.customer;
    let texts = [&order.id, &customer.name, &customer.email, &customer.address, &customer.city, &customer.country];
    let good = texts.into_iter().chain(&order.note).chain(&order.tags).all(|t| text(t))
        && order.total >= 0.0
        && (1..=1000).contains(&order.priority)
        && order.tags.len() <= 10
        && (1..=50).contains(&order.items.len())
        && order.items.iter().all(|item| {
            sku.is_match(&item.sku) && text(&item.name) && (1..=1000).contains(&item.quantity) && item.price >= 0.0
        });
    good.then_some(order)
}

mod gatewright_regex {
    pub(crate) use regex::Regex;
}

/// The least time of one call.
fn least<T>(mut call: impl FnMut() -> T) -> Duration {
    let rounds = 200;
    (0..300)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..rounds {
                black_box(call());
            }
            start.elapsed() / rounds
        })
        .min()
        .unwrap_or_default()
}

fn main() {
    let items: Vec<String> = (0..8)
        .map(|n| {
            format!(r#"{{"sku":"ABC-100{n}","name":"A very nice thing {n}","quantity":{},"price":1{n}.95}}"#, n + 1)
        })
        .collect();
    let body = format!(
        r#"{{"id":"ord-2026-000123","customer":{{"name":"Ada Lovelace","email":"ada@example.com","address":"12 St James's Square","city":"London","country":"GB"}},"items":[{}],"total":319.6,"note":"Please ring twice \"loud\"","priority":3,"tags":["gift","express"]}}"#,
        items.join(",")
    );
    let body = body.as_bytes();
    let sku = gatewright_regex::Regex::new("^[A-Z]{3}-[0-9]{4}$").unwrap();
    assert!(ours(body).is_some() && theirs(body, &sku).is_some());
    let parsed = Document::parse(body).unwrap();
    let base = least(|| theirs(black_box(body), &sku));
    println!("{} bytes; serde_json and checks by hand: {} ns", body.len(), base.as_nanos());
    let show = |what: &str, time: Duration| {
        println!("{what:28} {:6} ns  {:.2}", time.as_nanos(), time.as_secs_f64() / base.as_secs_f64());
    };
    show("ours, all", least(|| ours(black_box(body))));
    let parse = least(|| Document::parse(black_box(body)));
    show("  parse", parse);
    println!("  parse, MB/s                {:6.0}", body.len() as f64 / parse.as_secs_f64() / 1e6);
    show(
        "  check",
        least(|| {
            let mut found = Violations::new();
            found.scope(Scope::Body, parsed.root());
            order(parsed.root(), &mut found);
            found.is_empty()
        }),
    );
    show("  decode", least(|| Order::decode(parsed.root()).is_ok()));
    show("serde_json::Value", least(|| serde_json::from_slice::<serde_json::Value>(black_box(body))));
    let large = format!("[{}]", vec![String::from_utf8_lossy(body); 1000].join(","));
    // The least of some: an average would measure what else the machine does.
    let time = (0..30).map(|_| {
        let start = Instant::now();
        black_box(Document::parse(black_box(large.as_bytes())).is_ok());
        start.elapsed()
    });
    let time = time.min().unwrap_or_default();
    println!("{} bytes: {:.0} MB/s", large.len(), large.len() as f64 / time.as_secs_f64() / 1e6);
}
