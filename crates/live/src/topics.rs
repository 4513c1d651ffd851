//! Who has joined which topic. It holds sessions only while they are open, and topics only while someone has joined
//! them; a topic's meaning, and who may join it, is decided above.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::{CloseReason, Frame, Overflow, SendError, Session, SessionId};

/// What to do about a session that was full, as the hooks say.
type OnOverflow<A> = Box<dyn Fn(&Session<A>, &str) -> Overflow + Send + Sync>;

type Members<A> = HashMap<SessionId, Session<A>>;

pub(crate) struct Topics<A> {
    members: RwLock<HashMap<Box<str>, Members<A>>>,
    on_overflow: OnOverflow<A>,
}

impl<A> Topics<A> {
    pub(crate) fn new(on_overflow: OnOverflow<A>) -> Self {
        Self { members: RwLock::default(), on_overflow }
    }

    pub(crate) fn add(&self, topic: &str, session: Session<A>) {
        let mut all = self.write();
        match all.get_mut(topic) {
            Some(members) => members.insert(session.id(), session),
            None => all.entry(topic.into()).or_default().insert(session.id(), session),
        };
    }

    pub(crate) fn remove<'a>(&self, topics: impl IntoIterator<Item = &'a str>, session: SessionId) {
        let mut all = self.write();
        for topic in topics {
            if let Some(members) = all.get_mut(topic) {
                members.remove(&session);
                if members.is_empty() {
                    all.remove(topic);
                }
            }
        }
    }

    pub(crate) fn members(&self, topic: &str) -> Vec<Session<A>> {
        self.read().get(topic).map(|members| members.values().cloned().collect()).unwrap_or_default()
    }

    pub(crate) fn publish(&self, topic: &str, frame: &Frame) -> usize {
        // The list is copied so that no lock is held while queues are filled and hooks are called.
        let mut queued = 0;
        for session in self.members(topic) {
            match session.try_send(frame.clone()) {
                Ok(()) => queued += 1,
                Err(SendError::Closed) => {}
                Err(SendError::Full) => {
                    if (self.on_overflow)(&session, topic) == Overflow::Close {
                        session.close(CloseReason::Overflow);
                    }
                }
            }
        }
        queued
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Box<str>, Members<A>>> {
        self.members.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Box<str>, Members<A>>> {
        self.members.write().unwrap_or_else(PoisonError::into_inner)
    }
}
