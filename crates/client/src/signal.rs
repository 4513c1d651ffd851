//! Reactive reads: a value that stays true, values computed from it, and effects that follow it. A small adapter to
//! tokio's `watch`, which does the work: only the last value is kept, and a slow follower misses none but the ones between.

use std::{fmt, sync::Arc};

use tokio::{
    sync::watch::{self, Ref},
    task::JoinHandle,
};

use crate::shell::{Client, Look};

/// A value that is kept true for as long as somebody holds its signal. Cheap to clone.
pub struct Signal<T> {
    value: watch::Receiver<T>,
}

impl<T> Clone for Signal<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Signal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signal").field(&*self.value.borrow()).finish()
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
        let (told, value) = watch::channel(client.look(&read));
        let client = client.weak();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = told.closed() => return,
                    changed = versions.changed() => if changed.is_err() { return },
                }
                let Some(client) = client.upgrade() else { return };
                set(&told, client.look(&read));
            }
        });
        Self { value }
    }

    /// The value now. Hold it only for a moment: what it shows can't change meanwhile.
    pub fn get(&self) -> Ref<'_, T> {
        self.value.borrow()
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
        let (told, value) = watch::channel(compute(&from.borrow_and_update()));
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = told.closed() => return,
                    changed = from.changed() => if changed.is_err() { return },
                }
                let next = compute(&from.borrow_and_update());
                set(&told, next);
            }
        });
        Signal { value }
    }

    /// Runs now, and again whenever the value is another one, until what is returned is dropped. A value that lasted less
    /// than a run of it may be skipped; the last one never is.
    pub fn effect(&self, run: impl Fn(&T) + Send + Sync + 'static) -> Effect {
        let mut value = self.value.clone();
        let run = Arc::new(run);
        run(&value.borrow_and_update());
        Effect(tokio::spawn(async move {
            while value.changed().await.is_ok() {
                run(&value.borrow_and_update());
            }
        }))
    }
}

fn set<T: PartialEq>(told: &watch::Sender<T>, next: T) {
    told.send_if_modified(|value| {
        let other = *value != next;
        if other {
            *value = next;
        }
        other
    });
}
