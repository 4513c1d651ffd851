//! What a client can be told when it is opened, and how that can fail.

use std::sync::Arc;

use riverrun_core::{Mutators, MutatorsError, Principal, Scope};

use super::url::UrlError;
use crate::{core::Config, store::StorageError};

/// Gives the token that says who is asking.
pub(super) type Token = Arc<dyn Fn() -> String + Send + Sync>;

/// What a client can be told when it is opened.
#[derive(Clone)]
pub struct Options {
    pub(super) address: String,
    pub(super) prefix: String,
    pub(super) socket: String,
    pub(super) config: Config,
    pub(super) mutators: Arc<Mutators>,
    pub(super) token: Option<Token>,
}

impl Options {
    /// A server's address (`http://host:port`, with a path if the app lives below one) and the scope to be in sync with.
    pub fn new(address: impl Into<String>, scope: Scope) -> Self {
        Self {
            address: address.into(),
            prefix: "_sync".into(),
            socket: "ws".into(),
            config: Config::new(scope),
            mutators: Arc::new(Mutators::new()),
            token: None,
        }
    }

    /// What each command does to the local view: the mutators of the server, or some of them. A command without one may be
    /// sent, and shows when the server's changes arrive.
    pub fn mutators(mut self, mutators: Mutators) -> Self {
        self.mutators = Arc::new(mutators);
        self
    }

    /// The token that says who is asking, sent as `Authorization: Bearer`. Asked for anew with every request.
    pub fn token(mut self, token: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.token = Some(Arc::new(token));
        self
    }

    /// Whom mutators see as the one who asks. Left out: `anonymous`.
    pub fn principal(mut self, principal: Principal) -> Self {
        self.config.principal = principal;
        self
    }

    /// The schema that arguments are written under.
    pub fn schema(mut self, schema: u64) -> Self {
        self.config.schema = Some(schema);
        self
    }

    /// The path of the routes, below the address. Left out: `_sync`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The path of the WebSocket, below the address. Left out: `ws`.
    pub fn socket(mut self, path: impl Into<String>) -> Self {
        self.socket = path.into();
        self
    }

    /// No WebSocket: the server is asked over HTTP, and holds its answer back until there is news.
    pub fn polling(mut self) -> Self {
        self.config.live = false;
        self
    }

    /// The application's snapshot is not made of collections: it keeps its state itself, from
    /// [`Client::news`](super::Client::news).
    pub fn own_state(mut self) -> Self {
        self.config.own_state = true;
        self
    }
}

/// A client could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The server's address can't be used.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The table of mutators is wrong.
    #[error(transparent)]
    Mutators(#[from] MutatorsError),
    /// The storage can't be used.
    #[error("the storage can't be used: {0}")]
    Storage(#[from] StorageError),
}
