//! Puts an engine together and starts its writer. What is missing or wrong is said here, before the first request.

use std::{
    collections::HashMap,
    ops::RangeInclusive,
    sync::{Arc, Mutex},
};

use riverrun_core::{Machine, Mutators, MutatorsError};
use tokio::sync::{mpsc, watch};

use crate::{
    Authorize, Clock, Engine, Inline, Retention, Store, SystemClock,
    access::Access,
    app::App,
    engine::Inner,
    feed::Feed,
    kernel::Kernel,
    pace::Pace,
    planted::{self, Sequences},
    store::{self, StoreError},
    writer::{self, Writer},
};

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Neither mutators nor a machine.
    #[error("an engine needs rules: give it .mutators(…) or .machine(…)")]
    NoRules,
    /// Nobody said who may do what.
    #[error("an engine needs to know who may do what: give it .access(Public), or rules of your own")]
    NoAccess,
    /// The table of mutators is wrong.
    #[error(transparent)]
    Mutators(#[from] MutatorsError),
    /// The store does not answer.
    #[error("the store does not answer: {0}")]
    Store(#[from] StoreError),
    /// The system gave no thread.
    #[error("the writer's thread could not be started: {0}")]
    Thread(std::io::Error),
}

/// An engine to be.
#[must_use = "an engine does nothing until it is started"]
pub struct Builder {
    store: Arc<dyn Store>,
    app: Option<App>,
    access: Option<Access>,
    retention: Retention,
    clock: Arc<dyn Clock>,
    schemas: RangeInclusive<u64>,
}

impl Builder {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            app: None,
            access: None,
            retention: Retention::default(),
            clock: Arc::new(SystemClock),
            schemas: 0..=u64::MAX,
        }
    }

    /// The application's commands over collections.
    pub fn mutators(mut self, mutators: Mutators) -> Self {
        self.app = Some(App::Mutators(mutators));
        self
    }

    /// An application with a state of its own, instead of mutators.
    pub fn machine(mut self, machine: impl Machine) -> Self {
        self.app = Some(App::Machine(Box::new(machine)));
        self
    }

    /// Who may do what. There is no default.
    pub fn access(mut self, rules: impl Authorize) -> Self {
        self.access = Some(Access::new(rules));
        self
    }

    /// How long things are kept, where the default does not fit.
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// The schemas of mutations that are taken: older ones are refused for good, newer ones asked to come again. Mutations
    /// that name none are taken.
    pub fn schemas(mut self, schemas: RangeInclusive<u64>) -> Self {
        self.schemas = schemas;
        self
    }

    /// Another clock than the machine's, for simulations.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The blocking heart alone, without a writer or access rules: for simulations and tools.
    pub fn kernel(self) -> Result<Kernel, StartError> {
        planted::from_environment();
        let app = self.app.ok_or(StartError::NoRules)?;
        if let App::Mutators(mutators) = &app {
            mutators.check()?;
        }
        Ok(Kernel {
            store: self.store,
            app,
            clock: self.clock,
            retention: self.retention,
            schemas: self.schemas,
            published: Mutex::new(HashMap::new()),
            sequences: Sequences::default(),
        })
    }

    /// Starts the engine: asks the store for its epoch, starts the writer. Needs a tokio runtime.
    pub async fn start(self) -> Result<Engine, StartError> {
        let inner = self.inner(Pace::runtime)?;
        let asked = inner.kernel.clone();
        let epoch = tokio::task::spawn_blocking(move || store::read(asked.store(), |tx| tx.epoch())).await;
        epoch.map_err(|error| StoreError::Other(error.to_string()))??;

        let (asks, queue) = mpsc::channel(writer::QUEUE);
        writer::start(inner.clone(), queue).map_err(StartError::Thread)?;
        tokio::spawn(writer::rounds(asks.downgrade()));
        Ok(Engine { inner, asks })
    }

    /// The engine without a thread or a runtime, for simulations: reads run where they are awaited (others may run first),
    /// nothing is written but in [`Inline::turn`], and time is what [`Inline::tick`] says. A panic
    /// in a read is not caught.
    pub fn inline(self) -> Result<(Engine, Inline), StartError> {
        let inner = self.inner(Pace::inline)?;
        store::read(inner.kernel.store(), |tx| tx.epoch())?;
        let (asks, queue) = mpsc::channel(writer::QUEUE);
        let hands = Inline::new(inner.clone(), Writer::new(inner.clone(), queue));
        Ok((Engine { inner, asks }, hands))
    }

    fn inner(mut self, pace: impl FnOnce() -> Pace) -> Result<Arc<Inner>, StartError> {
        if self.app.is_none() {
            return Err(StartError::NoRules);
        }
        let access = self.access.take().ok_or(StartError::NoAccess)?;
        Ok(Arc::new(Inner {
            kernel: Arc::new(self.kernel()?),
            access,
            access_changes: watch::Sender::new(0),
            feed: Arc::new(Feed::default()),
            pace: pace(),
            noted: Mutex::new(HashMap::new()),
        }))
    }
}
