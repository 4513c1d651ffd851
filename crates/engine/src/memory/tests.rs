//! What is the memory store's own: its handles, its copies, and its refusal of misuse. What every store must do is in the
//! testkit's contract suite.

use std::sync::mpsc;

use riverrun_core::{Cursor, Digest, Epoch, Json, Millis, MutationId, Principal, Scope};

use super::Memory;
use crate::store::{self, Entry, Head, Layer, Origin, Record, StoreError, StoreResult, Watermark, WriteTx};

fn scope() -> Scope {
    Scope::new("list:1").unwrap()
}

fn put(memory: &Memory, value: &str) {
    let value = Json::parse(value).unwrap();
    store::write(memory, |tx| tx.put(&scope(), Layer::Current, "todo", "t1", &value)).unwrap();
}

fn get(memory: &Memory) -> Option<String> {
    let value = store::read(memory, |tx| tx.entity(&scope(), "todo", "t1")).unwrap();
    value.map(|json| json.to_string())
}

fn misused(work: impl FnOnce(&mut dyn WriteTx) -> StoreResult<()>) -> String {
    match store::write(&Memory::new(), work) {
        Err(StoreError::Other(text)) => text,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn a_clone_is_the_same_log_and_a_copy_is_one_apart() {
    let memory = Memory::new();
    put(&memory, "1");
    let (same, apart) = (memory.clone(), memory.copy());
    put(&memory, "2");
    assert_eq!(get(&same).as_deref(), Some("2"));
    assert_eq!(get(&apart).as_deref(), Some("1"));
    put(&apart, "3");
    assert_eq!(get(&memory).as_deref(), Some("2"));
    // Nothing tells a copy from what it was made of: that is for digests to find out.
    let epoch = |memory: &Memory| store::read(memory, |tx| tx.epoch()).unwrap();
    assert_eq!(epoch(&apart), epoch(&memory));
}

#[test]
fn the_log_outlives_all_handles_but_the_last() {
    let first = Memory::new();
    put(&first, "1");
    let second = first.clone();
    drop(first);
    assert_eq!(get(&second).as_deref(), Some("1"));
}

#[test]
fn every_new_log_has_an_epoch_of_its_own_unless_it_is_given_one() {
    let epoch = |memory: Memory| store::read(&memory, |tx| tx.epoch()).unwrap();
    assert_ne!(epoch(Memory::new()), epoch(Memory::new()));
    let given = Epoch::new("e1").unwrap();
    assert_eq!(epoch(Memory::with_epoch(given.clone())), given);
}

#[test]
fn a_write_commits_while_a_read_is_open_and_does_not_wait_for_it() {
    let memory = Memory::new();
    put(&memory, "1");
    store::read(&memory, |tx| {
        let (done, wait) = mpsc::channel();
        let writer = memory.clone();
        std::thread::spawn(move || {
            put(&writer, "2");
            done.send(()).unwrap();
        });
        wait.recv_timeout(std::time::Duration::from_mins(1)).expect("the write waits for the read");
        assert_eq!(tx.entity(&scope(), "todo", "t1")?, Some(Json::trusted("1")));
        Ok(())
    })
    .unwrap();
    assert_eq!(get(&memory).as_deref(), Some("2"));
}

#[test]
fn a_scope_is_moved_and_appended_to_under_its_lock_only() {
    assert!(misused(|tx| tx.set_head(&scope(), &Head::default())).contains("not locked"));
    let entry = Entry {
        first: Cursor(1),
        digest: Digest(1),
        time: Millis(1),
        mutation: MutationId::new("m1").unwrap(),
        changes: vec![Json::null()],
    };
    let origin = Origin { name: "a".into(), args: Json::null(), principal: Principal::server(), place: None };
    assert!(misused(|tx| tx.append(&scope(), &entry, &origin)).contains("not locked"));
    let twice = misused(|tx| {
        tx.lock(&scope())?;
        tx.append(&scope(), &entry, &origin)?;
        tx.append(&scope(), &entry, &origin)
    });
    assert!(twice.contains("already has an entry"), "{twice}");
    let empty = misused(|tx| {
        tx.lock(&scope())?;
        tx.append(&scope(), &Entry { changes: Vec::new(), ..entry.clone() }, &origin)
    });
    assert!(empty.contains("at least one change"), "{empty}");
}

#[test]
fn savepoints_that_do_not_come_in_flat_pairs_are_refused() {
    assert!(misused(|tx| tx.savepoint().and_then(|()| tx.savepoint())).contains("nested"));
    assert!(misused(|tx| tx.rollback()).contains("no savepoint"));
    assert!(misused(|tx| tx.release()).contains("no savepoint"));
    assert!(misused(|tx| tx.savepoint()).contains("neither"));
}

#[test]
fn a_second_verdict_for_an_id_is_refused() {
    let rejected = riverrun_core::Reject::new("no", "no").into();
    let record = Record {
        id: MutationId::new("m1").unwrap(),
        place: None,
        fingerprint: 1,
        time: Millis(1),
        verdict: riverrun_core::Verdict::Rejected(rejected),
    };
    let twice = misused(|tx| {
        tx.record(&scope(), &Principal::anonymous(), &record)?;
        tx.record(&scope(), &Principal::anonymous(), &record)
    });
    assert!(twice.contains("already has a verdict"), "{twice}");
}

#[test]
fn a_forgotten_row_leaves_nothing_in_the_indexes() {
    let memory = Memory::new();
    let client = riverrun_core::ClientId::new("c1").unwrap();
    let place = |seq| Some((client.clone(), riverrun_core::Seq(seq)));
    store::write(&memory, |tx| {
        for seq in 1..=50 {
            let mark = Watermark {
                last_seq: riverrun_core::Seq(seq),
                seen: Millis(i64::try_from(seq).unwrap()),
                made: Millis(0),
            };
            tx.set_watermark(&scope(), &client, &mark)?;
            let id = MutationId::new(format!("m{seq}")).unwrap();
            let verdict = riverrun_core::Verdict::Rejected(riverrun_core::Reject::new("no", "no").into());
            let record = Record { id, place: place(seq), fingerprint: 1, time: Millis(1), verdict };
            tx.record(&scope(), &Principal::anonymous(), &record)?;
        }
        assert_eq!(tx.forget_verdicts(Millis(2), 0, 100)?.verdicts, 50);
        assert_eq!(tx.forget_clients(Millis(100), 100)?, 1);
        Ok(())
    })
    .unwrap();
    let tables = memory.committed();
    let left = [
        tables.verdicts.iter().count(),
        tables.verdicts_by_place.iter().count(),
        tables.verdicts_by_time.iter().count(),
        tables.marks.iter().count(),
        tables.marks_by_seen.iter().count(),
    ];
    assert_eq!(left, [0; 5]);
}
