//! All of a write or none of it: after a commit, an error, a panic. Failures are thrown without the panic hook, so that a
//! suite that passes prints nothing.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use riverrun_engine::store::{self, Store, StoreError, StoreResult, WriteTx};

use super::{
    Make,
    every::{EVERY, fill, write_all},
    make::{append, commit, entry, look, scope},
    observe::{observe, observed, same},
};

pub(super) fn a_commit_shows_everything_that_was_written(make: Make<'_>) {
    for kind in EVERY {
        let store = make();
        fill(&*store);
        let before = observed(&*store);
        let inside = commit(&*store, |tx| {
            (kind.write)(tx)?;
            observe(tx)
        });
        let after = observed(&*store);
        assert_ne!(after, before, "{} does not show after its commit", kind.name);
        same(&format!("{}: the commit shows something else than the write saw", kind.name), &after, &inside);
    }
}

fn failed() -> StoreError {
    StoreError::Other("the test wants this write to fail".into())
}

/// A write that does its work and then fails: with an error, or a panic.
fn fail(store: &dyn Store, panics: bool, work: fn(&mut dyn WriteTx) -> StoreResult<()>) {
    let run = || {
        store::write(store, |tx| -> StoreResult<()> {
            work(tx)?;
            if panics {
                resume_unwind(Box::new("the test wants this write to panic"));
            }
            Err(failed())
        })
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => assert_eq!(result, Err(failed()), "the closure's error has to come back"),
        Err(panic) => assert!(panics && panic.is::<&str>(), "another panic than the closure's came out"),
    }
}

fn leaves_nothing(make: Make<'_>, panics: bool) {
    let store = make();
    fill(&*store);
    let before = observed(&*store);
    for kind in EVERY {
        fail(&*store, panics, kind.write);
        same(&format!("{} outlived its failed write", kind.name), &observed(&*store), &before);
        // A writer must find nothing of it either.
        let inside = commit(&*store, |tx| observe(tx));
        same(&format!("{}: the next write sees it", kind.name), &inside, &before);
    }
    fail(&*store, panics, write_all);
    same("all writes in one outlived their failed write", &observed(&*store), &before);
    commit(&*store, write_all);
    assert_ne!(observed(&*store), before);
}

pub(super) fn an_error_in_the_closure_leaves_nothing_and_comes_back_as_it_was(make: Make<'_>) {
    leaves_nothing(make, false);
}

pub(super) fn a_panic_in_the_closure_leaves_nothing_and_the_store_goes_on(make: Make<'_>) {
    leaves_nothing(make, true);
}

pub(super) fn a_failure_behind_a_savepoint_leaves_nothing_and_no_savepoint(make: Make<'_>) {
    let store = make();
    fill(&*store);
    let before = observed(&*store);
    for panics in [false, true] {
        for work in [
            (|tx| tx.savepoint().and_then(|()| write_all(tx))) as fn(&mut dyn WriteTx) -> StoreResult<()>,
            |tx| tx.savepoint().and_then(|()| write_all(tx)).and_then(|()| tx.release()),
            |tx| write_all(tx).and_then(|()| tx.savepoint()).and_then(|()| tx.rollback()),
        ] {
            fail(&*store, panics, work);
            same("a failed write with a savepoint left something", &observed(&*store), &before);
        }
    }
    // A savepoint that was left open would make this one a nested one.
    commit(&*store, |tx| {
        tx.savepoint()?;
        write_all(tx)?;
        tx.rollback()
    });
    same("a rollback after failed writes", &observed(&*store), &before);
}

pub(super) fn a_scope_first_written_in_a_failed_write_was_never_there(make: Make<'_>) {
    let store = make();
    let first = |tx: &mut dyn WriteTx| append(tx, &scope("new"), &entry(1, &["1"]));
    for panics in [false, true] {
        fail(&*store, panics, |tx| append(tx, &scope("new"), &entry(1, &["1"])));
        assert_eq!(look(&*store, |tx| tx.head(&scope("new"))), None);
        assert_eq!(look(&*store, |tx| tx.scopes(None, 10)), []);
    }
    commit(&*store, |tx| {
        tx.savepoint()?;
        first(tx)?;
        tx.rollback()?;
        assert_eq!(tx.head(&scope("new"))?, None);
        Ok(())
    });
    assert_eq!(look(&*store, |tx| tx.head(&scope("new"))), None);
    // Another scope takes whatever place the failed ones had; the two must not be taken for each other.
    commit(&*store, |tx| append(tx, &scope("other"), &entry(1, &["7", "8"])));
    commit(&*store, first);
    let heads = look(&*store, |tx| Ok([tx.head(&scope("new"))?, tx.head(&scope("other"))?]));
    assert_eq!(heads.map(|head| head.map(|head| head.cursor.0)), [Some(1), Some(2)]);
    assert_eq!(look(&*store, |tx| tx.scopes(None, 10)), [scope("new"), scope("other")]);
}
