//! The engine as an application holds it: cheap to clone, async at the front, with one writer thread behind. Reads run on
//! the runtime's blocking threads; nothing here decides anything.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use riverrun_core::{ClientId, Code, Epoch, Millis, Principal, Scope};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    Action, Builder, Store, access::Access, error::Refused, feed::Feed, kernel::Kernel, pace::Pace, store, writer::Ask,
};

/// Clients whose reading was noted lately, so that not every pull troubles the writer. Cleared when full.
const NOTED_CLIENTS: usize = 10_000;

/// How long, in milliseconds, a client that was noted is not noted again: its watermark lives for months.
const NOTE_EVERY: i64 = 60 * 60 * 1000;

/// A sync engine over a store. Clones share it.
///
/// ```
/// use riverrun_core::{Mutators, Principal, Reject, Tx, entity};
/// use riverrun_engine::{Engine, Memory, Public};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Todo { id: String, title: String }
/// entity!(Todo, "todo", id);
///
/// fn create(tx: &mut Tx<'_>, todo: Todo) -> Result<(), Reject> {
///     tx.insert(&todo)
/// }
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let mutators = Mutators::new().on("todo.create", create);
/// let engine = Engine::builder(Memory::new()).mutators(mutators).access(Public).start().await?;
///
/// let milk = Todo { id: "t1".into(), title: "Milk".into() };
/// engine.mutate(&Principal::server(), "list:42", "todo.create", &milk).await?;
/// assert_eq!(engine.list::<Todo>("list:42").await?[0].title, "Milk");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
    pub(crate) asks: mpsc::Sender<Ask>,
}

pub(crate) struct Inner {
    pub(crate) kernel: Arc<Kernel>,
    pub(crate) access: Access,
    pub(crate) access_changes: watch::Sender<u64>,
    pub(crate) feed: Arc<Feed>,
    pub(crate) pace: Pace,
    /// When they were noted.
    pub(crate) noted: Mutex<HashMap<(Scope, ClientId), Millis>>,
}

impl Engine {
    /// An engine over a store; see [`Builder`] for what it still needs.
    pub fn builder(store: impl Store) -> Builder {
        Builder::new(Arc::new(store))
    }

    /// The log's identity.
    pub async fn epoch(&self) -> Result<Epoch, Refused> {
        self.read(|kernel| Ok(store::read(kernel.store(), |tx| tx.epoch())?)).await
    }

    /// Who may read or write what has changed: live subscriptions ask again before they pass anything on.
    pub fn access_changed(&self) {
        self.inner.access_changes.send_modify(|version| *version += 1);
    }

    /// The blocking heart, for tools and tests. Never call it on a thread that drives the runtime.
    pub fn kernel(&self) -> &Arc<Kernel> {
        &self.inner.kernel
    }

    /// Settles what was pushed so far and ends the writer. Later pushes are `unavailable`; reads go on.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.asks.send(Ask::Close(done)).await.is_ok() {
            let _ = closed.await;
        }
    }

    /// Runs a read on a blocking thread.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Kernel) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let kernel = self.inner.kernel.clone();
        match self.inner.pace.block(move || work(&kernel)).await {
            Ok(result) => result,
            Err(error) => {
                tracing::error!(%error, "a read did not finish");
                Err(Refused::new(Code::InternalError, "something is wrong on the server; it is in its log"))
            }
        }
    }

    /// Lets through who may; fails closed.
    pub(crate) async fn allow(&self, who: &Principal, scope: &Scope, action: Action) -> Result<(), Refused> {
        match self.inner.access.allows(who, scope, action).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refused::forbidden()),
            Err(error) => {
                tracing::error!(%error, "access could not be checked");
                Err(Refused::unavailable())
            }
        }
    }

    /// Notes that a client reads, so that its watermark does not age away.
    pub(crate) fn touch(&self, scope: &Scope, client: Option<&ClientId>) {
        let Some(client) = client else { return };
        let mut noted = self.inner.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() >= NOTED_CLIENTS {
            noted.clear();
        }
        let now = self.inner.kernel.clock.now();
        let key = (scope.clone(), client.clone());
        if noted.get(&key).is_none_or(|then| *then < now.minus(NOTE_EVERY)) {
            noted.insert(key, now);
            let _ = self.asks.try_send(Ask::Touch(scope.clone(), client.clone()));
        }
    }
}
