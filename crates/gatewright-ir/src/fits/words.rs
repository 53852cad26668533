//! Schemas that say the same in the same words.

use crate::schema::Schema;

/// Whether two schemas have the same keywords with the same values, apart from the schemas that they name: as many of them in
/// the same places.
pub(super) fn same_words(a: &Schema, b: &Schema) -> bool {
    let scopes = |s: &Schema| s.dynamic_reference.is_none() && s.dynamic_anchors.is_empty();
    let words = |s: &Schema| {
        let (reads, format) =
            ((s.notes.read_only, s.notes.write_only), s.notes.format.as_ref().map(|f| f.value.clone()));
        (s.nothing, s.types, reads, format, s.reference.is_some(), s.not.is_some())
    };
    let numbers = |s: &Schema| {
        let n = s.number.clone();
        (n.minimum, n.exclusive_minimum, n.maximum, n.exclusive_maximum, n.multiple_of)
    };
    let strings = |s: &Schema| {
        let t = &s.string;
        let content = (t.content_encoding.clone(), t.content_media_type.clone());
        (t.min_length, t.max_length, t.pattern.as_ref().map(|p| p.source.clone()), content)
    };
    let arrays = |s: &Schema| {
        let r = &s.array;
        let schemas = (r.items.is_some(), r.prefix_items.len(), r.contains.is_some(), r.unevaluated_items.is_some());
        (schemas, r.min_contains, r.max_contains, r.min_items, r.max_items, r.unique_items)
    };
    let objects = |s: &Schema| {
        let o = &s.object;
        let names: Vec<String> = o.properties.iter().map(|p| p.name.clone()).collect();
        let patterns: Vec<String> = o.pattern_properties.iter().map(|(p, _)| p.source.clone()).collect();
        let dependent: Vec<String> = o.dependent_schemas.iter().map(|(name, _)| name.clone()).collect();
        let schemas =
            (o.additional_properties.is_some(), o.property_names.is_some(), o.unevaluated_properties.is_some());
        let listed = (names, patterns, dependent, o.required.clone(), o.dependent_required.clone());
        (listed, schemas, o.min_properties, o.max_properties)
    };
    let parts = |s: &Schema| {
        let condition = s.condition.as_ref().map(|c| (c.then.is_some(), c.otherwise.is_some()));
        let discriminator = s.discriminator.as_ref().map(|d| {
            let words: Vec<String> = d.mapping.iter().map(|(word, _)| word.clone()).collect();
            (d.property.clone(), words, d.default.is_some())
        });
        (s.all_of.len(), s.any_of.len(), s.one_of.len(), condition, discriminator)
    };
    scopes(a)
        && scopes(b)
        && a.string.content_schema.is_none()
        && b.string.content_schema.is_none()
        && words(a) == words(b)
        && a.enumeration == b.enumeration
        && a.constant == b.constant
        && numbers(a) == numbers(b)
        && strings(a) == strings(b)
        && arrays(a) == arrays(b)
        && objects(a) == objects(b)
        && parts(a) == parts(b)
}
