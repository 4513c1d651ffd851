//! The handle that an application holds: mutate and see it at once, read what base + pending say, and hear what became of
//! it. It only translates; every rule is the core's.

use std::sync::{Arc, Weak};

use riverrun_core::{ClientId, Cursor, Entity, Json, MutationId};
use serde::Serialize;
use tokio::{
    runtime::Handle,
    sync::{broadcast, oneshot, watch},
};

use super::{
    disk::{self, Order},
    drive::{Driver, Promised, Shared, happened},
    options::{OpenError, Options},
    url::Urls,
};
use crate::{
    collection::Collection,
    core::Core,
    event::{Event, News},
    signal::Signal,
    store::{Storage, StorageError},
    words::{Refused, Status, Verdict},
};

/// A client of one scope. Cheap to clone; the work goes on until the last clone is gone or [`Client::close`] is called.
///
/// ```no_run
/// use riverrun_client::{Client, Memory, Options, plain_mutators};
/// use riverrun_core::{Mutators, Scope, entity};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, PartialEq, Serialize, Deserialize)]
/// struct Todo { id: String, title: String, done: bool }
/// entity!(Todo, "todo", id);
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let mutators = plain_mutators::<Todo>(Mutators::new());
/// let options = Options::new("http://127.0.0.1:8080", Scope::new("list:42")?).mutators(mutators);
/// // With the feature `sqlite`, `SqliteFile::open("todo.db", &scope)?` keeps it all over a restart.
/// let client = Client::open(options, Memory::new()).await?;
///
/// let todos = client.collection::<Todo>();
/// let sent = todos.create(&Todo { id: "t1".into(), title: "Milk".into(), done: false })?;
/// assert_eq!((todos.count(), todos.get("t1")?.is_some()), (1, true), "it shows at once");
/// todos.entity("t1").edit(|todo| todo.done = true)?;
/// println!("{} are open, the first was {:?}", todos.find(|todo| !todo.done)?.len(), sent.verdict().await);
///
/// // Kept true for as long as they are held, whoever changes the list.
/// let open = todos.signal().computed(|all| all.as_ref().map_or(0, |all| all.iter().filter(|t| !t.done).count()));
/// let _shown = open.effect(|open| println!("{open} to do"));
///
/// todos.delete("t1")?;
/// client.settled().await;
/// client.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

/// A mutation that was applied here and is on its way.
#[derive(Debug)]
pub struct Sent {
    /// Its id.
    pub id: MutationId,
    saved: oneshot::Receiver<()>,
    verdict: oneshot::Receiver<Verdict>,
}

impl Sent {
    /// Waits until the mutation survives a crash of this machine; `false` where the storage failed or the client was
    /// closed before.
    pub async fn saved(&mut self) -> bool {
        (&mut self.saved).await.is_ok()
    }

    /// Waits for the verdict, however long the server is away; `None` where the client was closed before. The mutation
    /// goes on without anybody waiting.
    pub async fn verdict(self) -> Option<Verdict> {
        self.verdict.await.ok()
    }
}

/// What can be read from a client at one moment.
pub(crate) struct Look<'a>(&'a Core);

impl Look<'_> {
    pub(crate) fn core(&self) -> &Core {
        self.0
    }
}

impl Client {
    /// Opens a client on a storage, inside a tokio runtime with I/O and time. It comes back with what an earlier life
    /// left, and connects by itself.
    pub async fn open(options: Options, storage: impl Storage) -> Result<Self, OpenError> {
        let Options { address, prefix, socket, config, mutators, token } = options;
        let urls = Urls::new(&address, &prefix, &socket)?;
        mutators.check()?;
        let read = move || {
            let mut storage = storage;
            storage.load().map(|saved| (storage, saved))
        };
        let gone = |error: tokio::task::JoinError| StorageError(error.to_string());
        let (storage, saved) = tokio::task::spawn_blocking(read).await.map_err(gone)??;
        let shared = Shared::new(Core::new(config, mutators, saved), urls, token, Handle::current());
        let disk = disk::start(Box::new(storage), happened(&Arc::downgrade(&shared)));
        shared.hold().start(disk.map_err(|error| StorageError(error.to_string()))?);
        Ok(Self { shared })
    }

    /// Applies a command here and queues it. Refused where its mutator refuses it on the local view, or it can't travel;
    /// then nothing happened.
    pub fn mutate(&self, name: &str, args: &impl Serialize) -> Result<Sent, Refused> {
        let args = Json::of(args).map_err(|error| Refused::new("invalid_mutation", &error.to_string()))?;
        let (id, (saved, verdict)): (_, Promised) = self.shared.hold().mutate(name.into(), args)?;
        Ok(Sent { id, saved, verdict })
    }

    /// Takes back a mutation that was not sent yet, and says whether that was so.
    pub async fn undo(&self, id: &MutationId) -> bool {
        let answered = self.shared.hold().undo(id);
        answered.await.unwrap_or(false)
    }

    /// The entities of a type.
    pub fn collection<T: Entity>(&self) -> Collection<T> {
        Collection::new(self.clone())
    }

    /// An entity's JSON as the user should see it.
    pub fn get_json(&self, collection: &str, id: &str) -> Option<Json> {
        self.shared.hold().core.get(collection, id).cloned()
    }

    /// How many mutations are not over: 0 means that all is on the server, and seen.
    pub fn pending(&self) -> usize {
        self.shared.hold().core.pending().count()
    }

    /// How the link stands.
    pub fn status(&self) -> Status {
        self.shared.hold().core.status().clone()
    }

    /// The same, to be followed.
    pub fn statuses(&self) -> watch::Receiver<Status> {
        self.shared.hold().status.subscribe()
    }

    /// Everything the client has to tell, from now on. A reader who is more than 1,024 behind misses the oldest.
    pub fn news(&self) -> broadcast::Receiver<News> {
        self.shared.hold().news.subscribe()
    }

    /// Where the base stands.
    pub fn cursor(&self) -> Cursor {
        self.shared.hold().core.cursor()
    }

    /// Under which id mutations are numbered.
    pub fn client_id(&self) -> Option<ClientId> {
        self.shared.hold().core.client().cloned()
    }

    /// The network came back, or the user can't wait: try now.
    pub fn wake(&self) {
        self.shared.hold().step(Event::Wake);
    }

    /// Waits until there is a base to read from, or the client was closed; at once where an earlier life kept one.
    pub async fn ready(&self) {
        self.until(Core::is_valid).await;
    }

    /// Waits until every mutation is over, however long the server is away, or the client was closed.
    pub async fn settled(&self) {
        self.until(|core| core.pending().next().is_none()).await;
    }

    /// A value read from the client, kept true: `read` runs again after every change, and who follows the signal hears of
    /// it when the value is another one. `read` must not wait and must not call this client.
    pub fn signal<T, F>(&self, read: F) -> Signal<T>
    where
        T: PartialEq + Send + Sync + 'static,
        F: Fn(&Core) -> T + Send + 'static,
    {
        Signal::of(self, move |look| read(look.core()))
    }

    /// Ends it, for all clones. What is queued stays queued, and is on disk when this returns.
    pub async fn close(self) {
        let disk = self.shared.hold().stop();
        if let Some(disk) = disk {
            let (flushed, done) = oneshot::channel();
            drop(disk.send(Order::Flush(flushed)));
            drop(done.await);
        }
    }

    pub(crate) fn look<T>(&self, read: impl FnOnce(&Look<'_>) -> T) -> T {
        read(&Look(&self.shared.hold().core))
    }

    pub(crate) fn runtime(&self) -> Handle {
        self.shared.hold().runtime.clone()
    }

    pub(crate) fn versions(&self) -> watch::Receiver<u64> {
        self.shared.hold().version.subscribe()
    }

    pub(crate) fn weak(&self) -> WeakClient {
        WeakClient(Arc::downgrade(&self.shared))
    }

    async fn until(&self, is: impl Fn(&Core) -> bool) {
        let mut versions = self.versions();
        loop {
            let done = {
                let driver: &Driver = &self.shared.hold();
                is(&driver.core) || driver.is_closed()
            };
            if done || versions.changed().await.is_err() {
                return;
            }
        }
    }
}

/// A client that may be gone.
pub(crate) struct WeakClient(Weak<Shared>);

impl WeakClient {
    pub(crate) fn upgrade(&self) -> Option<Client> {
        self.0.upgrade().map(|shared| Client { shared })
    }
}
