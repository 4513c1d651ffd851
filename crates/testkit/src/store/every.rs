//! Every kind of write a transaction has, each as a row that changes a filled store in a way that shows. The cases of
//! atomicity and savepoints go through them all, so that no table is forgotten.

use riverrun_core::{Cursor, Millis};
use riverrun_engine::store::{Layer, Store, StoreResult, WriteTx};

use super::make::{append, client, commit, entry, epoch, head, json, mark, mutation, principal, record, scope};

/// One kind of write.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) write: fn(&mut dyn WriteTx) -> StoreResult<()>,
}

const fn kind(name: &'static str, write: fn(&mut dyn WriteTx) -> StoreResult<()>) -> Kind {
    Kind { name, write }
}

/// Writes a little of everything, for the kinds below to change.
pub(super) fn fill(store: &dyn Store) {
    commit(store, |tx| {
        let a = scope("a");
        append(tx, &a, &entry(1, &["1", "2"]))?;
        append(tx, &a, &entry(3, &["3"]))?;
        tx.put(&a, Layer::Current, "todo", "a", &json("1"))?;
        tx.put(&a, Layer::Base, "todo", "a", &json("1"))?;
        tx.set_owner(&client("c1"), &principal("ann"))?;
        tx.set_watermark(&a, &client("c1"), &mark(1, 10))?;
        tx.record(&a, &principal("ann"), &record("m1", Some(("c1", 1)), 10))?;
        tx.record(&a, &principal("ann"), &record("m2", None, 10))?;
        tx.set_forgotten_before(Millis(3))
    });
}

/// Every kind of write. Each changes what a filled store shows.
pub(super) static EVERY: &[Kind] = &[
    kind("moving a head", |tx| {
        tx.lock(&scope("a"))?;
        tx.set_head(&scope("a"), &head(9))
    }),
    kind("the head of a new scope", |tx| {
        tx.lock(&scope("é:1"))?;
        tx.set_head(&scope("é:1"), &head(1))
    }),
    kind("appending an entry", |tx| append(tx, &scope("a"), &entry(4, &["4", "5"]))),
    kind("appending to a new scope", |tx| append(tx, &scope("Z"), &entry(1, &["1"]))),
    kind("a new entity", |tx| tx.put(&scope("a"), Layer::Current, "todo", "Z", &json("2"))),
    kind("another value of an entity", |tx| tx.put(&scope("a"), Layer::Current, "todo", "a", &json("2"))),
    kind("another value in the base", |tx| tx.put(&scope("a"), Layer::Base, "todo", "a", &json("2"))),
    kind("an entity in a new scope", |tx| tx.put(&scope("Z"), Layer::Current, "todo", "a", &json("2"))),
    kind("removing an entity", |tx| tx.del(&scope("a"), Layer::Current, "todo", "a")),
    kind("removing an entity of the base", |tx| tx.del(&scope("a"), Layer::Base, "todo", "a")),
    kind("an owner", |tx| tx.set_owner(&client("c2"), &principal("bob"))),
    kind("a new watermark", |tx| tx.set_watermark(&scope("a"), &client("c2"), &mark(1, 20))),
    kind("moving a watermark", |tx| tx.set_watermark(&scope("a"), &client("c1"), &mark(2, 20))),
    kind("a verdict with a place", |tx| tx.record(&scope("a"), &principal("ann"), &record("m3", Some(("c1", 2)), 20))),
    kind("a verdict by id alone", |tx| tx.record(&scope("a"), &principal("bob"), &record("m1", None, 20))),
    kind("trimming", |tx| tx.trim(&scope("a"), Cursor(2))),
    kind("forgetting verdicts", |tx| tx.forget_verdicts(Millis(11), 0, 100).map(drop)),
    kind("forgetting clients", |tx| tx.forget_clients(Millis(11), 100).map(drop)),
    kind("the moment of forgetting", |tx| tx.set_forgotten_before(Millis(4))),
    kind("the epoch", |tx| tx.set_epoch(&epoch("another"))),
];

/// All of the kinds at once: each touches rows of its own or comes in an order that lets it.
pub(super) fn write_all(tx: &mut dyn WriteTx) -> StoreResult<()> {
    EVERY.iter().try_for_each(|kind| (kind.write)(tx))?;
    // The forgetting above removed the early rows; these show that indexes were kept in step.
    assert!(tx.verdict(&scope("a"), &principal("ann"), &mutation("m1"))?.is_none());
    Ok(())
}
