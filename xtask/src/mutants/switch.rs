//! Many mutants in one build: a function that mutants change holds each of its bodies, and a variable of the environment says
//! which one runs. Building the runtime takes longer than the tests that must notice a mutant.

use std::collections::BTreeMap;

use super::Mutant;

/// The number of the mutant that a program is to be; without it, the program is as it stands.
pub(super) const VARIABLE: &str = "GATEWRIGHT_MUTANT";

/// The other bodies of a file's functions, each with its mutant's number; by the lines of the body that stands there.
type Bodies = BTreeMap<(usize, usize), Vec<(usize, String)>>;

/// What one build holds.
#[derive(Default)]
pub(super) struct Switched<'a> {
    /// The files that it changes, by their path in the repository.
    pub(super) files: BTreeMap<String, String>,
    /// The mutants in it; the number of each is its place, counted from one.
    pub(super) mutants: Vec<&'a Mutant>,
    /// Those that need a build of their own: they change no Rust, or code that runs when something is built.
    pub(super) apart: Vec<&'a Mutant>,
}

/// Puts every mutant that can be switched into one build. `read` gives the text of a file of the repository.
pub(super) fn together<'a>(
    mutants: &'a [Mutant],
    read: impl Fn(&str) -> Result<String, String>,
) -> Result<Switched<'a>, String> {
    let mut switched = Switched::default();
    let mut bodies: BTreeMap<&str, Bodies> = BTreeMap::new();
    for mutant in mutants {
        let text = read(&mutant.file)?;
        match body(mutant, &text).filter(|_| runs_in_tests(&mutant.file)) {
            Some(lines) => {
                switched.mutants.push(mutant);
                let original = text_of(&text, lines);
                let other = original.replacen(&mutant.take, &mutant.put, 1);
                bodies.entry(&mutant.file).or_default().entry(lines).or_default().push((switched.mutants.len(), other));
            }
            None => switched.apart.push(mutant),
        }
    }
    for (file, functions) in bodies {
        let text = read(file)?;
        switched.files.insert(file.to_owned(), with_bodies(&text, &functions));
        if let Some((package, _)) = file.split_once("/src/") {
            let lib = format!("{package}/src/lib.rs");
            let text = read(&lib)?;
            switched.files.entry(lib).or_insert(text + &which());
        }
    }
    Ok(switched)
}

/// What stands at the end of a crate whose functions have several bodies.
fn which() -> String {
    format!(
        r#"
pub(crate) fn mutant() -> usize {{
    static NUMBER: std::sync::LazyLock<usize> =
        std::sync::LazyLock::new(|| std::env::var({VARIABLE:?}).ok().and_then(|n| n.parse().ok()).unwrap_or(0));
    *NUMBER
}}
"#
    )
}

/// Whether a file is of the crates that tests link: what writes code runs when their packages are built.
fn runs_in_tests(file: &str) -> bool {
    ["crates/gatewright/src/", "crates/gatewright-store/src/"].iter().any(|folder| file.starts_with(folder))
}

/// The lines of the body around what a mutant takes, in code that rustfmt has written: behind the one that ends in the
/// function's brace, up to the one that closes it at the same indentation.
fn body(mutant: &Mutant, text: &str) -> Option<(usize, usize)> {
    let (before, _) = text.split_once(mutant.take.as_str())?;
    let blank = mutant.take.len() - mutant.take.trim_start().len();
    let first = line_of(text, before.len() + blank)?;
    let last = line_of(text, before.len() + mutant.take.len())?;
    let lines: Vec<(usize, &str)> = text.lines().enumerate().collect();
    let depth = indentation(lines.get(first)?.1);
    let (head, line) = *lines.get(..first)?.iter().rfind(|(_, line)| indentation(line) < depth && is_function(line))?;
    let (opens, _) = *lines.get(head..first)?.iter().find(|(_, line)| line.ends_with('{'))?;
    let is_end = |end: &str| end.trim() == "}" && indentation(end) == indentation(line);
    let (closes, _) = *lines.get(opens..)?.iter().find(|(_, line)| is_end(line))?;
    // What two bodies return must be one type, which `impl Trait` is not.
    let is_one_type = !lines.get(head..=opens)?.iter().any(|(_, line)| line.contains("-> impl "));
    (last < closes && is_one_type).then_some((opens + 1, closes))
}

fn line_of(text: &str, at: usize) -> Option<usize> {
    Some(text.get(..at)?.matches('\n').count())
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether a line begins a function whose body may read the environment: one that is not `const`.
fn is_function(line: &str) -> bool {
    let mut words = line.split_whitespace().skip_while(|word| word.starts_with("pub") || *word == "async");
    words.next() == Some("fn")
}

fn text_of(text: &str, (from, to): (usize, usize)) -> String {
    text.lines().take(to).skip(from).map(|line| format!("{line}\n")).collect()
}

fn with_bodies(text: &str, functions: &Bodies) -> String {
    let mut out = String::new();
    let mut done = 0;
    for (&(from, to), others) in functions {
        out += &text_of(text, (done, from));
        out += "match crate::mutant() {\n";
        for (number, other) in others {
            out += &format!("{number} => {{\n{other}}}\n");
        }
        out += &format!("_ => {{\n{}}}\n}}\n", text_of(text, (from, to)));
        done = to;
    }
    out + &text_of(text, (done, text.lines().count()))
}
