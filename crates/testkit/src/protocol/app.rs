//! The applications the protocol suite runs: one over collections, one with a state of its own. They are as small as they
//! can be while every way a mutator can end is among them; nothing here knows what a case expects.

use riverrun_core::{Ctx, Json, Machine, Mutation, Mutators, Reject, Scope, Tx, entity};
use serde::{Deserialize, Serialize};

/// The one entity: its text is whatever its last writer said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) id: String,
    pub(super) text: String,
}
entity!(Note, "note", id);

/// Counts effects: each accepted `counter.add` adds exactly one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counter {
    pub(super) id: String,
    pub(super) n: u64,
}
entity!(Counter, "counter", id);

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Many {
    prefix: String,
    count: usize,
}

#[derive(Deserialize)]
struct Move {
    id: String,
    to: String,
}

#[derive(Deserialize)]
struct Anything {}

fn note(tx: &Tx<'_>, id: &str) -> Note {
    Note { id: id.into(), text: tx.ctx().mutation.to_string() }
}

fn put(tx: &mut Tx<'_>, a: Id) -> Result<(), Reject> {
    let note = note(tx, &a.id);
    tx.put(&note)
}

fn insert(tx: &mut Tx<'_>, a: Id) -> Result<(), Reject> {
    let note = note(tx, &a.id);
    tx.insert(&note)
}

fn edit(tx: &mut Tx<'_>, a: Id) -> Result<(), Reject> {
    tx.update::<Note>(&a.id, |note| note.text.push('+'))
}

fn delete(tx: &mut Tx<'_>, a: Id) -> Result<(), Reject> {
    tx.delete::<Note>(&a.id).map(drop)
}

fn many(tx: &mut Tx<'_>, a: Many) -> Result<(), Reject> {
    (0..a.count).try_for_each(|at| put(tx, Id { id: format!("{}{at}", a.prefix) }))
}

fn add(tx: &mut Tx<'_>, a: Id) -> Result<(), Reject> {
    let n = tx.get::<Counter>(&a.id)?.map_or(0, |counter| counter.n) + 1;
    tx.put(&Counter { id: a.id, n })
}

fn reject(tx: &mut Tx<'_>, a: Id) -> Result<(), Reject> {
    put(tx, a)?;
    Err(Reject::new("because", "the mutator said no"))
}

fn panic(tx: &mut Tx<'_>, a: Id) -> Result<(), Reject> {
    put(tx, a)?;
    panic!("a secret of the server")
}

fn leak(tx: &mut Tx<'_>, a: Id) -> Result<(), Reject> {
    put(tx, a)?;
    Err(Reject::with(riverrun_core::Code::InternalError, Some("path".into()), "a secret of the server"))
}

fn claim(tx: &mut Tx<'_>, a: Id) -> Result<(), Reject> {
    put(tx, a)?;
    Err(Reject::with(riverrun_core::Code::Unavailable, None, "try again, says the mutator"))
}

fn latch(tx: &mut Tx<'_>, a: Id) -> Result<(), Reject> {
    put(tx, a)?;
    // As a store's crate does when a table of the application's own fails, and a mutator that makes nothing of it.
    let _ = tx.latch();
    Ok(())
}

/// Makes nothing of a failing store.
fn careless(tx: &mut Tx<'_>, id: &str) {
    for at in 0..3 {
        let note = note(tx, &format!("{id}{at}"));
        let _ = tx.get::<Note>(&note.id);
        let _ = tx.put(&note);
        let _ = tx.list::<Note>("", 10);
        let _ = tx.delete::<Note>(id);
    }
}

fn own_writes(tx: &mut Tx<'_>, a: Id) -> Result<(), Reject> {
    put(tx, Id { id: a.id.clone() })?;
    let seen = tx.get::<Note>(&a.id)?.is_some() && tx.list::<Note>(&a.id, 1)?.len() == 1;
    let gone = tx.delete::<Note>(&a.id)? && tx.get::<Note>(&a.id)?.is_none() && !tx.delete::<Note>(&a.id)?;
    if seen && gone { Ok(()) } else { Err(Reject::new("blind", "a mutator must see its own writes")) }
}

fn shift(tx: &mut Tx<'_>, a: Move) -> Result<(), Reject> {
    if !tx.delete::<Note>(&a.id)? {
        return Err(Reject::not_found("there is nothing to move"));
    }
    let note = note(tx, &a.id);
    tx.at(&*a.to)?.put(&note)
}

fn stray(tx: &mut Tx<'_>, a: Move) -> Result<(), Reject> {
    let note = note(tx, &a.id);
    tx.put(&note)?;
    tx.at(&*a.to)?.put(&note)
}

fn to(a: &Move) -> Vec<Scope> {
    Scope::new(&a.to).into_iter().collect()
}

/// The application over collections.
pub(super) fn mutators() -> Mutators {
    Mutators::new()
        .on("note.put", put)
        .on("note.insert", insert)
        .on("note.edit", edit)
        .on("note.delete", delete)
        .on("note.many", many)
        .on("note.own_writes", own_writes)
        .on("counter.add", add)
        .on("nothing", |_: &mut Tx<'_>, _: Anything| Ok(()))
        .on("event", |tx: &mut Tx<'_>, a: Id| tx.emit(&("happened", a.id)))
        .on("disguise", |tx: &mut Tx<'_>, data: Json| tx.emit(&data))
        .on("reject", reject)
        .on("panic", panic)
        .on("leak", leak)
        .on("claim", claim)
        .on("latch", latch)
        .on("careless", |tx: &mut Tx<'_>, a: Id| {
            careless(tx, &a.id);
            Ok(())
        })
        .on("note.move", shift)
        .scopes(to)
        .on("stray", stray)
        .on("scopes.panic", |_: &mut Tx<'_>, _: Anything| Ok(()))
        .scopes(|_: &Anything| panic!("a secret of the server"))
}

/// The application with a state of its own: a row of numbers whose sum must not fall below zero.
pub(super) struct Ledger;

/// What a [`Ledger`] knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lines {
    pub(super) sum: i64,
    pub(super) lines: Vec<i64>,
}

/// The number no ledger can fold.
pub(super) const UNFOLDABLE: i64 = 1313;

impl Machine for Ledger {
    type State = Lines;

    fn apply(&self, state: &Lines, mutation: &Mutation, _: &Ctx) -> Result<Vec<Json>, Reject> {
        let lines: Vec<i64> = mutation.args.read().map_err(|error| Reject::invalid(error.to_string()))?;
        assert_ne!(mutation.name, "panic", "a secret of the server");
        if state.sum + lines.iter().sum::<i64>() < 0 {
            return Err(Reject::new("below_zero", format!("{} is all there is", state.sum)));
        }
        lines.iter().map(|line| Json::of(line).map_err(|error| Reject::invalid(error.to_string()))).collect()
    }

    fn fold(&self, state: &mut Lines, change: &Json) {
        let line = change.read().unwrap_or_default();
        // Half of the work is done when it panics: nobody may ever see that half.
        state.lines.push(line);
        assert_ne!(line, UNFOLDABLE, "a secret of the server");
        state.sum += line;
    }
}
