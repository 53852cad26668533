//! `gatewright keys`: API keys of a store. A key is shown once, when it is made; only a hash is kept. One process may have a
//! file open: stop the server first, or keep keys in PostgreSQL, which servers and this command share.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use gatewright_compiler::compile;
use gatewright_diag::nearest;
use gatewright_diag::show::clean;
use gatewright_ir::policy::{ApiKey, PolicySet, Verify};
use gatewright_store::{Issued, KeyRecord, Keys, Order, Pepper, Usage};

use crate::args::{self, Format, KeyCommand, KeyRules};
use crate::store::{DAY, moment, open, wait};
use crate::ui::{Exit, Outcome, Run, Stop, Ui};

/// Where the secret is, if no file is named.
const PEPPER: &str = "GATEWRIGHT_PEPPER";

/// What is to be done, when all that the document says of it is known.
enum Task {
    Issue(Box<Order>),
    Rotate(String, ApiKey),
    Revoke(String),
    Allow(String, String),
    List(Vec<ApiKey>),
    Usage(Option<String>),
}

pub(crate) fn run(args: &args::Keys, ui: &Ui) -> Outcome {
    let now = now()?;
    // What the document says is asked before the store is made: a mistake leaves nothing behind.
    let Some(task) = task(&args.command, now, ui)? else { return Ok(Exit::Found) };
    let store = open(&args.place, matches!(task, Task::Issue(_)))?;
    let keys = Keys::new(store, pepper(args.pepper.as_deref())?);
    wait(perform(task, &keys, now, ui))?
}

async fn perform(task: Task, keys: &Keys, now: i64, ui: &Ui) -> Outcome {
    match task {
        Task::Issue(order) => show(ui, "Issued", &keys.issue(*order, now).await?)?,
        Task::Rotate(id, scheme) => {
            let of_scheme = |record: &&KeyRecord| record.id == id && record.prefix == scheme.prefix;
            if !keys.list().await?.iter().any(|record| of_scheme(&record)) {
                return Err(Stop(format!("no key of the prefix `{}` has the id `{}`", scheme.prefix, clean(&id))));
            }
            let issued = keys.rotate(&id, i64::from(scheme.grace), now).await?;
            ui.done("Replaced", &format!("{id}; it works for {} more", span(scheme.grace)));
            show(ui, "Issued", &issued)?;
        }
        Task::Revoke(id) => {
            let record = keys.revoke(&id, now).await?;
            ui.done("Revoked", &record.id);
        }
        Task::Allow(id, network) => {
            let verb = if keys.allow(&id, &network, now).await? { "Allowed" } else { "Known" };
            ui.done(verb, &format!("{} in {network}", clean(&id)));
        }
        Task::List(schemes) => {
            let used = keys.usage().await?;
            let mut list = keys.list().await?;
            list.sort_by(|a, b| (a.issued, &a.id).cmp(&(b.issued, &b.id)));
            ui.out(&list.iter().map(|record| line(record, &used, &schemes, now)).collect::<String>())?;
        }
        Task::Usage(id) => {
            let mut used = keys.usage().await?;
            used.retain(|usage| id.as_ref().is_none_or(|id| usage.id == *id));
            ui.out(&used.iter().map(usage).collect::<String>())?;
        }
    }
    Ok(Exit::Good)
}

fn show(ui: &Ui, verb: &str, issued: &Issued) -> Result<(), Stop> {
    ui.done(verb, &format!("{}; the key is shown this once", issued.record.id));
    ui.out(&format!("{}\n", issued.text.as_str()))
}

/// `None` if the document has errors, which were shown.
fn task(command: &KeyCommand, now: i64, ui: &Ui) -> Result<Option<Task>, Stop> {
    Ok(Some(match command {
        KeyCommand::Issue { rules, label, subject, client, level, expires_in, network } => {
            let Some(policies) = policies(&rules.spec, ui)? else { return Ok(None) };
            let scheme = key_scheme(&policies, rules)?;
            if let Some(level) = level {
                check_level(&policies, level, &rules.spec)?;
            }
            Task::Issue(Box::new(Order {
                prefix: scheme.prefix.clone(),
                label: label.clone(),
                subject: Some(subject.clone()),
                client: client.clone(),
                level: level.clone(),
                networks: network.iter().map(|text| self::network(text)).collect::<Result<_, _>>()?,
                works_until: expires_in.map(|days| now.saturating_add(i64::from(days) * DAY)),
                ..Order::default()
            }))
        }
        KeyCommand::Rotate { id, rules } => {
            let Some(policies) = policies(&rules.spec, ui)? else { return Ok(None) };
            Task::Rotate(id.clone(), key_scheme(&policies, rules)?.clone())
        }
        KeyCommand::Revoke { id } => Task::Revoke(id.clone()),
        KeyCommand::Allow { id, network } => Task::Allow(id.clone(), self::network(network)?),
        KeyCommand::List { spec: None } => Task::List(Vec::new()),
        KeyCommand::List { spec: Some(spec) } => {
            let Some(policies) = policies(spec, ui)? else { return Ok(None) };
            Task::List(key_schemes(&policies).map(|(_, key)| key.clone()).collect())
        }
        KeyCommand::Usage { id } => Task::Usage(id.clone()),
    }))
}

/// A network as the store writes it: that of an address, or the same with its length, which is always the same.
fn network(text: &str) -> Result<String, Stop> {
    let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let known = address.parse().map(gatewright_store::network).ok();
    let fits = |known: &String| length.is_none() || known == text;
    known.filter(fits).ok_or_else(|| {
        Stop(format!(
            "`{}` is no network of a key: write an address, or `192.0.2.0/24`, or `2001:db8:1::/48`",
            clean(text)
        ))
    })
}

fn now() -> Result<i64, Stop> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(i64::try_from(since.as_secs())?)
}

fn pepper(file: Option<&Path>) -> Result<Pepper, Stop> {
    let secret = match file {
        Some(path) => {
            let text = std::fs::read(path).map_err(|e| Stop(format!("cannot read `{}`: {e}", path.display())))?;
            text.trim_ascii().to_vec()
        }
        None => match std::env::var(PEPPER) {
            Ok(text) => text.trim().as_bytes().to_vec(),
            Err(_) => {
                return Err(Stop(format!("say the secret of the store: `--pepper FILE`, or the variable {PEPPER}")));
            }
        },
    };
    Ok(Pepper::new(secret)?)
}

/// What the document says; `None` if it has errors.
fn policies(spec: &Path, ui: &Ui) -> Result<Option<PolicySet>, Stop> {
    let document = super::open(spec, None, true)?;
    let done = compile(&document.loader, &document.entry, &document.options);
    match &done.ir {
        Some(ir) => Ok(Some(ir.policies.clone())),
        None => {
            ui.show(&[Run::of(&done)], Format::Human)?;
            Ok(None)
        }
    }
}

fn check_level(policies: &PolicySet, level: &str, spec: &Path) -> Result<(), Stop> {
    let known = policies.levels.iter().map(|l| l.name.value.as_str());
    if known.clone().any(|name| name == level) {
        return Ok(());
    }
    let near = nearest(level, known).map(|near| format!("; is it `{near}`?")).unwrap_or_default();
    Err(Stop(format!("`{}` has no level `{level}`{near}", spec.display())))
}

fn key_schemes(policies: &PolicySet) -> impl Iterator<Item = (&str, &ApiKey)> {
    policies.schemes.iter().filter_map(|scheme| match &scheme.verify {
        Verify::ApiKey(key) => Some((scheme.name.value.as_str(), key)),
        _ => None,
    })
}

fn key_scheme<'a>(policies: &'a PolicySet, rules: &KeyRules) -> Result<&'a ApiKey, Stop> {
    let wanted = rules.scheme.as_deref();
    let mut found = key_schemes(policies).filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name));
    match (found.next(), found.next()) {
        (Some((_, one)), None) => Ok(one),
        (None, _) => Err(Stop("the document has no such scheme with leveled API keys".to_owned())),
        (Some(_), Some(_)) => {
            Err(Stop("the document has several schemes with API keys: say `--scheme NAME`".to_owned()))
        }
    }
}

/// A key as a line: never its secret, of which only a hash is kept.
fn line(record: &KeyRecord, used: &[Usage], schemes: &[ApiKey], now: i64) -> String {
    let rotate_every = schemes.iter().find(|scheme| scheme.prefix == record.prefix).and_then(|s| s.rotate_every);
    let due = rotate_every.is_some_and(|every| now >= record.issued.saturating_add(i64::from(every)));
    let state = match (record.revoked, record.works(now), &record.replaced_by) {
        (Some(_), ..) => "revoked",
        (None, false, Some(_)) => "replaced",
        (None, false, None) => "expired",
        (None, true, Some(_)) => "replaced, in grace",
        (None, true, None) if due => "works, to be rotated",
        (None, true, None) => "works",
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let last = used.iter().find(|usage| usage.id == record.id).map_or("never used".to_owned(), |u| moment(u.last));
    format!(
        "{}_{}\t{}\t{}\t{state}\t{last}\t{}\n",
        record.prefix,
        record.id,
        clean(&text(&record.level)),
        clean(&text(&record.subject)),
        clean(&record.label)
    )
}

fn usage(usage: &Usage) -> String {
    let networks = clean(&usage.networks.join(" ")).to_string();
    format!("{}\t{}\t{}\t{}\t{networks}\n", usage.id, usage.uses, moment(usage.first), moment(usage.last))
}

fn span(seconds: u32) -> String {
    match (seconds / 86_400, seconds % 86_400) {
        (days, 0) if days > 0 => format!("{days} d"),
        _ => format!("{seconds} s"),
    }
}
