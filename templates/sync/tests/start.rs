//! The program as it is started: what it says when all is well, and what to do when it is not.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// A start that fails takes milliseconds; a busy machine makes it more.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder of its own, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("myapp-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn program(folder: &Folder, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_myapp"));
    command.env_clear().current_dir(&folder.0).env("PORT", "0").envs(settings.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts it where it can't; it must end by itself, with one sentence.
fn fails(folder: &Folder, settings: &[(&str, &str)], expected: &[&str]) {
    let mut child = program(folder, settings).spawn().unwrap();
    let until = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > until {
            child.kill().unwrap();
            panic!("it started: {settings:?}");
        }
        sleep(Duration::from_millis(10));
    }
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(1), "{said}");
    for part in expected {
        assert!(said.contains(part), "{part:?} is not in {said:?}");
    }
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("error: "), "{said}");
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A running program, and the first lines it said.
fn started(folder: &Folder) -> (Running, String) {
    let mut running = Running(program(folder, &[]).spawn().unwrap());
    let lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let said: Vec<_> = lines.map_while(Result::ok).take(3).collect();
    (running, said.join("\n"))
}

#[test]
fn the_start_says_address_mode_and_database() {
    let folder = Folder::new("start");
    let (_running, all) = started(&folder);
    assert!(all.contains("listening on http://127.0.0.1:") && !all.contains("127.0.0.1:0"), "{all}");
    assert!(all.contains("mode: "), "{all}");
    assert!(all.contains("database: ") && all.contains("app.db"), "{all}");
    assert!(folder.0.join("app.db").is_file());
}

#[test]
fn a_port_in_use_is_named_and_another_one_asked_for() {
    let folder = Folder::new("port");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    fails(&folder, &[("PORT", &port)], &["another program is using port", &port, "choose another port", "PORT"]);
}

#[test]
fn a_path_that_can_not_be_written_is_named_with_what_to_look_at() {
    let folder = Folder::new("path");
    fs::write(folder.0.join("file"), "").unwrap();
    fails(&folder, &[("DATABASE_PATH", "file/app.db")], &["file/app.db", "DATABASE_PATH"]);
    fails(&folder, &[("DATABASE_PATH", "missing/app.db")], &["missing/app.db", "DATABASE_PATH"]);
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let folder = Folder::new("corrupt");
    let path = folder.0.join("app.db");
    let text = "a shopping list, kept as text\n".repeat(400);
    fs::write(&path, &text).unwrap();
    fails(&folder, &[], &["app.db", "is not an SQLite database", "name another file"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_database_that_is_damaged_is_said_to_be() {
    let folder = Folder::new("damaged");
    let path = folder.0.join("app.db");
    let (mut running, _) = started(&folder);
    // Told to stop, it leaves everything in the one file; killed, the log beside it would mend the damage.
    assert!(Command::new("kill").arg(running.0.id().to_string()).status().unwrap().success());
    running.0.wait().unwrap();
    // The header stays: it still looks like a database.
    let mut bytes = fs::read(&path).unwrap();
    bytes.iter_mut().skip(100).enumerate().for_each(|(at, byte)| *byte = (at % 251) as u8);
    fs::write(&path, &bytes).unwrap();
    fails(&folder, &[], &["app.db", "is damaged", "restore a backup"]);
}

#[test]
fn a_wrong_setting_is_named() {
    let folder = Folder::new("setting");
    fails(&folder, &[("PORT", "http")], &["PORT must be a number up to 65535"]);
    fails(&folder, &[("APP_ENV", "prod")], &["APP_ENV must be development or release"]);
    fails(&folder, &[("HOST", "no such host")], &["host:port"]);
}
