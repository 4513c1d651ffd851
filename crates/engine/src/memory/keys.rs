//! The keys of the tables. Their fields stand in the order the rows are read in; texts compare by their bytes, as `str`
//! does. They hold no rule of their own.

use std::{cmp::Ordering, sync::Arc};

use riverrun_core::{ClientId, Cursor, Millis, MutationId, Principal, Scope, Seq};

/// An entry, by where it ends.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EntryKey {
    pub(super) scope: Scope,
    pub(super) last: Cursor,
}

/// An entity.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EntityKey {
    pub(super) scope: Scope,
    pub(super) collection: Arc<str>,
    pub(super) id: Arc<str>,
}

impl EntityKey {
    /// How this key stands to another one, which need not be made for it.
    pub(super) fn order(&self, scope: &Scope, collection: &str, id: &str) -> Ordering {
        (&self.scope, &*self.collection, &*self.id).cmp(&(scope, collection, id))
    }
}

/// A watermark. The client stands first: what is asked is whether a client has any left.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MarkKey {
    pub(super) client: ClientId,
    pub(super) scope: Scope,
}

/// A watermark, by when its client was last seen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SeenKey {
    pub(super) seen: Millis,
    pub(super) mark: MarkKey,
}

/// A verdict.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct VerdictKey {
    pub(super) scope: Scope,
    pub(super) principal: Principal,
    pub(super) id: MutationId,
}

/// A verdict, by when it was decided.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DecidedKey {
    pub(super) time: Millis,
    pub(super) verdict: VerdictKey,
}

/// A verdict's place, and whose it is: two principals could have used one client id before it had an owner.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PlaceKey {
    pub(super) scope: Scope,
    pub(super) client: ClientId,
    pub(super) seq: Seq,
    pub(super) principal: Principal,
    pub(super) id: MutationId,
}
