//! The keywords that apply other schemas: to items, to members, and in place.

use std::fmt::Write;
use std::rc::Rc;

use gatewright_ir::schema::{Schema, SchemaId, Types};

use super::checks::{Checks, Key, Marking, Mode, Scope};
use super::keywords::{array_has_rules, closes, is_hidden, members};
use super::plan::dispatches;

/// A schema with what its surroundings mean for it.
pub(super) struct Within<'w, 's> {
    pub(super) schema: &'s Schema,
    pub(super) mode: Mode,
    pub(super) scope: &'w Scope,
}

impl Within<'_, '_> {
    fn key(&self, id: SchemaId, mode: Mode) -> Key {
        Key { id, mode, scope: self.scope.clone() }
    }

    /// The check of items, members and names: nothing of the composition holds there.
    fn below(&self, checks: &mut Checks<'_>, id: SchemaId) -> String {
        let scope = Scope { anchors: self.scope.anchors.clone(), hidden: Rc::default() };
        checks.name(Key { id, mode: self.mode.below(), scope })
    }

    /// The check of what only decides: JSON Schema's own meaning, else `not` would let in what is unknown.
    fn deciding(&self, checks: &mut Checks<'_>, id: SchemaId) -> String {
        checks.name(self.key(id, self.mode.deciding()))
    }

    fn member(&self, checks: &mut Checks<'_>, id: SchemaId) -> String {
        checks.name(self.key(id, self.mode.in_place()))
    }

    pub(super) fn array(&self, checks: &mut Checks<'_>, out: &mut String) {
        if !array_has_rules(self.schema) {
            return;
        }
        let rules = &self.schema.array;
        let mut text = String::new();
        if let Some(least) = rules.min_items {
            let _ = write!(text, "min: {least}, ");
        }
        if let Some(most) = rules.max_items {
            let _ = write!(text, "max: {most}, ");
        }
        if rules.unique_items {
            text.push_str("unique: true, ");
        }
        if !rules.prefix_items.is_empty() {
            let prefix: Vec<String> = rules.prefix_items.iter().map(|id| self.below(checks, *id)).collect();
            let _ = write!(text, "prefix: &[{}], ", prefix.join(", "));
        }
        if let Some(items) = rules.items {
            let _ = write!(text, "items: Some({}), ", self.below(checks, items));
        }
        if let Some(contains) = rules.contains {
            let scope = Scope { anchors: self.scope.anchors.clone(), hidden: Rc::default() };
            let check = checks.name(Key { id: contains, mode: self.mode.deciding(), scope });
            let (min, max) = (rules.min_contains.unwrap_or(1), rules.max_contains.unwrap_or(u64::MAX));
            let _ = write!(text, "contains: Some(&Contains {{ check: {check}, min: {min}, max: {max} }}), ");
        }
        let _ = write!(out, ", array {{ {} }}", text.trim_end_matches(", "));
    }

    pub(super) fn object(&self, checks: &mut Checks<'_>, key: &Key, out: &mut String) {
        let schemas = checks.schemas;
        let rules = &self.schema.object;
        let closed = self.mode.whole && closes(schemas, key.id) && members(self.schema).next().is_none();
        let only_composed = rules.properties.is_empty()
            && rules.required.is_empty()
            && rules.additional_properties.is_none()
            && rules.pattern_properties.is_empty()
            && rules.property_names.is_none()
            && rules.min_properties.is_none()
            && rules.max_properties.is_none()
            && rules.dependent_required.is_empty();
        if only_composed {
            return;
        }
        let mut fields: Vec<(&str, String)> = Vec::new();
        let mut needed = 0;
        for property in &rules.properties {
            let hidden = is_hidden(schemas, property.schema, self.mode);
            let required =
                rules.required.contains(&property.name) && !hidden && !self.scope.hidden.contains(&property.name);
            needed += usize::from(required);
            let name = &property.name;
            // Where unknown fields are refused, so are those that only the server sets; else they are let pass, unread.
            let text = match (hidden, self.mode.refuse) {
                (true, true) => format!("refused({name:?})"),
                (true, false) => format!("ignored({name:?})"),
                (false, _) => {
                    let check = self.below(checks, property.schema);
                    format!("{}({name:?}, {check})", if required { "required" } else { "optional" })
                }
            };
            fields.push((name, text));
        }
        let known: std::collections::HashSet<&str> = rules.properties.iter().map(|p| p.name.as_str()).collect();
        let mut named = std::collections::HashSet::new();
        for name in &rules.required {
            if !known.contains(name.as_str()) && !self.scope.hidden.contains(name) && named.insert(name) {
                needed += 1;
                // Elsewhere spoken of, if at all. Where only the policy closes the object, what is required is admitted:
                // else no request could be valid.
                let text = if closed { format!("required({name:?}, check::any)") } else { format!("named({name:?})") };
                fields.push((name, text));
            }
        }
        let mut text = String::new();
        if needed > 0 {
            let _ = write!(text, "required: {needed}, ");
        }
        if (17..=usize::from(u16::MAX)).contains(&fields.len()) {
            let mut order: Vec<usize> = (0..fields.len()).collect();
            order.sort_by_key(|place| fields.get(*place).map(|(name, _)| *name));
            let _ = write!(text, "sorted: &{order:?}, ");
        }
        if !rules.pattern_properties.is_empty() {
            let mut list = Vec::new();
            for (pattern, id) in &rules.pattern_properties {
                let (pattern, check) = (checks.pattern(pattern), self.below(checks, *id));
                list.push(format!("(&{pattern}, {check})"));
            }
            let _ = write!(text, "patterns: &[{}], ", list.join(", "));
        }
        match rules.additional_properties {
            Some(id) if schemas.get(id).nothing => text.push_str("rest: Rest::Closed, "),
            Some(id) => match self.below(checks, id).as_str() {
                "check::any" => {}
                check => {
                    let _ = write!(text, "rest: Rest::Check({check}), ");
                }
            },
            None if closed => text.push_str("rest: Rest::Closed, "),
            None => {}
        }
        if let Some(names) = rules.property_names {
            let _ = write!(text, "names: Some({}), ", self.below(checks, names));
        }
        if let Some(least) = rules.min_properties {
            let _ = write!(text, "min: {least}, ");
        }
        if let Some(most) = rules.max_properties {
            let _ = write!(text, "max: {most}, ");
        }
        if !rules.dependent_required.is_empty() {
            let list = rules.dependent_required.iter().map(|(name, needed)| format!("({name:?}, &{needed:?})"));
            let _ = write!(text, "dependent: &[{}], ", list.collect::<Vec<_>>().join(", "));
        }
        // The long list comes last, so that the short words are seen first.
        if !fields.is_empty() {
            let list: Vec<&str> = fields.iter().map(|(_, text)| text.as_str()).collect();
            let _ = write!(text, "properties: &[{}]", list.join(", "));
        }
        if !text.is_empty() {
            let _ = write!(out, ", object {{ {} }}", text.trim_end_matches(", "));
        }
    }

    pub(super) fn composition(&self, checks: &mut Checks<'_>, out: &mut String) {
        let schema = self.schema;
        for id in schema.reference.iter().chain(&schema.all_of) {
            let check = self.member(checks, *id);
            call(&check, out);
        }
        if let Some((name, fallback)) = &schema.dynamic_reference {
            let target = self.scope.anchors.get(name).copied().unwrap_or(*fallback);
            let check = self.member(checks, target);
            call(&check, out);
        }
        for (branches, helper) in [(&schema.any_of, "any_of"), (&schema.one_of, "one_of")] {
            if branches.is_empty() {
                continue;
            }
            if let Some(discriminator) = schema.discriminator.as_ref().filter(|d| dispatches(d, branches)) {
                let mut list = Vec::new();
                for (value, id) in &discriminator.mapping {
                    list.push(format!("({value:?}, {})", self.member(checks, *id)));
                }
                let default = match discriminator.default {
                    Some(id) => format!("Some({})", self.member(checks, id)),
                    None => "None".to_owned(),
                };
                // `null` says nothing of the property, where the schema admits it beside the branches.
                let unless = match schema.types {
                    Some(types) if types.contains(Types::NULL) => "_unless_null",
                    _ => "",
                };
                let _ = write!(
                    out,
                    ", discriminated{unless} {{ property: {:?}, default: {default}, branches: &[{}] }}",
                    discriminator.property,
                    list.join(", ")
                );
                continue;
            }
            let list: Vec<String> = branches.iter().map(|id| self.member(checks, *id)).collect();
            let recursive = branches.iter().any(|id| checks.graph.recursive(*id));
            let suffix = if recursive { "_recursive" } else { "" };
            let _ = write!(out, ", {helper}{suffix}(&[{}])", list.join(", "));
        }
        if let Some(id) = schema.not {
            let check = self.deciding(checks, id);
            let _ = write!(out, ", except({check})");
        }
        if let Some(condition) = &schema.condition {
            let when = self.deciding(checks, condition.when);
            let mut branch = |id: Option<SchemaId>| match id {
                Some(id) => format!("Some({})", self.member(checks, id)),
                None => "None".to_owned(),
            };
            let (then, otherwise) = (branch(condition.then), branch(condition.otherwise));
            let _ = write!(out, ", when({when}, {then}, {otherwise})");
        }
        for (name, id) in &schema.object.dependent_schemas {
            let check = self.member(checks, *id);
            if check != "check::any" {
                let _ = write!(out, ", dependent_schema({name:?}, {check})");
            }
        }
    }

    /// `unevaluatedProperties` and `unevaluatedItems`, said or meant.
    pub(super) fn unevaluated(&self, checks: &mut Checks<'_>, key: &Key, out: &mut String) {
        let schemas = checks.schemas;
        let meant = self.mode.whole && closes(schemas, key.id) && members(self.schema).next().is_some();
        let own = Key { scope: self.scope.clone(), ..key.clone() };
        let rest = match self.schema.object.unevaluated_properties {
            Some(id) if schemas.get(id).nothing => Some("Rest::Closed".to_owned()),
            Some(id) => match self.below(checks, id) {
                check if check == "check::any" => None,
                check => Some(format!("Rest::Check({check})")),
            },
            None if meant => Some("Rest::Closed".to_owned()),
            None => None,
        };
        if let Some(rest) = rest {
            let meant = self.schema.object.unevaluated_properties.is_none();
            let mark = self.mark_of(checks, own.clone(), Marking { objects: true, meant, beside: true });
            let _ = write!(out, ", unevaluated_properties({mark}, &{rest})");
        }
        if let Some(id) = self.schema.array.unevaluated_items {
            let check = if schemas.get(id).nothing { "check::never".to_owned() } else { self.below(checks, id) };
            if check != "check::any" {
                let mark = self.mark_of(checks, own, Marking { objects: false, meant: false, beside: true });
                let _ = write!(out, ", unevaluated_items({mark}, {check})");
            }
        }
    }

    /// What the keywords beside an `unevaluated…` look at.
    fn mark_of(&self, checks: &mut Checks<'_>, key: Key, marking: Marking) -> String {
        checks.mark(key, marking).unwrap_or_else(|| super::marks::NOTHING.to_owned())
    }
}

fn call(check: &str, out: &mut String) {
    if check != "check::any" {
        let _ = write!(out, ", also({check})");
    }
}
