//! The end of a run: no fault comes any more, and what is still wrong is put right. Then everybody must agree within a
//! bounded time, nothing may wait, and the world must go on working.

use riverrun_client::{Status, Verdict};
use riverrun_core::Verdict as Recorded;
use riverrun_engine::store;

use super::{
    audit,
    broken::{Held, Promise, broken, hold},
    carry::Weather,
    disk::Fault,
    happening::Happening,
    world::World,
};

/// Milliseconds in which everybody must agree: a long backoff, a silence found out, a reset that waits, a poll.
const CALM: i64 = 600_000;

/// How often that is looked at.
const LOOK: i64 = 1_000;

/// Milliseconds for which it must stay so: longer than a server needs to find out that a connection is dead.
const STAY: i64 = 90_000;

/// Tasks per connection at most: the session, and the scope it follows.
const TASKS: usize = 2;

impl World<'_> {
    /// Faults stop; everybody agrees; everybody goes on.
    pub(crate) fn quiet(&mut self) -> Held {
        self.calm = true;
        self.weather = Weather::fair();
        {
            let mut hand = self.server.disk.hand();
            (hand.full, hand.bad_reads) = (false, 0);
            if hand.next.is_some_and(|fault| !matches!(fault, Fault::CrashBefore | Fault::CrashAfter)) {
                hand.next = None;
            }
        }
        self.give_rights();
        for at in 0..self.nodes.len() {
            self.nodes[at].online = true;
        }
        let lines: Vec<_> = self.lines.iter().map(|(line, of)| (*line, of.holed)).collect();
        for (line, holed) in lines {
            // Where a frame was lost and none follows, nobody can know.
            if holed {
                self.end_line(line, true);
            }
            self.at(self.now, Happening::Reads(line));
        }
        for at in 0..self.forms.len() {
            self.at(self.now, Happening::FormTries(at));
        }
        self.at(self.now, Happening::Starts);
        let since = self.now;
        self.converge()?;
        self.sums.converged = self.now - since;
        for at in 0..self.nodes.len() {
            self.mutate(at)?;
        }
        self.converge()?;
        self.run_for(STAY)?;
        // A link that had died unnoticed was found out meanwhile; whoever lost it is back.
        self.converge()?;
        self.settled()
    }

    fn converge(&mut self) -> Held {
        let until = self.now + CALM;
        loop {
            self.run_for(LOOK)?;
            match self.agreed() {
                Ok(()) => return Ok(()),
                Err(seen) if self.now >= until => {
                    return broken(Promise::Converges, format!("{} s after the last fault: {seen}", CALM / 1000));
                }
                Err(_) => {}
            }
        }
    }

    /// Everybody has what the server has, and nothing waits.
    fn agreed(&self) -> Result<(), String> {
        for (at, node) in self.nodes.iter().enumerate() {
            let core = &node.core;
            let log = self.ledger.log(node.scope()).ok_or("a scope without a log")?;
            if core.epoch() != self.ledger.epoch.as_ref() || (core.cursor().0, core.digest()) != log.head() {
                let (cursor, digest) = (core.cursor(), core.digest());
                return Err(format!(
                    "client {at} is at {cursor} {digest} of {:?}, the head is {:?}",
                    core.epoch(),
                    log.head()
                ));
            }
            let pending: Vec<_> = core.pending().map(|pending| format!("{:?}", pending.entry)).collect();
            if !pending.is_empty() {
                return Err(format!("client {at} still waits for {pending:?}"));
            }
            if !matches!(core.status(), Status::Live | Status::Polling)
                || (node.config.live && *core.status() != Status::Live)
            {
                return Err(format!("client {at} says it is {:?}", core.status()));
            }
            let has_storage = !(node.volatile || node.broken_storage);
            let is_stored = node.disk.entries.is_empty() && node.stores.is_empty();
            if has_storage && !is_stored {
                return Err(format!("client {at} keeps {:?}", node.disk.entries));
            }
        }
        match self.forms.iter().find(|form| !form.done) {
            Some(form) => Err(format!("the plain sender of {} has no verdict", form.id)),
            None => Ok(()),
        }
    }

    /// Every mutation has its one verdict, and the server holds what was told.
    fn settled(&mut self) -> Held {
        audit::whole(&self.ledger, &*self.server.disk.store)?;
        for (at, node) in self.nodes.iter().enumerate() {
            for (id, fate) in &node.fates {
                hold(!fate.is_open(), Promise::Settles, || format!("{id} of client {at} has no verdict: {fate:?}"))?;
                let key = (node.scope().clone(), node.who().clone(), id.clone());
                let recorded = self.ledger.verdicts.get(&key);
                let Some((history, told)) = fate.verdicts.last() else { continue };
                if *history < self.ledger.history || self.ledger.forgotten.contains(&key) {
                    continue;
                }
                let same = match (told, recorded) {
                    (Verdict::Accepted(_), Some(Recorded::Accepted(_))) => true,
                    // An answer of an earlier history may have been on its way.
                    (Verdict::Accepted(told), None) => Some(&told.epoch) != self.ledger.epoch.as_ref() || *history > 0,
                    // And a copy of its queue may have been decided anew in this one.
                    (Verdict::Accepted(_), Some(Recorded::Rejected(_))) => *history > 0 && fate.inherited,
                    (Verdict::Refused(_), recorded) => {
                        !matches!(recorded, Some(Recorded::Accepted(_))) || *history > 0 || self.ledger.forgot
                    }
                };
                hold(same, Promise::OneEffect, || {
                    format!("{id} of client {at} was told {told:?}; recorded is {recorded:?}")
                })?;
            }
            for fate in node.fates.values().filter_map(|fate| fate.verdicts.last()) {
                if fate.1.is_accepted() { self.sums.accepted += 1 } else { self.sums.rejected += 1 }
            }
        }
        for form in &self.forms {
            let ever = self.ledger.ever.iter().find(|(key, _)| key.2 == form.id).map(|(_, verdicts)| verdicts);
            match ever.and_then(|verdicts| verdicts.last()) {
                Some(Recorded::Accepted(_)) => self.sums.accepted += 1,
                _ => self.sums.rejected += 1,
            }
        }
        self.views()?;
        self.bounds()
    }

    fn views(&self) -> Held {
        self.spec.invariants_hold(&self.ledger.state())?;
        for (at, node) in self.nodes.iter().enumerate() {
            self.spec.views_hold(&node.view(&self.ledger.collections), at)?;
        }
        let Some(running) = &self.server.running else { return broken(Promise::Converges, "the server is down") };
        for scope in self.ledger.logs.keys() {
            let verified = running.engine.kernel().verify(scope);
            let sound = verified.as_ref().is_ok_and(|verified| verified.damage.is_empty());
            hold(sound, Promise::Fold, || format!("{scope} does not verify: {verified:?}"))?;
        }
        Ok(())
    }

    /// Nothing is left over.
    fn bounds(&mut self) -> Held {
        let polls = self.nodes.iter().filter(|node| !node.config.live).count();
        let most = self.lines.len() * TASKS + polls * 3;
        let tasks = self.server.running.as_ref().map_or(0, |running| running.tasks.len());
        hold(tasks <= most && self.lines.len() <= self.nodes.len() * 2, Promise::Converges, || {
            format!("{tasks} tasks and {} connections are left for {} clients", self.lines.len(), self.nodes.len())
        })?;
        if !self.plan.short_memory {
            return Ok(());
        }
        // What was kept for minutes is gone after an hour of quiet.
        for _ in 0..8 {
            self.run_for(600_000)?;
        }
        let kept = store::read(&*self.server.disk.store, |tx| {
            let mut kept = 0;
            for key in self.ledger.verdicts.keys() {
                kept += usize::from(tx.verdict(&key.0, &key.1, &key.2)?.is_some());
            }
            Ok(kept)
        });
        let clients: std::collections::BTreeSet<_> =
            self.ledger.sent.keys().map(|(scope, client, _)| (scope, client)).collect();
        let kept = kept.unwrap_or(usize::MAX);
        hold(kept <= clients.len() * 5, Promise::Converges, || {
            format!("{kept} verdicts of {} clients are kept, long after their time", clients.len())
        })
    }
}
