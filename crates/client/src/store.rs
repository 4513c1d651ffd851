//! Where a client keeps what must survive a crash: the contract of a storage, and one that lives as long as the process.
//! A storage does what [`Saved::apply`] says and nothing of its own.

#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

use crate::saved::{Saved, Write};

/// The storage could not do it; says why, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StorageError(pub String);

/// A storage of one client. Its methods block.
pub trait Storage: Send + 'static {
    /// Everything that was written, by this life or an earlier one.
    fn load(&mut self) -> Result<Saved, StorageError>;

    /// Does these writes in one transaction: when this returns, all of them are as safe as the storage makes them; when it
    /// fails, none of them was done. After a failure nothing more is written.
    fn write(&mut self, writes: Vec<Write>) -> Result<(), StorageError>;
}

/// Keeps everything in this process only: for tests, and for clients whose work need not survive.
#[derive(Debug, Clone, Default)]
pub struct Memory(Saved);

impl Memory {
    /// An empty storage.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Storage for Memory {
    fn load(&mut self) -> Result<Saved, StorageError> {
        Ok(self.0.clone())
    }

    fn write(&mut self, writes: Vec<Write>) -> Result<(), StorageError> {
        for write in writes {
            self.0.apply(write);
        }
        Ok(())
    }
}
