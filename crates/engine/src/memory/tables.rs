//! The rows of a log at one moment. A table and its indexes are only changed together, by the methods here; nothing here
//! knows of transactions.

use std::sync::Arc;

use riverrun_core::{ClientId, Cursor, Epoch, Json, Millis, Principal, Scope};

use super::{
    keys::{DecidedKey, EntityKey, EntryKey, MarkKey, PlaceKey, SeenKey, VerdictKey},
    tree::Tree,
};
use crate::store::{Entry, Head, Layer, Origin, Record, Watermark};

/// All rows. A clone shares them.
#[derive(Clone)]
pub(super) struct Tables {
    pub(super) epoch: Epoch,
    pub(super) forgotten_before: Millis,
    pub(super) heads: Tree<Scope, Head>,
    pub(super) log: Tree<EntryKey, Arc<Logged>>,
    pub(super) current: Tree<EntityKey, Json>,
    pub(super) base: Tree<EntityKey, Json>,
    pub(super) owners: Tree<ClientId, Principal>,
    pub(super) marks: Tree<MarkKey, Watermark>,
    pub(super) marks_by_seen: Tree<SeenKey, ()>,
    pub(super) verdicts: Tree<VerdictKey, Arc<Record>>,
    pub(super) verdicts_by_time: Tree<DecidedKey, ()>,
    pub(super) verdicts_by_place: Tree<PlaceKey, ()>,
}

/// An entry and where it came from.
pub(super) struct Logged {
    pub(super) entry: Entry,
    pub(super) origin: Origin,
}

impl Tables {
    /// No rows.
    pub(super) fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            forgotten_before: Millis::default(),
            heads: Tree::new(),
            log: Tree::new(),
            current: Tree::new(),
            base: Tree::new(),
            owners: Tree::new(),
            marks: Tree::new(),
            marks_by_seen: Tree::new(),
            verdicts: Tree::new(),
            verdicts_by_time: Tree::new(),
            verdicts_by_place: Tree::new(),
        }
    }

    pub(super) fn layer(&self, layer: Layer) -> &Tree<EntityKey, Json> {
        match layer {
            Layer::Current => &self.current,
            Layer::Base => &self.base,
        }
    }

    pub(super) fn layer_mut(&mut self, layer: Layer) -> &mut Tree<EntityKey, Json> {
        match layer {
            Layer::Current => &mut self.current,
            Layer::Base => &mut self.base,
        }
    }

    /// The entries of a scope that end after a cursor, in order.
    pub(super) fn entries_after<'a>(
        &'a self,
        scope: &'a Scope,
        after: Cursor,
    ) -> impl Iterator<Item = &'a Entry> + use<'a> {
        self.log
            .from(move |key| (&key.scope, key.last) <= (scope, after))
            .take_while(move |(key, _)| key.scope == *scope)
            .map(|(_, logged)| &logged.entry)
    }

    /// A scope that is written to exists from then on, with a log that stands at zero.
    pub(super) fn touch(&mut self, scope: &Scope) {
        if self.heads.get(scope).is_none() {
            self.heads.insert(scope.clone(), Head::default());
        }
    }

    pub(super) fn set_mark(&mut self, key: MarkKey, mark: Watermark) {
        let before = self.marks.insert(key.clone(), mark);
        if let Some(before) = before.filter(|before| before.seen != mark.seen) {
            self.marks_by_seen.remove(&SeenKey { seen: before.seen, mark: key.clone() });
        }
        self.marks_by_seen.insert(SeenKey { seen: mark.seen, mark: key }, ());
    }

    pub(super) fn remove_mark(&mut self, key: SeenKey) {
        self.marks.remove(&key.mark);
        self.marks_by_seen.remove(&key);
    }

    pub(super) fn add_verdict(&mut self, key: VerdictKey, record: Record) {
        if let Some(place) = place(&key, &record) {
            self.verdicts_by_place.insert(place, ());
        }
        self.verdicts_by_time.insert(DecidedKey { time: record.time, verdict: key.clone() }, ());
        self.verdicts.insert(key, Arc::new(record));
    }

    pub(super) fn remove_verdict(&mut self, key: VerdictKey) {
        let Some(record) = self.verdicts.remove(&key) else { return };
        if let Some(place) = place(&key, &record) {
            self.verdicts_by_place.remove(&place);
        }
        self.verdicts_by_time.remove(&DecidedKey { time: record.time, verdict: key });
    }
}

fn place(key: &VerdictKey, record: &Record) -> Option<PlaceKey> {
    let (client, seq) = record.place.clone()?;
    Some(PlaceKey { scope: key.scope.clone(), client, seq, principal: key.principal.clone(), id: key.id.clone() })
}
