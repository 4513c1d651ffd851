//! Topics of the application's own on the same socket: chat, cursors, whatever is not synced. Every topic that does not
//! begin with `sync:` comes here.

use futures_util::future::BoxFuture;
use riverrun_live::{CloseReason, Message, Session};

use crate::Member;

/// What answers frames on topics of the application's own.
///
/// A session that should receive what is published on a topic joins it: `session.join("chat")`.
pub trait Topics: Send + Sync + 'static {
    /// A frame arrived. The session's next frame is read when this is done.
    fn on_message<'a>(&'a self, session: &'a Session<Member>, message: Message) -> BoxFuture<'a, ()>;

    /// The session has ended.
    fn on_close(&self, _session: &Session<Member>, _reason: CloseReason) {}
}
