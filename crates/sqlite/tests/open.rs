//! Opening: what is wrong with a file is named, and a file that is not riverrun's is left as it was.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use common::{Directory, child, childs_file, scope, step};
use riverrun_engine::{Store, store::read, store::write};
use riverrun_sqlite::{OpenError, Sqlite, rusqlite::Connection};

fn check(path: impl AsRef<Path>, says: &str) -> OpenError {
    let error = Sqlite::open(path).unwrap_err();
    assert!(error.to_string().contains(says), "{error}");
    error
}

/// A database some other program left behind.
fn foreign(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn what_is_written_is_there_when_the_file_is_opened_again() {
    let directory = Directory::new();
    let file = directory.file("app.db");
    let store = Sqlite::open(&file).unwrap();
    assert_eq!(store.describe(), format!("SQLite, {}", file.display()));
    let epoch = read(&store, |tx| tx.epoch()).unwrap();
    write(&store, |tx| step(tx, &scope("a"), "m1")).unwrap();
    drop(store);
    let store = Sqlite::open(&file).unwrap();
    assert_eq!(read(&store, |tx| tx.epoch()).unwrap(), epoch);
    assert_eq!(read(&store, |tx| tx.head(&scope("a"))).unwrap().unwrap().cursor.0, 1);
    // The log was emptied into the database at the end: the file alone is the whole backup.
    drop(store);
    assert!(!directory.file("app.db-wal").exists());
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_was() {
    let directory = Directory::new();
    let file = directory.file("notes.txt");
    for text in ["short", &"long ".repeat(1000)] {
        fs::write(&file, text).unwrap();
        assert!(matches!(check(&file, "is not an SQLite database"), OpenError::NotADatabase { .. }));
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing was put beside it");
}

#[test]
fn a_file_with_a_databases_beginning_only_is_damaged_or_no_database() {
    let directory = Directory::new();
    let file = directory.file("app.db");
    drop(Sqlite::open(&file).unwrap());
    let mut bytes = fs::read(&file).unwrap();
    bytes[100..4096].fill(0xa5);
    fs::write(&file, &bytes).unwrap();
    assert!(matches!(check(&file, "is damaged"), OpenError::Corrupt { .. }));
}

#[test]
fn a_damaged_page_is_found_by_the_quick_check() {
    let directory = Directory::new();
    let file = directory.file("app.db");
    drop(Sqlite::open(&file).unwrap());
    let pages = fs::metadata(&file).unwrap().len() / 4096;
    let mut bytes = fs::read(&file).unwrap();
    let last = usize::try_from(pages - 1).unwrap() * 4096;
    bytes[last..last + 64].fill(0xa5);
    fs::write(&file, &bytes).unwrap();
    let error = Sqlite::options(&file).quick_check(true).open().unwrap_err();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
}

#[test]
fn another_programs_database_is_refused_and_left_as_it_was() {
    let directory = Directory::new();
    for (name, sql, says) in [
        ("id.db", "PRAGMA application_id = 77; CREATE TABLE t (a)", "its application id is 0x4d"),
        ("version.db", "PRAGMA user_version = 3; CREATE TABLE t (a)", "its user_version is in use"),
        ("names.db", "CREATE TABLE RR_Log (a)", "tables whose names begin with rr_"),
        ("utf16.db", "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (a)", "not in UTF-8"),
    ] {
        let file = directory.file(name);
        foreign(&file, sql);
        let before = fs::read(&file).unwrap();
        assert!(matches!(check(&file, says), OpenError::NotRiverrun { .. }));
        assert_eq!(fs::read(&file).unwrap(), before, "{name}");
    }
}

#[test]
fn a_database_with_tables_of_the_applications_own_is_taken_over() {
    let directory = Directory::new();
    let file = directory.file("app.db");
    foreign(&file, "CREATE TABLE account (email TEXT UNIQUE); INSERT INTO account VALUES ('a@b')");
    let store = Sqlite::open(&file).unwrap();
    let count: i64 = store.query(|conn| conn.query_row("SELECT count(*) FROM account", [], |row| row.get(0))).unwrap();
    assert_eq!(count, 1);
    write(&store, |tx| step(tx, &scope("a"), "m1")).unwrap();
}

#[test]
fn a_later_versions_file_is_refused_and_says_which() {
    let directory = Directory::new();
    let file = directory.file("app.db");
    drop(Sqlite::open(&file).unwrap());
    foreign(&file, "PRAGMA user_version = 9");
    let found = check(&file, "schema 9, this one knows 2");
    assert_eq!(found, OpenError::NewerSchema { path: file, found: 9, known: 2 });
}

#[test]
fn a_path_that_can_hold_no_file_says_what_to_do() {
    let directory = Directory::new();
    let missing = directory.file("no/such/app.db");
    assert!(matches!(check(missing, "does not exist; create it first"), OpenError::Unwritable { .. }));
    assert!(matches!(check(directory.path(), "is a directory"), OpenError::Unwritable { .. }));
    fs::write(directory.file("file"), "").unwrap();
    assert!(Sqlite::open(directory.file("file/app.db")).is_err());
    assert!(matches!(check("..", "is a directory"), OpenError::Unwritable { .. }));
    assert!(matches!(check("", "names no file"), OpenError::Unwritable { .. }));
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_takes_no_files_is_unwritable() {
    let error = Sqlite::open("/proc/riverrun.db").unwrap_err();
    assert!(matches!(error, OpenError::Unwritable { .. } | OpenError::Io { .. }), "{error}");

    let directory = Directory::new();
    let mount = directory.file("mount");
    fs::create_dir(&mount).unwrap();
    if !Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
        .arg(&mount)
        .status()
        .is_ok_and(|s| s.success())
    {
        eprintln!("SKIPPED: this machine lets the test mount nothing; a read-only file system was not tried");
        return;
    }
    drop(Sqlite::open(mount.join("app.db")).unwrap());
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(&mount).status().unwrap().success();
    let (old, new) = (Sqlite::open(mount.join("app.db")).err(), Sqlite::open(mount.join("new.db")).err());
    assert!(Command::new("umount").arg(&mount).status().unwrap().success());
    assert!(remounted);
    for error in [old, new] {
        assert!(matches!(error, Some(OpenError::Unwritable { .. })), "{error:?}");
    }
}

#[test]
fn a_second_store_on_one_file_is_refused_until_the_first_is_dropped() {
    let directory = Directory::new();
    let file = directory.file("app.db");
    let store = Sqlite::open(&file).unwrap();
    let clone = store.clone();
    let found = check(&file, "is open in another server");
    assert_eq!(found, OpenError::Locked { path: file.clone(), pid: Some(std::process::id()) });
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&file, directory.file("link.db")).unwrap();
        assert!(matches!(check(directory.file("link.db"), "is open"), OpenError::Locked { .. }));
    }
    drop(store);
    assert!(Sqlite::open(&file).is_err(), "a clone still holds it");
    drop(clone);
    Sqlite::open(&file).unwrap();
}

#[test]
#[ignore = "runs as a child process of the test below"]
fn child_that_holds_the_file() {
    let _store = Sqlite::open(childs_file()).unwrap();
    println!("holding {}", std::process::id());
    std::thread::sleep(std::time::Duration::from_mins(1));
}

#[test]
fn another_process_is_named_and_its_death_frees_the_file() {
    use std::io::{BufRead, BufReader};
    let directory = Directory::new();
    let file = directory.file("app.db");
    let mut process =
        child("child_that_holds_the_file", &file).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("holding "))).unwrap().unwrap();
    let found = Sqlite::open(&file).unwrap_err();
    // A command line tool may look all the same.
    let tables: i64 =
        Connection::open(&file).unwrap().query_row("SELECT count(*) FROM rr_meta", [], |row| row.get(0)).unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    assert_eq!(found, OpenError::Locked { path: file.clone(), pid: Some(process.id()) });
    assert!(tables > 0);
    Sqlite::open(&file).unwrap();
}

#[test]
fn a_file_another_program_holds_is_busy() {
    let directory = Directory::new();
    let file = directory.file("app.db");
    let other = Connection::open(&file).unwrap();
    other.execute_batch("CREATE TABLE t (a); BEGIN EXCLUSIVE").unwrap();
    let error = Sqlite::options(&file).busy_timeout(std::time::Duration::from_millis(20)).open().unwrap_err();
    assert!(matches!(error, OpenError::Busy { .. }), "{error}");
}

#[test]
fn the_applications_schema_is_made_whole_or_refused_with_what_is_wrong() {
    let directory = Directory::new();
    let file = directory.file("app.db");
    for (sql, says) in [
        ("CREATE TABLE good (a); CREATE TABEL bad (a)", "syntax error"),
        ("CREATE TABLE t (a UNIQUE ON CONFLICT ROLLBACK)", "use ABORT"),
        ("CREATE TABLE t (a REFERENCES good DEFERRABLE INITIALLY DEFERRED)", "declare it IMMEDIATE"),
        ("CREATE TABLE rr_mine (a)", "not authorized"),
        ("CREATE TRIGGER t AFTER INSERT ON rr_entity BEGIN SELECT 1; END", "not authorized"),
        ("COMMIT", "not authorized"),
        ("PRAGMA synchronous = OFF", "not authorized"),
    ] {
        let error = Sqlite::options(&file).schema(sql).open().unwrap_err();
        assert!(matches!(&error, OpenError::Schema { detail } if detail.contains(says)), "{sql}: {error}");
    }
    let store = Sqlite::options(&file).schema("CREATE TABLE t (a);").schema("CREATE INDEX i ON t (a)").open().unwrap();
    let good: i64 = store
        .query(|conn| conn.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'good'", [], |row| row.get(0)))
        .unwrap();
    assert_eq!(good, 0, "a refused schema leaves nothing behind");
}

#[test]
fn an_adopted_table_that_would_end_a_batchs_transaction_is_refused() {
    let directory = Directory::new();
    let file = directory.file("app.db");
    foreign(&file, "CREATE TABLE account (email TEXT UNIQUE ON CONFLICT ROLLBACK)");
    assert!(matches!(check(&file, "account: ROLLBACK would undo"), OpenError::Schema { .. }));
}

#[test]
fn a_database_moved_away_under_a_running_store_takes_no_more_commits() {
    let directory = Directory::new();
    let file = directory.file("app.db");
    let store = Sqlite::open(&file).unwrap();
    write(&store, |tx| step(tx, &scope("a"), "m1")).unwrap();
    fs::rename(&file, directory.file("away.db")).unwrap();
    let error = write(&store, |tx| step(tx, &scope("a"), "m2")).unwrap_err();
    assert!(error.to_string().contains("moved, removed or replaced"), "{error}");
    fs::rename(directory.file("away.db"), &file).unwrap();
    assert_eq!(write(&store, |tx| step(tx, &scope("a"), "m2")).unwrap().0, 2);
}
