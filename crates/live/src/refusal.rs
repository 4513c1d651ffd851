//! The answer to a handshake that is refused: JSON with a code, as on every other route of the contract. It must never
//! say more than the client may know; the request id ties it to the log.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use uuid::Uuid;

/// 5 s: a full or a draining server is seldom free at once, and clients spread themselves around it.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

#[derive(Serialize)]
struct Refusal<'a> {
    code: &'a str,
    error: &'a str,
    request: &'a str,
}

pub(crate) fn forbidden(error: &str) -> Response {
    answer(StatusCode::FORBIDDEN, "forbidden", error)
}

pub(crate) fn unavailable(error: &str) -> Response {
    let mut response = answer(StatusCode::SERVICE_UNAVAILABLE, "unavailable", error);
    response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    response
}

fn answer(status: StatusCode, code: &str, error: &str) -> Response {
    let request = Uuid::new_v4().to_string();
    tracing::info!(code, error, request, "a WebSocket handshake was refused");
    let body = serde_json::to_string(&Refusal { code, error, request: &request }).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
