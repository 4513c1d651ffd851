//! A sync that fails: the store says so and writes no more, because the system may call pages clean that never reached the
//! disk. A small library in front of the C library makes real syncs of a real file fail.
#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::PathBuf, process::Command};

use common::{Directory, child, childs_file, json, scope, step};
use riverrun_core::Cursor;
use riverrun_engine::store::{Layer, StoreError, read, write};
use riverrun_sqlite::{OpenError, Sqlite};

/// While this file exists, syncs of files whose path ends with its content fail.
fn flag() -> PathBuf {
    std::env::var_os("RIVERRUN_FAIL_SYNC").expect("only runs as a child process of another test").into()
}

/// Runs an ignored test of this file under the library, and sees that it ran.
fn run_under_failing_syncs(test: &str) {
    let directory = Directory::new();
    let library = directory.file("fail_sync.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fail_sync.c");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status().unwrap();
    assert!(compiled.success());
    let output = child(test, &directory.file("app.db"))
        .env("LD_PRELOAD", &library)
        .env("RIVERRUN_FAIL_SYNC", directory.file("flag"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("1 passed"), "{told}");
}

#[test]
#[ignore = "runs as a child process of the test below"]
fn child_whose_commit_cannot_be_synced() {
    let file = childs_file();
    let wal = file.with_extension("db-wal");
    let store = Sqlite::open(&file).unwrap();
    let a = scope("a");
    write(&store, |tx| step(tx, &a, "m1")).unwrap();
    fs::write(flag(), "-wal").unwrap();
    let error = write(&store, |tx| step(tx, &a, "m2")).unwrap_err();
    assert!(matches!(error, StoreError::SyncFailed(_)), "{error}");
    assert_eq!(read(&store, |tx| tx.head(&a)).unwrap().unwrap().cursor, Cursor(1), "nothing of it is visible");
    // The disk is well again, but what it holds is unknown.
    fs::remove_file(flag()).unwrap();
    let mut ran = false;
    let error = write(&store, |_| {
        ran = true;
        Ok(())
    })
    .unwrap_err();
    assert!(matches!(error, StoreError::SyncFailed(_)) && !ran, "{error}");
    drop(store);
    assert!(fs::metadata(&wal).unwrap().len() > 0, "the log is left for the next start to read");
    let store = Sqlite::options(&file).quick_check(true).open().unwrap();
    let found = read(&store, |tx| tx.head(&a)).unwrap().unwrap().cursor;
    assert!(found == Cursor(1) || found == Cursor(2), "what was answered is there, the other may be: {found}");
    assert_eq!(write(&store, |tx| step(tx, &a, "m3")).unwrap(), found.next());
}

#[test]
fn a_commit_that_cannot_be_synced_ends_writing_until_the_store_is_opened_anew() {
    run_under_failing_syncs("child_whose_commit_cannot_be_synced");
}

#[test]
#[ignore = "runs as a child process of the test below"]
fn child_whose_checkpoint_cannot_be_synced() {
    let file = childs_file();
    let store = Sqlite::open(&file).unwrap();
    let a = scope("a");
    fs::write(flag(), "app.db").unwrap();
    let large = json(&format!("\"{}\"", "x".repeat(100_000)));
    let mut answered = Cursor(0);
    let error = loop {
        let outcome = write(&store, |tx| {
            tx.put(&a, Layer::Current, "blob", "1", &large)?;
            step(tx, &a, &format!("m{}", answered.next()))
        });
        match outcome {
            Ok(cursor) => answered = cursor,
            Err(error) => break error,
        }
        assert!(answered.0 < 10_000, "no checkpoint was ever made");
    };
    assert!(matches!(error, StoreError::SyncFailed(_)), "{error}");
    assert!(answered.0 > 10, "the log had to grow first");
    assert_eq!(read(&store, |tx| tx.head(&a)).unwrap().unwrap().cursor, answered);
    drop(store);
    fs::remove_file(flag()).unwrap();
    let store = Sqlite::options(&file).quick_check(true).open().unwrap();
    assert_eq!(read(&store, |tx| tx.head(&a)).unwrap().unwrap().cursor, answered, "all that was answered is there");
    assert_eq!(write(&store, |tx| step(tx, &a, "more")).unwrap(), answered.next());
}

#[test]
fn a_checkpoint_that_cannot_be_synced_ends_writing_and_loses_nothing() {
    run_under_failing_syncs("child_whose_checkpoint_cannot_be_synced");
}

#[test]
#[ignore = "runs as a child process of the test below"]
fn child_whose_first_start_cannot_be_synced() {
    let file = childs_file();
    let directory = file.parent().unwrap().file_name().unwrap().to_str().unwrap();
    // The switch to the write-ahead log is a commit of the old kind; the directory holds the names of both files.
    for end in ["-journal", "app.db", "-wal", directory] {
        fs::write(flag(), end).unwrap();
        let error = Sqlite::open(&file).unwrap_err();
        assert!(matches!(error, OpenError::Io { .. }), "{end}: {error}");
        fs::remove_file(flag()).unwrap();
        for left in ["db", "db-wal", "db-shm", "db-journal"] {
            let _ = fs::remove_file(file.with_extension(left));
        }
    }
    let store = Sqlite::open(&file).unwrap();
    assert!(file.with_extension("db-wal").exists());
    write(&store, |tx| step(tx, &scope("a"), "m1")).unwrap();
}

#[test]
fn a_start_that_cannot_be_synced_is_an_error_and_not_another_journal() {
    run_under_failing_syncs("child_whose_first_start_cannot_be_synced");
}
