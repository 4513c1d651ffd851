//! Views alone, without sync or live: a page with a form, its components, and a 404. Run it and edit a template:
//! `cargo run -p riverrun-view --example standalone`.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Form, FromRef, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use axum::{Router, serve};
use riverrun_view::{View, Views, embed};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

#[derive(Clone)]
struct App {
    views: Views,
    notes: Arc<Mutex<Vec<Note>>>,
}

impl FromRef<App> for Views {
    fn from_ref(app: &App) -> Self {
        app.views.clone()
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Note {
    title: String,
    #[serde(default)]
    is_urgent: bool,
}

async fn home(view: View, State(app): State<App>) -> impl IntoResponse {
    let notes = app.notes.lock().unwrap_or_else(PoisonError::into_inner).clone();
    view.page("home").with("notes", notes)
}

async fn add(State(app): State<App>, Form(note): Form<Note>) -> impl IntoResponse {
    app.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    Redirect::to("/")
}

async fn missing(view: View) -> impl IntoResponse {
    view.page("missing").status(StatusCode::NOT_FOUND)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let views = Views::builder(embed!("$CARGO_MANIFEST_DIR/examples/standalone/views"))
        .layout("layouts/main")
        .filter("shout", |text: &str| format!("{}!", text.to_uppercase()))
        .build()?;
    let app = App { views, notes: Arc::default() };
    let router = Router::new().route("/", get(home).post(add)).fallback(missing).with_state(app);
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(serve(listener, router).await?)
}
