//! What generated checks say of schemas, against others' word: the JSON Schema test suite, and another validator on random
//! schemas. Both programs stand in `tests/examples`, as they need the compiler.

use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::run::{cargo, show, target};

/// `suite DIR`: the JSON Schema test suite. `DIR` is its folder, or one that holds it as `json-schema-test-suite`.
pub(crate) fn run(args: &[String]) -> Outcome {
    let [folder] = args else { return Err("suite: which folder?".to_owned()) };
    let folder = PathBuf::from(folder);
    let tests = tests_of(&folder).or_else(|| tests_of(&folder.join("json-schema-test-suite")));
    let tests = tests.ok_or_else(|| format!("suite: no JSON Schema test suite in {}", folder.display()))?;
    example("suite", &[target().join("suite"), tests], &[])?;
    Ok("suite: as tests/corpus/suite.tsv has it".to_owned())
}

/// The folder of drafts in a copy of the suite.
pub(crate) fn tests_of(folder: &Path) -> Option<PathBuf> {
    let tests = folder.join("tests").canonicalize().ok()?;
    tests.join("draft2020-12").is_dir().then_some(tests)
}

/// `differential [--seed N] [--schemas M] [--instances K]`.
pub(crate) fn differential(args: &[String]) -> Outcome {
    example("differential", &[target().join("differential")], args)?;
    Ok("differential: no disagreement".to_owned())
}

/// Our reading of every 3.0 document of these folders against that of `openapiv3`; known differences stand in
/// `tests/corpus/oracle.tsv`.
pub(crate) fn oracle(folders: &[PathBuf]) -> Result<(), String> {
    let mut paths = vec![PathBuf::from("--known"), crate::run::root().join("tests/corpus/oracle.tsv")];
    paths.extend(folders.iter().cloned());
    example("oracle", &paths, &[])
}

fn example(name: &str, paths: &[PathBuf], args: &[String]) -> Result<(), String> {
    let mut command = cargo(["run", "--quiet", "--package", "gatewright-tests", "--example", name, "--"]);
    command.args(paths).args(args);
    show(command)
}
