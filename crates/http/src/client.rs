//! Serves the browser client and its inspector, so that a page needs no package manager. The built files are part of this
//! binary, as they are and compressed; nothing is ever read from a disk, nor compressed at a request.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::LazyLock,
};

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// The client, as one ES module.
static CLIENT: Built = Built::new(
    include_str!("../../../packages/client/dist/client.js"),
    include_bytes!("../../../packages/client/dist/client.js.gz"),
    || tag(CLIENT.text),
);

/// What shows a page's client to whoever builds the page, as one ES module. No page loads it by itself.
static INSPECTOR: Built = Built::new(
    include_str!("../../../packages/client/dist/inspector.js"),
    include_bytes!("../../../packages/client/dist/inspector.js.gz"),
    || tag(INSPECTOR.text),
);

/// A built file, and the tag by which a browser says that it has it: the same for both forms, which say the same.
struct Built {
    text: &'static str,
    gzip: &'static [u8],
    tag: LazyLock<String>,
}

impl Built {
    const fn new(text: &'static str, gzip: &'static [u8], tag: fn() -> String) -> Self {
        Self { text, gzip, tag: LazyLock::new(tag) }
    }

    /// Always revalidated, so that a new server's pages never run an old client for long.
    fn answer(&self, headers: &HeaderMap) -> Response {
        let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| names(value, &self.tag));
        let small = headers.get_all(header::ACCEPT_ENCODING).iter().any(takes_gzip);
        let mut response = match (known, small) {
            (true, _) => StatusCode::NOT_MODIFIED.into_response(),
            (_, true) => ([(header::CONTENT_ENCODING, "gzip")], self.gzip).into_response(),
            _ => self.text.into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
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

/// Whether a list of encodings has gzip, with any weight but none.
fn takes_gzip(list: &HeaderValue) -> bool {
    let takes = |one: &str| {
        let (name, weight) = one.split_once(';').unwrap_or((one, "q=1"));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    };
    list.to_str().is_ok_and(|list| list.split(',').any(takes))
}

/// Whether a list of tags has this one. It counts as a weak one (`W/"…"`), which is what a proxy that compresses makes of it.
fn names(list: &HeaderValue, tag: &str) -> bool {
    let known = |one: &str| one.trim_start_matches("W/") == tag.trim_start_matches("W/") || one == "*";
    list.to_str().is_ok_and(|list| list.split(',').any(|one| known(one.trim())))
}

fn tag(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("W/\"{:016x}\"", hasher.finish())
}
