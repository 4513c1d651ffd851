//! `POST pull`: the changes after a cursor.

use alloc::{format, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{BadRequest, object::Object};
use crate::{Change, ClientId, Cursor, Digest, Epoch, Json, Scope, Seq, limits};

/// A question for the changes after a cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct PullRequest {
    /// The scope; left out, `_default`.
    #[serde(default)]
    pub scope: Scope,
    /// What the reader has: changes after this are wanted.
    #[serde(default)]
    pub cursor: Cursor,
    /// How many changes it would like, 1–1000; a page may be longer to finish a mutation.
    pub limit: Option<u64>,
    /// The history the cursor belongs to.
    pub epoch: Option<Epoch>,
    /// The digest the reader has at its cursor.
    pub digest: Option<Digest>,
    /// Whose watermark to answer.
    pub client: Option<ClientId>,
    /// Seconds to wait for something new, at most 30.
    pub wait: Option<u64>,
}

impl PullRequest {
    /// Reads a body through the strict door.
    pub fn read(body: &[u8]) -> Result<Self, BadRequest> {
        super::pull::within(body)?;
        let Object(read) = serde_json::from_str(Json::check_bytes(body)?)?;
        Ok(read)
    }

    /// The wish, within what is allowed.
    pub fn page(&self) -> u64 {
        self.limit.unwrap_or(limits::PULL_DEFAULT).clamp(1, limits::PULL_MAX)
    }

    /// The wait in seconds, within what is allowed.
    pub fn patience(&self) -> u64 {
        self.wait.unwrap_or(0).min(limits::WAIT_SECONDS)
    }
}

pub(super) fn within(body: &[u8]) -> Result<(), BadRequest> {
    if body.len() > limits::REQUEST_BYTES {
        return Err(BadRequest::too_large(format!("this request is at most {} bytes", limits::REQUEST_BYTES)));
    }
    Ok(())
}

/// The changes after a cursor, ending with a mutation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullAnswer {
    /// In cursor order, from the asked cursor + 1 to `next_cursor`, without a gap.
    pub changes: Vec<Change>,
    /// More is there already.
    pub has_more: bool,
    /// What the reader has after this page.
    pub next_cursor: Cursor,
    /// The digest at `next_cursor`.
    pub digest: Digest,
    /// The history the cursors belong to.
    pub epoch: Epoch,
    /// The watermark of the asked client, of the same transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seq: Option<Seq>,
}
