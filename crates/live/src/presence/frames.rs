//! How presence looks on the wire: `{"type":"presence",…}` on its own topic. One shape for the whole list and for what
//! changed; a frame with `peers` is the whole list's first.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::roll::{Delta, Peer};
use crate::Frame;

/// The ids one connection's own peers are told under, by the names it gave them.
pub(super) type You = BTreeMap<Box<str>, Arc<str>>;

#[derive(Serialize)]
struct Data<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    you: Option<BTreeMap<&'a str, &'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peers: Option<&'a [Arc<Peer>]>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    join: &'a [Arc<Peer>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    set: &'a [Arc<Peer>],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    leave: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<usize>,
}

impl Data<'_> {
    fn empty() -> Self {
        Self { r#type: "presence", you: None, peers: None, join: &[], set: &[], leave: Vec::new(), more: None }
    }

    fn frame(&self, topic: &str) -> Option<Frame> {
        let written = Frame::envelope(topic, self);
        written.inspect_err(|error| tracing::error!(%error, "a presence frame was not written")).ok()
    }
}

#[derive(Serialize)]
struct Told<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    state: &'a RawValue,
}

impl Serialize for Peer {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Told { id: &self.id, user: self.user.as_deref(), state: &self.state }.serialize(to)
    }
}

/// What changed, for all readers alike.
pub(super) fn delta(topic: &str, delta: &Delta) -> Option<Frame> {
    let leave = delta.leave.iter().map(AsRef::as_ref).collect();
    Data { join: &delta.join, set: &delta.set, leave, more: delta.more, ..Data::empty() }.frame(topic)
}

/// The ids of one's own alone.
pub(super) fn you(topic: &str, you: &You) -> Option<Frame> {
    Data { you: Some(borrowed(you)), ..Data::empty() }.frame(topic)
}

/// The first of the whole list, which replaces what the reader knew.
pub(super) fn list(topic: &str, you: &You, peers: &[Arc<Peer>], more: usize) -> Option<Frame> {
    let more = (more > 0).then_some(more);
    Data { you: Some(borrowed(you)), peers: Some(peers), more, ..Data::empty() }.frame(topic)
}

/// More of a list.
pub(super) fn further(topic: &str, peers: &[Arc<Peer>]) -> Option<Frame> {
    Data { join: peers, ..Data::empty() }.frame(topic)
}

fn borrowed(you: &You) -> BTreeMap<&str, &str> {
    you.iter().map(|(name, id)| (&**name, &**id)).collect()
}
