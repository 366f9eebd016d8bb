//! The program itself, as somebody starts and stops it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

/// A data folder that nothing else uses; removed at the end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("copartner-serve-{name}-{}", std::process::id()));
        std::fs::remove_dir_all(&path).ok();
        Self(path)
    }
}

impl Folder {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

pub fn copartner(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_copartner"));
    for name in [
        "DATABASE_URL",
        "DATABASE_OWNER_URL",
        "READ_DATABASE_URL",
        "COPARTNER_BOOTSTRAP_KEY_FILE",
    ] {
        command.env_remove(name);
    }
    command
        .env("COPARTNER_DATA_DIR", folder)
        .env("COPARTNER_LISTEN", "127.0.0.1:0")
        .stdin(Stdio::null());
    command
}

/// A service that says where it serves, and what it said before.
pub struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: Vec<String>,
    /// Where it serves.
    pub address: String,
}

impl Running {
    fn start(folder: &Path) -> Self {
        Self::run(&mut copartner(folder))
    }

    pub fn run(command: &mut Command) -> Self {
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("its messages are read"));
        let mut said = Vec::new();
        let address = loop {
            let mut line = String::new();
            assert!(
                stderr.read_line(&mut line).expect("a line") > 0,
                "it ended: {}",
                said.concat()
            );
            said.push(line.clone());
            if let Some((_, rest)) = line.split_once("serving on http://") {
                break rest.split_whitespace().next().expect("an address").to_owned();
            }
        };
        Self {
            child,
            stderr,
            said,
            address,
        }
    }

    fn key(&self) -> Option<&str> {
        self.said
            .iter()
            .find_map(|line| line.trim().strip_prefix("export COPARTNER_KEY="))
    }

    fn get(&self, path: &str, key: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n",
            self.address
        );
        stream
            .write_all(request.as_bytes())
            .expect("the request goes out");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    pub fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([name, &process])
            .status()
            .expect("kill");
        assert!(sent.success());
    }

    /// Waits for the end: the exit code, and what was said since the start.
    pub fn ended(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).expect("its messages");
        (self.child.wait().expect("its end").code(), rest)
    }
}

fn message(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_first_start_makes_a_key_and_ctrl_c_ends_with_status_zero() {
    let folder = Folder::new("first");
    let service = Running::start(&folder.0);
    let key = service.key().expect("the first key is shown").to_owned();
    assert!(service.get("/v1/organization", &key).starts_with("HTTP/1.1 200"));
    assert!(service.get("/openapi.json", "").starts_with("HTTP/1.1 200"));
    service.signal("-INT");
    let (code, said) = service.ended();
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("stopping Postgres") && said.contains("stopped"),
        "{said}"
    );
}

#[test]
fn a_first_start_that_fails_costs_no_key() {
    let folder = Folder::new("failed-first");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let busy = copartner(&folder.0)
        .env("COPARTNER_LISTEN", &address)
        .output()
        .expect("it runs");
    assert!(!busy.status.success());
    let said = message(&busy);
    assert!(
        said.contains(&address) && said.contains("COPARTNER_LISTEN"),
        "{said}"
    );
    let unwritable = copartner(&folder.0)
        .env("COPARTNER_BOOTSTRAP_KEY_FILE", "/nonexistent/key")
        .output()
        .expect("it runs");
    assert!(!unwritable.status.success());
    let said = message(&unwritable);
    assert!(
        said.contains("/nonexistent/key") && said.contains("COPARTNER_BOOTSTRAP_KEY_FILE"),
        "{said}"
    );
    let file = folder.0.join("first-key");
    let service = Running::run(copartner(&folder.0).env("COPARTNER_BOOTSTRAP_KEY_FILE", &file));
    let key = service.key().expect("the first key is shown").to_owned();
    assert_eq!(std::fs::read_to_string(&file).expect("the file").trim(), key);
    service.signal("-INT");
    assert_eq!(service.ended().0, Some(0));
}

#[test]
fn whoever_lost_every_key_gets_another_on_the_command_line() {
    let folder = Folder::new("lost");
    let service = Running::start(&folder.0);
    service.signal("-INT");
    assert_eq!(service.ended().0, Some(0));
    let create = ["api-key", "create", "--admin"];
    let made = copartner(&folder.0).args(create).output().expect("it runs");
    assert!(made.status.success(), "{}", message(&made));
    let key = String::from_utf8_lossy(&made.stdout).trim().to_owned();
    let nobody = "org_01j9zq4y8k7m5n3p2r1s0t6v4w";
    let unknown = copartner(&folder.0)
        .args(create)
        .args(["--organization", nobody])
        .output()
        .expect("it runs");
    assert!(!unknown.status.success());
    let again = Running::start(&folder.0);
    let organization = again.get("/v1/organization", &key);
    assert!(organization.starts_with("HTTP/1.1 200"), "{organization}");
    let id = organization
        .split("\"id\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let known = id.expect("its id");
    assert!(message(&unknown).contains(known), "{}", message(&unknown));
    let audited = again.get("/v1/audit-events?limit=1", &key);
    assert!(
        audited.contains("api_key.created") && audited.contains("\"actor_type\":\"system\""),
        "{audited}"
    );
    again.signal("-INT");
    assert_eq!(again.ended().0, Some(0));
}

#[test]
fn a_killed_service_starts_again_with_what_it_had_and_shows_no_second_key() {
    let folder = Folder::new("killed");
    let service = Running::start(&folder.0);
    let key = service.key().expect("the first key is shown").to_owned();
    service.signal("-KILL");
    service.ended();
    let again = Running::start(&folder.0);
    assert_eq!(again.key(), None);
    assert!(again.get("/v1/organization", &key).starts_with("HTTP/1.1 200"));
    again.signal("-TERM");
    assert_eq!(again.ended().0, Some(0));
}

#[test]
fn no_key_stands_in_the_log_however_much_it_says() {
    for format in ["text", "json"] {
        let folder = Folder::new(&format!("log-{format}"));
        let mut command = copartner(&folder.0);
        command
            .env("COPARTNER_LOG", "debug")
            .env("COPARTNER_LOG_FORMAT", format);
        let service = Running::run(&mut command);
        let key = service.key().expect("the first key is shown").to_owned();
        let unknown = format!("cpk_{}", "x".repeat(43));
        for (path, key) in [
            ("/v1/organization", &key),
            ("/v1/api-keys?limit=1", &key),
            ("/v1/organization", &unknown),
            ("/v1/nonsense", &key),
            ("/v1/partners?limit=0", &key),
        ] {
            assert!(service.get(path, key).starts_with("HTTP/1.1 "));
        }
        let shown: Vec<&String> = service.said.iter().filter(|line| line.contains(&key)).collect();
        assert_eq!(shown.len(), 1, "{shown:?}");
        service.signal("-INT");
        let (code, said) = service.ended();
        assert_eq!(code, Some(0), "{said}");
        assert!(
            !said.contains('\u{1b}'),
            "no colors where nobody sees them: {said}"
        );
        assert!(said.contains("/v1/organization"), "requests are logged: {said}");
        assert!(!said.contains("cpk_"), "{said}");
    }
}

#[test]
fn two_services_cannot_share_a_folder() {
    let folder = Folder::new("shared");
    let service = Running::start(&folder.0);
    let second = copartner(&folder.0).output().expect("the program runs");
    assert!(!second.status.success());
    assert!(
        message(&second).contains(&service.child.id().to_string()),
        "{}",
        message(&second)
    );
    service.signal("-INT");
    assert_eq!(service.ended().0, Some(0));
}

#[test]
fn what_is_missing_or_wrong_is_said_in_a_line() {
    let folder = Folder::new("missing");
    let without = copartner(&folder.0)
        .env("COPARTNER_POSTGRES_BIN", "/nonexistent")
        .output()
        .expect("it runs");
    assert!(!without.status.success());
    assert!(
        message(&without).contains("/nonexistent"),
        "{}",
        message(&without)
    );
    let unreachable = copartner(&folder.0)
        .env("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
        .output();
    let unreachable = unreachable.expect("it runs");
    assert!(!unreachable.status.success());
    assert!(
        message(&unreachable).contains("cannot connect to Postgres"),
        "{}",
        message(&unreachable)
    );
    let mistyped = copartner(&folder.0)
        .env("COPARTNER_DATABASE_CONNECTIONS", "many")
        .output()
        .expect("it runs");
    assert_eq!(mistyped.status.code(), Some(2));
    assert!(message(&mistyped).contains("many"), "{}", message(&mistyped));
    let portless = copartner(&folder.0).args(["--listen", "18432"]).output();
    let portless = message(&portless.expect("it runs"));
    assert!(portless.contains("address:port"), "{portless}");
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = closed.local_addr().expect("its address").to_string();
    drop(closed);
    let unheard = copartner(&folder.0)
        .args(["healthcheck", "--listen", &address])
        .output();
    let unheard = message(&unheard.expect("it runs"));
    assert!(unheard.contains(&address), "{unheard}");
}

#[test]
fn every_command_explains_itself() {
    let folder = Folder::new("help");
    for command in [
        &["--help"][..],
        &["serve", "--help"],
        &["worker", "--help"],
        &["migrate", "--help"],
        &["api-key", "create", "--help"],
        &["ledger", "check", "--help"],
        &["openapi", "--help"],
        &["healthcheck", "--help"],
    ] {
        let help = copartner(&folder.0).args(command).output().expect("it runs");
        assert!(help.status.success(), "{command:?}");
        assert!(
            String::from_utf8_lossy(&help.stdout).contains("Usage:"),
            "{command:?}"
        );
    }
}

#[test]
fn a_check_that_could_not_look_is_told_from_one_that_found_something_and_makes_no_database() {
    let folder = Folder::new("nothing");
    for (command, code) in [
        (&["ledger", "check"][..], 2),
        (&["audit", "verify"], 2),
        (&["api-key", "create", "--admin"], 1),
    ] {
        let output = copartner(&folder.0).args(command).output().expect("it runs");
        let said = message(&output);
        assert_eq!(output.status.code(), Some(code), "{command:?}: {said}");
        assert!(said.contains("there is no database in"), "{said}");
        assert!(!folder.0.exists(), "{command:?} made something");
        let away = copartner(&folder.0)
            .args(command)
            .env("DATABASE_URL", "postgresql://nobody@/none?host=/nowhere")
            .output()
            .expect("it runs");
        assert_eq!(away.status.code(), Some(code), "{command:?}");
    }
}
