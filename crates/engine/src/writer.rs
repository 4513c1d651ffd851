//! The one thread that writes. It takes whatever waits, settles it in one commit, answers, and starts over: a commit begins
//! when the last one ended, so the more wait the more share one sync to disk. In between it keeps the log within bounds.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use riverrun_core::{ClientId, Code, Epoch, Scope};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Decision,
    engine::Inner,
    kernel::{Push, Settled},
    planted::{Bug, is},
    store::{self, StoreError, StoreResult, Watermark},
};

/// Pushes that may wait for the writer. More than it settles in a few seconds: later ones are told to come again.
pub(crate) const QUEUE: usize = 1024;

/// Mutations settled in one commit: enough to make a sync's cost vanish, few enough that answers don't wait long.
const BATCH: usize = 512;

/// Bytes of arguments settled in one commit, or one push if that is more: 512 pushes of a megabyte each would hold
/// everybody's answer for many seconds.
const BATCH_BYTES: usize = 4 << 20;

/// How often ages are looked at. Spans are days, so minutes are soon enough.
const ROUND: Duration = Duration::from_mins(1);

/// Scopes whose ages are looked at in one round: bounds the cost of a round, however many scopes there are.
const SCOPES_A_ROUND: usize = 200;

/// A client that only reads is noted as seen once in this many milliseconds: its watermark lives for months.
const TOUCH_EVERY: i64 = 24 * 60 * 60 * 1000;

/// What comes back from the writer for one push.
pub(crate) type Answer = Result<(Epoch, Vec<Decision>), Code>;

/// What the writer is asked.
pub(crate) enum Ask {
    /// Settle a push.
    Push(Push, oneshot::Sender<Answer>),
    /// This client was seen reading; its watermark must not age away.
    Touch(Scope, ClientId),
    /// Look at ages.
    Round,
    /// Settle what was asked before, say so, and end.
    Close(oneshot::Sender<()>),
}

/// Starts the writer and the clock of its rounds. Both end when the last sender is gone.
pub(crate) fn start(inner: Arc<Inner>, asks: mpsc::Receiver<Ask>) -> std::io::Result<()> {
    std::thread::Builder::new().name("riverrun-writer".into()).spawn(move || {
        Writer::new(inner, asks).run();
    })?;
    Ok(())
}

/// Asks for a round now and then, as long as the writer lives.
pub(crate) async fn rounds(asks: mpsc::WeakSender<Ask>) {
    let mut tick = tokio::time::interval(ROUND);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        match asks.upgrade() {
            // A full queue means there is better to do; the next round comes soon.
            Some(asks) => drop(asks.try_send(Ask::Round)),
            None => return,
        }
    }
}

pub(crate) struct Writer {
    inner: Arc<Inner>,
    asks: mpsc::Receiver<Ask>,
    /// In order, so that a simulation's turns are the same every time.
    trim: BTreeSet<Scope>,
    forget: bool,
    /// Up to where the rounds have come.
    place: Option<Scope>,
    closing: Option<oneshot::Sender<()>>,
}

impl Writer {
    pub(crate) fn new(inner: Arc<Inner>, asks: mpsc::Receiver<Ask>) -> Self {
        Self { inner, asks, trim: BTreeSet::new(), forget: false, place: None, closing: None }
    }

    fn run(mut self) {
        loop {
            let (pushes, answers, open) = self.gather(true);
            if !pushes.is_empty() {
                self.settle(&pushes, answers);
            }
            if let Some(closing) = self.closing.take() {
                // Whoever waits for this may want to open the store anew: this hold on it goes first.
                drop(self);
                let _ = closing.send(());
                return;
            }
            if !open {
                return;
            }
            self.upkeep();
        }
    }

    /// One turn without waiting. Says whether there was anything to do.
    pub(crate) fn turn(&mut self) -> bool {
        let (pushes, answers, _) = self.gather(false);
        let worked = !pushes.is_empty() || !self.trim.is_empty() || self.forget;
        if !pushes.is_empty() {
            self.settle(&pushes, answers);
        }
        if let Some(closing) = self.closing.take() {
            self.asks.close();
            let _ = closing.send(());
        }
        self.upkeep();
        worked
    }

    /// Takes what waits, up to a batch; sleeps only if it may and there is nothing at all to do.
    fn gather(&mut self, wait: bool) -> (Vec<Push>, Vec<oneshot::Sender<Answer>>, bool) {
        let (mut pushes, mut answers, mut mutations, mut bytes) = (Vec::new(), Vec::new(), 0, 0);
        loop {
            let idle = wait && pushes.is_empty() && self.trim.is_empty() && !self.forget;
            let ask = if idle {
                match self.asks.blocking_recv() {
                    Some(ask) => ask,
                    None => return (pushes, answers, false),
                }
            } else {
                match self.asks.try_recv() {
                    Ok(ask) => ask,
                    Err(mpsc::error::TryRecvError::Empty) => return (pushes, answers, true),
                    Err(mpsc::error::TryRecvError::Disconnected) => return (pushes, answers, false),
                }
            };
            match ask {
                Ask::Push(push, answer) => {
                    mutations += push.items.len();
                    bytes += push.items.iter().map(|item| item.mutation.args.as_str().len()).sum::<usize>();
                    pushes.push(push);
                    answers.push(answer);
                }
                Ask::Touch(scope, client) => report(self.touch(&scope, &client)),
                Ask::Round => self.round(),
                Ask::Close(done) => {
                    self.closing = Some(done);
                    return (pushes, answers, true);
                }
            }
            if mutations >= BATCH || bytes >= BATCH_BYTES {
                return (pushes, answers, true);
            }
        }
    }

    fn settle(&mut self, pushes: &[Push], answers: Vec<oneshot::Sender<Answer>>) {
        match guarded(|| self.inner.kernel.settle(pushes)) {
            Ok(settled) => self.answer(settled, answers),
            // One push may fail every time (a table of the application's own, say): alone, it holds nobody up.
            Err(error)
                if pushes.len() > 1
                    && !matches!(error, StoreError::Full | StoreError::Busy(_) | StoreError::SyncFailed(_)) =>
            {
                self.failed(&error);
                for (push, answer) in pushes.iter().zip(answers) {
                    self.settle(std::slice::from_ref(push), vec![answer]);
                }
            }
            Err(error) => {
                self.failed(&error);
                for answer in answers {
                    let _ = answer.send(Err(Code::Unavailable));
                }
            }
        }
    }

    fn failed(&self, error: &StoreError) {
        tracing::error!(%error, "a commit failed; its mutations will be sent again");
        // The commit may have happened all the same. Readers find out from the log.
        if !is(Bug::NoLookAfterFailure) {
            self.inner.feed.look();
        }
    }

    fn answer(&mut self, settled: Settled, answers: Vec<oneshot::Sender<Answer>>) {
        for (answer, decided) in answers.into_iter().zip(settled.pushes) {
            // The sender may have gone away; its next try finds the verdict.
            let _ = answer.send(decided.map(|decisions| (settled.epoch.clone(), decisions)));
        }
        for commit in settled.commits {
            self.inner.feed.tell(commit);
        }
        self.trim.extend(settled.overgrown);
    }

    /// One step of trimming and forgetting, so that a push never waits for more than that.
    fn upkeep(&mut self) {
        if let Some(scope) = self.trim.iter().next().cloned() {
            let more = guarded(|| self.inner.kernel.trim(&scope));
            if !matches!(more, Ok(true)) {
                self.trim.remove(&scope);
            }
            report(more.map(drop));
        }
        if self.forget {
            let more = guarded(|| self.inner.kernel.forget());
            self.forget = matches!(more, Ok(true));
            report(more.map(drop));
        }
    }

    pub(crate) fn round(&mut self) {
        self.forget = true;
        match self.inner.kernel.scopes(self.place.as_ref(), SCOPES_A_ROUND) {
            Ok(scopes) => {
                self.place = scopes.last().filter(|_| scopes.len() == SCOPES_A_ROUND).cloned();
                self.trim.extend(scopes);
            }
            Err(error) => report(Err(error)),
        }
    }

    fn touch(&self, scope: &Scope, client: &ClientId) -> StoreResult<()> {
        let now = self.inner.kernel.clock.now();
        let stale = |mark: &Watermark| mark.seen < now.minus(TOUCH_EVERY);
        let store = self.inner.kernel.store();
        if store::read(store, |tx| tx.watermark(scope, client))?.is_none_or(|mark| !stale(&mark)) {
            return Ok(());
        }
        store::write(store, |tx| match tx.watermark(scope, client)? {
            Some(mark) => tx.set_watermark(scope, client, &Watermark { seen: now, ..mark }),
            None => Ok(()),
        })
    }
}

/// Keeps the writer alive when code of the application panics where no mutation can be blamed: a machine that can't fold
/// what an earlier version of it wrote, say. The transaction is gone with the panic, and memory is only published after one.
fn guarded<T>(work: impl FnOnce() -> StoreResult<T>) -> StoreResult<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(StoreError::Other("the application panicked outside of a mutation".into())))
}

fn report(done: StoreResult<()>) {
    if let Err(error) = done {
        tracing::warn!(%error, "upkeep of the log failed; it is tried again later");
    }
}

#[cfg(test)]
mod tests {
    use riverrun_core::{Json, Mutation, MutationId, Mutators, Principal};

    use super::*;
    use crate::{
        Engine, Memory, Public,
        kernel::{Edge, PushItem},
    };

    #[tokio::test]
    async fn a_batch_is_bounded_in_bytes_too() {
        let rules = Mutators::new();
        let engine = Engine::builder(Memory::new()).mutators(rules).access(Public).start().await.unwrap();
        let (sender, asks) = mpsc::channel(QUEUE);
        let mutation = Mutation {
            id: MutationId::new("m").unwrap(),
            name: "large".into(),
            args: Json::of(&"x".repeat(1 << 20)).unwrap(),
            scope: Scope::default(),
            place: None,
            schema: None,
        };
        let item = PushItem { mutation, declared: Vec::new(), edge: Edge::Go };
        for _ in 0..20 {
            let push = Push { principal: Principal::anonymous(), epoch: None, items: vec![item.clone()] };
            sender.try_send(Ask::Push(push, oneshot::channel().0)).ok().unwrap();
        }
        let inner = engine.inner.clone();
        let mut writer = Writer::new(inner, asks);
        let taken = tokio::task::spawn_blocking(move || writer.gather(true).0.len()).await.unwrap();
        assert_eq!(taken, 4);
    }
}
