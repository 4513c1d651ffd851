//! Rules as an application would write them: bearer tokens say who is asking, grants that can be withdrawn say who may
//! touch what.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::http::request::Parts;
use riverrun_core::{Principal, Scope};
use riverrun_engine::{AccessFailed, Action, Authorize};
use riverrun_http::{AuthFailed, Authenticate, Identity};

use super::SECRET;

/// Tokens `token-of-<name>` are good; `brief-<name>` are for a moment; `down` can't be checked.
pub(crate) struct Bearer;

impl Bearer {
    /// How long a `brief` token holds: long enough to be used on a busy machine.
    pub(crate) const BRIEF: Duration = Duration::from_millis(1500);
}

impl Authenticate for Bearer {
    async fn authenticate(&self, request: &Parts) -> Result<Identity, AuthFailed> {
        let header = request.headers.get("authorization").ok_or(AuthFailed::Missing)?;
        let token = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
        self.token(token.ok_or(AuthFailed::Missing)?).await
    }

    async fn token(&self, token: &str) -> Result<Identity, AuthFailed> {
        if token == "down" {
            return Err(AuthFailed::Unavailable(SECRET.into()));
        }
        let (name, expires_in) = match (token.strip_prefix("token-of-"), token.strip_prefix("brief-")) {
            (Some(name), _) => (name, None),
            (_, Some(name)) => (name, Some(Self::BRIEF)),
            _ => return Err(AuthFailed::Invalid("this token is not valid".into())),
        };
        let principal = Principal::new(name).map_err(|error| AuthFailed::Invalid(error.to_string()))?;
        Ok(Identity { principal, expires_in })
    }
}

/// A principal may touch the scope `user:<its name>`, and read or write what was granted. Of `unknowable` nothing can be
/// found out.
#[derive(Clone, Default)]
pub(crate) struct Grants(Arc<Mutex<HashSet<(String, String, Action)>>>);

impl Grants {
    pub(crate) fn give(&self, who: &str, scope: &str, action: Action) {
        self.0.lock().unwrap().insert((who.into(), scope.into(), action));
    }

    pub(crate) fn take(&self, who: &str, scope: &str, action: Action) {
        self.0.lock().unwrap().remove(&(who.into(), scope.into(), action));
    }
}

impl Authorize for Grants {
    async fn authorize(&self, who: &Principal, scope: &Scope, action: Action) -> Result<bool, AccessFailed> {
        if scope.as_str() == "unknowable" {
            return Err(AccessFailed(SECRET.into()));
        }
        let granted = (who.as_str().to_string(), scope.as_str().to_string(), action);
        Ok(scope.as_str() == format!("user:{who}") || self.0.lock().unwrap().contains(&granted))
    }
}
