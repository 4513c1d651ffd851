//! Heads, entries, layers and the epoch: what is read of a log, and how it is trimmed.

use riverrun_core::{Cursor, Digest, Millis, Seq};
use riverrun_engine::store::{Entry, Head, Layer, Origin, Range, ReadTx, Store, StoreError, StoreResult, WriteTx};

use super::{
    Make,
    make::{append, client, commit, entry, epoch, head, json, look, mark, mutation, origin, principal, record, scope},
};

fn listed(tx: &mut dyn ReadTx, name: &str, after: u64) -> StoreResult<Vec<Entry>> {
    let mut found = Vec::new();
    tx.entries(&scope(name), Cursor(after), &mut |entry| {
        found.push(entry);
        true
    })?;
    Ok(found)
}

fn rows(tx: &mut dyn ReadTx, name: &str, layer: Layer) -> StoreResult<Vec<String>> {
    let mut found = Vec::new();
    tx.each_entity(&scope(name), layer, &mut |collection, id, text| {
        found.push(format!("{collection} {id} {text}"));
        Ok(())
    })?;
    Ok(found)
}

/// A log with entries of one, three and two changes: 1, 2–4, 5–6.
fn three() -> [Entry; 3] {
    [entry(1, &["1"]), entry(2, &["2", "3", "4"]), entry(5, &["5", "6"])]
}

fn filled(make: Make<'_>) -> Box<dyn Store> {
    let store = make();
    commit(&*store, |tx| {
        for name in ["A", "a", "aa"] {
            three().iter().try_for_each(|entry| append(tx, &scope(name), entry))?;
        }
        Ok(())
    });
    store
}

pub(super) fn an_empty_store_holds_nothing(make: Make<'_>) {
    look(&*make(), |tx| {
        let a = scope("a");
        assert_eq!(tx.head(&a)?, None);
        assert_eq!(tx.entry_at(&a, Cursor(0))?, None);
        assert_eq!(tx.entry_at(&a, Cursor(1))?, None);
        assert_eq!(listed(tx, "a", 0)?, []);
        assert_eq!(tx.origin(&a, Cursor(0))?, None);
        assert_eq!(tx.entity(&a, "todo", "a")?, None);
        assert_eq!(tx.entities(&a, "todo", Range { prefix: "", after: None, limit: 9 })?, []);
        assert_eq!(rows(tx, "a", Layer::Current)?, Vec::<String>::new());
        assert_eq!(rows(tx, "a", Layer::Base)?, Vec::<String>::new());
        assert_eq!(tx.owner(&client("c1"))?, None);
        assert_eq!(tx.watermark(&a, &client("c1"))?, None);
        assert_eq!(tx.verdict(&a, &principal("ann"), &mutation("m1"))?, None);
        assert!(!tx.decided_at(&a, &client("c1"), Seq(1))?);
        assert_eq!(tx.scopes(None, 10)?, []);
        assert!(tx.forgotten_before()? <= Millis(0), "an empty store has forgotten nothing");
        assert!(!tx.epoch()?.as_str().is_empty());
        Ok(())
    });
}

pub(super) fn a_new_scope_stands_at_zero_and_a_head_is_kept(make: Make<'_>) {
    let store = make();
    let a = scope("a");
    let moved = Head { cursor: Cursor(9), digest: Digest(8), floor: Cursor(7), floor_digest: Digest(6) };
    commit(&*store, |tx| {
        assert_eq!(tx.lock(&a)?, Head::default());
        tx.set_head(&a, &head(1))?;
        assert_eq!(tx.head(&a)?, Some(head(1)));
        // Locked twice is locked.
        assert_eq!(tx.lock(&a)?, head(1));
        tx.set_head(&a, &moved)
    });
    assert_eq!(look(&*store, |tx| tx.head(&a)), Some(moved));
    assert_eq!(commit(&*store, |tx| tx.lock(&a)), moved);
    assert_eq!(look(&*store, |tx| tx.head(&scope("b"))), None);
}

pub(super) fn the_entry_at_a_cursor_is_the_one_that_holds_it(make: Make<'_>) {
    let store = filled(make);
    let [one, two, three] = three();
    look(&*store, |tx| {
        for (cursor, expected) in [
            (0, None),
            (1, Some(&one)),
            (2, Some(&two)),
            (3, Some(&two)),
            (4, Some(&two)),
            (5, Some(&three)),
            (6, Some(&three)),
            (7, None),
            ((1 << 53) - 1, None),
        ] {
            assert_eq!(tx.entry_at(&scope("a"), Cursor(cursor))?.as_ref(), expected, "at {cursor}");
        }
        Ok(())
    });
}

pub(super) fn entries_after_a_cursor_inside_an_entry_begin_with_that_entry(make: Make<'_>) {
    let store = filled(make);
    let three = three();
    look(&*store, |tx| {
        for (after, from) in [(0, 0), (1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 3), (7, 3), ((1 << 53) - 1, 3)] {
            assert_eq!(listed(tx, "a", after)?, three[from..], "after {after}");
        }
        Ok(())
    });
}

pub(super) fn entries_end_when_the_sink_has_enough(make: Make<'_>) {
    let store = filled(make);
    look(&*store, |tx| {
        for enough in 1..=4 {
            let mut found = Vec::new();
            tx.entries(&scope("a"), Cursor(0), &mut |entry| {
                found.push(entry);
                found.len() < enough
            })?;
            assert_eq!(found, three()[..enough.min(3)], "the sink is asked once more after it said no");
        }
        Ok(())
    });
}

pub(super) fn an_entry_keeps_where_it_came_from(make: Make<'_>) {
    let store = make();
    let a = scope("a");
    let alone = Origin { name: "_void".into(), args: json(" [1.50 ]"), principal: principal("bob"), place: None };
    commit(&*store, |tx| {
        tx.lock(&a)?;
        tx.append(&a, &entry(1, &["1", "2"]), &origin())?;
        tx.append(&a, &entry(3, &["3"]), &alone)
    });
    look(&*store, |tx| {
        for (last, expected) in [(0, None), (1, None), (2, Some(origin())), (3, Some(alone.clone())), (4, None)] {
            assert_eq!(tx.origin(&a, Cursor(last))?, expected, "at {last}");
        }
        assert_eq!(tx.origin(&scope("b"), Cursor(2))?, None);
        Ok(())
    });
}

pub(super) fn trimming_removes_what_ends_at_or_below_the_cursor(make: Make<'_>) {
    for (up_to, from) in [(0, 0), (1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 3), (9, 3), ((1 << 53) - 1, 3)] {
        let store = filled(make);
        let before = look(&*store, |tx| tx.head(&scope("a")));
        commit(&*store, |tx| {
            tx.lock(&scope("a"))?;
            tx.trim(&scope("a"), Cursor(up_to))?;
            assert_eq!(listed(tx, "a", 0)?, three()[from..], "inside, up to {up_to}");
            Ok(())
        });
        look(&*store, |tx| {
            assert_eq!(listed(tx, "a", 0)?, three()[from..], "up to {up_to}");
            for (place, entry) in three().iter().enumerate() {
                let kept = place >= from;
                assert_eq!(tx.entry_at(&scope("a"), entry.first)?.is_some(), kept, "up to {up_to}");
                assert_eq!(tx.origin(&scope("a"), entry.last())?.is_some(), kept, "up to {up_to}");
            }
            // The floor is the engine's to move, and other scopes are other logs.
            assert_eq!(tx.head(&scope("a"))?, before);
            assert_eq!(listed(tx, "A", 0)?, three());
            assert_eq!(listed(tx, "aa", 0)?, three());
            Ok(())
        });
        commit(&*store, |tx| append(tx, &scope("a"), &entry(7, &["7"])));
        assert_eq!(look(&*store, |tx| listed(tx, "a", 6)), [entry(7, &["7"])]);
    }
}

pub(super) fn scopes_are_apart(make: Make<'_>) {
    let store = make();
    commit(&*store, |tx| {
        append(tx, &scope("a"), &entry(1, &["1"]))?;
        append(tx, &scope("b"), &entry(1, &["2", "3"]))?;
        tx.put(&scope("a"), Layer::Current, "todo", "x", &json("1"))?;
        tx.put(&scope("b"), Layer::Current, "todo", "x", &json("2"))?;
        tx.set_watermark(&scope("a"), &client("c1"), &mark(1, 1))?;
        tx.set_watermark(&scope("b"), &client("c1"), &mark(2, 2))
    });
    commit(&*store, |tx| tx.del(&scope("a"), Layer::Current, "todo", "x"));
    look(&*store, |tx| {
        assert_eq!(listed(tx, "a", 0)?, [entry(1, &["1"])]);
        assert_eq!(listed(tx, "b", 0)?, [entry(1, &["2", "3"])]);
        assert_eq!(tx.entity(&scope("a"), "todo", "x")?, None);
        assert_eq!(tx.entity(&scope("b"), "todo", "x")?, Some(json("2")));
        assert_eq!(tx.watermark(&scope("a"), &client("c1"))?, Some(mark(1, 1)));
        assert_eq!(tx.watermark(&scope("b"), &client("c1"))?, Some(mark(2, 2)));
        Ok(())
    });
}

pub(super) fn the_two_layers_are_apart(make: Make<'_>) {
    let store = make();
    let a = scope("a");
    commit(&*store, |tx| {
        tx.put(&a, Layer::Current, "todo", "both", &json("1"))?;
        tx.put(&a, Layer::Base, "todo", "both", &json("2"))?;
        tx.put(&a, Layer::Current, "todo", "current", &json("3"))?;
        tx.put(&a, Layer::Base, "todo", "base", &json("4"))
    });
    look(&*store, |tx| {
        assert_eq!(rows(tx, "a", Layer::Current)?, ["todo both 1", "todo current 3"]);
        assert_eq!(rows(tx, "a", Layer::Base)?, ["todo base 4", "todo both 2"]);
        assert_eq!(tx.entity(&a, "todo", "both")?, Some(json("1")));
        assert_eq!(tx.entity(&a, "todo", "base")?, None);
        let all = Range { prefix: "", after: None, limit: 9 };
        assert_eq!(tx.entities(&a, "todo", all)?.len(), 2);
        Ok(())
    });
    commit(&*store, |tx| {
        tx.del(&a, Layer::Current, "todo", "both")?;
        tx.del(&a, Layer::Base, "todo", "base")
    });
    look(&*store, |tx| {
        assert_eq!(rows(tx, "a", Layer::Current)?, ["todo current 3"]);
        assert_eq!(rows(tx, "a", Layer::Base)?, ["todo both 2"]);
        Ok(())
    });
}

pub(super) fn removing_an_entity_that_is_not_there_is_no_error(make: Make<'_>) {
    let store = make();
    commit(&*store, |tx| {
        tx.del(&scope("never"), Layer::Current, "todo", "x")?;
        tx.put(&scope("a"), Layer::Current, "todo", "x", &json("1"))?;
        tx.del(&scope("a"), Layer::Current, "todo", "y")?;
        tx.del(&scope("a"), Layer::Base, "todo", "x")?;
        tx.del(&scope("a"), Layer::Current, "other", "x")
    });
    assert_eq!(look(&*store, |tx| rows(tx, "a", Layer::Current)), ["todo x 1"]);
}

pub(super) fn an_error_of_the_sink_ends_the_listing_and_comes_back(make: Make<'_>) {
    let store = make();
    let enough = StoreError::Other("the sink has enough".into());
    commit(&*store, |tx| {
        ["a", "b", "c"].iter().try_for_each(|id| tx.put(&scope("a"), Layer::Current, "todo", id, &json("1")))
    });
    look(&*store, |tx| {
        let mut calls = 0;
        let ended = tx.each_entity(&scope("a"), Layer::Current, &mut |_, _, _| {
            calls += 1;
            if calls == 2 { Err(enough.clone()) } else { Ok(()) }
        });
        assert_eq!((ended, calls), (Err(enough.clone()), 2));
        // The read itself goes on.
        assert_eq!(rows(tx, "a", Layer::Current)?.len(), 3);
        Ok(())
    });
}

type Write = fn(&mut dyn WriteTx) -> StoreResult<()>;

pub(super) fn rows_can_be_written_to_a_scope_nobody_locked(make: Make<'_>) {
    let writes: [(&str, Write); 4] = [
        ("an entity", |tx| tx.put(&scope("a"), Layer::Current, "todo", "x", &json("1"))),
        ("a base entity", |tx| tx.put(&scope("a"), Layer::Base, "todo", "x", &json("1"))),
        ("a watermark", |tx| tx.set_watermark(&scope("a"), &client("c1"), &mark(1, 1))),
        ("a verdict", |tx| tx.record(&scope("a"), &principal("ann"), &record("m1", Some(("c1", 1)), 1))),
    ];
    for (what, write) in writes {
        let store = make();
        commit(&*store, write);
        look(&*store, |tx| {
            let there = [
                tx.entity(&scope("a"), "todo", "x")?.is_some(),
                !rows(tx, "a", Layer::Base)?.is_empty(),
                tx.watermark(&scope("a"), &client("c1"))?.is_some(),
                tx.verdict(&scope("a"), &principal("ann"), &mutation("m1"))?.is_some(),
            ];
            assert_eq!(there.iter().filter(|there| **there).count(), 1, "{what}");
            // Nothing was appended, so its log still stands at zero.
            assert_eq!(tx.head(&scope("a"))?.unwrap_or_default(), Head::default(), "{what}");
            Ok(())
        });
        assert_eq!(commit(&*store, |tx| tx.lock(&scope("a"))), Head::default(), "{what}");
    }
}

pub(super) fn the_epoch_stays_until_it_is_changed(make: Make<'_>) {
    let store = make();
    let first = look(&*store, |tx| tx.epoch());
    commit(&*store, |tx| append(tx, &scope("a"), &entry(1, &["1"])));
    assert_eq!(look(&*store, |tx| tx.epoch()), first);
    commit(&*store, |tx| {
        tx.set_epoch(&epoch("another"))?;
        assert_eq!(tx.epoch()?, epoch("another"));
        Ok(())
    });
    assert_eq!(look(&*store, |tx| tx.epoch()), epoch("another"));
    // A new identity is all it gets: the rows stay.
    assert_eq!(look(&*store, |tx| listed(tx, "a", 0)), [entry(1, &["1"])]);
}
