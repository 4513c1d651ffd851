//! `POST snapshot`: a scope's whole state at one cursor.

use serde::{Deserialize, Serialize};

use super::{BadRequest, object::Object};
use crate::{ClientId, Cursor, Digest, Epoch, Json, Scope, Seq};

/// A question for a scope's state.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct SnapshotRequest {
    /// The scope; left out, `_default`.
    #[serde(default)]
    pub scope: Scope,
    /// Whose watermark to answer.
    pub client: Option<ClientId>,
}

impl SnapshotRequest {
    /// Reads a body through the strict door.
    pub fn read(body: &[u8]) -> Result<Self, BadRequest> {
        super::pull::within(body)?;
        let Object(read) = serde_json::from_str(Json::check_bytes(body)?)?;
        Ok(read)
    }
}

/// A scope's state, all of one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotAnswer {
    /// Collections: `{"todo":{"t1":{…}}}`; an application with a state of its own: that.
    pub data: Json,
    /// The head it was read at.
    pub cursor: Cursor,
    /// The digest at that cursor.
    pub digest: Digest,
    /// The history the cursor belongs to.
    pub epoch: Epoch,
    /// The watermark of the asked client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seq: Option<Seq>,
}
