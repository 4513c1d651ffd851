//! The faulty store: it passes everything on to a real one, fails where it is told to, and keeps what each committed
//! transaction ran and recorded, for the checks. It never changes what is stored by itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use riverrun_core::{Principal, Scope};
use riverrun_engine::store::{Entry, Origin, ReadTx, Record, Store, StoreError, StoreResult, WriteTx};

use super::record::{Recorder, Run};

/// What happens to the next write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails at this call inside the transaction.
    Call(usize),
    /// Its commit fails.
    Commit,
    /// It is committed, and answered with an error.
    Answer,
    /// The process ends before its commit.
    CrashBefore,
    /// The process ends after its commit.
    CrashAfter,
    /// Somebody else holds the database.
    Busy,
}

/// What a committed transaction did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// The verdicts it recorded, in order, each with what its mutator saw.
    pub(crate) records: Vec<(Scope, Principal, Record, Option<Run>)>,
    /// What it appended: a trim in the same turn may have folded it into the base before anybody looks.
    pub(crate) appended: Vec<(Scope, Entry, Origin)>,
    /// It forgot verdicts or clients.
    pub(crate) forgot: bool,
}

/// What the simulation's hand is on.
#[derive(Debug, Default)]
pub(crate) struct Hand {
    pub(crate) next: Option<Fault>,
    pub(crate) full: bool,
    /// So many reads to come fail.
    pub(crate) bad_reads: u32,
    /// The process has ended: nothing works until the next start.
    pub(crate) dead: bool,
    /// Committed and not looked at yet.
    pub(crate) done: Vec<Done>,
    /// Faults that took effect.
    pub(crate) struck: u64,
}

/// A store under the simulation's hand.
#[derive(Clone)]
pub(crate) struct Disk {
    pub(crate) store: Arc<dyn Store>,
    hand: Arc<Mutex<Hand>>,
}

impl Disk {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, hand: Arc::default() }
    }

    pub(crate) fn hand(&self) -> MutexGuard<'_, Hand> {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn strike(&self) -> StoreResult<Option<Fault>> {
        let mut hand = self.hand();
        if hand.dead {
            return Err(gone());
        }
        if hand.full {
            hand.struck += 1;
            return Err(StoreError::Full);
        }
        let next = hand.next.take();
        hand.struck += u64::from(next.is_some());
        Ok(next)
    }
}

fn gone() -> StoreError {
    StoreError::Io("the process has ended".into())
}

fn failed() -> StoreError {
    StoreError::Io("as the simulation wants it".into())
}

impl Store for Disk {
    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> StoreResult<()>) -> StoreResult<()> {
        let fault = self.strike()?;
        if fault == Some(Fault::Busy) {
            return Err(StoreError::Busy("as the simulation wants it".into()));
        }
        let at = match fault {
            Some(Fault::Call(at)) => Some(at),
            _ => None,
        };
        let mut done = None;
        let committed = self.store.write(&mut |tx| {
            let mut recorder = Recorder::new(tx, at);
            work(&mut recorder)?;
            done = Some(recorder.done());
            match fault {
                Some(Fault::Commit | Fault::CrashBefore) => Err(failed()),
                _ => Ok(()),
            }
        });
        let mut hand = self.hand();
        hand.dead |= matches!(fault, Some(Fault::CrashBefore | Fault::CrashAfter));
        committed?;
        hand.done.extend(done);
        match fault {
            Some(Fault::Answer) => Err(failed()),
            Some(Fault::CrashAfter) => Err(gone()),
            _ => Ok(()),
        }
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> StoreResult<()>) -> StoreResult<()> {
        {
            let mut hand = self.hand();
            if hand.dead {
                return Err(gone());
            }
            if hand.bad_reads > 0 {
                hand.bad_reads -= 1;
                hand.struck += 1;
                return Err(failed());
            }
        }
        self.store.read(work)
    }

    fn describe(&self) -> String {
        self.store.describe()
    }
}
