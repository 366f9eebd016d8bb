//! The private Postgres against the installed programs, with the accidents that a data folder meets.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};

use super::*;

/// Names the folder for [`serve_until_killed`], which another test runs in a process of its own.
const FOLDER_VARIABLE: &str = "COPARTNER_TEST_FOLDER";

/// A new data folder, removed at the end of its test.
struct DataFolder(PathBuf);

impl DataFolder {
    fn new() -> Self {
        Self::named("")
    }

    fn named(suffix: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("copartner-{}-{count}{suffix}", std::process::id()));
        Self(folder)
    }

    fn options(&self) -> Options<'_> {
        Options {
            folder: &self.0,
            programs: None,
            durability: Durability::Volatile,
            max_connections: 10,
        }
    }

    fn start(&self) -> EmbeddedPostgres {
        self.start_and_tell().0
    }

    fn start_and_tell(&self) -> (EmbeddedPostgres, Vec<String>) {
        let mut told = Vec::new();
        let postgres =
            EmbeddedPostgres::start(&self.options(), &mut |line| told.push(line.to_owned())).unwrap();
        (postgres, told)
    }

    fn refusal(&self, options: &Options<'_>) -> String {
        EmbeddedPostgres::start(options, &mut |_| {})
            .unwrap_err()
            .to_string()
    }

    fn pid_file(&self) -> PathBuf {
        self.0.join("data/postmaster.pid")
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn connect(postgres: &EmbeddedPostgres) -> PgConnection {
    PgConnection::establish(&postgres.url("postgres", "postgres")).unwrap()
}

fn setting(postgres: &EmbeddedPostgres, name: &str) -> String {
    let query = diesel::dsl::sql::<Text>(&format!("current_setting('{name}')"));
    diesel::select(query).get_result(&mut connect(postgres)).unwrap()
}

fn backend_of(connection: &mut PgConnection) -> u32 {
    let pid: i32 = diesel::select(diesel::dsl::sql::<Integer>("pg_backend_pid()"))
        .get_result(connection)
        .unwrap();
    pid.try_into().unwrap()
}

fn send(signal: &str, process_id: u32) {
    let sent = Command::new("kill")
        .args([signal, &process_id.to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// Kills the server as a failing machine would, so that its pid file stays behind.
fn kill_at_once(postgres: EmbeddedPostgres) {
    send("-KILL", postgres.process_id().unwrap());
    assert!(matches!(
        postgres.stop(),
        Err(EmbeddedPostgresError::UncleanStop { .. })
    ));
}

fn says(told: &[String], words: &str) -> bool {
    told.iter().any(|line| line.contains(words))
}

#[test]
fn a_new_folder_gets_a_cluster_that_serves_on_its_socket_alone() {
    let folder = DataFolder::new();
    let (postgres, told) = folder.start_and_tell();
    assert!(says(&told, "Creating a private cluster"));
    assert!(postgres.programs().join("postgres").is_file());
    assert_eq!(setting(&postgres, "listen_addresses"), "");
    assert_eq!(setting(&postgres, "max_connections"), "10");
    assert_eq!(setting(&postgres, "server_encoding"), "UTF8");
    assert_eq!(setting(&postgres, "lc_collate"), "C");
    assert_eq!(setting(&postgres, "fsync"), "off");
    let socket = fs::metadata(folder.0.join("socket")).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o700);
    assert_eq!(socket.uid(), fs::metadata(folder.0.join("data")).unwrap().uid());
    postgres.stop().unwrap();
    assert!(!folder.pid_file().exists());
}

#[test]
fn a_durable_cluster_writes_through() {
    let folder = DataFolder::new();
    let options = Options {
        durability: Durability::Durable,
        ..folder.options()
    };
    let postgres = EmbeddedPostgres::start(&options, &mut |_| {}).unwrap();
    for name in [
        "fsync",
        "synchronous_commit",
        "full_page_writes",
        "data_checksums",
    ] {
        assert_eq!(setting(&postgres, name), "on", "{name}");
    }
    postgres.stop().unwrap();
}

#[test]
fn the_data_is_there_after_the_next_start() {
    let folder = DataFolder::new();
    let first = folder.start();
    connect(&first)
        .batch_execute("CREATE TABLE kept (note text); INSERT INTO kept VALUES ('still here')")
        .unwrap();
    first.stop().unwrap();
    let (second, told) = folder.start_and_tell();
    assert!(!says(&told, "Creating a private cluster"));
    let note: String = diesel::select(diesel::dsl::sql::<Text>("(SELECT note FROM kept)"))
        .get_result(&mut connect(&second))
        .unwrap();
    assert_eq!(note, "still here");
}

#[test]
fn dropping_it_stops_it() {
    let folder = DataFolder::new();
    let postgres = folder.start();
    let process_id = postgres.process_id().unwrap();
    drop(postgres);
    assert_eq!(
        pid_file::identify(process_id, &folder.0.join("data")),
        Process::Gone
    );
    assert!(!folder.pid_file().exists());
}

#[test]
fn a_second_start_is_refused_with_the_holder() {
    let folder = DataFolder::new();
    let postgres = folder.start();
    let refusal = folder.refusal(&folder.options());
    assert!(
        refusal.contains(&format!(
            "in use by another copartner (process {})",
            std::process::id()
        )),
        "{refusal}"
    );
    assert!(refusal.contains("COPARTNER_DATA_DIR"), "{refusal}");
    assert!(postgres.process_id().is_some());
    postgres.stop().unwrap();
    folder.start().stop().unwrap();
}

#[test]
fn the_lock_file_of_a_killed_service_does_not_matter() {
    let folder = DataFolder::new();
    fs::create_dir_all(&folder.0).unwrap();
    fs::write(folder.0.join("lock"), "1\n").unwrap();
    folder.start().stop().unwrap();
}

#[test]
fn a_killed_postgres_leaves_a_pid_file_that_does_not_matter() {
    let folder = DataFolder::new();
    kill_at_once(folder.start());
    assert!(folder.pid_file().exists());
    folder.start().stop().unwrap();
}

#[test]
fn a_process_that_outlives_its_killed_postgres_is_waited_for() {
    let folder = DataFolder::new();
    let postgres = folder.start();
    let mut connection = connect(&postgres);
    let backend = backend_of(&mut connection);
    send("-STOP", backend);
    kill_at_once(postgres);
    let mut has_waited = false;
    let postgres = EmbeddedPostgres::start(&folder.options(), &mut |line| {
        if line.contains("Waiting for the processes") {
            has_waited = true;
            send("-KILL", backend);
        }
    })
    .unwrap();
    assert!(has_waited);
    postgres.stop().unwrap();
}

#[test]
fn a_pid_file_that_names_another_program_is_removed() {
    let folder = DataFolder::new();
    kill_at_once(folder.start());
    let stale = fs::read_to_string(folder.pid_file()).unwrap();
    let (old_pid, rest) = stale.split_once('\n').unwrap();
    let run_as = RunAs::choose(&folder.0.join("data")).unwrap();
    let mut stranger = run_as
        .command(Path::new("/bin/cat"))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    assert_ne!(old_pid, stranger.id().to_string());
    fs::write(folder.pid_file(), format!("{}\n{rest}", stranger.id())).unwrap();
    let (postgres, told) = folder.start_and_tell();
    assert!(
        says(
            &told,
            &format!("process {} is not this PostgreSQL", stranger.id())
        ),
        "{told:?}"
    );
    postgres.stop().unwrap();
    assert_eq!(
        stranger.try_wait().unwrap(),
        None,
        "the stranger must be left alone"
    );
    drop(stranger.stdin.take());
    stranger.wait().unwrap();
}

#[test]
fn a_running_postgres_of_an_earlier_service_is_stopped_first() {
    let folder = DataFolder::new();
    let EmbeddedPostgres {
        mut server,
        _lock: lock,
        ..
    } = folder.start();
    drop(lock);
    let (postgres, told) = folder.start_and_tell();
    assert!(
        says(
            &told,
            &format!("Stopping PostgreSQL process {}", server.process_id())
        ),
        "{told:?}"
    );
    assert!(server.ended().unwrap().is_some_and(|status| status.success()));
    postgres.stop().unwrap();
}

#[test]
fn a_killed_service_takes_its_postgres_along_and_frees_the_folder() {
    let folder = DataFolder::new();
    let mut service = Command::new(env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "platform::embedded_postgres::tests::serve_until_killed",
        ])
        .env(FOLDER_VARIABLE, &folder.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(service.stdout.take().unwrap()).lines();
    assert!(
        lines.any(|line| line.unwrap().ends_with("serving")),
        "the service must have come up"
    );
    let refusal = folder.refusal(&folder.options());
    assert!(
        refusal.contains(&format!("(process {})", service.id())),
        "{refusal}"
    );
    send("-KILL", service.id());
    service.wait().unwrap();
    folder.start().stop().unwrap();
    let previous_log = fs::read_to_string(folder.0.join("postgres.previous.log")).unwrap();
    assert!(
        previous_log.contains("received fast shutdown request"),
        "{previous_log}"
    );
}

#[test]
#[ignore = "a part of a_killed_service_takes_its_postgres_along_and_frees_the_folder"]
fn serve_until_killed() {
    let Some(folder) = env::var_os(FOLDER_VARIABLE) else {
        return;
    };
    let folder = DataFolder(folder.into());
    let _postgres = folder.start();
    writeln!(io::stdout(), "serving").unwrap();
    io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn postgres_outlives_the_thread_that_started_it() {
    let folder = DataFolder::new();
    let postgres = thread::scope(|scope| scope.spawn(|| folder.start()).join().unwrap());
    connect(&postgres).batch_execute("CHECKPOINT").unwrap();
    let log = fs::read_to_string(folder.0.join("postgres.log")).unwrap();
    assert!(!log.contains("shutdown request"), "{log}");
    postgres.stop().unwrap();
}

#[test]
fn postgres_is_out_of_reach_of_the_terminals_interrupt() {
    let folder = DataFolder::new();
    let postgres = folder.start();
    let process_id = postgres.process_id().unwrap().to_string();
    let answer = Command::new("ps")
        .args(["-o", "pgid=", "-p", &process_id])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&answer.stdout).trim(), process_id);
}

#[test]
fn a_half_made_cluster_does_not_count() {
    let folder = DataFolder::new();
    let unfinished = folder.0.join("data.unfinished");
    fs::create_dir_all(&unfinished).unwrap();
    fs::write(unfinished.join("PG_VERSION"), "15\n").unwrap();
    folder.start().stop().unwrap();
    assert!(!unfinished.exists());
}

#[test]
fn a_cluster_of_a_version_that_is_not_installed_is_named() {
    let folder = DataFolder::new();
    fs::create_dir_all(folder.0.join("data")).unwrap();
    fs::write(folder.0.join("data/PG_VERSION"), "8\n").unwrap();
    let refusal = folder.refusal(&folder.options());
    assert!(
        refusal.contains("created by PostgreSQL 8, whose programs were not found"),
        "{refusal}"
    );
}

#[test]
fn a_postgres_that_cannot_start_shows_its_log() {
    let folder = DataFolder::new();
    folder.start().stop().unwrap();
    fs::write(folder.0.join("data/postgresql.conf"), "no_such_setting = on\n").unwrap();
    let refusal = folder.refusal(&folder.options());
    assert!(refusal.contains("no_such_setting"), "{refusal}");
    assert!(refusal.contains("postgres.log"), "{refusal}");
}

#[test]
fn a_folder_without_the_programs_is_refused_with_the_way_to_install_them() {
    let folder = DataFolder::new();
    let programs = Path::new("/nonexistent/bin");
    let refusal = folder.refusal(&Options {
        programs: Some(programs),
        ..folder.options()
    });
    assert!(
        refusal.starts_with("/nonexistent/bin holds no `postgres` and `initdb`. Install "),
        "{refusal}"
    );
    assert!(
        !folder.0.exists(),
        "nothing is created before the programs are found"
    );
}

#[test]
fn a_folder_that_postgres_may_not_enter_is_refused_with_one_that_works() {
    if !account::is_root() {
        return;
    }
    let closed = DataFolder::new();
    fs::create_dir_all(closed.0.join("inner")).unwrap();
    fs::set_permissions(&closed.0, fs::Permissions::from_mode(0o700)).unwrap();
    let inner = closed.0.join("inner");
    let refusal = closed.refusal(&Options {
        folder: &inner,
        ..closed.options()
    });
    let reason = format!(
        "cannot reach {}, because {} is closed to it",
        inner.display(),
        closed.0.display()
    );
    assert!(refusal.contains(&reason), "{refusal}");
    assert!(
        refusal.contains(&folder::default_for_root().display().to_string()),
        "{refusal}"
    );
}

#[test]
fn a_path_too_long_for_a_socket_is_refused() {
    let folder = DataFolder::named(&"-long".repeat(20));
    let refusal = folder.refusal(&folder.options());
    assert!(refusal.contains("unix sockets allow only 103"), "{refusal}");
}

#[test]
fn a_path_with_a_comma_is_refused() {
    let folder = DataFolder::named("-a,b");
    let refusal = folder.refusal(&folder.options());
    assert!(refusal.contains("contains a comma"), "{refusal}");
}

#[test]
fn a_folder_with_letters_that_mean_something_elsewhere_works() {
    let folder = DataFolder::named(" a\"ü%20?");
    let postgres = folder.start();
    let url = postgres.url("some role", "data/base");
    assert!(url.starts_with("postgresql://some%20role@%2F"), "{url}");
    assert!(
        url.ends_with("%20a%22%C3%BC%2520%3F%2Fsocket:5432/data%2Fbase"),
        "{url}"
    );
    assert_eq!(setting(&postgres, "max_connections"), "10");
}
