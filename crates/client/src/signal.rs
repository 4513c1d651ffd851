//! Reactive reads: a value that stays true, values computed from it, and effects that follow it. A small adapter to
//! tokio's `watch`, which does the work: only the last value is kept, and a slow follower misses none but the ones between.

use std::{fmt, sync::Arc};

use tokio::{runtime::Handle, sync::watch, task::JoinHandle};

use crate::shell::{Client, Look};

/// A value that is kept true for as long as somebody holds its signal. Cheap to clone.
///
/// ```no_run
/// # use riverrun_client::Client;
/// # fn follow(client: &Client) {
/// let pending = client.signal(|core| core.pending().count());
/// let is_saved = pending.computed(|count| *count == 0);
/// assert!(*is_saved.get());
/// let shown = is_saved.effect(|saved| println!("{}", if *saved { "all is saved" } else { "saving" }));
/// // The effect ends here.
/// drop(shown);
/// # }
/// ```
pub struct Signal<T> {
    value: watch::Receiver<Arc<T>>,
    /// The client's: a signal may be made and followed on any thread.
    runtime: Handle,
}

impl<T> Clone for Signal<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), runtime: self.runtime.clone() }
    }
}

impl<T> Signal<T> {
    /// The value now. It stays what it is, however the signal goes on.
    pub fn get(&self) -> Arc<T> {
        self.value.borrow().clone()
    }
}

impl<T: fmt::Debug> fmt::Debug for Signal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signal").field(&self.get()).finish()
    }
}

/// What follows a signal. It ends when this is dropped.
#[derive(Debug)]
pub struct Effect(JoinHandle<()>);

impl Drop for Effect {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T: PartialEq + Send + Sync + 'static> Signal<T> {
    pub(crate) fn of(client: &Client, read: impl Fn(&Look<'_>) -> T + Send + 'static) -> Self {
        // Before the first look, so that nothing between the two is missed.
        let mut versions = client.versions();
        let (told, value) = watch::channel(Arc::new(client.look(&read)));
        let (client, runtime) = (client.weak(), client.runtime());
        runtime.spawn(async move {
            loop {
                tokio::select! {
                    () = told.closed() => return,
                    changed = versions.changed() => if changed.is_err() { return },
                }
                let Some(client) = client.upgrade() else { return };
                set(&told, client.look(&read));
            }
        });
        Self { value, runtime }
    }

    /// Waits until the value is another one than was seen last; `false` when it will never be.
    pub async fn changed(&mut self) -> bool {
        self.value.changed().await.is_ok()
    }

    /// A value computed from this one, kept true like it; its followers hear of it only when it is another one.
    pub fn computed<U, F>(&self, compute: F) -> Signal<U>
    where
        U: PartialEq + Send + Sync + 'static,
        F: Fn(&T) -> U + Send + 'static,
    {
        let mut from = self.value.clone();
        let first = from.borrow_and_update().clone();
        let (told, value) = watch::channel(Arc::new(compute(&first)));
        self.runtime.spawn(async move {
            loop {
                tokio::select! {
                    () = told.closed() => return,
                    changed = from.changed() => if changed.is_err() { return },
                }
                let next = from.borrow_and_update().clone();
                set(&told, compute(&next));
            }
        });
        Signal { value, runtime: self.runtime.clone() }
    }

    /// Runs now, and again whenever the value is another one, until what is returned is dropped. A value that lasted less
    /// than a run of it may be skipped; the last one never is.
    pub fn effect(&self, run: impl Fn(&T) + Send + Sync + 'static) -> Effect {
        let mut value = self.value.clone();
        // Never run while the value is held: it may look at the same signal, and whoever writes to that would wait.
        let first = value.borrow_and_update().clone();
        run(&first);
        Effect(self.runtime.spawn(async move {
            while value.changed().await.is_ok() {
                let next = value.borrow_and_update().clone();
                run(&next);
            }
        }))
    }
}

fn set<T: PartialEq>(told: &watch::Sender<Arc<T>>, next: T) {
    told.send_if_modified(|value| {
        let other = **value != next;
        if other {
            *value = Arc::new(next);
        }
        other
    });
}
