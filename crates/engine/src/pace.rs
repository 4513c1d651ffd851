//! How an engine waits: on a runtime's threads and timers, or, in a simulation, in line with its driver's own time. The
//! only place that knows which; it never decides anything.

use std::{
    future::{pending, poll_fn},
    task::Poll,
    time::Duration,
};

use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{Instant, sleep_until},
};

/// How an engine waits.
pub(crate) enum Pace {
    /// On a tokio runtime: reads go to its blocking threads, time is the machine's.
    Runtime {
        /// Time is counted from here.
        start: Instant,
    },
    /// In line: reads run where they are awaited, and time is what the driver last said. Not the clock, which may jump.
    Inline {
        /// The time that has passed.
        passed: watch::Sender<Duration>,
    },
}

impl Pace {
    pub(crate) fn runtime() -> Self {
        Self::Runtime { start: Instant::now() }
    }

    pub(crate) fn inline() -> Self {
        Self::Inline { passed: watch::Sender::new(Duration::ZERO) }
    }

    /// The time that has passed, from no moment in particular.
    pub(crate) fn now(&self) -> Duration {
        match self {
            Self::Runtime { start } => start.elapsed(),
            Self::Inline { passed } => *passed.borrow(),
        }
    }

    /// Waits for a moment, counted like [`Self::now`].
    pub(crate) async fn until(&self, moment: Duration) {
        match self {
            Self::Runtime { start } => sleep_until(*start + moment).await,
            Self::Inline { passed } => {
                let mut passed = passed.subscribe();
                while *passed.borrow_and_update() < moment {
                    if passed.changed().await.is_err() {
                        return pending().await;
                    }
                }
            }
        }
    }

    /// Says how much time has passed.
    pub(crate) fn tick(&self, now: Duration) {
        if let Self::Inline { passed } = self {
            passed.send_replace(now);
        }
    }

    /// Does blocking work where it holds nobody up. The error is the runtime's, or a panic in the work.
    pub(crate) async fn block<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, String> {
        match self {
            Self::Runtime { .. } => spawn_blocking(work).await.map_err(|error| error.to_string()),
            Self::Inline { .. } => {
                // As on a thread pool, others may run first.
                give_way().await;
                Ok(work())
            }
        }
    }
}

/// Lets other tasks run once.
async fn give_way() {
    let mut given = false;
    poll_fn(|cx| {
        if given {
            return Poll::Ready(());
        }
        given = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
