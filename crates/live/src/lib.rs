//! WebSocket sessions for riverrun: one envelope, topics, bounded queues, signs of life, and an end that both sides learn of.
//!
//! This crate carries frames; it reads no more of them than the envelope `{"topic":…,"data":…}` and its own topic,
//! `sys`. It must never learn what a scope, a mutation or a cursor is: those are the [`Hooks`]' business.
//!
//! A program implements [`Hooks`], makes one [`Server`], and calls [`Server::upgrade`] in its WebSocket route. Everyone
//! who is connected is a [`Session`]: it can be sent a [`Frame`], joined to topics, and closed with a [`CloseReason`].

mod auth;
mod close;
mod drain;
mod envelope;
mod flag;
mod frame;
mod hooks;
mod options;
mod origin;
mod presence;
mod queue;
mod refusal;
mod server;
mod session;
mod sys;
mod topics;

pub use auth::{Authed, Refused};
pub use close::CloseReason;
pub use drain::{Drain, DrainGuard, DrainTrigger};
pub use envelope::{Message, SYS_TOPIC};
pub use frame::Frame;
pub use hooks::{Hooks, Overflow};
pub use options::{
    AUTH_WITHIN, MAX_BAD_FRAMES, MAX_FRAME, MAX_SESSIONS, MAX_TOPIC_BYTES, MAX_TOPICS_PER_SESSION, Options, PING,
    QUEUE_BYTES, READ_BUFFER, SILENCE, STALL,
};
pub use origin::{OriginRefused, Origins};
pub use presence::{
    DELTA_BYTES, NAME_BYTES, NAMES_PER_SEAT, PEERS, PEERS_PER_TOPIC, PEERS_TOLD, Presence, PresenceRefused,
    STATE_BYTES, Seat, TELL_EVERY, TOLD_PER_SECOND, Told,
};
pub use queue::{Closed, QUEUE_MESSAGES, SendError};
pub use server::Server;
pub use session::{JoinError, Session, SessionId};
