//! Who may read and write which scope. The engine itself asks, on every way in and out, so that no edge can forget to;
//! what the answer is, is the application's.

use std::{future::Future, sync::Arc};

use futures_util::future::BoxFuture;
use riverrun_core::{Principal, Scope};

/// What a principal wants to do in a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Pull, snapshot, subscribe, or see the changes of one's own push.
    Read,
    /// Have a mutation decided.
    Write,
}

/// It could not be found out. Nothing is let through; a push is asked to come again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("access could not be checked: {0}")]
pub struct AccessFailed(pub String);

/// The application's rules of access.
///
/// Asked on push, pull, snapshot and subscribe; live subscriptions are asked again every 30 s, and at once after
/// [`Engine::access_changed`](crate::Engine::access_changed).
///
/// ```
/// use riverrun_engine::{AccessFailed, Action, Authorize};
/// use riverrun_core::{Principal, Scope};
///
/// struct OwnScopeOnly;
///
/// impl Authorize for OwnScopeOnly {
///     async fn authorize(&self, who: &Principal, scope: &Scope, _: Action) -> Result<bool, AccessFailed> {
///         Ok(scope.as_str() == format!("user:{who}"))
///     }
/// }
/// ```
pub trait Authorize: Send + Sync + 'static {
    /// Whether `who` may do this in `scope`.
    fn authorize(
        &self,
        who: &Principal,
        scope: &Scope,
        action: Action,
    ) -> impl Future<Output = Result<bool, AccessFailed>> + Send;
}

/// Everyone may read and write everything. Named, so that it stands in the code that chose it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Public;

impl Authorize for Public {
    async fn authorize(&self, _: &Principal, _: &Scope, _: Action) -> Result<bool, AccessFailed> {
        Ok(true)
    }
}

/// [`Authorize`] behind a pointer.
#[derive(Clone)]
pub(crate) struct Access(Arc<dyn Erased>);

impl Access {
    pub(crate) fn new(rules: impl Authorize) -> Self {
        Self(Arc::new(rules))
    }

    pub(crate) async fn allows(&self, who: &Principal, scope: &Scope, action: Action) -> Result<bool, AccessFailed> {
        self.0.ask(who, scope, action).await
    }
}

trait Erased: Send + Sync {
    fn ask<'a>(
        &'a self,
        who: &'a Principal,
        scope: &'a Scope,
        action: Action,
    ) -> BoxFuture<'a, Result<bool, AccessFailed>>;
}

impl<T: Authorize> Erased for T {
    fn ask<'a>(
        &'a self,
        who: &'a Principal,
        scope: &'a Scope,
        action: Action,
    ) -> BoxFuture<'a, Result<bool, AccessFailed>> {
        Box::pin(self.authorize(who, scope, action))
    }
}
