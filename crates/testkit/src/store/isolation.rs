//! Who sees what while others write: one moment for a read, one turn for a write. Nothing here asserts how fast a store is;
//! the one timeout tells waiting for ever from not waiting.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use riverrun_core::Cursor;
use riverrun_engine::store::{self, Layer, ReadTx, Store, StoreError, StoreResult, WriteTx};

use super::{
    Make,
    every::{fill, write_all},
    make::{append, commit, entry, head, json, look, scope},
    observe::{observe, observed, same},
};

/// Far beyond what the slowest machine takes for one read: only a reader that waits for the writer needs longer.
const WAIT: Duration = Duration::from_mins(1);

/// How long a read stays open for a commit that may have to wait for it: the contract does not forbid that it does.
const PAUSE: Duration = Duration::from_millis(300);

pub(super) fn a_reader_amid_a_write_sees_the_last_commit_and_does_not_wait(make: Make<'_>) {
    let store: Arc<dyn Store> = make().into();
    fill(&*store);
    let before = observed(&*store);
    let look_elsewhere = || {
        let (send, receive) = mpsc::channel();
        let store = Arc::clone(&store);
        thread::spawn(move || send.send(observed(&*store)));
        receive.recv_timeout(WAIT).expect("a reader has to be done while a write is open, and waits for it")
    };
    commit(&*store, |tx| {
        write_all(tx)?;
        same("a reader amid a write", &look_elsewhere(), &before);
        tx.savepoint()?;
        append(tx, &scope("a"), &entry(100, &["1"]))?;
        same("a reader behind a savepoint", &look_elsewhere(), &before);
        tx.rollback()?;
        same("a reader after a rollback", &look_elsewhere(), &before);
        Ok(())
    });
    assert_ne!(look_elsewhere(), before);
}

pub(super) fn a_read_stays_at_its_moment_whatever_commits_meanwhile(make: Make<'_>) {
    let store: Arc<dyn Store> = make().into();
    fill(&*store);
    look(&*store, |tx| {
        let before = observe(tx)?;
        let (send, receive) = mpsc::channel();
        let writer = Arc::clone(&store);
        thread::spawn(move || {
            commit(&*writer, write_all);
            send.send(())
        });
        let _ = receive.recv_timeout(PAUSE);
        same("a commit came into an open read", &observe(tx)?, &before);
        Ok(())
    });
}

pub(super) fn a_read_sees_every_commit_that_had_returned(make: Make<'_>) {
    let store = make();
    let a = scope("a");
    thread::scope(|threads| {
        for number in 1..=30 {
            commit(&*store, |tx| {
                tx.lock(&a)?;
                tx.set_head(&a, &head(number))
            });
            let readers: Vec<_> = (0..3).map(|_| threads.spawn(|| look(&*store, |tx| tx.head(&scope("a"))))).collect();
            for reader in readers {
                assert_eq!(reader.join().expect("a reader"), Some(head(number)));
            }
        }
    });
}

pub(super) fn writes_of_many_threads_are_serial(make: Make<'_>) {
    const THREADS: u64 = 4;
    const WRITES: u64 = 25;
    let store = make();
    let inside = AtomicBool::new(false);
    thread::scope(|threads| {
        for _ in 0..THREADS {
            threads.spawn(|| {
                for _ in 0..WRITES {
                    commit(&*store, |tx| {
                        assert!(!inside.swap(true, Ordering::SeqCst), "two writes run at once in one scope");
                        let next = tx.lock(&scope("a"))?.cursor.0 + 1;
                        thread::yield_now();
                        append(tx, &scope("a"), &entry(next, &["1"]))?;
                        inside.store(false, Ordering::SeqCst);
                        Ok(())
                    });
                }
            });
        }
    });
    let count = look(&*store, |tx| {
        let mut cursors = Vec::new();
        tx.entries(&scope("a"), Cursor::ZERO, &mut |entry| {
            cursors.push(entry.first.0);
            true
        })?;
        assert_eq!(cursors, (1..=THREADS * WRITES).collect::<Vec<_>>());
        Ok(tx.head(&scope("a"))?.map(|head| head.cursor.0))
    });
    assert_eq!(count, Some(THREADS * WRITES));
}

/// Writes one number to two scopes, both layers and the log.
fn everywhere(tx: &mut dyn WriteTx, number: u64) -> StoreResult<()> {
    for name in ["a", "b"] {
        let scope = scope(name);
        tx.lock(&scope)?;
        tx.append(&scope, &entry(number, &["1"]), &super::make::origin())?;
        tx.set_head(&scope, &head(number))?;
        for layer in [Layer::Current, Layer::Base] {
            tx.put(&scope, layer, "todo", "a", &json(&number.to_string()))?;
        }
    }
    Ok(())
}

/// Reads the number from everywhere, slowly, and in an order of its own.
fn numbers(tx: &mut dyn ReadTx) -> StoreResult<Vec<u64>> {
    let mut found = Vec::new();
    for name in ["b", "a"] {
        let scope = scope(name);
        for layer in [Layer::Base, Layer::Current] {
            tx.each_entity(&scope, layer, &mut |_, _, text| {
                found.push(text.parse().unwrap_or(0));
                Ok(())
            })?;
            thread::yield_now();
        }
        let mut last = 0;
        tx.entries(&scope, Cursor::ZERO, &mut |entry| {
            last = entry.first.0;
            true
        })?;
        found.extend([last, tx.head(&scope)?.map_or(0, |head| head.cursor.0)]);
    }
    Ok(found)
}

pub(super) fn readers_never_see_half_of_a_commit(make: Make<'_>) {
    const WRITES: u64 = 60;
    let store = make();
    commit(&*store, |tx| everywhere(tx, 1));
    let (done, returned) = (AtomicBool::new(false), AtomicU64::new(1));
    thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                let mut latest = 0;
                while !done.load(Ordering::SeqCst) {
                    let at_least = returned.load(Ordering::SeqCst);
                    let found = look(&*store, numbers);
                    assert_eq!(found, [found[0]; 8], "a read saw several moments");
                    assert!(found[0] >= at_least, "a read is behind a commit that had returned");
                    assert!(found[0] >= latest, "a later read saw an earlier moment");
                    assert!(found[0] < 1000, "a read saw a write that failed");
                    latest = found[0];
                }
            });
        }
        let writer = catch_unwind(AssertUnwindSafe(|| {
            for number in 2..=WRITES {
                let failed: StoreResult<()> = store::write(&*store, |tx| {
                    everywhere(tx, number + 1000)?;
                    Err(StoreError::Other("the test wants this write to fail".into()))
                });
                assert!(failed.is_err());
                commit(&*store, |tx| {
                    tx.savepoint()?;
                    everywhere(tx, number + 1000)?;
                    tx.rollback()?;
                    everywhere(tx, number)
                });
                returned.store(number, Ordering::SeqCst);
            }
        }));
        // The readers have to end before a failure can come out.
        done.store(true, Ordering::SeqCst);
        if let Err(panic) = writer {
            resume_unwind(panic);
        }
    });
    assert_eq!(look(&*store, numbers), [WRITES; 8]);
}

pub(super) fn a_write_reads_what_it_wrote(make: Make<'_>) {
    let (steps, together) = (make(), make());
    for store in [&steps, &together] {
        fill(&**store);
    }
    // What one write sees of itself at each step is what committing step by step shows.
    commit(&*together, |tx| {
        for kind in super::every::EVERY {
            (kind.write)(tx)?;
            commit(&*steps, |tx| (kind.write)(tx));
            let (mut inside, mut outside) = (observe(tx)?, observed(&*steps));
            // The first line begins with the epoch, which each store has of its own.
            for line in [&mut inside[0], &mut outside[0]] {
                *line = line.split_once(',').map(|(_, rest)| rest.to_string()).unwrap_or_default();
            }
            same(&format!("{} as its own write sees it", kind.name), &inside, &outside);
        }
        Ok(())
    });
}

pub(super) fn a_closure_is_called_exactly_once(make: Make<'_>) {
    let store = make();
    for fails in [false, true] {
        let end = || if fails { Err(StoreError::Busy("the test says so".into())) } else { Ok(()) };
        let (mut writes, mut reads) = (0, 0);
        let wrote = store.write(&mut |tx| {
            writes += 1;
            append(tx, &scope("a"), &entry(1, &["1"]))?;
            end()
        });
        let read = store.read(&mut |tx| {
            reads += 1;
            tx.epoch()?;
            end()
        });
        assert_eq!((writes, reads), (1, 1));
        assert_eq!((wrote, read), (end(), end()), "the closure's error comes back as it was");
        if !fails {
            // The second round appends the same entry: it must not be there.
            commit(&*store, |tx| tx.trim(&scope("a"), Cursor(1)));
        }
    }
    // A read that failed leaves nothing behind that could stop the next ones.
    for _ in 0..20 {
        let failed = store.read(&mut |_| Err(StoreError::Other("the test says so".into())));
        assert!(failed.is_err());
        let panicked = catch_unwind(AssertUnwindSafe(|| store.read(&mut |_| resume_unwind(Box::new("on purpose")))));
        assert!(panicked.is_err());
    }
    look(&*store, |tx| tx.epoch());
}

pub(super) fn a_store_says_what_it_is(make: Make<'_>) {
    let text = make().describe();
    assert!(!text.trim().is_empty() && !text.contains('\n'), "a description is one line of text: {text:?}");
}
