//! One connection's place in a topic: whom it is present as, and whether it looks. It says what the connection says and
//! waits for nothing; what comes back is told elsewhere.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::value::RawValue;
use tokio::sync::Notify;

use super::frames::You;
use super::roll::Place;
use super::room::Room;
use super::rooms::Rooms;
use super::{NAME_BYTES, NAMES_PER_SEAT, PresenceRefused, STATE_BYTES};

/// What one connection says about who is there. Cloning it gives another handle to the same seat.
#[derive(Clone)]
pub struct Seat {
    shared: Arc<Shared>,
}

struct Shared {
    rooms: Arc<Rooms>,
    room: Arc<Room>,
    user: Option<Arc<str>>,
    own: Mutex<Own>,
    said: Notify,
}

#[derive(Default)]
struct Own {
    /// By name; with no name it is the empty one.
    present: BTreeMap<Box<str>, (Place, Arc<str>)>,
    looks: bool,
    gone: bool,
    owed: Owed,
}

/// What a seat is owed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owed {
    #[default]
    Nothing,
    /// The ids of its own.
    Ids,
    /// The whole list, which brings the ids along.
    List,
    /// Nothing any more: it was given up.
    End,
}

impl Seat {
    pub(super) fn new(rooms: Arc<Rooms>, room: Arc<Room>, user: Option<Arc<str>>) -> Self {
        Self { shared: Arc::new(Shared { rooms, room, user, own: Mutex::default(), said: Notify::new() }) }
    }

    /// Is here as `name`, in this state; the empty name is one, too. The first word brings the whole list.
    pub fn set(&self, name: &str, state: &RawValue) -> Result<(), PresenceRefused> {
        check(name, state)?;
        let Shared { rooms, room, user, .. } = &*self.shared;
        let mut own = self.own()?;
        if let Some((place, _)) = own.present.get(name) {
            room.set(*place, state.to_owned());
            return Ok(());
        }
        if own.present.len() >= NAMES_PER_SEAT {
            return Err(PresenceRefused::TooManyNames);
        }
        rooms.reserve()?;
        match room.join(user.clone(), state.to_owned()) {
            Ok(joined) => own.present.insert(name.into(), joined),
            Err(full) => {
                rooms.release(1);
                return Err(full);
            }
        };
        own.owed = own.owed.max(Owed::Ids);
        drop(own);
        self.shared.said.notify_one();
        Ok(())
    }

    /// Is no longer here as `name`. With nobody left on it and no look, the seat is given up.
    pub fn leave(&self, name: &str) -> Result<(), PresenceRefused> {
        let mut own = self.own()?;
        if let Some((place, _)) = own.present.remove(name) {
            self.shared.room.leave([place]);
            self.shared.rooms.release(1);
        }
        self.settle(own);
        Ok(())
    }

    /// Sees who is here without being seen. Asked again, it brings the whole list again.
    pub fn look(&self) -> Result<(), PresenceRefused> {
        let mut own = self.own()?;
        own.looks = true;
        own.owed = Owed::List;
        self.settle(own);
        Ok(())
    }

    /// Looks no longer. With nobody on it either, the seat is given up.
    pub fn look_away(&self) -> Result<(), PresenceRefused> {
        let mut own = self.own()?;
        own.looks = false;
        self.settle(own);
        Ok(())
    }

    /// Whether it was given up.
    pub fn is_gone(&self) -> bool {
        self.own().is_err()
    }

    fn settle(&self, mut own: MutexGuard<'_, Own>) {
        own.gone = !own.looks && own.present.is_empty();
        drop(own);
        self.shared.said.notify_one();
    }

    /// Resolves when something was said. For one waiter only; cancel-safe.
    pub(super) async fn said(&self) {
        self.shared.said.notified().await;
    }

    /// What is owed.
    pub(super) fn owed(&self) -> Owed {
        self.own().map_or(Owed::End, |own| own.owed)
    }

    /// The ids of its own. With them, or with a list that brings them along, nothing is owed any more.
    pub(super) fn take_ids(&self) -> You {
        let Ok(mut own) = self.own() else { return You::new() };
        own.owed = Owed::Nothing;
        own.present.iter().map(|(name, (_, id))| (name.clone(), Arc::clone(id))).collect()
    }

    pub(super) fn room(&self) -> &Room {
        &self.shared.room
    }

    /// Gives the seat up: everyone on it leaves.
    pub(super) fn give_up(&self) {
        let mut own = self.shared.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.gone = true;
        let left: Vec<_> = std::mem::take(&mut own.present).into_values().map(|(place, _)| place).collect();
        self.shared.rooms.release(left.len());
        self.shared.room.leave(left);
        drop(own);
        self.shared.rooms.exit(&self.shared.room.topic);
    }

    /// What it is, unless it was given up.
    fn own(&self) -> Result<MutexGuard<'_, Own>, PresenceRefused> {
        let own = self.shared.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.gone { Err(PresenceRefused::Gone) } else { Ok(own) }
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").field("topic", &self.shared.room.topic).finish_non_exhaustive()
    }
}

fn check(name: &str, state: &RawValue) -> Result<(), PresenceRefused> {
    if name.len() > NAME_BYTES {
        return Err(PresenceRefused::NameTooLong);
    }
    if !state.get().starts_with('{') {
        return Err(PresenceRefused::NotAnObject);
    }
    if state.get().len() > STATE_BYTES {
        return Err(PresenceRefused::StateTooLarge);
    }
    Ok(())
}
