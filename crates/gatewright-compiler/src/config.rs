//! `gatewright.toml`: which specs become which modules. Every value has its place, and every mistake is shown at once.
//!
//! ```toml
//! [options]
//! allow-unguarded = false
//!
//! [[api]]
//! name = "v1"                # the module, and the version in messages
//! spec = "specs/v1.yaml"
//! root = "specs"             # references stay inside; the spec's own folder unless said
//! overlays = ["guards.yaml"] # OpenAPI overlays, applied to the spec in this order; none unless said
//! only-tags = ["things"]      # operations with one of these tags; all unless said
//! only-operations = ["a"]     # of these, those named: by `operationId`, or as in `GET /a`
//! skip-operations = ["b"]     # and of these, all but those named
//! prefix = "/v1"             # nothing unless said
//! output = "src/api/v1"      # a folder; or one file, if it ends in `.rs`
//!
//! [[api]]
//! name = "v2"
//! spec = "specs/v2.yaml"
//! prefix = "/v2"
//! output = "src/api/v2"
//! succeeds = "v1"            # an API above: conversions between the two are generated where they are mechanical
//! by-hand = ["getAccount"]   # but for these operations, whose conversions the application writes
//!
//! [scaffold]
//! output = "src/handlers"
//! app = "Bank"
//! ```

use std::ops::Range;

use gatewright_diag::{FileId, Sink, Source, Span, codes, nearest};
use gatewright_ir::names::{self, Case};
use gatewright_spec::lower::Select;
use toml::de::{DeTable, DeValue};

/// What a `gatewright.toml` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `[[api]]`: at least one.
    pub apis: Vec<ApiConfig>,
    /// `[scaffold]`
    pub scaffold: ScaffoldConfig,
}

/// One `[[api]]`: one version of one API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiConfig {
    /// `name`: the module's name.
    pub name: String,
    /// `spec`: the entry document, relative to the configuration's folder.
    pub spec: String,
    /// `root`: the folder that references may not leave; the spec's own unless said.
    pub root: Option<String>,
    /// `overlays`: files relative to the configuration's folder.
    pub overlays: Vec<String>,
    /// `only-tags`, `only-operations`, `skip-operations`: which operations are compiled.
    pub select: Select,
    /// `prefix`: the path under which the version is served; empty for none.
    pub prefix: String,
    /// `output`: a folder, or a file that ends in `.rs`.
    pub output: String,
    /// `allow-unguarded`, its own or else that of `[options]`.
    pub allow_unguarded: bool,
    /// `succeeds`: the API above it that this one is the next version of.
    pub succeeds: Option<String>,
    /// `by-hand`: the operations whose conversions between the two the application writes.
    pub by_hand: Vec<String>,
}

/// `[scaffold]`: where stubs of handlers go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScaffoldConfig {
    /// `output`: a folder; `src/handlers` unless said.
    pub output: String,
    /// `app`: the type that handles the operations; `App` unless said.
    pub app: String,
}

impl Default for ScaffoldConfig {
    fn default() -> Self {
        ScaffoldConfig { output: "src/handlers".to_owned(), app: "App".to_owned() }
    }
}

const ROOT_KEYS: &[&str] = &["api", "options", "scaffold"];
const API_KEYS: &[&str] = &[
    "name",
    "spec",
    "root",
    "overlays",
    "only-tags",
    "only-operations",
    "skip-operations",
    "prefix",
    "output",
    "allow-unguarded",
    "succeeds",
    "by-hand",
];
const OPTION_KEYS: &[&str] = &["allow-unguarded"];
const SCAFFOLD_KEYS: &[&str] = &["output", "app"];

/// Reads the text of a configuration. What it says wrongly goes into `sink`; if that has errors, the result is of no use.
pub fn read(file: FileId, source: &Source, sink: &mut Sink) -> Config {
    let (table, errors) = DeTable::parse_recoverable(source.text());
    let reader = Reader { file, length: source.text().len() as u32 };
    for error in &errors {
        let span = reader.span(error.span().unwrap_or(0..0));
        sink.error(codes::CONFIG_SYNTAX, span, format!("malformed TOML: {}", error.message().trim()));
    }
    let mut config = Config::default();
    if !errors.is_empty() {
        return config;
    }
    let root = table.get_ref();
    reader.keys(root, ROOT_KEYS, sink);
    let mut allow_unguarded = false;
    if let Some(options) = reader.table(root, "options", sink) {
        reader.keys(options, OPTION_KEYS, sink);
        allow_unguarded = reader.boolean(options, "allow-unguarded", sink).unwrap_or(false);
    }
    if let Some(scaffold) = reader.table(root, "scaffold", sink) {
        reader.keys(scaffold, SCAFFOLD_KEYS, sink);
        if let Some((output, span)) = reader.text(scaffold, "output", sink) {
            reader.inside(&output, span, sink);
            config.scaffold.output = output;
        }
        if let Some((app, span)) = reader.text(scaffold, "app", sink) {
            if names::plain(&app, Case::Pascal) != app {
                sink.error(codes::CONFIG_VALUE, span, format!("`{app}` is no name of a Rust type"))
                    .help(format!("write `{}`", names::plain(&app, Case::Pascal)));
            }
            config.scaffold.app = app;
        }
    }
    let apis = match root.get("api").map(|v| (v.get_ref(), reader.span(v.span()))) {
        Some((DeValue::Array(list), _)) => list.iter().collect::<Vec<_>>(),
        Some((_, span)) => {
            sink.error(codes::CONFIG_VALUE, span, "`api` is a list of tables").help("write `[[api]]`");
            Vec::new()
        }
        None => {
            sink.error(codes::CONFIG_VALUE, Span { file, start: 0, end: 0 }, "no API is configured")
                .help("add `[[api]]` with `name`, `spec` and `output`");
            Vec::new()
        }
    };
    for value in apis {
        let span = reader.span(value.span());
        match value.get_ref().as_table() {
            Some(table) => config.apis.push(reader.api(table, span, allow_unguarded, sink)),
            None => {
                sink.error(codes::CONFIG_VALUE, span, "`api` is a list of tables").help("write `[[api]]`");
            }
        }
    }
    reader.conflicts(root, &config, sink);
    reader.successions(root, &config, sink);
    config
}

struct Reader {
    file: FileId,
    length: u32,
}

impl Reader {
    fn span(&self, range: Range<usize>) -> Span {
        let start = (range.start as u32).min(self.length);
        Span { file: self.file, start, end: (range.end as u32).clamp(start, self.length) }
    }

    fn keys(&self, table: &DeTable<'_>, known: &[&'static str], sink: &mut Sink) {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let report = sink.error(codes::CONFIG_UNKNOWN_KEY, self.span(key.span()), format!("unknown key `{name}`"));
            match nearest(name, known.iter().copied()) {
                Some(near) => drop(report.help(format!("write `{near}`"))),
                None => drop(report.help(format!("known keys are `{}`", known.join("`, `")))),
            }
        }
    }

    fn table<'t>(&self, table: &'t DeTable<'_>, key: &str, sink: &mut Sink) -> Option<&'t DeTable<'t>> {
        let value = table.get(key)?;
        let found = value.get_ref().as_table();
        if found.is_none() {
            self.wrong(key, "a table", value.get_ref(), self.span(value.span()), sink);
        }
        // The table borrows from the text, which outlives both.
        found
    }

    fn text(&self, table: &DeTable<'_>, key: &str, sink: &mut Sink) -> Option<(String, Span)> {
        let value = table.get(key)?;
        let span = self.span(value.span());
        match value.get_ref().as_str() {
            Some(text) => Some((text.to_owned(), span)),
            None => {
                self.wrong(key, "a string", value.get_ref(), span, sink);
                None
            }
        }
    }

    fn texts(&self, table: &DeTable<'_>, key: &str, sink: &mut Sink) -> Vec<String> {
        let Some(value) = table.get(key) else { return Vec::new() };
        let list: Option<Vec<String>> = match value.get_ref().as_array() {
            Some(items) => items.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect(),
            None => None,
        };
        list.unwrap_or_else(|| {
            self.wrong(key, "a list of strings", value.get_ref(), self.span(value.span()), sink);
            Vec::new()
        })
    }

    fn boolean(&self, table: &DeTable<'_>, key: &str, sink: &mut Sink) -> Option<bool> {
        let value = table.get(key)?;
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.wrong(key, "`true` or `false`", value.get_ref(), self.span(value.span()), sink);
        }
        found
    }

    fn wrong(&self, key: &str, want: &str, found: &DeValue<'_>, span: Span, sink: &mut Sink) {
        sink.error(codes::CONFIG_VALUE, span, format!("`{key}` is {want}"))
            .label(format!("this is of type {}", found.type_str()));
    }

    fn needed(&self, table: &DeTable<'_>, key: &str, span: Span, sink: &mut Sink) -> Option<(String, Span)> {
        if !table.contains_key(key) {
            sink.error(codes::CONFIG_VALUE, span, format!("an API without `{key}`"))
                .help(format!("add `{key} = \"…\"`"));
        }
        self.text(table, key, sink)
    }

    /// Output stays in the project: a configuration that came with a pull request must not write elsewhere.
    fn inside(&self, path: &str, span: Span, sink: &mut Sink) {
        let sound = !path.contains(['\\', ':', '\0']) && path.split('/').all(|p| !matches!(p, "" | "." | ".."));
        if !sound {
            sink.error(codes::CONFIG_VALUE, span, format!("`{path}` is no path inside this folder"))
                .help("write a relative path with `/` between parts and without `..`");
        }
    }

    fn api(&self, table: &DeTable<'_>, span: Span, allow_unguarded: bool, sink: &mut Sink) -> ApiConfig {
        self.keys(table, API_KEYS, sink);
        let mut api = ApiConfig { allow_unguarded, ..ApiConfig::default() };
        if let Some((name, at)) = self.needed(table, "name", span, sink) {
            let plain = names::plain(&name, Case::Snake);
            if plain != name {
                sink.error(codes::CONFIG_VALUE, at, format!("`{name}` is no name of a Rust module"))
                    .help(format!("write `{plain}`"));
            }
            api.name = name;
        }
        if let Some((spec, at)) = self.needed(table, "spec", span, sink) {
            if spec.is_empty() {
                sink.error(codes::CONFIG_VALUE, at, "`spec` is empty").help("name the document");
            }
            api.spec = spec;
        }
        if let Some((output, at)) = self.needed(table, "output", span, sink) {
            self.inside(&output, at, sink);
            api.output = output;
        }
        api.root = self.text(table, "root", sink).map(|(root, _)| root);
        api.select = Select {
            only_tags: self.texts(table, "only-tags", sink),
            only_operations: self.texts(table, "only-operations", sink),
            skip_operations: self.texts(table, "skip-operations", sink),
        };
        api.overlays = self.texts(table, "overlays", sink);
        if let Some((prefix, at)) = self.text(table, "prefix", sink) {
            if !is_prefix(&prefix) {
                sink.error(codes::CONFIG_VALUE, at, format!("`{prefix}` is no path prefix"))
                    .help("start with `/` and end without, as `/v1`; letters, digits, `-`, `.`, `_` and `~`");
            }
            api.prefix = prefix;
        }
        if let Some(allow) = self.boolean(table, "allow-unguarded", sink) {
            api.allow_unguarded = allow;
        }
        api.succeeds = self.text(table, "succeeds", sink).map(|(name, _)| name);
        api.by_hand = self.texts(table, "by-hand", sink);
        if let Some(at) = table.get("by-hand").filter(|_| api.succeeds.is_none()) {
            sink.error(
                codes::CONFIG_VALUE,
                self.span(at.span()),
                "`by-hand` without `succeeds`: there is nothing to convert",
            )
            .help("name the version before this one: `succeeds = \"v1\"`");
        }
        api
    }

    /// The version before another stands above it, and its module beside that one's.
    fn successions(&self, root: &DeTable<'_>, config: &Config, sink: &mut Sink) {
        let Some(list) = root.get("api").and_then(|v| v.get_ref().as_array()) else { return };
        for (index, api) in config.apis.iter().enumerate() {
            let Some(name) = &api.succeeds else { continue };
            let value = list.get(index).and_then(|t| t.get_ref().as_table()?.get("succeeds"));
            let span = value.map(|v| self.span(v.span()));
            let Some(older) = config.apis.iter().take(index).find(|other| other.name == *name) else {
                sink.error(codes::CONFIG_VALUE, span, format!("`{name}` is the `name` of no API above this one"))
                    .help("name the version before this one, and write it first");
                continue;
            };
            let place = |output: &str| {
                let (folder, last) = output.rsplit_once('/').unwrap_or(("", output));
                (folder.to_owned(), last.strip_suffix(".rs").unwrap_or(last).to_owned())
            };
            if place(&older.output) != (place(&api.output).0, name.clone()) {
                let message = format!("the conversions of this version name the module `{name}` beside it");
                sink.error(codes::CONFIG_VALUE, span, message)
                    .help(format!("write both into one folder, `{name}` into one of its own name: `src/api/{name}`"));
            }
        }
    }

    /// Two APIs of one name, prefix or output would overwrite each other.
    fn conflicts(&self, root: &DeTable<'_>, config: &Config, sink: &mut Sink) {
        let Some(list) = root.get("api").and_then(|v| v.get_ref().as_array()) else { return };
        let span = |index: usize, key: &str| {
            let table = list.get(index)?;
            let value = table.get_ref().as_table().and_then(|t| t.get(key));
            Some(self.span(value.map_or(table.span(), |v| v.span())))
        };
        for (later, api) in config.apis.iter().enumerate() {
            for (earlier, other) in config.apis.iter().enumerate().take(later) {
                let rows = [
                    ("name", !api.name.is_empty() && api.name == other.name),
                    ("prefix", api.prefix == other.prefix),
                    ("output", !api.output.is_empty() && overlaps(&api.output, &other.output)),
                ];
                for (key, _) in rows.iter().filter(|(_, same)| *same) {
                    let report = sink
                        .error(codes::CONFIG_CONFLICT, span(later, key), format!("two APIs with one `{key}`"))
                        .help(format!("give each API a `{key}` of its own"));
                    match span(earlier, key) {
                        Some(first) => drop(report.related(first, "the other one")),
                        None => drop(report),
                    }
                }
            }
        }
    }
}

/// Whether one path is the other or lies inside it.
fn overlaps(a: &str, b: &str) -> bool {
    let inside = |a: &str, b: &str| a.strip_prefix(b).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    inside(a, b) || inside(b, a)
}

/// Whether a text may stand before all paths of a version.
pub fn is_prefix(text: &str) -> bool {
    let part = |p: &str| {
        !matches!(p, "" | "." | "..")
            && p.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
    };
    text.is_empty() || text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatewright_diag::{SourceMap, show::plain};

    fn check(text: &str) -> (Config, String) {
        let mut map = SourceMap::new();
        let mut sink = Sink::new();
        let file = map.add("gatewright.toml", text);
        let config = read(file, map.get(file).unwrap(), &mut sink);
        let shown = sink.finish().iter().map(|d| plain::line(d, &map) + "\n").collect();
        (config, shown)
    }

    #[test]
    fn a_whole_configuration() {
        let (config, shown) = check(
            "[options]\nallow-unguarded = true\n[[api]]\nname='v1'\nspec='s/v1.yaml'\noutput='src/api/v1'\nprefix='/v1'\noverlays=['o.yaml']\nskip-operations=['a', 'GET /b']\n\
             [[api]]\nname='v2'\nspec='s/v2.yaml'\noutput='src/api/v2.rs'\nprefix='/v2'\nallow-unguarded=false\n[scaffold]\napp='Bank'\n",
        );
        assert_eq!(shown, "");
        assert_eq!(config.apis.len(), 2);
        assert!(config.apis[0].allow_unguarded && !config.apis[1].allow_unguarded);
        assert_eq!(config.apis[0].overlays, ["o.yaml"]);
        assert_eq!(config.apis[0].select.skip_operations, ["a", "GET /b"]);
        assert_eq!(config.scaffold, ScaffoldConfig { output: "src/handlers".to_owned(), app: "Bank".to_owned() });
    }

    #[test]
    fn mistakes_are_shown_at_once_with_their_lines() {
        let (_, shown) = check(
            "[[api]]\nname = \"V1!\"\nspecs = \"x\"\noutput = \"../x\"\nprefix = \"v1/\"\nallow-unguarded = \"yes\"\n[option]\n",
        );
        for expected in [
            "1:1: error[GW0903]: an API without `spec`",
            "2:8: error[GW0903]: `V1!` is no name of a Rust module",
            "3:1: error[GW0902]: unknown key `specs`",
            "4:10: error[GW0903]: `../x` is no path inside this folder",
            "5:10: error[GW0903]: `v1/` is no path prefix",
            "6:19: error[GW0903]: `allow-unguarded` is `true` or `false`",
            "7:2: error[GW0902]: unknown key `option`",
        ] {
            assert!(shown.contains(expected), "{expected}\n{shown}");
        }
    }

    #[test]
    fn nothing_overwrites_anything() {
        let api = |name: &str, prefix: &str, output: &str| {
            format!("[[api]]\nname='{name}'\nspec='x'\nprefix='{prefix}'\noutput='{output}'\n")
        };
        let (_, shown) = check(&(api("a", "/a", "src/api") + &api("a", "/a", "src/api/a")));
        assert_eq!(shown.matches("GW0904").count(), 3, "{shown}");
        let (_, shown) = check(&(api("a", "/a", "src/api/v1") + &api("b", "/b", "src/api/v10")));
        assert_eq!(shown, "");
    }

    #[test]
    fn a_version_succeeds_one_above_it_whose_module_is_beside_its_own() {
        let api = |name: &str, output: &str, more: &str| {
            format!("[[api]]\nname='{name}'\nspec='x'\nprefix='/{name}'\noutput='{output}'\n{more}\n")
        };
        let v1 = api("v1", "src/api/v1", "");
        let (config, shown) = check(&(v1.clone() + &api("v2", "src/api/v2.rs", "succeeds='v1'\nby-hand=['a']")));
        assert_eq!((shown.as_str(), config.apis[1].succeeds.as_deref()), ("", Some("v1")));
        assert_eq!(config.apis[1].by_hand, ["a"]);
        for (more, output, expected) in [
            ("succeeds='v3'", "src/api/v2", "12:10: error[GW0903]: `v3` is the `name` of no API above this one"),
            ("succeeds='v2'", "src/api/v2", "`v2` is the `name` of no API above this one"),
            ("succeeds='v1'", "src/v2", "12:10: error[GW0903]: the conversions of this version name the module `v1`"),
            ("by-hand=['a']", "src/api/v2", "12:9: error[GW0903]: `by-hand` without `succeeds`"),
        ] {
            let (_, shown) = check(&(v1.clone() + &api("v2", output, more)));
            assert!(shown.contains(expected), "{expected}\n{shown}");
        }
    }

    #[test]
    fn broken_text_is_an_error() {
        assert!(check("[[api]\n").1.contains("GW0901"));
        assert!(check("").1.contains("no API is configured"));
        assert!(check("api = 3").1.contains("`[[api]]`") || check("api = 3").1.contains("list of tables"));
    }
}
