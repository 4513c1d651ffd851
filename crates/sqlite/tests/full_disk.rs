//! A full disk: a commit without room is an error and leaves nothing, and writing goes on once there is room.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use common::{Directory, json, scope, step};
use riverrun_core::Cursor;
use riverrun_engine::store::{Layer, StoreError, read, write};
use riverrun_sqlite::{OpenError, Sqlite};

/// A small disk of one test's own.
struct Disk {
    mount: PathBuf,
    _directory: Directory,
}

impl Disk {
    fn new(size: &str) -> Option<Self> {
        let directory = Directory::new();
        let mount = directory.file("disk");
        fs::create_dir(&mount).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&mount).status();
        if !mounted.is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED: this machine lets the test mount nothing; a full disk was not tried");
            return None;
        }
        Some(Self { mount, _directory: directory })
    }

    /// Takes all the room there is.
    fn fill(&self) -> PathBuf {
        let ballast = self.mount.join("ballast");
        let mut bytes = 1 << 24;
        let mut all = Vec::new();
        while bytes > 0 {
            let with_more = vec![0u8; all.len() + bytes];
            match fs::write(&ballast, &with_more) {
                Ok(()) => all = with_more,
                Err(_) => bytes /= 2,
            }
        }
        let _ = fs::write(&ballast, &all);
        ballast
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.mount).status();
    }
}

fn refused_as_full(path: &Path) {
    let error = Sqlite::open(path).unwrap_err();
    assert!(matches!(error, OpenError::Full { .. }), "{error}");
}

#[test]
fn on_a_full_disk_opening_says_so_and_works_once_there_is_room() {
    let Some(disk) = Disk::new("4m") else { return };
    let (old, new) = (disk.mount.join("old.db"), disk.mount.join("new.db"));
    let store = Sqlite::open(&old).unwrap();
    write(&store, |tx| step(tx, &scope("a"), "m1")).unwrap();
    drop(store);
    let ballast = disk.fill();
    refused_as_full(&new);
    refused_as_full(&old);
    fs::remove_file(ballast).unwrap();
    assert_eq!(read(&Sqlite::open(&old).unwrap(), |tx| tx.head(&scope("a"))).unwrap().unwrap().cursor, Cursor(1));
    Sqlite::open(&new).unwrap();
}

#[test]
fn room_that_runs_out_between_opening_files_is_told_as_a_full_disk() {
    // Each size stops opening at another of its files and pages.
    for kib in (4..=160).step_by(12) {
        let Some(disk) = Disk::new(&format!("{kib}k")) else { return };
        match Sqlite::open(disk.mount.join("app.db")) {
            Ok(_) => assert!(kib > 60, "{kib} KiB were enough"),
            Err(error) => assert!(matches!(error, OpenError::Full { .. }), "{kib} KiB: {error}"),
        }
    }
}

#[test]
fn a_commit_without_room_is_full_leaves_nothing_and_the_next_ones_go_on_after_it() {
    let Some(disk) = Disk::new("14m") else { return };
    let file = disk.mount.join("app.db");
    let ballast = disk.mount.join("ballast");
    // The database and its log together need the room twice: what is freed is more than what was written.
    fs::write(&ballast, vec![0u8; 8 << 20]).unwrap();
    let store = Sqlite::open(&file).unwrap();
    let a = scope("a");
    let large = json(&format!("\"{}\"", "x".repeat(40_000)));
    let grow = |n: u64| {
        write(&store, |tx| {
            tx.put(&a, Layer::Current, "blob", &n.to_string(), &large)?;
            step(tx, &a, &format!("m{n}"))
        })
    };
    let mut done = 0;
    let error = loop {
        match grow(done + 1) {
            Ok(cursor) => done = cursor.0,
            Err(error) => break error,
        }
        assert!(done < 1000, "the disk never filled");
    };
    assert_eq!(error, StoreError::Full);
    assert!(done > 0);
    let unchanged = || {
        read(&store, |tx| {
            assert_eq!(tx.head(&a)?.unwrap().cursor, Cursor(done));
            assert!(tx.entity(&a, "blob", &done.to_string())?.is_some());
            assert_eq!(tx.entity(&a, "blob", &(done + 1).to_string())?, None);
            assert_eq!(tx.entity(&a, "todo", &format!("m{}", done + 1))?, None);
            Ok(())
        })
        .unwrap();
    };
    unchanged();
    assert_eq!(grow(done + 1), Err(StoreError::Full), "still full");
    unchanged();
    fs::remove_file(&ballast).unwrap();
    for n in done + 1..done + 5 {
        assert_eq!(grow(n), Ok(Cursor(n)));
    }
    drop(store);
    let store = Sqlite::options(&file).quick_check(true).open().unwrap();
    assert_eq!(read(&store, |tx| tx.head(&a)).unwrap().unwrap().cursor, Cursor(done + 4));
}

#[test]
fn a_transaction_too_large_for_the_disk_is_full_even_when_its_closure_ignores_it() {
    let Some(disk) = Disk::new("6m") else { return };
    let store = Sqlite::open(disk.mount.join("app.db")).unwrap();
    let a = scope("a");
    write(&store, |tx| step(tx, &a, "m1")).unwrap();
    let large = json(&format!("\"{}\"", "x".repeat(1 << 20)));
    // More than the cache holds, so that pages are written before the commit.
    let error = write(&store, |tx| {
        for n in 0..40 {
            let _ = tx.put(&a, Layer::Current, "blob", &n.to_string(), &large);
        }
        let _ = step(tx, &a, "m2");
        Ok(())
    })
    .unwrap_err();
    assert_eq!(error, StoreError::Full);
    assert_eq!(read(&store, |tx| tx.entity(&a, "blob", "0")).unwrap(), None);
    assert_eq!(write(&store, |tx| step(tx, &a, "m2")).unwrap(), Cursor(2));
}

#[test]
fn on_a_disk_that_stays_full_what_needs_no_more_room_is_written_again() {
    let Some(disk) = Disk::new("8m") else { return };
    let file = disk.mount.join("app.db");
    let a = scope("a");
    let rewrite = |store: &Sqlite, n: usize| {
        let value = json(&format!("\"{n:040000}\""));
        write(store, |tx| tx.put(&a, Layer::Current, "blob", "1", &value))
    };
    let store = Sqlite::open(&file).unwrap();
    rewrite(&store, 0).unwrap();
    drop(store);
    let store = Sqlite::open(&file).unwrap();
    // A write-ahead log of some size, though far from where it is emptied by itself.
    (1..20).for_each(|n| rewrite(&store, n).unwrap());
    disk.fill();
    let full = (20..40).find(|n| rewrite(&store, *n).is_err()).expect("the log needed no room");
    for n in full..full + 5 {
        assert_eq!(rewrite(&store, n), Ok(()), "the log is used again from its beginning");
    }
}
