//! What a client speaks of beside the contract's own words: a mutation in its queue, how one ends, how the link stands.
//! Types only; nothing here decides anything.

use riverrun_core::{Cursor, Epoch, Json, Millis, MutationId, Seq};

/// A mutation as it stands in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the queue; grows with every mutation of this client.
    pub order: u64,
    /// Its identity.
    pub id: MutationId,
    /// The command's name; on the wire `type`.
    pub name: String,
    /// The command's arguments.
    pub args: Json,
    /// The schema its arguments were written under, if the application says.
    pub schema: Option<u64>,
    /// When it was made, by this machine's clock: what its mutator takes for the time, never what orders it.
    pub created: Millis,
    /// Its place among the client's mutations; `None` until it is about to be sent.
    pub seq: Option<Seq>,
    /// Where it was accepted, once that is known. It stays in the queue until the base has got there.
    pub accepted: Option<Accepted>,
}

/// The place of an accepted mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The cursor the scope reached with it.
    pub cursor: Cursor,
    /// The history the cursor belongs to.
    pub epoch: Epoch,
}

/// How a mutation ended. Every mutation ends with exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It has exactly one effect, on the server's disk.
    Accepted(Accepted),
    /// It has no effect, and never will.
    Refused(Refused),
}

impl Verdict {
    /// Whether it was accepted.
    pub fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted(_))
    }
}

/// Why a mutation was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Refused {
    /// A code of the contract, as the server wrote it; `undone` for one that was taken back before it was sent.
    pub code: String,
    /// The application's own reason, for programs.
    pub reason: Option<String>,
    /// A sentence for people.
    pub error: String,
}

impl Refused {
    pub(crate) fn new(code: &str, error: &str) -> Self {
        Self { code: code.into(), reason: None, error: error.into() }
    }
}

impl From<riverrun_core::Reject> for Refused {
    fn from(no: riverrun_core::Reject) -> Self {
        Self { code: no.code().as_str().into(), reason: no.reason().map(Into::into), error: no.error().into() }
    }
}

/// How the link to the server stands, told from what happened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Status {
    /// The server does not answer.
    #[default]
    Offline,
    /// The server answers; changes are asked for.
    Polling,
    /// Changes arrive by themselves.
    Live,
    /// The server answers that this reader or writer may not: its code (`unauthenticated`, `forbidden`) and sentence.
    Unauthorized {
        /// The code.
        code: String,
        /// A sentence for people.
        error: String,
    },
}

/// A question that was not answered as hoped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Failed {
    /// The HTTP status; 0 where nothing came back at all.
    pub status: u16,
    /// The contract's code, or `network`, or `http_502` for the words of something between.
    pub code: String,
    /// A sentence for people.
    pub error: String,
    /// Milliseconds the server asks to be left alone; 0 where it doesn't.
    pub retry_after: i64,
}

impl Failed {
    /// Nothing came back, or nothing that can be read: the network's fault, or the server's.
    pub fn lost(error: impl Into<String>) -> Self {
        Self { status: 0, code: "network".into(), error: error.into(), retry_after: 0 }
    }

    /// An HTTP answer that is not 200: the contract's body, or the words of something between.
    pub fn answered(status: u16, body: &str, retry_after: i64) -> Self {
        #[derive(serde::Deserialize)]
        struct Body {
            code: String,
            error: Option<String>,
        }
        let body = serde_json::from_str(body).unwrap_or(Body { code: format!("http_{status}"), error: None });
        let error = body.error.unwrap_or_else(|| body.code.clone());
        Self { status, code: body.code, error, retry_after }
    }

    /// A refusal that came as a frame: the status is that of its code.
    pub(crate) fn of_code(code: &str, error: &str) -> Self {
        let status = match code {
            "invalid_mutation" => 400,
            "unauthenticated" => 401,
            "forbidden" => 403,
            "too_large" => 413,
            _ => 500,
        };
        Self { status, code: code.into(), error: error.into(), retry_after: 0 }
    }

    /// It says who is asking is missing, or may not.
    pub(crate) fn is_denial(&self) -> bool {
        matches!(self.status, 401 | 403)
    }

    /// The base can't be continued.
    pub(crate) fn is_reset(&self) -> bool {
        matches!(self.code.as_str(), "cursor_too_old" | "epoch_changed")
    }
}
