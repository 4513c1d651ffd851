//! A batch of pushes in one transaction: lock the scopes in order, decide each mutation, write heads and watermarks once,
//! commit, and only then publish. What readers are told is made from what was committed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use riverrun_core::{ClientId, Code, Millis, Principal, Scope};

use crate::{
    Commit, Decision,
    app::Working,
    kernel::{Kernel, MACHINE_SCOPES, Push, Settled},
    planted::{Bug, is},
    store::{self, Entry, Head, StoreResult, Watermark, WriteTx},
};

/// A transaction and what its mutations so far have come to. Heads and watermarks are kept here and written once, at the
/// end: a hundred mutations of one client in one scope move each of them once.
pub(crate) struct Batch<'t> {
    pub(crate) kernel: &'t Kernel,
    pub(crate) tx: &'t mut dyn WriteTx,
    pub(crate) now: Millis,
    pub(crate) heads: BTreeMap<Scope, Head>,
    pub(crate) marks: BTreeMap<(Scope, ClientId), Option<Watermark>>,
    pub(crate) owners: BTreeMap<ClientId, Option<Principal>>,
    /// Clients one of whose mutations was asked to come again: what they sent after it waits with it.
    pub(crate) waiting: BTreeSet<(Scope, ClientId)>,
    pub(crate) forgotten_before: Millis,
    pub(crate) working: Working,
}

impl Kernel {
    /// Decides pushes in one commit. An error means that nothing of it is known to be recorded: every mutation may be sent
    /// again, and finds out by its id.
    pub fn settle(&self, pushes: &[Push]) -> StoreResult<Settled> {
        if is(Bug::AnswerBeforeCommit) {
            return self.settle_regardless(pushes);
        }
        let (settled, working) = store::write(&*self.store, |tx| self.settle_in(tx, pushes))?;
        self.publish(working);
        if is(Bug::MarkApart) || is(Bug::VerdictApart) {
            self.after_commit(pushes, &settled)?;
        }
        Ok(settled)
    }

    pub(crate) fn settle_in(&self, tx: &mut dyn WriteTx, pushes: &[Push]) -> StoreResult<(Settled, Working)> {
        let epoch = tx.epoch()?;
        let mut batch = Batch {
            kernel: self,
            now: self.clock.now(),
            heads: BTreeMap::new(),
            marks: BTreeMap::new(),
            owners: BTreeMap::new(),
            waiting: BTreeSet::new(),
            forgotten_before: tx.forgotten_before()?,
            working: Working::new(),
            tx,
        };
        let current = |push: &&Push| is(Bug::NoEpochOnPush) || push.epoch.as_ref().is_none_or(|meant| *meant == epoch);
        let items = || pushes.iter().filter(current).flat_map(|push| &push.items);
        // In sorted order, so that two writers of the same store never wait for each other in a circle.
        let scopes: BTreeSet<&Scope> =
            items().flat_map(|item| std::iter::once(&item.mutation.scope).chain(&item.declared)).collect();
        for scope in scopes {
            let head = batch.tx.lock(scope)?;
            batch.heads.insert(scope.clone(), head);
        }
        let before = batch.heads.clone();

        let mut decided = Vec::with_capacity(pushes.len());
        for push in pushes {
            if !current(&push) {
                decided.push(Err(Code::EpochChanged));
                continue;
            }
            let mut decisions = Vec::with_capacity(push.items.len());
            for item in &push.items {
                batch.load_state(&item.mutation.scope)?;
                decisions.push(batch.decide(&push.principal, item)?);
            }
            decided.push(Ok(decisions));
        }
        batch.flush(&before)?;

        let overgrown = batch
            .heads
            .iter()
            .filter(|(_, head)| self.retention.outgrown(head))
            .map(|(scope, _)| scope.clone())
            .collect();
        let commits = commits(&decided, &before, &batch.heads);
        if is(Bug::FoldBeforeCommit) {
            self.publish(batch.working.clone());
        }
        let settled = Settled { epoch, pushes: decided, commits, overgrown };
        Ok((settled, batch.working))
    }

    /// Puts machine states where readers find them. Never called before the commit that made them true.
    fn publish(&self, working: Working) {
        if working.is_empty() {
            return;
        }
        let mut published = self.published();
        if published.len() + working.len() > MACHINE_SCOPES {
            let keep = MACHINE_SCOPES / 2;
            let excess: Vec<Scope> = published.keys().skip(keep).cloned().collect();
            for scope in &excess {
                published.remove(scope);
            }
        }
        published.extend(working);
    }
}

impl Batch<'_> {
    fn load_state(&mut self, scope: &Scope) -> StoreResult<()> {
        if !self.kernel.app.is_machine() || self.working.contains_key(scope) {
            return Ok(());
        }
        let known = self.kernel.published().get(scope).cloned();
        let head = self.heads.get(scope).copied().unwrap_or_default();
        if let Some(loaded) = self.kernel.app.load(&mut *self.tx, scope, &head, known)? {
            self.working.insert(scope.clone(), loaded);
        }
        Ok(())
    }

    fn flush(&mut self, before: &BTreeMap<Scope, Head>) -> StoreResult<()> {
        for (scope, head) in &self.heads {
            if before.get(scope) != Some(head) {
                self.tx.set_head(scope, head)?;
            }
        }
        for ((scope, client), mark) in &self.marks {
            // Marks that were only looked at carry an earlier moment.
            if let Some(mark) = mark.filter(|mark| mark.seen == self.now && !is(Bug::MarkApart)) {
                self.tx.set_watermark(scope, client, &mark)?;
            }
        }
        Ok(())
    }
}

fn commits(
    decided: &[Result<Vec<Decision>, Code>],
    before: &BTreeMap<Scope, Head>,
    after: &BTreeMap<Scope, Head>,
) -> Vec<Arc<Commit>> {
    let mut by_scope: BTreeMap<&Scope, Vec<Entry>> = BTreeMap::new();
    for decision in decided.iter().flatten().flatten() {
        if let Decision::Decided { effects, .. } = decision {
            for (scope, entry) in effects.iter().take(if is(Bug::SecondScopeUntold) { 1 } else { usize::MAX }) {
                by_scope.entry(scope).or_default().push(entry.clone());
            }
        }
    }
    let commit = |(scope, entries): (&Scope, Vec<_>)| {
        let from = before.get(scope).copied().unwrap_or_default();
        let head = after.get(scope).copied().unwrap_or_default();
        Arc::new(Commit::new(scope.clone(), (from.cursor, from.digest), (head.cursor, head.digest), entries))
    };
    by_scope.into_iter().map(commit).collect()
}
