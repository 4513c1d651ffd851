//! All topics somebody is in. A topic exists from the first who takes a seat in it to the last who gives one up, and costs
//! nothing otherwise; who may take one is decided above.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::room::Room;
use super::{PEERS, PresenceRefused, Seat, Told, pace};

/// Who is where. Cloning it gives another handle to the same.
#[derive(Clone, Default)]
pub struct Presence {
    rooms: Arc<Rooms>,
}

#[derive(Default)]
pub(super) struct Rooms {
    open: Mutex<HashMap<Box<str>, Open>>,
    /// Peers in all of them.
    peers: AtomicUsize,
}

struct Open {
    room: Arc<Room>,
    seats: usize,
}

impl Presence {
    /// Nobody anywhere.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a seat in a topic for one connection: the [`Seat`] says what the connection says, [`Told`] gives the frames to
    /// send to it. Dropping [`Told`] gives the seat up, and everyone on it leaves. `user` is told beside each state.
    ///
    /// Call it within a tokio runtime: a topic's news is told by a task.
    pub fn enter(&self, topic: &str, user: Option<&str>) -> (Seat, Told) {
        let room = self.rooms.enter(topic);
        let seat = Seat::new(Arc::clone(&self.rooms), room, user.map(Arc::from));
        let told = Told::new(seat.clone());
        (seat, told)
    }

    /// How many are present, in all topics together.
    pub fn peers(&self) -> usize {
        self.rooms.peers.load(Ordering::Relaxed)
    }

    /// How many topics somebody is in or looks at.
    pub fn topics(&self) -> usize {
        self.rooms.open.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Rooms {
    fn enter(&self, topic: &str) -> Arc<Room> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.entry(topic.into()) {
            Entry::Occupied(mut entry) => {
                let open = entry.get_mut();
                open.seats += 1;
                Arc::clone(&open.room)
            }
            Entry::Vacant(entry) => {
                let room = Arc::new(Room::new(topic));
                tokio::spawn(pace::run(Arc::downgrade(&room)));
                entry.insert(Open { room: Arc::clone(&room), seats: 1 });
                room
            }
        }
    }

    /// A seat was given up.
    pub(super) fn exit(&self, topic: &str) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = open.get_mut(topic) {
            one.seats = one.seats.saturating_sub(1);
            if one.seats == 0 {
                open.remove(topic);
            }
        }
    }

    /// Room for one more peer, if there is.
    pub(super) fn reserve(&self) -> Result<(), PresenceRefused> {
        let one_more = |peers: usize| (peers < PEERS).then_some(peers + 1);
        self.peers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).map_err(|_| PresenceRefused::Full)?;
        Ok(())
    }

    pub(super) fn release(&self, peers: usize) {
        self.peers.fetch_sub(peers, Ordering::Relaxed);
    }
}
