//! A live subscription: listen first, then read the log up to its head, then pass on what the ring brings, each cursor once
//! and in order. It is driven by its reader: whoever takes the next event slowly falls out of the ring and is told.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use riverrun_core::{
    ClientId, Code, Cursor, Digest, Epoch, Principal, Scope, Seq, limits,
    wire::{SnapshotAnswer, SnapshotRequest, Subscribe},
};

use crate::{
    Action, Commit, Engine,
    error::Refused,
    feed::{Heard, Listener, Notice},
    planted::{Bug, is},
    pull::{Page, judge, last_seq, page},
    store,
};

/// How often the right to read is asked for again: an answer is believed no longer than this.
pub(crate) const RECHECK: Duration = Duration::from_secs(30);

/// How often a subscription may fall out of the ring while it catches up before it is told to come again: then the scope
/// changes faster than this reader reads.
const ROUNDS: u32 = 3;

/// What a subscription says.
#[derive(Debug, Clone)]
pub enum Event {
    /// The state to begin with.
    Snapshot(SnapshotAnswer),
    /// It has begun.
    Ack {
        /// The head at that moment.
        cursor: Cursor,
        /// The log's identity.
        epoch: Epoch,
        /// The watermark of the named client.
        last_seq: Option<Seq>,
    },
    /// Changes read from the log.
    Page(Page),
    /// Changes just committed, shared by all readers.
    Commit(Arc<Commit>),
    /// It has ended: the reader was too slow. The head is given.
    Lagged(Cursor),
    /// It has ended: the reader's history is not the log's, or begins before it.
    Reset(Code),
    /// It has ended: the snapshot is too large for a live frame.
    UseHttp,
    /// It has ended: the right to read is gone, or the store failed.
    Refused(Refused),
}

/// A reader's place in a scope's log.
pub struct Subscription {
    engine: Engine,
    principal: Principal,
    scope: Scope,
    client: Option<ClientId>,
    listener: Listener,
    first: VecDeque<Event>,
    at: (Cursor, Digest),
    epoch: Epoch,
    /// The log holds changes the reader has not got.
    behind: bool,
    /// Nothing has come from the ring since the log was read.
    catching: bool,
    rounds: u32,
    /// When the right to read was last found to be there, and under which state of the rules.
    checked: (Duration, u64),
    access: tokio::sync::watch::Receiver<u64>,
    ended: bool,
}

impl Engine {
    /// Begins a subscription. Refused are those who may not read, and a foreign client id; a cursor that can't be followed is
    /// the subscription's first and last event.
    pub async fn subscribe(
        &self,
        principal: &Principal,
        scope: &Scope,
        ask: &Subscribe,
    ) -> Result<Subscription, Refused> {
        let access = self.inner.access_changes.subscribe();
        // Read before the question: what changes while it is asked makes it be asked again.
        let rules = *access.borrow();
        self.allow(principal, scope, Action::Read).await?;
        // Before the head is read: what commits from here on is in the ring.
        let listener = self.inner.feed.listen(scope);
        let mut subscription = Subscription {
            engine: self.clone(),
            principal: principal.clone(),
            scope: scope.clone(),
            client: ask.client.clone(),
            listener,
            first: VecDeque::new(),
            at: (Cursor::ZERO, Digest::EMPTY),
            epoch: self.epoch().await?,
            behind: true,
            catching: true,
            rounds: 0,
            checked: (self.inner.pace.now(), rules),
            access,
            ended: false,
        };
        subscription.begin(ask).await?;
        self.touch(scope, ask.client.as_ref());
        Ok(subscription)
    }
}

impl Subscription {
    /// What the reader has once it took the last event.
    pub fn cursor(&self) -> Cursor {
        self.at.0
    }

    /// The next event; `None` once it has ended. Can be cancelled without losing one.
    pub async fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.first.pop_front() {
            return Some(event);
        }
        if self.ended {
            return None;
        }
        let event = match self.follow().await {
            Ok(event) => event,
            Err(refused) => match refused.code {
                Code::CursorTooOld | Code::EpochChanged => Event::Reset(refused.code),
                _ => Event::Refused(refused),
            },
        };
        self.ended = !matches!(event, Event::Page(_) | Event::Commit(_));
        Some(event)
    }

    async fn begin(&mut self, ask: &Subscribe) -> Result<(), Refused> {
        let Some(cursor) = ask.cursor else { return self.begin_with_snapshot(ask).await };
        let (principal, scope, question) = (self.principal.clone(), self.scope.clone(), ask.clone());
        let begun = self
            .engine
            .read(move |kernel| {
                store::read(kernel.store(), |tx| {
                    let (epoch, head) = (tx.epoch()?, tx.head(&scope)?.unwrap_or_default());
                    let seq = match last_seq(tx, &principal, &scope, question.client.as_ref())? {
                        Ok(seq) => seq,
                        Err(no) => return Ok(Err(no)),
                    };
                    let meant = question.epoch.as_ref();
                    let judged = judge(tx, &scope, &head, cursor, &epoch, meant, question.digest)?;
                    let digest = match judged {
                        Ok(()) => crate::digests::at(tx, &scope, &head, cursor)?,
                        Err(no) => return Ok(Err(no)),
                    };
                    Ok(Ok((epoch, head.cursor, digest, seq)))
                })?
            })
            .await;
        match begun {
            Ok((epoch, head, digest, last_seq)) => {
                self.at = (cursor, digest);
                self.epoch = epoch.clone();
                self.behind = head > cursor;
                self.first.push_back(Event::Ack { cursor: head, epoch, last_seq });
                Ok(())
            }
            Err(no) if matches!(no.code, Code::CursorTooOld | Code::EpochChanged) => {
                self.end_with(Event::Reset(no.code));
                Ok(())
            }
            Err(no) => Err(no),
        }
    }

    async fn begin_with_snapshot(&mut self, ask: &Subscribe) -> Result<(), Refused> {
        let (principal, scope, client) = (self.principal.clone(), self.scope.clone(), ask.client.clone());
        let snapshot =
            self.engine.read(move |kernel| kernel.snapshot(&principal, &SnapshotRequest { scope, client })).await?;
        if snapshot.data.as_str().len() > limits::LIVE_SNAPSHOT_BYTES {
            self.end_with(Event::UseHttp);
            return Ok(());
        }
        self.at = (snapshot.cursor, snapshot.digest);
        self.epoch = snapshot.epoch.clone();
        self.behind = false;
        let ack = Event::Ack { cursor: snapshot.cursor, epoch: snapshot.epoch.clone(), last_seq: snapshot.last_seq };
        self.first.extend([Event::Snapshot(snapshot), ack]);
        Ok(())
    }

    fn end_with(&mut self, event: Event) {
        self.first.push_back(event);
        self.ended = true;
    }

    /// Waits for the next change, from the log while behind, from the ring otherwise.
    async fn follow(&mut self) -> Result<Event, Refused> {
        if is(Bug::ListenAfterCatchUp) && self.catching && !self.behind {
            // Between two threads there is a moment.
            let _ = self.engine.inner.pace.block(|| ()).await;
            self.listener = self.engine.inner.feed.listen(&self.scope);
        }
        loop {
            self.recheck().await?;
            if self.behind {
                let page = self.page().await?;
                self.behind = page.cursor < page.head;
                if page.cursor > self.at.0 {
                    self.at = (page.cursor, page.digest);
                    return Ok(Event::Page(page));
                }
                continue;
            }
            let heard = tokio::select! {
                biased;
                () = self.engine.inner.pace.until(self.checked.0 + RECHECK) => continue,
                changed = self.access.changed() => {
                    if changed.is_err() {
                        return Err(Refused::unavailable());
                    }
                    continue;
                }
                heard = self.listener.next() => heard,
            };
            match heard {
                Heard::Notice(Notice::Commit(told)) if told.commit.cursor <= self.at.0 && !is(Bug::CommitTwice) => {}
                Heard::Notice(Notice::Commit(told))
                    if told.commit.carries()
                        && (told.commit.follows_on(self.at) || is(Bug::CommitTwice) || is(Bug::OverrunSilent)) =>
                {
                    self.at = (told.commit.cursor, told.commit.digest);
                    (self.catching, self.rounds) = (false, 0);
                    return Ok(Event::Commit(told.commit.clone()));
                }
                Heard::Overrun if is(Bug::OverrunSilent) => {}
                // A hole, an overlap, another history, or too large to carry along: the log tells.
                Heard::Notice(_) => (self.behind, self.catching) = (true, true),
                // While the log was being read the ring went round: that is the catch-up's doing, not the reader's.
                Heard::Overrun if self.catching && self.rounds < ROUNDS => {
                    self.rounds += 1;
                    self.behind = true;
                }
                Heard::Overrun => return Ok(Event::Lagged(self.head().await?)),
            }
        }
    }

    async fn recheck(&mut self) -> Result<(), Refused> {
        let rules = *self.access.borrow();
        let now = self.engine.inner.pace.now();
        if rules == self.checked.1 && now < self.checked.0 + RECHECK {
            return Ok(());
        }
        if is(Bug::AccessNotRechecked) {
            self.checked = (now, rules);
            return Ok(());
        }
        self.engine.allow(&self.principal, &self.scope, Action::Read).await?;
        // Whoever only listens is there all the same.
        self.engine.touch(&self.scope, self.client.as_ref());
        self.checked = (now, rules);
        Ok(())
    }

    async fn page(&self) -> Result<Page, Refused> {
        let (scope, (cursor, digest), epoch) = (self.scope.clone(), self.at, self.epoch.clone());
        self.engine
            .read(move |kernel| {
                store::read(kernel.store(), |tx| {
                    let (now, head) = (tx.epoch()?, tx.head(&scope)?.unwrap_or_default());
                    if let Err(no) = judge(tx, &scope, &head, cursor, &now, Some(&epoch), Some(digest))? {
                        return Ok(Err(no));
                    }
                    page(tx, &scope, &head, cursor, limits::PULL_MAX, limits::LIVE_PAGE_BYTES).map(Ok)
                })?
            })
            .await
    }

    async fn head(&self) -> Result<Cursor, Refused> {
        let scope = self.scope.clone();
        self.engine
            .read(move |kernel| Ok(store::read(kernel.store(), |tx| tx.head(&scope))?.unwrap_or_default().cursor))
            .await
    }
}
