//! Todo lists. A list is a scope; whoever knows its name may read and write it.

mod list;
mod mutator;
mod store;

pub use list::{List, ListsOnly, NotAList};
pub use mutator::{ClearTodos, CreateTodo, EditTodo, MAX_TITLE, OneTodo, Todo, ToggleTodo, mutators};
pub use store::{State, Store};
