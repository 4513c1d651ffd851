//! The home page.

use axum::{
    http::header,
    response::{Html, IntoResponse},
};

/// Answers `GET /`.
pub async fn home() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-cache")], Html(include_str!("../../views/pages/home.html")))
}
