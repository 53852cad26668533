//! What objects consist of. Every schema that always applies has its say, but which properties there are is known of all of
//! them together.

use std::collections::HashSet;

use super::source::Source;
use super::{Bound, Place, Side, Work};
use crate::schema::{Schema, SchemaId, Schemas, Types};

/// The members of the objects that come.
struct Sent<'s> {
    properties: Vec<(&'s str, SchemaId)>,
    /// Those that are there for certain. A required property that is none in this direction is not asked for.
    asked: HashSet<&'s str>,
    /// What members of other names are, where the source lets values have them.
    others: Vec<SchemaId>,
    /// Whether branches may speak of properties too.
    branched: bool,
    /// Whether no member has another name, whatever branches say.
    closed: bool,
    patterned: bool,
}

impl<'s> Sent<'s> {
    fn new(from: &Source<'s>, bound: Bound) -> Sent<'s> {
        let properties = || from.all.iter().flat_map(|s| &s.object.properties);
        let is_absent = |id: SchemaId| absent(bound, from.schemas, id);
        let left_out: HashSet<&str> = properties().filter(|p| is_absent(p.schema)).map(|p| p.name.as_str()).collect();
        let required = from.all.iter().flat_map(|s| &s.object.required).map(String::as_str);
        let is_closing = |id: &SchemaId| from.schemas.get(*id).nothing;
        let others = from
            .all
            .iter()
            .flat_map(|s| s.object.additional_properties.into_iter().chain(s.object.unevaluated_properties));
        Sent {
            properties: properties().filter(|p| !is_absent(p.schema)).map(|p| (p.name.as_str(), p.schema)).collect(),
            asked: required.filter(|name| !left_out.contains(name)).collect(),
            others: others.filter(|id| !is_closing(id)).collect(),
            branched: from.all.iter().any(|s| {
                !s.any_of.is_empty()
                    || !s.one_of.is_empty()
                    || s.condition.is_some()
                    || !s.object.dependent_schemas.is_empty()
            }),
            closed: from.all.iter().filter_map(|s| s.object.additional_properties).any(|id| is_closing(&id)),
            patterned: from.all.iter().any(|s| !s.object.pattern_properties.is_empty()),
        }
    }

    /// Whether every name that may come is one of the properties, or of a pattern.
    fn names_are_known(&self) -> bool {
        self.others.is_empty() && (!self.branched || self.closed)
    }
}

/// The objects that are to come of them: all schemas that hold for those.
struct Target<'t> {
    schemas: &'t Schemas,
    side: Side,
    /// The properties that are part of a message in this direction.
    known: HashSet<&'t str>,
    hidden: HashSet<&'t str>,
}

impl<'t> Target<'t> {
    fn new(all: &[&'t Schema], (schemas, side): (&'t Schemas, Side), bound: Bound) -> Target<'t> {
        let properties = || all.iter().flat_map(|s| &s.object.properties);
        let hidden: HashSet<&str> =
            properties().filter(|p| absent(bound, schemas, p.schema)).map(|p| p.name.as_str()).collect();
        let known = properties().map(|p| p.name.as_str()).filter(|name| !hidden.contains(name)).collect();
        Target { schemas, side, known, hidden }
    }

    fn at(&self, id: SchemaId) -> Place<'t> {
        (self.schemas, id, self.side)
    }
}

/// Whether a property is not part of a message in this direction.
fn absent(bound: Bound, schemas: &Schemas, id: SchemaId) -> bool {
    schemas.always(id).any(|s| {
        s.nothing
            || match bound {
                Bound::Request => s.notes.read_only,
                Bound::Response => s.notes.write_only,
            }
    })
}

impl Work {
    pub(super) fn members(
        &mut self,
        from: &Source<'_>,
        to: &[&Schema],
        (schemas, side): (&Schemas, Side),
        depth: usize,
    ) -> bool {
        if !from.has(Types::OBJECT) {
            return true;
        }
        let sent = Sent::new(from, self.bound);
        let target = Target::new(to, (schemas, side), self.bound);
        if self.bound == Bound::Request && !sent.properties.iter().all(|(name, _)| target.known.contains(name)) {
            return false;
        }
        // Names that the source knows by a pattern the other schema must know too.
        let patterns: HashSet<&str> =
            to.iter().flat_map(|s| &s.object.pattern_properties).map(|(pattern, _)| pattern.source.as_str()).collect();
        let mut own_patterns = from.all.iter().flat_map(|s| &s.object.pattern_properties);
        own_patterns.all(|(pattern, _)| patterns.contains(pattern.source.as_str()))
            && to.iter().all(|schema| {
                self.properties(from, &sent, schema, &target, depth)
                    && self.rest(from, &sent, schema, &target, depth)
                    && self.names(from, schema, &target, depth)
                    && self.counted(from, schema)
            })
    }

    /// The properties that a schema names, and that it requires.
    fn properties(
        &mut self,
        from: &Source<'_>,
        sent: &Sent<'_>,
        to: &Schema,
        target: &Target<'_>,
        depth: usize,
    ) -> bool {
        let is_asked = |name: &String| target.hidden.contains(name.as_str()) || sent.asked.contains(name.as_str());
        let bound = self.bound;
        to.object.required.iter().all(is_asked)
            && to.object.properties.iter().filter(|p| !absent(bound, target.schemas, p.schema)).all(|property| {
                let mut same = sent.properties.iter().filter(|(name, _)| *name == property.name).peekable();
                if same.peek().is_none() {
                    // One that is new: nothing of this name may come by another way.
                    return sent.names_are_known() && !sent.patterned;
                }
                same.any(|(_, id)| self.fits(from.at(*id), target.at(property.schema), depth + 1))
            })
    }

    /// `additionalProperties` and `unevaluatedProperties`.
    fn rest(&mut self, from: &Source<'_>, sent: &Sent<'_>, to: &Schema, target: &Target<'_>, depth: usize) -> bool {
        let rules = &to.object;
        let is_rest = |name: &str| target.known.contains(name) && !rules.properties.iter().any(|own| own.name == name);
        let additional = rules.additional_properties.is_none_or(|rest| {
            let mut rest_of = sent.properties.iter().filter(|(name, _)| is_rest(name));
            if target.schemas.get(rest).nothing {
                // In a response what is unknown is left out, and so is what has other names.
                let left_out = self.bound == Bound::Response && !sent.branched;
                return rest_of.next().is_none() && (sent.names_are_known() || left_out);
            }
            (!sent.branched || sent.closed)
                && rest_of.all(|(_, id)| self.fits(from.at(*id), target.at(rest), depth + 1))
                && sent.others.iter().all(|id| self.fits(from.at(*id), target.at(rest), depth + 1))
        });
        additional
            && rules.unevaluated_properties.is_none_or(|id| {
                let mut theirs = from.all.iter().filter_map(|s| s.object.unevaluated_properties);
                theirs.any(|other| self.same(from.at(other), target.at(id), depth + 1))
            })
    }

    /// `patternProperties` and `propertyNames`.
    fn names(&mut self, from: &Source<'_>, to: &Schema, target: &Target<'_>, depth: usize) -> bool {
        let patterns = to.object.pattern_properties.iter().all(|(pattern, id)| {
            from.all.iter().flat_map(|s| &s.object.pattern_properties).any(|(other, there)| {
                other.source == pattern.source && self.same(from.at(*there), target.at(*id), depth + 1)
            })
        });
        patterns
            && to.object.property_names.is_none_or(|id| {
                let mut theirs = from.all.iter().filter_map(|s| s.object.property_names);
                theirs.any(|other| self.fits(from.at(other), target.at(id), depth + 1))
            })
    }

    /// How many members there are, and which of them come together.
    fn counted(&self, from: &Source<'_>, to: &Schema) -> bool {
        let rules = &to.object;
        let request = self.bound == Bound::Request;
        let least = || from.all.iter().filter_map(|s| s.object.min_properties);
        let most = || from.all.iter().filter_map(|s| s.object.max_properties);
        rules.min_properties.is_none_or(|n| n == 0 || request && least().any(|m| m >= n))
            && rules.max_properties.is_none_or(|n| most().any(|m| m <= n))
            && rules
                .dependent_required
                .iter()
                .all(|row| request && from.all.iter().any(|s| s.object.dependent_required.contains(row)))
            && rules.dependent_schemas.is_empty()
    }
}
