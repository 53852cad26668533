//! Values that many tables have: written once, under a name made of what they say.

use std::collections::{BTreeMap, HashMap, HashSet};

use gatewright_ir::names::{Case, unique};
use gatewright_ir::policy::{Alternative, Limit, LimitKey, Measure, Quota, Setting};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::sha256;
use crate::names::{TAKEN_CONSTANTS, ident};

/// A value of a table.
pub(super) struct Value {
    /// What it says, for its name; empty for a value that stands where it is used.
    pub(super) words: String,
    /// Its type.
    pub(super) kind: TokenStream,
    pub(super) tokens: TokenStream,
    /// Whether it has a name even if only one table has it.
    pub(super) named: bool,
}

impl Value {
    pub(super) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }
}

/// Values on their way to names.
pub(super) struct Shared<'v> {
    taken: HashSet<String>,
    /// By their text, with how often they stand in a table.
    values: BTreeMap<String, (&'v Value, usize)>,
}

impl<'v> Shared<'v> {
    /// `taken` are the names of the tables, in lower case.
    pub(super) fn new(taken: impl Iterator<Item = String>) -> Self {
        let own = TAKEN_CONSTANTS.iter().map(|name| name.to_lowercase());
        Shared { taken: taken.chain(own).collect(), values: BTreeMap::new() }
    }

    pub(super) fn count(&mut self, value: &'v Value) {
        if !value.is_empty() && !value.words.is_empty() {
            self.values.entry(value.tokens.to_string()).or_insert((value, 0)).1 += 1;
        }
    }

    /// The constants, and which value is which.
    pub(super) fn name(self) -> (TokenStream, Named) {
        let several: Vec<(String, &Value)> = self
            .values
            .into_iter()
            .filter(|(_, (value, count))| *count > 1 || value.named)
            .map(|(text, (value, _))| (text, value))
            .collect();
        let mut spelt: HashMap<&str, usize> = HashMap::new();
        for (_, value) in &several {
            *spelt.entry(&value.words).or_default() += 1;
        }
        let texts: Vec<String> = several
            .iter()
            .map(|(text, value)| match spelt.get(value.words.as_str()) {
                Some(1) => value.words.clone(),
                _ => format!("{} {}", value.words, sha256::hex(text).get(..6).unwrap_or_default()),
            })
            .collect();
        let taken: Vec<&str> = self.taken.iter().map(String::as_str).collect();
        let names = unique(texts.iter().map(String::as_str), Case::Snake, &taken);
        let mut named = Named { names: HashMap::new() };
        let mut constants = BTreeMap::new();
        for ((text, value), name) in several.into_iter().zip(names) {
            let name = ident(&name.to_uppercase());
            let (kind, tokens) = (&value.kind, &value.tokens);
            constants.insert(name.to_string(), quote!(const #name: #kind = #tokens;));
            named.names.insert(text, name);
        }
        let constants = constants.into_values();
        (quote!(#(#constants)*), named)
    }
}

/// Which value is which constant.
pub(super) struct Named {
    names: HashMap<String, Ident>,
}

impl Named {
    /// The value where it is used.
    pub(super) fn of(&self, value: &Value) -> TokenStream {
        match self.names.get(&value.tokens.to_string()) {
            Some(name) => quote!(#name),
            None => value.tokens.clone(),
        }
    }
}

/// `oauth accounts read`
pub(super) fn alternative_words(alternative: &Alternative) -> String {
    let mut words = Vec::new();
    for need in &alternative.needs {
        words.push(need.scheme.value.as_str());
        words.extend(need.scopes.iter().map(|s| s.value.as_str()));
    }
    if words.is_empty() { "anonymous".to_owned() } else { words.join(" ") }
}

/// `ip 100 min`
pub(super) fn limit_words(limit: &Limit) -> String {
    let mut words: Vec<String> = Vec::new();
    for key in &limit.by {
        words.push(match key {
            LimitKey::Address => "ip".to_owned(),
            LimitKey::User => "user".to_owned(),
            LimitKey::ApiKey => "key".to_owned(),
            LimitKey::Client => "client".to_owned(),
            LimitKey::Level => "level".to_owned(),
            LimitKey::Claim(path) => path.join(" "),
        });
    }
    words.push(match &limit.quota {
        Quota::Flat(Setting::Fixed(rate)) | Quota::ByName { default: Setting::Fixed(rate), .. } => {
            limit.measure.written(rate)
        }
        Quota::Flat(Setting::Environment(text)) | Quota::ByName { default: Setting::Environment(text), .. } => {
            let inner = text.trim_start_matches("${");
            inner.split([':', '}']).next().unwrap_or_default().to_owned()
        }
        Quota::OfLevel => "own rate".to_owned(),
        Quota::Action(action) => action.value.clone(),
    });
    if limit.measure == Measure::Concurrent {
        words.push("at once".to_owned());
    }
    words.join(" ")
}
