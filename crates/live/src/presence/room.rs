//! A topic's roll and the frames that tell of it, under one lock: a reader that takes the list and begins to listen in one
//! step misses nothing and hears nothing twice. No frame is written to a socket here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::value::RawValue;
use tokio::sync::{Notify, broadcast};

use super::limits::FRAMES_KEPT;
use super::roll::{Peer, Place, Roll};
use super::{PEERS_PER_TOPIC, PresenceRefused, frames};
use crate::Frame;

pub(super) struct Room {
    pub(super) topic: Box<str>,
    inner: Mutex<Inner>,
    /// Told whenever there may be something to tell, and when the room is gone.
    pub(super) news: Arc<Notify>,
}

struct Inner {
    roll: Roll,
    frames: broadcast::Sender<Frame>,
}

/// Some of the list.
pub(super) struct Page {
    pub(super) peers: Vec<Arc<Peer>>,
    /// Where the rest begins, if there is one.
    pub(super) rest: Option<Place>,
}

impl Room {
    pub(super) fn new(topic: &str) -> Self {
        let inner = Inner { roll: Roll::default(), frames: broadcast::channel(FRAMES_KEPT).0 };
        Self { topic: topic.into(), inner: Mutex::new(inner), news: Arc::default() }
    }

    pub(super) fn join(
        &self,
        user: Option<Arc<str>>,
        state: Box<RawValue>,
    ) -> Result<(Place, Arc<str>), PresenceRefused> {
        let mut inner = self.lock();
        if inner.roll.len() >= PEERS_PER_TOPIC {
            return Err(PresenceRefused::Full);
        }
        let joined = inner.roll.join(user, state);
        self.news.notify_one();
        Ok(joined)
    }

    pub(super) fn set(&self, place: Place, state: Box<RawValue>) {
        let mut inner = self.lock();
        inner.roll.set(place, state);
        if inner.roll.has_news() {
            self.news.notify_one();
        }
    }

    pub(super) fn leave(&self, places: impl IntoIterator<Item = Place>) {
        let mut inner = self.lock();
        for place in places {
            inner.roll.leave(place);
        }
        self.news.notify_one();
    }

    /// Tells what there is to tell, as far as one frame goes; gives the number of those it was told to.
    pub(super) fn tell(&self) -> usize {
        let mut inner = self.lock();
        if !inner.roll.has_news() {
            return 0;
        }
        let delta = inner.roll.tell();
        if inner.roll.has_news() {
            self.news.notify_one();
        }
        let Some(frame) = frames::delta(&self.topic, &delta) else { return 0 };
        // Nobody listening any more is not an error.
        inner.frames.send(frame).unwrap_or_default()
    }

    /// Listens from now on; gives the list too, unless something is about to be told first.
    pub(super) fn listen(&self) -> (broadcast::Receiver<Frame>, bool) {
        let inner = self.lock();
        (inner.frames.subscribe(), inner.roll.has_news())
    }

    /// The list's beginning as it was last told, how many are here besides, and what is told from then on.
    pub(super) fn list(&self) -> (Page, usize, broadcast::Receiver<Frame>) {
        let inner = self.lock();
        let (peers, rest) = inner.roll.list(None);
        (Page { peers, rest }, inner.roll.more(), inner.frames.subscribe())
    }

    /// More of the list, as it is by now: what changed meanwhile is told after it once more.
    pub(super) fn further(&self, after: Place) -> Page {
        let (peers, rest) = self.lock().roll.list(Some(after));
        Page { peers, rest }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.news.notify_one();
    }
}
