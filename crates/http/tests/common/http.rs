//! The smallest HTTP client that can say what a test needs, also what a good client never would: any header, any bytes. One
//! connection a request, the whole request written before the answer is read.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::soon;

#[derive(Clone)]
pub(crate) struct Request {
    addr: SocketAddr,
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn get(addr: SocketAddr, path: &str) -> Self {
        Self { addr, method: "GET", path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// A post of JSON, as a plain client sends it.
    pub(crate) fn post(addr: SocketAddr, path: &str, body: impl Into<Vec<u8>>) -> Self {
        let post = Self { method: "POST", body: body.into(), ..Self::get(addr, path) };
        post.header("content-type", "application/json")
    }

    /// Sets a header, instead of the one of this name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// As this principal, by its token.
    pub(crate) fn of(self, who: &str) -> Self {
        self.header("authorization", &format!("Bearer token-of-{who}"))
    }

    /// Where it goes to.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The request's bytes, head and body.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Self { addr, method, path, headers, body } = self;
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {addr}\r\n");
        if !headers.iter().any(|(name, _)| name == "connection") {
            head += "connection: close\r\n";
        }
        let length = body.len().to_string();
        let counted = (*method == "POST").then_some(("content-length", length.as_str()));
        for (name, value) in headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(counted) {
            head.extend([name, ": ", value, "\r\n"]);
        }
        [head.as_bytes(), b"\r\n", body].concat()
    }

    pub(crate) async fn send(self) -> Answer {
        soon(async {
            let mut stream = TcpStream::connect(self.addr).await.unwrap();
            // A server may answer and close before it has read everything.
            let _ = stream.write_all(&self.bytes()).await;
            Answer::read(&mut stream).await
        })
        .await
    }
}

impl Answer {
    pub(crate) async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes).await;
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer, {read:?}: {}", String::from_utf8_lossy(&bytes)));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap().parse().unwrap();
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_string()));
        let answer = Self { status, headers: lines.filter_map(header).collect(), body: bytes[end + 4..].to_vec() };
        if let Some(length) = answer.header("content-length").filter(|_| answer.status != 304) {
            assert_eq!(length.parse(), Ok(answer.body.len()), "the whole body came");
        }
        answer
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body of a 200.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// Checks a refusal: status, code, and a body of exactly the contract's three fields.
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        let body = self.json();
        assert_eq!(body["code"], code, "{body}");
        let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["code", "error", "request"], "{body}");
        assert!(body["error"].as_str().is_some_and(|error| !error.is_empty()), "{body}");
        assert!(body["request"].as_str().is_some_and(|id| uuid::Uuid::parse_str(id).is_ok()), "{body}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        body
    }
}
