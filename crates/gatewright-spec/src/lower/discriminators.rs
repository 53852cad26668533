//! The discriminators of parents: children name their parent in `allOf`, and the parent's discriminator means them by
//! the names of their components.
//!
//! Such a parent is two schemas in one text: where a value is asked for it stands for any of its children, and within a
//! child's `allOf` for its own keywords. So it becomes two schemas here, and nobody behind has to know.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use gatewright_ir::json::Json;
use gatewright_ir::schema::{Schema, SchemaId, Schemas};

/// Children's names by parent, in the order of the components.
type Children = BTreeMap<SchemaId, Vec<(String, SchemaId)>>;

/// Adds to each discriminator of a parent the components that inherit from it, directly or not, and makes the parent a
/// choice among them.
pub(super) fn complete(schemas: &mut Schemas, components: &[(String, SchemaId)]) {
    for (_, id) in components {
        lift(schemas, *id);
    }
    let parents: HashSet<SchemaId> =
        schemas.iter().filter(|(_, s)| s.discriminator.is_some()).map(|(id, _)| id).collect();
    if parents.is_empty() {
        return;
    }
    let children = children(schemas, components, &parents);
    let mut bases: HashMap<SchemaId, SchemaId> = HashMap::new();
    let mut parents: Vec<SchemaId> = parents.into_iter().collect();
    parents.sort_unstable();
    for parent in parents {
        let own = children.get(&parent).map_or(&[][..], Vec::as_slice);
        name_children(schemas, parent, own);
        let is_union = {
            let schema = schemas.get(parent);
            !schema.one_of.is_empty() || !schema.any_of.is_empty()
        };
        if own.is_empty() && is_union {
            continue;
        }
        let Some(base) = base_of(schemas, parent) else { continue };
        bases.insert(parent, base);
        // What the mapping names may be a child too, without a component of its own: in another file, say.
        let named = schemas.get(parent).discriminator.iter().flat_map(|d| &d.mapping).map(|(_, target)| *target);
        let children = own.iter().map(|(_, child)| *child).chain(named).filter(|child| *child != parent);
        // A child that was split before has its `allOf` in its own base by now.
        let below: Vec<SchemaId> =
            children.flat_map(|child| [Some(child), bases.get(&child).copied()]).flatten().collect();
        redirect(schemas, &below, parent, base);
        if !is_union {
            choose(schemas, parent, base);
        }
    }
}

/// A discriminator in an inline part of a component's `allOf` is the component's: nobody else can name the part.
fn lift(schemas: &mut Schemas, component: SchemaId) {
    if schemas.get(component).discriminator.is_some() {
        return;
    }
    let mut open: Vec<SchemaId> = schemas.get(component).all_of.clone();
    let mut seen: HashSet<SchemaId> = open.iter().copied().collect();
    while let Some(at) = open.pop() {
        let part = schemas.get(at);
        if part.name.is_some() || part.reference.is_some() || !part.one_of.is_empty() || !part.any_of.is_empty() {
            continue;
        }
        if part.discriminator.is_some() {
            let mut part = part.clone();
            let discriminator = part.discriminator.take();
            schemas.set(at, part);
            schemas.set(component, Schema { discriminator, ..schemas.get(component).clone() });
            return;
        }
        open.extend(part.all_of.iter().copied().filter(|part| seen.insert(*part)));
    }
}

fn children(schemas: &Schemas, components: &[(String, SchemaId)], parents: &HashSet<SchemaId>) -> Children {
    let mut children = Children::new();
    for (name, id) in components {
        let mut seen = HashSet::from([*id]);
        let mut open = vec![*id];
        while let Some(at) = open.pop() {
            let schema = schemas.get(at);
            for above in schema.all_of.iter().chain(&schema.reference) {
                if seen.insert(*above) {
                    open.push(*above);
                    if parents.contains(above) {
                        children.entry(*above).or_default().push((name.clone(), *id));
                    }
                }
            }
        }
    }
    children
}

/// Every child without a mapping of its own is meant by its component's name; one whose property can never have that value,
/// by those that it alone lists for it.
fn name_children(schemas: &mut Schemas, parent: SchemaId, children: &[(String, SchemaId)]) {
    let mut schema = schemas.get(parent).clone();
    let Some(discriminator) = &mut schema.discriminator else { return };
    let inherited = listed(schemas, parent, &discriminator.property);
    let mapping = &mut discriminator.mapping;
    let mut values: HashSet<String> = mapping.iter().map(|(value, _)| value.clone()).collect();
    let mut targets: HashSet<SchemaId> = mapping.iter().map(|(_, target)| *target).collect();
    let mut said: BTreeMap<String, Vec<SchemaId>> = BTreeMap::new();
    for (name, child) in children {
        let own = listed(schemas, *child, &discriminator.property);
        if own.as_ref().is_some_and(|own| !own.contains(name)) {
            if targets.insert(*child) && own != inherited {
                own.into_iter().flatten().for_each(|value| said.entry(value).or_default().push(*child));
            }
        } else if !values.contains(name) && targets.insert(*child) {
            values.insert(name.clone());
            mapping.push((name.clone(), *child));
        }
    }
    for (value, claimed) in said {
        if let [child] = claimed.as_slice()
            && values.insert(value.clone())
        {
            mapping.push((value, *child));
        }
    }
    schemas.set(parent, schema);
}

/// The texts that a property may be, where a schema lists them.
fn listed(schemas: &Schemas, id: SchemaId, property: &str) -> Option<BTreeSet<String>> {
    let properties = schemas.always(id).flat_map(|s| &s.object.properties).filter(|p| p.name == property);
    let lists = properties.flat_map(|p| schemas.always(p.schema)).filter_map(|schema| {
        let values = schema.enumeration.as_deref().or(schema.constant.as_ref().map(std::slice::from_ref))?;
        let texts = values.iter().filter_map(|value| if let Json::String(text) = value { Some(text) } else { None });
        Some(texts.cloned().collect::<BTreeSet<String>>())
    });
    lists.reduce(|a, b| a.intersection(&b).cloned().collect())
}

/// The parent's own keywords, as a schema of their own; `None` where its discriminator means nothing.
fn base_of(schemas: &mut Schemas, parent: SchemaId) -> Option<SchemaId> {
    let schema = schemas.get(parent);
    let discriminator = schema.discriminator.as_ref()?;
    if discriminator.mapping.is_empty() && discriminator.default.is_none() {
        return None;
    }
    let base = Schema {
        name: schema.name.as_ref().map(|name| format!("{name} Base")),
        discriminator: None,
        one_of: Vec::new(),
        any_of: Vec::new(),
        ..schema.clone()
    };
    Some(schemas.add(base))
}

/// What the children inherit is the parent's own keywords, not the choice among them all: they would be part of themselves.
fn redirect(schemas: &mut Schemas, below: &[SchemaId], parent: SchemaId, base: SchemaId) {
    let mut seen: HashSet<SchemaId> = below.iter().copied().collect();
    let mut open = below.to_vec();
    while let Some(at) = open.pop() {
        let schema = schemas.get(at);
        let parts = schema.all_of.iter().chain(&schema.one_of).chain(&schema.any_of).chain(&schema.reference);
        let above: Vec<SchemaId> = parts.copied().collect();
        if above.contains(&parent) {
            let mut schema = schema.clone();
            let Schema { all_of, one_of, any_of, reference, .. } = &mut schema;
            let parts = all_of.iter_mut().chain(one_of).chain(any_of).chain(reference);
            parts.filter(|id| **id == parent).for_each(|id| *id = base);
            schemas.set(at, schema);
        }
        open.extend(above.into_iter().filter(|id| *id != parent && seen.insert(*id)));
    }
}

/// Makes the parent a choice: of its children, of what its mapping names besides, and of itself where a value can say so.
fn choose(schemas: &mut Schemas, parent: SchemaId, base: SchemaId) {
    let schema = schemas.get(parent).clone();
    let Some(mut discriminator) = schema.discriminator.clone() else { return };
    if let Some(name) = &schema.name
        && discriminator.mapping.iter().all(|(value, target)| value != name && *target != parent)
        && admits(schemas, &schema, &discriminator.property, name)
    {
        discriminator.mapping.push((name.clone(), parent));
    }
    // What the parent lists and no child has is the parent's too.
    for value in listed(schemas, parent, &discriminator.property).unwrap_or_default() {
        if discriminator.mapping.iter().all(|(known, _)| *known != value) {
            discriminator.mapping.push((value, parent));
        }
    }
    let mut branches: Vec<(SchemaId, SchemaId)> = Vec::new();
    for target in discriminator.mapping.iter_mut().map(|(_, target)| target).chain(&mut discriminator.default) {
        let known = branches.iter().find(|(from, _)| from == target).map(|(_, to)| *to);
        let branch = match known {
            Some(branch) => branch,
            None if *target == parent => base,
            None if inherits(schemas, *target, base) => *target,
            // The mapping names a schema that does not say that it is a child: both hold.
            None => schemas.add(Schema { span: schema.span, all_of: vec![base, *target], ..Schema::default() }),
        };
        if known.is_none() {
            branches.push((*target, branch));
        }
        *target = branch;
    }
    let choice = Schema {
        span: schema.span,
        name: schema.name,
        types: schema.types,
        one_of: branches.into_iter().map(|(_, branch)| branch).collect(),
        discriminator: Some(discriminator),
        notes: schema.notes,
        ..Schema::default()
    };
    schemas.set(parent, choice);
}

/// Whether a schema has the base among its parts.
fn inherits(schemas: &Schemas, id: SchemaId, base: SchemaId) -> bool {
    let mut seen = HashSet::from([id]);
    let mut open = vec![id];
    while let Some(at) = open.pop() {
        let schema = schemas.get(at);
        // A child that is a choice itself inherits by each of its branches.
        let parts = schema.all_of.iter().chain(&schema.reference).chain(&schema.one_of);
        for above in parts.copied() {
            if above == base {
                return true;
            }
            if seen.insert(above) {
                open.push(above);
            }
        }
    }
    false
}

/// Whether the discriminating property may have this value, as far as the parent lists its values.
fn admits(schemas: &Schemas, parent: &Schema, property: &str, value: &str) -> bool {
    let Some(property) = parent.object.properties.iter().find(|p| p.name == property) else { return true };
    let mut at = Some(property.schema);
    for _ in 0..16 {
        let Some(schema) = at.map(|id| schemas.get(id)) else { break };
        let listed = schema.enumeration.as_deref().or(schema.constant.as_ref().map(std::slice::from_ref));
        if let Some(values) = listed {
            return values.contains(&Json::String(value.to_owned()));
        }
        at = schema.reference;
    }
    true
}
