//! The todo store: what may be done to a list. A mutator sees the list's state, says no or writes, and what it writes
//! reaches every reader of the list. `assets/js/mutators.js` does the same on the page, before the server has decided.

use riverrun::prelude::*;
use serde::{Deserialize, Serialize};

/// The longest title, in characters: a line on a phone is 40, and what needs more than five is a document.
pub const MAX_TITLE: usize = 200;

/// The most completed todos one command clears: one mutation makes at most 1,000 changes.
const MAX_CLEAR: usize = 1_000;

/// How many todos are looked at in one go.
const PAGE: usize = 500;

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Todo {
    /// Unique in its list; lists are shown in its order. A `UUIDv7`, so that the newest comes last.
    pub id: String,
    /// What is to be done.
    pub title: String,
    /// Whether it is done.
    pub completed: bool,
}
entity!(Todo, "todo", id);

/// The mutators, by the names clients use.
pub fn mutators() -> Mutators {
    Mutators::new()
        .on("todo.create", create)
        .on("todo.toggle", toggle)
        .on("todo.edit", edit)
        .on("todo.delete", delete)
        .on("todo.clear", clear)
}

/// What `todo.create` takes.
#[derive(Debug, Serialize, Deserialize)]
pub struct CreateTodo {
    /// The new todo's id: the client gives it, so that it can show the todo before the server knows of it.
    pub id: String,
    /// Its title.
    pub title: String,
}

/// What `todo.toggle` takes.
#[derive(Debug, Serialize, Deserialize)]
pub struct ToggleTodo {
    /// Which todo.
    pub id: String,
    /// What it shall be. Left out, the other of what it is. The page says what its user saw and wanted: when two people
    /// tick the same todo, both mean "done", and a second flip would undo the first.
    pub completed: Option<bool>,
}

/// What `todo.edit` takes.
#[derive(Debug, Serialize, Deserialize)]
pub struct EditTodo {
    /// Which todo.
    pub id: String,
    /// Its new title.
    pub title: String,
}

/// What `todo.delete` takes.
#[derive(Debug, Serialize, Deserialize)]
pub struct OneTodo {
    /// Which todo.
    pub id: String,
}

/// What `todo.clear` takes: nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct ClearTodos {}

fn create(tx: &mut Tx<'_>, a: CreateTodo) -> Result<(), Reject> {
    tx.insert(&Todo { id: a.id, title: title(&a.title)?, completed: false })
}

fn toggle(tx: &mut Tx<'_>, a: ToggleTodo) -> Result<(), Reject> {
    update(tx, &a.id, |todo| todo.completed = a.completed.unwrap_or(!todo.completed))
}

fn edit(tx: &mut Tx<'_>, a: EditTodo) -> Result<(), Reject> {
    let title = title(&a.title)?;
    update(tx, &a.id, |todo| todo.title = title)
}

/// Deleting what is gone already is no mistake: somebody else wanted the same.
fn delete(tx: &mut Tx<'_>, a: OneTodo) -> Result<(), Reject> {
    tx.delete::<Todo>(&a.id).map(drop)
}

fn clear(tx: &mut Tx<'_>, _: ClearTodos) -> Result<(), Reject> {
    let (mut after, mut cleared) = (None, 0);
    loop {
        let page: Vec<Todo> = tx.list_after("", after.as_deref(), PAGE)?;
        for todo in page.iter().filter(|todo| todo.completed) {
            if cleared == MAX_CLEAR {
                return Ok(());
            }
            tx.delete::<Todo>(&todo.id)?;
            cleared += 1;
        }
        match page.last() {
            Some(last) => after = Some(last.id.clone()),
            None => return Ok(()),
        }
    }
}

fn update(tx: &mut Tx<'_>, id: &str, change: impl FnOnce(&mut Todo)) -> Result<(), Reject> {
    if tx.get::<Todo>(id)?.is_none() {
        return Err(Reject::not_found("somebody deleted this todo meanwhile"));
    }
    tx.update(id, change)
}

fn title(text: &str) -> Result<String, Reject> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Reject::new("title_empty", "a todo needs a title"));
    }
    if text.chars().count() > MAX_TITLE {
        return Err(Reject::new("title_too_long", format!("a title has at most {MAX_TITLE} characters")));
    }
    Ok(text.into())
}
