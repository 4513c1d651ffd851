//! Who is asking. The application's authentication turns a request, or a token sent over the socket, into a principal; what
//! that principal may do is the engine's question to the rules of access.

use std::{future::Future, sync::Arc, time::Duration};

use axum::http::request::Parts;
use futures_util::future::BoxFuture;
use riverrun_core::{Code, Principal};

use crate::answer::Refusal;

/// Somebody, and for how long the proof holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who it is.
    pub principal: Principal,
    /// Until when the proof holds, from now: a live session is closed then. `None`: until it ends by itself.
    pub expires_in: Option<Duration>,
}

impl From<Principal> for Identity {
    fn from(principal: Principal) -> Self {
        Self { principal, expires_in: None }
    }
}

/// Why it is not known who is asking.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthFailed {
    /// The request carries no proof. Over HTTP that is `unauthenticated`; a socket may still send a token.
    #[error("sign in first")]
    Missing,
    /// The proof is wrong or has run out. The sentence is shown to the client.
    #[error("{0}")]
    Invalid(String),
    /// It could not be checked. The detail goes to the log.
    #[error("who you are can't be checked right now: try again")]
    Unavailable(String),
}

impl From<AuthFailed> for Refusal {
    fn from(failed: AuthFailed) -> Self {
        let code = match &failed {
            AuthFailed::Missing | AuthFailed::Invalid(_) => Code::Unauthenticated,
            AuthFailed::Unavailable(detail) => {
                tracing::error!(%detail, "authentication could not be checked");
                Code::Unavailable
            }
        };
        Self::new(code, failed.to_string())
    }
}

/// The application's authentication.
///
/// ```
/// use axum::http::request::Parts;
/// use riverrun_core::Principal;
/// use riverrun_http::{AuthFailed, Authenticate, Identity};
///
/// struct Bearer;
///
/// impl Authenticate for Bearer {
///     async fn authenticate(&self, request: &Parts) -> Result<Identity, AuthFailed> {
///         let header = request.headers.get("authorization").ok_or(AuthFailed::Missing)?;
///         let token = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
///         self.token(token.ok_or(AuthFailed::Missing)?).await
///     }
///
///     async fn token(&self, token: &str) -> Result<Identity, AuthFailed> {
///         match token {
///             "let-me-in" => Ok(Principal::anonymous().into()),
///             _ => Err(AuthFailed::Invalid("this token is not valid".into())),
///         }
///     }
/// }
/// ```
pub trait Authenticate: Send + Sync + 'static {
    /// Who sent this request: its headers, or what a middleware put into its extensions.
    fn authenticate(&self, request: &Parts) -> impl Future<Output = Result<Identity, AuthFailed>> + Send;

    /// Who this token belongs to, sent as the first frame where cookies don't carry the identity.
    fn token(&self, _token: &str) -> impl Future<Output = Result<Identity, AuthFailed>> + Send {
        async { Err(AuthFailed::Invalid("tokens are not taken here".into())) }
    }
}

/// Everyone is the same principal, `anonymous`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Anonymous;

impl Authenticate for Anonymous {
    async fn authenticate(&self, _: &Parts) -> Result<Identity, AuthFailed> {
        Ok(Principal::anonymous().into())
    }
}

/// [`Authenticate`] behind a pointer.
#[derive(Clone)]
pub(crate) struct Auth(Arc<dyn Erased>);

impl Auth {
    pub(crate) fn new(auth: impl Authenticate) -> Self {
        Self(Arc::new(auth))
    }

    pub(crate) async fn request(&self, parts: &Parts) -> Result<Identity, AuthFailed> {
        self.0.request(parts).await
    }

    pub(crate) async fn token(&self, token: &str) -> Result<Identity, AuthFailed> {
        self.0.by_token(token).await
    }
}

trait Erased: Send + Sync {
    fn request<'a>(&'a self, parts: &'a Parts) -> BoxFuture<'a, Result<Identity, AuthFailed>>;
    fn by_token<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Identity, AuthFailed>>;
}

impl<T: Authenticate> Erased for T {
    fn request<'a>(&'a self, parts: &'a Parts) -> BoxFuture<'a, Result<Identity, AuthFailed>> {
        Box::pin(self.authenticate(parts))
    }

    fn by_token<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Identity, AuthFailed>> {
        Box::pin(self.token(token))
    }
}
