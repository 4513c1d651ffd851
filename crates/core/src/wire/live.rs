//! The sync frames of a live connection: what stands in the envelope's `data` on a `sync:<scope>` topic.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{PushResult, SnapshotAnswer};
use crate::{Change, ClientId, Code, Cursor, Digest, Epoch, Json, Seq};

/// What a client says on a sync topic.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Catch up from a cursor, then stay live.
    Subscribe(Subscribe),
    /// End the subscription.
    Unsubscribe {
        /// Ties the answer to the question.
        #[serde(rename = "ref")]
        reference: Option<String>,
    },
    /// The same as `POST push`; the rest of the frame is the push itself.
    Push {
        /// Ties the answer to the question.
        #[serde(rename = "ref")]
        reference: Option<String>,
    },
}

/// The question that begins a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Subscribe {
    /// Ties the answer to the question.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// What the reader has; left out, a snapshot comes first.
    pub cursor: Option<Cursor>,
    /// The history the cursor belongs to.
    pub epoch: Option<Epoch>,
    /// The digest the reader has at its cursor.
    pub digest: Option<Digest>,
    /// Whose watermark to answer.
    pub client: Option<ClientId>,
}

/// What the server says on a sync topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The scope's state, to begin with.
    Snapshot(SnapshotAnswer),
    /// The subscription has begun.
    Ack {
        /// Ties the answer to the question.
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// The head when it began.
        cursor: Cursor,
        /// The history the cursors belong to.
        epoch: Epoch,
        /// The watermark of the asked client.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_seq: Option<Seq>,
    },
    /// Changes, in order.
    Changes {
        /// Must equal the reader's cursor.
        from: Cursor,
        /// The reader's cursor after them.
        cursor: Cursor,
        /// The digest at `cursor`.
        digest: Digest,
        /// The changes.
        changes: Vec<Change>,
    },
    /// The reader was too slow: the subscription has ended.
    Lagged {
        /// The head when that was noticed.
        cursor: Cursor,
    },
    /// The subscription has ended; take a snapshot, keep the pending queue, rebase.
    Reset {
        /// `cursor_too_old`, `epoch_changed` or `use_http`.
        code: String,
    },
    /// The answer to a push.
    Results {
        /// Ties the answer to the question.
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// One per mutation, in order.
        results: Vec<PushResult>,
        /// The history the cursors belong to.
        epoch: Epoch,
    },
    /// That request alone failed, or the subscription was ended.
    Error {
        /// Ties the answer to the question.
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// The code, from the closed list.
        code: Code,
        /// A sentence for people.
        error: String,
    },
}

impl ServerFrame {
    /// The frame as JSON.
    pub fn to_json(&self) -> Json {
        Json::of(self).unwrap_or_else(|_| Json::null())
    }
}
