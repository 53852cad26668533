//! Reads the policy tables of the finished text back, and compares what they say with the policies that we began with:
//! by the names of schemes, scopes, roles and levels, not by the tokens that wrote them.

use std::collections::{BTreeSet, HashMap};

use gatewright_ir::CheckedIr;
use gatewright_ir::policy::{Access, Bound, PolicySet};
use quote::ToTokens;
use syn::{Expr, ExprStruct, Item, ItemStatic, Lit};

/// The file of tables and the API disagree; for the log of a bug, it never happens to users.
pub(crate) fn compare(file: &syn::File, ir: &CheckedIr) -> Result<(), String> {
    let statics: Vec<&ItemStatic> = statics(&file.items);
    let api = statics.iter().find(|s| s.ident == "API").ok_or("no table of the API")?;
    let api = structure(&api.expr).ok_or("the API's table cannot be read")?;
    let grants = Grants::read(api).ok_or("the API's grants cannot be read")?;
    for scheme in field(api, "schemes").and_then(items).ok_or("the API's schemes cannot be read")? {
        let scheme = structure(scheme).ok_or("a scheme cannot be read")?;
        let name = field(scheme, "name").and_then(text).ok_or("a scheme has no name")?;
        if bound(scheme) != ir.policies.scheme(&name).map(|s| s.verify.bound().map(|b| b.value)) {
            return Err(format!("the scheme `{name}` does not bind tokens as its policy says"));
        }
    }
    let mut tables: HashMap<String, &ExprStruct> = HashMap::new();
    for item in statics.iter().filter(|s| s.ident != "API") {
        let table = structure(&item.expr).ok_or("a policy's table cannot be read")?;
        let id = field(table, "operation").and_then(text).ok_or("a policy names no operation")?;
        if tables.insert(id.clone(), table).is_some() {
            return Err(format!("`{id}` has two policies"));
        }
    }
    for operation in &ir.api.operations {
        let table = tables.remove(&operation.id).ok_or_else(|| format!("`{}` has no policy", operation.id))?;
        let policy = ir.policies.get(operation.policy);
        let same = access(table, &grants) == Some(expected(&policy.access.value))
            && roles(table, &grants)
                == Some(policy.roles.iter().flat_map(|r| &r.value).map(|r| r.value.clone()).collect())
            && level(table, &grants, &ir.policies) == Some(policy.level.as_ref().map(|l| l.value.clone()))
            && count(table, "claims") == Some(policy.claims.as_ref().map_or(0, |c| c.value.len()))
            && count(table, "limits") == Some(policy.limits.as_ref().map_or(0, |l| l.value.len()))
            && is_some(table, "allow_networks") == policy.allow.as_ref().is_some_and(|a| a.value.networks.is_some())
            && is_some(table, "allow_users") == policy.allow.as_ref().is_some_and(|a| a.value.users.is_some());
        if !same {
            return Err(format!("the table of `{}` does not say its policy", operation.id));
        }
    }
    match tables.keys().next() {
        Some(id) => Err(format!("the policy of `{id}` belongs to no operation")),
        None => Ok(()),
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
            let flag = |name: &str| match field(found, name)? {
                Expr::Lit(lit) => match &lit.lit {
                    Lit::Bool(flag) => Some(flag.value),
                    _ => None,
                },
                _ => None,
            };
            let (dpop, mtls, require, nonce) = (flag("dpop")?, flag("mtls")?, flag("require")?, flag("nonce")?);
            Some(Some(Bound { dpop, mtls, require, nonce }))
        }
        _ => None,
    }
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

fn access(table: &ExprStruct, grants: &Grants) -> Option<Who> {
    let (variant, argument) = variant(field(table, "access")?)?;
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

fn roles(table: &ExprStruct, grants: &Grants) -> Option<BTreeSet<String>> {
    bits(field(table, "roles")?)?.iter().map(|b| grants.roles.get(b).cloned()).collect()
}

#[allow(clippy::option_option)]
fn level(table: &ExprStruct, grants: &Grants, _: &PolicySet) -> Option<Option<String>> {
    match variant(field(table, "level")?)? {
        (name, Some(bit)) if name == "Some" => Some(Some(grants.roles.get(&(number(bit)? as u16))?.clone())),
        (name, None) if name == "None" => Some(None),
        _ => None,
    }
}

fn count(table: &ExprStruct, name: &str) -> Option<usize> {
    Some(items(field(table, name)?)?.len())
}

fn is_some(table: &ExprStruct, name: &str) -> bool {
    field(table, name).and_then(variant).is_some_and(|(name, _)| name == "Some")
}

fn statics(items: &[Item]) -> Vec<&ItemStatic> {
    let mut found = Vec::new();
    for item in items {
        match item {
            Item::Static(item) => found.push(item),
            Item::Mod(module) if module.ident == "policy" => {
                found.extend(module.content.iter().flat_map(|(_, items)| statics(items)));
            }
            _ => {}
        }
    }
    found
}

/// The struct literal in an expression, behind `.checked()`.
fn structure(expr: &Expr) -> Option<&ExprStruct> {
    match expr {
        Expr::Struct(found) => Some(found),
        Expr::MethodCall(call) => structure(&call.receiver),
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
