//! The engine's async front in the cases' short words: a runtime with an end, access rules that can be taken away, and a
//! reader that follows a subscription. It asserts only what every reader is promised.

use std::{
    collections::HashSet,
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use riverrun_core::{
    Code, Principal, Scope,
    wire::{PushRequest, PushResult, Subscribe},
};
use riverrun_engine::{AccessFailed, Action, Authorize, Builder, Engine, Event, Subscription};

use super::{
    app,
    replica::Replica,
    shared::Shared,
    world::{Line, principal, scope},
};

/// How long a case may take before it counts as stuck: far above what any needs on a slow machine.
const STUCK: Duration = Duration::from_mins(5);

/// Runs a case on a runtime of its own.
pub(super) fn run(case: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_time().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(STUCK, case).await.expect("the case is stuck") });
}

/// Everything is allowed but what was denied.
#[derive(Clone, Default)]
pub(super) struct Rules {
    denied: Arc<Mutex<HashSet<(Principal, Scope, Action)>>>,
    failing: Arc<AtomicBool>,
}

impl Rules {
    pub(super) fn deny(&self, who: &str, name: &str, action: Action) {
        self.denied().insert((principal(who), scope(name), action));
    }

    pub(super) fn allow(&self, who: &str, name: &str, action: Action) {
        self.denied().remove(&(principal(who), scope(name), action));
    }

    /// Whether access can be checked at all.
    pub(super) fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    fn denied(&self) -> std::sync::MutexGuard<'_, HashSet<(Principal, Scope, Action)>> {
        self.denied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Authorize for Rules {
    async fn authorize(&self, who: &Principal, scope: &Scope, action: Action) -> Result<bool, AccessFailed> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(AccessFailed("the directory is down".into()));
        }
        Ok(!self.denied().contains(&(who.clone(), scope.clone(), action)))
    }
}

/// An engine with the application over collections.
pub(super) async fn engine(store: Shared, rules: &Rules) -> Engine {
    engine_with(store, rules, |builder| builder).await
}

/// The same with settings of the case's own.
pub(super) async fn engine_with(store: Shared, rules: &Rules, set: impl FnOnce(Builder) -> Builder) -> Engine {
    let builder = Engine::builder(store).mutators(app::mutators()).access(rules.clone());
    set(builder).start().await.expect("an engine")
}

/// A push as it comes off the wire.
pub(super) fn request(lines: impl IntoIterator<Item = Line>) -> PushRequest {
    PushRequest { epoch: None, mutations: lines.into_iter().map(|line| line.0.mutation).collect() }
}

/// Pushes, and expects an answer.
pub(super) async fn push(engine: &Engine, who: &str, lines: impl IntoIterator<Item = Line>) -> Vec<PushResult> {
    engine.push(&principal(who), request(lines)).await.expect("an answer").results
}

/// The codes of results, `None` for an acceptance.
pub(super) fn codes(results: &[PushResult]) -> Vec<Option<Code>> {
    results.iter().map(|result| result.code).collect()
}

/// A subscription from where a replica stands.
pub(super) async fn subscribe(engine: &Engine, who: &str, name: &str, replica: &Replica) -> Subscription {
    let ask = Subscribe { cursor: Some(replica.cursor), digest: Some(replica.digest), ..Subscribe::default() };
    engine.subscribe(&principal(who), &scope(name), &ask).await.expect("a subscription")
}

/// Takes one event into a replica; an event that ends the subscription is given back.
pub(super) async fn take(subscription: &mut Subscription, replica: &mut Replica) -> Option<Event> {
    match subscription.next().await {
        Some(Event::Page(page)) => replica.paged(&page),
        Some(Event::Commit(commit)) => replica.heard(&commit),
        Some(Event::Ack { .. }) => return None,
        end => return Some(end.expect("an end is said, once")),
    }
    assert_eq!(subscription.cursor(), replica.cursor);
    None
}

/// Follows until a cursor is reached; gives back the event that ended it before.
pub(super) async fn follow(subscription: &mut Subscription, replica: &mut Replica, until: u64) -> Option<Event> {
    while replica.cursor.0 < until {
        if let Some(end) = take(subscription, replica).await {
            return Some(end);
        }
    }
    None
}

/// How a subscription that is expected to end, ends; it says nothing after.
pub(super) async fn end(subscription: &mut Subscription, replica: &mut Replica) -> Event {
    loop {
        if let Some(end) = take(subscription, replica).await {
            assert!(subscription.next().await.is_none(), "nothing comes after the end");
            return end;
        }
    }
}
