//! The one hook a session is waiting for. While there is one, the session reads no further; dropping it drops the
//! hook's future. A panic inside becomes an outcome, so that it ends its own session in good order.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;

use crate::session::inner::Inner;
use crate::sys::Token;
use crate::{Authed, Frame, Hooks, Message, Refused, Session};

/// What a hook came to.
pub(crate) enum Outcome<A> {
    Done,
    Authed(Authed<A>),
    Refused(Refused),
    Panicked,
}

/// At most one hook at work.
pub(crate) struct Work<A> {
    running: Option<Pin<Box<dyn Future<Output = Outcome<A>> + Send>>>,
}

impl<A: Clone + Send + Sync + 'static> Work<A> {
    pub(crate) fn none() -> Self {
        Self { running: None }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub(crate) fn authenticate<H: Hooks<Auth = A>>(&mut self, hooks: &Arc<H>, token: Token) {
        let hooks = Arc::clone(hooks);
        self.start(async move {
            match hooks.on_auth(&token.0).await {
                Ok(authed) => Outcome::Authed(authed),
                Err(refused) => Outcome::Refused(refused),
            }
        });
    }

    pub(crate) fn message<H: Hooks<Auth = A>>(&mut self, hooks: &Arc<H>, session: &Session<A>, message: Message) {
        let (hooks, session) = (Arc::clone(hooks), session.clone());
        self.start(async move {
            hooks.on_message(&session, message).await;
            Outcome::Done
        });
    }

    /// An answer of the session's own. With no room in the queue it waits for some, and reading waits with it: a peer
    /// that asks without reading the answers is not asked for more.
    pub(crate) fn answer(&mut self, inner: &Arc<Inner>, frame: Option<Frame>) {
        let Some(frame) = frame else { return };
        if inner.queue.try_send(frame.clone()).is_ok() {
            return;
        }
        let inner = Arc::clone(inner);
        self.start(async move {
            // Closed meanwhile: nobody is left to answer.
            let _ = inner.queue.send(frame).await;
            Outcome::Done
        });
    }

    fn start(&mut self, work: impl Future<Output = Outcome<A>> + Send + 'static) {
        let caught = AssertUnwindSafe(work).catch_unwind();
        self.running = Some(Box::pin(async move { caught.await.unwrap_or(Outcome::Panicked) }));
    }

    /// Waits for the hook at work; for ever if there is none. Cancel-safe: the hook stays at work.
    pub(crate) async fn outcome(&mut self) -> Outcome<A> {
        let Some(running) = self.running.as_mut() else { return std::future::pending().await };
        let outcome = running.await;
        self.running = None;
        outcome
    }
}
