//! The part of the [contract](super) that tools need: everything of a scope, page by page or row by row, and what the store
//! itself finds wrong with its rows. No request of a client is ever answered through it.

use riverrun_core::{ClientId, Cursor, MutationId, Principal, Scope};

use super::{Entry, Origin, Record, StoreResult, Watermark};

/// What tools read of one moment. A page is one of several: it begins after the key it is given, and one that holds fewer
/// rows than its limit is the last.
pub trait Survey {
    /// The entries that hold changes after this cursor with where they came from, in order, until `sink` returns `false`.
    fn logged(
        &mut self,
        scope: &Scope,
        after: Cursor,
        sink: &mut dyn FnMut(Entry, Origin) -> StoreResult<bool>,
    ) -> StoreResult<()>;

    /// Up to `limit` verdicts of a scope, in order of principal and mutation.
    fn verdicts(
        &mut self,
        scope: &Scope,
        after: Option<(&Principal, &MutationId)>,
        limit: usize,
    ) -> StoreResult<Vec<(Principal, Record)>>;

    /// Up to `limit` watermarks of a scope, in order of client.
    fn watermarks(
        &mut self,
        scope: &Scope,
        after: Option<&ClientId>,
        limit: usize,
    ) -> StoreResult<Vec<(ClientId, Watermark)>>;

    /// Up to `limit` clients with their owners, in order of client.
    fn owners(&mut self, after: Option<&ClientId>, limit: usize) -> StoreResult<Vec<(ClientId, Principal)>>;

    /// What the store finds wrong with its own structure, a sentence each; nothing if all is well. May read all it has.
    fn defects(&mut self, sink: &mut dyn FnMut(&str)) -> StoreResult<()>;
}
