//! Who may do what in a run, and the server's clock: both turned by the simulation while the engine runs.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    task::Poll,
};

use riverrun_core::{Millis, Principal, Scope};
use riverrun_engine::{AccessFailed, Action, Authorize, Clock};

/// Since when somebody may not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Denial {
    /// The rules' version it came with.
    pub(crate) version: u64,
    /// The world's moment.
    pub(crate) at: i64,
    /// The engine was told.
    pub(crate) told: bool,
}

/// The rules as they are now.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) version: u64,
    /// Nobody can find out who may do what.
    pub(crate) failing: bool,
    denied: BTreeMap<(Principal, Scope, bool), Denial>,
}

impl Table {
    /// Takes a right away.
    pub(crate) fn deny(&mut self, who: &Principal, scope: &Scope, action: Action, at: i64, told: bool) {
        self.version += 1;
        let denial = Denial { version: self.version, at, told };
        self.denied.entry((who.clone(), scope.clone(), action == Action::Write)).or_insert(denial);
    }

    /// Gives everything back.
    pub(crate) fn allow_all(&mut self) {
        self.version += 1;
        self.denied.clear();
        self.failing = false;
    }

    /// Since when this is denied, if it is.
    pub(crate) fn denied(&self, who: &Principal, scope: &Scope, action: Action) -> Option<Denial> {
        self.denied.get(&(who.clone(), scope.clone(), action == Action::Write)).copied()
    }
}

/// The rules of access of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules(Arc<Mutex<Table>>);

impl Rules {
    pub(crate) fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Authorize for Rules {
    async fn authorize(&self, who: &Principal, scope: &Scope, action: Action) -> Result<bool, AccessFailed> {
        let answer = {
            let table = self.table();
            if table.failing {
                Err(AccessFailed("as the simulation wants it".into()))
            } else {
                Ok(table.denied(who, scope, action).is_none())
            }
        };
        // Applications ask a database: while the answer is on its way, everything else goes on.
        give_way().await;
        answer
    }
}

/// Lets other tasks run once.
pub(crate) async fn give_way() {
    let mut given = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut given, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The server's clock.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hands(Arc<AtomicI64>);

impl Hands {
    pub(crate) fn set(&self, now: i64) {
        self.0.store(now, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}
