//! The connections that read: a few, opened when first needed, each lent to one read at a time. A read waits here for
//! another read to end, never for a write. A connection that comes back unwell is closed, not lent again.

use std::{
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use riverrun_engine::store::{StoreError, StoreResult};

use crate::{connection, error::classify, host::Host};

/// The reading connections of one file.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    most: usize,
    patience: Duration,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Debug)]
struct State {
    idle: Vec<Host>,
    open: usize,
}

/// A place among the connections, with the connection in it once it is open.
#[derive(Debug)]
struct Lease<'a> {
    pool: &'a Readers,
    host: Option<Host>,
}

impl Readers {
    /// A pool with its first connection opened, so that a file that can't be read is found now.
    pub(crate) fn open(path: &Path, most: usize, patience: Duration) -> rusqlite::Result<Self> {
        let first = connection::reader(path, patience)?;
        let state = Mutex::new(State { idle: vec![first], open: 1 });
        Ok(Self { path: path.to_path_buf(), most, patience, state, returned: Condvar::new() })
    }

    /// Runs `work` on a connection, once there is a free one.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&Host) -> StoreResult<T>) -> StoreResult<T> {
        let mut lease = self.claim()?;
        let host = match lease.host.take() {
            Some(host) => host,
            None => connection::reader(&self.path, self.patience).map_err(|error| classify(&error))?,
        };
        work(lease.host.insert(host))
    }

    fn claim(&self) -> StoreResult<Lease<'_>> {
        let until = Instant::now() + self.patience;
        let mut state = self.lock();
        loop {
            if let Some(host) = state.idle.pop() {
                return Ok(Lease { pool: self, host: Some(host) });
            }
            if state.open < self.most {
                state.open += 1;
                return Ok(Lease { pool: self, host: None });
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(StoreError::Busy(format!("all {} reading connections are in use", self.most)));
            }
            state = self.returned.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let well = self.host.take().filter(|host| host.conn.is_autocommit());
        let mut state = self.pool.lock();
        match well {
            Some(host) => state.idle.push(host),
            None => state.open -= 1,
        }
        drop(state);
        self.pool.returned.notify_one();
    }
}
