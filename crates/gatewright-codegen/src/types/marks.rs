//! What a schema looks at: functions that mark the members or items that its keywords speak of, for those around it that
//! say `unevaluatedProperties` or `unevaluatedItems`, or mean it.

use std::fmt::Write;
use std::rc::Rc;

use gatewright_ir::schema::{Schema, SchemaId, Schemas, Types};

use super::checks::{Checks, Key, Marking, Scope};
use super::keywords::{members, scope_within};
use super::plan::dispatches;

/// Whether there is anything that the schema could mark.
pub(super) fn looks(schemas: &Schemas, id: SchemaId, marking: Marking) -> bool {
    let mut seen = vec![id];
    let mut place = 0;
    while let Some(here) = seen.get(place).copied() {
        place += 1;
        let schema = schemas.get(here);
        if own(schema, marking, marking.beside && here == id)
            || (marking.meant && here != id && free_form(schema))
            || seen.len() > 1000
        {
            return true;
        }
        for member in members(schema).chain(schema.dynamic_anchors.iter().map(|(_, id)| *id)) {
            if !seen.contains(&member) {
                seen.push(member);
            }
        }
    }
    false
}

fn own(schema: &Schema, marking: Marking, beside: bool) -> bool {
    let (object, array) = (&schema.object, &schema.array);
    if marking.objects {
        !object.properties.is_empty()
            || (marking.meant && !object.required.is_empty())
            || !object.pattern_properties.is_empty()
            || object.additional_properties.is_some()
            || (!beside && object.unevaluated_properties.is_some())
    } else {
        array.items.is_some()
            || !array.prefix_items.is_empty()
            || array.contains.is_some()
            || (!beside && array.unevaluated_items.is_some())
    }
}

/// A branch that admits any object.
fn free_form(schema: &Schema) -> bool {
    schema.types.is_none_or(|types| types.contains(Types::OBJECT))
        && schema.object.is_empty()
        && members(schema).next().is_none()
        && schema.not.is_none()
        && schema.enumeration.is_none()
        && schema.constant.is_none()
        && !schema.nothing
}

/// What the runtime's `mark!` is given behind the name. The `unevaluated…` of the schema itself marks all, unless the function stands
/// for what is beside it.
pub(super) fn body(checks: &mut Checks<'_>, key: &Key, marking: Marking) -> String {
    let schemas = checks.schemas;
    let schema = schemas.get(key.id);
    let beside = marking.beside;
    let key = &Key { scope: scope_within(schemas, key), ..key.clone() };
    let mut out = String::new();
    let (object, array) = (&schema.object, &schema.array);
    let kind = if marking.objects { "Object" } else { "Array" };
    let all = if marking.objects {
        object.additional_properties.is_some() || (!beside && object.unevaluated_properties.is_some())
    } else {
        array.items.is_some() || (!beside && array.unevaluated_items.is_some())
    };
    if all {
        return format!(", all({kind})");
    }
    if marking.objects {
        let mut names: Vec<&str> = object.properties.iter().map(|property| property.name.as_str()).collect();
        if marking.meant {
            // What is required is spoken of, declared or not: else no request could be valid.
            let more = object.required.iter().map(String::as_str).filter(|name| !names.contains(name));
            names.extend(more.collect::<Vec<_>>());
        }
        let patterns: Vec<String> =
            object.pattern_properties.iter().map(|(pattern, _)| checks.pattern(pattern)).collect();
        if !names.is_empty() || !patterns.is_empty() {
            let _ = if patterns.is_empty() {
                write!(out, ", properties(&{names:?}, &[])")
            } else {
                write!(out, ", patterns({names:?}, {})", patterns.join(", "))
            };
        }
    } else {
        if !array.prefix_items.is_empty() {
            let _ = write!(out, ", first({})", array.prefix_items.len());
        }
        if let Some(contains) = array.contains {
            let scope = Scope { anchors: key.scope.anchors.clone(), hidden: Rc::default() };
            let check = checks.name(Key { id: contains, mode: key.mode.deciding(), scope });
            let _ = write!(out, ", contains({check})");
        }
    }
    let cx = Members { key, marking };
    for id in schema.reference.iter().chain(&schema.all_of) {
        cx.call(checks, *id, &mut out);
    }
    if let Some((name, fallback)) = &schema.dynamic_reference {
        let target = key.scope.anchors.get(name).copied().unwrap_or(*fallback);
        cx.call(checks, target, &mut out);
    }
    for branches in [&schema.any_of, &schema.one_of] {
        cx.branches(checks, schema, branches, &mut out);
    }
    if let Some(condition) = &schema.condition {
        let mut mark = |id: Option<SchemaId>| id.and_then(|id| cx.mark(checks, id));
        let (when, then, otherwise) = (mark(Some(condition.when)), mark(condition.then), mark(condition.otherwise));
        if when.is_some() || then.is_some() || otherwise.is_some() {
            let check = checks.name(Key { id: condition.when, mode: key.mode.deciding(), scope: key.scope.clone() });
            let optional = |mark: Option<String>| mark.map_or("None".to_owned(), |mark| format!("Some({mark})"));
            let when = when.unwrap_or_else(|| NOTHING.to_owned());
            let (then, otherwise) = (optional(then), optional(otherwise));
            let _ = write!(out, ", when(({check}, {when}), {then}, {otherwise})");
        }
    }
    for (name, id) in &object.dependent_schemas {
        if let Some(mark) = cx.mark(checks, *id) {
            let _ = write!(out, ", dependent({name:?}, {mark})");
        }
    }
    out
}

/// Marks nothing.
pub(super) const NOTHING: &str = "mark_nothing";

struct Members<'m> {
    key: &'m Key,
    marking: Marking,
}

impl Members<'_> {
    fn mark(&self, checks: &mut Checks<'_>, id: SchemaId) -> Option<String> {
        // A schema that contains itself in place marks nothing by coming back to itself. Backwards edges are cut by the
        // order of schemas: one of each cycle always goes backwards.
        if checks.graph.in_place(id) && checks.graph.in_place(self.key.id) && id <= self.key.id {
            return None;
        }
        checks.mark(Key { id, ..self.key.clone() }, Marking { beside: false, ..self.marking })
    }

    fn call(&self, checks: &mut Checks<'_>, id: SchemaId, out: &mut String) {
        if let Some(mark) = self.mark(checks, id) {
            let _ = write!(out, ", also({mark})");
        }
    }

    fn branches(&self, checks: &mut Checks<'_>, schema: &Schema, branches: &[SchemaId], out: &mut String) {
        if branches.is_empty() {
            return;
        }
        let mode = self.key.mode.in_place();
        if let Some(discriminator) = schema.discriminator.as_ref().filter(|d| dispatches(d, branches)) {
            let mut mark = |id: SchemaId| self.mark(checks, id).unwrap_or_else(|| NOTHING.to_owned());
            let list: Vec<String> =
                discriminator.mapping.iter().map(|(value, id)| format!("({value:?}, {})", mark(*id))).collect();
            let default = discriminator.default.map_or("None".to_owned(), |id| format!("Some({})", mark(id)));
            let _ = write!(out, ", discriminated({:?}, &[{}], {default})", discriminator.property, list.join(", "));
            return;
        }
        let mut list = Vec::new();
        for id in branches {
            let mark = if self.marking.meant && free_form(checks.schemas.get(*id)) {
                Some("mark_all".to_owned())
            } else {
                self.mark(checks, *id)
            };
            if let Some(mark) = mark {
                let check = checks.name(Key { id: *id, mode, scope: self.key.scope.clone() });
                list.push(format!("({check}, {mark})"));
            }
        }
        if !list.is_empty() {
            let _ = write!(out, ", branches(&[{}])", list.join(", "));
        }
    }
}
