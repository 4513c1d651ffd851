//! Stores as the cases hold them: one that several engines can share, one that fails where a case wants it to, one that is
//! exchanged under a running engine. They pass everything on to the store under test and keep nothing themselves.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use riverrun_engine::store::{ReadTx, Store, StoreError, StoreResult, WriteTx};

use super::faulty::{Counting, Fault};

/// A store under test, cheap to clone: a second engine over it is the first one started again.
#[derive(Clone)]
pub struct Shared(Arc<dyn Store>);

impl Shared {
    /// Shares a store.
    pub fn new(store: impl Store) -> Self {
        Self(Arc::new(store))
    }
}

impl Store for Shared {
    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> StoreResult<()>) -> StoreResult<()> {
        self.0.write(work)
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> StoreResult<()>) -> StoreResult<()> {
        self.0.read(work)
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A store that fails once, where it is told to.
#[derive(Clone)]
pub(super) struct Faulty {
    store: Shared,
    fault: Arc<Mutex<Option<Fault>>>,
    calls: Arc<Mutex<usize>>,
}

impl Faulty {
    pub(super) fn new(store: Shared) -> Self {
        Self { store, fault: Arc::default(), calls: Arc::default() }
    }

    /// The next write that records a verdict fails so; those of the engine's upkeep go through.
    pub(super) fn fail(&self, fault: Fault) {
        *held(&self.fault) = Some(fault);
    }

    /// Calls the last write made inside its transaction.
    pub(super) fn calls(&self) -> usize {
        *held(&self.calls)
    }
}

impl Store for Faulty {
    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> StoreResult<()>) -> StoreResult<()> {
        let fault = held(&self.fault).take();
        let failed = || StoreError::Io("as the case wants it".into());
        let (mut calls, mut recorded) = (0, false);
        let done = self.store.write(&mut |tx| {
            let at = if let Some(Fault::Call(at)) = fault { Some(at) } else { None };
            let mut counting = Counting { tx, calls: 0, recorded: false, at };
            let worked = work(&mut counting);
            (calls, recorded) = (counting.calls, counting.recorded);
            worked?;
            if fault == Some(Fault::Commit) && recorded { Err(failed()) } else { Ok(()) }
        });
        *held(&self.calls) = calls;
        done?;
        match fault {
            Some(Fault::Answer) if recorded => Err(failed()),
            Some(waiting) if !recorded => {
                held(&self.fault).get_or_insert(waiting);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> StoreResult<()>) -> StoreResult<()> {
        self.store.read(work)
    }

    fn describe(&self) -> String {
        self.store.describe()
    }
}

/// A store whose file is exchanged while an engine runs over it.
#[derive(Clone)]
pub(super) struct Exchanged(Arc<Mutex<Shared>>);

impl Exchanged {
    pub(super) fn new(store: Shared) -> Self {
        Self(Arc::new(Mutex::new(store)))
    }

    /// From now on this is the log.
    pub(super) fn become_store(&self, store: Shared) {
        *held(&self.0) = store;
    }

    fn now(&self) -> Shared {
        held(&self.0).clone()
    }
}

impl Store for Exchanged {
    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> StoreResult<()>) -> StoreResult<()> {
        self.now().write(work)
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> StoreResult<()>) -> StoreResult<()> {
        self.now().read(work)
    }

    fn describe(&self) -> String {
        self.now().describe()
    }
}
