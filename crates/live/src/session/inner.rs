//! What a session's task and its handles share before and after there is an identity: the queue, the topics joined,
//! and the reason it ends for. The first reason given is the one that counts.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::flag::Flag;
use crate::queue::Queue;
use crate::session::handle::{JoinError, SessionId};
use crate::{CloseReason, Options};

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) id: SessionId,
    pub(crate) queue: Queue,
    closed: Flag,
    reason: OnceLock<CloseReason>,
    /// `None` once the session has left everything for good.
    joined: Mutex<Option<HashSet<Box<str>>>>,
    max_topics: usize,
    pub(crate) max_topic_bytes: usize,
}

impl Inner {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            id: SessionId::random(),
            queue: Queue::new(options.queue_bytes),
            closed: Flag::default(),
            reason: OnceLock::new(),
            joined: Mutex::new(Some(HashSet::new())),
            max_topics: options.max_topics_per_session,
            max_topic_bytes: options.max_topic_bytes,
        }
    }

    /// Takes nothing more in and tells everyone who waits. The task writes what is queued and ends.
    pub(crate) fn close(&self, reason: CloseReason) {
        let _ = self.reason.set(reason);
        self.queue.close();
        self.closed.raise();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_raised()
    }

    pub(crate) async fn closed(&self) {
        self.closed.wait().await;
    }

    pub(crate) fn reason(&self) -> Option<CloseReason> {
        self.reason.get().copied()
    }

    /// Notes a topic. `add` runs under the lock, so that a join and the end of the session cannot cross.
    pub(crate) fn join(&self, topic: &str, add: impl FnOnce()) -> Result<(), JoinError> {
        let mut joined = self.joined();
        let topics = joined.as_mut().ok_or(JoinError::Closed)?;
        if topics.contains(topic) {
            return Ok(());
        }
        if topics.len() >= self.max_topics {
            return Err(JoinError::TooMany { limit: self.max_topics });
        }
        topics.insert(topic.into());
        add();
        Ok(())
    }

    pub(crate) fn leave(&self, topic: &str, remove: impl FnOnce()) {
        let mut joined = self.joined();
        if joined.as_mut().is_some_and(|topics| topics.remove(topic)) {
            remove();
        }
    }

    /// The topics joined, to be left; from now on none can be joined.
    pub(crate) fn leave_all(&self) -> HashSet<Box<str>> {
        self.joined().take().unwrap_or_default()
    }

    fn joined(&self) -> MutexGuard<'_, Option<HashSet<Box<str>>>> {
        self.joined.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
