//! A small application: the todos of the contract's examples, and mutators that do what tests need of one. It keeps to the
//! rules for mutators, but for the one that panics.

use riverrun_core::{Mutators, Reject, Scope, Tx, entity};
use serde::{Deserialize, Serialize};

/// What must never reach a client.
pub(crate) const SECRET: &str = "the password is 4711";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Todo {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) completed: bool,
}
entity!(Todo, "todo", id);

#[derive(Serialize, Deserialize)]
struct Blob {
    id: String,
    fill: String,
}
entity!(Blob, "blob", id);

#[derive(Deserialize)]
struct Create {
    id: String,
    title: String,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct Fill {
    id: String,
    bytes: usize,
}

#[derive(Deserialize)]
struct Share {
    id: String,
    title: String,
    to: String,
}

#[derive(Deserialize)]
struct Many {
    count: usize,
}

pub(crate) fn mutators() -> Mutators {
    Mutators::new()
        .on("todo.create", create)
        .on("todo.toggle", |tx: &mut Tx<'_>, a: Named| {
            tx.update(&a.id, |todo: &mut Todo| todo.completed = !todo.completed)
        })
        .on("todo.delete", |tx: &mut Tx<'_>, a: Named| tx.delete::<Todo>(&a.id).map(drop))
        .on("todo.share", share)
        .scopes(|a: &Share| vec![Scope::new(&a.to).expect("a test names a scope")])
        .on("blob.fill", |tx: &mut Tx<'_>, a: Fill| tx.put(&Blob { id: a.id, fill: "x".repeat(a.bytes) }))
        .on("todo.many", |tx: &mut Tx<'_>, a: Many| {
            (0..a.count).try_for_each(|n| {
                let id = tx.new_id();
                tx.put(&Todo { id, title: format!("todo {n}"), completed: false })
            })
        })
        .on("say", |tx: &mut Tx<'_>, a: serde_json::Value| tx.emit(&a))
        .on("panic", |_: &mut Tx<'_>, (): ()| -> Result<(), Reject> { panic!("{SECRET}") })
        .on("fail", |_: &mut Tx<'_>, (): ()| {
            Err(Reject::with(riverrun_core::Code::InternalError, Some(SECRET.into()), SECRET))
        })
}

fn create(tx: &mut Tx<'_>, a: Create) -> Result<(), Reject> {
    if a.title.trim().is_empty() {
        return Err(Reject::new("title_empty", "a todo needs a title"));
    }
    tx.insert(&Todo { id: a.id, title: a.title, completed: false })
}

/// Writes the todo here and into another scope.
fn share(tx: &mut Tx<'_>, a: Share) -> Result<(), Reject> {
    let todo = Todo { id: a.id, title: a.title, completed: false };
    tx.insert(&todo)?;
    tx.at(a.to.as_str())?.insert(&todo)
}
