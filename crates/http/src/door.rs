//! What a request must be before its body is looked at: JSON, of a bounded size, and not sent by another site's page. Who
//! is asking and what may be done is decided behind it.

use axum::{
    body::{Body, Bytes},
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use futures_util::StreamExt;
use riverrun_core::Code;
use riverrun_live::Origins;
use tokio::time::timeout;

use crate::{Limits, answer::Refusal, guard::Held};

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

/// Reads a body of at most `max` bytes, all of it held.
///
/// What is too large, or finds no room, is read on for a while and dropped: an answer to a client that is still sending would
/// be lost with the connection, and the client would try the same again instead of splitting it, or at once.
pub(crate) async fn body(body: Body, max: usize, limits: &Limits, held: &mut Held) -> Result<Bytes, Refusal> {
    let mut stream = body.into_data_stream();
    let (mut kept, mut read, mut full) = (Vec::new(), 0_usize, None);
    let late = |_| Refusal::new(Code::Unavailable, "the body took too long to arrive: try again");
    let whole = async {
        while let Some(chunk) = timeout(limits.body_idle, stream.next()).await.map_err(late)? {
            let chunk = chunk.map_err(|error| {
                tracing::debug!(%error, "a body was cut off");
                Refusal::new(Code::Unavailable, "the body did not arrive whole: try again")
            })?;
            read = read.saturating_add(chunk.len());
            if read > max.saturating_add(DROPPED) {
                break;
            }
            if read <= max && full.is_none() {
                full = held.grow(chunk.len()).err();
                kept.extend_from_slice(&chunk);
            }
            if read > max || full.is_some() {
                kept = Vec::new();
                held.clear();
            }
        }
        Ok::<(), Refusal>(())
    };
    timeout(limits.body_within, whole).await.map_err(late)??;
    if read > max {
        return Err(Refusal::new(Code::TooLarge, format!("a body of this request is at most {max} bytes")));
    }
    full.map_or_else(|| Ok(kept.into()), Err)
}

/// 8 MiB: what is read and dropped of a body that is too large. A client that sends still more loses its answer.
const DROPPED: usize = 8 << 20;

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
