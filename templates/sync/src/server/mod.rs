//! The application: its store, its sync engine, and its routes.

mod config;
mod routes;

use anyhow::Context as _;
use axum::Router;
use riverrun::prelude::*;

use crate::service::todo;

pub use config::Config;

/// The running application.
#[derive(Clone)]
pub struct App {
    engine: Engine,
}

impl App {
    /// Opens the database and starts the sync engine.
    pub async fn new(config: &Config) -> anyhow::Result<Self> {
        let store = Sqlite::open(&config.database)
            .with_context(|| format!("the database {} can't be used", config.database.display()))?;
        Ok(Self { engine: Self::setup_sync(store).await? })
    }

    /// The sync engine: what may be done to a list, and by whom.
    async fn setup_sync(store: Sqlite) -> anyhow::Result<Engine> {
        Ok(Engine::builder(store).mutators(todo::mutators()).access(Public).start().await?)
    }

    /// Every route of the application.
    pub fn router(&self) -> Router {
        routes::router(&self.engine)
    }

    /// Settles what is still being written.
    pub async fn close(&self) {
        self.engine.close().await;
    }
}
