//! Views in a handler: the extractor, and the values a middleware gives to every page of a request. It must never fail:
//! a handler that takes a view always gets one.

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::page::Page;
use crate::views::Views;

/// Renders pages for one request. The router's state is [`Views`], or gives them: `impl FromRef<App> for Views`.
///
/// ```
/// use axum::{Router, response::IntoResponse, routing::get};
/// use riverrun_view::{View, Views};
///
/// async fn home(view: View) -> impl IntoResponse {
///     view.page("home").with("name", "Ada")
/// }
///
/// fn router(views: Views) -> Router {
///     Router::new().route("/", get(home)).with_state(views)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct View {
    views: Views,
    shared: Shared,
    request: String,
}

impl View {
    /// The page `pages/<name>.html`, in the default layout, with the request's [`Shared`] values.
    pub fn page(&self, name: &str) -> Page {
        self.prepare(self.views.page(name))
    }

    /// The component `components/<name>.html` alone, without a layout. It gets its own values only, as components do.
    pub fn component(&self, name: &str) -> Page {
        let mut page = self.views.component(name);
        page.nonce.clone_from(&self.shared.nonce);
        page.request = Some(self.request.clone());
        page
    }

    /// The views themselves.
    pub fn views(&self) -> &Views {
        &self.views
    }

    fn prepare(&self, mut page: Page) -> Page {
        page.values.clone_from(&self.shared.values);
        page.nonce.clone_from(&self.shared.nonce);
        page.request = Some(self.request.clone());
        page
    }
}

impl<S> FromRequestParts<S> for View
where
    Views: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let shared = parts.extensions.get::<Shared>().cloned().unwrap_or_default();
        // Without the query: it may hold what does not belong into a log.
        let request = format!("{} {}", parts.method, parts.uri.path());
        Ok(Self { views: Views::from_ref(state), shared, request })
    }
}

/// Values every page and layout of a request sees, put into the request's extensions by a middleware: who is signed in,
/// the nonce of the content security policy. Components see only what they are given.
///
/// ```
/// use axum::{extract::Request, middleware::Next, response::Response};
/// use riverrun_view::Shared;
///
/// async fn share(mut request: Request, next: Next) -> Response {
///     request.extensions_mut().insert(Shared::new().with("user", "Ada"));
///     next.run(request).await
/// }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Shared {
    values: BTreeMap<String, Value>,
    nonce: Option<String>,
}

impl Shared {
    /// No values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value. A page's own value of the same name hides it.
    pub fn with<T: Serialize>(mut self, name: &str, value: T) -> Self {
        self.values.insert(name.to_owned(), Value::from(Serde(value)));
        self
    }

    /// Adds the nonce of the answer's content security policy, as [`Page::nonce`] does for one page.
    pub fn nonce(mut self, nonce: &str) -> Self {
        self.nonce = Some(nonce.to_owned());
        self.with("nonce", nonce)
    }
}
