//! A store that is opened to read only: beside a server, without disturbing it, and without leaving anything behind.
#![allow(clippy::unwrap_used)]

mod common;

use riverrun_core::{ClientId, Millis, Principal, Scope, Seq};
use riverrun_engine::{
    Store,
    store::{self, StoreError, Watermark},
};
use riverrun_sqlite::{OpenError, Sqlite, rusqlite::Connection};

fn set_owner(store: &Sqlite, client: &str) -> Result<(), StoreError> {
    store::write(store, |tx| tx.set_owner(&ClientId::new(client).unwrap(), &Principal::server()))
}

fn owners(store: &Sqlite) -> usize {
    store::read(store, |tx| tx.owners(None, usize::MAX)).unwrap().len()
}

#[test]
fn a_reader_opens_beside_a_server_and_sees_what_it_commits() {
    let directory = common::Directory::new();
    let path = directory.file("app.db");
    let server = Sqlite::open(&path).unwrap();
    set_owner(&server, "c1").unwrap();
    let reader = Sqlite::options(&path).open_to_read().unwrap();
    assert_eq!(owners(&reader), 1);
    set_owner(&server, "c2").unwrap();
    assert_eq!(owners(&reader), 2);
    assert!(set_owner(&reader, "c3").is_err());
    assert_eq!(owners(&server), 2);
    drop(server);
    assert_eq!(owners(&reader), 2, "it outlives the server");
    set_owner(&Sqlite::open(&path).unwrap(), "c4").unwrap();
    assert_eq!(owners(&reader), 3, "and stands in no later one's way");
}

#[test]
fn reading_makes_no_file_and_raises_no_schema() {
    let directory = common::Directory::new();
    let path = directory.file("app.db");
    assert!(matches!(Sqlite::options(&path).open_to_read(), Err(OpenError::Missing { .. })));
    assert!(!path.exists());
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("CREATE TABLE mine (a)").unwrap();
    drop(conn);
    assert!(matches!(Sqlite::options(&path).open_to_read(), Err(OpenError::NotRiverrun { .. })));
    drop(Sqlite::open(&path).unwrap());
    let lock = directory.file("app.db-lock");
    std::fs::remove_file(&lock).unwrap();
    drop(Sqlite::options(&path).open_to_read().unwrap());
    assert!(!lock.exists());
    let conn = Connection::open(&path).unwrap();
    conn.pragma_update(None, "user_version", 0).unwrap();
    drop(conn);
    assert!(matches!(Sqlite::options(&path).open_to_read(), Err(OpenError::OlderSchema { .. })));
}

#[test]
fn a_file_of_the_first_schema_is_raised_and_keeps_what_it_holds() {
    let directory = common::Directory::new();
    let path = directory.file("app.db");
    drop(Sqlite::open(&path).unwrap());
    let conn = Connection::open(&path).unwrap();
    let first = "ALTER TABLE rr_watermark DROP COLUMN made; PRAGMA user_version = 1;
        INSERT INTO rr_scope (key, name, cursor, digest, floor, floor_digest) VALUES (1, 'a', 0, 0, 0, 0);
        INSERT INTO rr_watermark (scope, client, last_seq, seen) VALUES (1, 'c', 7, 9);";
    conn.execute_batch(first).unwrap();
    drop(conn);
    assert!(matches!(Sqlite::options(&path).open_to_read(), Err(OpenError::OlderSchema { found: 1, known: 2, .. })));
    let store = Sqlite::open(&path).unwrap();
    let (scope, client) = (Scope::new("a").unwrap(), ClientId::new("c").unwrap());
    let mark = store::read(&store, |tx| tx.watermark(&scope, &client)).unwrap();
    assert_eq!(mark, Some(Watermark { last_seq: Seq(7), seen: Millis(9), made: Millis(0) }));
}

#[test]
fn a_backup_holds_one_moment_and_the_application_s_own_tables() {
    let directory = common::Directory::new();
    let (path, copy) = (directory.file("app.db"), directory.file("copy.db"));
    let server = Sqlite::options(&path).schema("CREATE TABLE IF NOT EXISTS mine (a)").open().unwrap();
    (0..200).for_each(|number| set_owner(&server, &format!("c{number}")).unwrap());
    let mut progress = Vec::new();
    // A commit amid the copy is not in it, and does not make it begin anew.
    let mut late = false;
    server
        .backup(&copy, &mut |done, of| {
            progress.push((done, of));
            if !late {
                late = true;
                set_owner(&server, "late").unwrap();
            }
        })
        .unwrap();
    assert!(late && progress.iter().all(|(done, of)| done <= of));
    assert_eq!(progress.last().map(|(done, of)| done == of), Some(true));
    let taken = Sqlite::options(&copy).open_to_read().unwrap();
    assert_eq!((owners(&taken), owners(&server)), (200, 201));
    let mine = Connection::open(&copy).unwrap().query_row("SELECT count(*) FROM mine", [], |row| row.get::<_, i64>(0));
    assert_eq!(mine, Ok(0));
    assert!(server.backup(&copy, &mut |_, _| ()).is_err(), "nothing is overwritten");
}
