//! The discriminators of parents: children name their parent in `allOf`, and the parent's discriminator means them by
//! the names of their components.

use std::collections::{HashMap, HashSet};

use gatewright_ir::schema::{SchemaId, Schemas};

/// Adds to each discriminator of a parent the components that inherit from it, directly or not.
pub(super) fn complete(schemas: &mut Schemas, components: &[(String, SchemaId)]) {
    let parents: HashSet<SchemaId> =
        schemas.iter().filter(|(_, s)| s.discriminator.is_some()).map(|(id, _)| id).collect();
    if parents.is_empty() {
        return;
    }
    let mut children: HashMap<SchemaId, Vec<(&str, SchemaId)>> = HashMap::new();
    for (name, id) in components {
        let mut seen = HashSet::from([*id]);
        let mut open = vec![*id];
        while let Some(at) = open.pop() {
            let schema = schemas.get(at);
            for above in schema.all_of.iter().chain(&schema.reference) {
                if seen.insert(*above) {
                    open.push(*above);
                    if parents.contains(above) {
                        children.entry(*above).or_default().push((name, *id));
                    }
                }
            }
        }
    }
    for (parent, children) in children {
        let mut schema = schemas.get(parent).clone();
        if let Some(discriminator) = &mut schema.discriminator {
            let mapping = &mut discriminator.mapping;
            let mut values: HashSet<String> = mapping.iter().map(|(value, _)| value.clone()).collect();
            let mut targets: HashSet<SchemaId> = mapping.iter().map(|(_, target)| *target).collect();
            for (name, child) in children {
                if !values.contains(name) && targets.insert(child) {
                    values.insert(name.to_owned());
                    mapping.push((name.to_owned(), child));
                }
            }
        }
        schemas.set(parent, schema);
    }
}
