//! The checks on everything that leaves the server, at the moment it does: answers and frames are compared with the books
//! and with the real store. It sees what was asked, and lets nothing pass because it is likely.

use std::collections::BTreeMap;

use riverrun_core::{
    Change, Cursor, Digest, Epoch, Principal, Scope, Verdict,
    wire::{PullAnswer, PullRequest, PushAnswer, PushRequest, ServerFrame, SnapshotAnswer, Subscribe},
};
use riverrun_engine::{
    Action,
    store::{self, Store},
};

use super::{
    broken::{Held, Promise, broken, hold},
    disk::Done,
    edge::{From, Out, Said},
    ledger::Ledger,
    rows::Rows,
    rules::Table,
};

/// A right that was taken away is believed by what was on its way for so many milliseconds.
pub(crate) const GRACE: i64 = 3_000;

/// The same where the engine was not told: it asks again every 30 s, and then that.
const UNTOLD_GRACE: i64 = 30_000 + GRACE;

/// Nobody wrote where the right to had been taken away for a while.
pub(crate) fn writable(done: &[Done], rules: &Table, now: i64) -> Held {
    for (own, who, record, _) in done.iter().flat_map(|done| &done.records) {
        let Verdict::Accepted(yes) = &record.verdict else { continue };
        for scope in std::iter::once(own).chain(yes.cursors.keys()) {
            let denial = rules.denied(who, scope, Action::Write).filter(|denial| now > denial.at + GRACE);
            hold(denial.is_none(), Promise::Access, || {
                format!("{} of {who} wrote to {scope}, and it may not: {denial:?}", record.id)
            })?;
        }
    }
    Ok(())
}

/// Where a live subscription stands, as its reader has been told.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) scope: Scope,
    pub(crate) at: (Cursor, Digest),
    /// It has begun; before that there may be a snapshot.
    pub(crate) live: bool,
}

/// What the checks look at.
pub(crate) struct Leaving<'a> {
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) store: &'a dyn Store,
    pub(crate) rules: &'a Table,
    /// By connection.
    pub(crate) streams: &'a mut BTreeMap<u64, Stream>,
    pub(crate) now: i64,
}

impl Leaving<'_> {
    /// Checks one thing that leaves.
    pub(crate) fn check(&mut self, out: &Out) -> Held {
        match out {
            Out::Answer { who, version, said, .. } => match said {
                Said::Push(push, answer) => self.pushed(who, push, answer),
                Said::Pull(ask, answer) => {
                    self.readable(who, &ask.scope, Some(*version), || format!("{answer:?}"))?;
                    self.pulled(who, ask, answer)
                }
                Said::Snapshot(ask, answer) => {
                    self.readable(who, &ask.scope, Some(*version), || format!("{answer:?}"))?;
                    self.snapshot(&ask.scope, ask.client.as_ref(), answer)
                }
                Said::No(_) => Ok(()),
            },
            Out::Frame { line, who, scope, frame, push, from } => {
                self.frame(*line, who, scope, frame, push.as_ref(), from)
            }
        }
    }

    fn frame(
        &mut self,
        line: u64,
        who: &Principal,
        scope: &Scope,
        frame: &ServerFrame,
        push: Option<&PushRequest>,
        from: &From,
    ) -> Held {
        match (frame, from) {
            (ServerFrame::Results { results, epoch, .. }, _) => {
                let answer = PushAnswer { epoch: epoch.clone(), results: results.clone() };
                push.map_or(Ok(()), |push| self.pushed(who, push, &answer))
            }
            (ServerFrame::Snapshot(answer), From::Begin(ask)) => {
                self.readable(who, scope, None, || format!("{answer:?}"))?;
                let at = (answer.cursor, answer.digest);
                self.streams.insert(line, Stream { scope: scope.clone(), at, live: false });
                self.snapshot(scope, ask.client.as_ref(), answer)
            }
            (ServerFrame::Ack { cursor, epoch, .. }, From::Begin(ask)) => {
                self.begins(line, scope, ask, (*cursor, epoch))
            }
            (ServerFrame::Changes { from: start, cursor, digest, changes }, from) => {
                let strict = matches!(from, From::Ring);
                self.streamed(line, who, scope, strict, (*start, *cursor, *digest, changes))
            }
            (ServerFrame::Error { .. }, From::Question) => Ok(()),
            _ => {
                self.streams.remove(&line);
                Ok(())
            }
        }
    }

    fn begins(&mut self, line: u64, scope: &Scope, ask: &Subscribe, (head, epoch): (Cursor, &Epoch)) -> Held {
        self.same_epoch(epoch)?;
        let Some(log) = self.ledger.log(scope) else { return Ok(()) };
        let at = match ask.cursor {
            Some(cursor) => {
                self.same_history(scope, cursor, ask.digest, ask.epoch.as_ref())?;
                (cursor, log.digest_at(cursor.0).unwrap_or_default())
            }
            None => match self.streams.get(&line) {
                Some(stream) => stream.at,
                None => return broken(Promise::Together, "a subscription without a cursor begins without a snapshot"),
            },
        };
        hold(head.0 <= log.head().0 && at.0 <= head, Promise::Cursors, || {
            format!("a subscription from {} begins under the head {head}, the log ends at {}", at.0, log.head().0)
        })?;
        self.streams.insert(line, Stream { scope: scope.clone(), at, live: true });
        Ok(())
    }

    fn streamed(
        &mut self,
        line: u64,
        who: &Principal,
        scope: &Scope,
        strict: bool,
        (from, cursor, digest, changes): (Cursor, Cursor, Digest, &[Change]),
    ) -> Held {
        if strict && let Some(denial) = self.rules.denied(who, scope, Action::Read).filter(|denial| denial.told) {
            let seen = format!("{who} may not read {scope} since {}, and is told {from} to {cursor}", denial.at);
            return broken(Promise::Access, seen);
        }
        let Some(stream) = self.streams.get(&line).filter(|stream| stream.live) else {
            return broken(Promise::Together, "changes on a connection without a subscription");
        };
        hold(stream.at.0 == from, Promise::Together, || {
            format!("a live reader at {} is told what follows {from}, up to {cursor}", stream.at.0)
        })?;
        self.slice(who, scope, from, (cursor, digest), changes)?;
        if let Some(stream) = self.streams.get_mut(&line) {
            stream.at = (cursor, digest);
        }
        Ok(())
    }

    fn pulled(&mut self, who: &Principal, ask: &PullRequest, answer: &PullAnswer) -> Held {
        let (scope, next) = (&ask.scope, answer.next_cursor);
        self.same_epoch(&answer.epoch)?;
        self.same_history(scope, ask.cursor, ask.digest, ask.epoch.as_ref())?;
        let Some(log) = self.ledger.log(scope) else { return Ok(()) };
        let (head, floor) = (log.head().0, log.floor);
        hold(ask.cursor.0 >= floor && next.0 <= head, Promise::Fold, || {
            format!("a pull from {} to {next} in a log of {floor} to {head}", ask.cursor)
        })?;
        // An answer that was held back is of the moment it was read.
        let held_back = ask.patience() > 0 && answer.changes.is_empty();
        hold(held_back || answer.has_more == (next.0 < head), Promise::Cursors, || {
            format!("a page to {next} of {head} says has_more = {}", answer.has_more)
        })?;
        let last = log.between(ask.cursor.0, next.0).last().map_or(0, |entry| entry.changes.len());
        hold(answer.changes.len() as u64 <= ask.page().saturating_sub(1) + last as u64, Promise::Converges, || {
            format!("a page of {} changes was asked to have {}", answer.changes.len(), ask.page())
        })?;
        // An answer that was held back is of the moment it was read.
        if let Some(client) = ask.client.as_ref().filter(|_| ask.patience() == 0) {
            let mark = store::read(self.store, |tx| tx.watermark(scope, client)).ok().flatten();
            let mark = mark.map_or(0, |mark| mark.last_seq.0);
            hold(answer.last_seq.map(|seq| seq.0) == Some(mark), Promise::View, || {
                format!("a page says last_seq {:?} of {client}, the watermark is {mark}", answer.last_seq)
            })?;
        }
        self.slice(who, scope, ask.cursor, (next, answer.digest), &answer.changes)
    }

    /// Changes lead from one place to a mutation's end, and are the log's.
    fn slice(
        &self,
        who: &Principal,
        scope: &Scope,
        from: Cursor,
        (to, digest): (Cursor, Digest),
        changes: &[Change],
    ) -> Held {
        let Some(log) = self.ledger.log(scope) else { return Ok(()) };
        // A plain reader may stand inside a mutation; whoever was told a cursor by the server does not.
        let inside = changes.is_empty() && to == from;
        hold(
            log.digest_at(to.0) == Some(digest) || (inside && log.digest_at(to.0).is_none()),
            Promise::Together,
            || format!("{scope} was read up to {to} with digest {digest}; there the log has {:?}", log.digest_at(to.0)),
        )?;
        let entries = log.between(from.0, to.0);
        let logged = entries.iter().flat_map(|entry| {
            (entry.first..).zip(&entry.changes).map(move |(cursor, data)| (cursor, &entry.id, entry.time, data))
        });
        let logged = logged.filter(|(cursor, ..)| *cursor > from.0);
        let said = changes.iter().map(|change| (change.cursor.0, &change.mutation, change.time, &change.data));
        hold(said.eq(logged) && changes.iter().all(|change| change.scope == *scope), Promise::Cursors, || {
            format!("what was read of {scope} from {from} to {to} is not its log: {changes:?}")
        })?;
        if let Some(denial) = self.rules.denied(who, scope, Action::Read) {
            let grace = if denial.told { GRACE } else { UNTOLD_GRACE };
            let late = Ledger::found_after(entries, denial.at + grace);
            hold(late.is_none(), Promise::Access, || {
                format!("{who} may not read {scope} since {}, and is told {late:?}", denial.at)
            })?;
        }
        Ok(())
    }

    fn snapshot(&self, scope: &Scope, client: Option<&riverrun_core::ClientId>, answer: &SnapshotAnswer) -> Held {
        self.same_epoch(&answer.epoch)?;
        let Some(log) = self.ledger.log(scope) else { return Ok(()) };
        hold((answer.cursor.0, answer.digest) == log.head(), Promise::Fold, || {
            format!("a snapshot is of {} {}, the head is {:?}", answer.cursor, answer.digest, log.head())
        })?;
        let rows = Rows::of_snapshot(&answer.data).unwrap_or_default();
        hold(rows == *log.state, Promise::Fold, || {
            format!("a snapshot at {} is not the log's state there: {}", answer.cursor, rows.difference(&log.state))
        })?;
        if let Some(client) = client {
            let mark = store::read(self.store, |tx| tx.watermark(scope, client)).ok().flatten();
            let mark = mark.map_or(0, |mark| mark.last_seq.0);
            hold(answer.last_seq.map(|seq| seq.0) == Some(mark), Promise::View, || {
                format!("a snapshot says last_seq {:?} of {client}, the watermark is {mark}", answer.last_seq)
            })?;
        }
        Ok(())
    }

    pub(crate) fn same_epoch(&self, epoch: &Epoch) -> Held {
        hold(self.ledger.epoch.as_ref() == Some(epoch), Promise::History, || {
            format!("an answer is of the epoch {epoch}, the log's is {:?}", self.ledger.epoch)
        })
    }

    /// Who names a place of another history is not answered as if it were this one's.
    fn same_history(&self, scope: &Scope, cursor: Cursor, digest: Option<Digest>, epoch: Option<&Epoch>) -> Held {
        hold(epoch.is_none_or(|epoch| Some(epoch) == self.ledger.epoch.as_ref()), Promise::History, || {
            format!("a reader of the epoch {epoch:?} is answered by {:?}", self.ledger.epoch)
        })?;
        let Some(log) = self.ledger.log(scope) else { return Ok(()) };
        hold(digest.is_none_or(|digest| log.digest_at(cursor.0) == Some(digest)), Promise::History, || {
            format!("a reader with the digest {digest:?} at {cursor} is answered by {:?}", log.digest_at(cursor.0))
        })
    }

    /// The reader had the right to read when it asked, or until a moment ago.
    fn readable(&self, who: &Principal, scope: &Scope, asked: Option<u64>, what: impl Fn() -> String) -> Held {
        let Some(denial) = self.rules.denied(who, scope, Action::Read) else { return Ok(()) };
        let broken = match asked {
            // It was asked when the right had gone already.
            Some(version) => denial.version <= version || self.now > denial.at + UNTOLD_GRACE,
            None => self.now > denial.at + if denial.told { GRACE } else { UNTOLD_GRACE },
        };
        hold(!broken, Promise::Access, || {
            format!("{who} may not read {scope} since {}, and is told {}", denial.at, what())
        })
    }
}
