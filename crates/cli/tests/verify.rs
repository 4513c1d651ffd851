//! `riverrun verify` on databases with planted damage: each kind is named, with its place, and a sound one ends clean.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    fs::OpenOptions,
    io::{Seek, SeekFrom, Write},
    path::Path,
};

use common::{database, directory, mutators, ok, push, run, todo};
use riverrun::{engine::Retention, prelude::*, sqlite::rusqlite::Connection};

/// Damages a sound database, and expects these words and exit code 1.
fn damaged(sql: &str, words: &[&str]) {
    let directory = directory();
    let conn = Connection::open(database(&directory)).unwrap();
    conn.execute_batch(sql).unwrap();
    assert!(conn.total_changes() > 0, "{sql} changed nothing");
    drop(conn);
    named(directory.path(), sql, words);
}

fn named(directory: &Path, what: &str, words: &[&str]) {
    let ran = run(directory, &["verify"]);
    assert_eq!(ran.code, 1, "{what}\n{}{}", ran.out, ran.err);
    for word in words {
        assert!(ran.out.contains(word), "{what}\nsays nothing of {word:?}:\n{}", ran.out);
    }
    assert!(!ran.out.contains("list:b:"), "{what}\nblames a sound scope:\n{}", ran.out);
}

const A: &str = "scope = (SELECT key FROM rr_scope WHERE name = 'list:a')";

#[test]
fn a_sound_database_ends_clean() {
    let directory = directory();
    let out = ok(directory.path(), &["verify"]);
    assert!(out.contains("2 scopes, 8 changes, 7 entities, 11 verdicts, 3 clients"), "{out}");
    assert!(out.contains("all is well"), "{out}");
}

#[test]
fn an_application_that_keeps_no_verdicts_ends_clean() {
    let directory = tempfile::tempdir().unwrap();
    let keep = Retention { verdicts: 0, verdicts_per_client: 0, ..Retention::default() };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let engine = Engine::builder(Sqlite::open(directory.path().join("app.db")).unwrap());
        let engine = engine.mutators(mutators()).access(Public).retention(keep).start().await.unwrap();
        push(&engine, "list:a", "c1", 1, &[("todo.create", todo("t1", "Milk")), ("todo.create", todo("t2", "Bread"))])
            .await;
        // They are older than now only once the clock has gone on.
        std::thread::sleep(std::time::Duration::from_millis(20));
        while engine.kernel().forget().unwrap() {}
        engine.close().await;
    });
    let out = ok(directory.path(), &["verify"]);
    assert!(out.contains("1 scope, 2 changes, 2 entities, 1 verdict, 1 client"), "{out}");
    assert!(out.contains("all is well"), "{out}");
}

#[test]
fn an_entity_with_another_value_is_named() {
    damaged(
        &format!(
            "UPDATE rr_entity SET value = '{{\"id\":\"t5\",\"title\":\"Sugar\",\"completed\":false}}' WHERE {A} AND id = 't5'"
        ),
        &["list:a: todo t5 has another value than base and log give it (last changed at cursor 8)"],
    );
}

#[test]
fn a_missing_entity_is_named() {
    damaged(
        &format!("DELETE FROM rr_entity WHERE {A} AND id = 't4-2'"),
        &["list:a: todo t4-2 is missing from the state (last changed at cursor 6)"],
    );
}

#[test]
fn an_extra_entity_is_named() {
    damaged(
        &format!("INSERT INTO rr_entity SELECT scope, collection, 't9', value FROM rr_entity WHERE {A} AND id = 't1'"),
        &["list:a: todo t9 is in the state, and neither base nor log put it there"],
    );
}

#[test]
fn a_missing_log_entry_is_named() {
    damaged(
        &format!("DELETE FROM rr_log WHERE {A} AND last = 7"),
        &[
            "list:a: the log goes on with cursor 8 where 7 belongs",
            "the verdict on mutation c2-3 says cursor 7, where the log has no such entry",
        ],
    );
}

#[test]
fn a_missing_last_entry_is_named() {
    damaged(
        &format!("DELETE FROM rr_log WHERE {A} AND last = 9"),
        &["list:a: the head is kept as cursor 9, and the log ends at 8"],
    );
}

#[test]
fn a_changed_log_entry_is_named() {
    damaged(
        &format!("UPDATE rr_log SET changes = replace(changes, 'Salt', 'Sugar') WHERE {A} AND last = 8"),
        &[
            "list:a: the digest kept at cursor 8 does not follow from the changes up to it",
            "list:a: todo t5 has another value",
        ],
    );
}

#[test]
fn a_log_entry_that_does_not_read_is_named() {
    damaged(
        &format!("UPDATE rr_log SET changes = '[]' WHERE {A} AND last = 8"),
        &["list:a: it can't be read any further", "the log's entry 8 to 8 holds 0 changes"],
    );
}

#[test]
fn a_doubled_log_entry_is_named() {
    damaged(
        &format!(
            "INSERT INTO rr_log SELECT scope, 10, 10, digest, time, mutation, type, args, principal, client, seq, changes
             FROM rr_log WHERE {A} AND last = 8"
        ),
        &[
            "list:a: mutation c2-5 is in the log twice, at cursor 8 and at 10",
            "list:a: the head is kept as cursor 9, and the log ends at 10",
        ],
    );
}

#[test]
fn log_entries_out_of_order_are_named() {
    // Cursors 7 and 8 change places, each with all it holds.
    damaged(
        &format!(
            "UPDATE rr_log SET last = 100, first = 100 WHERE {A} AND last = 7;
             UPDATE rr_log SET last = 7, first = 7 WHERE {A} AND last = 8;
             UPDATE rr_log SET last = 8, first = 8 WHERE {A} AND last = 100;"
        ),
        &[
            "list:a: the digest kept at cursor 7 does not follow",
            "the verdict on mutation c2-3 says cursor 7, and in the log it ends at 8",
            "the verdict on mutation c2-5 says cursor 8, and in the log it ends at 7",
        ],
    );
}

#[test]
fn a_wrong_digest_in_the_log_is_told_once() {
    let directory = directory();
    let conn = Connection::open(database(&directory)).unwrap();
    conn.execute_batch(&format!("UPDATE rr_log SET digest = digest + 1 WHERE {A} AND last = 7")).unwrap();
    drop(conn);
    let ran = run(directory.path(), &["verify"]);
    assert_eq!(ran.out.matches("does not follow").count(), 1, "{}", ran.out);
    assert!(ran.out.contains("the digest kept at cursor 7"), "{}", ran.out);
}

#[test]
fn a_wrong_digest_of_the_head_is_named() {
    damaged(
        "UPDATE rr_scope SET digest = digest + 1 WHERE name = 'list:a'",
        &["list:a: the head's digest is not the one of the log's last change, 9"],
    );
}

#[test]
fn a_wrong_cursor_of_the_head_is_named() {
    damaged(
        "UPDATE rr_scope SET cursor = 12 WHERE name = 'list:a'",
        &["list:a: the head is kept as cursor 12, and the log ends at 9"],
    );
}

#[test]
fn a_verdict_without_an_entry_is_named() {
    // Inside the entry of a mutation with two changes.
    damaged(
        &format!("UPDATE rr_verdict SET cursor = 5 WHERE {A} AND id = 'c2-2'"),
        &["list:a: the verdict on mutation c2-2 says cursor 5, where the log has no such entry"],
    );
}

#[test]
fn a_verdict_past_the_head_is_named() {
    damaged(
        &format!("UPDATE rr_verdict SET cursor = 90 WHERE {A} AND id = 'c2-5'"),
        &["list:a: the verdict on mutation c2-5 says cursor 90, and the head of list:a is 9"],
    );
}

#[test]
fn a_watermark_beyond_the_verdicts_is_named() {
    damaged(
        &format!("UPDATE rr_watermark SET last_seq = 6 WHERE {A} AND client = 'c2'"),
        &["list:a: client c2 is marked as decided up to seq 6, and no verdict is kept for that seq"],
    );
}

#[test]
fn a_watermark_that_fell_back_is_named() {
    damaged(
        &format!("UPDATE rr_watermark SET last_seq = 4 WHERE {A} AND client = 'c2'"),
        &["list:a: mutation c2-5 of client c2 has a verdict at seq 5, beyond the client's watermark 4"],
    );
}

#[test]
fn a_client_without_an_owner_is_named() {
    damaged("DELETE FROM rr_owner WHERE client = 'c2'", &["list:a: client c2 has a watermark and no owner"]);
}

#[test]
fn a_damaged_base_row_is_named() {
    damaged(
        &format!("UPDATE rr_base SET value = replace(value, 'Milk', 'Mild') WHERE {A} AND id = 't1'"),
        &["list:a: todo t1 has another value than base and log give it (not changed since the floor)"],
    );
}

#[test]
fn a_floor_set_too_high_is_named() {
    damaged(
        "UPDATE rr_scope SET floor = 4 WHERE name = 'list:a'",
        &["list:a: the log still holds cursor 3, and the floor is kept as 4"],
    );
}

#[test]
fn a_floor_set_too_low_is_named() {
    damaged(
        "UPDATE rr_scope SET floor = 1 WHERE name = 'list:a'",
        &["list:a: the log goes on with cursor 3 where 2 belongs"],
    );
}

#[test]
fn a_floor_above_the_head_is_named() {
    damaged(
        "UPDATE rr_scope SET floor = 40 WHERE name = 'list:a'",
        &["list:a: the floor is kept as 40, above the head 9"],
    );
}

#[test]
fn a_missing_epoch_is_named() {
    damaged("DELETE FROM rr_meta WHERE key = 'epoch'", &["the database: the epoch can't be read: "]);
}

#[test]
fn rows_of_a_scope_that_is_gone_are_named() {
    damaged(
        "DELETE FROM rr_scope WHERE name = 'list:a'",
        &["the database: the database's structure is damaged: ", "log entries belong to a scope that is not there"],
    );
}

#[test]
fn a_corrupt_page_is_named() {
    let directory = directory();
    let path = database(&directory);
    let conn = Connection::open(&path).unwrap();
    let root: u64 = conn
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'rr_log'", [], |row| row.get::<_, i64>(0))
        .unwrap()
        .cast_unsigned();
    let size: u64 = conn.query_row("PRAGMA page_size", [], |row| row.get::<_, i64>(0)).unwrap().cast_unsigned();
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(conn);
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    // The middle of the page: its header stays, what it points to is nonsense.
    file.seek(SeekFrom::Start((root - 1) * size + 4)).unwrap();
    file.write_all(&[0xa5; 600]).unwrap();
    drop(file);
    let ran = run(directory.path(), &["verify"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("the database's structure is damaged"), "{}", ran.out);
}

#[test]
fn a_program_reads_the_flaws_as_json_lines() {
    let directory = directory();
    let conn = Connection::open(database(&directory)).unwrap();
    conn.execute_batch("UPDATE rr_scope SET cursor = 12 WHERE name = 'list:a'").unwrap();
    drop(conn);
    let ran = run(directory.path(), &["verify", "--json"]);
    assert_eq!(ran.code, 1);
    let lines: Vec<serde_json::Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["scope"], "list:a");
    assert!(lines[0]["flaw"].as_str().unwrap().contains("the head is kept as cursor 12"));
    assert_eq!(lines.last().unwrap()["flaws"], lines.len() - 1);
}

#[test]
fn a_scope_that_is_not_there_is_an_error_and_not_a_clean_answer() {
    let directory = directory();
    let ran = run(directory.path(), &["verify", "list:c"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("there is no scope list:c"), "{}", ran.err);
    assert_eq!(run(directory.path(), &["verify", "--database", "none.db"]).code, 1);
}
