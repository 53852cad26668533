//! A PostgreSQL of one test's own: a new cluster in a temporary folder, on a free port of the loopback.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Postgres {
    /// Who vouches for its certificate.
    pub authority: String,
    folder: tempfile::TempDir,
    port: u16,
    process: Child,
}

impl Postgres {
    pub fn start() -> Postgres {
        let folder = tempfile::tempdir().unwrap();
        let (data, password) = (folder.path().join("data"), folder.path().join("password"));
        std::fs::write(&password, "secret").unwrap();
        give_away(&[folder.path(), &password]);
        let mut made = as_user("initdb");
        made.args(["--auth=scram-sha-256", "--username=gatewright", "--no-sync", "--pgdata"]).arg(&data);
        made.arg("--pwfile").arg(&password);
        let done = made.output().unwrap_or_else(|e| missing(&format!("`initdb` does not start: {e}")));
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate_file, key_file) = (data.join("server.crt"), data.join("server.key"));
        std::fs::write(&certificate_file, certificate.cert.pem()).unwrap();
        std::fs::write(&key_file, certificate.signing_key.serialize_pem()).unwrap();
        private(&key_file);
        give_away(&[&certificate_file, &key_file]);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = begin(&data, port);
        let server = Postgres { authority: certificate.cert.pem(), folder, port, process };
        server.ready();
        server
    }

    pub fn url(&self, host: &str, options: &str) -> String {
        format!("postgres://gatewright:secret@{host}:{}/postgres?{options}", self.port)
    }

    pub fn stop(&mut self) {
        // At once, and with all that it started.
        self.signal("QUIT");
        self.process.wait().unwrap();
    }

    pub fn restart(&mut self) {
        self.process = begin(&self.folder.path().join("data"), self.port);
        self.ready();
    }

    /// Nobody of it does anything, and the connections stay open.
    pub fn stall(&self) {
        self.signal_all("STOP");
    }

    pub fn go_on(&self) {
        self.signal_all("CONT");
    }

    fn ready(&self) {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let mut asked = Command::new(program("pg_isready"));
            asked.args(["--host=127.0.0.1", "--quiet", "--port"]).arg(self.port.to_string());
            if asked.status().unwrap_or_else(|e| missing(&e.to_string())).success() {
                return;
            }
            assert!(Instant::now() < until, "PostgreSQL does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&self, signal: &str) {
        send(signal, self.process.id());
    }

    /// The postmaster and its children: each connection is served by one.
    fn signal_all(&self, signal: &str) {
        let postmaster = self.process.id();
        let children = std::fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap();
        self.signal(signal);
        for child in children.split_whitespace() {
            send(signal, child.parse().unwrap());
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.go_on();
        self.signal("QUIT");
        let _ = self.process.wait();
    }
}

fn send(signal: &str, process: u32) {
    let _ = Command::new("kill").arg(format!("-{signal}")).arg(process.to_string()).stderr(Stdio::null()).status();
}

fn begin(data: &Path, port: u16) -> Child {
    let mut command = as_user("postgres");
    command.arg("-D").arg(data).arg("-p").arg(port.to_string());
    for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "ssl=on"] {
        command.arg("-c").arg(setting);
    }
    let log = std::fs::File::create(data.with_file_name("log")).unwrap();
    command.stdout(Stdio::null()).stderr(log).spawn().unwrap_or_else(|e| missing(&e.to_string()))
}

fn missing(why: &str) -> ! {
    panic!("PostgreSQL is missing ({why}): run `cargo xtask postgres`")
}

/// Where Debian has it, or wherever it is.
fn program(name: &str) -> PathBuf {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.filter_map(|e| Some(e.ok()?.path().join("bin").join(name))).collect())
        .unwrap_or_default();
    versions.retain(|path| path.is_file());
    versions.sort();
    versions.pop().unwrap_or_else(|| name.into())
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// It refuses to run as root: then as its own user. `setpriv` becomes the program, so that the process is ours to end.
fn as_user(name: &str) -> Command {
    let program = program(name);
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command.current_dir("/");
    command
}

fn give_away(paths: &[&Path]) {
    if is_root() {
        let done = Command::new("chown").arg("postgres:postgres").args(paths).status().unwrap();
        if !done.success() {
            missing("there is no user `postgres`");
        }
    }
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
