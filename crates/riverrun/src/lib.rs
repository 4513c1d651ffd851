//! riverrun: a sync framework for web applications.
//!
//! A page changes at once, works offline, and every reader converges. The server decides: it applies each mutation exactly
//! once, in order, in one transaction with an append to a durable log, and tells every reader.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use riverrun::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Todo { id: String, title: String, completed: bool }
//! entity!(Todo, "todo", id);
//!
//! #[derive(Deserialize)]
//! struct CreateTodo { id: String, title: String }
//!
//! fn create(tx: &mut Tx<'_>, a: CreateTodo) -> Result<(), Reject> {
//!     tx.insert(&Todo { id: a.id, title: a.title, completed: false })
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let mutators = Mutators::new().on("todo.create", create);
//!     let engine = Engine::builder(Sqlite::open("app.db")?).mutators(mutators).access(Public).start().await?;
//!     let app = Router::new().route("/", get(async || "hello")).merge(riverrun::router(&engine)).with_state(engine);
//!     Ok(riverrun::serve(app, "127.0.0.1:8080").await?)
//! }
//! ```
//!
//! This crate is the front door: it re-exports, and holds no logic. Behind it are [`core`] (words and rules), [`engine`]
//! (decides), [`http`] (routes), [`live`] (sockets) and [`sqlite`] (the store). With the feature `view` there are
//! server-rendered pages as well, which need none of the others.

pub use riverrun_core::{self as core, entity};
pub use riverrun_engine::{self as engine, Engine, Memory};
pub use riverrun_http::{self as http, Limits, Routes, SameOrigin, Serve, router, serve};
pub use riverrun_live as live;
#[cfg(feature = "sqlite")]
pub use riverrun_sqlite::{self as sqlite, Sqlite};
#[cfg(feature = "view")]
pub use riverrun_view as view;

/// What most applications use, for `use riverrun::prelude::*`.
pub mod prelude {
    #[cfg(feature = "sqlite")]
    pub use riverrun_sqlite::Sqlite;
    #[cfg(feature = "view")]
    pub use riverrun_view::{View, Views};
    pub use {
        riverrun_core::{Entity, Machine, MutationId, Mutators, Principal, Reject, Scope, Tx, entity},
        riverrun_engine::{AccessFailed, Action, Authorize, Engine, Memory, Public},
        riverrun_http::{AuthFailed, Authenticate, Identity, Routes, SameOrigin},
    };
}
