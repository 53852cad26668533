//! `gatewright new`: a project that builds, starts and passes its own test, with every handler a stub.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use gatewright_compiler::disk::DiskLoader;
use gatewright_compiler::{Compilation, Layout, Options, Succeeds, compile, module_name};
use gatewright_export::project::{self, Api, Guarded, Project};
use gatewright_export::variables;
use gatewright_ir::names::{Case, plain};
use gatewright_ir::policy::{Access, Verify};
use gatewright_ir::{CheckedIr, OutputFiles};
use gatewright_policy::table::{Algorithm, ClientCertificates, Status};

use super::scaffold::stubs;
use crate::args::{Format, New};
use crate::ui::{Exit, Outcome, Run, Stop, Ui};
use crate::write;

/// One version of the API to be.
struct Version {
    name: String,
    prefix: String,
    /// The document's name in its folder.
    entry: String,
    /// The version before it: of `v1`, `v2` and so on the one that was named before.
    succeeds: Option<String>,
    done: Compilation,
}

pub(crate) fn run(args: &New, ui: &Ui) -> Outcome {
    let package = package(&args.name)?;
    if args.name.exists() && std::fs::read_dir(&args.name).map_or(true, |mut list| list.next().is_some()) {
        return Err(Stop(format!("`{}` is there already", args.name.display())));
    }
    let versions = compile_all(args, ui)?;
    let runs: Vec<Run<'_>> = versions.iter().map(|v| Run::of(&v.done)).collect();
    ui.show(&runs, Format::Human)?;
    if versions.iter().any(|v| v.done.has_errors()) {
        return Ok(Exit::Found);
    }
    let files = files(args, &package, &versions)?;
    for (path, text) in files.iter() {
        let path = args.name.join(path);
        write::replace(&path, text).map_err(|e| Stop(format!("cannot write `{}`: {e}", path.display())))?;
    }
    ui.done("Created", &format!("{} ({} files)", args.name.display(), files.len()));
    Ok(Exit::Good)
}

/// The package's name: the folder's, as Cargo takes it.
fn package(path: &Path) -> Result<String, Stop> {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let sound = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        && plain(&name, Case::Snake) == name.to_ascii_lowercase().replace('-', "_");
    if sound && !matches!(name.as_str(), "test" | "gatewright" | "core" | "std") {
        return Ok(name);
    }
    Err(Stop(format!("`{name}` is no name for a package: use letters, digits, `-` and `_`")))
}

fn compile_all(args: &New, ui: &Ui) -> Result<Vec<Version>, Stop> {
    let mut versions: Vec<Version> = Vec::new();
    for spec in &args.spec {
        let stem = spec.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let name = module_name(&stem);
        if versions.iter().any(|v| v.name == name) {
            return Err(Stop(format!(
                "two documents are called `{stem}`: rename one, its name is that of the version"
            )));
        }
        // One document of no particular version is served at the root.
        let number = number(&name);
        let prefix = if args.spec.len() > 1 || number.is_some() { format!("/{name}") } else { String::new() };
        let folder = spec.parent().map(Path::to_owned).unwrap_or_default();
        let file = PathBuf::from(spec.file_name().unwrap_or_default());
        ui.doing("Compiling", &format!("{name} ({})", spec.display()));
        // Names as the project will have them, so that its own `generate` writes the same.
        let (loader, entry) = DiskLoader::open(&folder, &file, None)?;
        let older = versions.last().filter(|older| number.is_some() && self::number(&older.name) < number);
        let older = older.filter(|older| self::number(&older.name).is_some());
        let succeeds = older.map(|older| older.name.clone());
        let options = Options {
            prefix: prefix.clone(),
            allow_unguarded: args.allow_unguarded,
            layout: Layout::Tree,
            succeeds: older.and_then(|older| Some(Succeeds { ir: older.done.ir.clone()?, by_hand: Vec::new() })),
            ..Options::named(&name)
        };
        let done = compile(&loader.shown_as("specs"), &entry, &options);
        versions.push(Version { name, prefix, entry, succeeds, done });
    }
    Ok(versions)
}

/// The number of a version: 2 of `v2`.
fn number(name: &str) -> Option<u32> {
    name.strip_prefix('v').filter(|n| n.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
}

fn files(args: &New, package: &str, versions: &[Version]) -> Result<OutputFiles, Stop> {
    let path = args.gatewright_path.as_ref().map(|path| {
        path.canonicalize().map(|p| p.display().to_string()).map_err(|e| Stop(format!("`{}`: {e}", path.display())))
    });
    let project = Project {
        package: package.to_owned(),
        app: args.app.clone(),
        apis: versions.iter().map(api).collect(),
        token: token(versions),
        keys: keys(versions),
        objects: objects(versions),
        variables: irs(versions)
            .flat_map(|ir| variables::for_development(ir))
            .collect::<BTreeMap<_, _>>()
            .into_iter()
            .collect(),
        host: irs(versions).next().map_or_else(|| "localhost".to_owned(), |ir| variables::host(ir)),
        unknown: unknown(versions),
        allow_unguarded: args.allow_unguarded,
        gatewright_path: path.transpose()?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let mut files = project::render(&project).map_err(Stop)?;
    let mut add = |path: String, text: String| {
        files.add(path, text).map_err(|bad| Stop(format!("two files want to be `{}`; rename a document", bad.0)))
    };
    let mut copied: BTreeSet<String> = BTreeSet::new();
    for version in versions {
        for (_, source) in version.done.sources.files() {
            if copied.insert(source.name().to_owned()) {
                add(source.name().to_owned(), source.text().to_string())?;
            } else if !same(version, source.name(), source.text(), versions) {
                return Err(Stop(format!("two documents have different files `{}`: rename one", source.name())));
            }
        }
        let generated = version.done.files.iter().flat_map(OutputFiles::iter);
        let mut list = format!("# {}: the files it made here\n", write::MARK);
        for (path, text) in generated {
            add(format!("src/api/{}/{path}", version.name), text.to_owned())?;
            list.push_str(&format!("{path}\n"));
        }
        add(format!("src/api/{}/{}", version.name, write::LIST), list)?;
        if let Some(ir) = &version.done.ir {
            let text = stubs(ir, &version.name, &args.app, &[])?;
            add(
                format!("src/handlers/{}.rs", version.name),
                text.unwrap_or_else(|| "//! Nothing to handle.\n".to_owned()),
            )?;
        }
    }
    Ok(files)
}

/// What was compiled, version by version.
fn irs(versions: &[Version]) -> impl Iterator<Item = &CheckedIr> {
    versions.iter().filter_map(|version| version.done.ir.as_deref())
}

/// What a stranger's connection gets where no version is concerned: the server's rules there are the strictest of all.
fn unknown(versions: &[Version]) -> u16 {
    let certified = |ir: &CheckedIr| ir.policies.transport.client_certificates == ClientCertificates::Required;
    if irs(versions).any(certified) {
        400
    } else if irs(versions).all(|ir| !ir.policies.allow_networks.is_empty()) {
        403
    } else {
        404
    }
}

/// Whether the documents that share a file's name share the file.
fn same(this: &Version, name: &str, text: &str, versions: &[Version]) -> bool {
    versions
        .iter()
        .filter(|other| !std::ptr::eq(*other, this))
        .flat_map(|other| other.done.sources.files())
        .filter(|(_, source)| source.name() == name)
        .all(|(_, source)| &**source.text() == text)
}

fn api(version: &Version) -> Api {
    let ir = version.done.ir.as_ref();
    let retired = ir.is_some_and(|ir| ir.policies.lifecycle.status == Status::Retired);
    let guarded = ir.into_iter().flat_map(|ir| {
        ir.api.operations.iter().filter(move |op| {
            let policy = ir.policies.get(op.policy);
            let anywhere = ir.policies.allow_networks.is_empty()
                && ir.policies.transport.client_certificates != ClientCertificates::Required
                && policy.allow.as_ref().is_none_or(|allow| allow.value.networks.is_none());
            !retired && anywhere && matches!(policy.access.value, Access::Guarded(_)) && !policy.admits_anonymous()
        })
    });
    let guarded =
        guarded.map(|op| Guarded { method: op.method.clone(), path: format!("{}{}", version.prefix, concrete(op)) });
    Api {
        name: version.name.clone(),
        title: ir.map(|ir| ir.api.title.clone()).unwrap_or_default(),
        spec: format!("specs/{}", version.entry),
        root: None,
        prefix: version.prefix.clone(),
        output: format!("src/api/{}", version.name),
        succeeds: version.succeeds.clone(),
        guarded: guarded.collect(),
        api_keys: ir.is_some_and(|ir| ir.policies.schemes.iter().any(|s| matches!(s.verify, Verify::ApiKey(_)))),
        passkeys: ir.is_some_and(|ir| {
            let asks = |o: &gatewright_ir::Operation| {
                ir.policies.get(o.policy).step_up.as_ref().is_some_and(|step| step.value.method.value == "webauthn")
            };
            ir.api.operations.iter().any(asks)
        }),
    }
}

/// A path that a request can have: each parameter is `x`.
fn concrete(operation: &gatewright_ir::Operation) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in operation.path.text.chars() {
        match c {
            '{' => {
                inside = true;
                out.push('x');
            }
            '}' => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

/// The newest version with a scheme of signed tokens that a development issuer can sign for.
fn token(versions: &[Version]) -> Option<(String, String)> {
    versions.iter().rev().find_map(|version| {
        let schemes = &version.done.ir.as_ref()?.policies.schemes;
        let scheme = schemes.iter().find(|s| match &s.verify {
            Verify::Jwt(jwt) => jwt.algorithms.iter().any(|a| a.value == Algorithm::EdDSA),
            _ => false,
        })?;
        Some((version.name.clone(), scheme.name.value.clone()))
    })
}

/// A development key for each prefix and level.
fn keys(versions: &[Version]) -> Vec<(String, String)> {
    let sets = versions.iter().filter_map(|v| v.done.ir.as_ref()).map(|ir| &ir.policies);
    let all = sets.flat_map(|set| {
        let prefixes = set.schemes.iter().filter_map(|s| match &s.verify {
            Verify::ApiKey(key) => Some(key.prefix.clone()),
            _ => None,
        });
        prefixes.flat_map(|prefix| set.levels.iter().map(move |level| (prefix.clone(), level.name.value.clone())))
    });
    all.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The types of objects that belong to somebody, over all versions.
fn objects(versions: &[Version]) -> Vec<String> {
    let words = versions.iter().filter_map(|v| v.done.ir.as_ref()).flat_map(|ir| {
        ir.api
            .operations
            .iter()
            .filter_map(|op| ir.policies.get(op.policy).owner.as_ref().map(|o| o.value.resource.value.clone()))
    });
    words.map(|word| plain(&word, Case::Pascal)).collect::<BTreeSet<_>>().into_iter().collect()
}
