//! What a request must be before its body is looked at: JSON, of a bounded size, and not sent by another site's page. Who
//! is asking and what may be done is decided behind it.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use riverrun_core::{Code, limits};
use riverrun_live::Origins;

use crate::answer::Refusal;

/// Refuses a request another site's page made: its `Origin` is not allowed, or the browser says it is cross-site.
pub(crate) fn own_site(headers: &HeaderMap, origins: &Origins) -> Result<(), Refusal> {
    let refused = || Refusal::new(Code::Forbidden, "this request comes from another site");
    if headers.contains_key(header::ORIGIN) {
        return origins.check(headers).map_err(|_| refused());
    }
    // Browsers send an Origin with every POST; one without it, but with this header, hides where it comes from.
    match headers.get("sec-fetch-site").map(axum::http::HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(refused()),
    }
}

/// Refuses anything but `application/json`: other types can be posted by a plain form of any site.
pub(crate) fn json_only(headers: &HeaderMap) -> Result<(), Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::new(Code::UnsupportedMediaType, "send application/json"))
}

/// Reads a body of at most `max` bytes.
pub(crate) async fn body(body: Body, max: usize) -> Result<Bytes, Refusal> {
    to_bytes(body, max).await.map_err(|error| {
        // The limit is the only thing that can be wrong with a body that arrives whole; the rest is a cut connection.
        tracing::debug!(%error, "a body was not read");
        Refusal::new(Code::TooLarge, format!("a body of this request is at most {max} bytes"))
    })
}

/// The most bytes any route of the contract reads.
pub(crate) const MAX_BODY: usize = limits::PUSH_BYTES;

/// An extractor for routes of the application's own that change something, such as the targets of plain forms: it refuses
/// what another site's page sent.
///
/// ```
/// async fn add(_: riverrun_http::SameOrigin) -> &'static str {
///     "added"
/// }
/// let app: axum::Router = axum::Router::new().route("/add", axum::routing::post(add));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct SameOrigin;

impl<S: Sync> FromRequestParts<S> for SameOrigin {
    type Rejection = axum::response::Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        use axum::response::IntoResponse;
        match own_site(&parts.headers, &Origins::SameOrigin) {
            Ok(()) => Ok(Self),
            Err(refusal) => Err(refusal.into_response()),
        }
    }
}
