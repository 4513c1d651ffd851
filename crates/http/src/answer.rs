//! What a refusal looks like over HTTP: the status of its code, a body in the contract's form, and an id under which the
//! server's log tells more. The only place that knows both codes and statuses.

use std::time::Duration;

use axum::{
    Json as Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use riverrun_core::{
    Code,
    wire::{BadRequest, ErrorBody},
};
use riverrun_engine::Refused;

/// Seconds after which a client may come again when the server has no better idea. Clients add their own jitter.
const RETRY_AFTER: u64 = 2;

/// A refused request.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    /// A sentence for the client: nothing of the inside belongs in it.
    pub(crate) error: String,
    /// Seconds after which to come again, for a code that asks to.
    retry_after: u64,
}

impl Refusal {
    pub(crate) fn new(code: Code, error: impl Into<String>) -> Self {
        Self { code, error: error.into(), retry_after: RETRY_AFTER }
    }

    /// Asked too often: when to come again.
    pub(crate) fn rate_limited(wait: Duration) -> Self {
        // Whole seconds, and never sooner than it would help.
        let retry_after = wait.as_secs() + 1;
        Self { retry_after, ..Self::new(Code::RateLimited, "too many requests: slow down") }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self::new(refused.code, refused.error)
    }
}

impl From<BadRequest> for Refusal {
    fn from(bad: BadRequest) -> Self {
        Self::new(bad.code, bad.error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let request = uuid::Uuid::now_v7().to_string();
        tracing::info!(code = %self.code, error = %self.error, %request, "a request was refused");
        let body = ErrorBody { code: self.code, error: self.error, request: Some(request) };
        let mut response = (status(self.code), Body(body)).into_response();
        if matches!(self.code, Code::Unavailable | Code::RateLimited) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(self.retry_after));
        }
        response
    }
}

/// The status of a code, as the protocol's table says.
pub(crate) fn status(code: Code) -> StatusCode {
    match code {
        Code::InvalidMutation => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Forbidden => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Conflict | Code::SeqConflict | Code::SchemaMismatch | Code::OutOfOrder => StatusCode::CONFLICT,
        Code::CursorTooOld | Code::EpochChanged | Code::Expired | Code::ClientUnknown => StatusCode::GONE,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::Rejected => StatusCode::UNPROCESSABLE_ENTITY,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_status_of_the_contracts_table() {
        let table = [
            (400, "invalid_mutation"),
            (401, "unauthenticated"),
            (403, "forbidden"),
            (404, "not_found"),
            (409, "conflict seq_conflict schema_mismatch out_of_order"),
            (410, "cursor_too_old epoch_changed expired client_unknown"),
            (413, "too_large"),
            (415, "unsupported_media_type"),
            (422, "rejected"),
            (429, "rate_limited"),
            (500, "internal_error"),
            (503, "unavailable"),
        ];
        let mut seen = 0;
        for (expected, codes) in table {
            for code in codes.split(' ') {
                let code = Code::parse(code).unwrap();
                let response = Refusal::new(code, "no").into_response();
                assert_eq!((response.status().as_u16(), code), (expected, code));
                let later = response.headers().contains_key(header::RETRY_AFTER);
                assert_eq!(later, matches!(expected, 429 | 503), "{code}");
                seen += 1;
            }
        }
        assert_eq!(seen, Code::ALL.len());
    }
}
