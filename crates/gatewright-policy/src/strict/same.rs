//! Equality and membership, as constant evaluation knows them: no traits, no iterators.

use crate::table::Setting;

pub(super) const fn same_setting(a: &Setting<&'static str>, b: &Setting<&'static str>) -> bool {
    match (a, b) {
        (Setting::Fixed(a), Setting::Fixed(b))
        | (Setting::Environment { template: a, .. }, Setting::Environment { template: b, .. }) => same(a, b),
        _ => false,
    }
}

pub(super) const fn setting_in(setting: &Setting<&'static str>, mut list: &[Setting<&'static str>]) -> bool {
    while let [other, rest @ ..] = list {
        if same_setting(setting, other) {
            return true;
        }
        list = rest;
    }
    false
}

pub(super) const fn settings_within(mut a: &[Setting<&'static str>], b: &[Setting<&'static str>]) -> bool {
    while let [setting, rest @ ..] = a {
        if !setting_in(setting, b) {
            return false;
        }
        a = rest;
    }
    true
}

pub(super) const fn texts_within(mut a: &[&str], b: &[&str]) -> bool {
    while let [text, rest @ ..] = a {
        let mut list = b;
        let mut found = false;
        while let [other, more @ ..] = list {
            found = found || same(text, other);
            list = more;
        }
        if !found {
            return false;
        }
        a = rest;
    }
    true
}

pub(super) const fn same_texts(mut a: &[&str], mut b: &[&str]) -> bool {
    while let ([x, rest @ ..], [y, more @ ..]) = (a, b) {
        if !same(x, y) {
            return false;
        }
        (a, b) = (rest, more);
    }
    a.is_empty() && b.is_empty()
}

pub(super) const fn same(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while let ([x, rest @ ..], [y, more @ ..]) = (a, b) {
        if *x != *y {
            return false;
        }
        (a, b) = (rest, more);
    }
    a.is_empty() && b.is_empty()
}

pub(super) const fn nth<T>(mut list: &[T], mut index: u16) -> Option<&T> {
    while let [item, rest @ ..] = list {
        if index == 0 {
            return Some(item);
        }
        index -= 1;
        list = rest;
    }
    None
}

pub(super) const fn has(words: &[u64], bit: u16) -> bool {
    match nth(words, bit / 64) {
        Some(word) => (*word >> (bit % 64)) & 1 == 1,
        None => false,
    }
}

pub(super) const fn meets(mut a: &[u64], mut b: &[u64]) -> bool {
    while let ([x, rest @ ..], [y, more @ ..]) = (a, b) {
        if *x & *y != 0 {
            return true;
        }
        (a, b) = (rest, more);
    }
    false
}
