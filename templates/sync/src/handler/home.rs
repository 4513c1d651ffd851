//! The lists: the one at `/`, the others by their names, and the way to them.

use axum::{
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Redirect, Response},
};
use riverrun::prelude::*;

use super::{
    filter::Filter,
    form::Fields,
    page::{self, Said},
};
use crate::{server::App, service::todo::List};

/// Answers `GET /`.
pub async fn home(view: View, State(app): State<App>, RawQuery(query): RawQuery) -> Response {
    page::list(&view, &app, &List::home(), Filter::of_query(query.as_deref()), Said::default()).await
}

/// Answers `GET /lists/{list}`.
pub async fn list(view: View, State(app): State<App>, Path(name): Path<String>, RawQuery(query): RawQuery) -> Response {
    let filter = Filter::of_query(query.as_deref());
    match List::new(&name) {
        // One list, one address: what is kept for offline use is kept by address.
        Ok(list) if list.is_home() => Redirect::permanent(&format!("/{}", filter.query())).into_response(),
        Ok(list) => page::list(&view, &app, &list, filter, Said::default()).await,
        Err(_) => page::not_found(&view),
    }
}

/// Answers `GET /lists?name=…`: the form that opens a list.
pub async fn find(view: View, RawQuery(query): RawQuery) -> Response {
    match List::typed(Fields::read(query.as_deref().unwrap_or_default()).get("name")) {
        Ok(list) => Redirect::to(&list.path()).into_response(),
        Err(_) => page::not_found(&view),
    }
}

/// Answers everything else.
pub async fn not_found(view: View) -> Response {
    page::not_found(&view)
}
