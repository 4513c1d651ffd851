//! A process killed at any moment: what it acknowledged is there, what it did not is whole or absent.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use common::{Directory, child, childs_file, mutation, principal, scope, step};
use riverrun_core::{Cursor, Digest, Scope, Verdict};
use riverrun_engine::store::{read, write};
use riverrun_sqlite::Sqlite;

/// How often the process is killed.
const CYCLES: u32 = 40;

/// Steps in one transaction; each is in both scopes.
const BATCH: u64 = 5;

#[test]
#[ignore = "runs as a child process of the test below"]
fn child_that_writes_until_it_is_killed() {
    let store = Sqlite::open(childs_file()).unwrap();
    let (a, b) = (scope("a"), scope("b"));
    let mut out = std::io::stdout();
    loop {
        let cursor = write(&store, |tx| {
            let mut cursor = tx.lock(&a)?;
            for _ in 0..BATCH {
                let id = format!("m{}", cursor.cursor.next());
                step(tx, &b, &id)?;
                cursor.cursor = step(tx, &a, &id)?;
            }
            Ok(cursor.cursor)
        })
        .unwrap();
        writeln!(out, "acknowledged {cursor}").unwrap();
        out.flush().unwrap();
    }
}

/// Lets the child write, kills it after a while, and says the last cursor it acknowledged.
fn run_and_kill(file: &Path, after: Duration) -> u64 {
    let mut process = child("child_that_writes_until_it_is_killed", file)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let reader = thread::spawn(move || {
        let acknowledged =
            lines.map_while(Result::ok).filter_map(|line| line.split_once("acknowledged ")?.1.parse().ok());
        acknowledged.max().unwrap_or(0)
    });
    thread::sleep(after);
    process.kill().unwrap();
    process.wait().unwrap();
    reader.join().unwrap()
}

/// The log's length and digest, after everything that must agree in a scope was seen to agree.
fn consistent(store: &Sqlite, scope: &Scope) -> (u64, Digest) {
    read(store, |tx| {
        let Some(head) = tx.head(scope)? else { return Ok((0, Digest::EMPTY)) };
        let (mut next, mut digest) = (Cursor(1), Digest::EMPTY);
        let mut ids = Vec::new();
        tx.entries(scope, Cursor(0), &mut |entry| {
            assert_eq!(entry.first, next, "a hole in {scope}");
            digest = digest.roll(entry.first, entry.time, &entry.mutation, entry.changes[0].as_str());
            assert_eq!(entry.digest, digest);
            next = entry.last().next();
            ids.push(entry.mutation);
            true
        })?;
        assert_eq!((next.0 - 1, digest), (head.cursor.0, head.digest), "the head of {scope} is its log's end");
        let mut entities = 0;
        tx.each_entity(scope, riverrun_engine::store::Layer::Current, &mut |_, _, _| {
            entities += 1;
            Ok(())
        })?;
        assert_eq!(entities, head.cursor.0, "each mutation of {scope} has its effect");
        for (id, cursor) in ids.iter().zip(1..) {
            let verdict = tx.verdict(scope, &principal("ann"), id)?.map(|record| record.verdict);
            assert!(matches!(verdict, Some(Verdict::Accepted(found)) if found.cursor == Cursor(cursor)), "{id}");
        }
        assert_eq!(tx.verdict(scope, &principal("ann"), &mutation(&format!("m{next}")))?, None);
        Ok((head.cursor.0, digest))
    })
    .unwrap()
}

#[test]
fn after_a_kill_at_any_moment_what_was_acknowledged_is_there_and_batches_are_whole() {
    let directory = Directory::new();
    let file = directory.file("app.db");
    let mut seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    eprintln!("seed {seed}");
    let (mut before, mut interrupted) = (0, 0);
    for _ in 0..CYCLES {
        // Steps of a linear congruential generator; its upper bits are random enough for a pause.
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let acknowledged = run_and_kill(&file, Duration::from_millis(u64::from(seed >> 24)));
        let store = Sqlite::open(&file).unwrap();
        let ((in_a, _), (in_b, _)) = (consistent(&store, &scope("a")), consistent(&store, &scope("b")));
        assert!(in_a >= acknowledged, "{acknowledged} was acknowledged, {in_a} is there");
        assert!(in_a >= before, "what was there once stays");
        assert_eq!(in_a, in_b, "a batch is whole in both scopes");
        assert_eq!(in_a % BATCH, 0, "a batch is whole");
        interrupted += u32::from(in_a > before);
        before = in_a;
    }
    eprintln!("{before} mutations; {interrupted} of {CYCLES} kills met a process that had written");
    assert!(interrupted > CYCLES / 4, "most kills came before the first write: the machine is too slow to tell");
}
