//! Answers "what happened since?": judges the reader's cursor against the store, then pages the log, never ending inside a
//! mutation.

use riverrun_core::{
    Change, ClientId, Code, Cursor, Digest, Epoch, Principal, Scope, Seq, limits,
    wire::{PullAnswer, PullRequest},
};

use crate::{
    digests,
    error::Refused,
    kernel::Kernel,
    planted::{Bug, is},
    store::{self, Entry, Head, ReadTx, StoreError, StoreResult},
};

/// A stretch of a scope's log, from one cursor to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The cursor before its first change.
    pub from: Cursor,
    /// Its changes.
    pub changes: Vec<Change>,
    /// The cursor of its last change; `from` if it has none.
    pub cursor: Cursor,
    /// The digest at that cursor.
    pub digest: Digest,
    /// The head it was read under.
    pub head: Cursor,
}

impl Kernel {
    /// Answers a pull, without waiting. Access is the caller's to check.
    pub fn pull(&self, principal: &Principal, ask: &PullRequest) -> Result<PullAnswer, Refused> {
        store::read(&*self.store, |tx| {
            let (epoch, head) = (tx.epoch()?, tx.head(&ask.scope)?.unwrap_or_default());
            if let Err(no) = judge(tx, &ask.scope, &head, ask.cursor, &epoch, ask.epoch.as_ref(), ask.digest)? {
                return Ok(Err(no));
            }
            let last_seq = match last_seq(tx, principal, &ask.scope, ask.client.as_ref())? {
                Ok(last_seq) => last_seq,
                Err(no) => return Ok(Err(no)),
            };
            let page = page(tx, &ask.scope, &head, ask.cursor, ask.page(), limits::PAGE_BYTES)?;
            Ok(Ok(PullAnswer {
                has_more: page.cursor < head.cursor,
                next_cursor: page.cursor,
                digest: page.digest,
                changes: page.changes,
                epoch,
                last_seq,
            }))
        })?
    }
}

/// Whether a reader's cursor means this history. The outer error is the store's.
pub(crate) fn judge(
    tx: &mut dyn ReadTx,
    scope: &Scope,
    head: &Head,
    cursor: Cursor,
    epoch: &Epoch,
    meant: Option<&Epoch>,
    digest: Option<Digest>,
) -> StoreResult<Result<(), Refused>> {
    if meant.is_some_and(|meant| meant != epoch && !is(Bug::NoEpochOnPull)) || cursor > head.cursor {
        return Ok(Err(Refused::epoch_changed()));
    }
    if cursor < head.floor {
        let error = format!("the log of this scope begins after change {}: take a snapshot", head.floor);
        return Ok(Err(Refused::new(Code::CursorTooOld, error)));
    }
    match digest {
        Some(digest) if !is(Bug::NoDigest) && digests::at(tx, scope, head, cursor)? != digest => {
            Ok(Err(Refused::epoch_changed()))
        }
        _ => Ok(Ok(())),
    }
}

/// A client's watermark, for whom it belongs to. A client that is not known yet has decided nothing.
pub(crate) fn last_seq(
    tx: &mut dyn ReadTx,
    principal: &Principal,
    scope: &Scope,
    client: Option<&ClientId>,
) -> StoreResult<Result<Option<Seq>, Refused>> {
    let Some(client) = client else { return Ok(Ok(None)) };
    if tx.owner(client)?.is_some_and(|owner| owner != *principal) {
        return Ok(Err(Refused::new(Code::Forbidden, "this client id belongs to somebody else")));
    }
    let mark = tx.watermark(scope, client)?;
    Ok(Ok(Some(mark.map_or(Seq::ZERO, |mark| mark.last_seq))))
}

/// The changes after a cursor the head has been judged to hold.
pub(crate) fn page(
    tx: &mut dyn ReadTx,
    scope: &Scope,
    head: &Head,
    from: Cursor,
    wish: u64,
    max_bytes: usize,
) -> StoreResult<Page> {
    let mut changes = Vec::new();
    let mut bytes = 0;
    let mut end = None;
    tx.entries(scope, from, &mut |entry| {
        bytes += entry.changes.iter().map(|data| data.as_str().len()).sum::<usize>();
        end = Some((entry.last(), entry.digest));
        changes.extend(entry_changes(scope, &entry).filter(|change| change.cursor > from));
        (changes.len() as u64) < wish && bytes < max_bytes
    })?;
    let wish = usize::try_from(wish).unwrap_or(usize::MAX);
    if changes.len() > wish && is(Bug::PageCut) {
        changes.truncate(wish);
        let cut = changes.last().map_or(from, |change: &Change| change.cursor);
        end = Some((cut, digests::at(tx, scope, head, cut)?));
    }
    let (cursor, digest) = match end {
        Some(end) => end,
        // Told as an empty page with more behind it, a reader would ask for it for ever.
        None if from < head.cursor => {
            let error = format!("the log of {scope} has nothing after change {from}, and its head is {}", head.cursor);
            return Err(StoreError::Corrupt(error));
        }
        None => (from, digests::at(tx, scope, head, from)?),
    };
    Ok(Page { from, changes, cursor, digest, head: head.cursor })
}

/// An entry's changes as readers receive them.
pub(crate) fn entry_changes<'a>(scope: &'a Scope, entry: &'a Entry) -> impl Iterator<Item = Change> + 'a {
    (entry.first.0..).zip(&entry.changes).map(move |(cursor, data)| Change {
        cursor: Cursor(cursor),
        scope: scope.clone(),
        time: entry.time,
        mutation: entry.mutation.clone(),
        data: data.clone(),
    })
}
