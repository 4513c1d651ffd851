//! A flag that is raised once and can be waited for. It carries no value and is never lowered; whoever asks after it
//! was raised is answered at once, so no wake-up can be lost.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(crate) struct Flag {
    raised: AtomicBool,
    notify: Notify,
}

impl Flag {
    pub(crate) fn raise(&self) {
        self.raised.store(true, Ordering::Release);
        self.notify.notify_waiters();
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    pub(crate) async fn wait(&self) {
        // A `Notified` counts every `notify_waiters` from its creation on, so looking at the flag after creating it
        // leaves no moment in which the raising could slip by.
        let notified = self.notify.notified();
        if !self.is_raised() {
            notified.await;
        }
    }
}
