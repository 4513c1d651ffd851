//! The pages, from what the store says to what a browser shows. A page of a list holds the list as it is now, for
//! readers, and as a snapshot, for the script; so it is never kept by caches.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use riverrun::{core::wire::SnapshotAnswer, engine::Refused, prelude::*, view::raw_json};
use serde::Serialize;

use super::filter::Filter;
use crate::{
    server::App,
    service::todo::{List, State, Todo},
};

/// What a page says beside the list: what came of a form.
#[derive(Debug, Default)]
pub struct Said {
    /// 200 if left out.
    pub status: StatusCode,
    /// Why something was not done.
    pub notice: String,
    /// What was typed as a new todo and is not one yet.
    pub typed: String,
    /// What was typed as a todo's title and is not it yet, and whose.
    pub edited: Option<(String, String)>,
    /// The once of a form that may be sent again as it was.
    pub once: Option<String>,
}

/// What the page's script starts from.
#[derive(Serialize)]
struct Boot<'a> {
    scope: String,
    snapshot: &'a SnapshotAnswer,
}

/// A todo as its component takes it.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    title: &'a str,
    completed: bool,
    hidden: bool,
    /// What stands in the field of its title.
    draft: &'a str,
    editing: bool,
}

/// Where a list's forms go.
#[derive(Serialize)]
struct Form<'a> {
    action: &'a str,
    query: &'a str,
    once: &'a str,
}

/// The page of a list.
pub async fn list(view: &View, app: &App, list: &List, filter: Filter, said: Said) -> Response {
    let State { todos, snapshot } = match app.store().read(&Principal::anonymous(), list).await {
        Ok(state) => state,
        Err(refused) => return trouble(view, &refused),
    };
    let boot = match raw_json(&Boot { scope: list.scope(), snapshot: &snapshot }) {
        Ok(boot) => boot,
        Err(error) => {
            tracing::error!(%error, "a snapshot can't be written");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let rows: Vec<_> = todos.iter().map(|todo| row(todo, filter, &said)).collect();
    let left = todos.iter().filter(|todo| !todo.completed).count();
    let once = said.once.clone().unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let action = format!("/lists/{}", list.name());
    let page = view
        .page("home")
        .status(said.status)
        .with("heading", list.title())
        .with("path", list.path())
        .with("rows", rows)
        .with("blank", Row { id: "", title: "", completed: false, hidden: false, draft: "", editing: false })
        .with("form", Form { action: &action, query: &filter.query(), once: &once })
        .with("filters", filter.links(&list.path()))
        .with("filter", filter.name())
        .with("left", left)
        .with("done", todos.len() - left)
        .with("shown", todos.iter().filter(|todo| filter.shows(todo.completed)).count())
        .with("notice", said.notice)
        .with("typed", said.typed)
        .with("boot", boot);
    ([(header::CACHE_CONTROL, "no-store")], page).into_response()
}

fn row<'a>(todo: &'a Todo, filter: Filter, said: &'a Said) -> Row<'a> {
    let edited = said.edited.as_ref().filter(|(id, _)| *id == todo.id);
    Row {
        id: &todo.id,
        title: &todo.title,
        completed: todo.completed,
        hidden: !filter.shows(todo.completed),
        draft: edited.map_or(&todo.title, |(_, title)| title),
        editing: edited.is_some(),
    }
}

/// There is no such page.
pub fn not_found(view: &View) -> Response {
    let text = "There is nothing at this address. A list's name has 1 to 40 small letters, digits and hyphens.";
    problem(view, StatusCode::NOT_FOUND, "Not found", text)
}

/// A form that can't be read.
pub fn unreadable(view: &View) -> Response {
    problem(view, StatusCode::BAD_REQUEST, "Not understood", "This form did not arrive whole, or was far too long.")
}

/// A list that can't be read now.
fn trouble(view: &View, refused: &Refused) -> Response {
    tracing::error!(code = %refused.code, error = %refused.error, "a list could not be shown");
    let text = "This list can't be read right now. Nothing is lost: try again in a moment.";
    problem(view, StatusCode::SERVICE_UNAVAILABLE, "Not available", text)
}

fn problem(view: &View, status: StatusCode, heading: &str, text: &str) -> Response {
    let page = view.page("problem").status(status).with("heading", heading).with("text", text);
    ([(header::CACHE_CONTROL, "no-store")], page).into_response()
}
