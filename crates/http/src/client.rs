//! Serves the browser client, so that a page needs no package manager. The built file is part of this binary.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// The client, as one ES module.
const CLIENT: &str = include_str!("../../../packages/client/dist/client.js");

/// Answers `GET client.js`: always revalidated, so that a new server's pages never run an old client for long.
pub(crate) async fn serve(headers: HeaderMap) -> Response {
    let tag = format!("\"{:016x}\"", fingerprint());
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| names(value, &tag));
    let body = if known { StatusCode::NOT_MODIFIED.into_response() } else { CLIENT.into_response() };
    let mut response = body;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// Whether a list of tags has this one. A proxy that compresses makes a tag a weak one (`W/"…"`), which is as good here.
fn names(list: &HeaderValue, tag: &str) -> bool {
    let known = |one: &str| one.strip_prefix("W/").unwrap_or(one) == tag || one == "*";
    list.to_str().is_ok_and(|list| list.split(',').any(|one| known(one.trim())))
}

fn fingerprint() -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    static TAG: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    *TAG.get_or_init(|| {
        let mut hasher = DefaultHasher::new();
        CLIENT.hash(&mut hasher);
        hasher.finish()
    })
}
