//! What the client says and hears, as JSON. Where the server's own types are strict (a closed list of codes), these are
//! not: an answer with a code from a later version is still an answer.

use riverrun_core::{Change, ClientId, Cursor, Digest, Epoch, Json, MutationId, Scope, Seq};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::words::Entry;

/// One mutation as it travels.
#[derive(Serialize)]
struct Mutation<'a> {
    id: &'a MutationId,
    #[serde(rename = "type")]
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<&'a Json>,
    seq: Option<Seq>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<u64>,
}

/// One mutation as text. A void one only takes up its place.
pub(crate) fn mutation(entry: &Entry, void: bool) -> String {
    let Entry { id, name, args, seq, schema, .. } = entry;
    text(&if void {
        Mutation { id, name: riverrun_core::limits::VOID, args: None, seq: *seq, schema: None }
    } else {
        Mutation { id, name, args: Some(args), seq: *seq, schema: *schema }
    })
}

/// A push, as a body or as a frame's data.
#[derive(Serialize)]
pub(crate) struct Push<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<&'static str>,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    pub(crate) client: &'a ClientId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) epoch: Option<&'a Epoch>,
    pub(crate) scope: &'a Scope,
    pub(crate) mutations: Vec<Json>,
}

/// A question for changes, or for a snapshot, or to be subscribed.
#[derive(Serialize, Default)]
pub(crate) struct Read<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<&'static str>,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<&'a Scope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<&'a ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<Cursor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) epoch: Option<&'a Epoch>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wait: Option<u64>,
}

/// The envelope of a live frame.
#[derive(Serialize)]
pub(crate) struct Envelope<'a, T> {
    pub(crate) topic: &'a str,
    pub(crate) data: T,
}

/// A live frame that says no more than its type.
#[derive(Serialize)]
pub(crate) struct Bare {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
}

/// The answer to a push.
#[derive(Deserialize)]
pub(crate) struct PushAnswer {
    pub(crate) epoch: Epoch,
    #[serde(default)]
    pub(crate) results: Vec<PushResult>,
}

/// What became of one mutation.
#[derive(Deserialize)]
pub(crate) struct PushResult {
    pub(crate) id: MutationId,
    pub(crate) ok: bool,
    #[serde(default)]
    pub(crate) cursor: Cursor,
    pub(crate) code: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) retry: Option<bool>,
}

/// The watermark alone, of whatever answer carries one. Not named: the server knows of none.
#[derive(Deserialize)]
pub(crate) struct Watermark {
    pub(crate) epoch: Epoch,
    pub(crate) last_seq: Option<Seq>,
}

/// An arrived frame's envelope.
#[derive(Deserialize)]
pub(crate) struct Arrived<'a> {
    pub(crate) topic: String,
    #[serde(borrow)]
    pub(crate) data: &'a RawValue,
}

/// What every frame's data may say.
#[derive(Deserialize)]
pub(crate) struct Head {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(rename = "ref")]
    pub(crate) reference: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) ping: Option<i64>,
}

/// The subscription has begun.
#[derive(Deserialize)]
pub(crate) struct Ack {
    pub(crate) cursor: Cursor,
    pub(crate) epoch: Epoch,
    pub(crate) last_seq: Option<Seq>,
}

/// Live changes.
#[derive(Deserialize)]
pub(crate) struct Changes {
    pub(crate) from: Cursor,
    pub(crate) cursor: Cursor,
    pub(crate) digest: Digest,
    #[serde(rename = "changes")]
    pub(crate) list: Vec<Change>,
}

/// What the client itself writes as JSON.
pub(crate) fn text(value: &impl Serialize) -> String {
    // can't fail: every type above is made of strings, numbers and JSON that passed the door.
    serde_json::to_string(value).expect("the client's own words are JSON")
}
