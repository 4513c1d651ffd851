//! The contract's questions over real HTTP. Whatever is no answer (a refused connection, one that broke off) is told apart
//! from every answer, because it says nothing about what the server did.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use riverrun_core::{
    Code,
    wire::{ErrorBody, PullAnswer, PushAnswer, SnapshotAnswer},
};
use serde_json::{Value, json};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// The largest answer read: a page of a pull has at most a megabyte and one mutation.
const MOST: u64 = 64 << 20;

/// What came back.
pub(crate) enum Answer<T> {
    /// 200.
    Ok(T),
    /// Another status with the contract's body.
    Refused(Code),
    /// No answer, so no knowledge.
    Nothing,
}

/// A client of one server.
pub(crate) struct Http {
    agent: ureq::Agent,
    url: String,
}

impl Http {
    pub(crate) fn new(url: &str) -> Self {
        let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false);
        Self { agent: config.build().into(), url: url.into() }
    }

    /// The status and body of an answer, or nothing.
    fn ask(&self, path: &str, body: &Value) -> Option<(u16, Vec<u8>)> {
        let request = self.agent.post(format!("{}{path}", self.url)).header("content-type", "application/json");
        let mut answer = request.send(body.to_string().as_bytes()).ok()?;
        let bytes = answer.body_mut().with_config().limit(MOST).read_to_vec().ok()?;
        Some((answer.status().as_u16(), bytes))
    }

    fn post<T: serde::de::DeserializeOwned>(&self, path: &str, body: &Value) -> Result<Answer<T>> {
        let Some((status, bytes)) = self.ask(path, body) else { return Ok(Answer::Nothing) };
        let told = || format!("{path} answered {status} with {}", String::from_utf8_lossy(&bytes));
        if status == 200 {
            return Ok(Answer::Ok(serde_json::from_slice(&bytes).with_context(told)?));
        }
        let refusal: ErrorBody = serde_json::from_slice(&bytes).with_context(told)?;
        if (status == 503) != (refusal.code == Code::Unavailable) {
            bail!("status and code disagree: {}", told());
        }
        Ok(Answer::Refused(refusal.code))
    }

    pub(crate) fn push(&self, body: &Value) -> Result<Answer<PushAnswer>> {
        self.post("/_sync/push", body)
    }

    pub(crate) fn pull(&self, body: &Value) -> Result<Answer<PullAnswer>> {
        self.post("/_sync/pull", body)
    }

    pub(crate) fn snapshot(&self, scope: &str) -> Result<Answer<SnapshotAnswer>> {
        self.post("/_sync/snapshot", &json!({"scope": scope}))
    }

    /// The status of a page.
    pub(crate) fn page(&self, path: &str) -> Option<u16> {
        let mut answer = self.agent.get(format!("{}{path}", self.url)).call().ok()?;
        answer.body_mut().with_config().limit(MOST).read_to_vec().ok()?;
        Some(answer.status().as_u16())
    }
}
