//! One client of the simulation: a core, a storage that loses what was not confirmed when it crashes, and what its user was
//! told. It keeps books about itself; what they are compared with stands in `look`.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use riverrun_client::{Config, Core, News, Saved, Verdict, Write};
use riverrun_core::{Cursor, Digest, Epoch, MutationId, Mutators, Principal, Scope};

use super::{
    broken::{Held, Promise, hold},
    rows::Rows,
};

/// What is known of one mutation at its client.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, Default)]
pub(crate) struct Fate {
    /// The client said that it survives a crash.
    pub(crate) saved: bool,
    /// A crash has taken it, or its verdict, before that was saved: nothing more can be said of how it is seen.
    pub(crate) lost: bool,
    pub(crate) undone: bool,
    /// It stands in the storages of two clients.
    pub(crate) inherited: bool,
    /// Every verdict told, with the history there was.
    pub(crate) verdicts: Vec<(u32, Verdict)>,
}

impl Fate {
    /// It needs a verdict, and has none.
    pub(crate) fn is_open(&self) -> bool {
        self.verdicts.is_empty() && !self.lost && !self.undone
    }
}

/// See the file's head.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Node {
    pub(crate) core: Core,
    pub(crate) config: Config,
    pub(crate) rng: StdRng,
    /// What is on its disk.
    pub(crate) disk: Saved,
    /// Handed over, not confirmed.
    pub(crate) stores: VecDeque<(u64, Vec<Write>)>,
    /// Which life this is: what is on its way to an earlier one goes nowhere.
    pub(crate) life: u64,
    /// Its clock is ahead by so many milliseconds.
    pub(crate) skew: i64,
    /// The storage does nothing any more.
    pub(crate) broken_storage: bool,
    /// Its core knows that.
    pub(crate) volatile: bool,
    /// It shares its client id with another, or with a life it has forgotten.
    pub(crate) shared: bool,
    pub(crate) online: bool,
    pub(crate) fates: BTreeMap<MutationId, Fate>,
    pub(crate) wake: u64,
    /// Where it stood last.
    pub(crate) seen: (Option<Epoch>, Cursor, Digest),
    /// When its storage is done with what it was given.
    pub(crate) busy_until: i64,
}

impl Node {
    pub(crate) fn new(config: Config, mutators: Mutators, disk: Saved, skew: i64, seed: u64) -> Self {
        Self {
            core: Core::new(config.clone(), Arc::new(mutators), disk.clone()),
            config,
            rng: StdRng::seed_from_u64(seed),
            disk,
            stores: VecDeque::new(),
            life: 0,
            skew,
            broken_storage: false,
            volatile: false,
            shared: false,
            online: true,
            fates: BTreeMap::new(),
            wake: 0,
            seen: (None, Cursor::ZERO, Digest::EMPTY),
            busy_until: 0,
        }
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.config.scope
    }

    pub(crate) fn who(&self) -> &Principal {
        &self.config.principal
    }

    /// What its user sees, in these collections.
    pub(crate) fn view(&self, collections: &BTreeSet<String>) -> Rows {
        let mut rows = Rows::default();
        for collection in collections {
            for (id, json) in self.core.list(collection, "", None, usize::MAX) {
                rows.set(collection, id, Some(json.clone()));
            }
        }
        rows
    }

    /// A write reaches the disk.
    pub(crate) fn confirm(&mut self, number: u64) -> bool {
        if self.stores.front().is_none_or(|(first, _)| *first != number) {
            return false;
        }
        if let Some((_, writes)) = self.stores.pop_front() {
            for write in writes {
                self.disk.apply(write);
            }
        }
        true
    }

    /// The machine stops: of what was not confirmed, a beginning is on the disk. It comes back from that.
    pub(crate) fn crash(&mut self, mutators: Mutators, rng: &mut StdRng) -> Held {
        let done = if self.broken_storage { 0 } else { rng.random_range(0..=self.stores.len()) };
        for (_, writes) in self.stores.drain(..).take(done) {
            for write in writes {
                self.disk.apply(write);
            }
        }
        self.stores.clear();
        self.life += 1;
        self.wake += 1;
        // What was done without a storage is gone, its places are used: as if another had used this client id.
        let without_storage = self.volatile || self.broken_storage;
        self.shared |= without_storage;
        (self.volatile, self.broken_storage) = (false, false);
        self.seen = (None, Cursor::ZERO, Digest::EMPTY);
        self.core = Core::new(self.config.clone(), Arc::new(mutators), self.disk.clone());
        let there: BTreeSet<_> = self.disk.entries.values().map(|entry| entry.id.clone()).collect();
        for (id, fate) in &mut self.fates {
            // Taken back, but not on the disk yet: it is there again.
            fate.undone &= !there.contains(id);
            fate.lost |= without_storage && !there.contains(id);
            // It was told its verdict, which was not on the disk yet: it will be asked for, and told, again.
            fate.lost |= there.contains(id) && !fate.verdicts.is_empty();
            // A life without a storage may have sent it, and this one can't know.
            fate.inherited |= without_storage && there.contains(id);
            if there.contains(id) || !fate.is_open() {
                continue;
            }
            hold(!fate.saved, Promise::Durable, || {
                format!("{id} was saved, has no verdict, and is gone after a crash")
            })?;
            fate.lost = true;
        }
        Ok(())
    }

    /// Takes note of what its user is told.
    pub(crate) fn hear(&mut self, news: &News, history: u32) -> Held {
        match news {
            News::Saved(id) => self.fates.entry(id.clone()).or_default().saved = true,
            News::Refused(id, _) => drop(self.fates.remove(id)),
            News::StorageFailed(_) => self.volatile = true,
            News::Undo(id, true) => self.fates.entry(id.clone()).or_default().undone = true,
            News::Decided { id, verdict, .. } => {
                let fate = self.fates.entry(id.clone()).or_default();
                // No verdict, but word that there was one and it is forgotten; that something was is checked elsewhere.
                let is_unknown =
                    matches!(verdict, Verdict::Refused(no) if matches!(&*no.code, "expired" | "client_unknown"));
                if is_unknown && !fate.verdicts.is_empty() {
                    return Ok(());
                }
                for (_, said) in &fate.verdicts {
                    // Once the history was another one, what is told late may be of either; each was recorded, at least.
                    let same = history > 0 || said == verdict;
                    hold(same, Promise::OneEffect, || {
                        format!("the client was told two verdicts for {id}: {said:?}, then {verdict:?}")
                    })?;
                }
                hold(!fate.undone, Promise::Settles, || format!("{id} was taken back, and decided all the same"))?;
                fate.verdicts.push((history, verdict.clone()));
            }
            _ => {}
        }
        Ok(())
    }
}
