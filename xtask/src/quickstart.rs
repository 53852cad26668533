//! The README's first command: from the specs of the bank example to a running server, as a user would do it: `gatewright
//! new`, handlers filled in, built, started. Then what to try; with `--check`, each of it is tried and the server stopped.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::Outcome;
use crate::run::{capture, cargo, gatewright, root, show, target};

/// A server that has not started by then never will.
const START: Duration = Duration::from_secs(60);
const CURL: Duration = Duration::from_secs(20);

/// Something to try.
struct Try {
    what: &'static str,
    /// What curl gets behind the URL's origin, the token's name, and the rest of its arguments.
    path: &'static str,
    token: Option<&'static str>,
    more: &'static [&'static str],
    /// The status of the last answer.
    status: &'static str,
    /// What must stand in the headers or the body.
    holds: &'static [&'static str],
    /// How often it is sent.
    times: u32,
}

/// Whose tokens are used: a name for the shell, and what the development issuer is asked for.
const TOKENS: &[(&str, &str)] = &[
    ("ALICE", "alice accounts:read transfers:write email_verified=true tenant=acme"),
    ("READER", "alice accounts:read email_verified=true tenant=acme"),
];

const POST: &[&str] = &["-H", "Content-Type: application/json", "-d"];

const TRIES: &[Try] = &[
    Try {
        what: "an account of Alice's",
        path: "/v2/accounts/acc_alice1",
        token: Some("ALICE"),
        more: &[],
        status: "200",
        holds: &["\"acc_alice1\"", "cache-control: no-store", "strict-transport-security"],
        times: 1,
    },
    Try {
        what: "money moves",
        path: "/v2/accounts/acc_alice1/transfers",
        token: Some("ALICE"),
        more: &["{\"to\":\"acc_bob001\",\"amount\":100,\"currency\":\"EUR\"}"],
        status: "201",
        holds: &["\"amount\":100"],
        times: 1,
    },
    Try {
        what: "no token: 401",
        path: "/v2/accounts/acc_alice1",
        token: None,
        more: &[],
        status: "401",
        holds: &["www-authenticate", "application/problem+json"],
        times: 1,
    },
    Try {
        what: "a token without the scope: 403",
        path: "/v2/accounts/acc_alice1/transfers",
        token: Some("READER"),
        more: &["{\"to\":\"acc_bob001\",\"amount\":100,\"currency\":\"EUR\"}"],
        status: "403",
        holds: &["insufficient_scope", "transfers:write"],
        times: 1,
    },
    Try {
        what: "Bob's account is to Alice as if it did not exist: 404",
        path: "/v2/accounts/acc_bob001",
        token: Some("ALICE"),
        more: &[],
        status: "404",
        holds: &["application/problem+json"],
        times: 1,
    },
    Try {
        what: "an invalid body, every violation at once: 400",
        path: "/v2/accounts/acc_alice1/transfers",
        token: Some("ALICE"),
        more: &["{\"to\":\"nobody\",\"amount\":0,\"currency\":\"XXX\",\"note\":\"?\"}"],
        status: "400",
        holds: &["/to", "/amount", "/currency", "/note"],
        times: 1,
    },
    Try {
        what: "the sixth recovery within a quarter of an hour: 429",
        path: "/v2/recoveries",
        token: None,
        more: &["{\"email\":\"alice@bank.example\"}"],
        status: "429",
        holds: &["retry-after", "ratelimit"],
        times: 6,
    },
    Try {
        what: "version 1 still works, and says until when",
        path: "/v1/accounts/acc_alice1",
        token: Some("ALICE"),
        more: &[],
        status: "200",
        holds: &["deprecation:", "sunset:", "successor-version"],
        times: 1,
    },
];

pub(crate) fn run(args: &[String]) -> Outcome {
    let check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        other => return Err(format!("quickstart: {other:?}?")),
    };
    let project = target().join("quickstart").join("bank");
    make(&project)?;
    let program = build(&project)?;
    let mut server = Server::start(&program, &project, if check { "0" } else { "8443" })?;
    let shell = Shell { project: &project, origin: server.origin.clone(), tokens: server.tokens.clone() };
    if check {
        let outcome = shell.try_all();
        server.stop();
        return outcome;
    }
    shell.print();
    let status = server.child.wait().map_err(|e| e.to_string())?;
    Ok(format!("the server ended: {status}"))
}

/// `gatewright new`, and the example's own handlers and page in place of the stubs.
fn make(project: &Path) -> Result<(), String> {
    let cli = gatewright(false)?;
    let _ = std::fs::remove_dir_all(project);
    let specs = root().join("specs/examples/bank");
    let mut command = Command::new(cli);
    command.current_dir(root()).args(["--quiet", "new", "--app", "Bank"]).arg(project);
    command.arg("--gatewright-path").arg(root().join("crates/gatewright"));
    command.arg("--spec").arg(specs.join("v1.yaml")).arg(specs.join("v2.yaml"));
    show(command)?;
    let stubs = project.join("src/handlers");
    std::fs::remove_dir_all(&stubs).map_err(|e| format!("{}: {e}", stubs.display()))?;
    std::fs::remove_file(project.join("src/handlers.rs")).map_err(|e| e.to_string())?;
    let example = root().join("examples/bank/src");
    let mut sources = Vec::new();
    crate::layers::files(&example, "", &mut sources);
    if sources.is_empty() {
        return Err(format!("no handlers in {}", example.display()));
    }
    let mut modules = String::new();
    for source in sources {
        let name = source.strip_prefix(&example).map_err(|e| e.to_string())?;
        // The example is a package of its own, built from build.rs; the project has its own root.
        if matches!(name.to_str(), Some("lib.rs" | "main.rs")) {
            continue;
        }
        let module = name.extension().is_some_and(|e| e == "rs") && name.components().count() == 1;
        if module && name != Path::new("app.rs") {
            modules.push_str(&format!("pub mod {};\n", name.file_stem().unwrap_or_default().to_string_lossy()));
        }
        let to = project.join("src").join(name);
        std::fs::create_dir_all(to.parent().unwrap_or(project)).map_err(|e| e.to_string())?;
        std::fs::copy(&source, &to).map_err(|e| format!("{}: {e}", to.display()))?;
    }
    let lib = project.join("src/lib.rs");
    let text = std::fs::read_to_string(&lib).map_err(|e| e.to_string())? + &modules;
    std::fs::write(&lib, text).map_err(|e| e.to_string())?;
    // The versions that the repository was tested with.
    std::fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock")).map(drop).map_err(|e| e.to_string())
}

fn build(project: &Path) -> Result<PathBuf, String> {
    // With the repository's profile and target folder, so that the runtime is built once.
    let profile = ["debug=\"line-tables-only\"", "package.\"*\".opt-level=1", "package.\"*\".debug=false"];
    let mut command = cargo(["build", "--features", "dev"]);
    command.args(profile.iter().flat_map(|setting| ["--config".to_owned(), format!("profile.dev.{setting}")]));
    let out = target();
    command.current_dir(project).env("CARGO_TARGET_DIR", &out);
    show(command)?;
    Ok(out.join("debug").join(format!("bank{}", std::env::consts::EXE_SUFFIX)))
}

enum Said {
    Origin(String),
    Token(String),
}

struct Server {
    child: Child,
    origin: String,
    tokens: Vec<(&'static str, String)>,
}

impl Server {
    fn start(program: &Path, project: &Path, port: &str) -> Result<Server, String> {
        let mut child = Command::new(program)
            .current_dir(project)
            .env("PORT", port)
            .args(TOKENS.iter().map(|(_, wish)| *wish))
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| format!("cannot start {}: {e}", program.display()))?;
        // Tokens and keys on one stream, the origin on the other; both are read to their end, so that nothing waits.
        let (tell, told) = mpsc::channel();
        let out = child.stdout.take().map(BufReader::new);
        let tell_token = tell.clone();
        std::thread::spawn(move || {
            for line in out.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
                if let Some(token) = line.strip_prefix("token ") {
                    let _ = tell_token.send(Said::Token(token.to_owned()));
                }
            }
        });
        let err = child.stderr.take().map(BufReader::new);
        std::thread::spawn(move || {
            for line in err.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
                match line.strip_prefix("listening on ") {
                    Some(origin) => drop(tell.send(Said::Origin(origin.trim().to_owned()))),
                    None => eprintln!("{line}"),
                }
            }
        });
        let mut server = Server { child, origin: String::new(), tokens: Vec::new() };
        while server.origin.is_empty() || server.tokens.len() < TOKENS.len() {
            match told.recv_timeout(START) {
                Ok(Said::Origin(origin)) => server.origin = origin,
                Ok(Said::Token(token)) => {
                    let name = TOKENS.get(server.tokens.len()).map_or("", |(name, _)| name);
                    server.tokens.push((name, token));
                }
                // Dropping the server ends it.
                Err(_) => return Err("the server did not start".to_owned()),
            }
        }
        Ok(server)
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Shell<'a> {
    project: &'a Path,
    origin: String,
    tokens: Vec<(&'static str, String)>,
}

impl Shell<'_> {
    fn certificate(&self) -> String {
        self.project.join("target/dev/certificate.pem").display().to_string()
    }

    /// What curl is given, tokens as `token` gives them.
    fn arguments(&self, one: &Try, token: impl Fn(&str) -> String) -> Vec<String> {
        let mut list = vec!["-i".to_owned(), format!("{}{}", self.origin, one.path)];
        if let Some(name) = one.token {
            list.extend(["-H".to_owned(), format!("Authorization: Bearer {}", token(name))]);
        }
        if let [body] = one.more {
            list.extend(POST.iter().map(|s| (*s).to_owned()));
            list.push((*body).to_owned());
        }
        list
    }

    fn print(&self) {
        println!("\nThe bank answers at {}. Stop it with Ctrl-C. In another terminal:\n", self.origin);
        println!("export CURL_CA_BUNDLE='{}'", self.certificate());
        for (name, token) in &self.tokens {
            println!("{name}='{token}'");
        }
        for one in TRIES {
            println!("\n# {}", one.what);
            let words: Vec<String> = self
                .arguments(one, |name| format!("${name}"))
                .iter()
                .map(|word| {
                    if word.contains('$') {
                        format!("\"{word}\"")
                    } else if word.contains([' ', '{', '"']) {
                        format!("'{word}'")
                    } else {
                        word.clone()
                    }
                })
                .collect();
            let line = format!("curl -s {}", words.join(" "));
            match one.times {
                1 => println!("{line}"),
                n => println!("for i in $(seq {n}); do {line}; echo; done"),
            }
        }
        println!("\n# passkeys, in a browser that takes the certificate; with $ALICE as the token");
        println!("{}/page\n", self.origin);
    }

    fn try_all(&self) -> Outcome {
        let mut wrong = Vec::new();
        for one in TRIES {
            let mut last = String::new();
            for _ in 0..one.times {
                let token = |name: &str| {
                    self.tokens.iter().find(|(n, _)| *n == name).map(|(_, t)| t.clone()).unwrap_or_default()
                };
                let mut command = Command::new("curl");
                command
                    .args(["-sS", "--max-time", "10", "--cacert"])
                    .arg(self.certificate())
                    .args(self.arguments(one, token));
                let done = capture(command, CURL)?;
                last = done.stdout + &done.stderr;
            }
            let lower = last.to_lowercase();
            let status = lower.lines().next().and_then(|line| line.split(' ').nth(1)).unwrap_or("none").to_owned();
            let missing: Vec<&str> =
                one.holds.iter().filter(|text| !lower.contains(&text.to_lowercase())).copied().collect();
            if status != one.status || !missing.is_empty() {
                wrong.push(format!("quickstart: {}: status {status}, missing {missing:?}\n{last}", one.what));
            }
        }
        if wrong.is_empty() {
            Ok(format!("quickstart: {} answers as promised", TRIES.len()))
        } else {
            Err(wrong.join("\n"))
        }
    }
}
