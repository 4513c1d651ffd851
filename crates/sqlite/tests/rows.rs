//! What is put comes back as it was put, in the order of bytes, and only if it was committed.
#![allow(clippy::unwrap_used)]

mod common;

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::mpsc};

use common::{Directory, accepted, client, entry, json, mutation, origin, principal, record, scope, step};
use riverrun_core::{Accepted, Code, Cursor, Digest, Json, Millis, Rejected, Scope, Seq, Verdict};
use riverrun_engine::{
    Store,
    store::{Entry, Head, Layer, Origin, Range, Record, StoreError, Watermark, read, write},
};
use riverrun_sqlite::Sqlite;

/// Runs a case on a file and in memory.
fn on_both(case: impl Fn(&Sqlite)) {
    let directory = Directory::new();
    case(&Sqlite::open(directory.file("app.db")).unwrap());
    case(&Sqlite::in_memory().unwrap());
}

fn head(store: &Sqlite, name: &str) -> Option<Head> {
    read(store, |tx| tx.head(&scope(name))).unwrap()
}

#[test]
fn an_entry_its_origin_and_its_changes_come_back_byte_for_byte() {
    let texts = [
        r#"{"a" : [1.50, -0, 1e5], "é\u00e9\n":"x"}"#,
        "null",
        "\"\\ud83d\\ude00😀,],[\"",
        "[[],{}]",
        "9007199254740991",
        r#"{"deep":{"er":[{"s":"\\\""}]}}"#,
    ];
    on_both(|store| {
        let a = scope("a");
        let args = json(r#"{ "spaced" :  true }"#);
        let placed = Origin { args: args.clone(), place: Some((client("c"), Seq(3))), ..origin() };
        let first = entry(1, &texts);
        let second = Entry { digest: Digest(u64::MAX), time: Millis(i64::MIN), ..entry(7, &["1"]) };
        write(store, |tx| {
            tx.lock(&a)?;
            tx.append(&a, &first, &placed)?;
            tx.append(&a, &second, &origin())
        })
        .unwrap();
        read(store, |tx| {
            let mut found = Vec::new();
            tx.entries(&a, Cursor(0), &mut |entry| {
                found.push(entry);
                true
            })?;
            assert_eq!(found, [first.clone(), second.clone()]);
            let texts_found: Vec<&str> = found[0].changes.iter().map(Json::as_str).collect();
            assert_eq!(texts_found, texts);
            for (cursor, expected) in [(0, None), (1, Some(&first)), (6, Some(&first)), (7, Some(&second)), (8, None)] {
                assert_eq!(tx.entry_at(&a, Cursor(cursor))?.as_ref(), expected, "{cursor}");
            }
            assert_eq!(tx.entry_at(&a, Cursor(u64::MAX))?, None);
            assert_eq!(tx.origin(&a, Cursor(6))?, Some(placed.clone()));
            assert_eq!(tx.origin(&a, Cursor(5))?, None, "an origin is found by its entry's end");
            let mut seen = 0;
            tx.entries(&a, Cursor(3), &mut |entry| {
                assert_eq!(entry.first, Cursor(1));
                seen += 1;
                false
            })?;
            assert_eq!(seen, 1, "the sink said stop");
            Ok(())
        })
        .unwrap();
        write(store, |tx| tx.trim(&a, Cursor(6))).unwrap();
        assert_eq!(read(store, |tx| tx.entry_at(&a, Cursor(6))).unwrap(), None);
        assert_eq!(read(store, |tx| tx.entry_at(&a, Cursor(7))).unwrap(), Some(second.clone()));
    });
}

#[test]
fn verdicts_and_heads_keep_all_their_bits() {
    on_both(|store| {
        let a = scope("a");
        let full = Head {
            cursor: Cursor((1 << 53) - 1),
            digest: Digest(u64::MAX),
            floor: Cursor(4),
            floor_digest: Digest(1 << 63),
        };
        let cursors = BTreeMap::from([(scope("b \"x\" é"), Cursor(7)), (scope("c"), Cursor((1 << 53) - 1))]);
        let verdicts = [
            Verdict::Accepted(Accepted { cursor: Cursor(0), digest: Digest(u64::MAX), cursors }),
            Verdict::Rejected(Rejected {
                code: Code::InvalidMutation,
                reason: Some("leer – 空".into()),
                error: "no\u{1F600}".into(),
            }),
            Verdict::Rejected(Rejected { code: Code::SchemaMismatch, reason: None, error: String::new() }),
        ];
        let records: Vec<Record> = (0u64..)
            .zip(verdicts)
            .map(|(n, verdict)| Record {
                id: mutation(&format!("m{n}")),
                place: (n > 0).then(|| (client("c"), Seq(n))),
                fingerprint: u64::MAX - n,
                time: Millis(i64::MAX),
                verdict,
            })
            .collect();
        write(store, |tx| {
            tx.lock(&a)?;
            tx.set_head(&a, &full)?;
            records.iter().try_for_each(|record| tx.record(&a, &principal("ann"), record))
        })
        .unwrap();
        assert_eq!(head(store, "a"), Some(full));
        read(store, |tx| {
            for record in &records {
                assert_eq!(tx.verdict(&a, &principal("ann"), &record.id)?.as_ref(), Some(record));
                assert_eq!(tx.verdict(&a, &principal("bob"), &record.id)?, None);
            }
            assert!(tx.decided_at(&a, &client("c"), Seq(2))?);
            assert!(!tx.decided_at(&a, &client("c"), Seq(3))?);
            assert!(!tx.decided_at(&a, &client("c"), Seq(u64::MAX))?);
            assert!(!tx.decided_at(&scope("b"), &client("c"), Seq(2))?);
            Ok(())
        })
        .unwrap();
        let again = write(store, |tx| tx.record(&a, &principal("ann"), &records[0]));
        assert!(matches!(again, Err(StoreError::Other(_))), "{again:?}");
    });
}

#[test]
fn a_number_sqlite_cannot_hold_is_refused_and_writes_nothing() {
    on_both(|store| {
        let too_far = Head { cursor: Cursor(u64::MAX), ..Head::default() };
        let error = write(store, |tx| tx.set_head(&scope("a"), &too_far)).unwrap_err();
        assert!(error.to_string().contains("too large"), "{error}");
        assert_eq!(head(store, "a"), None);
    });
}

#[test]
fn texts_are_in_the_order_of_their_bytes() {
    let ids = ["A", "a", "a1", "a10", "a2", "ab", "b", "z", "é", "\u{ffff}", "😀"];
    on_both(|store| {
        let a = scope("a");
        write(store, |tx| {
            ids.iter().rev().try_for_each(|id| tx.put(&a, Layer::Current, "todo", id, &json("1")))?;
            tx.put(&a, Layer::Current, "Todo", "x", &json("2"))?;
            tx.put(&a, Layer::Base, "todo", "old", &json("3"))?;
            tx.put(&scope("b"), Layer::Current, "todo", "other", &json("4"))
        })
        .unwrap();
        let list = |prefix: &str, after: Option<&str>, limit: usize| {
            read(store, |tx| tx.entities(&a, "todo", Range { prefix, after, limit })).unwrap()
        };
        let names = |rows: Vec<(Box<str>, Json)>| rows.into_iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>();
        assert_eq!(names(list("", None, usize::MAX)), ids);
        assert_eq!(names(list("a", None, 3)), ["a", "a1", "a10"]);
        assert_eq!(names(list("a", Some("a1"), 9)), ["a10", "a2", "ab"]);
        assert_eq!(names(list("a1", Some("A"), 9)), ["a1", "a10"]);
        assert_eq!(names(list("a", Some("b"), 9)), Vec::<String>::new());
        assert_eq!(names(list("\u{ffff}", None, 9)), ["\u{ffff}"]);
        assert_eq!(names(list("", None, 0)), Vec::<String>::new());
        let mut all = Vec::new();
        let mut sink = |collection: &str, id: &str, value: &str| {
            all.push(format!("{collection}/{id}={value}"));
            Ok(())
        };
        read(store, |tx| tx.each_entity(&a, Layer::Current, &mut sink)).unwrap();
        assert_eq!(all.len(), ids.len() + 1);
        assert_eq!((all[0].as_str(), all[1].as_str()), ("Todo/x=2", "todo/A=1"));
        let stop =
            read(store, |tx| tx.each_entity(&a, Layer::Base, &mut |_, _, _| Err(StoreError::Other("stop".into()))));
        assert_eq!(stop, Err(StoreError::Other("stop".into())));
        write(store, |tx| ["é", "a", "B"].iter().try_for_each(|name| tx.set_head(&scope(name), &Head::default())))
            .unwrap();
        let scopes = |after: Option<&str>, limit| {
            read(store, |tx| tx.scopes(after.map(scope).as_ref(), limit))
                .unwrap()
                .iter()
                .map(Scope::to_string)
                .collect()
        };
        let [all, some]: [Vec<String>; 2] = [scopes(None, 9), scopes(Some("a"), 1)];
        assert_eq!((all, some), (vec!["B".into(), "a".into(), "b".into(), "é".into()], vec!["b".into()]));
    });
}

#[test]
fn a_savepoint_rolled_back_leaves_nothing_and_its_neighbours_stay() {
    on_both(|store| {
        let (a, b) = (scope("a"), scope("b"));
        write(store, |tx| {
            tx.savepoint()?;
            step(tx, &a, "m1")?;
            tx.release()?;
            tx.savepoint()?;
            step(tx, &a, "m2")?;
            step(tx, &b, "m3")?;
            tx.rollback()?;
            assert_eq!(tx.head(&b)?, None);
            tx.savepoint()?;
            step(tx, &a, "m4")?;
            tx.release()
        })
        .unwrap();
        assert_eq!(head(store, "a").unwrap().cursor, Cursor(2));
        assert_eq!(head(store, "b"), None);
        assert_eq!(read(store, |tx| tx.entity(&a, "todo", "m2")).unwrap(), None);
        assert!(read(store, |tx| tx.entity(&a, "todo", "m4")).unwrap().is_some());
        for nested in [true, false] {
            let misuse = write(store, |tx| {
                tx.savepoint()?;
                if nested { tx.savepoint() } else { Ok(()) }
            });
            assert!(matches!(misuse, Err(StoreError::Other(_))), "{misuse:?}");
        }
    });
}

#[test]
fn the_number_of_a_scope_that_was_never_committed_is_not_remembered() {
    on_both(|store| {
        let failed = || StoreError::Other("on purpose".into());
        // The whole transaction fails; then one savepoint; then the closure panics. Each gave a number to a scope.
        write(store, |tx| step(tx, &scope("ghost-1"), "m").and(Err::<(), _>(failed()))).unwrap_err();
        write(store, |tx| {
            tx.savepoint()?;
            step(tx, &scope("ghost-2"), "m")?;
            tx.rollback()?;
            // Reuses the number that the rollback gave back.
            step(tx, &scope("real-1"), "m")
        })
        .unwrap();
        let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let _ = store.write(&mut |tx| {
                step(tx, &scope("ghost-3"), "m")?;
                panic!("on purpose");
            });
        }));
        assert!(panicked.is_err());
        write(store, |tx| step(tx, &scope("real-2"), "m")).unwrap();
        for ghost in ["ghost-1", "ghost-2", "ghost-3"] {
            assert_eq!(head(store, ghost), None, "{ghost}");
            assert_eq!(read(store, |tx| tx.entity(&scope(ghost), "todo", "m")).unwrap(), None, "{ghost}");
            assert_eq!(write(store, |tx| step(tx, &scope(ghost), "m")).unwrap(), Cursor(1), "{ghost}");
        }
        for real in ["real-1", "real-2"] {
            assert_eq!(head(store, real).unwrap().cursor, Cursor(1));
        }
    });
}

#[test]
fn a_failure_inside_a_write_fails_the_write_whatever_its_closure_says() {
    on_both(|store| {
        let error = store
            .write(&mut |tx| {
                step(tx, &scope("a"), "m1")?;
                // The same id has a verdict already; the closure pretends not to notice.
                let _ = tx.record(&scope("a"), &principal("ann"), &record("m1", None, 1));
                assert!(tx.head(&scope("a")).is_err(), "nothing more is done in a transaction that failed");
                Ok(())
            })
            .unwrap_err();
        assert!(matches!(error, StoreError::Other(_)), "{error}");
        assert_eq!(head(store, "a"), None);
    });
}

#[test]
fn a_write_that_failed_or_panicked_holds_the_database_no_longer() {
    let directory = Directory::new();
    let file = directory.file("app.db");
    let store = Sqlite::open(&file).unwrap();
    let other = riverrun_sqlite::rusqlite::Connection::open(&file).unwrap();
    other.busy_timeout(std::time::Duration::ZERO).unwrap();
    let free = || other.execute_batch("BEGIN IMMEDIATE; ROLLBACK");
    write(&store, |tx| {
        step(tx, &scope("a"), "m1")?;
        assert!(free().is_err(), "it is held while the write runs");
        Err::<(), _>(StoreError::Other("on purpose".into()))
    })
    .unwrap_err();
    free().unwrap();
    let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let _ = store.write(&mut |tx| {
            step(tx, &scope("a"), "m1")?;
            panic!("on purpose");
        });
    }));
    assert!(panicked.is_err());
    free().unwrap();
}

#[test]
fn an_error_of_the_closures_own_says_nothing_about_the_disk() {
    on_both(|store| {
        for error in [StoreError::SyncFailed("elsewhere".into()), StoreError::Full] {
            let told = write(store, |tx| step(tx, &scope("a"), "m1").and(Err::<(), _>(error.clone())));
            assert_eq!(told, Err(error));
        }
        assert_eq!(write(store, |tx| step(tx, &scope("a"), "m1")).unwrap(), Cursor(1));
    });
}

#[test]
fn a_read_stays_at_its_moment_while_a_write_commits_beside_it() {
    let directory = Directory::new();
    let store = Sqlite::options(directory.file("app.db")).readers(2).open().unwrap();
    let a = scope("a");
    write(&store, |tx| step(tx, &a, "m1")).unwrap();
    let (began, waiting) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    std::thread::scope(|threads| {
        let (store, a) = (&store, &a);
        let reader = threads.spawn(move || {
            read(store, |tx| {
                let before = tx.head(a)?;
                began.send(()).unwrap();
                wait.recv().unwrap();
                assert_eq!(tx.head(a)?, before);
                assert!(tx.entity(a, "todo", "m2")?.is_none());
                let mut entries = 0;
                tx.entries(a, Cursor(0), &mut |_| {
                    entries += 1;
                    true
                })?;
                Ok(entries)
            })
        });
        waiting.recv().unwrap();
        // The write does not wait for the reader either.
        write(store, |tx| step(tx, a, "m2")).unwrap();
        assert_eq!(head(store, "a").unwrap().cursor, Cursor(2), "a new read sees it");
        go_on.send(()).unwrap();
        assert_eq!(reader.join().unwrap().unwrap(), 1);
    });
}

#[test]
fn a_read_does_not_wait_for_a_write_in_progress() {
    let directory = Directory::new();
    let store = Sqlite::open(directory.file("app.db")).unwrap();
    write(&store, |tx| {
        step(tx, &scope("a"), "m1")?;
        let seen = std::thread::scope(|threads| threads.spawn(|| head(&store, "a")).join().unwrap());
        assert_eq!(seen, None, "and sees nothing of it");
        Ok(())
    })
    .unwrap();
}

#[test]
fn when_all_reading_connections_are_in_use_a_read_waits_and_then_says_so() {
    let directory = Directory::new();
    let patience = std::time::Duration::from_millis(30);
    let store = Sqlite::options(directory.file("app.db")).readers(1).busy_timeout(patience).open().unwrap();
    let inner = read(&store, |_| Ok(read(&store, |tx| tx.epoch()))).unwrap();
    assert!(matches!(inner, Err(StoreError::Busy(_))), "{inner:?}");
    let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let _ = store.read(&mut |_| panic!("on purpose"));
    }));
    assert!(panicked.is_err());
    read(&store, |tx| tx.epoch()).expect("a panic does not keep a connection");
}

#[test]
fn owners_watermarks_the_epoch_and_the_forgotten_moment_are_kept() {
    on_both(|store| {
        let (a, c) = (scope("a"), client("c"));
        let mark = |last_seq, seen| Watermark { last_seq: Seq(last_seq), seen: Millis(seen), made: Millis(seen) };
        let before = read(store, |tx| tx.epoch()).unwrap();
        assert_eq!(before.as_str().len(), 36, "a UUID");
        assert_eq!(read(store, |tx| tx.forgotten_before()).unwrap(), Millis(0));
        write(store, |tx| {
            tx.set_owner(&c, &principal("ann"))?;
            tx.set_watermark(&a, &c, &mark(1, 10))?;
            tx.set_watermark(&a, &c, &mark(2, 11))?;
            tx.set_epoch(&riverrun_core::Epoch::new("e2").unwrap())?;
            tx.set_forgotten_before(Millis(i64::MAX))
        })
        .unwrap();
        read(store, |tx| {
            assert_eq!(tx.owner(&c)?, Some(principal("ann")));
            assert_eq!(tx.owner(&client("d"))?, None);
            assert_eq!(tx.watermark(&a, &c)?, Some(mark(2, 11)));
            assert_eq!(tx.watermark(&scope("b"), &c)?, None);
            assert_eq!(tx.epoch()?.as_str(), "e2");
            assert_eq!(tx.forgotten_before()?, Millis(i64::MAX));
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn accepted_verdicts_without_other_scopes_come_back_without_any() {
    on_both(|store| {
        let kept = Record { verdict: accepted(5), ..record("m1", None, 1) };
        write(store, |tx| tx.record(&scope("a"), &principal("ann"), &kept)).unwrap();
        let found = read(store, |tx| tx.verdict(&scope("a"), &principal("ann"), &kept.id)).unwrap();
        assert_eq!(found, Some(kept));
    });
}

#[test]
fn a_floor_above_the_head_is_damage_and_not_a_count_below_zero() {
    let directory = Directory::new();
    let file = directory.file("app.db");
    let store = Sqlite::open(&file).unwrap();
    write(&store, |tx| {
        let head = tx.lock(&scope("s"))?;
        tx.set_head(&scope("s"), &Head { cursor: Cursor(1), ..head })
    })
    .unwrap();
    let raw = riverrun_sqlite::rusqlite::Connection::open(&file).unwrap();
    raw.execute("UPDATE rr_scope SET floor = cursor + 1", []).unwrap();
    let error = read(&store, |tx| tx.head(&scope("s"))).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
}
