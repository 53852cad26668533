//! Which parts of a form are files. A form's schema says it in the words of strings (`format: binary`, or a media type
//! that is no text); from here on those parts are files, and the strings' rules are gone with the strings.

use std::collections::{HashMap, HashSet};

use gatewright_diag::Spanned;
use gatewright_ir::api::{Api, Media, MediaKind, PartEncoding};
use gatewright_ir::schema::{FILE, Notes, Schema, SchemaId, Schemas, StringRules, Types};

/// Schemas nested deeper are no longer the form's own properties.
const DEEPEST: u8 = 16;

/// So many parts of a string are looked at for what says that it is a file.
const FOLLOWED: usize = 256;

/// Marks the files of every form that a request may bring.
pub(super) fn mark(api: &mut Api) {
    let mut marker = Marker { schemas: &mut api.schemas, known: HashMap::new() };
    for media in api.operations.iter_mut().flat_map(|o| &mut o.body).flat_map(|body| &mut body.content) {
        let essence = media.media_type.value.split(';').next().unwrap_or("").trim();
        if media.kind == MediaKind::Multipart && essence.eq_ignore_ascii_case("multipart/form-data") {
            marker.form(media);
        }
    }
}

struct Marker<'s> {
    schemas: &'s mut Schemas,
    /// Forms share schemas, and a form's parts are files wherever its media type says nothing else of them.
    known: HashMap<SchemaId, SchemaId>,
}

impl Marker<'_> {
    fn form(&mut self, media: &mut Media) {
        let Some(id) = media.schema else { return };
        // What `encoding` says is this form's alone.
        if !media.encoding.is_empty() {
            self.known.clear();
        }
        media.schema = Some(self.object(id, &mut media.encoding, 0));
        if !media.encoding.is_empty() {
            self.known.clear();
        }
    }

    /// The schema with its files marked; itself where it has none.
    fn object(&mut self, id: SchemaId, encoding: &mut Vec<(String, PartEncoding)>, depth: u8) -> SchemaId {
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        // A schema within itself is met again unmarked.
        self.known.insert(id, id);
        let mut schema = self.schemas.get(id).clone();
        let mut changed = false;
        for property in &mut schema.object.properties {
            let declared = encoding.iter().find(|(name, _)| *name == property.name);
            let declared = declared.and_then(|(_, part)| part.content_type.clone());
            if let Some((file, media_type)) = self.part(property.schema, declared.as_deref()) {
                property.schema = file;
                changed = true;
                if let (None, Some(media_type)) = (declared, media_type) {
                    let part = PartEncoding { content_type: Some(media_type), ..PartEncoding::default() };
                    encoding.push((property.name.clone(), part));
                }
            }
        }
        if depth < DEEPEST {
            let members = schema.all_of.iter_mut().chain(&mut schema.reference);
            for member in members.chain(&mut schema.any_of).chain(&mut schema.one_of) {
                let marked = self.object(*member, encoding, depth + 1);
                changed |= marked != *member;
                *member = marked;
            }
        }
        if !changed {
            return id;
        }
        // The component may travel as JSON too, where its files are strings: this is another type.
        schema.name = None;
        let marked = self.schemas.add(schema);
        self.known.insert(id, marked);
        marked
    }

    /// The schema of a part that is a file, or several; and the media type that it must have.
    fn part(&mut self, id: SchemaId, declared: Option<&str>) -> Option<(SchemaId, Option<String>)> {
        if let Some(media_type) = self.file(id, declared, &mut HashSet::new()) {
            return Some((self.marked(id), media_type));
        }
        let schema = self.schemas.get(id);
        let items = schema.array.items.filter(|_| schema.array.prefix_items.is_empty())?;
        let media_type = self.file(items, declared, &mut HashSet::new())?;
        let mut list = schema.clone();
        list.name = None;
        list.array.items = Some(self.marked(items));
        Some((self.schemas.add(list), media_type))
    }

    fn marked(&mut self, id: SchemaId) -> SchemaId {
        let schema = self.schemas.get(id);
        let format = Some(Spanned::new(FILE.to_owned(), schema.span));
        let notes = Notes { format, rust_type: None, default: None, examples: Vec::new(), ..schema.notes.clone() };
        let file = Schema { span: schema.span, types: Some(Types::STRING), notes, ..Schema::default() };
        self.schemas.add(file)
    }

    /// Whether a string is a file, and its media type if the schema says one.
    #[allow(clippy::option_option)]
    fn file(&self, id: SchemaId, declared: Option<&str>, seen: &mut HashSet<SchemaId>) -> Option<Option<String>> {
        if !seen.insert(id) {
            return None;
        }
        let schema = self.schemas.get(id);
        let types = schema.types.map(|types| types.without(Types::NULL));
        let StringRules { content_encoding, content_media_type, .. } = &schema.string;
        let binary = schema.notes.format.as_ref().is_some_and(|format| format.value == "binary");
        let inner = content_media_type.as_deref();
        let says_file = declared.or(inner).is_some_and(|types| types.split(',').all(|t| !is_text(t)));
        let plain = schema.enumeration.is_none()
            && schema.constant.is_none()
            && content_encoding.is_none()
            && schema.object.is_empty()
            && schema.array.items.is_none();
        let text = types == Some(Types::STRING) || types.is_none();
        if plain && text && (binary || says_file) {
            return Some(inner.map(str::to_owned));
        }
        let mut members = schema.reference.iter().chain(&schema.all_of);
        if plain && text && seen.len() < FOLLOWED {
            return members.find_map(|member| self.file(*member, declared, seen));
        }
        None
    }
}

/// Media types whose parts are read as text or JSON.
fn is_text(media_type: &str) -> bool {
    !matches!(MediaKind::of(media_type), MediaKind::Binary | MediaKind::Multipart)
}
