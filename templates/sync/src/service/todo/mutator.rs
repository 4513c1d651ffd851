//! The todo store: what may be done to a list. A mutator sees the list's state, says no or writes, and what it writes
//! reaches every reader of the list.

use riverrun::prelude::*;
use serde::{Deserialize, Serialize};

/// The longest title, in characters.
const MAX_TITLE: usize = 200;

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Todo {
    /// Unique in its list; lists are shown in its order.
    pub id: String,
    /// What is to be done.
    pub title: String,
    /// Whether it is done.
    pub completed: bool,
}
entity!(Todo, "todo", id);

/// The mutators, by the names clients use.
pub fn mutators() -> Mutators {
    Mutators::new().on("todo.create", create).on("todo.toggle", toggle).on("todo.delete", delete)
}

#[derive(Deserialize)]
struct CreateTodo {
    id: String,
    title: String,
}

#[derive(Deserialize)]
struct OneTodo {
    id: String,
}

fn create(tx: &mut Tx<'_>, a: CreateTodo) -> Result<(), Reject> {
    tx.insert(&Todo { id: a.id, title: title(&a.title)?, completed: false })
}

fn toggle(tx: &mut Tx<'_>, a: OneTodo) -> Result<(), Reject> {
    tx.update(&a.id, |todo: &mut Todo| todo.completed = !todo.completed)
}

fn delete(tx: &mut Tx<'_>, a: OneTodo) -> Result<(), Reject> {
    tx.delete::<Todo>(&a.id).map(drop)
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
