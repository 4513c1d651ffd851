//! The contract every store is held to, on a file.
#![allow(clippy::unwrap_used)]

use riverrun_engine::Store;
use riverrun_sqlite::Sqlite;

mod common;

/// A store in a directory that goes away with it.
struct Temporary {
    store: Sqlite,
    _directory: common::Directory,
}

impl Store for Temporary {
    fn write(
        &self,
        work: &mut dyn FnMut(&mut dyn riverrun_engine::store::WriteTx) -> riverrun_engine::store::StoreResult<()>,
    ) -> riverrun_engine::store::StoreResult<()> {
        self.store.write(work)
    }
    fn read(
        &self,
        work: &mut dyn FnMut(&mut dyn riverrun_engine::store::ReadTx) -> riverrun_engine::store::StoreResult<()>,
    ) -> riverrun_engine::store::StoreResult<()> {
        self.store.read(work)
    }
    fn describe(&self) -> String {
        self.store.describe()
    }
}

fn on_file() -> Temporary {
    let directory = common::Directory::new();
    Temporary { store: Sqlite::open(directory.file("app.db")).unwrap(), _directory: directory }
}

riverrun_testkit::store_contract!(file, on_file);
