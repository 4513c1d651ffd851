//! The roll of a topic: who is here, and what of it its readers have not been told yet. It keeps the latest state only, so
//! however often something changes between two tellings, what waits is bounded by who is here. No locks and no time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::value::RawValue;
use uuid::Uuid;

use super::{DELTA_BYTES, PEERS_TOLD};

/// Bytes a peer takes in a frame beside its texts: braces, keys and its id.
const PEER_OVERHEAD: usize = 64;

/// One peer as it is told.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) id: Arc<str>,
    pub(super) user: Option<Arc<str>>,
    pub(super) state: Box<RawValue>,
}

impl Peer {
    /// About what it takes in a frame.
    pub(super) fn bytes(&self) -> usize {
        PEER_OVERHEAD + self.user.as_ref().map_or(0, |user| user.len()) + self.state.get().len()
    }
}

/// A peer's place on the roll: in the order of coming.
pub(super) type Place = u64;

struct Entry {
    peer: Arc<Peer>,
    /// When it changed after it was told.
    changed: Option<u64>,
}

/// What readers have to be told to know what the roll says they know.
#[derive(Debug, Default)]
pub(super) struct Delta {
    pub(super) join: Vec<Arc<Peer>>,
    pub(super) set: Vec<Arc<Peer>>,
    pub(super) leave: Vec<Arc<str>>,
    /// How many are here that are not told of, if that has changed.
    pub(super) more: Option<usize>,
}

#[derive(Default)]
pub(super) struct Roll {
    /// Counts comings and changes.
    clock: u64,
    entries: BTreeMap<Place, Entry>,
    /// Those the readers know.
    told: BTreeSet<Place>,
    /// Those they don't know yet, in the order of coming.
    waiting: BTreeSet<Place>,
    /// Those they know in an older state, the longest waiting first.
    changed: BTreeMap<u64, Place>,
    /// Those they know and that have left. Never more than were told.
    left: Vec<Arc<str>>,
    /// How many they were told are here besides.
    more: usize,
}

impl Roll {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Someone comes; gives the place, and the id the peer is told under.
    pub(super) fn join(&mut self, user: Option<Arc<str>>, state: Box<RawValue>) -> (Place, Arc<str>) {
        let place = self.tick();
        let id: Arc<str> = short_id().into();
        let peer = Arc::new(Peer { id: Arc::clone(&id), user, state });
        self.entries.insert(place, Entry { peer, changed: None });
        self.waiting.insert(place);
        (place, id)
    }

    /// The latest state is the one that is told.
    pub(super) fn set(&mut self, place: Place, state: Box<RawValue>) {
        let stamp = self.tick();
        let Some(entry) = self.entries.get_mut(&place) else { return };
        if entry.peer.state.get() == state.get() {
            return;
        }
        let (id, user) = (Arc::clone(&entry.peer.id), entry.peer.user.clone());
        entry.peer = Arc::new(Peer { id, user, state });
        if entry.changed.is_none() && self.told.contains(&place) {
            entry.changed = Some(stamp);
            self.changed.insert(stamp, place);
        }
    }

    pub(super) fn leave(&mut self, place: Place) {
        let Some(entry) = self.entries.remove(&place) else { return };
        self.waiting.remove(&place);
        if let Some(stamp) = entry.changed {
            self.changed.remove(&stamp);
        }
        if self.told.remove(&place) {
            self.left.push(Arc::clone(&entry.peer.id));
        }
    }

    /// Whether there is something to tell.
    pub(super) fn has_news(&self) -> bool {
        let room = PEERS_TOLD.saturating_sub(self.told.len());
        !self.left.is_empty()
            || !self.changed.is_empty()
            || (room > 0 && !self.waiting.is_empty())
            || self.untold() != self.more
    }

    /// Takes what there is to tell, up to what a frame holds.
    pub(super) fn tell(&mut self) -> Delta {
        let mut delta = Delta { leave: std::mem::take(&mut self.left), ..Delta::default() };
        let mut bytes = 0;
        // Half for those who are known, half for those who come: neither keeps the other from being told.
        self.tell_changes(&mut delta, &mut bytes, DELTA_BYTES / 2);
        while self.told.len() < PEERS_TOLD
            && bytes < DELTA_BYTES
            && let Some(place) = self.waiting.pop_first()
        {
            let Some(entry) = self.entries.get(&place) else { continue };
            bytes += entry.peer.bytes();
            delta.join.push(Arc::clone(&entry.peer));
            self.told.insert(place);
        }
        self.tell_changes(&mut delta, &mut bytes, DELTA_BYTES);
        if self.untold() != self.more {
            self.more = self.untold();
            delta.more = Some(self.more);
        }
        delta
    }

    fn tell_changes(&mut self, delta: &mut Delta, bytes: &mut usize, limit: usize) {
        while *bytes < limit
            && let Some((_, place)) = self.changed.pop_first()
        {
            let Some(entry) = self.entries.get_mut(&place) else { continue };
            entry.changed = None;
            *bytes += entry.peer.bytes();
            delta.set.push(Arc::clone(&entry.peer));
        }
    }

    /// Those the readers know who came after this place, in the order of coming and as many as a frame holds; and the
    /// place of the last, if there are more.
    pub(super) fn list(&self, after: Option<Place>) -> (Vec<Arc<Peer>>, Option<Place>) {
        let (mut peers, mut bytes, mut last) = (Vec::new(), 0, after);
        let from = after.map_or(0, |place| place + 1);
        for place in self.told.range(from..) {
            if bytes >= DELTA_BYTES {
                return (peers, last);
            }
            let Some(entry) = self.entries.get(place) else { continue };
            bytes += entry.peer.bytes();
            peers.push(Arc::clone(&entry.peer));
            last = Some(*place);
        }
        (peers, None)
    }

    /// How many the readers were told are here besides.
    pub(super) fn more(&self) -> usize {
        self.more
    }

    /// Those who are not told of now: the ones that don't fit, and for a moment those who have just come.
    fn untold(&self) -> usize {
        let room = PEERS_TOLD.saturating_sub(self.told.len());
        self.waiting.len().saturating_sub(room)
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

/// 16 hexadecimal digits: unique among those who are here, and tells nothing about how many ever were.
fn short_id() -> String {
    let mut text = Uuid::new_v4().simple().to_string();
    text.truncate(16);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    fn of_size(bytes: usize) -> Box<RawValue> {
        state(&format!(r#"{{"x":"{}"}}"#, "x".repeat(bytes)))
    }

    /// Tells as often as there is news; gives the frames' peers.
    fn tell_all(roll: &mut Roll) -> Vec<Delta> {
        let mut told = Vec::new();
        while roll.has_news() {
            told.push(roll.tell());
        }
        told
    }

    #[test]
    fn who_comes_and_goes_between_two_tellings_is_never_told() {
        let mut roll = Roll::default();
        let (place, _) = roll.join(None, state("{}"));
        roll.leave(place);
        assert!(!roll.has_news());
    }

    #[test]
    fn of_many_states_the_last_is_told_and_an_equal_one_is_no_news() {
        let mut roll = Roll::default();
        let (place, _) = roll.join(None, state(r#"{"n":0}"#));
        roll.set(place, state(r#"{"n":1}"#));
        let told = tell_all(&mut roll);
        assert_eq!((told.len(), told[0].join[0].state.get()), (1, r#"{"n":1}"#), "its first state was never told");
        roll.set(place, state(r#"{"n":1}"#));
        assert!(!roll.has_news());
        for n in 2..100 {
            roll.set(place, state(&format!(r#"{{"n":{n}}}"#)));
        }
        let told = tell_all(&mut roll);
        assert_eq!((told.len(), told[0].set.len(), told[0].set[0].state.get()), (1, 1, r#"{"n":99}"#));
        roll.set(place, state(r#"{"n":100}"#));
        roll.leave(place);
        let told = tell_all(&mut roll);
        assert_eq!((told.len(), told[0].set.len(), told[0].leave.len()), (1, 0, 1), "who has left has no state");
    }

    #[test]
    fn what_does_not_fit_a_frame_follows_and_those_who_come_do_not_keep_the_known_from_being_told() {
        let mut roll = Roll::default();
        let (known, _) = roll.join(None, state("{}"));
        tell_all(&mut roll);
        let many: Vec<_> = (0..100).map(|_| roll.join(None, of_size(900)).0).collect();
        roll.set(known, of_size(900));
        let told = tell_all(&mut roll);
        assert_eq!(told[0].set.len(), 1, "the known is told in the first frame");
        assert_eq!(told.iter().map(|delta| delta.join.len()).sum::<usize>(), 100);
        for delta in &told {
            let bytes: usize = delta.join.iter().chain(&delta.set).map(|peer| peer.bytes()).sum();
            assert!(bytes < DELTA_BYTES + 2 * 1024, "{bytes}");
        }
        let (mut listed, mut pages, mut after) = (0, 0, None);
        loop {
            let (page, next) = roll.list(after);
            listed += page.len();
            pages += 1;
            after = next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(listed, 101, "each once");
        assert!((4..=5).contains(&pages), "{pages} pages");
        for place in many {
            roll.leave(place);
        }
        assert_eq!(roll.tell().leave.len(), 100, "those who leave are told of at once");
        assert_eq!(roll.list(None).0.len(), 1);
    }

    #[test]
    fn those_who_do_not_fit_are_counted_and_move_up_in_the_order_of_their_coming() {
        let mut roll = Roll::default();
        let all: Vec<_> = (0..PEERS_TOLD + 3).map(|_| roll.join(None, state("{}"))).collect();
        let told = tell_all(&mut roll);
        assert_eq!(told.last().unwrap().more, Some(3));
        assert_eq!((roll.list(None).0.len(), roll.list(None).1, roll.more()), (PEERS_TOLD, None, 3));
        roll.leave(all[0].0);
        roll.leave(all[PEERS_TOLD + 1].0);
        let delta = roll.tell();
        assert_eq!((delta.leave.len(), delta.join.len(), delta.more), (1, 1, Some(1)));
        assert_eq!(delta.join[0].id, all[PEERS_TOLD].1);
        assert!(!roll.has_news());
    }
}
