//! What the application brought: mutators over collections, or a machine with a state of its own. The engine sees one
//! thing; which of the two it is, is known here alone.

use std::{
    any::Any,
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use riverrun_core::{
    CollectionChange, Ctx, Cursor, Digest, Epoch, Journal, Json, Machine, Mutation, Mutators, Reject, Scope, State, Tx,
};

use crate::planted::{Bug, is};
use crate::store::{Entry, Head, Layer, ReadTx, StoreError, StoreResult, WriteTx};

/// A machine's state of one scope, whatever its type.
type Held = Box<dyn Any + Send + Sync>;

/// The collection and id under which a machine's base state is kept in the base layer.
pub(crate) const MACHINE_BASE: (&str, &str) = ("_state", "base");

/// The application's rules.
pub(crate) enum App {
    Mutators(Mutators),
    Machine(Box<dyn Driver>),
}

/// A machine's state at a cursor.
#[derive(Clone)]
pub(crate) struct Published {
    epoch: Epoch,
    pub(crate) cursor: Cursor,
    digest: Digest,
    state: Arc<Held>,
}

/// The states a batch works on; published after its commit, dropped if it fails.
pub(crate) type Working = HashMap<Scope, Published>;

impl App {
    /// The other scopes a mutation declares. A panic in there is a no like one in a mutator: it must not come back for ever.
    pub(crate) fn declared(&self, mutation: &Mutation) -> Result<Vec<Scope>, Reject> {
        match self {
            Self::Mutators(mutators) => {
                let declare = || mutators.declared(&mutation.name, &mutation.scope, &mutation.args);
                catch_unwind(AssertUnwindSafe(declare)).unwrap_or_else(|_| {
                    tracing::error!(mutator = mutation.name, "a mutator panicked while it declared its scopes");
                    let error = "the server failed on this mutation; it is in its log";
                    Err(Reject::with(riverrun_core::Code::InternalError, None, error))
                })
            }
            Self::Machine(_) => Ok(Vec::new()),
        }
    }

    /// Runs a mutation; its changes are in the journal if it returns `Ok`.
    pub(crate) fn run(
        &self,
        mutation: &Mutation,
        ctx: &Ctx,
        state: &mut dyn State,
        journal: &mut Journal,
        working: &Working,
    ) -> Result<(), Reject> {
        match self {
            Self::Mutators(mutators) => mutators.run(&mutation.name, &mut Tx::new(ctx, state, journal), &mutation.args),
            Self::Machine(machine) => {
                let Some(published) = working.get(&mutation.scope) else {
                    return Err(Reject::with(riverrun_core::Code::InternalError, None, "the state was not loaded"));
                };
                for change in machine.apply(&**published.state, mutation, ctx)? {
                    journal.add(0, change)?;
                }
                Ok(())
            }
        }
    }

    /// Loads a machine's state at the head into the batch, from what was published or by replay.
    pub(crate) fn load(
        &self,
        tx: &mut dyn ReadTx,
        scope: &Scope,
        head: &Head,
        published: Option<Published>,
    ) -> StoreResult<Option<Published>> {
        let Self::Machine(machine) = self else { return Ok(None) };
        let epoch = tx.epoch()?;
        let fresh = match published {
            Some(known) if is(Bug::FoldBeforeCommit) => Some(known),
            Some(known) if known.epoch == epoch && known.cursor >= head.floor && known.cursor <= head.cursor => {
                (crate::digests::at(tx, scope, head, known.cursor)? == known.digest).then_some(known)
            }
            _ => None,
        };
        let start = if let Some(known) = fresh {
            known
        } else {
            let state = machine.open(base_text(tx, scope)?.as_ref())?;
            Published { epoch, cursor: head.floor, digest: head.floor_digest, state: Arc::new(state) }
        };
        self.advance(tx, scope, start).map(Some)
    }

    /// Folds what the log holds above a state into it.
    fn advance(&self, tx: &mut dyn ReadTx, scope: &Scope, mut at: Published) -> StoreResult<Published> {
        let Self::Machine(machine) = self else { return Ok(at) };
        let mut state: Option<Held> = None;
        tx.entries(scope, at.cursor, &mut |entry| {
            let state = state.get_or_insert_with(|| machine.copy(&**at.state));
            entry.changes.iter().for_each(|change| machine.fold(&mut **state, change));
            (at.cursor, at.digest) = (entry.last(), entry.digest);
            true
        })?;
        if let Some(state) = state {
            at.state = Arc::new(state);
        }
        Ok(at)
    }

    /// Folds an entry just made into the batch's state. The first fold of a batch copies what readers hold. A machine that
    /// panics inside leaves a state nobody may use: the caller loads it anew.
    pub(crate) fn fold(&self, working: &mut Working, scope: &Scope, entry: &Entry) {
        let (Self::Machine(machine), Some(at)) = (self, working.get_mut(scope)) else { return };
        if Arc::get_mut(&mut at.state).is_none() {
            at.state = Arc::new(machine.copy(&**at.state));
        }
        if let Some(state) = Arc::get_mut(&mut at.state) {
            entry.changes.iter().for_each(|change| machine.fold(&mut **state, change));
            (at.cursor, at.digest) = (entry.last(), entry.digest);
        }
    }

    /// A machine's state as JSON.
    pub(crate) fn save(&self, at: &Published) -> StoreResult<Json> {
        match self {
            Self::Machine(machine) => machine.save(&**at.state),
            Self::Mutators(_) => Ok(Json::null()),
        }
    }

    /// The typed state, if it is of this type.
    pub(crate) fn state_as<S: Clone + 'static>(at: &Published) -> Option<S> {
        (**at.state).downcast_ref::<S>().cloned()
    }

    /// Moves the base over these entries, which follow it.
    pub(crate) fn move_base(&self, tx: &mut dyn WriteTx, scope: &Scope, entries: &[Entry]) -> StoreResult<()> {
        match self {
            Self::Mutators(_) => {
                for change in entries.iter().flat_map(|entry| &entry.changes) {
                    match CollectionChange::read(change) {
                        Some(CollectionChange::Put { collection, id, value }) => {
                            tx.put(scope, Layer::Base, &collection, &id, &value)?;
                        }
                        Some(CollectionChange::Del { collection, id }) => {
                            tx.del(scope, Layer::Base, &collection, &id)?;
                        }
                        None => {}
                    }
                }
                Ok(())
            }
            Self::Machine(machine) => {
                let mut state = machine.open(base_text(tx, scope)?.as_ref())?;
                for change in entries.iter().flat_map(|entry| &entry.changes) {
                    machine.fold(&mut *state, change);
                }
                let (collection, id) = MACHINE_BASE;
                tx.put(scope, Layer::Base, collection, id, &machine.save(&*state)?)
            }
        }
    }

    /// Whether state lives in the application's own type.
    pub(crate) fn is_machine(&self) -> bool {
        matches!(self, Self::Machine(_))
    }
}

fn base_text(tx: &mut (impl ReadTx + ?Sized), scope: &Scope) -> StoreResult<Option<Json>> {
    let mut text = None;
    tx.each_entity(scope, Layer::Base, &mut |collection, id, json| {
        if (collection, id) == MACHINE_BASE {
            text = Some(Json::trusted(json));
        }
        Ok(())
    })?;
    Ok(text)
}

/// [`Machine`] with its state's type hidden.
pub(crate) trait Driver: Send + Sync {
    fn open(&self, base: Option<&Json>) -> StoreResult<Held>;
    fn copy(&self, state: &(dyn Any + Send + Sync)) -> Held;
    fn apply(&self, state: &(dyn Any + Send + Sync), mutation: &Mutation, ctx: &Ctx) -> Result<Vec<Json>, Reject>;
    fn fold(&self, state: &mut (dyn Any + Send + Sync), change: &Json);
    fn save(&self, state: &(dyn Any + Send + Sync)) -> StoreResult<Json>;
}

impl<M: Machine> Driver for M {
    fn open(&self, base: Option<&Json>) -> StoreResult<Held> {
        let state = match base {
            Some(json) => json.read::<M::State>().map_err(|error| {
                StoreError::Corrupt(format!("a base does not read as the machine's state: {error}"))
            })?,
            None => M::State::default(),
        };
        Ok(Box::new(state))
    }

    fn copy(&self, state: &(dyn Any + Send + Sync)) -> Held {
        // Only this driver makes states, so the type always fits.
        Box::new(state.downcast_ref::<M::State>().cloned().unwrap_or_default())
    }

    fn apply(&self, state: &(dyn Any + Send + Sync), mutation: &Mutation, ctx: &Ctx) -> Result<Vec<Json>, Reject> {
        match state.downcast_ref::<M::State>() {
            Some(state) => Machine::apply(self, state, mutation, ctx),
            None => Err(Reject::with(riverrun_core::Code::InternalError, None, "the state has a foreign type")),
        }
    }

    fn fold(&self, state: &mut (dyn Any + Send + Sync), change: &Json) {
        if let Some(state) = state.downcast_mut::<M::State>() {
            Machine::fold(self, state, change);
        }
    }

    fn save(&self, state: &(dyn Any + Send + Sync)) -> StoreResult<Json> {
        let state = state.downcast_ref::<M::State>();
        Json::of(&state)
            .map_err(|error| StoreError::Other(format!("the machine's state can't be written as JSON: {error}")))
    }
}
