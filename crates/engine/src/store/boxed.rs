//! A store behind a pointer is a store: tools learn which one it is at run time. Everything is passed on, defaults too.

use std::path::Path;

use super::{ReadTx, Store, StoreResult, WriteTx};

impl<S: Store + ?Sized> Store for Box<S> {
    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> StoreResult<()>) -> StoreResult<()> {
        (**self).write(work)
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> StoreResult<()>) -> StoreResult<()> {
        (**self).read(work)
    }

    fn describe(&self) -> String {
        (**self).describe()
    }

    fn backup(&self, file: &Path, progress: &mut dyn FnMut(u64, u64)) -> StoreResult<()> {
        (**self).backup(file, progress)
    }
}
