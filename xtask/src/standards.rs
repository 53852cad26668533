//! Which standards are held, row by row, and which test shows it: `docs/standards.md`, made from `tests/standards.tsv` and
//! from the tests themselves. A test names the rows that it shows at the beginning of its own name (`d5_a_thousand_…`), or
//! in a line `/// Rows: J1, J2.` above it; a case of `tests/serve`, in a line `# Rows: B1` above it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use crate::Outcome;
use crate::run::root;

struct Row {
    id: String,
    standard: String,
    probe: String,
    expected: String,
}

/// Writes the page, or with `--check` compares it.
pub(crate) fn run(args: &[String]) -> Outcome {
    let check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("usage: cargo xtask standards [--check]".to_owned()),
    };
    let rows = rows()?;
    let mut shown = shown()?;
    shown.extend(whole(&rows, &shown));
    let known: BTreeSet<&str> = rows.iter().map(|r| r.id.as_str()).collect();
    let strangers: Vec<_> = shown.iter().filter(|(id, _)| !known.contains(id.as_str())).collect();
    if let Some((id, tests)) = strangers.first() {
        return Err(format!("`{}` names the row {id}, which tests/standards.tsv does not have", tests.join(", ")));
    }
    let text = page(&rows, &shown);
    let path = root().join("docs/standards.md");
    let line = format!("{} of {} rows are shown by a test", shown.len(), rows.len());
    if check {
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        return if there == text {
            Ok(line)
        } else {
            Err("docs/standards.md is not up to date: run `cargo xtask standards`".to_owned())
        };
    }
    std::fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(|e| e.to_string())?;
    std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(line)
}

fn rows() -> Result<Vec<Row>, String> {
    let path = root().join("tests/standards.tsv");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let lines = text.lines().filter(|l| !l.starts_with('#'));
    lines
        .map(|line| {
            let mut cells = line.split('\t').map(str::to_owned);
            match (cells.next(), cells.next(), cells.next(), cells.next(), cells.next()) {
                (Some(id), Some(standard), Some(probe), Some(expected), None) => {
                    Ok(Row { id, standard, probe, expected })
                }
                _ => Err(format!("tests/standards.tsv: `{line}` has not four columns")),
            }
        })
        .collect()
}

/// The rows that are others together, `the rows J`: shown where each of those is.
fn whole(rows: &[Row], shown: &BTreeMap<String, Vec<String>>) -> Vec<(String, Vec<String>)> {
    let letters = |id: &str| id.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    let of = |row: &Row| {
        let head = row.probe.strip_prefix("the rows ")?;
        let mut parts = rows.iter().filter(|r| letters(&r.id) == head).peekable();
        let all = parts.peek().is_some() && parts.all(|r| shown.contains_key(&r.id));
        all.then(|| (row.id.clone(), vec![format!("each of the rows {head}")]))
    };
    rows.iter().filter_map(of).collect()
}

/// The tests by row.
fn shown() -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut paths = Vec::new();
    for folder in ["crates", "tests"] {
        crate::layers::files(&root().join(folder), ".rs", &mut paths);
    }
    crate::layers::files(&root().join("tests/serve"), ".yaml", &mut paths);
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let of = path.strip_prefix(root()).unwrap_or(&path);
        for (test, rows) in if path.extension().is_some_and(|e| e == "rs") { tests(&text) } else { cases(&text) } {
            for row in rows {
                found.entry(row).or_default().push(format!("`{test}` ({})", link(of)));
            }
        }
    }
    Ok(found)
}

fn link(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("[{name}](../{text})")
}

/// The tests of a Rust file that name rows.
fn tests(text: &str) -> Vec<(String, Vec<String>)> {
    let (mut is_test, mut rows, mut found) = (false, Vec::new(), Vec::new());
    for line in text.lines().map(str::trim) {
        if let Some(list) = line.strip_prefix("/// Rows:") {
            rows.extend(listed(list));
        } else if line == "#[test]" || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some(name) = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn ")) {
            let name = name.split('(').next().unwrap_or_default();
            rows.extend(named(name));
            if is_test && !rows.is_empty() {
                found.push((name.to_owned(), std::mem::take(&mut rows)));
            }
            (is_test, rows) = (false, Vec::new());
        }
    }
    found
}

/// The cases of a table of requests that name rows.
fn cases(text: &str) -> Vec<(String, Vec<String>)> {
    let (mut rows, mut found) = (Vec::new(), Vec::new());
    for line in text.lines() {
        if let Some(list) = line.strip_prefix("# Rows:") {
            rows.extend(listed(list));
        } else if let Some(name) = line.strip_prefix("- name: ").filter(|_| !rows.is_empty()) {
            found.push((name.to_owned(), std::mem::take(&mut rows)));
        }
    }
    found
}

fn listed(list: &str) -> impl Iterator<Item = String> + '_ {
    list.trim_end_matches('.').split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty())
}

/// `p2_p3_a_bound_token` names P2 and P3.
fn named(name: &str) -> impl Iterator<Item = String> + '_ {
    name.split('_').take_while(|word| is_id(word)).map(str::to_uppercase)
}

fn is_id(word: &str) -> bool {
    let letters = word.bytes().take_while(u8::is_ascii_lowercase).count();
    let (head, digits) = word.split_at(letters);
    (1..=2).contains(&head.len()) && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn page(rows: &[Row], shown: &BTreeMap<String, Vec<String>>) -> String {
    let mut out = String::from(
        "# Standards, row by row\n\nWhat each standard asks of a server, and the test that shows it. Made by `cargo xtask standards` from \
         `tests/standards.tsv`\nand from the tests, which name their rows. A row without a test is not shown yet: it may hold, and nobody \
         may rely on it.\n",
    );
    let _ = writeln!(out, "\n{} of {} rows are shown.", shown.len(), rows.len());
    let mut before = "";
    for row in rows {
        if row.standard != before {
            let _ = write!(
                out,
                "\n## {}\n\n| row | what is done | what must come of it | shown by |\n| --- | --- | --- | --- |\n",
                row.standard
            );
            before = &row.standard;
        }
        let tests = shown.get(&row.id).map_or_else(|| "not yet".to_owned(), |tests| tests.join("<br>"));
        let cell = |text: &str| text.replace('|', "\\|");
        let _ = writeln!(out, "| {} | {} | {} | {} |", row.id, cell(&row.probe), cell(&row.expected), tests);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_name_their_rows() {
        let text = "/// Rows: J1, J2.\n#[test]\nfn headers() {}\nfn p1_no_test() {}\n#[tokio::test(start_paused = true)]\nasync fn d1_d2_metadata() {}\n#[test]\nfn a_b() {}\n";
        let ids = |ids: &[&str]| ids.iter().map(|i| (*i).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            super::tests(text),
            [("headers".to_owned(), ids(&["J1", "J2"])), ("d1_d2_metadata".to_owned(), ids(&["D1", "D2"]))]
        );
        let yaml = "# Rows: B1, B2\n- name: one\n- name: two\n";
        assert_eq!(cases(yaml), [("one".to_owned(), ids(&["B1", "B2"]))]);
    }
}
