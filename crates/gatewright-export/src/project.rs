//! The first files of a new project, except those that the code generator writes.

use gatewright_ir::OutputFiles;
use minijinja::{Value, context};

use crate::template::environment;

/// What a project is made of.
#[derive(Clone, Debug)]
pub struct Project {
    /// The package's name.
    pub package: String,
    /// The type that handles the operations.
    pub app: String,
    /// Its versions, at least one.
    pub apis: Vec<Api>,
    /// The version and the scheme that development tokens are made for.
    pub token: Option<(String, String)>,
    /// The prefix and the level of each development key.
    pub keys: Vec<(String, String)>,
    /// The types of objects that belong to somebody.
    pub objects: Vec<String>,
    /// Variables of the documents without default, and their values on a developer's machine.
    pub variables: Vec<(String, String)>,
    /// The host that the project's own test asks for.
    pub host: String,
    /// The status of a path that nobody has, as a stranger's connection gets it.
    pub unknown: u16,
    /// Whether operations may say nothing about who may call them.
    pub allow_unguarded: bool,
    /// The `gatewright` crate's folder; the published one otherwise.
    pub gatewright_path: Option<String>,
    /// The version of the published one.
    pub version: String,
}

/// One version of the API.
#[derive(Clone, Debug)]
pub struct Api {
    /// The module's name.
    pub name: String,
    /// `info.title` of the document.
    pub title: String,
    /// The document, inside the project.
    pub spec: String,
    /// The folder that references may not leave, if it is not the document's own.
    pub root: Option<String>,
    /// The path under which it is served; empty for none.
    pub prefix: String,
    /// Where its code goes.
    pub output: String,
    /// The version before it.
    pub succeeds: Option<String>,
    /// Requests that nobody without a credential may make.
    pub guarded: Vec<Guarded>,
    /// Whether callers may present leveled API keys.
    pub api_keys: bool,
    /// Whether an operation asks for a passkey.
    pub passkeys: bool,
}

/// A request to a guarded operation.
#[derive(Clone, Debug)]
pub struct Guarded {
    /// The method.
    pub method: String,
    /// The path, with something in place of each parameter.
    pub path: String,
}

/// Each file and its template.
const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../templates/project/Cargo.toml.jinja")),
    ("gatewright.toml", include_str!("../templates/project/gatewright.toml.jinja")),
    (".gitignore", include_str!("../templates/project/gitignore.jinja")),
    ("README.md", include_str!("../templates/project/README.md.jinja")),
    ("src/app.rs", include_str!("../templates/project/src/app.rs.jinja")),
    ("src/handlers.rs", include_str!("../templates/project/src/handlers.rs.jinja")),
    ("src/lib.rs", include_str!("../templates/project/src/lib.rs.jinja")),
    ("src/main.rs", include_str!("../templates/project/src/main.rs.jinja")),
    ("src/api.rs", include_str!("../templates/project/src/api.rs.jinja")),
    ("tests/smoke.rs", include_str!("../templates/project/tests/smoke.rs.jinja")),
];

/// Renders every file.
///
/// # Errors
/// A template is wrong: our mistake, said in a few words.
pub fn render(project: &Project) -> Result<OutputFiles, String> {
    let environment = environment()?;
    let mut files = OutputFiles::new();
    for (path, template) in FILES {
        let text = environment.render_named_str(path, template, values(project)).map_err(|e| format!("{path}: {e}"))?;
        files.add(*path, text).map_err(|bad| format!("{}: no path", bad.0))?;
    }
    Ok(files)
}

fn values(project: &Project) -> Value {
    let apis: Vec<Value> = project
        .apis
        .iter()
        .map(|api| {
            let guarded = api.guarded.iter().map(|g| context! { method => g.method.as_str(), path => g.path.as_str() });
            let guarded: Vec<Value> = guarded.collect();
            context! {
                succeeds => api.succeeds.as_deref(), guarded => guarded, api_keys => api.api_keys,
                name => api.name.as_str(), title => api.title.as_str(), spec => api.spec.as_str(),
                root => api.root.as_deref().unwrap_or(""), prefix => api.prefix.as_str(), output => api.output.as_str(),
            }
        })
        .collect();
    let keys =
        project.keys.iter().map(|(prefix, level)| context! { prefix => prefix.as_str(), level => level.as_str() });
    let keys: Vec<Value> = keys.collect();
    let variables = project.variables.iter();
    let variables = variables.map(|(name, value)| context! { name => name.as_str(), value => value.as_str() });
    let variables: Vec<Value> = variables.collect();
    let api_keys = project.apis.iter().any(|api| api.api_keys);
    context! {
        variables => variables, host => project.host.as_str(), unknown => project.unknown,
        package => project.package.as_str(), app => project.app.as_str(), apis => apis,
        objects => project.objects.clone(), crate_name => project.package.replace('-', "_"),
        token_api => project.token.as_ref().map_or("", |(api, _)| api.as_str()),
        token_scheme => project.token.as_ref().map_or("", |(_, scheme)| scheme.as_str()),
        keys => keys,
        api_keys => api_keys, passkeys => project.apis.iter().any(|api| api.passkeys),
        store => if api_keys { "KEY_STORE" } else { "PASSKEY_STORE" },
        allow_unguarded => project.allow_unguarded, version => project.version.as_str(),
        gatewright_path => project.gatewright_path.as_deref().unwrap_or(""),
    }
}

/// A text as a TOML basic string.
pub(crate) fn toml_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", c as u32)),
            c => out.push(c),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> Project {
        let api = |name: &str| Api {
            name: name.to_owned(),
            title: "Bank <b>\"x\"\n# y".to_owned(),
            spec: format!("specs/{name}.yaml"),
            root: None,
            prefix: format!("/{name}"),
            output: format!("src/api/{name}"),
            succeeds: None,
            guarded: vec![Guarded { method: "GET".to_owned(), path: format!("/{name}/a\"b") }],
            api_keys: name == "v2",
            passkeys: name == "v1",
        };
        Project {
            package: "bank".to_owned(),
            app: "Bank".to_owned(),
            apis: vec![api("v1"), api("v2")],
            token: Some(("v2".to_owned(), "oauth".to_owned())),
            keys: vec![("wx".to_owned(), "free".to_owned())],
            objects: vec!["Account".to_owned()],
            variables: vec![("BANK_ISSUER".to_owned(), "https://localhost/\"x\"".to_owned())],
            host: "localhost".to_owned(),
            unknown: 404,
            allow_unguarded: false,
            gatewright_path: Some("/a \"b\"/gatewright".to_owned()),
            version: "0.1".to_owned(),
        }
    }

    #[test]
    fn every_file_is_rendered() {
        let files = render(&project()).unwrap();
        assert_eq!(files.len(), FILES.len());
        assert!(files.get("src/api.rs").unwrap().ends_with("pub mod v1;\npub mod v2;\n"));
        assert!(files.get("src/main.rs").unwrap().contains("server.transport(&api::v2::policy::API.transport)"));
        assert!(files.get("Cargo.toml").unwrap().contains(r#"path = "/a \"b\"/gatewright""#));
        assert!(files.get("src/app.rs").unwrap().contains(r#""BANK_ISSUER" => "https://localhost/\"x\"","#));
        assert!(files.get("tests/smoke.rs").unwrap().contains(".environment(bank::app::development)"));
        assert!(files.get("src/main.rs").unwrap().contains(r#"FileStore::open(variable("KEY_STORE")?)?)"#));
        let config = files.get("gatewright.toml").unwrap();
        assert_eq!(config.matches("[[api]]").count(), 2);
        assert!(!config.contains("allow-unguarded"));
    }

    #[test]
    fn text_of_a_spec_stays_text() {
        let files = render(&project()).unwrap();
        let readme = files.get("README.md").unwrap();
        assert!(readme.contains(r"Bank \<b\>\"), "{readme}");
        assert!(!readme.contains("\n# y"));
    }
}
