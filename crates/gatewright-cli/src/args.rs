//! The command line's grammar.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Compiles OpenAPI documents annotated with `x-security` into guarded servers.
#[derive(Parser)]
#[command(
    name = "gatewright",
    version,
    max_term_width = 110,
    after_help = "Exit status: 0 good, 1 found errors, 2 could not run."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Colour on standard error
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,

    /// Print diagnostics and results only
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// As rustc shows errors, on standard error
    Human,
    /// One JSON object per line, on standard output
    Json,
    /// One SARIF 2.1.0 log, on standard output
    Sarif,
    /// GitHub workflow commands, on standard output
    Github,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Report {
    /// For people
    Human,
    /// For programs
    Json,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a project that builds, runs, and passes its own tests
    New(New),
    /// Write the Rust modules that `gatewright.toml` asks for
    Generate(Generate),
    /// Compile without writing anything
    Check(Check),
    /// Say an operation's effective policy, or what a diagnostic means
    Explain(Explain),
    /// Write stubs for handlers that are missing; never overwrites
    Scaffold(Scaffold),
    /// Print what one stage of the compiler made
    Dump(Dump),
    /// Write the API in another format
    Export(Export),
    /// Issue, list and revoke API keys of the embedded store
    Keys(Keys),
    /// Passkeys of a store: which there are, and take one away
    Passkeys(Passkeys),
    /// Print the JSON Schema of the `x-security` vocabulary
    Schema,
    /// Print the manual page, or write those of all commands
    Man(Man),
    /// Print completions for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

/// `gatewright new`
#[derive(clap::Args)]
pub(crate) struct New {
    /// The folder to make, and the package's name
    pub(crate) name: PathBuf,

    /// A document; several are versions of one API, served side by side
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub(crate) spec: Vec<PathBuf>,

    /// Take operations without a guard for open ones, with a warning
    #[arg(long)]
    pub(crate) allow_unguarded: bool,

    /// The type that handles the operations
    #[arg(long, default_value = "App", value_name = "TYPE")]
    pub(crate) app: String,

    /// Use the `gatewright` crate of this folder instead of the published one
    #[arg(long, value_name = "DIR")]
    pub(crate) gatewright_path: Option<PathBuf>,
}

/// `gatewright generate`
#[derive(clap::Args)]
pub(crate) struct Generate {
    /// The configuration
    #[arg(long, default_value = "gatewright.toml", value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// Write nothing; fail and show the difference if something would be written
    #[arg(long)]
    pub(crate) check: bool,

    /// How to show diagnostics
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

/// `gatewright check`
#[derive(clap::Args)]
pub(crate) struct Check {
    /// The documents
    #[arg(required = true, value_name = "SPEC")]
    pub(crate) specs: Vec<PathBuf>,

    /// The folder that references may not leave; the document's own unless given
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// An OpenAPI overlay to apply to the document first; several are applied in their order
    #[arg(long = "overlay", value_name = "FILE")]
    pub(crate) overlays: Vec<PathBuf>,

    /// Take operations without a guard for open ones, with a warning
    #[arg(long)]
    pub(crate) allow_unguarded: bool,

    /// How to show diagnostics
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

/// `gatewright explain`
#[derive(clap::Args)]
pub(crate) struct Explain {
    /// A document, or a diagnostic's code (`GW0101`) or name
    #[arg(value_name = "SPEC|CODE")]
    pub(crate) subject: String,

    /// An operation: its operationId, or method and path
    pub(crate) operation: Option<String>,

    /// The folder that references may not leave; the document's own unless given
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// An OpenAPI overlay to apply to the document first; several are applied in their order
    #[arg(long = "overlay", value_name = "FILE")]
    pub(crate) overlays: Vec<PathBuf>,

    /// Take operations without a guard for open ones, with a warning
    #[arg(long)]
    pub(crate) allow_unguarded: bool,

    /// How to print the policy
    #[arg(long, value_enum, default_value_t = Report::Human)]
    pub(crate) format: Report,
}

/// `gatewright scaffold`
#[derive(clap::Args)]
pub(crate) struct Scaffold {
    /// The configuration
    #[arg(long, default_value = "gatewright.toml", value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// `gatewright dump`
#[derive(clap::Args)]
pub(crate) struct Dump {
    /// The document
    pub(crate) spec: PathBuf,

    /// Which stage's result
    #[arg(long, value_enum)]
    pub(crate) stage: Stage,

    /// The folder that references may not leave; the document's own unless given
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// An OpenAPI overlay to apply to the document first; several are applied in their order
    #[arg(long = "overlay", value_name = "FILE")]
    pub(crate) overlays: Vec<PathBuf>,

    /// Take operations without a guard for open ones, with a warning
    #[arg(long)]
    pub(crate) allow_unguarded: bool,
}

/// The stages, by the compiler's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stage {
    /// The files, and who referred to them
    Load,
    /// Every key and value with its place
    Parse,
    /// What of it is OpenAPI, references still in place
    Shape,
    /// The whole document, references followed
    Resolve,
    /// The API and its policies
    Lower,
    /// The same, after the rules
    Check,
    /// The Rust code, as one file
    Generate,
}

/// `gatewright export`
#[derive(clap::Args)]
pub(crate) struct Export {
    #[command(subcommand)]
    pub(crate) format: ExportFormat,
}

#[derive(Subcommand)]
pub(crate) enum ExportFormat {
    /// An OpenAPI document of another version; what it cannot say is named as warnings
    Openapi {
        /// The document
        spec: PathBuf,

        /// The version of OpenAPI
        #[arg(long, default_value = "3.0", value_parser = ["3.0"])]
        version: String,

        /// Write YAML or JSON
        #[arg(long, value_enum, default_value_t = Text::Yaml)]
        text: Text,

        /// Write here instead of to standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,

        /// Take operations without a guard for open ones, with a warning
        #[arg(long)]
        allow_unguarded: bool,
    },

    /// Who may call what, as a table in Markdown: each operation with its schemes, scopes, roles, levels, claims and rates
    Matrix(ReportFile),

    /// Every error that a client may get, with its `type`, status and reason, in Markdown
    Errors(ReportFile),
}

/// A report of a document, to be committed beside it.
#[derive(clap::Args)]
pub(crate) struct ReportFile {
    /// The document
    pub(crate) spec: PathBuf,

    /// Write here instead of to standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Write nothing; fail where the file differs
    #[arg(long, requires = "output")]
    pub(crate) check: bool,

    /// Take operations without a guard for open ones, with a warning
    #[arg(long)]
    pub(crate) allow_unguarded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Text {
    Yaml,
    Json,
}

/// `gatewright man`
#[derive(clap::Args)]
pub(crate) struct Man {
    /// Write a page per command into this folder
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

/// `gatewright keys`
#[derive(clap::Args)]
pub(crate) struct Keys {
    #[command(flatten)]
    pub(crate) place: Place,

    /// A file that holds the secret under which keys are hashed; otherwise the variable GATEWRIGHT_PEPPER holds it
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) pepper: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

/// Where keys and passkeys are kept.
#[derive(clap::Args)]
pub(crate) struct Place {
    /// The store: a file, or `postgres://user:password@host/database`; otherwise the variable GATEWRIGHT_STORE says it, else
    /// it is `gatewright.redb`
    #[arg(long, global = true, value_name = "FILE|URL")]
    pub(crate) store: Option<String>,

    /// Certificate authorities, in PEM, that vouch for a database, in place of the machine's own
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) store_authorities: Option<PathBuf>,
}

/// `gatewright passkeys`
#[derive(clap::Args)]
pub(crate) struct Passkeys {
    #[command(flatten)]
    pub(crate) place: Place,

    #[command(subcommand)]
    pub(crate) command: PasskeyCommand,
}

#[derive(Subcommand)]
pub(crate) enum PasskeyCommand {
    /// List passkeys: whose, since when, when last shown
    List {
        /// Of this subject alone
        #[arg(long)]
        subject: Option<String>,
    },
    /// Take a passkey away; its user is stepped up no more once what he showed has aged
    Revoke {
        /// The passkey's id, as it is listed
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key and print it, once
    Issue {
        #[command(flatten)]
        rules: KeyRules,

        /// A name for people
        #[arg(long, default_value = "")]
        label: String,

        /// Whose key it is
        #[arg(long)]
        subject: String,

        /// The application that uses it
        #[arg(long)]
        client: Option<String>,

        /// Its level
        #[arg(long)]
        level: Option<String>,

        /// After so many days it does not work
        #[arg(long, value_name = "DAYS")]
        expires_in: Option<u16>,

        /// A network that it is good in, where its scheme says `new-network: refuse`; may be said again. With none, that of its
        /// first use
        #[arg(long, value_name = "NETWORK")]
        network: Vec<String>,
    },
    /// Let a key be used in one more network, where its scheme says `new-network: refuse`
    Allow {
        /// The key's id
        id: String,

        /// An address there, or the network: IPv4 by /24, IPv6 by /48
        network: String,
    },
    /// Make a new key of the same rights and print it, once; the old one works until the `grace` of its scheme is over
    Rotate {
        /// The old key's id
        id: String,

        #[command(flatten)]
        rules: KeyRules,
    },
    /// Make a key useless from now on
    Revoke {
        /// The key's id
        id: String,
    },
    /// List keys: never their secrets, which nobody knows
    List {
        /// A document whose `rotate-every` says which keys are due
        #[arg(long, value_name = "FILE")]
        spec: Option<PathBuf>,
    },
    /// How often, when and from where keys were used
    Usage {
        /// One key's id; all keys unless said
        id: Option<String>,
    },
}

/// What a document says of keys.
#[derive(clap::Args)]
pub(crate) struct KeyRules {
    /// The document whose levels, prefix and times apply
    #[arg(long, value_name = "FILE")]
    pub(crate) spec: PathBuf,

    /// The security scheme, where the document has several with keys
    #[arg(long)]
    pub(crate) scheme: Option<String>,
}
