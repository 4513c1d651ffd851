//! The simulation's own books: what every client intended, what the log was seen to hold after each commit, which verdicts
//! were recorded. They are kept apart from the engine, and everything that is said is compared with them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use riverrun_core::{ClientId, Cursor, Digest, Epoch, Json, Millis, MutationId, Principal, Scope, Seq, Verdict};

use super::rows::{Rows, State};

/// A mutation as somebody meant it.
#[derive(Debug, Clone)]
pub(crate) struct Intent {
    pub(crate) name: String,
    pub(crate) args: Json,
    pub(crate) scope: Scope,
    pub(crate) principal: Principal,
}

/// A mutation's entry in a scope's log.
#[derive(Debug, Clone)]
pub(crate) struct Logged {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) digest: Digest,
    pub(crate) id: MutationId,
    pub(crate) principal: Principal,
    pub(crate) time: Millis,
    pub(crate) changes: Vec<Json>,
    /// The world's moment of the look that found it.
    pub(crate) found: i64,
}

/// One scope's log as it was seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    pub(crate) entries: Vec<Logged>,
    pub(crate) by_id: BTreeMap<(Principal, MutationId), usize>,
    pub(crate) floor: u64,
    pub(crate) state: Arc<Rows>,
}

impl Log {
    pub(crate) fn head(&self) -> (u64, Digest) {
        self.entries.last().map_or((0, Digest::EMPTY), |entry| (entry.last, entry.digest))
    }

    /// The digest at the end of a mutation; `None` where none ends.
    pub(crate) fn digest_at(&self, cursor: u64) -> Option<Digest> {
        if cursor == 0 {
            return Some(Digest::EMPTY);
        }
        let at = self.entries.partition_point(|entry| entry.last < cursor);
        self.entries.get(at).filter(|entry| entry.last == cursor).map(|entry| entry.digest)
    }

    /// The entries after a mutation's end, up to another one.
    pub(crate) fn between(&self, from: u64, to: u64) -> &[Logged] {
        let start = self.entries.partition_point(|entry| entry.last <= from);
        let end = self.entries.partition_point(|entry| entry.last <= to);
        self.entries.get(start..end).unwrap_or_default()
    }

    /// The cursor a mutation's last change has here.
    pub(crate) fn cursor_of(&self, principal: &Principal, id: &MutationId) -> Option<&Logged> {
        self.by_id.get(&(principal.clone(), id.clone())).map(|at| &self.entries[*at])
    }
}

/// One client's places in one scope.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    /// Whose they are.
    pub(crate) owner: Option<Principal>,
    /// All up to here are decided.
    pub(crate) up_to: u64,
}

/// A mutation's key: who, where, which.
pub(crate) type Key = (Scope, Principal, MutationId);

/// See the file's head.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) intents: BTreeMap<MutationId, Intent>,
    pub(crate) logs: BTreeMap<Scope, Log>,
    /// States by where they stand, of all histories there ever were.
    pub(crate) states: BTreeMap<(Scope, u64), Arc<Rows>>,
    /// Verdicts recorded in the history there is.
    pub(crate) verdicts: BTreeMap<Key, Verdict>,
    /// Verdicts recorded in any history.
    pub(crate) ever: BTreeMap<Key, Vec<Verdict>>,
    /// Of those of this history, the ones the store has forgotten since.
    pub(crate) forgotten: BTreeSet<Key>,
    /// Answered with a verdict that a restore has not taken.
    pub(crate) told: BTreeMap<Key, Verdict>,
    pub(crate) places: BTreeMap<(Scope, ClientId), Places>,
    /// Which mutations were sent under a place.
    pub(crate) sent: BTreeMap<(Scope, ClientId, u64), BTreeSet<MutationId>>,
    /// How many times the history was another one than before.
    pub(crate) history: u32,
    pub(crate) epoch: Option<Epoch>,
    /// Something was forgotten: outcomes may be unknown.
    pub(crate) forgot: bool,
    /// Every collection anybody has written to.
    pub(crate) collections: BTreeSet<String>,
    pub(crate) commits: u64,
}

impl Ledger {
    pub(crate) fn new(scopes: &[Scope]) -> Self {
        let logs: BTreeMap<_, _> = scopes.iter().map(|scope| (scope.clone(), Log::default())).collect();
        let states = scopes.iter().map(|scope| ((scope.clone(), 0), Arc::default())).collect();
        Self { logs, states, ..Self::default() }
    }

    pub(crate) fn log(&self, scope: &Scope) -> Option<&Log> {
        self.logs.get(scope)
    }

    /// The state a client has at this digest, in whatever history.
    pub(crate) fn state_at(&self, scope: &Scope, digest: Digest) -> Option<&Arc<Rows>> {
        self.states.get(&(scope.clone(), digest.0))
    }

    /// Whether a place in the log belongs to the history there is.
    pub(crate) fn is_current(&self, scope: &Scope, cursor: Cursor, digest: Digest) -> bool {
        self.log(scope).is_some_and(|log| log.digest_at(cursor.0) == Some(digest))
    }

    /// All scopes' states now.
    pub(crate) fn state(&self) -> State {
        State { scopes: self.logs.iter().map(|(scope, log)| (scope.clone(), log.state.clone())).collect() }
    }

    /// A mutation was sent under a place.
    pub(crate) fn sends(&mut self, scope: &Scope, (client, seq): (&ClientId, Seq), id: &MutationId) {
        self.sent.entry((scope.clone(), client.clone(), seq.0)).or_default().insert(id.clone());
    }

    /// Changes committed after a moment, among some of a scope's log.
    pub(crate) fn found_after(entries: &[Logged], moment: i64) -> Option<&Logged> {
        entries.iter().find(|entry| entry.found > moment)
    }
}
