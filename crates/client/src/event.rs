//! The border of the core: what may happen to it, and what it asks for. Whoever drives the core does the effects in the
//! order they are given and comes back with events; nothing else crosses.

use riverrun_core::{Change, ClientId, Cursor, Json, Millis, MutationId};

use crate::{
    saved::Write,
    words::{Failed, Refused, Status, Verdict},
};

/// A question to the server: a `POST` of `body` to the route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Ties the answer to the question; never used twice by one core.
    pub ask: u64,
    /// Which route.
    pub route: Route,
    /// The body, JSON.
    pub body: String,
}

/// The routes of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `POST push`.
    Push,
    /// `POST pull`.
    Pull,
    /// `POST snapshot`.
    Snapshot,
}

impl Route {
    /// The route's last part.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Pull => "pull",
            Self::Snapshot => "snapshot",
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The first event of a core's life, and only that.
    Start,
    /// The user wants something done. Answered by [`News::Saved`] and [`News::Decided`], or by [`News::Refused`] alone.
    Mutate {
        /// A new id; [`mint`](crate::mint) makes one.
        id: MutationId,
        /// The command's name.
        name: String,
        /// The command's arguments.
        args: Json,
    },
    /// Take back a mutation that was not sent yet. Answered by [`News::Undo`].
    Undo(MutationId),
    /// The network came back, or the user can't wait: try now.
    Wake,
    /// The writes of [`Effect::Store`] with this number are as safe as the storage makes them.
    Stored(u64),
    /// They were not done, with a sentence for people. From here on the core keeps everything in memory.
    StoreFailed(u64, String),
    /// A question was answered with 200 and this body, or failed.
    Answered(u64, Result<String, Failed>),
    /// A text frame arrived on the connection with this number.
    Frame(u64, String),
    /// The connection ended, or could not be made; the WebSocket's close code where there was one.
    Closed(u64, Option<u16>),
    /// The moment of [`Effect::WakeAt`] has come. Early or needless ones do no harm.
    Tick,
}

/// Something to be done, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Do these writes in one transaction, after all earlier ones, and answer with [`Event::Stored`] once they are safe.
    Store(u64, Vec<Write>),
    /// Ask the server. An answer may come late, twice or never.
    Ask(Question),
    /// Open a connection with this number; any other is closed already.
    Connect(u64),
    /// Send a text frame. On a connection that is gone it goes nowhere.
    Send(u64, String),
    /// Close the connection. [`Event::Closed`] need not follow.
    Close(u64),
    /// Come back with [`Event::Tick`] at this moment; replaces the moment named before. `None`: no need to.
    WakeAt(Option<Millis>),
    /// Tell whoever uses the client.
    Tell(News),
}

/// What the user of a client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The view or the pending mutations changed. At most once a step, after everything else in it.
    Changed,
    /// A new mutation was refused here: nothing was queued.
    Refused(MutationId, Refused),
    /// The mutation survives a crash from here on.
    Saved(MutationId),
    /// The mutation has its verdict.
    Decided {
        /// Which.
        id: MutationId,
        /// Its type.
        name: String,
        /// Its arguments.
        args: Json,
        /// How it ended.
        verdict: Verdict,
    },
    /// Whether a mutation was taken back; one that has a place already is not.
    Undo(MutationId, bool),
    /// The link stands otherwise now.
    Status(Status),
    /// The server has forgotten this client; it goes on under a new id. What was sent under the old one was refused.
    Client(ClientId),
    /// The storage failed: from here on nothing survives a crash.
    StorageFailed(String),
    /// A change that is no collection's; its cursor is already part of the base.
    Change(Change),
    /// A new base, for applications whose snapshot is not made of collections.
    Snapshot(Json, Cursor),
}
