//! Every store of the workspace under the contract suite. A store that is not named here is not known to keep it.

use std::{
    fs,
    path::PathBuf,
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use riverrun_engine::{
    Memory,
    store::{ReadTx, Store, StoreResult, WriteTx},
};
use riverrun_sqlite::Sqlite;
use riverrun_testkit::store_contract;

store_contract!(memory, Memory::new);
store_contract!(sqlite, OwnFile::new);

/// A SQLite store as an application has it, in a directory that goes with it.
struct OwnFile {
    // Dropped before the directory is removed.
    store: Option<Sqlite>,
    directory: PathBuf,
}

impl OwnFile {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("riverrun-stores-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
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
