//! Reading values of the vocabulary from the tree. Each reader reports what is wrong at its place and gives `None`, so
//! that its caller goes on with the next key.

use gatewright_diag::{Code, Sink, Span, Spanned, codes, nearest};
use gatewright_ir::policy::{Reference, Setting};
use gatewright_policy::Rate;

use super::values;
use crate::syntax::Node;

/// Reads the vocabulary and reports what is wrong with it.
pub(crate) struct Reader<'s> {
    pub(crate) sink: &'s mut Sink,
}

/// Lists of a policy are copied into each operation that they hold for, so they have an end.
const MOST_ITEMS: usize = 256;

/// Text of a document as a message may quote it.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

impl Reader<'_> {
    pub(super) fn report(&mut self, code: Code, span: Span, message: String, help: &str) {
        self.sink.error(code, span, message).help(help);
    }

    pub(super) fn wrong_type(&mut self, node: Node<'_>, expected: &str) {
        let found = if node.is_seq() && node.is_empty() { "an empty list" } else { node.type_name() };
        let message = format!("expected {expected}, found {found}");
        self.report(codes::VOCABULARY_TYPE, node.anchor_span(), message, &format!("write {expected} here"));
    }

    pub(super) fn wrong_value(&mut self, node: Node<'_>, help: &str) {
        let text = shown(node.text().unwrap_or(""));
        let message = format!("`{text}` cannot be understood here");
        self.report(codes::VOCABULARY_VALUE, node.span(), message, help);
    }

    pub(super) fn missing(&mut self, node: Node<'_>, key: &str, why: &str) {
        let message = format!("`{key}` is missing");
        self.report(codes::VOCABULARY_MISSING, node.anchor_span(), message, why);
    }

    /// Whether the node is an object; its unknown keys are reported.
    pub(super) fn object(&mut self, node: Node<'_>, known: &[&str]) -> bool {
        if !node.is_map() {
            self.wrong_type(node, "an object");
            return false;
        }
        for (key, _) in node.entries() {
            if !known.contains(&key.text) {
                let help = match nearest(key.text, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the keys here are {}", list(known)),
                };
                let message = format!("unknown key `{}`", shown(key.text));
                self.report(codes::VOCABULARY_KEY, key.span, message, &help);
            }
        }
        true
    }

    /// The items of a list.
    pub(super) fn list<'t>(&mut self, node: Node<'t>) -> Vec<Node<'t>> {
        if !node.is_seq() {
            self.wrong_type(node, "a list");
            return Vec::new();
        }
        node.items().collect()
    }

    /// Every item of a list, or none of them: a list of which one item is wrong must not become a shorter list that
    /// means something else. All items are read, so that each mistake is reported.
    pub(super) fn each<'t, T>(
        &mut self,
        node: Node<'t>,
        mut read: impl FnMut(&mut Self, Node<'t>) -> Option<T>,
    ) -> Option<Vec<T>> {
        if node.len() > MOST_ITEMS {
            let message = format!("this list has more than {MOST_ITEMS} items");
            self.report(
                codes::VOCABULARY_VALUE,
                node.anchor_span(),
                message,
                "name a role, a network or a claim that stands for many",
            );
            return None;
        }
        let read: Vec<Option<T>> = node.items().map(|item| read(self, item)).collect();
        read.into_iter().collect()
    }

    /// Text that is not empty.
    pub(super) fn text(&mut self, node: Node<'_>) -> Option<Spanned<String>> {
        match node.as_str() {
            Some("") => {
                self.wrong_value(node, "write some text here");
                None
            }
            Some(text) => Some(Spanned::new(text.to_owned(), node.span())),
            None => {
                self.wrong_type(node, "text");
                None
            }
        }
    }

    /// The name of something: fixed when the server is built, so it holds no variable.
    pub(super) fn name(&mut self, node: Node<'_>) -> Option<Spanned<String>> {
        let name = self.text(node)?;
        if name.value.contains("${") {
            self.report(
                codes::VOCABULARY_VALUE,
                node.span(),
                format!("`{}` names something by a deployment value", shown(&name.value)),
                "write the name itself: who may do what is fixed when the server is built",
            );
            return None;
        }
        Some(name)
    }

    /// A list of names, of which there is at least one.
    pub(super) fn names(&mut self, node: Node<'_>) -> Option<Vec<Spanned<String>>> {
        if !node.is_seq() {
            self.wrong_type(node, "a list");
            return None;
        }
        if node.is_empty() {
            self.report(
                codes::VOCABULARY_VALUE,
                node.anchor_span(),
                "an empty list admits nobody".to_owned(),
                "name at least one, or leave the key away",
            );
            return None;
        }
        self.each(node, Self::name)
    }

    pub(super) fn boolean(&mut self, node: Node<'_>) -> Option<bool> {
        let value = node.as_bool();
        if value.is_none() {
            self.wrong_type(node, "`true` or `false`");
        }
        value
    }

    /// One of several words.
    pub(super) fn word<T: Copy>(&mut self, node: Node<'_>, words: &[(&str, T)]) -> Option<T> {
        let text = node.text().unwrap_or("");
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let help = match nearest(text, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of {}", list(&known)),
        };
        match node.text() {
            Some(_) => self.wrong_value(node, &help),
            None => self.wrong_type(node, &format!("one of {}", list(&known))),
        }
        None
    }

    /// A value that a deployment may set, in the language of `parse`.
    pub(super) fn setting<T>(
        &mut self,
        node: Node<'_>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Spanned<Setting<T>>> {
        let Some(text) = node.text().filter(|_| !node.is_null()) else {
            self.wrong_type(node, "a value");
            return None;
        };
        let fixed = match values::variables(text) {
            Err(help) => {
                self.report(
                    codes::SETTING_SYNTAX,
                    node.span(),
                    format!("`{}` is no deployment value", shown(text)),
                    &help,
                );
                return None;
            }
            Ok(None) => text.to_owned(),
            Ok(Some(default)) => {
                // A default must be as sound as a fixed value; an empty one says that there is none.
                let unsound = default.filter(|d| !d.is_empty()).and_then(|d| parse(&d).err());
                if let Some(help) = unsound {
                    self.wrong_value(node, &help);
                    return None;
                }
                return Some(Spanned::new(Setting::Environment(text.to_owned()), node.span()));
            }
        };
        match parse(&fixed) {
            Ok(value) => Some(Spanned::new(Setting::Fixed(value), node.span())),
            Err(help) => {
                self.wrong_value(node, &help);
                None
            }
        }
    }

    pub(super) fn text_setting(&mut self, node: Node<'_>) -> Option<Spanned<Setting<String>>> {
        if node.as_str().is_none() {
            self.wrong_type(node, "text");
            return None;
        }
        self.setting(
            node,
            |text| if text.is_empty() { Err("write some text here".to_owned()) } else { Ok(text.to_owned()) },
        )
    }

    pub(super) fn url_setting(&mut self, node: Node<'_>) -> Option<Spanned<Setting<String>>> {
        self.setting(node, |text| {
            let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
            match rest {
                Some(rest) if !rest.is_empty() && !text.contains(char::is_whitespace) => Ok(text.to_owned()),
                _ => Err("write an absolute URL that begins with `https://`".to_owned()),
            }
        })
    }

    /// A duration in seconds that is fixed when the server is built.
    pub(super) fn seconds(&mut self, node: Node<'_>) -> Option<u32> {
        match values::duration(node.text().unwrap_or("")) {
            Ok(ms) if ms % 1000 == 0 => u32::try_from(ms / 1000).ok(),
            Ok(_) => {
                self.wrong_value(node, "write whole seconds");
                None
            }
            Err(help) => {
                self.wrong_value(node, &help);
                None
            }
        }
    }

    pub(super) fn rate(&mut self, node: Node<'_>) -> Option<Spanned<Setting<Rate>>> {
        self.setting(node, |text| Rate::parse(text).map_err(|e| e.to_string()))
    }

    pub(super) fn count(&mut self, node: Node<'_>) -> Option<u32> {
        let value = node.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
        if value.is_none() {
            self.wrong_type(node, "a whole number from 1");
        }
        value
    }

    /// The path of a claim: `a.b`, or a list of its parts.
    pub(super) fn claim_path(&mut self, node: Node<'_>) -> Option<Vec<String>> {
        if node.is_seq() {
            return Some(self.names(node)?.into_iter().map(|part| part.value).collect());
        }
        let text = self.name(node)?;
        match values::claim_path(&text.value) {
            Ok(path) => Some(path),
            Err(help) => {
                self.wrong_value(node, &help);
                None
            }
        }
    }

    /// `{path.id}`; `None` within `Some` where the text is no reference at all.
    pub(super) fn reference(&mut self, node: Node<'_>) -> Option<Option<Reference>> {
        let text = node.as_str().unwrap_or("");
        match values::reference(text) {
            None => Some(None),
            Some(Ok((part, name))) => Some(Some(Reference { part, name, span: node.span() })),
            Some(Err(help)) => {
                self.wrong_value(node, &help);
                None
            }
        }
    }
}

/// `a`, `b` and `c`.
pub(super) fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "none".to_owned(),
    }
}
