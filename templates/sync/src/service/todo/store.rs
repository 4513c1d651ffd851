//! The todo lists as the application's own code uses them: reading one for a page, and doing what a form asks for. It
//! decides nothing: what may be done stands in the mutators.

use std::collections::BTreeMap;

use riverrun::{
    core::wire::{SnapshotAnswer, SnapshotRequest},
    engine::{MutateError, Refused},
    prelude::*,
};
use serde::{Deserialize, Serialize};

use super::{List, Todo};

/// The todo lists.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
}

/// A list at one moment.
#[derive(Debug, Clone)]
pub struct State {
    /// The todos, oldest first.
    pub todos: Vec<Todo>,
    /// The same as the sync client takes it, with cursor, digest and epoch. Of the same transaction, so that a page and
    /// its script begin at one place.
    pub snapshot: SnapshotAnswer,
}

/// What a snapshot's data holds, by id.
#[derive(Deserialize)]
struct Collections {
    #[serde(default)]
    todo: BTreeMap<String, Todo>,
}

impl Store {
    /// The lists of an engine.
    pub fn new(engine: &Engine) -> Self {
        Self { engine: engine.clone() }
    }

    /// A list as it is now. One nobody has written to is empty.
    pub async fn read(&self, who: &Principal, list: &List) -> Result<State, Refused> {
        let internal = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, list = list.name(), "a list does not read");
            Refused::new(riverrun::core::Code::InternalError, "this list can't be read; the server's log says why")
        };
        let scope = Scope::new(list.scope()).map_err(|error| internal(&error))?;
        let snapshot = self.engine.snapshot(who, SnapshotRequest { scope, client: None }).await?;
        let all: Collections = snapshot.data.read().map_err(|error| internal(&error))?;
        Ok(State { todos: all.todo.into_values().collect(), snapshot })
    }

    /// Does a command, once: however often it is asked for under the same id, it has one effect and one verdict.
    pub async fn change(
        &self,
        id: &str,
        who: &Principal,
        list: &List,
        name: &str,
        args: &impl Serialize,
    ) -> Result<(), MutateError> {
        let id = MutationId::new(id)?;
        self.engine.mutate_once(id, who, list.scope(), name, args).await.map(drop)
    }
}
