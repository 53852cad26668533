//! Rust identifiers for names of a spec: any text gets a stable, readable one, and collisions are told apart the same way
//! at every run. A name depends on its own text and on the texts it collides with, never on its position, so adding an
//! operation renames nothing else.

use std::collections::{HashMap, HashSet};

use gatewright_policy::case;

/// How an identifier is cased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Fields, modules, functions.
    Snake,
    /// Types, variants.
    Pascal,
}

/// Longer names are cut: documentation makes files of them, and no file's name is longer than 255 bytes anywhere.
const LONGEST: usize = 100;

/// The identifier that `name` would have if nothing collided: never empty, never a reserved word, never starting with a
/// digit, never longer than 110 bytes. Reserved words get a trailing underscore.
pub fn plain(name: &str, case: Case) -> String {
    let whole = uncut(name, case);
    let Some((end, _)) = whole.char_indices().find(|(at, c)| at + c.len_utf8() > LONGEST) else { return whole };
    let start = whole.get(..end).unwrap_or_default().trim_end_matches('_');
    match case {
        Case::Snake => format!("{start}_x{:08x}", hash(name)),
        Case::Pascal => format!("{start}X{:08x}", hash(name)),
    }
}

fn uncut(name: &str, case: Case) -> String {
    let spelt = match case {
        Case::Snake => case::snake(name),
        Case::Pascal => case::pascal(name),
    };
    let spelt = if spelt.is_empty() { symbol_name(name, case) } else { spelt };
    if spelt.starts_with(|c: char| c.is_ascii_digit()) {
        return match case {
            Case::Snake => format!("n{spelt}"),
            Case::Pascal => format!("N{spelt}"),
        };
    }
    if case::RESERVED.contains(&spelt.as_str()) { format!("{spelt}_") } else { spelt }
}

/// A word for a text without letters and digits: the names of its symbols (`+` → `plus`), or a hash of it.
fn symbol_name(name: &str, case: Case) -> String {
    let words: Vec<&str> = name
        .chars()
        .map(|c| match c {
            '+' => "plus",
            '-' => "minus",
            '*' => "star",
            '<' => "less",
            '>' => "greater",
            '=' => "equal",
            '!' => "not",
            '/' => "slash",
            '.' => "dot",
            '_' => "underscore",
            '$' => "dollar",
            '%' => "percent",
            '&' => "and",
            '|' => "or",
            '@' => "at",
            '#' => "hash",
            '?' => "question",
            ' ' => "space",
            _ => "",
        })
        .collect();
    let joined = match () {
        () if name.is_empty() => "empty".to_owned(),
        () if name.chars().count() <= 4 && words.iter().all(|w| !w.is_empty()) => words.join("_"),
        () => format!("x{:08x}", hash(name)),
    };
    match case {
        Case::Snake => joined,
        Case::Pascal => case::pascal(&joined),
    }
}

/// Whether a text is the path of a type as generated code may name it from anywhere: names with `::` between, that begin at
/// this crate (`crate::money::Amount`) or at another (`::money::Amount`). Nothing else that Rust's grammar admits.
pub fn is_type_path(text: &str) -> bool {
    let (segments, least) = match text.strip_prefix("::") {
        Some(rest) => (rest, 2),
        None => match text.strip_prefix("crate::") {
            Some(rest) => (rest, 1),
            None => return false,
        },
    };
    let name = |segment: &str| {
        segment.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !case::RESERVED.contains(&segment)
    };
    text.len() <= 200 && segments.split("::").all(name) && segments.split("::").count() >= least
}

/// FNV-1a, folded: short, stable across versions and machines. Not for security.
fn hash(text: &str) -> u32 {
    let wide = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    (wide >> 32) as u32 ^ wide as u32
}

/// Identifiers for a set of names that share a scope, in the order given. `taken` are identifiers of the scope that are
/// already in use.
///
/// Names that fall together keep the plain identifier only if they are spelt exactly like it or nothing else claims it;
/// all the others get a suffix made from their own text: `asc` and `ASC` become `Asc` and `AscX5d3f`. Two equal names
/// get equal identifiers: the caller makes names unique first.
pub fn unique<'a>(names: impl IntoIterator<Item = &'a str>, case: Case, taken: &[&str]) -> Vec<String> {
    let names: Vec<&str> = names.into_iter().collect();
    let plains: Vec<String> = names.iter().map(|n| plain(n, case)).collect();
    let mut claims: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (name, plain) in names.iter().zip(&plains) {
        claims.entry(plain).or_default().insert(name);
    }
    let in_use: HashSet<&str> = taken.iter().copied().collect();
    let owner = |plain: &str| -> Option<&str> {
        if in_use.contains(plain) {
            return None;
        }
        let claimants = claims.get(plain)?;
        if claimants.len() == 1 {
            return claimants.iter().next().copied();
        }
        // Of several, the one spelt as the identifier is, else the one that casing changes least: the smallest text in a
        // fixed order, so that the order of the document does not matter.
        claimants
            .iter()
            .copied()
            .find(|name| *name == plain)
            .or_else(|| claimants.iter().copied().min_by_key(|n| (n.len(), std::cmp::Reverse(*n))))
    };
    let owners: HashMap<&str, Option<&str>> = plains.iter().map(|p| (p.as_str(), owner(p))).collect();
    let mut used: HashSet<String> = taken.iter().map(|t| (*t).to_owned()).collect();
    used.extend(owners.iter().filter(|(_, o)| o.is_some()).map(|(p, _)| (*p).to_owned()));
    let mut given: HashMap<&str, String> = HashMap::new();
    let mut sorted: Vec<(&str, &String)> = names.iter().copied().zip(&plains).collect();
    sorted.sort_unstable();
    for (name, plain) in sorted {
        if given.contains_key(name) {
            continue;
        }
        let identifier = if owners.get(plain.as_str()).copied().flatten() == Some(name) {
            plain.clone()
        } else {
            let stem = plain.trim_end_matches('_');
            let mut salt = 0_u32;
            loop {
                let text = if salt == 0 { name.to_owned() } else { format!("{name}\0{salt}") };
                let suffix = hash(&text) & 0xffff;
                let candidate = match case {
                    Case::Snake => format!("{stem}_x{suffix:04x}"),
                    Case::Pascal => format!("{stem}X{suffix:04x}"),
                };
                if used.insert(candidate.clone()) {
                    break candidate;
                }
                salt += 1;
            }
        };
        given.insert(name, identifier);
    }
    names.iter().map(|name| given.get(name).cloned().unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_paths_of_types() {
        for good in ["crate::Amount", "crate::money::Amount", "::money::Amount", "::a::b::C_1"] {
            assert!(is_type_path(good), "{good}");
        }
        for bad in [
            "",
            "Amount",
            "crate",
            "crate::",
            "::money",
            "crate::Vec<u8>",
            "crate::a::",
            "crate:: a",
            "crate::fn::X",
            "super::X",
            "self::X",
            "crate::X; fn f() {}",
            "crate::é",
            "crate::a\n::b",
            "crate::a!()",
            "crate::_",
        ] {
            assert!(!is_type_path(bad), "{bad}");
        }
    }

    #[test]
    fn any_text_is_a_name() {
        for (name, snake, pascal) in [
            ("type", "type_", "Type"),
            ("Self", "self_", "Self_"),
            ("2fa", "n2fa", "N2fa"),
            ("", "empty", "Empty"),
            ("+1", "n1", "N1"),
            ("+", "plus", "Plus"),
            ("<=", "less_equal", "LessEqual"),
        ] {
            assert_eq!(plain(name, Case::Snake), snake);
            assert_eq!(plain(name, Case::Pascal), pascal);
        }
        assert!(plain("日本", Case::Snake).starts_with('x'));
        assert_ne!(plain("日本", Case::Snake), plain("中国", Case::Snake));
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let (one, other) = ("Long".repeat(200) + "A", "Long".repeat(200) + "B");
        for case in [Case::Snake, Case::Pascal] {
            let names = [plain(&one, case), plain(&other, case)];
            assert!(names.iter().all(|name| name.len() <= LONGEST + 10), "{names:?}");
            assert_ne!(names[0], names[1]);
        }
        assert_eq!(plain(&"a".repeat(LONGEST), Case::Snake).len(), LONGEST);
    }

    #[test]
    fn collisions_do_not_depend_on_order() {
        let one = unique(["asc", "ASC", "desc"], Case::Pascal, &[]);
        let other = unique(["desc", "ASC", "asc"], Case::Pascal, &[]);
        assert_eq!(one[0], other[2]);
        assert_eq!(one[1], other[1]);
        assert_ne!(one[0], one[1]);
        assert_eq!(one[2], "Desc");
    }

    #[test]
    fn the_name_spelt_like_the_identifier_keeps_it() {
        let names = unique(["user-id", "user_id", "userId"], Case::Snake, &[]);
        assert_eq!(names[1], "user_id");
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), 3);
    }

    #[test]
    fn taken_names_are_left_alone() {
        assert_ne!(unique(["op"], Case::Pascal, &["Op"])[0], "Op");
    }
}
