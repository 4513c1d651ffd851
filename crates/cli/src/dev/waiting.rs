//! What is answered while there is no program to answer: to a person a page that says so and comes back by itself, to a
//! script an error it knows how to wait out. It must never look like an answer of the application.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};

use super::{
    board::Board,
    inject::{Asked, tag},
};

/// Styles and what they hold stand in a file of their own, beside the script's.
const STYLE: &str = include_str!("waiting.css");

/// Seconds after which a script may ask again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The sync contract's shape of an error, so that its clients wait instead of giving up.
const NOT_THERE: &str =
    r#"{"code":"unavailable","error":"the application is not running yet: riverrun dev is building it"}"#;

pub(super) fn answer(board: &Board, is_page: bool, asked: Asked) -> Response<Body> {
    let (kind, body) = if is_page { (HTML, page(board, asked)) } else { (JSON, NOT_THERE.to_owned()) };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::RETRY_AFTER, RETRY_AFTER);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn page(board: &Board, asked: Asked) -> String {
    let tag = tag(&board.version(), asked.posted, None).replacen("<script", "<script data-waiting", 1);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>riverrun dev</title>\n<style>\n{STYLE}</style>\n\
         <main>\n<h1>Not there yet</h1>\n<p id=\"riverrun-dev-doing\" role=\"status\">The application is being built.</p>\n\
         <p class=\"note\">This page becomes the application by itself.</p>\n</main>\n{tag}"
    )
}
