//! Drives the core: one step at a time, and what it asks for is handed to whoever does it. Nothing here waits while the
//! core is held, so any task may step it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, mpsc as blocking},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use rand::{SeedableRng as _, rngs::StdRng};
use riverrun_core::{Millis, MutationId};
use tokio::{
    runtime::Handle,
    sync::{broadcast, mpsc, oneshot, watch},
    time::{Duration, sleep},
};

use super::{disk::Order, http::Http, options::Token, socket, url::Urls};
use crate::{
    core::Core,
    event::{Effect, Event, News},
    words::{Refused, Status, Verdict},
};

/// News kept for a reader who is slower than they come; one who is slower still is told that some are missing.
const NEWS_KEPT: usize = 1024;

/// What waits for the fate of one mutation.
#[derive(Default)]
struct Promise {
    saved: Option<oneshot::Sender<()>>,
    verdict: Option<oneshot::Sender<Verdict>>,
}

/// The core and all it is connected to.
pub(super) struct Driver {
    pub(super) core: Core,
    rng: StdRng,
    began: (Instant, i64),
    disk: Option<blocking::Sender<Order>>,
    http: Http,
    urls: Urls,
    token: Option<Token>,
    pub(super) runtime: Handle,
    connection: Option<(u64, mpsc::UnboundedSender<String>)>,
    wake_at: watch::Sender<Option<Millis>>,
    promises: HashMap<MutationId, Promise>,
    undos: HashMap<MutationId, oneshot::Sender<bool>>,
    refused: HashMap<MutationId, Refused>,
    pub(super) version: watch::Sender<u64>,
    pub(super) status: watch::Sender<Status>,
    pub(super) news: broadcast::Sender<News>,
    me: Weak<Shared>,
}

/// A driver that many tasks use.
pub(super) struct Shared(Mutex<Driver>);

/// Two receivers of what happens to a mutation.
pub(super) type Promised = (oneshot::Receiver<()>, oneshot::Receiver<Verdict>);

impl Shared {
    pub(super) fn new(core: Core, urls: Urls, token: Option<Token>, runtime: Handle) -> Arc<Self> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let began = (Instant::now(), i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        let (wake_at, moments) = watch::channel(None);
        let shared = Arc::new_cyclic(|me: &Weak<Self>| {
            Self(Mutex::new(Driver {
                core,
                rng: StdRng::from_os_rng(),
                began,
                disk: None,
                http: Http::new(token.clone()),
                urls,
                token,
                runtime: runtime.clone(),
                connection: None,
                wake_at,
                promises: HashMap::new(),
                undos: HashMap::new(),
                refused: HashMap::new(),
                version: watch::Sender::new(0),
                status: watch::Sender::new(Status::default()),
                news: broadcast::Sender::new(NEWS_KEPT),
                me: me.clone(),
            }))
        });
        // Only now: while it is made, nobody can tell it from one that is gone.
        runtime.spawn(tick(Arc::downgrade(&shared), moments));
        shared
    }

    /// The driver, for a moment: nobody may wait while holding it.
    pub(super) fn hold(&self) -> MutexGuard<'_, Driver> {
        // A step that panicked left the core as it was then; its next step goes on from there.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Steps the core of a client that is still there.
pub(super) fn happened(shared: &Weak<Shared>) -> impl Fn(Event) + Send + 'static {
    let shared = shared.clone();
    move |event| {
        if let Some(shared) = shared.upgrade() {
            shared.hold().step(event);
        }
    }
}

impl Driver {
    /// Now, by a clock that began with the world's time and never goes back.
    pub(super) fn now(&self) -> Millis {
        let since = i64::try_from(self.began.0.elapsed().as_millis()).unwrap_or(i64::MAX);
        Millis(self.began.1.saturating_add(since))
    }

    pub(super) fn start(&mut self, disk: blocking::Sender<Order>) {
        self.disk = Some(disk);
        self.step(Event::Start);
    }

    /// Queues a mutation, or says why not.
    pub(super) fn mutate(
        &mut self,
        name: String,
        args: riverrun_core::Json,
    ) -> Result<(MutationId, Promised), Refused> {
        if self.is_closed() {
            return Err(Refused::new("unavailable", "the client was closed"));
        }
        let id = crate::mint(self.now(), &mut self.rng);
        let (saved, decided) = (oneshot::channel(), oneshot::channel());
        self.promises.insert(id.clone(), Promise { saved: Some(saved.0), verdict: Some(decided.0) });
        self.step(Event::Mutate { id: id.clone(), name, args });
        match self.refused.remove(&id) {
            Some(no) => Err(no),
            None => Ok((id, (saved.1, decided.1))),
        }
    }

    /// Takes a mutation back; the answer is there at once.
    pub(super) fn undo(&mut self, id: &MutationId) -> oneshot::Receiver<bool> {
        let (answer, answered) = oneshot::channel();
        if self.is_closed() {
            return answered;
        }
        self.undos.insert(id.clone(), answer);
        self.step(Event::Undo(id.clone()));
        answered
    }

    /// It was ended, or never begun.
    pub(super) fn is_closed(&self) -> bool {
        self.disk.is_none()
    }

    pub(super) fn step(&mut self, event: Event) {
        if self.is_closed() {
            return;
        }
        let now = self.now();
        for effect in self.core.step(event, now, &mut self.rng) {
            self.carry_out(effect);
        }
    }

    /// Ends all that goes on; what is queued stays queued. Gives the storage's thread, to wait for it.
    pub(super) fn stop(&mut self) -> Option<blocking::Sender<Order>> {
        self.connection = None;
        self.promises.clear();
        self.wake_at.send_replace(None);
        let disk = self.disk.take();
        // Whoever waits for something to become true learns that nothing will.
        self.version.send_modify(|version| *version += 1);
        disk
    }

    fn carry_out(&mut self, effect: Effect) {
        // Without a storage nothing may leave.
        let Some(disk) = &self.disk else { return };
        match effect {
            // A thread that is gone took its storage with it; nothing is confirmed then, and so nothing is sent.
            Effect::Store(number, writes) => drop(disk.send(Order::Write(number, writes))),
            Effect::Ask(question) => {
                let (http, address) = (self.http.clone(), self.urls.route(question.route.as_str()));
                let (happened, ask) = (happened(&self.me), question.ask);
                self.runtime.spawn(async move { happened(Event::Answered(ask, http.ask(address, question).await)) });
            }
            Effect::Connect(number) => {
                let (outgoing, frames) = mpsc::unbounded_channel();
                let (address, token) = (self.urls.socket().clone(), self.token.clone());
                self.connection = Some((number, outgoing));
                self.runtime.spawn(socket::run(number, address, token, frames, happened(&self.me)));
            }
            Effect::Send(number, text) => {
                if let Some((_, outgoing)) = self.connection.as_ref().filter(|(of, _)| *of == number) {
                    drop(outgoing.send(text));
                }
            }
            Effect::Close(number) => drop(self.connection.take_if(|(of, _)| *of == number)),
            Effect::WakeAt(moment) => drop(self.wake_at.send_replace(moment)),
            Effect::Tell(news) => self.tell(news),
        }
    }

    fn tell(&mut self, news: News) {
        match &news {
            News::Changed => self.version.send_modify(|version| *version += 1),
            News::Status(status) => drop(self.status.send_replace(status.clone())),
            News::Saved(id) => {
                if let Some(saved) = self.promises.get_mut(id).and_then(|promise| promise.saved.take()) {
                    let _ = saved.send(());
                }
            }
            News::Refused(id, no) => {
                self.promises.remove(id);
                self.refused.insert(id.clone(), no.clone());
            }
            News::Decided { id, verdict, .. } => {
                if let Some(told) = self.promises.remove(id).and_then(|promise| promise.verdict) {
                    drop(told.send(verdict.clone()));
                }
            }
            News::Undo(id, done) => {
                let over = done.then(|| self.promises.remove(id)).flatten();
                if let Some(told) = over.and_then(|promise| promise.verdict) {
                    drop(told.send(Verdict::Refused(Refused::new("undone", "it was taken back"))));
                }
                if let Some(answer) = self.undos.remove(id) {
                    let _ = answer.send(*done);
                }
            }
            // Nobody waits for what will not come.
            News::StorageFailed(_) => self.promises.values_mut().for_each(|promise| promise.saved = None),
            News::Client(_) | News::Change(_) | News::Snapshot(..) => {}
        }
        // Nobody may be listening.
        drop(self.news.send(news));
    }
}

/// Comes back at the moments the core names.
async fn tick(shared: Weak<Shared>, mut moments: watch::Receiver<Option<Millis>>) {
    loop {
        let moment = *moments.borrow_and_update();
        let wait = match (moment, shared.upgrade()) {
            (_, None) => return,
            (None, _) => None,
            (Some(moment), Some(shared)) => Some(moment.0.saturating_sub(shared.hold().now().0).max(0).unsigned_abs()),
        };
        let due = async {
            match wait {
                Some(wait) => sleep(Duration::from_millis(wait)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {
                let Some(shared) = shared.upgrade() else { return };
                shared.hold().step(Event::Tick);
                // The core has named another moment, unless this one was early by a little.
            }
            changed = moments.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
    }
}
