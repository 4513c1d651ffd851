//! What a core shows: the view, what is pending, how the link stands. Reading changes nothing.

use riverrun_core::{ClientId, Cursor, Digest, Epoch, Json, MutationId};

use super::{Core, Replica, layer};
use crate::words::{Entry, Status};

/// A mutation that is not over: without a verdict, or accepted and not yet in the base.
#[derive(Debug, Clone, Copy)]
pub struct Pending<'a> {
    /// The mutation.
    pub entry: &'a Entry,
    /// It is replayed on top of the base; one that is not is in the base already and only waits for its verdict.
    pub shown: bool,
    /// It was sent in an earlier life and the base can't say yet whether it holds it: not shown until that is known.
    pub doubted: bool,
}

impl Replica {
    /// The entity as the user should see it: base + pending.
    pub fn get(&self, collection: &str, id: &str) -> Option<&Json> {
        layer::get(&[&self.view, &self.base], collection, id)
    }

    /// Up to `limit` entities of a collection whose id starts with `prefix` and is greater than `after`, in id order (by
    /// bytes, as the server orders them).
    pub fn list(&self, collection: &str, prefix: &str, after: Option<&str>, limit: usize) -> Vec<(&str, &Json)> {
        layer::list(&[&self.view, &self.base], collection, prefix, after, limit)
    }

    /// What is not over, in queue order.
    pub fn pending(&self) -> impl Iterator<Item = Pending<'_>> {
        self.items.values().map(|item| Pending {
            entry: &item.entry,
            shown: item.is_shown(),
            doubted: item.doubted && item.gone.is_none(),
        })
    }

    /// Whether a mutation is among them.
    pub fn is_pending(&self, id: &MutationId) -> bool {
        self.keys.contains_key(id)
    }

    /// There is a base that changes may be applied to. Before the first one, and between two, the view may be empty or old.
    pub fn is_valid(&self) -> bool {
        self.valid
    }

    /// Everything up to here is in the base.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// The digest of the log at the cursor, as the server said.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The history the cursor belongs to; `None` before the first base.
    pub fn epoch(&self) -> Option<&Epoch> {
        self.epoch.as_ref()
    }

    /// Under which id mutations are numbered.
    pub fn client(&self) -> Option<&ClientId> {
        self.client.as_ref()
    }
}

impl Core {
    /// The entity as the user should see it: base + pending.
    pub fn get(&self, collection: &str, id: &str) -> Option<&Json> {
        self.replica.get(collection, id)
    }

    /// Up to `limit` entities of a collection whose id starts with `prefix` and is greater than `after`, in id order (by
    /// bytes, as the server orders them).
    pub fn list(&self, collection: &str, prefix: &str, after: Option<&str>, limit: usize) -> Vec<(&str, &Json)> {
        self.replica.list(collection, prefix, after, limit)
    }

    /// How many entities a collection has in the view.
    pub fn count(&self, collection: &str) -> usize {
        self.list(collection, "", None, usize::MAX).len()
    }

    /// The same without what is pending: what the server's history says at [`Self::cursor`].
    pub fn base(&self, collection: &str) -> Vec<(&str, &Json)> {
        layer::list(&[&self.replica.base], collection, "", None, usize::MAX)
    }

    /// Every entity of the base: collection, id and value.
    pub fn base_rows(&self) -> impl Iterator<Item = (&str, &str, &Json)> {
        self.replica.base.rows()
    }

    /// What is not over, in queue order.
    pub fn pending(&self) -> impl Iterator<Item = Pending<'_>> {
        self.replica.pending()
    }

    /// Whether a mutation is among them.
    pub fn is_pending(&self, id: &MutationId) -> bool {
        self.replica.is_pending(id)
    }

    /// How the link stands.
    pub fn status(&self) -> &Status {
        &self.standing.now
    }

    /// There is a base that changes may be applied to. Before the first one, and between two, the view may be empty or old.
    pub fn is_valid(&self) -> bool {
        self.replica.valid
    }

    /// Everything up to here is in the base.
    pub fn cursor(&self) -> Cursor {
        self.replica.cursor
    }

    /// The digest of the log at the cursor, as the server said.
    pub fn digest(&self) -> Digest {
        self.replica.digest
    }

    /// The history the cursor belongs to; `None` before the first base.
    pub fn epoch(&self) -> Option<&Epoch> {
        self.replica.epoch.as_ref()
    }

    /// Under which id mutations are numbered; `None` before the start.
    pub fn client(&self) -> Option<&ClientId> {
        self.replica.client.as_ref()
    }
}
