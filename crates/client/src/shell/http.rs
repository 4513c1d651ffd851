//! Questions over HTTP. Every one ends, with an answer or a failure, and none is tried again here.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, StatusCode, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use super::options::Token;
use crate::{event::Question, limits::ANSWER_MS, words::Failed};

/// Bytes of an answer that are taken: a snapshot of a large scope fits, a stream without an end does not.
const ANSWER_BYTES: usize = 256 << 20;

/// The routes of one server.
#[derive(Clone)]
pub(super) struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    token: Option<Token>,
}

impl Http {
    pub(super) fn new(token: Option<Token>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self { client: Client::builder(TokioExecutor::new()).build(connector), token }
    }

    /// Asks. Ends within the time after which the core counts an answer as lost.
    pub(super) async fn ask(&self, address: String, question: Question) -> Result<String, Failed> {
        let patience = Duration::from_millis(ANSWER_MS.unsigned_abs());
        match tokio::time::timeout(patience, self.post(address, question.body)).await {
            Ok(answer) => answer,
            Err(_) => Err(Failed::lost("no answer")),
        }
    }

    async fn post(&self, address: String, body: String) -> Result<String, Failed> {
        let mut request = Request::post(address).header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token()));
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(lost)?;
        let response = self.client.request(request).await.map_err(lost)?;
        let (status, retry_after) = (response.status(), retry_after_ms(response.headers()));
        let body = Limited::new(response.into_body(), ANSWER_BYTES).collect().await.map_err(lost)?;
        let text = String::from_utf8(body.to_bytes().into()).map_err(lost)?;
        if status == StatusCode::OK { Ok(text) } else { Err(Failed::answered(status.as_u16(), &text, retry_after)) }
    }
}

fn lost(error: impl std::fmt::Display) -> Failed {
    Failed::lost(error.to_string())
}

/// Milliseconds a Retry-After asks for, where it counts seconds; a date is not read.
fn retry_after_ms(headers: &header::HeaderMap) -> i64 {
    let seconds = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse::<i64>().ok());
    seconds.unwrap_or(0).clamp(0, i64::from(u32::MAX)) * 1000
}
