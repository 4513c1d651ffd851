//! One scope as a client sees it: a base that only the server's history writes, the queue of pending mutations, and the
//! view, which is always base + pending replayed. It does no I/O; whoever calls it tells the user and the storage what
//! became of it, once per step.

use std::{collections::BTreeMap, sync::Arc};

use riverrun_core::{
    ClientId, Cursor, Digest, Epoch, MutationId, Mutators, Principal, Scope, Seq,
    planted::{Bug, is},
};

use super::{
    item::Item,
    keep::Kept,
    layer::Layer,
    run::{Ran, Runner},
    verb::{Numbered, Recorder, Verb},
};
use crate::words::{Entry, Refused, Verdict};

/// Where places have been given out.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    /// The last one given out.
    pub(super) last: Seq,
    /// The history they count in.
    pub(super) epoch: Option<Epoch>,
}

/// A client's view of one scope without its link: base + pending, and the rule by which a mutation leaves the second for
/// the first.
///
/// It is told what happened by verbs, each of which can also be had as data (a [`Verb`]). The browser client has the same
/// verbs, and the conformance set holds both to the same answers. After one verb or several, [`refresh`](Self::refresh)
/// makes the view anew; reads show the view of the last time.
///
/// ```
/// use std::sync::Arc;
/// use riverrun_client::{Entry, Replica};
/// use riverrun_core::{Json, Millis, MutationId, Mutators, Principal, Reject, Scope, Tx, entity};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Todo { id: String }
/// # entity!(Todo, "todo", id);
/// let mutators = Mutators::new().on("todo.create", |tx: &mut Tx<'_>, todo: Todo| tx.insert(&todo));
/// let mut replica = Replica::new(Arc::new(mutators), Scope::new("list:42")?, Principal::anonymous());
/// let (id, args) = (MutationId::new("m1")?, Json::parse(r#"{"id":"t1"}"#)?);
/// let name = "todo.create".into();
/// let order = Replica::UNPLACED;
/// replica.mutate(Entry { id, name, args, order, schema: None, created: Millis(0), seq: None, accepted: None })?;
/// assert!(replica.refresh());
/// assert!(replica.get("todo", "t1").is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// Each of its bools is a fact of its own: any of them may hold beside any other.
#[allow(clippy::struct_excessive_bools)]
pub struct Replica {
    /// Everything up to here is in the base.
    pub(super) cursor: Cursor,
    pub(super) digest: Digest,
    pub(super) epoch: Option<Epoch>,
    /// There is a base that the server's changes may be applied to.
    pub(super) valid: bool,
    /// What was read may no longer be read.
    pub(super) dropped: bool,
    /// Which base this is: answers to questions about an earlier one are of no use.
    pub(super) generation: u64,
    /// How many mutations were accepted in this life.
    pub(super) acceptances: u64,
    /// How often places were given anew from a watermark in this life.
    pub(super) renumberings: u64,
    pub(super) places: Places,
    pub(super) client: Option<ClientId>,
    pub(super) kept: Kept,
    /// The view or the pending mutations changed since that was told last.
    pub(super) changed: bool,
    pub(super) base: Layer,
    pub(super) view: Layer,
    /// By their order in the queue, and by their arrival where that is the same.
    pub(super) items: BTreeMap<(u64, u64), Item>,
    pub(super) keys: BTreeMap<MutationId, (u64, u64)>,
    next_order: u64,
    arrivals: u64,
    pub(super) last_seq: Seq,
    /// A watermark read at a head this base has not reached yet.
    pub(super) ahead: Option<(Cursor, Seq)>,
    /// The history itself changed: cursors of old verdicts mean nothing any more.
    pub(super) other_history: bool,
    /// Places count in a history this base may not belong to: nothing is judged by watermarks until that is known.
    pub(super) suspicious: bool,
    /// The base came without a watermark: nothing is known of what was sent before it.
    pub(super) doubts: bool,
    /// The view has to be made anew.
    pub(super) stale: bool,
    recorder: Option<Recorder>,
    runner: Runner,
}

impl Replica {
    /// The order of a mutation that is not in the queue yet: behind all others.
    pub const UNPLACED: u64 = u64::MAX;

    /// An empty one: no base, nothing pending.
    pub fn new(mutators: Arc<Mutators>, scope: Scope, principal: Principal) -> Self {
        Self {
            cursor: Cursor::ZERO,
            digest: Digest::EMPTY,
            epoch: None,
            valid: false,
            dropped: false,
            generation: 0,
            acceptances: 0,
            renumberings: 0,
            places: Places::default(),
            client: None,
            kept: Kept::default(),
            changed: false,
            base: Layer::default(),
            view: Layer::default(),
            items: BTreeMap::new(),
            keys: BTreeMap::new(),
            next_order: 0,
            arrivals: 0,
            last_seq: Seq::ZERO,
            ahead: None,
            other_history: false,
            suspicious: false,
            doubts: false,
            stale: false,
            recorder: None,
            runner: Runner::new(mutators, scope, principal),
        }
    }

    /// From now on every verb is heard before it is done.
    pub fn record(&mut self, recorder: Recorder) {
        self.recorder = Some(recorder);
    }

    pub(super) fn hear(&mut self, verb: impl FnOnce() -> Verb) {
        if let Some(recorder) = &mut self.recorder {
            recorder(&verb());
        }
    }

    /// The order behind all mutations that have one.
    pub fn next_order(&self) -> u64 {
        self.next_order
    }

    /// Applies a new local mutation. Refused by its mutator, or with the id of one that is pending, it is not queued.
    pub fn mutate(&mut self, entry: Entry) -> Result<(), Refused> {
        self.hear(|| Verb::Mutate(entry.clone()));
        if self.is_pending(&entry.id) {
            return Err(Refused::new("invalid_mutation", "a mutation with this id is pending already"));
        }
        self.rebase();
        match self.runner.run(&entry, self.client.as_ref(), [&self.view, &self.base]) {
            Ran::Wrote(written) => self.view.absorb(written),
            Ran::Refused(no) => return Err(no.into()),
            Ran::Unsure => {}
        }
        // It ran on top of everything; if its place is not there, everything behind it runs again.
        self.stale |= self.items.keys().next_back().is_some_and(|(last, _)| entry.order < *last);
        self.insert(Item::new(entry, false));
        Ok(())
    }

    /// Takes over mutations made elsewhere: in an earlier life, or by somebody who shares the queue. Known ones are left
    /// alone.
    pub fn adopt(&mut self, entries: Vec<Entry>) {
        self.hear(|| Verb::Adopt(entries.clone()));
        for entry in entries {
            if !self.is_pending(&entry.id) {
                let doubted = self.doubts && entry.seq.is_some();
                self.insert(Item { doubted, ..Item::new(entry, true) });
                self.stale = true;
            }
        }
        self.settle(None);
    }

    /// The queue's order of mutations that were just saved.
    pub fn place(&mut self, placed: Vec<(MutationId, u64)>) {
        self.hear(|| Verb::Place(placed.clone()));
        let before: Vec<MutationId> = self.ids().cloned().collect();
        for (id, order) in placed {
            let Some(key) = self.keys.get_mut(&id) else { continue };
            let Some(mut item) = self.items.remove(key) else { continue };
            *key = (order, key.1);
            item.entry.order = order;
            self.items.insert(*key, item);
            self.count_order(order);
        }
        if !before.iter().eq(self.ids()) {
            (self.stale, self.changed) = (true, true);
        }
    }

    /// Places were given out or changed. Says whether they count in a history that this base seems not to belong to:
    /// then nothing is judged by them until that is known.
    pub fn number(&mut self, numbered: Numbered) -> bool {
        self.hear(|| Verb::Number(numbered.clone()));
        let Numbered { given, last, epoch, watermark } = numbered;
        // A history that went on, or went away, without the base.
        let behind =
            watermark.is_some_and(|mark| self.epoch.is_some() && (self.epoch != epoch || mark < self.last_seq));
        self.suspicious |= behind;
        self.renumberings += u64::from(watermark.is_some());
        self.places = Places { last, epoch };
        for (id, seq) in &given {
            if let Some(item) = self.item(id) {
                item.entry.seq = Some(*seq);
            }
        }
        self.settle(None);
        behind
    }

    /// Verdicts arrived. A refused mutation leaves at once, an accepted one when the base has reached its cursor. Gives
    /// back those that had none yet; what is not known, or decided already, keeps its first one.
    pub fn decide(&mut self, decided: Vec<(MutationId, Verdict)>) -> Vec<(Entry, Verdict)> {
        self.hear(|| Verb::Decide(decided.clone()));
        let mut fresh = Vec::new();
        for (id, verdict) in decided {
            let Some(item) = self.item(&id).filter(|item| item.is_open()) else { continue };
            if let Verdict::Accepted(accepted) = &verdict {
                item.entry.accepted = Some(accepted.clone());
                fresh.push((item.entry.clone(), verdict));
                self.acceptances += 1;
            } else if is(Bug::ClientRejectedStays) {
                fresh.push((item.entry.clone(), verdict));
            } else if let Some(item) = self.remove(&id) {
                fresh.push((item.entry, verdict));
            }
        }
        self.settle(None);
        fresh
    }

    /// Takes a mutation back. Whether it was sent is for the queue to know; one that was has to wait for its verdict.
    pub fn undo(&mut self, id: &MutationId) {
        self.hear(|| Verb::Undo(id.clone()));
        self.remove(id);
    }

    /// A new client id: old places and watermarks belong to the old one.
    pub fn renew(&mut self, client: ClientId) {
        self.hear(|| Verb::Renew(client.clone()));
        self.client = Some(client);
        self.places = Places::default();
        (self.last_seq, self.ahead) = (Seq::ZERO, None);
        self.kept.moved = true;
        for item in self.items.values_mut() {
            item.entry.seq = None;
        }
        self.settle(None);
    }

    /// Makes the view anew where something under it changed, and says whether it, or what is pending, changed since the
    /// last time.
    pub fn refresh(&mut self) -> bool {
        self.rebase();
        std::mem::take(&mut self.changed)
    }

    /// Replays what is pending on the base. A mutator that says no has no effect in this view and stays pending; the
    /// server decides.
    pub(super) fn rebase(&mut self) {
        if !std::mem::take(&mut self.stale) || is(Bug::ClientNoRebase) {
            return;
        }
        self.view = Layer::default();
        for item in self.items.values().filter(|item| item.is_shown()) {
            if let Ran::Wrote(written) = self.runner.run(&item.entry, self.client.as_ref(), [&self.view, &self.base]) {
                self.view.absorb(written);
            }
        }
    }

    pub(super) fn item(&mut self, id: &MutationId) -> Option<&mut Item> {
        self.items.get_mut(self.keys.get(id)?)
    }

    pub(super) fn insert(&mut self, item: Item) {
        let key = (item.entry.order, self.arrivals);
        self.arrivals += 1;
        self.count_order(item.entry.order);
        self.keys.insert(item.entry.id.clone(), key);
        self.items.insert(key, item);
        self.changed = true;
    }

    /// Takes a mutation out of the queue.
    pub(super) fn remove(&mut self, id: &MutationId) -> Option<Item> {
        let item = self.items.remove(&self.keys.remove(id)?)?;
        self.stale |= item.is_shown();
        self.changed = true;
        self.kept.removed.push(id.clone());
        Some(item)
    }

    fn ids(&self) -> impl Iterator<Item = &MutationId> {
        self.items.values().map(|item| &item.entry.id)
    }

    fn count_order(&mut self, order: u64) {
        if order != Self::UNPLACED {
            self.next_order = self.next_order.max(order.saturating_add(1));
        }
    }
}
