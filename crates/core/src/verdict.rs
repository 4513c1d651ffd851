//! The final, recorded outcome of a mutation. Whatever is not one of these two is no outcome and may be tried again.

use alloc::{collections::BTreeMap, string::String};

use crate::{Code, Cursor, Digest, Scope};

/// The recorded outcome of a mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It has exactly one effect, on disk.
    Accepted(Accepted),
    /// It has no effect, and never will.
    Rejected(Rejected),
}

/// Where an accepted mutation stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its last change in its own scope; the head, if it changed nothing there.
    pub cursor: Cursor,
    /// The log's digest at that cursor.
    pub digest: Digest,
    /// Its last change in each other scope it wrote to.
    pub cursors: BTreeMap<Scope, Cursor>,
}

/// Why a mutation was refused, word for word as a retry will hear it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The code of the contract.
    pub code: Code,
    /// The application's own reason, for programs.
    pub reason: Option<String>,
    /// The sentence for people.
    pub error: String,
}

impl From<crate::Reject> for Rejected {
    fn from(no: crate::Reject) -> Self {
        Self { code: no.code(), reason: no.reason().map(Into::into), error: no.error().into() }
    }
}
