//! The end of a session: what is still written to the peer, and the certainty that the hooks hear of it once, whether
//! the task returned, panicked, or was torn down with its runtime.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use axum::Error;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes};
use futures_util::{Sink, Stream, StreamExt};
use tokio::time::timeout;

use crate::session::inner::Inner;
use crate::session::work::Work;
use crate::session::writer::Writer;
use crate::{CloseReason, Hooks, Session};

/// 5 s: the time the message in hand has to be answered. With [`FAREWELL_WITHIN`] it stays below the ten seconds that
/// the accept loop gives a whole drain.
const MESSAGE_WITHIN: Duration = Duration::from_secs(5);

/// 2 s: for what is queued, the close frame, and the peer's own. Longer would only keep sockets of the gone.
const FAREWELL_WITHIN: Duration = Duration::from_secs(2);

/// 500 ms: after an error in reading, the rest of what the peer sent stays unread, and closing a socket with unread
/// bytes resets it. This leaves the close frame the time to be read first.
const LINGER: Duration = Duration::from_millis(500);

/// The end as the hooks see it; its `Drop` is what makes it happen exactly once.
pub(crate) struct Life<H: Hooks> {
    pub(crate) hooks: Arc<H>,
    pub(crate) inner: Arc<Inner>,
    pub(crate) session: Option<Session<H::Auth>>,
}

impl<H: Hooks> Drop for Life<H> {
    fn drop(&mut self) {
        // Has its effect only when nothing else named a reason: then the task did not get to its own end.
        self.inner.close(CloseReason::Internal);
        let Some(session) = self.session.take() else { return };
        session.leave_all();
        let reason = self.inner.reason().unwrap_or(CloseReason::Internal);
        // This may run while a panic unwinds, where a second one would end the process.
        if catch_unwind(AssertUnwindSafe(|| self.hooks.on_close(&session, reason))).is_err() {
            tracing::error!(session = %session.id(), "on_close panicked");
        }
    }
}

/// Lets the message in hand finish where its answer can still arrive, then says farewell.
pub(crate) async fn farewell<S, T, A>(
    reason: CloseReason,
    inner: &Inner,
    mut work: Work<A>,
    mut writer: Writer<S>,
    mut stream: T,
) where
    S: Sink<Message> + Unpin,
    T: Stream<Item = Result<Message, Error>> + Unpin,
    A: Clone + Send + Sync + 'static,
{
    if reason.lets_message_finish() && work.is_running() {
        let _ = timeout(MESSAGE_WITHIN, async {
            tokio::select! {
                _ = work.outcome() => {}
                _ = writer.run() => {}
            }
        })
        .await;
    }
    drop(work);
    inner.close(reason);
    let reason = inner.reason().unwrap_or(reason);
    if matches!(reason, CloseReason::Lost | CloseReason::Stalled) {
        return;
    }
    let last = reason.owes_close_frame().then(|| {
        Message::Close(Some(CloseFrame { code: reason.code(), reason: Utf8Bytes::from_static(reason.text()) }))
    });
    let _ = timeout(FAREWELL_WITHIN, async {
        if reason.owes_close_frame() && writer.finish(last).await.is_err() {
            return;
        }
        if matches!(reason, CloseReason::TooLarge | CloseReason::NotUtf8 | CloseReason::Protocol) {
            tokio::time::sleep(LINGER).await;
        }
        // Reading on answers the peer's close frame, or waits for its answer to ours.
        while let Some(Ok(_)) = stream.next().await {}
    })
    .await;
}
