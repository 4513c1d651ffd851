//! Savepoints: flat pairs, and a rollback undoes everything since, whatever it was. What comes before and after stays.

use riverrun_core::Cursor;
use riverrun_engine::store::{Layer, WriteTx};

use super::{
    Make,
    every::{EVERY, fill, write_all},
    make::{append, client, commit, entry, head, json, look, mark, mutation, principal, record, scope},
    observe::{observe, observed, same},
};

pub(super) fn a_rollback_undoes_every_kind_of_write(make: Make<'_>) {
    let store = make();
    fill(&*store);
    let before = observed(&*store);
    for kind in EVERY {
        let inside = commit(&*store, |tx| {
            tx.savepoint()?;
            (kind.write)(tx)?;
            tx.rollback()?;
            observe(tx)
        });
        same(&format!("{} was rolled back, its own write still sees it", kind.name), &inside, &before);
        same(&format!("{} was rolled back and shows", kind.name), &observed(&*store), &before);
    }
    commit(&*store, |tx| {
        tx.savepoint()?;
        write_all(tx)?;
        tx.rollback()
    });
    same("all writes in one, rolled back", &observed(&*store), &before);
}

pub(super) fn a_release_keeps_every_kind_of_write(make: Make<'_>) {
    let (released, plain) = (make(), make());
    for store in [&released, &plain] {
        fill(&**store);
        // Each store has an epoch of its own, which must not tell them apart here.
        commit(&**store, |tx| tx.set_epoch(&super::make::epoch("e1")));
    }
    for kind in EVERY {
        // A row can be recorded or appended but once: what the others have left is what is compared.
        let write = |tx: &mut dyn WriteTx, savepoint: bool| {
            if savepoint {
                tx.savepoint()?;
                (kind.write)(tx)?;
                tx.release()
            } else {
                (kind.write)(tx)
            }
        };
        commit(&*released, |tx| write(tx, true));
        commit(&*plain, |tx| write(tx, false));
        same(&format!("{}, released", kind.name), &observed(&*released), &observed(&*plain));
    }
}

pub(super) fn a_rollback_goes_back_to_the_savepoint_and_no_further(make: Make<'_>) {
    let store = make();
    fill(&*store);
    let a = scope("a");
    let put = |tx: &mut dyn WriteTx, text| tx.put(&scope("a"), Layer::Current, "todo", "a", &json(text));
    commit(&*store, |tx| {
        tx.lock(&a)?;
        // Each of these is written before the savepoint, after it, and read behind the rollback.
        tx.set_head(&a, &head(20))?;
        put(tx, "20")?;
        tx.set_watermark(&a, &client("c1"), &mark(2, 20))?;
        tx.del(&a, Layer::Base, "todo", "a")?;
        tx.savepoint()?;
        tx.set_head(&a, &head(30))?;
        put(tx, "30")?;
        tx.set_watermark(&a, &client("c1"), &mark(3, 30))?;
        tx.put(&a, Layer::Base, "todo", "a", &json("30"))?;
        tx.rollback()?;
        assert_eq!(tx.lock(&a)?, head(20));
        assert_eq!(tx.entity(&a, "todo", "a")?, Some(json("20")));
        assert_eq!(tx.watermark(&a, &client("c1"))?, Some(mark(2, 20)));
        put(tx, "40")
    });
    look(&*store, |tx| {
        assert_eq!(tx.head(&a)?, Some(head(20)));
        assert_eq!(tx.entity(&a, "todo", "a")?, Some(json("40")));
        assert_eq!(tx.watermark(&a, &client("c1"))?, Some(mark(2, 20)));
        let mut base = 0;
        tx.each_entity(&a, Layer::Base, &mut |_, _, _| {
            base += 1;
            Ok(())
        })?;
        assert_eq!(base, 0, "the base entity was removed before the savepoint");
        Ok(())
    });
}

pub(super) fn savepoints_follow_one_another(make: Make<'_>) {
    let store = make();
    let a = scope("a");
    commit(&*store, |tx| {
        for number in 1..=100_u64 {
            tx.savepoint()?;
            let next = tx.lock(&a)?.cursor.next();
            append(tx, &a, &entry(next.0, &["1"]))?;
            tx.put(&a, Layer::Current, "todo", &format!("t{number:03}"), &json("1"))?;
            if number % 3 == 0 { tx.rollback()? } else { tx.release()? }
        }
        Ok(())
    });
    look(&*store, |tx| {
        assert_eq!(tx.head(&a)?.map(|head| head.cursor), Some(Cursor(67)));
        let mut cursors = Vec::new();
        tx.entries(&a, Cursor::ZERO, &mut |entry| {
            cursors.push(entry.first.0);
            true
        })?;
        assert_eq!(cursors, (1..=67).collect::<Vec<_>>());
        let range = riverrun_engine::store::Range { prefix: "", after: None, limit: 200 };
        let ids: Vec<_> = tx.entities(&a, "todo", range)?.into_iter().map(|(id, _)| id.into_string()).collect();
        let kept: Vec<_> = (1..=100).filter(|number| number % 3 != 0).map(|number| format!("t{number:03}")).collect();
        assert_eq!(ids, kept);
        Ok(())
    });
}

pub(super) fn what_was_rolled_back_can_be_written_again(make: Make<'_>) {
    let store = make();
    fill(&*store);
    let write = |tx: &mut dyn WriteTx| {
        append(tx, &scope("a"), &entry(4, &["4"]))?;
        append(tx, &scope("new"), &entry(1, &["1"]))?;
        tx.set_owner(&client("c2"), &principal("bob"))?;
        tx.record(&scope("new"), &principal("bob"), &record("m9", Some(("c2", 1)), 20))
    };
    commit(&*store, |tx| {
        tx.savepoint()?;
        write(tx)?;
        tx.rollback()?;
        assert_eq!(tx.verdict(&scope("new"), &principal("bob"), &mutation("m9"))?, None);
        tx.savepoint()?;
        write(tx)?;
        tx.release()
    });
    look(&*store, |tx| {
        assert_eq!(tx.head(&scope("new"))?.map(|head| head.cursor), Some(Cursor(1)));
        assert_eq!(tx.entry_at(&scope("a"), Cursor(4))?, Some(entry(4, &["4"])));
        let found = tx.verdict(&scope("new"), &principal("bob"), &mutation("m9"))?;
        assert_eq!(found, Some(record("m9", Some(("c2", 1)), 20)));
        Ok(())
    });
}

pub(super) fn a_locked_scope_stays_locked_through_a_rollback(make: Make<'_>) {
    let store = make();
    let (a, new) = (scope("a"), scope("new"));
    commit(&*store, |tx| {
        assert_eq!(tx.lock(&a)?.cursor, Cursor(0));
        tx.savepoint()?;
        tx.set_head(&a, &head(1))?;
        tx.rollback()?;
        tx.savepoint()?;
        // Locked since the savepoint: given back or not, it can be locked again.
        assert_eq!(tx.lock(&new)?.cursor, Cursor(0));
        tx.set_head(&new, &head(3))?;
        tx.rollback()?;
        tx.set_head(&a, &head(2))?;
        assert_eq!(tx.lock(&new)?.cursor, Cursor(0));
        tx.set_head(&new, &head(4))
    });
    let heads = look(&*store, |tx| Ok([tx.head(&a)?, tx.head(&new)?]));
    assert_eq!(heads, [Some(head(2)), Some(head(4))]);
}
