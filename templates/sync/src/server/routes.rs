//! Which path is answered by what.

use axum::{
    Router, middleware,
    routing::{get, post},
};

use super::{App, assets, security};
use crate::handler::{self, todo};

pub fn router(app: &App) -> Router {
    Router::new()
        .route("/", get(handler::home))
        .route("/lists", get(handler::find))
        .route("/lists/{list}", get(handler::list))
        // What the page's forms post to where scripts are off.
        .route("/lists/{list}/create", post(todo::create))
        .route("/lists/{list}/toggle", post(todo::toggle))
        .route("/lists/{list}/edit", post(todo::edit))
        .route("/lists/{list}/delete", post(todo::delete))
        .route("/lists/{list}/clear", post(todo::clear))
        .route("/static/{*name}", get(assets::serve))
        .route("/service-worker.js", get(assets::service_worker))
        .fallback(handler::not_found)
        .with_state(app.clone())
        .merge(app.sync.clone()) // /_sync/*, /ws, /healthz
        .layer(middleware::from_fn(security::headers))
}
