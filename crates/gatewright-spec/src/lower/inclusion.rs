//! Schemas that are part of themselves without an object or an array in between: checking a value would never end.

use gatewright_diag::{Sink, codes};
use gatewright_ir::schema::{Schema, SchemaId, Schemas};

/// What is applied to the very same value.
fn in_place(schema: &Schema) -> Vec<SchemaId> {
    let condition = schema.condition.as_ref();
    schema
        .reference
        .into_iter()
        .chain(schema.dynamic_reference.as_ref().map(|(_, id)| *id))
        .chain(schema.all_of.iter().copied())
        .chain(schema.any_of.iter().copied())
        .chain(schema.one_of.iter().copied())
        .chain(schema.not)
        .chain(condition.map(|c| c.when))
        .chain(condition.and_then(|c| c.then))
        .chain(condition.and_then(|c| c.otherwise))
        .chain(schema.object.dependent_schemas.iter().map(|(_, id)| *id))
        .collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done,
}

/// Reports each circle once.
pub(super) fn check(schemas: &Schemas, sink: &mut Sink) {
    let mut marks = vec![Mark::New; schemas.len()];
    let mark = |marks: &[Mark], id: SchemaId| marks.get(id.0 as usize).copied().unwrap_or(Mark::Done);
    for (start, _) in schemas.iter() {
        if mark(&marks, start) != Mark::New {
            continue;
        }
        // A walk in depth with a stack of its own: chains may be as long as the document.
        let mut path: Vec<(SchemaId, Vec<SchemaId>)> = vec![(start, in_place(schemas.get(start)))];
        set(&mut marks, start, Mark::Open);
        while let Some((id, parts)) = path.last_mut() {
            let id = *id;
            match parts.pop() {
                None => {
                    set(&mut marks, id, Mark::Done);
                    path.pop();
                }
                Some(part) => match mark(&marks, part) {
                    Mark::Done => {}
                    Mark::New => {
                        set(&mut marks, part, Mark::Open);
                        path.push((part, in_place(schemas.get(part))));
                    }
                    Mark::Open => {
                        report(schemas, part, path.iter().map(|(id, _)| *id), sink);
                    }
                },
            }
        }
    }
}

fn set(marks: &mut [Mark], id: SchemaId, mark: Mark) {
    if let Some(slot) = marks.get_mut(id.0 as usize) {
        *slot = mark;
    }
}

fn report(schemas: &Schemas, part: SchemaId, path: impl Iterator<Item = SchemaId>, sink: &mut Sink) {
    let circle: Vec<SchemaId> = path.skip_while(|id| *id != part).collect();
    let names: Vec<String> = circle
        .iter()
        .filter_map(|id| schemas.get(*id).name.as_ref())
        .map(|name| format!("`{}`", super::shown(name)))
        .collect();
    let message = match names.as_slice() {
        [] => "this schema is part of itself".to_owned(),
        [one] => format!("the schema {one} is part of itself"),
        many => format!("the schemas {} are parts of one another", many.join(", ")),
    };
    let mut report = sink
        .error(codes::INFINITE_INCLUSION, schemas.get(part).span, message)
        .label("no value can ever be checked")
        .help("put the recursion into a property or into `items`");
    for id in circle.iter().skip(1).take(4) {
        report = report.related(schemas.get(*id).span, "through here");
    }
}
