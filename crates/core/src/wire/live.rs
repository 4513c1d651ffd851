//! The sync frames of a live connection: what stands in the envelope's `data` on a `sync:<scope>` topic.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{BadRequest, PushResult, SnapshotAnswer, object::Object};
use crate::{Change, ClientId, Code, Cursor, Digest, Epoch, Json, JsonRefused, Seq};

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
    /// About who is here; the rest of the frame is a [`PresenceWord`].
    Presence {
        /// Ties the answer to the question.
        #[serde(rename = "ref")]
        reference: Option<String>,
    },
}

/// What a client says about who is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceWord {
    /// As whom: a connection may be present as several. Left out, the empty name.
    pub name: String,
    /// The state to be here in; `null` is to leave. Its limits are the edge's to check.
    pub state: Option<Json>,
    /// Whether to see who is here without being seen.
    pub look: Option<bool>,
}

impl ClientFrame {
    /// Reads the data of a frame that came through the strict door.
    pub fn read(data: &Json) -> Result<Self, JsonRefused> {
        data.read().map(|Object(frame)| frame)
    }
}

impl PresenceWord {
    /// Reads the data of a frame that came through the strict door.
    pub fn read(data: &Json) -> Result<Self, BadRequest> {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default, rename = "as")]
            name: String,
            // An `Option` alone would take `null` for a state that was left out.
            #[serde(default, deserialize_with = "given")]
            state: Option<Json>,
            look: Option<bool>,
        }
        let Object(Body { name, state, look }) = data.read()?;
        if state.is_none() && look.is_none() {
            return Err(BadRequest::invalid("presence needs a state, or a look"));
        }
        Ok(Self { name, state, look })
    }

    /// Whether the state says to leave.
    pub fn leaves(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.as_str() == "null")
    }
}

fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(from).map(Some)
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
    /// A word about who is here was refused. (Who is here, is told by the live server itself.)
    Presence {
        /// Ties the answer to the question.
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// The code, from the closed list.
        code: Code,
        /// A sentence for people.
        error: String,
        /// Nothing more is told until it is asked for again.
        #[serde(skip_serializing_if = "core::ops::Not::not")]
        ended: bool,
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

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn word(text: &str) -> Result<PresenceWord, String> {
        PresenceWord::read(&Json::parse(text).unwrap()).map_err(|bad| bad.to_string())
    }

    #[test]
    fn a_state_of_null_is_not_a_state_left_out() {
        let here = word(r#"{"type":"presence","as":"tab","state":{"at":1}}"#).unwrap();
        assert_eq!((here.name.as_str(), here.leaves(), here.look), ("tab", false, None));
        assert_eq!(here.state.unwrap().as_str(), r#"{"at":1}"#);
        let gone = word(r#"{"type":"presence","state": null}"#).unwrap();
        assert_eq!((gone.name.as_str(), gone.leaves()), ("", true));
        let looks = word(r#"{"type":"presence","look":true}"#).unwrap();
        assert_eq!((looks.leaves(), looks.state, looks.look), (false, None, Some(true)));
        for nothing in [r#"{"type":"presence"}"#, r#"{"type":"presence","as":7,"state":{}}"#] {
            assert!(word(nothing).is_err(), "{nothing}");
        }
    }
}
