//! The whole application over a store in memory, asked as a browser asks it.
#![allow(dead_code)]

use std::path::PathBuf;

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use myapp::{
    server::{App, Config, Mode},
    service::todo::{List, Todo},
};
use riverrun::prelude::*;
use tower::ServiceExt as _;

pub fn config(mode: Mode) -> Config {
    Config { host: "127.0.0.1".into(), port: 0, database: PathBuf::from("unused.db"), mode }
}

pub async fn app() -> App {
    App::over(Memory::new(), &config(Mode::Release)).await.unwrap()
}

/// An answer, read whole.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The values of the fields of this name, in order.
    pub fn values(&self, field: &str) -> Vec<&str> {
        let start = format!("name=\"{field}\" value=\"");
        self.text.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
    }

    /// The id that the page's forms carry.
    pub fn once(&self) -> String {
        self.values("once")[0].to_owned()
    }
}

pub async fn ask(app: &App, request: Request<Body>) -> Answer {
    let response = app.router().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 22).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
}

pub async fn get(app: &App, path: &str) -> Answer {
    ask(app, Request::get(path).header(header::HOST, "app.test").body(Body::empty()).unwrap()).await
}

/// A form of the application's own page.
pub async fn post(app: &App, path: &str, body: &str) -> Answer {
    post_from(app, path, body, "http://app.test").await
}

pub async fn post_from(app: &App, path: &str, body: &str, origin: &str) -> Answer {
    let request = Request::post(path)
        .header(header::HOST, "app.test")
        .header(header::ORIGIN, origin)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body.to_owned()))
        .unwrap();
    ask(app, request).await
}

/// What the list at `/` holds.
pub async fn todos(app: &App) -> Vec<Todo> {
    app.store().read(&Principal::anonymous(), &List::home()).await.unwrap().todos
}

/// As `title` or `✓ title`.
pub async fn shown(app: &App) -> Vec<String> {
    let show = |todo: Todo| format!("{}{}", if todo.completed { "✓ " } else { "" }, todo.title);
    todos(app).await.into_iter().map(show).collect()
}
