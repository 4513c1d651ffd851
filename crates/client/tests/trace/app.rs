//! The reference mutators: the application every trace is about. They are told in `conformance/README.md` and written
//! once more in TypeScript; a word changed here is changed in all three.

use std::sync::Arc;

use riverrun_core::{Mutators, Reject, Tx, entity};
use serde::{Deserialize, Serialize};

/// Collections that a state shows, in the order of their names.
pub const COLLECTIONS: [&str; 4] = ["counter", "note", "order", "todo"];

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Todo {
    id: String,
    title: String,
    completed: bool,
}
entity!(Todo, "todo", id);

#[derive(Serialize, Deserialize)]
struct Counter {
    id: String,
    n: i64,
}
entity!(Counter, "counter", id);

#[derive(Serialize, Deserialize)]
struct Order {
    id: String,
    ids: Vec<String>,
}
entity!(Order, "order", id);

#[derive(Serialize, Deserialize)]
struct Note {
    id: String,
    text: String,
}
entity!(Note, "note", id);

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Titled {
    id: String,
    title: String,
}

#[derive(Deserialize)]
struct Add {
    id: String,
    by: i64,
    max: Option<i64>,
}

#[derive(Deserialize)]
struct List {
    id: String,
    prefix: String,
    limit: usize,
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
struct Nothing {}

fn create(tx: &mut Tx<'_>, a: Titled) -> Result<(), Reject> {
    tx.insert(&Todo { id: a.id, title: a.title, completed: false })
}

fn toggle(tx: &mut Tx<'_>, a: Id) -> Result<(), Reject> {
    tx.update::<Todo>(&a.id, |todo| todo.completed = !todo.completed)
}

fn rename(tx: &mut Tx<'_>, a: Titled) -> Result<(), Reject> {
    tx.update::<Todo>(&a.id, |todo| todo.title = a.title)
}

fn delete(tx: &mut Tx<'_>, a: Id) -> Result<(), Reject> {
    tx.delete::<Todo>(&a.id).map(drop)
}

fn clear(tx: &mut Tx<'_>, _: Nothing) -> Result<(), Reject> {
    for todo in tx.list::<Todo>("", usize::MAX)?.iter().filter(|todo| todo.completed) {
        tx.delete::<Todo>(&todo.id)?;
    }
    Ok(())
}

/// Writes first and looks then: what it wrote must be gone when it says no.
fn add(tx: &mut Tx<'_>, a: Add) -> Result<(), Reject> {
    let n = tx.get::<Counter>(&a.id)?.map_or(0, |counter| counter.n) + a.by;
    tx.put(&Counter { id: a.id, n })?;
    if a.max.is_some_and(|max| n > max) { Err(Reject::new("too_many", "over the limit")) } else { Ok(()) }
}

fn order(tx: &mut Tx<'_>, a: List) -> Result<(), Reject> {
    let ids = tx.list::<Todo>(&a.prefix, a.limit)?.into_iter().map(|todo| todo.id).collect();
    tx.put(&Order { id: a.id, ids })
}

fn note(tx: &mut Tx<'_>, a: Text) -> Result<(), Reject> {
    let id = tx.new_id();
    tx.put(&Note { id, text: a.text })
}

fn fail(_: &mut Tx<'_>, _: Nothing) -> Result<(), Reject> {
    Err(Reject::new("always", "this mutator always says no"))
}

fn common() -> Mutators {
    let mutators = Mutators::new().on("todo.create", create).on("todo.toggle", toggle).on("todo.delete", delete);
    let mutators = mutators.on("todo.clear", clear).on("counter.add", add).on("order.read", order);
    mutators.on("note.add", note).on("fail", fail)
}

/// What a client runs.
pub fn mutators() -> Arc<Mutators> {
    Arc::new(common().on("todo.rename", rename))
}

/// What the server of the recorded walks runs: it refuses what no client foresees, and tells what is no collection's.
pub fn server_mutators() -> Mutators {
    common()
        .on("todo.rename", |tx: &mut Tx<'_>, a: Titled| {
            if a.title.starts_with('!') { Err(Reject::new("shouting", "not so loud")) } else { rename(tx, a) }
        })
        .on("unheard", |tx: &mut Tx<'_>, _: Nothing| tx.emit(&serde_json::json!({"heard": "by the application"})))
}
