//! What an application, or the layer above, says to what happens on a session. The trait is the only door between
//! sessions and their meaning; nothing in this crate decides for it.

use std::future::Future;

use crate::{Authed, CloseReason, Message, Refused, Session};

/// What happens to a frame that was published to a session whose queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// The frame is dropped for this session; it stays connected.
    #[default]
    Drop,
    /// The session is closed with [`CloseReason::Overflow`].
    Close,
}

/// The meaning of a session: who it is, what its frames do, and what its end calls for.
///
/// The hooks of one session are called one at a time, in the order of its frames; [`on_overflow`](Self::on_overflow)
/// alone may come at any time, on whoever publishes. A panic in the others ends its own session with
/// [`CloseReason::Internal`] and no other.
pub trait Hooks: Send + Sync + 'static {
    /// Who a session is.
    type Auth: Clone + Send + Sync + 'static;

    /// An `auth` frame came on a session whose handshake carried no identity. Its answer must come before
    /// [`Options::auth_within`](crate::Options::auth_within) is over.
    fn on_auth(&self, token: &str) -> impl Future<Output = Result<Authed<Self::Auth>, Refused>> + Send;

    /// A session has an identity now: called once, before its first message.
    fn on_open(&self, _session: &Session<Self::Auth>) {}

    /// A frame of any topic but `sys`. It is awaited before the session's next frame is read, so a slow hook slows its
    /// own reader and nobody else; writing goes on meanwhile. The future is dropped if the session ends first; only a
    /// drain, an expiry and [`CloseReason::Forbidden`] give it five more seconds.
    fn on_message(&self, session: &Session<Self::Auth>, message: Message) -> impl Future<Output = ()> + Send;

    /// The session is over: called exactly once for each [`on_open`](Self::on_open), whatever ended it. It has left all
    /// its topics, and nothing can be sent to it any more.
    fn on_close(&self, _session: &Session<Self::Auth>, _reason: CloseReason) {}

    /// Something was published to `topic` and this session's queue was full.
    fn on_overflow(&self, _session: &Session<Self::Auth>, _topic: &str) -> Overflow {
        Overflow::Drop
    }
}
