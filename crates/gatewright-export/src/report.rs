//! Reports for people who review an API and do not read its document: who may call what, and which errors come back. They
//! are files to be committed; the same document gives the same text.

use gatewright_diag::SourceMap;
use gatewright_ir::api::StatusKey;
use gatewright_ir::policy::{Measure, Setting};
use gatewright_ir::{Ir, Operation};
use gatewright_policy::{Check, Refusal};
use minijinja::{Value, context};

use crate::explain::{self, Row};
use crate::template::{cell, environment};

/// Who may call what: a row for each operation, and what roles, levels and networks stand for.
///
/// # Errors
/// The template is wrong: our mistake, said in a few words.
pub fn matrix(ir: &Ir, map: &SourceMap) -> Result<String, String> {
    let operations: Vec<Value> = ir.api.operations.iter().map(|op| Value::from(operation(ir, op, map))).collect();
    let policies = &ir.policies;
    let list = |names: &[gatewright_diag::Spanned<String>]| {
        let mut names: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
        names.sort_unstable();
        cell(&names.join(", "))
    };
    let roles =
        policies.roles.iter().map(|role| vec![cell(&role.name.value), list(&role.inherits), list(&role.scopes)]);
    let levels = policies.levels.iter().map(|level| {
        let rate = level.rate.as_ref().map(|rate| explain::rate(&rate.value, Measure::Rate)).unwrap_or_default();
        vec![cell(&level.name.value), list(&level.scopes), cell(&rate)]
    });
    let networks = policies.networks.iter().map(|network| {
        let ranges: Vec<&str> = network
            .ranges
            .iter()
            .map(|range| match &range.value {
                Setting::Fixed(text) | Setting::Environment(text) => text.as_str(),
            })
            .collect();
        vec![cell(&network.name.value), cell(&ranges.join(", "))]
    });
    render(
        include_str!("../templates/report/matrix.md.jinja"),
        context! {
            title => ir.api.title.as_str(),
            operations => operations,
            roles => roles.collect::<Vec<_>>(),
            levels => levels.collect::<Vec<_>>(),
            networks => networks.collect::<Vec<_>>(),
        },
    )
}

fn operation(ir: &Ir, operation: &Operation, map: &SourceMap) -> Vec<String> {
    let rows = explain::rows(ir, operation, map);
    // What nobody said is no rule of this operation.
    let column = |checks: &[Check], keys: &[&str]| {
        let found = rows.iter().filter(|row: &&Row| checks.contains(&row.check) && keys.contains(&row.key));
        cell(&found.map(|row| row.value.as_str()).collect::<Vec<_>>().join("; "))
    };
    let route = format!("{} {} ({})", operation.method, operation.path.text, operation.id);
    vec![
        cell(&route),
        column(&[Check::Authentication, Check::Scopes], &["security", "public"]),
        column(&[Check::Level], &["level"]),
        column(&[Check::Roles], &["roles"]),
        column(&[Check::Claims, Check::BodyClaims], &["claims"]),
        column(
            &[Check::Connection, Check::Networks, Check::AllowedCaller],
            &["allow.networks", "allow.users", "allow.devices"],
        ),
        column(&[Check::StepUp], &["step-up"]),
        column(&[Check::Owner, Check::ResponseFilter], &["owner"]),
        column(&[Check::Content, Check::ResponseFilter], &["read", "write"]),
        column(&[Check::AddressRate, Check::CallerRate], &["rate-limit", "cost"]),
    ]
}

/// Every error that a client of the API may get, and when.
///
/// # Errors
/// The template is wrong: our mistake, said in a few words.
pub fn errors(ir: &Ir) -> Result<String, String> {
    let base = ir.policies.errors.type_base.as_ref().map(|base| match base {
        Setting::Fixed(text) | Setting::Environment(text) => text.clone(),
    });
    let mut slugs: Vec<&str> = Vec::new();
    let mut refusals: Vec<Value> = Vec::new();
    for refusal in Refusal::ALL {
        let slug = refusal.slug();
        // Those that share a type are one error to whoever gets it.
        if slugs.contains(&slug) {
            continue;
        }
        slugs.push(slug);
        let status = match refusal {
            Refusal::Invalid => ir.policies.errors.validation,
            other => other.status(),
        };
        let title = refusal.title();
        let kind = format!("{}{slug}", base.as_deref().unwrap_or_default());
        refusals.push(Value::from(vec![status.to_string(), cell(&kind), cell(&title), cell(refusal.when())]));
    }
    let declared = ir.api.operations.iter().flat_map(|operation| {
        operation.responses.iter().filter_map(|response| {
            let code = match response.status {
                StatusKey::Code(code) => code.to_string(),
                StatusKey::Class(class) => format!("{class}XX"),
                StatusKey::Default => "any other".to_owned(),
            };
            let said = response.description.as_deref().unwrap_or_default().trim();
            response.status.is_error().then(|| vec![cell(&operation.id), cell(&code), cell(said)])
        })
    });
    render(
        include_str!("../templates/report/errors.md.jinja"),
        context! {
            title => ir.api.title.as_str(),
            has_base => base.is_some(),
            base => base.unwrap_or_default(),
            refusals => refusals,
            declared => declared.collect::<Vec<_>>(),
        },
    )
}

fn render(template: &str, values: Value) -> Result<String, String> {
    environment()?.render_str(template, values).map_err(|e| e.to_string())
}
