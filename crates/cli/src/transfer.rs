//! The form in which `export` writes and `import` reads: JSON Lines, each an object with one key that says what it is. It is
//! the store's contract as text, so it moves a log between stores of any kind; tables of the application's own are not in it.

pub(crate) mod read;
pub(crate) mod write;

use riverrun::core::{ClientId, Code, Cursor, Digest, Epoch, Json, Millis, MutationId, Principal, Scope, Seq};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The form's version. A reader refuses others.
pub(crate) const VERSION: u32 = 1;

/// One line. Base, log, watermarks and verdicts belong to the scope before them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// The first.
    Riverrun { version: u32, epoch: Epoch, forgotten_before: Millis },
    /// Whose a client id is.
    Owner { client: ClientId, principal: Principal },
    /// A scope begins.
    Scope { scope: Scope, cursor: Cursor, digest: Digest, floor: Cursor, floor_digest: Digest },
    /// An entity at the floor.
    Base { collection: String, id: String, value: Json },
    /// A mutation's effects.
    Entry {
        first: Cursor,
        digest: Digest,
        time: Millis,
        mutation: MutationId,
        #[serde(rename = "type")]
        name: String,
        args: Json,
        principal: Principal,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        place: Option<(ClientId, Seq)>,
        changes: Vec<Json>,
    },
    /// How far a client is decided.
    Watermark {
        client: ClientId,
        last_seq: Seq,
        seen: Millis,
        #[serde(default)]
        made: Millis,
    },
    /// A mutation's outcome.
    Verdict {
        mutation: MutationId,
        principal: Principal,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        place: Option<(ClientId, Seq)>,
        /// All 64 bits, as 16 hex digits: JSON's numbers end at 2^53.
        fingerprint: Digest,
        time: Millis,
        #[serde(flatten)]
        outcome: Told,
    },
    /// The last: how many lines there are before it.
    End { lines: u64 },
}

/// A verdict's outcome.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Told {
    Accepted {
        cursor: Cursor,
        digest: Digest,
        #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
        cursors: BTreeMap<Scope, Cursor>,
    },
    Rejected {
        code: Code,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reason: Option<String>,
        error: String,
    },
}
