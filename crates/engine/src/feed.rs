//! Tells the readers of a scope what was committed there. A ring per scope that somebody listens to, and none for the rest:
//! idle scopes cost nothing. The log is the truth, the ring an accelerator: who falls out of it reads the log.

use std::{
    any::Any,
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use riverrun_core::{Change, Cursor, Digest, Scope};
use tokio::sync::broadcast;

use crate::{pull::entry_changes, store::Entry};

/// Commits a ring holds. A reader this far behind is slower than the scope changes, and is told so.
const RING: usize = 128;

/// Bytes of change data a commit carries along. A larger one names its cursors only, and readers take it from the log: so a
/// ring never pins more than `RING` times this.
const CARRIED_BYTES: usize = 64 << 10;

/// Bytes of change data all rings hold together, and what edges made of them about as much again. A ring only holds what
/// somebody has not taken yet; beyond this, whoever is slow reads the log instead.
const HELD_BYTES: usize = 64 << 20;

/// One commit's changes in one scope.
pub struct Commit {
    /// The scope.
    pub scope: Scope,
    /// The cursor before its first change.
    pub from: Cursor,
    /// The cursor of its last change.
    pub cursor: Cursor,
    /// The digest at that cursor.
    pub digest: Digest,
    /// The digest at `from`: a reader that has another one there is in another history.
    pub(crate) follows: Digest,
    entries: Option<Vec<Entry>>,
    bytes: usize,
    rendered: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl std::fmt::Debug for Commit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Commit({} {}..{})", self.scope, self.from, self.cursor)
    }
}

impl Commit {
    /// The entries lead from one place in the log to another.
    pub(crate) fn new(scope: Scope, from: (Cursor, Digest), to: (Cursor, Digest), entries: Vec<Entry>) -> Self {
        let bytes: usize = entries.iter().flat_map(|entry| &entry.changes).map(|data| data.as_str().len()).sum();
        let carried = bytes <= CARRIED_BYTES;
        let (entries, bytes) = (carried.then_some(entries), if carried { bytes } else { 0 });
        let ((from, follows), (cursor, digest)) = (from, to);
        Self { scope, from, cursor, digest, follows, entries, bytes, rendered: OnceLock::new() }
    }

    /// Its changes, unless they are too many to carry along.
    pub fn changes(&self) -> Option<Vec<Change>> {
        let entries = self.entries.as_ref()?;
        Some(entries.iter().flat_map(|entry| entry_changes(&self.scope, entry)).collect())
    }

    /// Whether it begins where a reader is.
    pub(crate) fn follows_on(&self, at: (Cursor, Digest)) -> bool {
        (self.from, self.follows) == at
    }

    /// Whether it carries its changes.
    pub(crate) fn carries(&self) -> bool {
        self.entries.is_some()
    }

    /// What an edge made of it for the wire: made once, by whichever reader comes first, and shared by the rest. An edge
    /// always asks for the same type.
    pub fn rendered<T: Clone + Send + Sync + 'static>(&self, make: impl Fn(&Self) -> T) -> T {
        let held = self.rendered.get_or_init(|| Box::new(make(self)));
        held.downcast_ref::<T>().cloned().unwrap_or_else(|| make(self))
    }
}

/// What a ring carries.
#[derive(Debug, Clone)]
pub(crate) enum Notice {
    /// This was committed.
    Commit(Arc<Told>),
    /// Something may have been: look at the log.
    Look,
}

/// A commit on its way to readers. It counts among what is held until the last of them has taken it.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) commit: Arc<Commit>,
    held: Arc<AtomicUsize>,
}

impl Drop for Told {
    fn drop(&mut self) {
        self.held.fetch_sub(self.commit.bytes, Ordering::Relaxed);
    }
}

/// The rings of the scopes somebody listens to.
#[derive(Default)]
pub(crate) struct Feed {
    rings: Mutex<HashMap<Scope, broadcast::Sender<Notice>>>,
    /// Bytes of change data that some reader has not taken yet.
    held: Arc<AtomicUsize>,
}

impl Feed {
    fn rings(&self) -> MutexGuard<'_, HashMap<Scope, broadcast::Sender<Notice>>> {
        // A holder can't leave the map half changed, so a poisoned lock is as good as a clean one.
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens to a scope from now on.
    pub(crate) fn listen(self: &Arc<Self>, scope: &Scope) -> Listener {
        let ring = self.rings().entry(scope.clone()).or_insert_with(|| broadcast::channel(RING).0).subscribe();
        Listener { feed: self.clone(), scope: scope.clone(), ring: Some(ring) }
    }

    /// Tells a commit to whoever listens to its scope.
    pub(crate) fn tell(&self, commit: Arc<Commit>) {
        let ring = self.rings().get(&commit.scope).cloned();
        if let Some(ring) = ring {
            // Nobody listening any more is not an error.
            let _ = ring.send(self.notice(commit));
        }
    }

    /// What is told of a commit: itself, or that there is something in the log, when too much is held already.
    fn notice(&self, commit: Arc<Commit>) -> Notice {
        let held = self.held.fetch_add(commit.bytes, Ordering::Relaxed);
        // From here on it is counted back when it goes, also if that is at once.
        let told = Told { commit, held: self.held.clone() };
        if held + told.commit.bytes > HELD_BYTES { Notice::Look } else { Notice::Commit(Arc::new(told)) }
    }

    /// Has every listener look at the log: a commit may have happened that nobody could tell of.
    pub(crate) fn look(&self) {
        for ring in self.rings().values() {
            let _ = ring.send(Notice::Look);
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.rings().len()
    }
}

/// One listener of a scope's ring; the ring goes with its last one.
pub(crate) struct Listener {
    feed: Arc<Feed>,
    scope: Scope,
    ring: Option<broadcast::Receiver<Notice>>,
}

/// How a wait for a notice ended.
pub(crate) enum Heard {
    /// With a notice.
    Notice(Notice),
    /// The ring went round past this listener.
    Overrun,
}

impl Listener {
    /// The next notice. Can be cancelled without losing one.
    pub(crate) async fn next(&mut self) -> Heard {
        match &mut self.ring {
            Some(ring) => match ring.recv().await {
                Ok(notice) => Heard::Notice(notice),
                Err(broadcast::error::RecvError::Lagged(_)) => Heard::Overrun,
                // The feed lives as long as its listeners, so a ring is never closed under one.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.ring = None;
        let mut rings = self.feed.rings();
        if rings.get(&self.scope).is_some_and(|ring| ring.receiver_count() == 0) {
            rings.remove(&self.scope);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_exists_only_while_somebody_listens() {
        let feed = Arc::new(Feed::default());
        let scope = Scope::default();
        let (one, two) = (feed.listen(&scope), feed.listen(&scope));
        drop(one);
        assert_eq!(feed.len(), 1);
        drop(two);
        assert_eq!(feed.len(), 0);
    }

    #[test]
    fn a_listener_that_never_listens_holds_no_more_than_a_ring() {
        let feed = Arc::new(Feed::default());
        let scope = Scope::default();
        let _listener = feed.listen(&scope);
        let told: Vec<_> = (0..RING as u64 * 10)
            .map(|at| {
                let commit = commit(&scope, at, 0);
                let held = Arc::downgrade(&commit);
                feed.tell(commit);
                held
            })
            .collect();
        assert_eq!(told.iter().filter(|held| held.upgrade().is_some()).count(), RING);
    }

    #[test]
    fn all_rings_together_hold_no_more_than_their_share_and_take_more_once_it_is_taken() {
        let feed = Arc::new(Feed::default());
        let scopes: Vec<Scope> = (0..40).map(|n| Scope::new(format!("s{n}")).unwrap()).collect();
        let mut listeners: Vec<_> = scopes.iter().map(|scope| feed.listen(scope)).collect();
        for at in 0..RING as u64 {
            for scope in &scopes {
                feed.tell(commit(scope, at, CARRIED_BYTES - 2));
                assert!(feed.held.load(Ordering::Relaxed) <= HELD_BYTES);
            }
        }
        assert!(feed.held.load(Ordering::Relaxed) > HELD_BYTES / 2, "as much as may be is carried");
        for listener in &mut listeners {
            for _ in 0..RING {
                let heard = listener.next();
                assert!(matches!(futures_util::FutureExt::now_or_never(heard), Some(Heard::Notice(_))));
            }
        }
        assert_eq!(feed.held.load(Ordering::Relaxed), 0, "what was taken is counted back");
        feed.tell(commit(&scopes[0], 1, 100));
        let heard = futures_util::FutureExt::now_or_never(listeners[0].next());
        assert!(matches!(heard, Some(Heard::Notice(Notice::Commit(_)))));
    }

    fn commit(scope: &Scope, at: u64, bytes: usize) -> Arc<Commit> {
        let place = |cursor| (Cursor(cursor), Digest::EMPTY);
        let entry = Entry {
            first: Cursor(at + 1),
            digest: Digest::EMPTY,
            time: riverrun_core::Millis(0),
            mutation: riverrun_core::MutationId::new("m").unwrap(),
            changes: vec![riverrun_core::Json::trusted(format!("\"{}\"", "x".repeat(bytes)))],
        };
        Arc::new(Commit::new(scope.clone(), place(at), place(at + 1), vec![entry]))
    }
}
