//! Which path is answered by what.

use axum::{Router, http::header, routing::get};
use riverrun::prelude::*;

use crate::handler;

pub fn router(engine: &Engine) -> Router {
    Router::new()
        .route("/", get(handler::home))
        .route(
            "/static/style.css",
            get(async || asset("text/css; charset=utf-8", include_str!("../../assets/css/style.css"))),
        )
        .route(
            "/static/app.js",
            get(async || asset("text/javascript; charset=utf-8", include_str!("../../assets/js/app.js"))),
        )
        .merge(riverrun::router(engine)) // /_sync/*, /ws, /healthz
}

fn asset(kind: &'static str, text: &'static str) -> impl axum::response::IntoResponse {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text)
}
