//! Forgetting: by moment, by a client's last places, by limit. Which rows go first under a limit is the store's choice, so
//! only numbers are asked there.

use riverrun_core::{Millis, Seq};
use riverrun_engine::store::{Forgotten, ReadTx, Store, StoreResult};

use super::{
    Make,
    make::{client, commit, look, mark, mutation, principal, record, scope},
};

/// Records ten verdicts of a client in a scope, places 1–10, decided at the moments 1–10, without a watermark.
fn ten(store: &dyn Store, at: &str, who: &str) {
    commit(store, |tx| {
        for seq in 1..=10 {
            let record = record(&format!("{who}-{seq:02}"), Some((who, seq)), seq.cast_signed());
            tx.record(&scope(at), &principal("ann"), &record)?;
        }
        Ok(())
    });
}

/// The places of a client in a scope whose verdicts are kept, found by id and by place alike.
fn kept(tx: &mut (impl ReadTx + ?Sized), at: &str, who: &str) -> StoreResult<Vec<u64>> {
    let mut kept = Vec::new();
    for seq in 1..=10 {
        let by_id = tx.verdict(&scope(at), &principal("ann"), &mutation(&format!("{who}-{seq:02}")))?.is_some();
        let by_place = tx.decided_at(&scope(at), &client(who), Seq(seq))?;
        assert_eq!(by_id, by_place, "place {seq} of {who} in {at}");
        if by_id {
            kept.push(seq);
        }
    }
    Ok(kept)
}

fn forget(store: &dyn Store, before: i64, keep: u64, limit: usize) -> Forgotten {
    commit(store, |tx| tx.forget_verdicts(Millis(before), keep, limit))
}

fn gone(verdicts: usize, by_id_alone: usize) -> Forgotten {
    Forgotten { verdicts, by_id_alone }
}

pub(super) fn verdicts_decided_before_the_moment_are_forgotten(make: Make<'_>) {
    let store = make();
    ten(&*store, "a", "c1");
    ten(&*store, "b", "c2");
    for (before, count, left) in [(0, 0, 1), (1, 0, 1), (2, 2, 2), (5, 6, 5), (5, 0, 5), (10, 10, 10), (11, 2, 11)] {
        assert_eq!(forget(&*store, before, 0, 1000), gone(count, 0), "before {before}");
        for (at, who) in [("a", "c1"), ("b", "c2")] {
            let expected: Vec<u64> = (left..=10).collect();
            assert_eq!(look(&*store, |tx| kept(tx, at, who)), expected, "before {before}");
        }
    }
}

pub(super) fn a_known_clients_last_places_keep_their_verdicts(make: Make<'_>) {
    for (keep, last_seq, first_left) in [
        (0, 10, 11),
        (1, 10, 10),
        (3, 10, 8),
        (10, 10, 1),
        (1000, 10, 1),
        (u64::MAX, 10, 1),
        // The last places are counted from the watermark, not from the verdicts that are left.
        (3, 12, 10),
        (3, 50, 11),
    ] {
        let store = make();
        ten(&*store, "a", "known");
        ten(&*store, "a", "unknown");
        commit(&*store, |tx| tx.set_watermark(&scope("a"), &client("known"), &mark(last_seq, 1)));
        let left: Vec<u64> = (first_left..=10).collect();
        assert_eq!(forget(&*store, 100, keep, 1000), gone(20 - left.len(), 0), "keep {keep}");
        assert_eq!(look(&*store, |tx| kept(tx, "a", "known")), left, "keep {keep} of {last_seq}");
        assert_eq!(look(&*store, |tx| kept(tx, "a", "unknown")), Vec::<u64>::new(), "keep {keep}");
        assert_eq!(forget(&*store, 100, keep, 1000), gone(0, 0), "keep {keep}, again");
    }
}

pub(super) fn what_is_kept_of_a_client_is_counted_in_each_scope_apart(make: Make<'_>) {
    let store = make();
    ten(&*store, "a", "c1");
    ten(&*store, "b", "c1");
    ten(&*store, "c", "c1");
    commit(&*store, |tx| {
        tx.set_watermark(&scope("a"), &client("c1"), &mark(10, 1))?;
        // Decided further there: of what is recorded here, only the last place is among the last five.
        tx.set_watermark(&scope("b"), &client("c1"), &mark(14, 1))
    });
    assert_eq!(forget(&*store, 100, 5, 1000), gone(5 + 9 + 10, 0));
    assert_eq!(look(&*store, |tx| kept(tx, "a", "c1")), [6, 7, 8, 9, 10]);
    assert_eq!(look(&*store, |tx| kept(tx, "b", "c1")), [10]);
    assert_eq!(look(&*store, |tx| kept(tx, "c", "c1")), Vec::<u64>::new());
}

pub(super) fn verdicts_known_by_id_alone_are_counted(make: Make<'_>) {
    let store = make();
    ten(&*store, "a", "c1");
    commit(&*store, |tx| {
        tx.set_watermark(&scope("a"), &client("c1"), &mark(10, 1))?;
        for (number, who) in [(1, "ann"), (2, "bob"), (3, "ann"), (9, "ann")] {
            tx.record(&scope("a"), &principal(who), &record(&format!("alone-{number}"), None, number))?;
        }
        Ok(())
    });
    // Keeping a client's last places keeps nothing that has none.
    assert_eq!(forget(&*store, 5, 1000, 1000), gone(3, 3));
    assert_eq!(forget(&*store, 5, 8, 1000), gone(2, 0));
    look(&*store, |tx| {
        for (number, who, there) in [(1, "ann", false), (2, "bob", false), (3, "ann", false), (9, "ann", true)] {
            let found = tx.verdict(&scope("a"), &principal(who), &mutation(&format!("alone-{number}")))?;
            assert_eq!(found.is_some(), there, "alone-{number}");
        }
        Ok(())
    });
    assert_eq!(forget(&*store, 100, 0, 1000), gone(9, 1));
}

pub(super) fn no_more_verdicts_than_the_limit_are_forgotten_at_once(make: Make<'_>) {
    let store = make();
    ten(&*store, "a", "c1");
    ten(&*store, "a", "c2");
    commit(&*store, |tx| tx.set_watermark(&scope("a"), &client("c2"), &mark(10, 1)));
    // Twelve may go: what is kept must not use up the limit, or the rest would stay for ever.
    for (limit, count) in [(0, 0), (5, 5), (1, 1), (5, 5), (5, 1), (5, 0), (usize::MAX, 0)] {
        assert_eq!(forget(&*store, 100, 8, limit).verdicts, count, "limit {limit}");
    }
    assert_eq!(look(&*store, |tx| kept(tx, "a", "c2")), [3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(forget(&*store, 100, 0, usize::MAX).verdicts, 8);
}

pub(super) fn a_forgotten_verdict_leaves_its_id_and_its_place_free(make: Make<'_>) {
    let store = make();
    ten(&*store, "a", "c1");
    assert_eq!(forget(&*store, 6, 0, 1000), gone(5, 0));
    let again = record("c1-01", Some(("c1", 1)), 50);
    commit(&*store, |tx| tx.record(&scope("a"), &principal("ann"), &again));
    let found = look(&*store, |tx| tx.verdict(&scope("a"), &principal("ann"), &mutation("c1-01")));
    assert_eq!(found, Some(again));
    assert_eq!(look(&*store, |tx| kept(tx, "a", "c1")), [1, 6, 7, 8, 9, 10]);
}

pub(super) fn clients_last_seen_before_the_moment_are_forgotten(make: Make<'_>) {
    let store = make();
    commit(&*store, |tx| {
        for (name, seen) in [("c1", 1), ("c2", 2), ("c3", 3)] {
            tx.set_owner(&client(name), &principal("ann"))?;
            tx.set_watermark(&scope("a"), &client(name), &mark(1, seen))?;
        }
        // Heard of again since: only the last time counts.
        tx.set_watermark(&scope("a"), &client("c1"), &mark(2, 9))
    });
    ten(&*store, "a", "c2");
    for (before, count, known) in
        [(2, 0, vec!["c1", "c2", "c3"]), (3, 1, vec!["c1", "c3"]), (9, 1, vec!["c1"]), (10, 1, vec![]), (99, 0, vec![])]
    {
        assert_eq!(commit(&*store, |tx| tx.forget_clients(Millis(before), 1000)), count, "before {before}");
        look(&*store, |tx| {
            for name in ["c1", "c2", "c3"] {
                let there = known.contains(&name);
                assert_eq!(tx.watermark(&scope("a"), &client(name))?.is_some(), there, "{name}, before {before}");
                assert_eq!(tx.owner(&client(name))?.is_some(), there, "{name}'s owner, before {before}");
            }
            // The verdicts go by their own time.
            assert_eq!(kept(tx, "a", "c2")?.len(), 10);
            Ok(())
        });
    }
}

pub(super) fn an_owner_stays_while_the_client_is_known_anywhere(make: Make<'_>) {
    let store = make();
    commit(&*store, |tx| {
        // Names that a prefix or another collation would take for one client.
        for name in ["c", "C", "cc"] {
            tx.set_owner(&client(name), &principal(name))?;
        }
        for (at, name, seen) in [("a", "c", 1), ("b", "c", 5), ("é", "c", 1), ("a", "C", 1), ("a", "cc", 5)] {
            tx.set_watermark(&scope(at), &client(name), &mark(1, seen))?;
        }
        Ok(())
    });
    let owners =
        || look(&*store, |tx| Ok([tx.owner(&client("c"))?, tx.owner(&client("C"))?, tx.owner(&client("cc"))?]));
    assert_eq!(commit(&*store, |tx| tx.forget_clients(Millis(2), 1000)), 3);
    assert_eq!(owners(), [Some(principal("c")), None, Some(principal("cc"))]);
    look(&*store, |tx| {
        assert_eq!(tx.watermark(&scope("a"), &client("c"))?, None);
        assert_eq!(tx.watermark(&scope("b"), &client("c"))?, Some(mark(1, 5)));
        Ok(())
    });
    assert_eq!(commit(&*store, |tx| tx.forget_clients(Millis(6), 1000)), 2);
    assert_eq!(owners(), [None, None, None]);
}

pub(super) fn no_more_clients_than_the_limit_are_forgotten_at_once(make: Make<'_>) {
    let store = make();
    commit(&*store, |tx| {
        for number in 1..=7 {
            tx.set_owner(&client(&format!("c{number}")), &principal("ann"))?;
            tx.set_watermark(&scope("a"), &client(&format!("c{number}")), &mark(1, number))?;
        }
        Ok(())
    });
    for (limit, count, left) in [(0, 0, 7), (3, 3, 4), (3, 2, 2), (usize::MAX, 0, 2)] {
        assert_eq!(commit(&*store, |tx| tx.forget_clients(Millis(6), limit)), count, "limit {limit}");
        let known = look(&*store, |tx| {
            let mut known = 0;
            for number in 1..=7 {
                let name = client(&format!("c{number}"));
                let there = tx.watermark(&scope("a"), &name)?.is_some();
                assert_eq!(tx.owner(&name)?.is_some(), there, "c{number}");
                known += usize::from(there);
            }
            Ok(known)
        });
        assert_eq!(known, left, "limit {limit}");
    }
}

pub(super) fn the_moment_of_forgetting_is_remembered(make: Make<'_>) {
    let store = make();
    commit(&*store, |tx| {
        tx.set_forgotten_before(Millis(17))?;
        assert_eq!(tx.forgotten_before()?, Millis(17));
        Ok(())
    });
    assert_eq!(look(&*store, |tx| tx.forgotten_before()), Millis(17));
    // It is the engine's word: forgetting does not move it.
    forget(&*store, 1000, 0, 1000);
    commit(&*store, |tx| tx.forget_clients(Millis(1000), 1000));
    assert_eq!(look(&*store, |tx| tx.forgotten_before()), Millis(17));
}
