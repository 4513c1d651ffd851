//! The word that the server is going away, and the count of those who have not gone yet. The accept loop holds the
//! trigger; connections, sessions and long polls hold the token. It never ends anything by force: that is the
//! trigger's holder's choice, after a bound of its own.

use std::sync::Arc;

use tokio::sync::watch;

use crate::flag::Flag;

#[derive(Debug)]
struct Shared {
    started: Flag,
    guards: watch::Sender<usize>,
}

/// A cloneable token: it tells that draining has begun, and counts those it must wait for.
#[derive(Clone, Debug)]
pub struct Drain {
    shared: Arc<Shared>,
}

/// The other end of a [`Drain`]: starts it and waits for the guards. Dropping it starts nothing.
#[derive(Debug)]
pub struct DrainTrigger {
    shared: Arc<Shared>,
}

/// Held by whatever must end before the server may. Dropping it is the sign.
#[derive(Debug)]
pub struct DrainGuard {
    shared: Arc<Shared>,
}

impl Drain {
    /// A trigger and its token.
    #[allow(clippy::new_ret_no_self)]
    pub fn new() -> (DrainTrigger, Drain) {
        let shared = Arc::new(Shared { started: Flag::default(), guards: watch::Sender::new(0) });
        (DrainTrigger { shared: Arc::clone(&shared) }, Drain { shared })
    }

    /// A token that never starts, for a server that ends with its process.
    pub fn never() -> Drain {
        Self::new().1
    }

    /// Whether draining has begun.
    pub fn is_started(&self) -> bool {
        self.shared.started.is_raised()
    }

    /// Resolves when draining begins; at once if it has. Cancel-safe.
    pub async fn started(&self) {
        self.shared.started.wait().await;
    }

    /// Counts the holder among those [`DrainTrigger::finished`] waits for.
    pub fn guard(&self) -> DrainGuard {
        self.shared.guards.send_modify(|count| *count += 1);
        DrainGuard { shared: Arc::clone(&self.shared) }
    }
}

impl DrainTrigger {
    /// Begins draining. Further calls change nothing.
    pub fn start(&self) {
        self.shared.started.raise();
    }

    /// How many guards are held now.
    pub fn guards(&self) -> usize {
        *self.shared.guards.borrow()
    }

    /// Resolves when no guard is held. It has no bound of its own: wrap it in a timeout. Cancel-safe.
    pub async fn finished(&self) {
        // The sender is in `self.shared`, so the wait cannot end with an error.
        let _ = self.shared.guards.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for DrainGuard {
    fn drop(&mut self) {
        self.shared.guards.send_modify(|count| *count = count.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn finished_waits_for_the_last_guard_and_no_longer() {
        let (trigger, drain) = Drain::new();
        let (first, second) = (drain.guard(), drain.clone().guard());
        trigger.start();
        assert!(drain.is_started());
        drop(first);
        assert!(tokio::time::timeout(Duration::from_millis(20), trigger.finished()).await.is_err());
        drop(second);
        trigger.finished().await;
        assert_eq!(trigger.guards(), 0);
    }

    #[tokio::test]
    async fn started_answers_those_who_wait_and_those_who_come_late() {
        let (trigger, drain) = Drain::new();
        let waiting = tokio::spawn({
            let drain = drain.clone();
            async move { drain.started().await }
        });
        tokio::task::yield_now().await;
        assert!(!drain.is_started());
        trigger.start();
        waiting.await.unwrap();
        drain.started().await;
    }
}
