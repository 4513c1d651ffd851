//! The application, put together: its views, its sync engine, its live server and its todo store. What each of them does
//! is said elsewhere; here is only how they are set up.

mod assets;
mod config;
mod routes;
mod security;

use axum::{Router, extract::FromRef};
use riverrun::{
    http::Live,
    prelude::*,
    view::{embed, minijinja},
};

use crate::service::todo;

pub use assets::Assets;
pub use config::{Config, ConfigError, Mode};

/// The running application. Clones share it; every handler gets one.
#[derive(Clone)]
pub struct App {
    views: Views,
    engine: Engine,
    live: Live,
    /// The routes of the sync engine and of the live server.
    sync: Router,
    store: todo::Store,
    assets: Assets,
}

/// Why the application did not start: a sentence for whoever starts it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database can't be used.
    #[error("{0}. DATABASE_PATH says which file is used")]
    Database(#[from] riverrun::sqlite::OpenError),
    /// The sync engine did not start.
    #[error("the sync engine did not start: {0}")]
    Engine(#[from] riverrun::engine::StartError),
    /// A template is wrong.
    #[error("{0}")]
    Views(#[from] riverrun::view::BuildError),
    /// The address can't be listened on.
    #[error("{0}. HOST and PORT say where it listens")]
    Serve(#[from] riverrun::http::ServeError),
}

impl App {
    /// The application over its database file.
    pub async fn new(config: &Config) -> Result<Self, StartError> {
        Self::over(Sqlite::open(&config.database)?, config).await
    }

    /// The application over any store; a test takes one in memory.
    pub async fn over(store: impl riverrun::engine::Store, config: &Config) -> Result<Self, StartError> {
        let assets = Assets::open(config.mode);
        let views = Self::setup_view(config, &assets)?;
        let engine = Self::setup_sync(store).await?;
        let (sync, live) = Self::setup_live(&engine);
        Ok(Self { views, store: todo::Store::new(&engine), engine, live, sync, assets })
    }

    /// The views: `views/layouts/main.html` around every page, and the functions templates have beside the usual ones.
    fn setup_view(config: &Config, assets: &Assets) -> Result<Views, StartError> {
        let (links, imports) = (assets.clone(), assets.clone());
        let missing = |name: &str| {
            let message = format!("there is no file assets/{name}");
            minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message)
        };
        let views = Views::builder(embed!())
            .layout("layouts/main")
            .dev(config.mode == Mode::Development)
            .function("asset", move |name: &str| links.url(name).ok_or_else(|| missing(name)))
            .function("scripts", move || imports.scripts())
            .build()?;
        Ok(views)
    }

    /// The sync engine: what may be done to a list, and who may do it.
    async fn setup_sync(store: impl riverrun::engine::Store) -> Result<Engine, StartError> {
        Ok(Engine::builder(store).mutators(todo::mutators()).access(todo::ListsOnly).start().await?)
    }

    /// The live server, with the routes of the sync engine: `/_sync/*`, `/ws`, `/healthz`.
    fn setup_live(engine: &Engine) -> (Router, Live) {
        Routes::new(engine).split()
    }

    /// Every route of the application.
    pub fn router(&self) -> Router {
        routes::router(self)
    }

    /// The todo lists.
    pub fn store(&self) -> &todo::Store {
        &self.store
    }

    /// The sync engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The live server, to publish on topics of the application's own.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// Settles what is still being written.
    pub async fn close(&self) {
        self.engine.close().await;
    }
}

impl FromRef<App> for Views {
    fn from_ref(app: &App) -> Self {
        app.views.clone()
    }
}

impl FromRef<App> for Assets {
    fn from_ref(app: &App) -> Self {
        app.assets.clone()
    }
}
