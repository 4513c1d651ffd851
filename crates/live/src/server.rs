//! The server: takes handshakes in, holds what its sessions share, and publishes. It keeps no list of sessions beyond
//! their topics and a count; a session's life is its own task.

use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::http::HeaderMap;
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::topics::Topics;
use crate::{Authed, Drain, DrainGuard, Frame, Hooks, Options, Session, refusal, session};

/// 16 KiB: what is gathered before a write is tried. The stack keeps the room it once needed, on every socket, so this
/// is kept well below the queue; system calls of 16 KiB are no longer what costs.
const WRITE_BUFFER: usize = 16 * 1024;

/// The WebSocket server of an application. Cloning it gives another handle to the same one.
pub struct Server<H: Hooks> {
    shared: Arc<Shared<H>>,
}

pub(crate) struct Shared<H: Hooks> {
    pub(crate) hooks: Arc<H>,
    pub(crate) options: Options,
    pub(crate) topics: Arc<Topics<H::Auth>>,
    slots: Arc<Semaphore>,
    capacity: usize,
}

/// What a session holds for as long as it runs: its place among the sessions, and the server's wish to wait for it.
pub(crate) struct Held {
    _slot: OwnedSemaphorePermit,
    _guard: DrainGuard,
}

impl<H: Hooks> Server<H> {
    /// A server with no sessions yet.
    pub fn new(hooks: H, options: Options) -> Self {
        let hooks = Arc::new(hooks);
        let topics = Topics::new(Box::new({
            let hooks = Arc::clone(&hooks);
            move |session: &Session<H::Auth>, topic: &str| hooks.on_overflow(session, topic)
        }));
        let capacity = options.max_sessions.min(Semaphore::MAX_PERMITS);
        let slots = Arc::new(Semaphore::new(capacity));
        Self { shared: Arc::new(Shared { hooks, options, topics: Arc::new(topics), slots, capacity }) }
    }

    /// Answers a handshake and runs the session in a task of its own, until its end or the drain's.
    ///
    /// With `auth` the session has its identity at once; without, its first frame must be an `auth` frame. Refused with
    /// 403 `forbidden` when the origin is not allowed, and with 503 `unavailable` when the server is full or draining.
    #[must_use = "the response completes the handshake"]
    pub fn upgrade(
        &self,
        handshake: WebSocketUpgrade,
        headers: &HeaderMap,
        auth: Option<Authed<H::Auth>>,
        drain: Drain,
    ) -> Response {
        let options = &self.shared.options;
        if let Err(error) = options.origins.check(headers) {
            return refusal::forbidden(&error.to_string());
        }
        if drain.is_started() {
            return refusal::unavailable("the server is going away");
        }
        let Ok(slot) = Arc::clone(&self.shared.slots).try_acquire_owned() else {
            return refusal::unavailable("the server is full");
        };
        let held = Held { _slot: slot, _guard: drain.guard() };
        let shared = Arc::clone(&self.shared);
        handshake
            .read_buffer_size(options.read_buffer)
            .max_message_size(options.max_frame)
            .max_frame_size(options.max_frame)
            .write_buffer_size(WRITE_BUFFER)
            // The queue is the bound: while the socket takes nothing, no more than `WRITE_BUFFER` and one frame get
            // this far. A bound here would only turn one large frame into a broken connection.
            .max_write_buffer_size(usize::MAX)
            .on_failed_upgrade(|error| tracing::debug!(%error, "a WebSocket upgrade failed"))
            // Boxed, because the task that waits for the upgrade would otherwise hold the session's state twice.
            .on_upgrade(move |socket| Box::pin(session::run(shared, socket, auth, drain, held)))
    }

    /// Queues a frame for every session that has joined `topic`, without waiting; gives the number of sessions it was
    /// queued for. For one whose queue is full, [`Hooks::on_overflow`] decides. Frames published one after the other
    /// reach a session in that order; a session that leaves meanwhile may still get this one.
    #[allow(clippy::needless_pass_by_value)]
    pub fn publish(&self, topic: &str, frame: Frame) -> usize {
        self.shared.topics.publish(topic, &frame)
    }

    /// The sessions that have joined `topic` now.
    pub fn members(&self, topic: &str) -> Vec<Session<H::Auth>> {
        self.shared.topics.members(topic)
    }

    /// How many sessions there are, those counted in that are not authenticated yet or about to end.
    pub fn sessions(&self) -> usize {
        self.shared.capacity.saturating_sub(self.shared.slots.available_permits())
    }

    /// The hooks this server was made with.
    pub fn hooks(&self) -> &H {
        &self.shared.hooks
    }
}

impl<H: Hooks> Clone for Server<H> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}
