//! The whole client against a running server, over real sockets: live and polling, through an outage, over a restart.

#![cfg(feature = "tokio")]
#![allow(clippy::unwrap_used)]

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::request::Parts};
use riverrun_client::{
    Client, Memory, OpenError, Options, Saved, Status, Storage, StorageError, Verdict, Write, plain_mutators,
};
use riverrun_core::{Mutators, Principal, Reject, Scope, Tx, entity};
use riverrun_engine::{Engine, Public};
use riverrun_http::{AuthFailed, Authenticate, Identity, Routes, Serve};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Todo {
    id: String,
    title: String,
    done: bool,
}
entity!(Todo, "todo", id);

fn todo(id: &str) -> Todo {
    Todo { id: id.into(), title: format!("todo {id}"), done: false }
}

/// What the server knows besides: it refuses what the client takes for good.
fn server_mutators() -> Mutators {
    plain_mutators::<Todo>(Mutators::new()).on("todo.refuse", |_: &mut Tx<'_>, _: Todo| -> Result<(), Reject> {
        Err(Reject::new("never", "the server says no"))
    })
}

fn client_mutators() -> Mutators {
    plain_mutators::<Todo>(Mutators::new()).on("todo.refuse", |tx: &mut Tx<'_>, todo: Todo| tx.insert(&todo))
}

/// Whoever has the token.
struct OnlyAnn;

impl Authenticate for OnlyAnn {
    async fn authenticate(&self, parts: &Parts) -> Result<Identity, AuthFailed> {
        let sent = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
        match sent {
            Some("Bearer ann") => Ok(Principal::new("ann").unwrap().into()),
            _ => Err(AuthFailed::Missing),
        }
    }

    async fn token(&self, _: &str) -> Result<Identity, AuthFailed> {
        Err(AuthFailed::Missing)
    }
}

struct Site {
    addr: SocketAddr,
    engine: Engine,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Site {
    async fn open(store: &riverrun_engine::Memory, addr: &str, auth: bool) -> Self {
        let engine = Engine::builder(store.clone()).mutators(server_mutators()).access(Public).start().await.unwrap();
        let routes = Routes::new(&engine);
        let app: Router = if auth { routes.authenticate(OnlyAnn).router() } else { routes.router() };
        // The address of before may be held for a moment.
        let listener = loop {
            match TcpListener::bind(addr).await {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        let addr = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serve = Serve::new(listener, app).drain_within(Duration::from_millis(100));
        let serve = serve.shutdown(async { drop(stopped.await) });
        Self { addr, engine, stop, ended: tokio::spawn(serve.run()) }
    }

    async fn close(self) {
        drop(self.stop);
        soon(self.ended).await.unwrap();
        self.engine.close().await;
    }

    fn options(&self) -> Options {
        Options::new(format!("http://{}", self.addr), Scope::new("list:1").unwrap()).mutators(client_mutators())
    }
}

/// A storage that several lives share, and that can be told to fail.
#[derive(Clone, Default)]
struct Shared {
    kept: Arc<Mutex<Memory>>,
    fails: Arc<AtomicBool>,
    after_failure: Arc<AtomicU64>,
}

impl Storage for Shared {
    fn load(&mut self) -> Result<Saved, StorageError> {
        self.kept.lock().unwrap().load()
    }

    fn write(&mut self, writes: Vec<Write>) -> Result<(), StorageError> {
        if self.fails.load(Ordering::SeqCst) {
            self.after_failure.fetch_add(1, Ordering::SeqCst);
            return Err(StorageError("the disk is full".into()));
        }
        self.kept.lock().unwrap().write(writes)
    }
}

/// Far longer than anything here takes on a slow machine.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(2), what).await.expect("it never happened")
}

async fn until(client: &Client, status: Status) {
    let mut statuses = client.statuses();
    soon(statuses.wait_for(|now| *now == status)).await.unwrap();
}

async fn accepted(sent: riverrun_client::Sent) {
    assert!(soon(sent.verdict()).await.unwrap().is_accepted());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_see_the_same_list_live_and_a_rejection_comes_back_with_its_reason() {
    let site = Site::open(&riverrun_engine::Memory::new(), "127.0.0.1:0", false).await;
    let ann = Client::open(site.options(), Memory::new()).await.unwrap();
    let bob = Client::open(site.options(), Memory::new()).await.unwrap();
    until(&ann, Status::Live).await;
    until(&bob, Status::Live).await;
    let (todos, theirs) = (ann.collection::<Todo>(), bob.collection::<Todo>());
    let mut seen = theirs.signal();

    let mut sent = todos.create(&todo("t1")).unwrap();
    assert_eq!(todos.get("t1").unwrap(), Some(todo("t1")), "at once");
    assert!(soon(sent.saved()).await);
    accepted(sent).await;
    soon(async {
        while (*seen.get()).as_ref().unwrap().is_empty() {
            assert!(seen.changed().await);
        }
    })
    .await;
    accepted(theirs.entity("t1").edit(|todo| todo.done = true).unwrap()).await;
    accepted(todos.create(&todo("t2")).unwrap()).await;
    soon(ann.settled()).await;
    soon(bob.settled()).await;
    assert_eq!(todos.create(&todo("t2")).unwrap_err().code, "conflict", "its own mutator says so");
    assert_eq!(theirs.delete("t3").map(drop), Ok(()));

    let refused = ann.mutate("todo.refuse", &todo("t9")).unwrap();
    assert_eq!(todos.count(), 3);
    let Some(Verdict::Refused(no)) = soon(refused.verdict()).await else { panic!("it was refused") };
    assert_eq!((no.code.as_str(), no.reason.as_deref()), ("rejected", Some("never")));
    assert_eq!(todos.count(), 2);
    accepted(todos.entity("t2").delete().unwrap()).await;
    soon(ann.settled()).await;
    assert_eq!(todos.all().unwrap(), [Todo { done: true, ..todo("t1") }]);
    assert_eq!(todos.find(|todo| !todo.done).unwrap(), []);
    ann.close().await;
    bob.close().await;
    site.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_a_socket_hears_of_a_change_while_its_question_waits_at_the_server() {
    let site = Site::open(&riverrun_engine::Memory::new(), "127.0.0.1:0", false).await;
    let polling = Client::open(site.options().polling(), Memory::new()).await.unwrap();
    let live = Client::open(site.options(), Memory::new()).await.unwrap();
    until(&polling, Status::Polling).await;
    accepted(live.collection::<Todo>().create(&todo("t1")).unwrap()).await;
    let mut seen = polling.collection::<Todo>().signal().computed(|all| all.as_ref().map_or(0, Vec::len));
    soon(async {
        while *seen.get() == 0 {
            assert!(seen.changed().await);
        }
    })
    .await;
    accepted(polling.collection::<Todo>().create(&todo("t2")).unwrap()).await;
    soon(polling.settled()).await;
    assert_eq!(*polling.collection::<Todo>().entity("t2").signal().get(), Ok(Some(todo("t2"))));
    site.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_through_an_outage_and_over_a_restart_and_is_there_once_in_the_end() {
    let store = riverrun_engine::Memory::new();
    let site = Site::open(&store, "127.0.0.1:0", false).await;
    let (options, addr) = (site.options(), site.addr.to_string());
    let disk = Shared::default();
    let client = Client::open(options.clone(), disk.clone()).await.unwrap();
    until(&client, Status::Live).await;
    accepted(client.collection::<Todo>().create(&todo("before")).unwrap()).await;
    site.close().await;
    until(&client, Status::Offline).await;

    for n in 0..150 {
        client.collection::<Todo>().create(&todo(&format!("t{n:03}"))).unwrap();
    }
    let mut last = client.collection::<Todo>().create(&todo("last")).unwrap();
    assert!(soon(last.saved()).await);
    client.close().await;
    assert!(soon(last.verdict()).await.is_none(), "nobody is left to hear it");

    let again = Client::open(options, disk).await.unwrap();
    assert_eq!(again.collection::<Todo>().count(), 152, "base and queue are there before the server is");
    assert_eq!(again.pending(), 151);
    let site = Site::open(&store, &addr, false).await;
    soon(again.settled()).await;
    until(&again, Status::Live).await;
    let fresh = Client::open(site.options(), Memory::new()).await.unwrap();
    soon(fresh.ready()).await;
    assert_eq!(fresh.collection::<Todo>().all(), again.collection::<Todo>().all());
    assert_eq!(fresh.collection::<Todo>().count(), 152);
    site.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asking_is_said_with_every_request_and_missing_it_is_a_status_and_no_loss() {
    let site = Site::open(&riverrun_engine::Memory::new(), "127.0.0.1:0", true).await;
    let token = Arc::new(Mutex::new("nobody"));
    let asked = Arc::clone(&token);
    let options = site.options().token(move || asked.lock().unwrap().to_string());
    let client = Client::open(options, Memory::new()).await.unwrap();
    let sent = client.collection::<Todo>().create(&todo("t1")).unwrap();
    let mut statuses = client.statuses();
    let denied = |now: &Status| matches!(now, Status::Unauthorized { code, .. } if code == "unauthenticated");
    soon(statuses.wait_for(denied)).await.unwrap();
    assert_eq!(client.pending(), 1);
    *token.lock().unwrap() = "ann";
    client.wake();
    accepted(sent).await;
    until(&client, Status::Live).await;
    site.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_fails_writes_nothing_more_and_never_counts_as_saved() {
    let site = Site::open(&riverrun_engine::Memory::new(), "127.0.0.1:0", false).await;
    let disk = Shared::default();
    let client = Client::open(site.options(), disk.clone()).await.unwrap();
    until(&client, Status::Live).await;
    let mut news = client.news();
    disk.fails.store(true, Ordering::SeqCst);
    let mut sent = client.collection::<Todo>().create(&todo("t1")).unwrap();
    assert!(!soon(sent.saved()).await);
    accepted(sent).await;
    accepted(client.collection::<Todo>().create(&todo("t2")).unwrap()).await;
    assert_eq!(disk.after_failure.load(Ordering::SeqCst), 1);
    soon(async {
        loop {
            if let riverrun_client::News::StorageFailed(error) = news.recv().await.unwrap() {
                assert_eq!(error, "the disk is full");
                return;
            }
        }
    })
    .await;
    site.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_follows_a_computed_value_until_it_is_dropped_and_not_when_the_value_is_the_same() {
    // No server at all: what is local needs none.
    let scope = Scope::new("list:1").unwrap();
    let options = Options::new("http://127.0.0.1:9", scope).mutators(client_mutators());
    let client = Client::open(options, Memory::new()).await.unwrap();
    let todos = client.collection::<Todo>();
    let open =
        todos.signal().computed(|all| all.as_ref().map_or(0, |all| all.iter().filter(|todo| !todo.done).count()));
    let runs = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&runs);
    let effect = open.effect(move |count| noted.lock().unwrap().push(*count));
    let mut follow = open.clone();
    let mut reach = async |count: usize| {
        soon(async {
            while *follow.get() != count {
                assert!(follow.changed().await);
            }
        })
        .await;
    };
    todos.create(&todo("t1")).unwrap();
    reach(1).await;
    todos.entity("t1").edit(|todo| todo.title = "another".into()).unwrap();
    todos.create(&todo("t2")).unwrap();
    reach(2).await;
    soon(async {
        while runs.lock().unwrap().last() != Some(&2) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let told = runs.lock().unwrap().clone();
    assert!(told.starts_with(&[0]) && told.windows(2).all(|pair| pair[0] != pair[1]), "{told:?}");
    drop(effect);
    tokio::task::yield_now().await;
    todos.create(&todo("t3")).unwrap();
    reach(3).await;
    assert_eq!(*runs.lock().unwrap(), told);
    client.close().await;
}

#[tokio::test]
async fn a_closed_client_says_so_and_lets_nobody_wait() {
    let options = Options::new("http://127.0.0.1:9", Scope::new("s").unwrap()).mutators(client_mutators());
    let client = Client::open(options, Memory::new()).await.unwrap();
    let (clone, waits) = (client.clone(), client.clone());
    let sent = clone.collection::<Todo>().create(&todo("t1")).unwrap();
    let id = sent.id.clone();
    let waiting = tokio::spawn(async move { waits.settled().await });
    client.close().await;
    soon(waiting).await.unwrap();
    assert!(soon(sent.verdict()).await.is_none());
    assert!(!soon(clone.undo(&id)).await);
    assert_eq!(clone.collection::<Todo>().create(&todo("t2")).unwrap_err().code, "unavailable");
    assert_eq!(clone.collection::<Todo>().count(), 1, "what was read can still be read");
}

#[tokio::test]
async fn what_can_t_be_opened_says_why() {
    let scope = || Scope::new("s").unwrap();
    let opened = Client::open(Options::new("ftp://x", scope()), Memory::new()).await;
    assert!(matches!(opened.err(), Some(OpenError::Url(_))));
    let twice = Mutators::new().on("a", |_: &mut Tx<'_>, (): ()| Ok(())).on("a", |_: &mut Tx<'_>, (): ()| Ok(()));
    let opened = Client::open(Options::new("http://x", scope()).mutators(twice), Memory::new()).await;
    assert!(matches!(opened.err(), Some(OpenError::Mutators(_))));
}

#[test]
fn a_signal_is_made_and_followed_outside_of_the_runtime_and_an_effect_may_look_at_its_own_signal() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let store = riverrun_engine::Memory::new();
    let site = runtime.block_on(Site::open(&store, "127.0.0.1:0", false));
    let client = runtime.block_on(Client::open(site.options(), Memory::new())).unwrap();
    // From here on this thread is nobody's.
    let todos = client.collection::<Todo>();
    let count = client.signal(|core| core.count("todo")).computed(|count| count * 10);
    let (told, heard) = std::sync::mpsc::channel();
    let same = count.clone();
    let effect = count.effect(move |count| {
        let _ = told.send((*count, *same.get() >= *count));
    });
    assert_eq!(heard.recv_timeout(Duration::from_secs(20)), Ok((0, true)));
    drop(todos.create(&todo("t1")).unwrap());
    assert_eq!(heard.recv_timeout(Duration::from_secs(20)), Ok((10, true)));
    drop(effect);
    runtime.block_on(client.close());
    runtime.block_on(site.close());
}
