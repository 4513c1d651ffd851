//! What a mutator works on: the state of its scope, inside the transaction that will also hold the log's entry. Every
//! write becomes a change by itself. A store failure is remembered here, whatever the mutator makes of it.

use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::any::Any;

use serde::Serialize;

use crate::{CollectionChange, Ctx, Entity, Json, Millis, Principal, Reject, Scope, limits};

/// The store failed; what exactly is the store's to know and the engine's to handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store could not be reached")]
pub struct Unavailable;

/// The state of collections, as a transaction of some store gives it to [`Tx`].
pub trait State {
    /// One entity's JSON.
    fn get(&mut self, scope: &Scope, collection: &str, id: &str) -> Result<Option<Json>, Unavailable>;
    /// Writes one entity.
    fn put(&mut self, scope: &Scope, collection: &str, id: &str, value: &Json) -> Result<(), Unavailable>;
    /// Removes one entity.
    fn del(&mut self, scope: &Scope, collection: &str, id: &str) -> Result<(), Unavailable>;
    /// Up to `limit` entities whose id starts with `prefix` and is greater than `after`, in id order (by bytes).
    fn list(
        &mut self,
        scope: &Scope,
        collection: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Box<str>, Json)>, Unavailable>;
    /// The store's own transaction, for tables of the application's own; a store's crate knows its type.
    fn host(&self) -> Option<&dyn Any> {
        None
    }
}

/// What one mutation did so far: where it may write, its changes in order, and whether the store failed underneath it.
#[derive(Debug, Default)]
pub struct Journal {
    scopes: Vec<Scope>,
    changes: Vec<(usize, Json)>,
    bytes: usize,
    ids: u32,
    failed: bool,
}

impl Journal {
    /// A mutation's journal: its own scope, and the others it declared.
    pub fn new(own: Scope, others: impl IntoIterator<Item = Scope>) -> Self {
        let mut scopes = alloc::vec![own];
        for scope in others {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        Self { scopes, ..Self::default() }
    }

    /// The scopes it may write to, its own first.
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// The changes of one of its scopes (by its place in [`Self::scopes`]), in the order they were made.
    pub fn changes(&self, scope: usize) -> impl Iterator<Item = &Json> {
        self.changes.iter().filter(move |(of, _)| *of == scope).map(|(_, data)| data)
    }

    /// The store failed while the mutator ran: nothing it returned can be believed.
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// Adds a change, within the limits of one mutation.
    pub fn add(&mut self, scope: usize, data: Json) -> Result<(), Reject> {
        self.bytes += data.as_str().len();
        if self.changes.len() >= limits::MUTATION_CHANGES || self.bytes > limits::MUTATION_BYTES {
            return Err(Reject::too_large(format!(
                "one mutation may make at most {} changes of {} bytes together",
                limits::MUTATION_CHANGES,
                limits::MUTATION_BYTES
            )));
        }
        self.changes.push((scope, data));
        Ok(())
    }
}

/// A mutator's transaction on one scope.
///
/// Reads see the mutator's own writes. Nothing is visible to anyone else until the mutator has returned `Ok` and the
/// commit is on disk; when it returns `Err`, none of it ever is.
pub struct Tx<'a> {
    ctx: &'a Ctx,
    state: &'a mut dyn State,
    journal: &'a mut Journal,
    scope: usize,
}

impl<'a> Tx<'a> {
    /// A transaction for one mutation; the engine makes these.
    pub fn new(ctx: &'a Ctx, state: &'a mut dyn State, journal: &'a mut Journal) -> Self {
        Self { ctx, state, journal, scope: 0 }
    }

    /// The circumstances of this mutation.
    pub fn ctx(&self) -> &Ctx {
        self.ctx
    }

    /// Who asked for this mutation.
    pub fn principal(&self) -> &Principal {
        &self.ctx.principal
    }

    /// When the server decides this mutation. The only clock a mutator may use.
    pub fn time(&self) -> Millis {
        self.ctx.time
    }

    /// A new id, the same whenever this mutation is run again: the mutation's id and a number.
    pub fn new_id(&mut self) -> String {
        self.journal.ids += 1;
        format!("{}.{}", self.ctx.mutation, self.journal.ids)
    }

    /// The scope this transaction reads and writes.
    pub fn scope(&self) -> &Scope {
        &self.journal.scopes[self.scope]
    }

    /// The same transaction on another scope, which must have been declared where the mutator was registered.
    pub fn at(&mut self, scope: impl TryInto<Scope, Error: core::fmt::Display>) -> Result<Tx<'_>, Reject> {
        let scope = scope.try_into().map_err(|error| Reject::invalid(error.to_string()))?;
        let Some(place) = self.journal.scopes.iter().position(|known| *known == scope) else {
            return Err(Reject::forbidden(format!(
                "{} may not touch {scope}: the scope is not declared",
                self.ctx.name
            )));
        };
        Ok(Tx { ctx: self.ctx, state: &mut *self.state, journal: &mut *self.journal, scope: place })
    }

    /// Adds an entity. An entity with this id that exists already is a `conflict`.
    pub fn insert<T: Entity>(&mut self, entity: &T) -> Result<(), Reject> {
        if self.raw(T::COLLECTION, entity.id())?.is_some() {
            return Err(Reject::conflict(format!("{} {} exists already", T::COLLECTION, entity.id())));
        }
        self.put(entity)
    }

    /// The entity with this id.
    pub fn get<T: Entity>(&mut self, id: &str) -> Result<Option<T>, Reject> {
        self.raw(T::COLLECTION, id)?.map(|json| decode::<T>(id, &json)).transpose()
    }

    /// Writes an entity, whether or not one with its id is there.
    pub fn put<T: Entity>(&mut self, entity: &T) -> Result<(), Reject> {
        let value = encode(entity)?;
        self.write(T::COLLECTION, entity.id(), value)
    }

    /// Reads an entity, lets `edit` change it, and writes it back if it did. An entity that is not there is `not_found`.
    pub fn update<T: Entity>(&mut self, id: &str, edit: impl FnOnce(&mut T)) -> Result<(), Reject> {
        let Some(before) = self.raw(T::COLLECTION, id)? else {
            return Err(Reject::not_found(format!("there is no {} {id}", T::COLLECTION)));
        };
        let mut entity = decode::<T>(id, &before)?;
        edit(&mut entity);
        if entity.id() != id {
            return Err(Reject::invalid(format!("the id of {} {id} can't be changed", T::COLLECTION)));
        }
        let value = encode(&entity)?;
        if value == before {
            return Ok(());
        }
        self.write(T::COLLECTION, id, value)
    }

    /// Removes an entity and says whether there was one. Deleting what is not there changes nothing.
    pub fn delete<T: Entity>(&mut self, id: &str) -> Result<bool, Reject> {
        if self.raw(T::COLLECTION, id)?.is_none() {
            return Ok(false);
        }
        let scope = self.journal.scopes[self.scope].clone();
        self.journal.add(self.scope, CollectionChange::del(T::COLLECTION, id).to_json())?;
        let done = self.state.del(&scope, T::COLLECTION, id);
        self.reached(done)?;
        Ok(true)
    }

    /// Up to `limit` entities whose id starts with `prefix`, in id order.
    pub fn list<T: Entity>(&mut self, prefix: &str, limit: usize) -> Result<Vec<T>, Reject> {
        self.list_after(prefix, None, limit)
    }

    /// As [`Self::list`], only those after this id: the next page.
    pub fn list_after<T: Entity>(&mut self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<T>, Reject> {
        let scope = self.journal.scopes[self.scope].clone();
        let rows = self.state.list(&scope, T::COLLECTION, prefix, after, limit);
        self.reached(rows)?.iter().map(|(id, json)| decode(id, json)).collect()
    }

    /// Appends a change of the application's own to the log: readers receive it, no collection changes.
    pub fn emit(&mut self, data: &impl Serialize) -> Result<(), Reject> {
        let data = encode(data)?;
        if CollectionChange::read(&data).is_some() {
            return Err(Reject::invalid("this change reads as a collection's: write it with put or delete"));
        }
        self.journal.add(self.scope, data)
    }

    /// The store's own transaction; use the function of the store's crate (`riverrun_sqlite::tx`) instead.
    pub fn host(&self) -> Option<&dyn Any> {
        self.state.host()
    }

    /// Remembers that the store failed underneath the mutator: the whole batch rolls back, whatever the mutator returns.
    /// For the crates of stores, whose own access fails outside of [`State`].
    pub fn latch(&mut self) -> Reject {
        self.journal.failed = true;
        Reject::unavailable()
    }

    fn raw(&mut self, collection: &str, id: &str) -> Result<Option<Json>, Reject> {
        check_key(collection, id)?;
        let scope = self.journal.scopes[self.scope].clone();
        let got = self.state.get(&scope, collection, id);
        self.reached(got)
    }

    fn write(&mut self, collection: &str, id: &str, value: Json) -> Result<(), Reject> {
        check_key(collection, id)?;
        let scope = self.journal.scopes[self.scope].clone();
        self.journal.add(self.scope, CollectionChange::put(collection, id, value.clone()).to_json())?;
        let done = self.state.put(&scope, collection, id, &value);
        self.reached(done)
    }

    fn reached<T>(&mut self, result: Result<T, Unavailable>) -> Result<T, Reject> {
        result.map_err(|Unavailable| self.latch())
    }
}

fn check_key(collection: &str, id: &str) -> Result<(), Reject> {
    for (what, key) in [("a collection's name", collection), ("an id", id)] {
        if key.is_empty() || key.len() > limits::KEY_BYTES || key.contains(char::is_control) {
            let max = limits::KEY_BYTES;
            return Err(Reject::invalid(format!("{what} must be 1 to {max} bytes without control characters")));
        }
    }
    Ok(())
}

fn encode(value: &impl Serialize) -> Result<Json, Reject> {
    Json::of(value).map_err(|error| Reject::invalid(format!("a value can't be stored: {error}")))
}

fn decode<T: Entity>(id: &str, json: &Json) -> Result<T, Reject> {
    let broken = |why: &str| {
        let what = T::COLLECTION;
        let error = format!("the stored {what} {id} does not read as its type: {why}");
        Reject::with(crate::Code::InternalError, None, error)
    };
    let entity: T = json.read().map_err(|error| broken(&error.to_string()))?;
    // A mutator goes on from the last id it saw: one that lies before its place would make it go round for ever.
    if entity.id() != id {
        return Err(broken("it says that it is another one"));
    }
    Ok(entity)
}
