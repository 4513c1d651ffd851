//! The `Store` contract: what the engine needs of a database, and nothing of what it decides with it. A store keeps rows
//! and makes transactions; identity, order, verdicts, cursors and digests are the engine's, written once above it.
//!
//! # The contract
//!
//! **Isolation.** [`Store::write`] runs its closure in one transaction that is serial with every other write of the same
//! log: what it reads cannot change before it commits. [`Store::read`] runs its closure on one snapshot: everything it
//! reads is of one moment, at or after the last commit that had returned when the read began. Reads never wait for a write.
//!
//! **Atomicity and durability.** When `write` returns `Ok`, all of it is on stable storage. When the closure returns `Err`,
//! or `write` does, a reader sees none of it; after a crash, all or none. A commit that failed is never reported as done.
//! The one answer that may be either is an error out of `write` itself: the engine calls it `unavailable`, and a retry finds
//! out by the mutation's id.
//!
//! **Savepoints.** [`WriteTx::savepoint`], [`WriteTx::rollback`] and [`WriteTx::release`] come in flat pairs, never nested.
//! After a rollback everything done since the savepoint is undone, including what the application did through
//! [`WriteTx::host`].
//!
//! **Order.** Texts compare by their UTF-8 bytes everywhere. Iterations are in the order each method names.
//!
//! **Bytes.** A JSON text is given back byte for byte as it was put.
//!
//! **Blocking.** Every method blocks; none may be called on a thread that drives an async runtime. Closures are called
//! exactly once.
//!
//! **Keys.** `scope`, `collection`, `id`, `client`, `principal` are short texts already checked by core's types.
//!
//! What a store must not do: interpret JSON, read a clock, assign a cursor, retry a commit, or drop an error.

use std::{any::Any, path::Path};

use riverrun_core::{ClientId, Cursor, Digest, Epoch, Json, Millis, MutationId, Principal, Scope, Seq, Verdict};

mod boxed;
mod survey;

pub use survey::Survey;

/// Why a store could not do what it was asked. Whatever the kind, nothing of the transaction is visible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room on the disk. Goes away when there is room again.
    #[error("no room left to write")]
    Full,
    /// Somebody else holds the database for longer than the store waits.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// Reading or writing failed.
    #[error("reading or writing failed: {0}")]
    Io(String),
    /// A sync failed: what is on disk is unknown until the database is opened anew, so this store writes no more.
    #[error("a sync to disk failed; this process writes no more until it is started again: {0}")]
    SyncFailed(String),
    /// What is stored contradicts itself.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// What store methods return.
pub type StoreResult<T> = Result<T, StoreError>;

/// Where a scope's log stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// The last change's cursor.
    pub cursor: Cursor,
    /// The digest at that cursor.
    pub digest: Digest,
    /// The log holds the changes after this cursor; the base is the state at it. Always a mutation's end.
    pub floor: Cursor,
    /// The digest at the floor.
    pub floor_digest: Digest,
}

/// One mutation's effects in one scope: the log's unit. A mutation without changes in a scope has no entry there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The cursor of its first change.
    pub first: Cursor,
    /// The digest after its last change.
    pub digest: Digest,
    /// When it was decided.
    pub time: Millis,
    /// The mutation.
    pub mutation: MutationId,
    /// The changes' data, in order; never empty.
    pub changes: Vec<Json>,
}

impl Entry {
    /// The cursor of its last change: `first + changes − 1`.
    pub fn last(&self) -> Cursor {
        Cursor(self.first.0 + self.changes.len() as u64 - 1)
    }
}

/// Where an entry came from, kept beside it for people to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The mutation's type.
    pub name: String,
    /// Its arguments, as they came.
    pub args: Json,
    /// Who asked for it.
    pub principal: Principal,
    /// Its place among its client's mutations.
    pub place: Option<(ClientId, Seq)>,
}

/// A recorded verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The mutation.
    pub id: MutationId,
    /// Its place among its client's mutations.
    pub place: Option<(ClientId, Seq)>,
    /// What the mutation was: equal type and args have equal fingerprints; 0 for a void.
    pub fingerprint: u64,
    /// When it was decided.
    pub time: Millis,
    /// The outcome.
    pub verdict: Verdict,
}

/// How far a client's mutations in a scope are decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermark {
    /// The highest decided seq; all below it are decided too.
    pub last_seq: Seq,
    /// When the client was last heard of in this scope.
    pub seen: Millis,
    /// When the youngest of its decided mutations was made, as their ids tell; 0 where none tells.
    pub made: Millis,
}

/// Which tables of entities is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// The state at the head.
    Current,
    /// The state at the floor, from which the log is replayed.
    Base,
}

/// Which part of a collection to list.
#[derive(Debug, Clone, Copy)]
pub struct Range<'a> {
    /// Only ids that start with this.
    pub prefix: &'a str,
    /// Only ids greater than this.
    pub after: Option<&'a str>,
    /// At most this many.
    pub limit: usize,
}

/// How many verdicts a pruning removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// Removed in all.
    pub verdicts: usize,
    /// Of those, known by their id alone.
    pub by_id_alone: usize,
}

/// A database the engine can live on. See the [contract](self).
pub trait Store: Send + Sync + 'static {
    /// Runs `work` in one write transaction and commits it durably if it returns `Ok`.
    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> StoreResult<()>) -> StoreResult<()>;

    /// Runs `work` on one snapshot.
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> StoreResult<()>) -> StoreResult<()>;

    /// What and where it is, for people: `SQLite, app.db`.
    fn describe(&self) -> String;

    /// Writes everything as of one moment, the application's own tables too, to a new file that a restore of this store
    /// takes, and returns when it is on stable storage. Writers don't wait. `progress(done, of)` counts units of the store's
    /// own. A database with tools of its own for this answers with an error that names them.
    fn backup(&self, file: &Path, progress: &mut dyn FnMut(u64, u64)) -> StoreResult<()> {
        let _ = (file, progress);
        Err(StoreError::Other(format!(
            "{} has no backup of its own; use the database's tools, or an export",
            self.describe()
        )))
    }
}

/// What can be read of one moment.
pub trait ReadTx: Survey {
    /// The log's identity.
    fn epoch(&mut self) -> StoreResult<Epoch>;

    /// Where a scope's log stands; `None` if nothing was ever written there.
    fn head(&mut self, scope: &Scope) -> StoreResult<Option<Head>>;

    /// The entry that holds the change at this cursor, if the log still has it.
    fn entry_at(&mut self, scope: &Scope, cursor: Cursor) -> StoreResult<Option<Entry>>;

    /// The entries that hold changes after this cursor, in order, until `sink` returns `false`. The first may begin at or
    /// below `after`, if that lies inside it.
    fn entries(&mut self, scope: &Scope, after: Cursor, sink: &mut dyn FnMut(Entry) -> bool) -> StoreResult<()>;

    /// Where the entry that ends at this cursor came from.
    fn origin(&mut self, scope: &Scope, last: Cursor) -> StoreResult<Option<Origin>>;

    /// One entity's JSON at the head.
    fn entity(&mut self, scope: &Scope, collection: &str, id: &str) -> StoreResult<Option<Json>>;

    /// Part of a collection at the head, in id order.
    fn entities(&mut self, scope: &Scope, collection: &str, range: Range<'_>) -> StoreResult<Vec<(Box<str>, Json)>>;

    /// All entities of a scope, in order of collection and id: `sink(collection, id, json)`.
    fn each_entity(
        &mut self,
        scope: &Scope,
        layer: Layer,
        sink: &mut dyn FnMut(&str, &str, &str) -> StoreResult<()>,
    ) -> StoreResult<()>;

    /// Who first used this client id, if it is known.
    fn owner(&mut self, client: &ClientId) -> StoreResult<Option<Principal>>;

    /// How far this client's mutations in this scope are decided, if it is known there.
    fn watermark(&mut self, scope: &Scope, client: &ClientId) -> StoreResult<Option<Watermark>>;

    /// The verdict recorded for this id.
    fn verdict(&mut self, scope: &Scope, principal: &Principal, id: &MutationId) -> StoreResult<Option<Record>>;

    /// Whether a verdict is kept for this place of this client.
    fn decided_at(&mut self, scope: &Scope, client: &ClientId, seq: Seq) -> StoreResult<bool>;

    /// Verdicts by id alone that were decided before this moment may have been forgotten.
    fn forgotten_before(&mut self) -> StoreResult<Millis>;

    /// Up to `limit` scopes that come after this one, in order.
    fn scopes(&mut self, after: Option<&Scope>, limit: usize) -> StoreResult<Vec<Scope>>;

    /// This transaction as the store's own type, for tables of the application's own.
    fn host(&self) -> Option<&dyn Any> {
        None
    }
}

/// What can be written in one transaction. Reads see its own writes.
pub trait WriteTx: ReadTx {
    /// Marks the place [`Self::rollback`] goes back to.
    fn savepoint(&mut self) -> StoreResult<()>;

    /// Undoes everything since the savepoint, and forgets it.
    fn rollback(&mut self) -> StoreResult<()>;

    /// Keeps everything since the savepoint, and forgets it.
    fn release(&mut self) -> StoreResult<()>;

    /// Where a scope's log stands, held against every other writer until the commit. A new scope stands at zero.
    fn lock(&mut self, scope: &Scope) -> StoreResult<Head>;

    /// Moves a locked scope's head.
    fn set_head(&mut self, scope: &Scope, head: &Head) -> StoreResult<()>;

    /// Appends an entry to a locked scope.
    fn append(&mut self, scope: &Scope, entry: &Entry, origin: &Origin) -> StoreResult<()>;

    /// Writes an entity.
    fn put(&mut self, scope: &Scope, layer: Layer, collection: &str, id: &str, value: &Json) -> StoreResult<()>;

    /// Removes an entity, if it is there.
    fn del(&mut self, scope: &Scope, layer: Layer, collection: &str, id: &str) -> StoreResult<()>;

    /// Remembers who owns a client id.
    fn set_owner(&mut self, client: &ClientId, principal: &Principal) -> StoreResult<()>;

    /// Moves a client's watermark in a scope.
    fn set_watermark(&mut self, scope: &Scope, client: &ClientId, watermark: &Watermark) -> StoreResult<()>;

    /// Records a verdict. The id has none yet.
    fn record(&mut self, scope: &Scope, principal: &Principal, record: &Record) -> StoreResult<()>;

    /// Removes the entries that end at or below this cursor.
    fn trim(&mut self, scope: &Scope, up_to: Cursor) -> StoreResult<()>;

    /// Removes up to `limit` verdicts decided before a moment; but of a client known in the scope, not those of its last
    /// `keep` places there.
    fn forget_verdicts(&mut self, before: Millis, keep: u64, limit: usize) -> StoreResult<Forgotten>;

    /// Removes up to `limit` watermarks last seen before a moment, and the owners of client ids left without any. Says how
    /// many watermarks went.
    fn forget_clients(&mut self, before: Millis, limit: usize) -> StoreResult<usize>;

    /// Remembers the moment for [`ReadTx::forgotten_before`].
    fn set_forgotten_before(&mut self, moment: Millis) -> StoreResult<()>;

    /// Gives the log a new identity.
    fn set_epoch(&mut self, epoch: &Epoch) -> StoreResult<()>;
}

/// [`Store::read`] with a result.
pub fn read<T>(store: &dyn Store, work: impl FnOnce(&mut dyn ReadTx) -> StoreResult<T>) -> StoreResult<T> {
    let mut work = Some(work);
    let mut result = None;
    store.read(&mut |tx| {
        if let Some(work) = work.take() {
            result = Some(work(tx)?);
        }
        Ok(())
    })?;
    result.ok_or_else(|| StoreError::Other("the store did not run the read".into()))
}

/// [`Store::write`] with a result.
pub fn write<T>(store: &dyn Store, work: impl FnOnce(&mut dyn WriteTx) -> StoreResult<T>) -> StoreResult<T> {
    let mut work = Some(work);
    let mut result = None;
    store.write(&mut |tx| {
        if let Some(work) = work.take() {
            result = Some(work(tx)?);
        }
        Ok(())
    })?;
    result.ok_or_else(|| StoreError::Other("the store did not run the write".into()))
}
