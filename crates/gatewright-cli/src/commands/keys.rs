//! `gatewright keys`: API keys of the embedded store. A key is shown once, when it is made; only a hash is kept. One
//! process may have the store open: stop the server first, or use its own administration.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use gatewright_compiler::compile;
use gatewright_diag::nearest;
use gatewright_ir::policy::{PolicySet, Scheme, Verify};
use gatewright_store::{FileStore, KeyRecord, Keys, Order, Pepper};

use crate::args::{self, Format, KeyCommand};
use crate::ui::{Exit, Outcome, Run, Stop, Ui};

/// Where the secret is, if no file is named.
const PEPPER: &str = "GATEWRIGHT_PEPPER";

pub(crate) fn run(args: &args::Keys, ui: &Ui) -> Outcome {
    // What the document says is asked before the store is made: a mistake leaves nothing behind.
    let order = match &args.command {
        KeyCommand::Issue { spec, subject, label, level, scheme } => {
            match order(spec, scheme.as_deref(), level.as_deref(), ui)? {
                Some(order) => Some(Order { subject: Some(subject.clone()), label: label.clone(), ..order }),
                None => return Ok(Exit::Found),
            }
        }
        KeyCommand::List | KeyCommand::Revoke { .. } => {
            if !args.store.is_file() {
                return Err(Stop(format!("there is no store `{}`", args.store.display())));
            }
            None
        }
    };
    let keys = Keys::new(Arc::new(FileStore::open(&args.store)?), pepper(args.pepper.as_deref())?);
    let now = now()?;
    match (&args.command, order) {
        (KeyCommand::Issue { .. }, Some(order)) => {
            let issued = keys.issue(order, now)?;
            ui.done("Issued", &format!("{}; the key is shown this once", issued.record.id));
            ui.out(&format!("{}\n", issued.text.as_str()))?;
        }
        (KeyCommand::Revoke { id }, _) => {
            let record = keys.revoke(id, now)?;
            ui.done("Revoked", &record.id);
        }
        _ => {
            let mut list = keys.list()?;
            list.sort_by(|a, b| (a.issued, &a.id).cmp(&(b.issued, &b.id)));
            ui.out(&list.iter().map(|record| line(record, now)).collect::<String>())?;
        }
    }
    Ok(Exit::Good)
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

/// What the document says of a key: its prefix, and that its level exists. `None` if the document has errors.
fn order(spec: &Path, scheme: Option<&str>, level: Option<&str>, ui: &Ui) -> Result<Option<Order>, Stop> {
    let document = super::open(spec, None, true)?;
    let done = compile(&document.loader, &document.entry, &document.options);
    let Some(ir) = &done.ir else {
        ui.show(&[Run::of(&done)], Format::Human)?;
        return Ok(None);
    };
    let (_, prefix) = key_scheme(&ir.policies, scheme)?;
    if let Some(level) = level {
        let known = ir.policies.levels.iter().map(|l| l.name.value.as_str());
        if !known.clone().any(|name| name == level) {
            let near = nearest(level, known).map(|near| format!("; is it `{near}`?")).unwrap_or_default();
            return Err(Stop(format!("`{}` has no level `{level}`{near}", spec.display())));
        }
    }
    Ok(Some(Order { prefix: prefix.to_owned(), level: level.map(str::to_owned), ..Order::default() }))
}

fn key_scheme<'a>(policies: &'a PolicySet, wanted: Option<&str>) -> Result<(&'a Scheme, &'a str), Stop> {
    let mut found = policies.schemes.iter().filter_map(|scheme| match &scheme.verify {
        Verify::ApiKey(key) if wanted.is_none_or(|name| name == scheme.name.value) => {
            Some((scheme, key.prefix.as_str()))
        }
        _ => None,
    });
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Stop("the document has no such scheme with leveled API keys".to_owned())),
        (Some(_), Some(_)) => {
            Err(Stop("the document has several schemes with API keys: say `--scheme NAME`".to_owned()))
        }
    }
}

/// A key as a line: never its secret, of which only a hash is kept.
fn line(record: &KeyRecord, now: i64) -> String {
    let state = match (record.revoked, record.works(now), &record.replaced_by) {
        (Some(_), ..) => "revoked",
        (None, false, _) => "expired",
        (None, true, Some(_)) => "replaced, in grace",
        (None, true, None) => "works",
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let clean = gatewright_diag::show::clean;
    format!(
        "{}_{}\t{}\t{}\t{state}\t{}\n",
        record.prefix,
        record.id,
        clean(&text(&record.level)),
        clean(&text(&record.subject)),
        clean(&record.label)
    )
}
