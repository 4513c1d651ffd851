//! Copies of a store's content, made through the contract alone: what a file copied aside is, for any store. And what the
//! books must forget when such a copy is put in place.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use riverrun_core::{ClientId, Epoch, Scope, Verdict};
use riverrun_engine::store::{self, Layer, Record, Store, StoreResult};

use super::ledger::{Key, Ledger, Log, Places};

/// Fills a new store with what another one holds.
pub(crate) fn copy(from: &dyn Store, to: &dyn Store, ledger: &Ledger, epoch: Option<&Epoch>) -> StoreResult<()> {
    let mut clients: Vec<_> = ledger.sent.keys().map(|(scope, client, _)| (scope, client)).collect();
    clients.dedup();
    store::write(to, |to| {
        store::read(from, |from| {
            to.set_epoch(&match epoch {
                Some(epoch) => epoch.clone(),
                None => from.epoch()?,
            })?;
            to.set_forgotten_before(from.forgotten_before()?)?;
            for scope in ledger.logs.keys() {
                let Some(head) = from.head(scope)? else { continue };
                to.lock(scope)?;
                let mut entries = Vec::new();
                from.entries(scope, head.floor, &mut |entry| {
                    entries.push(entry);
                    true
                })?;
                for entry in entries {
                    if let Some(origin) = from.origin(scope, entry.last())? {
                        to.append(scope, &entry, &origin)?;
                    }
                }
                to.set_head(scope, &head)?;
                for layer in [Layer::Current, Layer::Base] {
                    let mut rows = Vec::new();
                    from.each_entity(scope, layer, &mut |collection, id, json| {
                        rows.push((collection.to_owned(), id.to_owned(), riverrun_core::Json::trusted(json)));
                        Ok(())
                    })?;
                    for (collection, id, json) in rows {
                        to.put(scope, layer, &collection, &id, &json)?;
                    }
                }
            }
            for (scope, client) in clients {
                if let Some(mark) = from.watermark(scope, client)? {
                    to.set_watermark(scope, client, &mark)?;
                }
                if let Some(owner) = from.owner(client)? {
                    to.set_owner(client, &owner)?;
                }
            }
            // Of every history: the copy may be of another one than the books are of now.
            for (scope, principal, id) in ledger.ever.keys() {
                if let Some(Record { id, place, fingerprint, time, verdict }) = from.verdict(scope, principal, id)? {
                    to.record(scope, principal, &Record { id, place, fingerprint, time, verdict })?;
                }
            }
            Ok(())
        })
    })
}

/// A copy of the store, and the books as they were when it was made.
pub(crate) struct Backup {
    pub(crate) image: Arc<dyn Store>,
    logs: BTreeMap<Scope, Log>,
    verdicts: BTreeMap<Key, Verdict>,
    forgotten: BTreeSet<Key>,
    places: BTreeMap<(Scope, ClientId), Places>,
}

impl Backup {
    pub(crate) fn new(image: Arc<dyn Store>, ledger: &Ledger) -> Self {
        let Ledger { logs, verdicts, forgotten, places, .. } = ledger;
        let (logs, verdicts) = (logs.clone(), verdicts.clone());
        Self { image, logs, verdicts, forgotten: forgotten.clone(), places: places.clone() }
    }

    /// Turns the books back: another history begins.
    pub(crate) fn rewind(&self, ledger: &mut Ledger) {
        ledger.history += 1;
        ledger.epoch = None;
        ledger.logs.clone_from(&self.logs);
        ledger.verdicts.clone_from(&self.verdicts);
        ledger.forgotten.clone_from(&self.forgotten);
        ledger.places.clone_from(&self.places);
        ledger.told.retain(|key, verdict| self.verdicts.get(key) == Some(verdict));
    }
}
