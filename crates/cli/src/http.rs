//! Asking a running server over HTTP, for `push` and `doctor`. It knows the routes' prefix and what a failure means to the
//! person who asks; proxies of the environment and TLS are the client library's.

use std::{io::Read, time::Duration};

use anyhow::{Context, anyhow};
use clap::Args;
use ureq::{Agent, http};

/// How long a server may take: longer than any proxy waits by default would only hide that one gave up.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most that is read of an answer: a push's results repeat at most what was sent.
const ANSWER_BYTES: u64 = 16 << 20;

#[derive(Debug, Clone, Args)]
pub(crate) struct Server {
    /// The running server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) url: String,
    /// Where the sync routes are mounted
    #[arg(long, value_name = "PATH", default_value = "/_sync")]
    pub(crate) prefix: String,
    /// A header to send, such as "Authorization: Bearer …" or "Cookie: …"; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub(crate) headers: Vec<(String, String)>,
}

/// An answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Server {
    /// The URL without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        self.url.trim_end_matches('/')
    }

    /// `GET`.
    pub(crate) fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let url = format!("{}{path}", self.base());
        let mut request = agent().get(&url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        answer(&url, request.call())
    }

    /// `POST` of JSON to a sync route.
    pub(crate) fn post(&self, route: &str, body: &str) -> anyhow::Result<Answer> {
        let url = format!("{}{}/{route}", self.base(), self.prefix.trim_end_matches('/'));
        let mut request = agent().post(&url).header("content-type", "application/json");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        answer(&url, request.send(body))
    }
}

fn agent() -> Agent {
    Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).build().into()
}

fn answer(url: &str, sent: Result<http::Response<ureq::Body>, ureq::Error>) -> anyhow::Result<Answer> {
    let mut response = sent.map_err(|error| match error {
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            anyhow!("nobody listens at {url}; is the server running?")
        }
        other => anyhow!("{url}: {other}"),
    })?;
    let mut body = String::new();
    let reader = response.body_mut().as_reader();
    reader.take(ANSWER_BYTES).read_to_string(&mut body).with_context(|| format!("{url} gave no readable answer"))?;
    Ok(Answer { status: response.status().as_u16(), body })
}

pub(crate) fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().into(), value.trim().into())),
        _ => Err("a header is given as \"Name: value\"".into()),
    }
}
