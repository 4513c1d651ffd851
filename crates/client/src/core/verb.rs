//! What is done to a replica, as data: whoever records a replica's verbs can do the same to another one and must see the
//! same. It never decides anything.

use riverrun_core::{Change, ClientId, Cursor, Digest, Epoch, MutationId, Seq, wire::SnapshotAnswer};

use crate::{
    saved::Saved,
    words::{Entry, Verdict},
};

/// Changes that follow each other, from a page of a pull or a live frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The cursor they follow on.
    pub from: Cursor,
    /// The cursor after them.
    pub cursor: Cursor,
    /// The digest of the log there.
    pub digest: Digest,
    /// The history they belong to, where the answer says.
    pub epoch: Option<Epoch>,
    /// The changes, in cursor order.
    pub changes: Vec<Change>,
    /// The watermark read with them; only where the page reached the head of its transaction.
    pub last_seq: Option<Seq>,
    /// It was asked for after every verdict known here: what another history accepted would be seen in it.
    pub is_last_word: bool,
}

/// What became of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It is part of the base, now or since before.
    Yes,
    /// Something before it is missing: pull.
    Gap,
    /// It is of another history: reset.
    Foreign,
    /// There is no base to apply it to.
    Invalid,
}

/// Places that were given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Which mutation has which.
    pub given: Vec<(MutationId, Seq)>,
    /// The last one given out.
    pub last: Seq,
    /// The history they count in, where that is known.
    pub epoch: Option<Epoch>,
    /// The client's watermark in that history, where places were given anew from it.
    pub watermark: Option<Seq>,
}

/// One verb of a [`Replica`](super::Replica) with its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// [`Replica::restore`](super::Replica::restore).
    Restore(Saved),
    /// [`Replica::mutate`](super::Replica::mutate).
    Mutate(Entry),
    /// [`Replica::adopt`](super::Replica::adopt).
    Adopt(Vec<Entry>),
    /// [`Replica::place`](super::Replica::place).
    Place(Vec<(MutationId, u64)>),
    /// [`Replica::number`](super::Replica::number).
    Number(Numbered),
    /// [`Replica::decide`](super::Replica::decide).
    Decide(Vec<(MutationId, Verdict)>),
    /// [`Replica::undo`](super::Replica::undo).
    Undo(MutationId),
    /// [`Replica::apply`](super::Replica::apply).
    Apply(Page),
    /// [`Replica::watermark`](super::Replica::watermark).
    Watermark(Cursor, Seq),
    /// [`Replica::reset`](super::Replica::reset).
    Reset(SnapshotAnswer, Option<Seq>),
    /// [`Replica::invalidate`](super::Replica::invalidate).
    Invalidate(bool),
    /// [`Replica::drop_base`](super::Replica::drop_base).
    Drop,
    /// [`Replica::renew`](super::Replica::renew).
    Renew(ClientId),
}

/// Hears every verb, before it is done.
pub type Recorder = Box<dyn FnMut(&Verb) + Send>;
