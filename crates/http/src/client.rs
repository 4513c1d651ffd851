//! Serves the browser client and its inspector, so that a page needs no package manager. The built files are part of this
//! binary; nothing is ever read from a disk.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::LazyLock,
};

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// The client, as one ES module.
static CLIENT: Built = Built::new(include_str!("../../../packages/client/dist/client.js"), || tag(CLIENT.text));

/// What shows a page's client to whoever builds the page, as one ES module. No page loads it by itself.
static INSPECTOR: Built =
    Built::new(include_str!("../../../packages/client/dist/inspector.js"), || tag(INSPECTOR.text));

/// A built file, and the tag by which a browser says that it has it.
struct Built {
    text: &'static str,
    tag: LazyLock<String>,
}

impl Built {
    const fn new(text: &'static str, tag: fn() -> String) -> Self {
        Self { text, tag: LazyLock::new(tag) }
    }

    /// Always revalidated, so that a new server's pages never run an old client for long.
    fn answer(&self, headers: &HeaderMap) -> Response {
        let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| names(value, &self.tag));
        let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { self.text.into_response() };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Ok(tag) = HeaderValue::from_str(&self.tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}

/// Answers `GET client.js`.
pub(crate) async fn client(headers: HeaderMap) -> Response {
    CLIENT.answer(&headers)
}

/// Answers `GET inspector.js`.
pub(crate) async fn inspector(headers: HeaderMap) -> Response {
    INSPECTOR.answer(&headers)
}

/// Whether a list of tags has this one. A proxy that compresses makes a tag a weak one (`W/"…"`), which is as good here.
fn names(list: &HeaderValue, tag: &str) -> bool {
    let known = |one: &str| one.strip_prefix("W/").unwrap_or(one) == tag || one == "*";
    list.to_str().is_ok_and(|list| list.split(',').any(|one| known(one.trim())))
}

fn tag(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}
