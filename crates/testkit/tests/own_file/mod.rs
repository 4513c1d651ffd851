//! A SQLite store in a directory of its own, for suites that need a new one at every call.

use std::{
    fs,
    path::PathBuf,
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use riverrun_engine::store::{ReadTx, Store, StoreResult, WriteTx};
use riverrun_sqlite::Sqlite;

/// A SQLite store as an application has it, in a directory that goes with it.
pub(crate) struct OwnFile {
    // Dropped before the directory is removed.
    store: Option<Sqlite>,
    directory: PathBuf,
}

impl OwnFile {
    /// A new one, apart from all others.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("riverrun-suite-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).expect("a directory for the test");
        let store = Sqlite::open(directory.join("app.db")).expect("a new database opens");
        Self { store: Some(store), directory }
    }

    fn store(&self) -> &Sqlite {
        self.store.as_ref().expect("the store is open until it is dropped")
    }
}

impl Drop for OwnFile {
    fn drop(&mut self) {
        drop(self.store.take());
        // A directory that stays is untidy and no failure of the store.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Store for OwnFile {
    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> StoreResult<()>) -> StoreResult<()> {
        self.store().write(work)
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> StoreResult<()>) -> StoreResult<()> {
        self.store().read(work)
    }

    fn describe(&self) -> String {
        self.store().describe()
    }
}
