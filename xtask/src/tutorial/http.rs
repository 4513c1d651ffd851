//! As much of HTTP as it takes to ask an application on this machine: one request a connection, read to its end. It is
//! no client for anything else.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// How long one answer may take: far longer than it does, so that only a hang ends it.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

pub(crate) fn get(address: &str, path: &str) -> Result<Answer> {
    ask(address, "GET", path, "text/plain", "")
}

pub(crate) fn post_json(address: &str, path: &str, body: &Value) -> Result<Answer> {
    ask(address, "POST", path, "application/json", &body.to_string())
}

/// As the application's own page posts a form.
pub(crate) fn post_form(address: &str, path: &str, body: &str) -> Result<Answer> {
    ask(address, "POST", path, "application/x-www-form-urlencoded", body)
}

fn ask(address: &str, method: &str, path: &str, kind: &str, body: &str) -> Result<Answer> {
    let failed = || format!("failed to ask {method} {path}");
    let mut stream = TcpStream::connect(address).with_context(failed)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: close\r\n\
         Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).with_context(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).with_context(failed)?;
    read(&answer).with_context(failed)
}

fn read(answer: &str) -> Result<Answer> {
    let (head, text) = answer.split_once("\r\n\r\n").context("the answer has no end of its head")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("the answer has no status")?;
    // The body in pieces would need putting together, and no answer asked for here comes so.
    ensure!(!head.to_ascii_lowercase().contains("transfer-encoding"), "the answer comes in pieces");
    Ok(Answer { status, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn an_answer_has_a_status_and_a_text() {
        let answer = read("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno").unwrap();
        assert_eq!((answer.status, answer.text.as_str()), (404, "no"));
    }

    #[test]
    fn half_an_answer_is_an_error_and_not_an_empty_one() {
        for answer in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\n"]
        {
            assert!(read(answer).is_err(), "{answer:?}");
        }
    }
}
