//! Puts the script of development into an application's pages: one tag behind the end of the document, where every
//! browser runs it. It must never touch what is not a whole page: parts of pages, data, files.

use axum::{
    body::Body,
    http::{HeaderMap, Method, Response, header},
};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use uuid::Uuid;

use super::csp;

/// Bytes in which a page says what it is: a mark of the byte order, some blank lines, a comment, the doctype.
const OPENING: usize = 512;

/// What a page's text begins with; a part of a page begins with something else.
const OPENINGS: [&str; 4] = ["<!doctype", "<html", "<head>", "<head "];

/// How a page was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// With a form: it must not be asked for again by itself.
    pub(super) posted: bool,
    pub(super) head: bool,
}

impl Asked {
    pub(super) fn by(method: &Method) -> Self {
        Self { posted: method != Method::GET && method != Method::HEAD, head: method == Method::HEAD }
    }
}

/// The answer with the script in it, if it is a page. `version` is what the page was made with, taken before it was
/// asked for.
pub(super) async fn page(answer: Response<Incoming>, asked: Asked, version: (String, u64)) -> Response<Body> {
    let (mut parts, mut body) = answer.into_parts();
    if asked.head || !is_html(&parts.headers) {
        return Response::from_parts(parts, Body::new(body));
    }
    let mut opening = BytesMut::new();
    let mut rest = None;
    while opening.len() < OPENING {
        match body.frame().await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => opening.extend_from_slice(&data),
                Err(_trailers) => break,
            },
            Some(Err(error)) => {
                rest = Some(error);
                break;
            }
            None => break,
        }
    }
    let is_page = is_page(&opening);
    let mut end = String::new();
    if is_page {
        let nonce = csp::make_room(&mut parts.headers, &Uuid::new_v4().simple().to_string());
        end = tag(&version, asked.posted, nonce.as_deref());
        parts.headers.remove(header::CONTENT_LENGTH);
        // The bytes are no longer those the application named.
        parts.headers.remove(header::ETAG);
        parts.headers.remove(header::LAST_MODIFIED);
    }
    let failed = rest.map(Err);
    let whole = stream::iter([Ok(opening.freeze())])
        .chain(stream::iter(failed))
        .chain(body.into_data_stream())
        .chain(stream::iter([Ok(Bytes::from(end))]));
    Response::from_parts(parts, Body::from_stream(whole))
}

fn is_html(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.to_ascii_lowercase().starts_with("text/html") && !headers.contains_key(header::CONTENT_ENCODING)
}

fn is_page(opening: &[u8]) -> bool {
    let text = String::from_utf8_lossy(opening);
    let mut text = text.trim_start_matches('\u{feff}').trim_start();
    while let Some((_, after)) = text.strip_prefix("<!--").and_then(|comment| comment.split_once("-->")) {
        text = after.trim_start();
    }
    OPENINGS.iter().any(|opening| text.get(..opening.len()).is_some_and(|start| start.eq_ignore_ascii_case(opening)))
}

/// The tag. Nothing in it needs escaping: a version is letters and digits, and a nonce that had anything else in it
/// would be no nonce.
pub(super) fn tag((page, styles): &(String, u64), posted: bool, nonce: Option<&str>) -> String {
    let is_plain = |nonce: &&str| nonce.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte));
    let nonce = nonce.filter(is_plain).map(|nonce| format!(" nonce=\"{nonce}\"")).unwrap_or_default();
    let posted = if posted { " data-posted" } else { "" };
    format!("<script src=\"/_dev/client.js\" data-page=\"{page}\" data-styles=\"{styles}\"{posted}{nonce}></script>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_told_from_a_part_of_one() {
        for page in
            ["<!DOCTYPE html><p>", "\u{feff}\n <!doctype html>", "<html lang=en>", "<!-- a --> <!-- b --><head>"]
        {
            assert!(is_page(page.as_bytes()), "{page}");
        }
        for part in ["<li>a</li>", "", "doctype", "<!-- <html> ", "<header>"] {
            assert!(!is_page(part.as_bytes()), "{part}");
        }
    }

    #[test]
    fn a_nonce_can_not_end_the_tag() {
        let tag = |nonce| tag(&("a.1".to_owned(), 2), false, Some(nonce));
        assert!(tag("aB3+/-_=").contains(" nonce=\"aB3+/-_=\""));
        assert!(!tag("\"><script>").contains("nonce"));
    }
}
