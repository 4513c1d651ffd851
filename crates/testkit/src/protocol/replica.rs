//! What a client makes of a scope: it starts from a snapshot or from nothing, applies changes, and checks on the way what
//! every reader is promised: no cursor missing, none twice, and a digest that follows from what it saw. It rolls the
//! digests itself, from what stands on the wire.

use std::collections::BTreeMap;

use riverrun_core::{
    Change, CollectionChange, Cursor, Digest, Json, Scope,
    wire::{PullAnswer, SnapshotAnswer},
};
use riverrun_engine::{Commit, Page};

/// Collections by name and id, as texts.
pub(super) type Rows = BTreeMap<(String, String), String>;

/// A reader's copy of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Replica {
    scope: Scope,
    pub(super) cursor: Cursor,
    pub(super) digest: Digest,
    pub(super) rows: Rows,
    /// The data of every change it applied, in order.
    pub(super) seen: Vec<Json>,
}

impl Replica {
    /// Nothing seen yet.
    pub(super) fn empty(scope: &str) -> Self {
        let scope = super::world::scope(scope);
        Self { scope, cursor: Cursor::ZERO, digest: Digest::EMPTY, rows: Rows::new(), seen: Vec::new() }
    }

    /// Begins with a snapshot of collections.
    pub(super) fn from_snapshot(scope: &str, snapshot: &SnapshotAnswer) -> Self {
        let rows = rows(&snapshot.data);
        Self { cursor: snapshot.cursor, digest: snapshot.digest, rows, ..Self::empty(scope) }
    }

    /// Applies one change.
    pub(super) fn apply(&mut self, change: &Change) {
        assert_eq!(change.cursor, self.cursor.next(), "cursors go up by one, without a gap and without a repeat");
        assert_eq!(change.scope, self.scope, "a change names its scope");
        self.cursor = change.cursor;
        self.digest = self.digest.roll(change.cursor, change.time, &change.mutation, change.data.as_str());
        match CollectionChange::read(&change.data) {
            Some(CollectionChange::Put { collection, id, value }) => {
                self.rows.insert((collection, id), value.as_str().into());
            }
            Some(CollectionChange::Del { collection, id }) => {
                assert!(self.rows.remove(&(collection, id)).is_some(), "what was not there can't be deleted");
            }
            None => {}
        }
        self.seen.push(change.data.clone());
    }

    fn apply_all(&mut self, changes: &[Change], cursor: Cursor, digest: Digest) {
        for change in changes {
            self.apply(change);
        }
        assert_eq!((self.cursor, self.digest), (cursor, digest), "cursor and digest are those of the last change");
    }

    /// Applies a pull's answer.
    pub(super) fn pulled(&mut self, answer: &PullAnswer) {
        self.apply_all(&answer.changes, answer.next_cursor, answer.digest);
    }

    /// Applies a subscription's page.
    pub(super) fn paged(&mut self, page: &Page) {
        assert_eq!(page.from, self.cursor, "a page follows what its reader has");
        self.apply_all(&page.changes, page.cursor, page.digest);
    }

    /// Applies a commit heard live.
    pub(super) fn heard(&mut self, commit: &Commit) {
        assert_eq!(commit.from, self.cursor, "a commit follows what its reader has");
        let changes = commit.changes().expect("only a commit that carries its changes is passed on");
        self.apply_all(&changes, commit.cursor, commit.digest);
    }

    /// Holds this state to be the snapshot's.
    pub(super) fn must_be(&self, snapshot: &SnapshotAnswer) {
        assert_eq!((self.cursor, self.digest), (snapshot.cursor, snapshot.digest));
        assert_eq!(self.rows, rows(&snapshot.data));
    }
}

/// The rows of a snapshot of collections.
pub(super) fn rows(data: &Json) -> Rows {
    let collections: BTreeMap<String, BTreeMap<String, Json>> =
        data.read().expect("a snapshot is {collection: {id: …}}");
    let flat = collections.into_iter().flat_map(|(collection, entities)| {
        entities.into_iter().map(move |(id, json)| ((collection.clone(), id), json.as_str().to_string()))
    });
    flat.collect()
}
