//! What an audit can find, in sentences that name the place. A sentence says what contradicts what, not which of the two is
//! to blame, unless the data tells.

use riverrun_core::{ClientId, Cursor, MutationId, Seq};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// The log's identity does not read.
    #[error("the epoch can't be read: {0}")]
    Epoch(String),
    /// The store's own structure.
    #[error("the database's structure is damaged: {0}")]
    Structure(String),
    /// Rows that don't read as they were written, so that what follows was not looked at.
    #[error("it can't be read any further: {0}")]
    Unreadable(String),
    /// The floor lies where no floor can be.
    #[error("the floor is kept as {floor}, above the head {head}")]
    FloorAboveHead {
        /// The floor.
        floor: Cursor,
        /// The head.
        head: Cursor,
    },
    /// The log holds what the floor says was trimmed.
    #[error("the log still holds cursor {found}, and the floor is kept as {floor}")]
    BelowFloor {
        /// Where the entry begins.
        found: Cursor,
        /// The floor.
        floor: Cursor,
    },
    /// A cursor is missing, doubled or out of order.
    #[error("the log goes on with cursor {found} where {expected} belongs")]
    Gap {
        /// The cursor that belongs there.
        expected: Cursor,
        /// The cursor that is there.
        found: Cursor,
    },
    /// A digest does not follow.
    #[error("the digest kept at cursor {0} does not follow from the changes up to it")]
    Digest(Cursor),
    /// The log ends elsewhere than the head says.
    #[error("the head is kept as cursor {head}, and the log ends at {log}")]
    Head {
        /// What the head says.
        head: Cursor,
        /// Where the log ends.
        log: Cursor,
    },
    /// The head's digest is not the log's.
    #[error("the head's digest is not the one of the log's last change, {0}")]
    HeadDigest(Cursor),
    /// A mutation has two entries.
    #[error("mutation {mutation} is in the log twice, at cursor {first} and at {again}")]
    Doubled {
        /// The mutation.
        mutation: MutationId,
        /// Where the first of them ends.
        first: Cursor,
        /// Where the other ends.
        again: Cursor,
    },
    /// An entity differs from what base and log make of it.
    #[error("{collection} {id} {wrong} ({})", since(.cursor.as_ref()))]
    Entity {
        /// Its collection.
        collection: String,
        /// Its id.
        id: String,
        /// How it differs.
        wrong: Wrong,
        /// The change that made it what it should be; `None` where no change of the log did: the base.
        cursor: Option<Cursor>,
    },
    /// A verdict points to where there is nothing.
    #[error("the verdict on mutation {mutation} says cursor {cursor}, and the head of {scope} is {head}")]
    VerdictPastHead {
        /// The mutation.
        mutation: MutationId,
        /// What the verdict says.
        cursor: Cursor,
        /// The scope it says it of.
        scope: riverrun_core::Scope,
        /// Its head.
        head: Cursor,
    },
    /// A verdict names a cursor that is no mutation's end, or one of another digest.
    #[error("the verdict on mutation {mutation} says cursor {cursor}, where the log has no such entry")]
    VerdictWithoutEntry {
        /// The mutation.
        mutation: MutationId,
        /// What the verdict says.
        cursor: Cursor,
    },
    /// Verdict and log disagree about a mutation's place.
    #[error("the verdict on mutation {mutation} says cursor {cursor}, and in the log it ends at {log}")]
    VerdictElsewhere {
        /// The mutation.
        mutation: MutationId,
        /// What the verdict says.
        cursor: Cursor,
        /// What the log says.
        log: Cursor,
    },
    /// Verdict and log disagree about the digest.
    #[error("the digest in the verdict on mutation {mutation} is not the log's at cursor {cursor}")]
    VerdictDigest {
        /// The mutation.
        mutation: MutationId,
        /// Their common cursor.
        cursor: Cursor,
    },
    /// A client is marked further than its verdicts go.
    #[error("client {client} is marked as decided up to seq {last_seq}, and no verdict is kept for that seq")]
    WatermarkBeyondVerdicts {
        /// The client.
        client: ClientId,
        /// Its watermark.
        last_seq: Seq,
    },
    /// A verdict was given beyond the client's mark.
    #[error(
        "mutation {mutation} of client {client} has a verdict at seq {seq}, beyond the client's watermark {last_seq}"
    )]
    VerdictBeyondWatermark {
        /// The mutation.
        mutation: MutationId,
        /// The client.
        client: ClientId,
        /// The verdict's place.
        seq: Seq,
        /// The client's watermark.
        last_seq: Seq,
    },
    /// A client that is known in the scope belongs to nobody.
    #[error("client {0} has a watermark and no owner")]
    NoOwner(ClientId),
}

/// How an entity differs from what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It has another value.
    Changed,
    /// It is not there.
    Missing,
    /// It should not be there.
    Extra,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Changed => "has another value than base and log give it",
            Self::Missing => "is missing from the state",
            Self::Extra => "is in the state, and neither base nor log put it there",
        })
    }
}

fn since(cursor: Option<&Cursor>) -> String {
    match cursor {
        Some(cursor) => format!("last changed at cursor {cursor}"),
        None => "not changed since the floor".into(),
    }
}
