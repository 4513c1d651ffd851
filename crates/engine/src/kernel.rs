//! The blocking heart: store, rules and clock, and the states a machine published. It has no thread and no runtime; each
//! verb (settle, pull, snapshot, trim, verify) is an `impl Kernel` in a file of its own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use riverrun_core::{Code, Epoch, Mutation, Principal, Rejected, Scope};

use crate::{Clock, Commit, Decision, Retention, Store, app::App, app::Published, planted::Sequences};

/// Scopes whose machine state is kept in memory. Beyond it some are let go of, and replayed when they are needed again.
pub(crate) const MACHINE_SCOPES: usize = 1024;

/// Everything that decides, without a thread of its own. [`Engine`](crate::Engine) drives one; so does a simulation.
pub struct Kernel {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) app: App,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) retention: Retention,
    pub(crate) schemas: std::ops::RangeInclusive<u64>,
    pub(crate) published: Mutex<HashMap<Scope, Published>>,
    pub(crate) sequences: Sequences,
}

/// What the edge found out about a mutation before the writer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edge {
    /// It may be run.
    Go,
    /// The answer is no; that is recorded, so that it consumes its place.
    No(Rejected),
    /// It could not be found out. Known mutations get their verdict, others a retry.
    Unknown,
}

/// One mutation on its way to the writer.
#[derive(Debug, Clone)]
pub struct PushItem {
    /// The mutation.
    pub mutation: Mutation,
    /// The other scopes it declared, sorted.
    pub declared: Vec<Scope>,
    /// What the edge found out.
    pub edge: Edge,
}

/// One sender's mutations, decided in order.
#[derive(Debug, Clone)]
pub struct Push {
    /// Who asks.
    pub principal: Principal,
    /// The history the sender means.
    pub epoch: Option<Epoch>,
    /// The mutations.
    pub items: Vec<PushItem>,
}

/// What a batch of pushes came to, after its commit.
#[derive(Debug)]
pub struct Settled {
    /// The history the cursors belong to.
    pub epoch: Epoch,
    /// For each push, in order: a decision per mutation, or the refusal of the whole push.
    pub pushes: Vec<Result<Vec<Decision>, Code>>,
    /// What to tell readers: one per scope that changed.
    pub commits: Vec<Arc<Commit>>,
    /// Scopes whose log has outgrown its retention.
    pub overgrown: Vec<Scope>,
}

impl Kernel {
    /// The states machines published, whatever happened to an earlier holder of the lock: it only guards whole values.
    pub(crate) fn published(&self) -> MutexGuard<'_, HashMap<Scope, Published>> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store underneath.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }
}
