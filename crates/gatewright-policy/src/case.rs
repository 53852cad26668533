//! How a name of the spec is spelt in Rust. The generator makes traits in [`pascal`] and modules in [`snake`] case, and
//! `#[handler(CreateTransfer)]` finds the module `create_transfer` by the same functions.

use alloc::string::String;
use alloc::vec::Vec;

/// The words of a name: split at everything that is no letter or digit, before a capital behind a small letter or digit
/// (`listThings2Do`), and before the last capital of a run in front of a small letter (`HTTPServer`). Only ASCII
/// letters and digits count; other characters separate.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let chars: Vec<char> = name.chars().collect();
    for (i, &c) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            if !word.is_empty() {
                words.push(core::mem::take(&mut word));
            }
            continue;
        }
        let before = i.checked_sub(1).and_then(|j| chars.get(j)).copied().unwrap_or(' ');
        let after = chars.get(i + 1).copied().unwrap_or(' ');
        let new_word = c.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (before.is_ascii_uppercase() && after.is_ascii_lowercase()));
        if new_word && !word.is_empty() {
            words.push(core::mem::take(&mut word));
        }
        word.push(c.to_ascii_lowercase());
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `createTransfer` → `create_transfer`. May be empty, start with a digit, or be a keyword: the caller mends that.
#[must_use]
pub fn snake(name: &str) -> String {
    words(name).join("_")
}

/// `create-transfer` → `CreateTransfer`. May be empty or start with a digit.
#[must_use]
pub fn pascal(name: &str) -> String {
    let mut out = String::new();
    for word in words(name) {
        let mut chars = word.chars();
        if let Some(first) = chars.next() {
            out.push(first.to_ascii_uppercase());
            out.extend(chars);
        }
    }
    out
}

/// Every word that Rust reserves in any edition, and those that would mean something else where we use them.
pub const RESERVED: &[&str] = &[
    "_", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super",
    "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "Self",
];

/// The module that belongs to a generated trait: `CreateTransfer` → `create_transfer`, `Type` → `type_`. The generator
/// names modules so, and the macros find them so.
#[must_use]
pub fn module(trait_name: &str) -> String {
    let mut name = snake(trait_name);
    if RESERVED.contains(&name.as_str()) {
        name.push('_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_names_of_real_documents() {
        for (name, s, p) in [
            ("createTransfer", "create_transfer", "CreateTransfer"),
            ("repos/list-for-user", "repos_list_for_user", "ReposListForUser"),
            ("HTTPServer", "http_server", "HttpServer"),
            ("get2FA", "get2_fa", "Get2Fa"),
            ("x", "x", "X"),
            ("__a__", "a", "A"),
            ("日本", "", ""),
            ("409", "409", "409"),
        ] {
            assert_eq!(snake(name), s, "{name}");
            assert_eq!(pascal(name), p, "{name}");
        }
    }

    #[test]
    fn a_module_is_found_from_its_trait() {
        for name in ["createTransfer", "get-2fa-token", "HTTPServerList", "a1b2", "repos/get"] {
            assert_eq!(snake(&pascal(name)), snake(&pascal(&snake(name))), "{name}");
        }
    }
}
