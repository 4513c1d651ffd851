//! The SQLite store: the log, the state and the application's own tables in one file, and an answer only after the commit
//! is on disk. It keeps rows for the engine's [`Store`](riverrun_engine::Store) contract; it decides nothing about
//! mutations, starts no thread, and speaks no HTTP.
//!
//! ```no_run
//! # fn main() -> Result<(), riverrun_sqlite::OpenError> {
//! let store = riverrun_sqlite::Sqlite::open("app.db")?;
//! # drop(store);
//! # Ok(())
//! # }
//! ```
//!
//! The engine's tables begin with `rr_`; every other name is the application's. Tables of its own are declared with
//! [`Options::schema`], written inside a mutator through [`tx`], and read with [`Sqlite::query`].

mod backup;
mod checkpoint;
mod connection;
mod decode;
mod error;
mod forget;
mod guard;
mod host;
mod inspect;
mod keys;
mod lock;
mod open_error;
mod options;
mod place;
mod pool;
mod query;
mod read;
mod reading;
mod restore;
mod schema;
mod session;
mod sql_tx;
mod store;
mod survey;
mod words;
mod write;

pub use open_error::OpenError;
pub use options::{Options, Synchronous};
pub use restore::{Restored, restore};
/// The driver, for its `params!`, `Row` and `Connection`: an application needs the very version this store was built with.
pub use rusqlite;
pub use sql_tx::{SqlTx, tx};
pub use store::Sqlite;
