//! Reads the policy tables of the finished text back, and compares what they say with the policies that we began with:
//! by the names of schemes, scopes, roles and levels, not by the tokens that wrote them.

use std::collections::{BTreeSet, HashMap};

use gatewright_ir::CheckedIr;
use gatewright_ir::policy::{Access, Bound, Measure, Setting, StepUp};
use quote::ToTokens;
use syn::{Expr, ExprMethodCall, ExprStruct, Item, Lit};

use super::Graph;

/// The file of tables and the API disagree; for the log of a bug, it never happens to users.
pub(crate) fn compare(file: &syn::File, ir: &CheckedIr) -> Result<(), String> {
    let mut values = Values::default();
    values.read(&file.items);
    let api = values.statics.iter().find(|(name, _)| name == "API").ok_or("no table of the API")?;
    let Expr::Struct(api) = api.1 else { return Err("the API's table cannot be read".to_owned()) };
    let grants = Grants::read(api).ok_or("the API's grants cannot be read")?;
    for scheme in field(api, "schemes").and_then(items).ok_or("the API's schemes cannot be read")? {
        let scheme = structure(scheme).ok_or("a scheme cannot be read")?;
        let name = field(scheme, "name").and_then(text).ok_or("a scheme has no name")?;
        if bound(scheme) != ir.policies.scheme(&name).map(|s| s.verify.bound().map(|b| b.value)) {
            return Err(format!("the scheme `{name}` does not bind tokens as its policy says"));
        }
    }
    if !passkeys(api, ir, &values, &grants) {
        return Err("the table of passkeys does not say its scheme".to_owned());
    }
    let usual = values.constants.get("USUAL").ok_or("no usual values")?;
    // What all tables begin with may say how large and how long, and nothing of who may.
    let usual = Table::read(usual, "CLOSED", &values).filter(Table::is_closed);
    usual.ok_or("the usual values say more than they may")?;
    let mut tables: HashMap<String, Table<'_>> = HashMap::new();
    for (_, value) in values.statics.iter().filter(|(name, _)| name != "API") {
        let table = Table::read(value, "USUAL", &values).filter(|t| t.checked);
        let table = table.ok_or("a policy's table cannot be read")?;
        let id = table.operation.first().and_then(|id| text(id)).ok_or("a policy names no operation")?;
        if tables.insert(id.clone(), table).is_some() {
            return Err(format!("`{id}` has two policies"));
        }
    }
    let mut fields = Graph::new(&ir.api.schemas);
    for operation in &ir.api.operations {
        let (read, write, sent) = (fields.read(operation), fields.written(operation), fields.sent(operation));
        let (read, write) = (read.map_err(|e| e.to_string())?, write.map_err(|e| e.to_string())?);
        let sent = sent.map_err(|e| e.to_string())?;
        let table = tables.remove(&operation.id).ok_or_else(|| format!("`{}` has no policy", operation.id))?;
        let policy = ir.policies.get(operation.policy);
        let allow = policy.allow.as_ref().map(|a| &a.value);
        let same = access(&table, &grants) == Some(expected(&policy.access.value))
            && roles(&table, &grants)
                == Some(policy.roles.iter().flat_map(|r| &r.value).map(|r| r.value.clone()).collect())
            && level(&table, &grants) == Some(policy.level.as_ref().map(|l| l.value.clone()))
            && table.count("claims") == Some(policy.claims.as_ref().map_or(0, |c| c.value.len()))
            && measures(&table) == Some(policy.limits.iter().flat_map(|l| &l.value).map(|l| l.measure).collect())
            && cost(&table) == Some(policy.cost.as_ref().map_or(1, |cost| cost.value))
            && idempotency(&table)
                == Some(policy.idempotency.as_ref().map(|i| (i.value.required, u64::from(i.value.expires))))
            && step_up(&table) == Some(policy.step_up.as_ref().map(|step| of_step_up(&step.value)))
            && index(&table, "read") == Some(read)
            && index(&table, "write") == Some(write)
            && index(&table, "parameters") == Some(sent)
            && table.says("allow_networks") == allow.is_some_and(|a| a.networks.is_some())
            && table.says("allow_users") == allow.is_some_and(|a| a.users.is_some())
            && table.says("allow_devices") == allow.is_some_and(|a| a.devices.is_some());
        if !same {
            return Err(format!("the table of `{}` does not say its policy", operation.id));
        }
    }
    match tables.keys().next() {
        Some(id) => Err(format!("the policy of `{id}` belongs to no operation")),
        None => Ok(()),
    }
}

/// Whether the passkeys of the table are those of the document, and whoever may come to their ceremonies is whoever may.
fn passkeys(api: &ExprStruct, ir: &CheckedIr, values: &Values<'_>, grants: &Grants) -> bool {
    let Some((kind, found)) = field(api, "passkeys").and_then(variant) else { return false };
    let Some((scheme, declared)) = super::passkeys::asked(ir) else { return kind == "None" };
    let Some(found) = found.and_then(structure).filter(|_| kind == "Some") else { return false };
    let callers = Access::Guarded(super::passkeys::callers(ir));
    let policy = field(found, "policy").and_then(|policy| Table::read(policy, "CLOSED", values));
    let policy = policy.filter(|policy| policy.checked && access(policy, grants) == Some(expected(&callers)));
    let origins = field(found, "origins").and_then(items).unwrap_or_default();
    let written: Vec<Option<String>> = origins.into_iter().map(setting).collect();
    let verification = field(found, "user_verification").and_then(variant);
    policy.is_some_and(|policy| policy.count("limits") == Some(ir.policies.limits.len() + 1))
        && field(found, "name").and_then(text).as_ref() == Some(&scheme.name.value)
        && field(found, "rp_id").and_then(setting).as_ref() == Some(of_setting(&declared.rp_id))
        && written == declared.origins.iter().map(|o| Some(of_setting(&o.value).clone())).collect::<Vec<_>>()
        && verification.is_some_and(|(word, _)| word == super::passkeys::word(&declared.user_verification))
}

/// The text of a setting.
fn setting(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Struct(found) => text(field(found, "template")?),
        other => text(variant(other)?.1?),
    }
}

fn of_setting(setting: &Setting<String>) -> &String {
    match setting {
        Setting::Fixed(text) | Setting::Environment(text) => text,
    }
}

/// Which bound tokens a scheme takes; nothing where that cannot be read.
#[allow(clippy::option_option)]
fn bound(scheme: &ExprStruct) -> Option<Option<Bound>> {
    let (kind, argument) = variant(field(scheme, "verify")?)?;
    if !matches!(kind.as_str(), "Jwt" | "Introspection") {
        return Some(None);
    }
    match variant(field(structure(argument?)?, "bound")?)? {
        (name, None) if name == "None" => Some(None),
        (name, Some(found)) if name == "Some" => {
            let found = structure(found)?;
            let flag = |name: &str| flag(found, name);
            let (dpop, mtls, require, nonce) = (flag("dpop")?, flag("mtls")?, flag("require")?, flag("nonce")?);
            Some(Some(Bound { dpop, mtls, require, nonce }))
        }
        _ => None,
    }
}

/// Whether a field says `true`.
fn flag(of: &ExprStruct, name: &str) -> Option<bool> {
    match field(of, name)? {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Bool(flag) => Some(flag.value),
            _ => None,
        },
        _ => None,
    }
}

/// The constants and statics of the policies.
#[derive(Default)]
struct Values<'f> {
    statics: Vec<(String, &'f Expr)>,
    constants: HashMap<String, &'f Expr>,
}

impl<'f> Values<'f> {
    fn read(&mut self, items: &'f [Item]) {
        for item in items {
            match item {
                Item::Static(item) => self.statics.push((item.ident.to_string(), &item.expr)),
                Item::Const(item) => drop(self.constants.insert(item.ident.to_string(), &item.expr)),
                Item::Mod(module) if module.ident == "policy" => {
                    module.content.iter().for_each(|(_, items)| self.read(items));
                }
                _ => {}
            }
        }
    }

    /// The value itself, where it is written once for many.
    fn behind(&self, value: &'f Expr) -> &'f Expr {
        match value {
            Expr::Path(path) => {
                path.path.get_ident().and_then(|i| self.constants.get(&i.to_string()).copied()).unwrap_or(value)
            }
            _ => value,
        }
    }
}

/// A table as it is written: where it begins, and a call for each thing that it says.
struct Table<'f> {
    operation: Vec<&'f Expr>,
    fields: HashMap<String, &'f Expr>,
    checked: bool,
}

/// What a table may say beside its operation, each at most once.
const FIELDS: &[&str] = &[
    "roles",
    "level",
    "claims",
    "allow_networks",
    "allow_users",
    "allow_devices",
    "step_up",
    "idempotency",
    "limits",
    "cost",
    "body_limit",
    "timeout",
    "audit",
    "read",
    "write",
    "parameters",
];

impl<'f> Table<'f> {
    /// Reads a chain of calls that begins with a path ending in `first`; `None` for any other word.
    fn read(value: &'f Expr, first: &str, values: &Values<'f>) -> Option<Table<'f>> {
        let mut table = Table { operation: Vec::new(), fields: HashMap::new(), checked: false };
        let mut rest = value;
        let mut last = true;
        while let Expr::MethodCall(ExprMethodCall { receiver, method, args, .. }) = rest {
            let args: Vec<&Expr> = args.iter().map(|a| values.behind(a)).collect();
            match (method.to_string().as_str(), args.as_slice()) {
                // A table is closed by `checked`, or it is not closed.
                ("checked", []) if last => table.checked = true,
                ("operation", [_, _, _]) if table.operation.is_empty() => table.operation = args,
                (name, [value]) if FIELDS.contains(&name) => {
                    if table.fields.insert(name.to_owned(), value).is_some() {
                        return None;
                    }
                }
                _ => return None,
            }
            last = false;
            rest = receiver;
        }
        (variant(rest)?.0 == first).then_some(table)
    }

    /// Whether it says nothing of who may.
    fn is_closed(&self) -> bool {
        self.operation.is_empty()
            && self.fields.keys().all(|name| ["body_limit", "timeout", "audit"].contains(&name.as_str()))
    }

    fn says(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    fn count(&self, name: &str) -> Option<usize> {
        self.fields.get(name).map_or(Some(0), |list| Some(items(list)?.len()))
    }
}

/// What each limit counts.
fn measures(table: &Table<'_>) -> Option<Vec<Measure>> {
    let limits = table.fields.get("limits").map_or(Some(Vec::new()), |list| items(list))?;
    let measure = |limit: &&Expr| {
        let quota = field(structure(limit)?, "quota")?;
        Some(match variant(quota).as_ref().map(|(kind, _)| kind.as_str()) {
            Some("Calendar") => Measure::Calendar,
            Some("Concurrent") => Measure::Concurrent,
            Some(_) | None => Measure::Rate,
        })
    };
    limits.iter().map(measure).collect()
}

fn cost(table: &Table<'_>) -> Option<u32> {
    table.fields.get("cost").map_or(Some(1), |cost| u32::try_from(number(cost)?).ok())
}

/// Who may, in names: an alternative is its schemes with their scopes.
#[derive(Debug, PartialEq)]
enum Who {
    Public(String),
    Open,
    Nobody,
    Any(Vec<BTreeSet<String>>),
}

fn expected(access: &Access) -> Who {
    match access {
        Access::Public(reason) => Who::Public(reason.value.clone()),
        Access::Unsaid | Access::Opened => Who::Open,
        Access::Nobody => Who::Nobody,
        Access::Guarded(alternatives) => Who::Any(
            alternatives
                .iter()
                .map(|a| {
                    let schemes = a.needs.iter().map(|n| n.scheme.value.clone());
                    let scopes = a
                        .needs
                        .iter()
                        .flat_map(|n| n.scopes.iter().map(|s| format!("{}\0{}", n.scheme.value, s.value)));
                    schemes.chain(scopes).collect()
                })
                .collect(),
        ),
    }
}

/// The name of each bit.
struct Grants {
    names: HashMap<u16, String>,
    roles: HashMap<u16, String>,
}

impl Grants {
    fn read(api: &ExprStruct) -> Option<Grants> {
        let mut names = HashMap::new();
        for scheme in items(field(api, "schemes")?)? {
            let scheme = structure(scheme)?;
            let name = text(field(scheme, "name")?)?;
            names.insert(number(field(scheme, "bit")?)? as u16, name.clone());
            for scope in items(field(scheme, "scopes")?)? {
                let Expr::Tuple(pair) = scope else { return None };
                let mut pair = pair.elems.iter();
                let (scope, bit) = (text(pair.next()?)?, number(pair.next()?)? as u16);
                names.insert(bit, format!("{name}\0{scope}"));
            }
        }
        Some(Grants { roles: HashMap::new(), names }.with_roles(api))
    }

    /// Roles stand behind the scopes, in the order of their table: the generator numbers them so.
    fn with_roles(mut self, api: &ExprStruct) -> Grants {
        let first = self.names.keys().max().map_or(0, |m| m + 1);
        let names = ["roles", "levels"].into_iter().filter_map(|t| field(api, t)).filter_map(items).flatten();
        for (i, row) in names.enumerate() {
            if let Some(name) = structure(row).and_then(|r| field(r, "name")).and_then(text) {
                self.roles.insert(first + i as u16, name);
            }
        }
        self
    }
}

fn access(table: &Table<'_>, grants: &Grants) -> Option<Who> {
    let (variant, argument) = variant(table.operation.get(2)?)?;
    Some(match variant.as_str() {
        "Public" => Who::Public(text(argument?)?),
        "Unguarded" => Who::Open,
        "Guarded" => {
            let mut any = Vec::new();
            for alternative in items(argument?)? {
                let alternative = structure(alternative)?;
                let authorized = bits(field(alternative, "authorized")?)?;
                let names: Option<BTreeSet<String>> = authorized.iter().map(|b| grants.names.get(b).cloned()).collect();
                // What authenticates must be exactly the schemes among it.
                let authenticated: Option<BTreeSet<String>> =
                    bits(field(alternative, "authenticated")?)?.iter().map(|b| grants.names.get(b).cloned()).collect();
                let names = names?;
                let schemes: BTreeSet<String> = names.iter().filter(|n| !n.contains('\0')).cloned().collect();
                if authenticated? != schemes || items(field(alternative, "schemes")?)?.len() != schemes.len() {
                    return None;
                }
                any.push(names);
            }
            if any.is_empty() {
                return None;
            }
            Who::Any(any)
        }
        _ => return None,
    })
}

fn roles(table: &Table<'_>, grants: &Grants) -> Option<BTreeSet<String>> {
    let Some(list) = table.fields.get("roles") else { return Some(BTreeSet::new()) };
    bits(list)?.iter().map(|b| grants.roles.get(b).cloned()).collect()
}

#[allow(clippy::option_option)]
fn level(table: &Table<'_>, grants: &Grants) -> Option<Option<String>> {
    let Some(bit) = table.fields.get("level") else { return Some(None) };
    Some(Some(grants.roles.get(&(number(bit)? as u16))?.clone()))
}

/// The method of a step-up, the `acr` that it takes, and its seconds.
type Step = (String, Vec<String>, u64);

#[allow(clippy::option_option)]
fn step_up(table: &Table<'_>) -> Option<Option<Step>> {
    let Some(step) = table.fields.get("step_up") else { return Some(None) };
    let step = structure(step)?;
    let (method, acr) = match field(step, "method")? {
        Expr::Struct(method) => {
            let acr = items(field(method, "acr")?)?.into_iter().map(text).collect::<Option<Vec<_>>>()?;
            (method.path.segments.last()?.ident.to_string(), acr)
        }
        other => (variant(other)?.0, Vec::new()),
    };
    Some(Some((method, acr, number(field(step, "within")?)?)))
}

/// Whether a key is required, and for how many seconds a result is kept.
#[allow(clippy::option_option)]
fn idempotency(table: &Table<'_>) -> Option<Option<(bool, u64)>> {
    let Some(idempotency) = table.fields.get("idempotency") else { return Some(None) };
    let idempotency = structure(idempotency)?;
    Some(Some((flag(idempotency, "required")?, number(field(idempotency, "expires")?)?)))
}

fn of_step_up(step: &StepUp) -> Step {
    let method = if step.method.value == "webauthn" { "WebAuthn" } else { "Mfa" };
    (method.to_owned(), step.acr.iter().map(|acr| acr.value.clone()).collect(), u64::from(step.within))
}

/// The index that a table names, if it names one.
#[allow(clippy::option_option)]
fn index(table: &Table<'_>, name: &str) -> Option<Option<usize>> {
    let Some(index) = table.fields.get(name) else { return Some(None) };
    Some(Some(number(index)? as usize))
}

/// The struct literal in an expression.
fn structure(expr: &Expr) -> Option<&ExprStruct> {
    match expr {
        Expr::Struct(found) => Some(found),
        Expr::Reference(reference) => structure(&reference.expr),
        _ => None,
    }
}

fn field<'e>(expr: &'e ExprStruct, name: &str) -> Option<&'e Expr> {
    expr.fields.iter().find(|f| matches!(&f.member, syn::Member::Named(n) if n == name)).map(|f| &f.expr)
}

fn items(expr: &Expr) -> Option<Vec<&Expr>> {
    match expr {
        Expr::Reference(reference) => items(&reference.expr),
        Expr::Array(array) => Some(array.elems.iter().collect()),
        _ => None,
    }
}

/// The last segment of a path or call, and the first argument.
fn variant(expr: &Expr) -> Option<(String, Option<&Expr>)> {
    let last = |expr: &Expr| match expr {
        Expr::Path(path) => path.path.segments.last().map(|s| s.ident.to_string()),
        _ => None,
    };
    match expr {
        Expr::Call(call) => Some((last(&call.func)?, call.args.first())),
        other => Some((last(other)?, None)),
    }
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

fn number(expr: &Expr) -> Option<u64> {
    match expr {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(n) => n.base10_digits().parse().ok(),
            _ => None,
        },
        other => other.to_token_stream().to_string().parse().ok(),
    }
}

/// The bits that are set in a list of words.
fn bits(expr: &Expr) -> Option<Vec<u16>> {
    let mut set = Vec::new();
    for (i, word) in items(expr)?.into_iter().enumerate() {
        let word = number(word)?;
        set.extend((0..64_u16).filter(|bit| word >> bit & 1 == 1).map(|bit| i as u16 * 64 + bit));
    }
    Some(set)
}
