//! What the page's forms do where scripts are off: the same commands as the script's, through the same engine. Each form
//! holds an id that was made with the page, so one that is sent twice is done once.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use riverrun::{core::Code, engine::MutateError, prelude::*};
use serde::Serialize;

use super::{
    form::TodoForm,
    page::{self, Said},
};
use crate::service::todo::{ClearTodos, CreateTodo, EditTodo, OneTodo, ToggleTodo};

/// Answers `POST /lists/{list}/create`.
pub async fn create(form: TodoForm) -> Response {
    // The form's own id is the todo's too: sent twice, it names one todo.
    let args = CreateTodo { id: form.fields.get("once").into(), title: form.fields.get("title").into() };
    let said = Said { typed: args.title.clone(), ..Said::default() };
    change(&form, "create", "", &args, said).await
}

/// Answers `POST /lists/{list}/toggle`.
pub async fn toggle(form: TodoForm) -> Response {
    let completed = form.fields.get("completed").parse().ok();
    let args = ToggleTodo { id: form.fields.get("id").into(), completed };
    change(&form, "toggle", &args.id, &args, Said::default()).await
}

/// Answers `POST /lists/{list}/edit`.
pub async fn edit(form: TodoForm) -> Response {
    let args = EditTodo { id: form.fields.get("id").into(), title: form.fields.get("title").into() };
    let said = Said { edited: Some((args.id.clone(), args.title.clone())), ..Said::default() };
    change(&form, "edit", &args.id, &args, said).await
}

/// Answers `POST /lists/{list}/delete`.
pub async fn delete(form: TodoForm) -> Response {
    let args = OneTodo { id: form.fields.get("id").into() };
    change(&form, "delete", &args.id, &args, Said::default()).await
}

/// Answers `POST /lists/{list}/clear`.
pub async fn clear(form: TodoForm) -> Response {
    change(&form, "clear", "", &ClearTodos {}, Said::default()).await
}

/// Does it and shows the list again, or says why not beside what was typed.
async fn change(form: &TodoForm, verb: &str, todo: &str, args: &impl Serialize, said: Said) -> Response {
    // All forms of one page share its id; what is done, and to which todo, makes it one of a mutation's.
    let once = form.fields.get("once");
    let id = format!("{once}.{verb}.{todo}");
    let store = form.app.store();
    let done = store.change(&id, &Principal::anonymous(), &form.list, &format!("todo.{verb}"), args).await;
    let error = match done {
        Ok(()) => {
            let back = format!("{}{}", form.list.path(), form.filter.query());
            return Redirect::to(&back).into_response();
        }
        Err(error) => error,
    };
    let (status, notice, once) = match error {
        MutateError::Rejected(no) => (StatusCode::UNPROCESSABLE_ENTITY, format!("Not done: {}.", no.error), None),
        MutateError::Refused(no) if no.code == Code::Unavailable => {
            let notice = "Not saved yet: the server is busy. Send it again, it is done once.".into();
            (StatusCode::SERVICE_UNAVAILABLE, notice, Some(once.to_owned()))
        }
        MutateError::Refused(no) if no.code == Code::InternalError => {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("Not done: {}.", no.error), None)
        }
        // Sent before with something else in it (the browser's back button), or not one of this page's forms at all.
        MutateError::Refused(_) | MutateError::Id(_) | MutateError::Args(_) => {
            (StatusCode::CONFLICT, "Not done: this page was out of date. It is fresh now, send it again.".into(), None)
        }
    };
    page::list(&form.view, &form.app, &form.list, form.filter, Said { status, notice, once, ..said }).await
}
