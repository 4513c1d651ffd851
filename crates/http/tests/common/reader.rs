//! A reader of one scope that believes nothing: each change must follow the last, and every digest is rolled anew with
//! core's own rule. What it holds is what a client would come back with.

use riverrun_core::{Change, Cursor, Digest};
use serde::Deserialize;
use serde_json::json;

use super::Socket;

pub(crate) struct Reader {
    pub(crate) scope: String,
    pub(crate) cursor: u64,
    pub(crate) digest: Digest,
    pub(crate) epoch: Option<String>,
    /// Changes seen, over all sessions.
    pub(crate) seen: u64,
}

/// What a frame meant for a subscription.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It began; the head then.
    Ack(u64),
    /// It goes on; so many changes came.
    Changes(usize),
    /// It ended: too slow.
    Lagged,
}

impl Reader {
    pub(crate) fn new(scope: &str) -> Self {
        Self { scope: scope.into(), cursor: 0, digest: Digest::EMPTY, epoch: None, seen: 0 }
    }

    pub(crate) fn topic(&self) -> String {
        format!("sync:{}", self.scope)
    }

    /// Subscribes from where it is, proving its history.
    pub(crate) async fn subscribe(&self, socket: &mut Socket) {
        let mut ask = json!({"type": "subscribe", "ref": "1", "cursor": self.cursor, "digest": self.digest});
        if let Some(epoch) = &self.epoch {
            ask["epoch"] = json!(epoch);
        }
        socket.say(&self.topic(), ask).await;
    }

    /// Takes the next frame of the subscription.
    pub(crate) async fn hear(&mut self, socket: &mut Socket) -> Heard {
        let text = socket.text().await;
        self.take(&text)
    }

    /// Takes a frame of the subscription, as it came.
    pub(crate) fn take(&mut self, text: &str) -> Heard {
        let Envelope { topic, data } = serde_json::from_str(text).unwrap_or_else(|_| panic!("not expected: {text}"));
        assert_eq!(topic, self.topic(), "{text}");
        match data.kind.as_str() {
            "ack" => {
                self.epoch = data.epoch;
                Heard::Ack(data.cursor.unwrap())
            }
            "changes" => {
                assert_eq!(data.from, Some(self.cursor), "continues where the reader is");
                assert!(!data.changes.is_empty(), "a frame of changes has some");
                self.follow(&data.changes);
                assert_eq!((data.cursor, data.digest), (Some(self.cursor), Some(self.digest)));
                Heard::Changes(data.changes.len())
            }
            "lagged" => {
                assert!(data.cursor.unwrap() > self.cursor, "{text}");
                Heard::Lagged
            }
            _ => panic!("not expected here: {text}"),
        }
    }

    /// Takes changes, each following the last.
    pub(crate) fn follow(&mut self, changes: &[Change]) {
        for change in changes {
            assert_eq!(change.cursor, Cursor(self.cursor + 1), "each cursor once and in order");
            assert_eq!(change.scope.as_str(), self.scope);
            self.cursor += 1;
            self.seen += 1;
            self.digest = self.digest.roll(change.cursor, change.time, &change.mutation, change.data.as_str());
        }
    }

    /// Reads on until this cursor.
    pub(crate) async fn reach(&mut self, socket: &mut Socket, cursor: u64) {
        while self.cursor < cursor {
            assert!(matches!(self.hear(socket).await, Heard::Changes(_)), "the subscription goes on");
        }
    }
}

#[derive(Deserialize)]
struct Envelope {
    topic: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "type")]
    kind: String,
    from: Option<u64>,
    cursor: Option<u64>,
    digest: Option<Digest>,
    epoch: Option<String>,
    #[serde(default)]
    changes: Vec<Change>,
}
