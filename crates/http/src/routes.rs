//! The router an application mounts: which paths there are, and what answers them.

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use riverrun_core::limits::SCOPE_BYTES;
use riverrun_engine::Engine;
use riverrun_live::{Options, Origins, Server};

use crate::{Anonymous, Authenticate, Limits, Topics, auth::Auth, client, guard::Guard, handlers, join, join::Join};

/// The live server of an application's routes: publishes to topics of the application's own.
pub type Live = Server<Join>;

/// What every route knows.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) auth: Auth,
    pub(crate) origins: Origins,
    pub(crate) live: Live,
    pub(crate) guard: Arc<Guard>,
}

/// The routes of the contract for anonymous users of one's own pages: `/_sync/push`, `pull`, `snapshot`, `client.js`,
/// `inspector.js`, `/ws` and `/healthz`. [`Routes`] says who is asking, and more.
pub fn router<S: Clone + Send + Sync + 'static>(engine: &Engine) -> Router<S> {
    Routes::new(engine).router()
}

/// The routes of the contract, as an application wants them.
///
/// ```
/// # use riverrun_engine::Engine;
/// # use riverrun_http::{Anonymous, Routes};
/// # fn mount(engine: &Engine) -> axum::Router {
/// Routes::new(engine).authenticate(Anonymous).prefix("/_sync").socket("/ws").router()
/// # }
/// ```
#[must_use = "routes do nothing until they are made a router"]
pub struct Routes {
    engine: Engine,
    auth: Auth,
    prefix: String,
    socket: String,
    health: String,
    options: Options,
    limits: Limits,
    topics: Option<Box<dyn Topics>>,
}

impl Routes {
    /// The default: anonymous users, pages of the same origin.
    pub fn new(engine: &Engine) -> Self {
        Self {
            engine: engine.clone(),
            auth: Auth::new(Anonymous),
            prefix: "/_sync".into(),
            socket: "/ws".into(),
            health: "/healthz".into(),
            options: Options::default(),
            limits: Limits::default(),
            topics: None,
        }
    }

    /// Who is asking.
    pub fn authenticate(mut self, auth: impl Authenticate) -> Self {
        self.auth = Auth::new(auth);
        self
    }

    /// Where push, pull, snapshot, the client and its inspector are, instead of `/_sync`. Begins with a slash, ends without one.
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Where the WebSocket is, instead of `/ws`.
    pub fn socket(mut self, path: &str) -> Self {
        self.socket = path.into();
        self
    }

    /// Where the health check is, instead of `/healthz`.
    pub fn health(mut self, path: &str) -> Self {
        self.health = path.into();
        self
    }

    /// Which pages may use these routes from a browser, instead of those of the same origin.
    pub fn origins(mut self, origins: Origins) -> Self {
        self.options.origins = origins;
        self
    }

    /// The live sessions' limits. Their origins are set by [`Self::origins`].
    pub fn live_options(mut self, options: Options) -> Self {
        self.options = Options { origins: self.options.origins, ..options };
        self
    }

    /// How often a caller may ask, and what requests may hold in memory. The defaults are such that an honest client
    /// never meets them.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What answers frames on topics of the application's own.
    pub fn topics(mut self, topics: impl Topics) -> Self {
        self.topics = Some(Box::new(topics));
        self
    }

    /// The router, to be merged into the application's.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        self.split().0
    }

    /// The router, and the live server behind it, for publishing to topics of the application's own.
    pub fn split<S: Clone + Send + Sync + 'static>(self) -> (Router<S>, Live) {
        let origins = self.options.origins.clone();
        let guard = Arc::new(Guard::new(self.limits));
        let join = Join::new(self.engine.clone(), self.auth.clone(), Arc::clone(&guard), self.topics);
        // Whatever scope the other routes take can be followed live.
        let longest = join::SYNC.len() + SCOPE_BYTES;
        let max_topic_bytes = self.options.max_topic_bytes.max(longest);
        let live = Server::new(join, Options { max_topic_bytes, ..self.options });
        let shared = Shared { engine: self.engine, auth: self.auth, origins, live: live.clone(), guard };
        let at = |name: &str| format!("{}/{name}", self.prefix);
        let router = Router::new()
            .route(&at("push"), post(handlers::push))
            .route(&at("pull"), post(handlers::pull))
            .route(&at("snapshot"), post(handlers::snapshot))
            .route(&at("client.js"), get(client::client))
            .route(&at("inspector.js"), get(client::inspector))
            .route(&self.socket, get(handlers::socket))
            .route(&self.health, get(handlers::healthz))
            .with_state(shared);
        (router, live)
    }
}
