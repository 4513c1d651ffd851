//! What can go wrong: when views are built, and when one is rendered. It must never tell a stranger more than that
//! something went wrong, unless the program runs in development.

use std::fmt;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::error_page;
use crate::problem::Problem;
use crate::source::SourceError;

/// Views that can't be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The templates can't be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Templates are wrong. All problems are told at once, each with its file and line.
    #[error("{}", Listed(.0))]
    Templates(Vec<Problem>),
}

struct Listed<'a>(&'a [Problem]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in the templates", if self.0.len() == 1 { "a problem" } else { "problems" })?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// A view that could not be rendered. As an answer it is a 500: in development the page that shows the
/// [`problem`](Self::problem), otherwise a bare sentence, the problem being told to `tracing` alone.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.problem)]
pub struct RenderError(Box<Failure>);

#[derive(Debug)]
struct Failure {
    problem: Problem,
    dev: bool,
    request: Option<String>,
    nonce: Option<String>,
}

impl RenderError {
    pub(crate) fn new(problem: Problem, dev: bool, request: Option<String>, nonce: Option<String>) -> Self {
        Self(Box::new(Failure { problem, dev, request, nonce }))
    }

    /// What is wrong, and where.
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }
}

impl IntoResponse for RenderError {
    fn into_response(self) -> Response {
        let Failure { problem, dev, request, nonce } = *self.0;
        tracing::error!(%problem, request = request.as_deref(), "a view failed to render");
        let (media_type, body) = if dev {
            ("text/html; charset=utf-8", error_page::render(&problem, request.as_deref(), nonce.as_deref()))
        } else {
            ("text/plain; charset=utf-8", "Something went wrong on our side. Please try again.\n".to_owned())
        };
        let headers = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "no-store")];
        (StatusCode::INTERNAL_SERVER_ERROR, headers, body).into_response()
    }
}
