//! Pruning: what a client must keep stays, what may go goes within the limit, and no pruning looks at everything.
#![allow(clippy::unwrap_used)]

mod common;

use common::{client, principal, record, scope};
use riverrun_core::{Millis, Seq};
use riverrun_engine::store::{Forgotten, StoreResult, Watermark, WriteTx, read, write};
use riverrun_sqlite::Sqlite;

fn forget(store: &Sqlite, before: i64, keep: u64, limit: usize) -> (usize, usize) {
    let Forgotten { verdicts, by_id_alone } =
        write(store, |tx| tx.forget_verdicts(Millis(before), keep, limit)).unwrap();
    (verdicts, by_id_alone)
}

fn seen(tx: &mut dyn WriteTx, name: &str, last_seq: u64, seen: i64) -> StoreResult<()> {
    tx.set_watermark(
        &scope("a"),
        &client(name),
        &Watermark { last_seq: Seq(last_seq), seen: Millis(seen), made: Millis(0) },
    )
}

fn left(store: &Sqlite) -> i64 {
    store.query(|conn| conn.query_row("SELECT count(*) FROM rr_verdict", [], |row| row.get(0))).unwrap()
}

/// Ten placed verdicts of a known client, five of a forgotten one, five by id alone, all at their number's time.
fn filled() -> Sqlite {
    let store = Sqlite::in_memory().unwrap();
    write(&store, |tx| {
        for n in 1..=10 {
            tx.record(&scope("a"), &principal("ann"), &record(&format!("k{n}"), Some(("known", n)), n.cast_signed()))?;
        }
        for n in 1..=5 {
            tx.record(&scope("a"), &principal("ann"), &record(&format!("g{n}"), Some(("gone", n)), n.cast_signed()))?;
            tx.record(&scope("a"), &principal("bob"), &record(&format!("i{n}"), None, n.cast_signed()))?;
        }
        seen(tx, "known", 10, 10)
    })
    .unwrap();
    store
}

#[test]
fn old_verdicts_go_except_a_known_clients_last_places() {
    for (before, keep, limit, expected) in [
        (1, 0, 100, (0, 0)),
        (3, 0, 100, (6, 2)),
        (100, 0, 100, (20, 5)),
        (100, 4, 100, (16, 5)),
        (100, 1000, 100, (10, 5)),
        (100, u64::MAX, 100, (10, 5)),
        (100, 0, 7, (7, 2)),
        (100, 0, 0, (0, 0)),
    ] {
        let store = filled();
        let went = forget(&store, before, keep, limit);
        if limit == 7 {
            // Which of equally old verdicts go first is open; how many is not.
            assert_eq!(went.0, 7);
        } else {
            assert_eq!(went, expected, "before {before}, keep {keep}, limit {limit}");
        }
        assert_eq!(left(&store), 20 - i64::try_from(went.0).unwrap());
    }
}

#[test]
fn a_clients_kept_places_are_its_last_and_its_watermark_is_the_measure() {
    let store = filled();
    forget(&store, 100, 4, 100);
    read(&store, |tx| {
        for n in 1..=10 {
            assert_eq!(tx.decided_at(&scope("a"), &client("known"), Seq(n))?, n > 6, "{n}");
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn repeated_prunings_reach_everything_that_may_go() {
    let store = filled();
    let mut steps = Vec::new();
    while let (went @ 1.., _) = forget(&store, 100, 4, 3) {
        steps.push(went);
    }
    assert_eq!((steps.iter().sum::<usize>(), left(&store)), (16, 4));
    // What was kept may go later, though the last pruning passed it by.
    write(&store, |tx| seen(tx, "known", 14, 11)).unwrap();
    assert_eq!(forget(&store, 100, 4, 3), (3, 0));
    assert_eq!(forget(&store, 100, 4, 3), (1, 0));
    assert_eq!(left(&store), 0);
}

#[test]
fn a_pruning_that_comes_to_the_end_goes_once_around_to_where_it_began() {
    let store = Sqlite::in_memory().unwrap();
    write(&store, |tx| {
        for n in 1..=5 {
            tx.record(&scope("a"), &principal("ann"), &record(&format!("k{n}"), Some(("known", n)), 1))?;
        }
        for n in 1..=3 {
            tx.record(&scope("a"), &principal("bob"), &record(&format!("i{n}"), None, 2))?;
        }
        seen(tx, "known", 5, 10)
    })
    .unwrap();
    assert_eq!(forget(&store, 100, 5, 1), (1, 1), "it passed the kept ones and stopped behind them");
    write(&store, |tx| seen(tx, "known", 10, 11)).unwrap();
    assert_eq!(forget(&store, 100, 5, 100), (7, 2), "what was passed may go by now");
    assert_eq!(left(&store), 0);
}

#[test]
fn a_pruning_that_is_rolled_back_forgets_nothing_and_skips_nothing() {
    let store = filled();
    let undone = write(&store, |tx| {
        tx.forget_verdicts(Millis(100), 0, 5)?;
        Err::<(), _>(riverrun_engine::store::StoreError::Other("on purpose".into()))
    });
    assert!(undone.is_err());
    assert_eq!(left(&store), 20);
    assert_eq!(forget(&store, 3, 0, 100), (6, 2));
}

#[test]
fn many_kept_verdicts_before_those_that_may_go_are_passed_in_bounded_steps() {
    // More than one pruning looks at.
    const KEPT: u64 = 12_000;
    let store = Sqlite::in_memory().unwrap();
    write(&store, |tx| {
        for n in 1..=KEPT {
            tx.record(&scope("a"), &principal("ann"), &record(&format!("k{n:06}"), Some(("known", n)), 1))?;
        }
        for n in 1..=10 {
            tx.record(&scope("a"), &principal("bob"), &record(&format!("i{n}"), None, 2))?;
        }
        seen(tx, "known", KEPT, 10)
    })
    .unwrap();
    assert_eq!(forget(&store, 100, KEPT, 1000), (0, 0), "the first sees kept ones only");
    assert_eq!(forget(&store, 100, KEPT, 1000), (10, 10), "the second goes on behind them");
    assert_eq!(forget(&store, 100, KEPT, 1000), (0, 0));
}

#[test]
fn clients_not_seen_for_long_go_and_their_owner_with_the_last_of_them() {
    let store = Sqlite::in_memory().unwrap();
    let mark = |seen| Watermark { last_seq: Seq(1), seen: Millis(seen), made: Millis(0) };
    write(&store, |tx| {
        for (scope_name, name, seen) in
            [("a", "c1", 1), ("b", "c1", 50), ("a", "c2", 2), ("a", "c3", 3), ("a", "c4", 99)]
        {
            tx.set_owner(&client(name), &principal("ann"))?;
            tx.set_watermark(&scope(scope_name), &client(name), &mark(seen))?;
        }
        Ok(())
    })
    .unwrap();
    let forget = |before, limit| write(&store, |tx| tx.forget_clients(Millis(before), limit)).unwrap();
    let owned = || {
        let known = |name: &&str| read(&store, |tx| tx.owner(&client(name))).unwrap().is_some();
        ["c1", "c2", "c3", "c4"].into_iter().filter(known).collect::<Vec<_>>()
    };
    assert_eq!(forget(1, 9), 0);
    assert_eq!(forget(10, 2), 2, "the oldest first");
    assert_eq!(owned(), ["c1", "c3", "c4"], "c1 is still known in another scope");
    assert_eq!(forget(10, 0), 0);
    assert_eq!(forget(10, 9), 1);
    assert_eq!(forget(60, 9), 1);
    assert_eq!(owned(), ["c4"]);
}
