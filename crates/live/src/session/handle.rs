//! The handle to a session: send, join, close. It outlives the connection harmlessly: after the end every call says
//! so, and none of them blocks a thread.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio::task::AbortHandle;
use uuid::Uuid;

use crate::session::inner::Inner;
use crate::topics::Topics;
use crate::{CloseReason, Closed, Frame, SYS_TOPIC, SendError, envelope};

/// Names one connection. Random, so that it tells nothing and cannot be guessed; it is no secret either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId(Uuid);

impl SessionId {
    pub(crate) fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// A number from 0 to 255 that differs from session to session: what timers are spread by.
    pub(crate) fn spread(self) -> u8 {
        self.0.as_bytes()[15]
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

/// Why a topic could not be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// The session has joined as many as it may.
    #[error("a session may join {limit} topics")]
    TooMany {
        /// How many it may join.
        limit: usize,
    },
    /// It is not 1 to 255 bytes (unless configured otherwise) without control characters, or it is `sys`.
    #[error("not the name of a topic that can be joined")]
    BadTopic,
    /// The session has ended.
    #[error("the session is closed")]
    Closed,
}

/// One authenticated connection. Cloning it gives another handle to the same one.
pub struct Session<A> {
    shared: Arc<Shared<A>>,
}

struct Shared<A> {
    inner: Arc<Inner>,
    auth: A,
    topics: Arc<Topics<A>>,
}

impl<A> Session<A> {
    pub(crate) fn new(inner: Arc<Inner>, auth: A, topics: Arc<Topics<A>>) -> Self {
        Self { shared: Arc::new(Shared { inner, auth, topics }) }
    }

    /// Its name.
    pub fn id(&self) -> SessionId {
        self.shared.inner.id
    }

    /// Who it is, as the application said.
    pub fn auth(&self) -> &A {
        &self.shared.auth
    }

    /// Queues a frame, waiting for room. A frame larger than the whole queue waits until it is empty. Frames of one
    /// sender keep their order, and a waiting one is not overtaken. Cancel-safe: dropped before it resolved, nothing
    /// was queued.
    ///
    /// The connection keeps a buffer of the largest frame it ever wrote: what is often above 64 KiB is better fetched
    /// by HTTP.
    pub async fn send(&self, frame: Frame) -> Result<(), Closed> {
        self.shared.inner.queue.send(frame).await
    }

    /// Queues a frame if there is room now.
    pub fn try_send(&self, frame: Frame) -> Result<(), SendError> {
        self.shared.inner.queue.try_send(frame)
    }

    /// What is queued or being written now, in bytes, each frame counted as [`Options::queue_bytes`] says; never above
    /// that limit.
    ///
    /// [`Options::queue_bytes`]: crate::Options::queue_bytes
    pub fn queued_bytes(&self) -> usize {
        self.shared.inner.queue.taken()
    }

    /// Joins an application topic: what is published to it reaches this session. Joining again changes nothing.
    pub fn join(&self, topic: &str) -> Result<(), JoinError> {
        let inner = &self.shared.inner;
        if topic == SYS_TOPIC || !envelope::is_topic(topic, inner.max_topic_bytes) {
            return Err(JoinError::BadTopic);
        }
        inner.join(topic, || self.shared.topics.add(topic, self.clone()))
    }

    /// Leaves a topic. Leaving one that was not joined changes nothing.
    pub fn leave(&self, topic: &str) {
        self.shared.inner.leave(topic, || self.shared.topics.remove([topic], self.id()));
    }

    /// Leaves every topic, for good.
    pub(crate) fn leave_all(&self) {
        let topics = self.shared.inner.leave_all();
        if !topics.is_empty() {
            self.shared.topics.remove(topics.iter().map(AsRef::as_ref), self.id());
        }
    }

    /// Publishes to everyone who has joined `topic`, as [`Server::publish`](crate::Server::publish) does, this session
    /// included if it has.
    #[allow(clippy::needless_pass_by_value)]
    pub fn publish(&self, topic: &str, frame: Frame) -> usize {
        self.shared.topics.publish(topic, &frame)
    }

    /// Runs a future beside the session; it is dropped when the session closes, or through the handle.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let inner = Arc::clone(&self.shared.inner);
        let task = tokio::spawn(async move {
            tokio::select! {
                () = inner.closed() => {}
                () = work => {}
            }
        });
        task.abort_handle()
    }

    /// Ends the session: what is queued is still written, within a bound, then the close frame. Nothing more can be
    /// sent from now on. The first reason given counts.
    pub fn close(&self, reason: CloseReason) {
        self.shared.inner.close(reason);
    }

    /// Whether the session takes no more frames.
    pub fn is_closed(&self) -> bool {
        self.shared.inner.is_closed()
    }

    /// Resolves when the session takes no more frames. Cancel-safe.
    pub async fn closed(&self) {
        self.shared.inner.closed().await;
    }
}

impl<A> Clone for Session<A> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<A> fmt::Debug for Session<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.id()).field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}
