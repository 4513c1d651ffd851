//! One page on its way: its name, its values, its layout; and the answer it becomes. It must never answer with anything
//! but a 500 if it could not be rendered.

use std::collections::BTreeMap;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::error::RenderError;
use crate::name::{self, Role};
use crate::views::Views;

/// A page to be rendered. A handler returns it as it is, or asks for its text with [`render`](Self::render).
///
/// ```
/// # use riverrun_view::View;
/// use axum::http::StatusCode;
/// use axum::response::IntoResponse;
///
/// async fn home(view: View) -> impl IntoResponse {
///     view.page("home").with("name", "Ada")
/// }
///
/// async fn missing(view: View) -> impl IntoResponse {
///     view.page("missing").layout("layouts/bare").status(StatusCode::NOT_FOUND)
/// }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a page does nothing until it is returned or rendered"]
pub struct Page {
    views: Views,
    pub(crate) role: Role,
    pub(crate) name: String,
    pub(crate) layout: Option<String>,
    pub(crate) values: BTreeMap<String, Value>,
    pub(crate) nonce: Option<String>,
    pub(crate) request: Option<String>,
    status: StatusCode,
}

impl Page {
    pub(crate) fn new(views: Views, role: Role, name: &str) -> Self {
        // The frame of HTML makes no sense around a sitemap, or around a part of a page.
        let is_framed = role == Role::Page && role.file(name).is_none_or(|file| name::ending(&file) == Some("html"));
        let layout = views.inner.layout.clone().filter(|_| is_framed);
        let (values, status) = (BTreeMap::new(), StatusCode::OK);
        Self { views, role, name: name.to_owned(), layout, values, nonce: None, request: None, status }
    }

    /// Gives the page, and its layout, a value. One of the same name is replaced. What can't be serialised is an error
    /// where the template uses it.
    pub fn with<T: Serialize>(mut self, name: &str, value: T) -> Self {
        self.values.insert(name.to_owned(), Value::from(Serde(value)));
        self
    }

    /// Puts the page into another layout than the default one (`"layouts/print"`), or into none (`None`).
    pub fn layout<'a>(mut self, layout: impl Into<Option<&'a str>>) -> Self {
        self.layout = layout.into().map(str::to_owned);
        self
    }

    /// The status of the answer, 200 if left out. Unlike a status put beside the page in a tuple, it does not turn a
    /// failed render into a success.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The nonce of the answer's content security policy: the variable `nonce` of page and layout, and what lets the
    /// development's error page have its styles.
    pub fn nonce(mut self, nonce: &str) -> Self {
        self.nonce = Some(nonce.to_owned());
        self.with("nonce", nonce)
    }

    /// The page's text.
    pub fn render(self) -> Result<String, RenderError> {
        self.views.clone().render(self)
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let status = self.status;
        let media_type = name::media_type(&self.role.file(&self.name).unwrap_or_default());
        match self.render() {
            Ok(text) => (status, [(header::CONTENT_TYPE, media_type)], text).into_response(),
            Err(error) => error.into_response(),
        }
    }
}
