//! What the application says about a token: whose it is and for how long, or why not. This module holds the answer's
//! shape only; comparing tokens, and doing it in constant time, is the hook's business.

use std::time::Duration;

/// An identity, and how long it holds.
#[derive(Clone, Debug)]
pub struct Authed<A> {
    pub(crate) auth: A,
    pub(crate) expires_in: Option<Duration>,
}

impl<A> Authed<A> {
    /// An identity that holds as long as the connection does.
    pub fn new(auth: A) -> Self {
        Self { auth, expires_in: None }
    }

    /// The session is closed with [`CloseReason::AuthExpired`](crate::CloseReason::AuthExpired) this long from now.
    pub fn expires_in(mut self, span: Duration) -> Self {
        self.expires_in = Some(span);
        self
    }
}

/// Why an `auth` frame was not accepted. The text reaches the client: nothing internal belongs in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The token is wrong, unknown or expired. The session closes with 4401, and a client waits for a new token.
    #[error("{0}")]
    Unauthenticated(String),
    /// It could not be decided now. The session closes with 1013, and a client comes back with the same token.
    #[error("{0}")]
    Unavailable(String),
}
