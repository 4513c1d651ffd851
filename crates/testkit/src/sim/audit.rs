//! The look into the store after every commit and every start: what is there is compared with the books, entry by entry,
//! and then written into them. It reads the real store, past every fault.

use std::{collections::BTreeMap, sync::Arc};

use riverrun_core::{ClientId, Code, CollectionChange, Cursor, Digest, Json, MutationId, Principal, Scope, Verdict};
use riverrun_engine::store::{self, Entry, Head, Layer, Origin, ReadTx, StoreResult};

use super::{
    broken::{Held, Promise, broken, hold},
    disk::Done,
    ledger::{Ledger, Logged},
    rerun,
    rows::Rows,
    spec::Spec,
};

/// What one scope's look brings.
struct Seen {
    head: Head,
    fresh: Vec<(Entry, Option<Origin>)>,
    /// The stored state, where the log has moved.
    current: Option<Rows>,
    /// The stored base, where the floor has moved.
    base: Option<Rows>,
}

/// Looks at everything that may have changed.
pub(crate) fn audit(ledger: &mut Ledger, store: &dyn store::Store, done: &[Done], spec: &Spec, now: i64) -> Held {
    let epoch = read(store, |tx| tx.epoch())?;
    if let Some(known) = ledger.epoch.replace(epoch.clone()) {
        hold(known == epoch, Promise::History, || format!("the epoch became {epoch} by itself, it was {known}"))?;
    }
    let scopes: Vec<Scope> = ledger.logs.keys().cloned().collect();
    let before = ledger.logs.iter().map(|(scope, log)| (scope.clone(), log.entries.len())).collect();
    let mut moved = false;
    for scope in &scopes {
        moved |= scope_moved(ledger, store, scope, done, now)?;
    }
    for done in done {
        ledger.commits += 1;
        ledger.forgot |= done.forgot;
    }
    recorded(ledger, store, done, &before)?;
    if done.iter().any(|done| done.forgot) {
        forget(ledger, store)?;
    }
    rerun::all(ledger, done, &spec.fresh_mutators())?;
    if moved {
        spec.invariants_hold(&ledger.state())?;
    }
    Ok(())
}

fn read<T>(store: &dyn store::Store, work: impl FnOnce(&mut dyn ReadTx) -> StoreResult<T>) -> Held<T> {
    store::read(store, work).or_else(|error| broken(Promise::Durable, format!("the store does not read: {error}")))
}

fn rows(tx: &mut dyn ReadTx, scope: &Scope, layer: Layer) -> StoreResult<Rows> {
    let mut rows = Rows::default();
    tx.each_entity(scope, layer, &mut |collection, id, json| {
        rows.set(collection, id, Some(Json::trusted(json)));
        Ok(())
    })?;
    Ok(rows)
}

fn scope_moved(ledger: &mut Ledger, store: &dyn store::Store, scope: &Scope, done: &[Done], now: i64) -> Held<bool> {
    let Some(log) = ledger.logs.get(scope) else { return Ok(false) };
    let ((known, known_digest), floor) = (log.head(), log.floor);
    let seen = read(store, |tx| {
        let head = tx.head(scope)?.unwrap_or_default();
        let moved = (head.cursor.0, head.digest) != (known, known_digest);
        let mut fresh = Vec::new();
        if moved {
            // What was appended and trimmed since the last look.
            let appended = done
                .iter()
                .flat_map(|done| &done.appended)
                .filter(|(of, entry, _)| of == scope && entry.last() <= head.floor && entry.last().0 > known);
            fresh.extend(appended.map(|(_, entry, origin)| (entry.clone(), Some(origin.clone()))));
            let mut entries = Vec::new();
            tx.entries(scope, Cursor(known).max(head.floor), &mut |entry| {
                entries.push(entry);
                true
            })?;
            for entry in entries {
                let origin = tx.origin(scope, entry.last())?;
                fresh.push((entry, origin));
            }
        }
        let current = if moved { Some(rows(tx, scope, Layer::Current)?) } else { None };
        let base = if head.floor.0 == floor { None } else { Some(rows(tx, scope, Layer::Base)?) };
        Ok(Seen { head, fresh, current, base })
    })?;
    let Seen { head, fresh, current, base } = seen;
    hold(head.cursor.0 >= known, Promise::Durable, || {
        format!("the head of {scope} is {}, and it was {known}: what was committed is gone", head.cursor)
    })?;
    let moved = current.is_some();
    for (entry, origin) in fresh {
        append(ledger, scope, &entry, origin, now)?;
    }
    let Some(log) = ledger.logs.get_mut(scope) else { return Ok(moved) };
    hold(log.head() == (head.cursor.0, head.digest), Promise::Cursors, || {
        format!("the head of {scope} says {} {}, the log ends at {:?}", head.cursor, head.digest, log.head())
    })?;
    if let Some(current) = current {
        hold(current == *log.state, Promise::Fold, || {
            format!(
                "the stored state of {scope} at {} is not the fold of its log: {}",
                head.cursor,
                current.difference(&log.state)
            )
        })?;
    }
    if let Some(base) = base {
        let floor = head.floor.0;
        let digest = log.digest_at(floor);
        hold(digest == Some(head.floor_digest) && floor >= log.floor, Promise::Fold, || {
            format!("the floor of {scope} is {floor} with digest {}; the log has {digest:?} there", head.floor_digest)
        })?;
        log.floor = floor;
        let state = ledger.state_at(scope, head.floor_digest).cloned().unwrap_or_default();
        hold(base == *state, Promise::Fold, || {
            format!("the base of {scope} at {floor} is not the fold of its log: {}", base.difference(&state))
        })?;
    }
    Ok(moved)
}

fn append(ledger: &mut Ledger, scope: &Scope, entry: &Entry, origin: Option<Origin>, now: i64) -> Held {
    let Some(log) = ledger.logs.get_mut(scope) else { return Ok(()) };
    let (head, mut digest) = log.head();
    hold(entry.first.0 == head + 1 && !entry.changes.is_empty(), Promise::Cursors, || {
        format!("{scope} goes on with {} after {head}", entry.first)
    })?;
    for (cursor, data) in (entry.first.0..).zip(&entry.changes) {
        digest = Digest::roll(digest, Cursor(cursor), entry.time, &entry.mutation, data.as_str());
    }
    hold(digest == entry.digest, Promise::Fold, || {
        format!("the digest of {scope} at {} does not follow from its changes", entry.last())
    })?;
    let id = entry.mutation.clone();
    let Some(origin) = origin else { return broken(Promise::Fold, format!("{id} has no origin in {scope}")) };
    let Some(intent) = ledger.intents.get(&id) else {
        return broken(Promise::OneEffect, format!("{id} in {scope} was never asked for"));
    };
    hold(
        (&intent.name, &intent.args, &intent.principal) == (&origin.name, &origin.args, &origin.principal),
        Promise::OneEffect,
        || format!("{id} is logged as {origin:?} and was meant as {intent:?}"),
    )?;
    let key = (origin.principal.clone(), id.clone());
    hold(!log.by_id.contains_key(&key), Promise::OneEffect, || {
        format!("{id} ({} {}) took effect twice in {scope}, at {} again", origin.name, origin.args, entry.first)
    })?;
    log.by_id.insert(key, log.entries.len());
    let state = Arc::make_mut(&mut log.state);
    for change in &entry.changes {
        state.fold(change);
    }
    ledger.states.insert((scope.clone(), digest.0), log.state.clone());
    let (first, last) = (entry.first.0, entry.last().0);
    let (principal, time, changes) = (origin.principal, entry.time, entry.changes.clone());
    log.entries.push(Logged { first, last, digest, id, principal, time, changes, found: now });
    for change in &entry.changes {
        if let Some(CollectionChange::Put { collection, .. }) = CollectionChange::read(change)
            && !ledger.collections.contains(&collection)
        {
            ledger.collections.insert(collection);
        }
    }
    Ok(())
}

/// Every verdict that was recorded fits the log, and every entry since `before` has its verdict.
fn recorded(ledger: &mut Ledger, store: &dyn store::Store, done: &[Done], before: &BTreeMap<Scope, usize>) -> Held {
    for (scope, principal, record, _) in done.iter().flat_map(|done| &done.records) {
        let (id, verdict) = (&record.id, &record.verdict);
        let key = (scope.clone(), principal.clone(), id.clone());
        let former = ledger.verdicts.get(&key).filter(|_| !ledger.forgotten.contains(&key));
        hold(former.is_none(), Promise::OneEffect, || format!("{id} was decided twice: {former:?}, then {verdict:?}"))?;
        let Some(log) = ledger.logs.get(scope) else { continue };
        let entry = log.cursor_of(principal, id);
        match verdict {
            Verdict::Accepted(yes) => {
                let fits = match entry {
                    Some(entry) => (entry.last, entry.digest) == (yes.cursor.0, yes.digest),
                    None => log.digest_at(yes.cursor.0) == Some(yes.digest),
                };
                hold(fits, Promise::OneEffect, || {
                    format!("{id} is accepted at {}, its entry is {entry:?}", yes.cursor)
                })?;
                for (other, cursor) in &yes.cursors {
                    let there = ledger.logs.get(other).and_then(|log| log.cursor_of(principal, id));
                    hold(there.is_some_and(|entry| entry.last == cursor.0), Promise::Durable, || {
                        format!("{id} says it wrote to {other} at {cursor}, the log says {there:?}")
                    })?;
                }
            }
            Verdict::Rejected(no) => {
                // What was decided, forgotten, and asked for again under another place: nobody knows any more how.
                let unknown = no.code == Code::Expired && ledger.forgotten.contains(&key);
                ledger.told.retain(|told, _| !unknown || *told != key);
                hold(entry.is_none() || unknown, Promise::OneEffect, || {
                    format!("{id} is rejected ({no:?}) and took effect: {entry:?}")
                })?;
            }
        }
        ledger.forgotten.remove(&key);
        ledger.ever.entry(key.clone()).or_default().push(verdict.clone());
        ledger.verdicts.insert(key, verdict.clone());
        if let Some((client, seq)) = &record.place {
            in_order(ledger, store, scope, principal, (client, seq.0), id)?;
        }
    }
    for (scope, log) in &ledger.logs {
        for entry in log.entries.iter().skip(before.get(scope).copied().unwrap_or_default()) {
            let Some(intent) = ledger.intents.get(&entry.id) else { continue };
            let key = (intent.scope.clone(), entry.principal.clone(), entry.id.clone());
            let yes = matches!(ledger.verdicts.get(&key), Some(Verdict::Accepted(_)));
            hold(yes, Promise::Durable, || format!("{} took effect in {scope} without a verdict", entry.id))?;
        }
    }
    Ok(())
}

/// A client's places are decided one after the other.
fn in_order(
    ledger: &mut Ledger,
    store: &dyn store::Store,
    scope: &Scope,
    principal: &Principal,
    (client, seq): (&ClientId, u64),
    id: &MutationId,
) -> Held {
    let places = ledger.places.entry((scope.clone(), client.clone())).or_default();
    let (up_to, owner) = (places.up_to, places.owner.get_or_insert_with(|| principal.clone()));
    hold(owner == principal, Promise::Order, || {
        format!("{id} of {principal} was decided as {seq} of {client}, which is {owner}'s")
    })?;
    hold(seq > up_to, Promise::Order, || {
        format!("{id} was decided as {seq} of {client}, which had been decided up to {up_to}")
    })?;
    for missing in up_to + 1..seq {
        // A place may also be taken by a mutation that had its verdict already.
        let sent = ledger.sent.get(&(scope.clone(), client.clone(), missing));
        let taken = sent.is_some_and(|sent| {
            sent.iter().any(|id| ledger.verdicts.contains_key(&(scope.clone(), principal.clone(), id.clone())))
        });
        hold(taken, Promise::Order, || format!("{id} was decided as {seq} of {client}, and {missing} never was"))?;
    }
    if let Some(places) = ledger.places.get_mut(&(scope.clone(), client.clone())) {
        places.up_to = seq;
    }
    let mark = read(store, |tx| tx.watermark(scope, client))?.map_or(0, |mark| mark.last_seq.0);
    hold(mark >= seq, Promise::Order, || format!("{id} was decided as {seq} of {client}, its watermark is {mark}"))
}

/// What the store has forgotten may be forgotten here too.
pub(crate) fn forget(ledger: &mut Ledger, store: &dyn store::Store) -> Held {
    let keys: Vec<_> = ledger.verdicts.keys().filter(|key| !ledger.forgotten.contains(key)).cloned().collect();
    let gone = read(store, |tx| {
        let mut gone = Vec::new();
        for key in keys {
            if tx.verdict(&key.0, &key.1, &key.2)?.is_none() {
                gone.push(key);
            }
        }
        Ok(gone)
    })?;
    ledger.forgotten.extend(gone);
    let clients: Vec<_> = ledger.places.keys().cloned().collect();
    for (scope, client) in clients {
        if read(store, |tx| tx.watermark(&scope, &client))?.is_none() {
            ledger.places.remove(&(scope, client));
        }
    }
    Ok(())
}

/// Every effect has its verdict, and what was answered is still so: after a start, when the store is opened anew.
pub(crate) fn whole(ledger: &Ledger, store: &dyn store::Store) -> Held {
    for (scope, log) in &ledger.logs {
        for entry in &log.entries {
            let Some(intent) = ledger.intents.get(&entry.id) else { continue };
            let key = (intent.scope.clone(), entry.principal.clone(), entry.id.clone());
            if ledger.forgotten.contains(&key) {
                continue;
            }
            let kept = read(store, |tx| tx.verdict(&key.0, &key.1, &key.2))?;
            let yes = match kept.as_ref().map(|record| &record.verdict) {
                Some(Verdict::Accepted(_)) => true,
                // Asked for again after it was forgotten.
                Some(Verdict::Rejected(no)) => {
                    no.code == Code::Expired && ledger.ever.get(&key).is_some_and(|all| all.len() > 1)
                }
                None => false,
            };
            hold(yes, Promise::Durable, || format!("{} took effect in {scope} and its verdict is {kept:?}", entry.id))?;
        }
    }
    for (key, verdict) in &ledger.told {
        if ledger.forgotten.contains(key) {
            continue;
        }
        let kept = read(store, |tx| tx.verdict(&key.0, &key.1, &key.2))?.map(|record| record.verdict);
        hold(kept.as_ref() == Some(verdict), Promise::Durable, || {
            format!("{} was answered with {verdict:?}, the store has {kept:?}", key.2)
        })?;
    }
    Ok(())
}
