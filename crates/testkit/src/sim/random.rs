//! What an application's generator is handed: the seed's choices, and the state its user sees. It can't reach anything
//! that is not the same in every run.

use std::sync::Arc;

use rand::{Rng, rngs::StdRng};
use riverrun_core::{Entity, Scope};

use super::rows::Rows;

/// One choice of a command for one client.
///
/// Every method draws from the run's seed: the same seed makes the same choices. What is read is the view of the client
/// that will mutate, its own pending mutations included.
pub struct Gen<'a> {
    pub(crate) rng: &'a mut StdRng,
    pub(crate) view: Arc<Rows>,
    pub(crate) client: usize,
    pub(crate) scope: &'a Scope,
    pub(crate) scopes: &'a [Scope],
    pub(crate) minted: &'a mut u64,
}

impl Gen<'_> {
    /// Which client mutates, from 0.
    pub fn client(&self) -> usize {
        self.client
    }

    /// The scope it mutates in.
    pub fn scope(&self) -> &str {
        self.scope.as_str()
    }

    /// Another scope of the run, for mutations over two; its own, if there is no other.
    pub fn other_scope(&mut self) -> &str {
        let others: Vec<&Scope> = self.scopes.iter().filter(|scope| *scope != self.scope).collect();
        let place = self.rng.random_range(0..others.len().max(1));
        others.get(place).map_or(self.scope.as_str(), |scope| scope.as_str())
    }

    /// An id that no other call in this run has given.
    pub fn new_id(&mut self) -> String {
        *self.minted += 1;
        format!("n{}", self.minted)
    }

    /// A number below `end`; 0 if that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.rng.random_range(0..end.max(1))
    }

    /// Whether something of this many percent happens.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    /// One of these.
    ///
    /// # Panics
    /// If there are none.
    pub fn one_of<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.rng.random_range(0..of.len())]
    }

    /// The state the client sees.
    pub fn view(&self) -> &Rows {
        &self.view
    }

    /// One of the entities the client sees, if it sees any.
    pub fn pick<T: Entity>(&mut self) -> Option<T> {
        let id = self.pick_id(T::COLLECTION)?;
        self.view.get(&id)
    }

    /// The id of one of the entities the client sees in a collection.
    pub fn pick_id(&mut self, collection: &str) -> Option<String> {
        let ids: Vec<&str> = self.view.collection(collection).map(|(id, _)| id).collect();
        if ids.is_empty() {
            return None;
        }
        Some(ids[self.rng.random_range(0..ids.len())].to_owned())
    }
}

/// A command as a generator chose it.
#[derive(Debug, Clone)]
pub struct Command {
    pub(crate) name: String,
    pub(crate) args: serde_json::Value,
}

impl<N: Into<String>, A: Into<serde_json::Value>> From<(N, A)> for Command {
    fn from((name, args): (N, A)) -> Self {
        Self { name: name.into(), args: args.into() }
    }
}
