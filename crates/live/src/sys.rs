//! The connection's own topic: hello, auth, ping and pong, and errors about frames that could not be understood. It
//! knows these and nothing else; a `sys` frame of another type is answered with an error.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Frame, SYS_TOPIC, SessionId};

/// The version of the wire contract that `hello` names.
const PROTOCOL: u32 = 1;

/// A `sys` frame from the client.
pub(crate) enum SysFrame {
    Auth { token: Token },
    Ping { reference: Option<Box<RawValue>> },
    Pong,
    Unknown { reference: Option<Box<RawValue>> },
}

/// A token on its way to the hook. Its `Debug` shows nothing, so that it cannot reach a log.
#[derive(Deserialize)]
pub(crate) struct Token(pub(crate) String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[derive(Deserialize)]
struct Incoming {
    r#type: String,
    r#ref: Option<Box<RawValue>>,
    token: Option<Token>,
}

#[derive(Serialize)]
struct Outgoing<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#ref: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct Hello<'a> {
    r#type: &'static str,
    protocol: u32,
    session: &'a str,
    ping: u64,
}

pub(crate) fn read(data: &RawValue) -> SysFrame {
    match serde_json::from_str::<Incoming>(data.get()) {
        Ok(incoming) => match (incoming.r#type.as_str(), incoming.token) {
            ("auth", Some(token)) => SysFrame::Auth { token },
            ("ping", _) => SysFrame::Ping { reference: incoming.r#ref },
            ("pong", _) => SysFrame::Pong,
            _ => SysFrame::Unknown { reference: incoming.r#ref },
        },
        Err(_) => SysFrame::Unknown { reference: None },
    }
}

pub(crate) fn hello(session: &SessionId, ping: Duration) -> Option<Frame> {
    let session = session.to_string();
    // Whole seconds on the wire; a shorter interval is named as one.
    sys(&Hello { r#type: "hello", protocol: PROTOCOL, session: &session, ping: ping.as_secs().max(1) })
}

pub(crate) fn ping() -> Option<Frame> {
    sys(&Outgoing { r#type: "ping", r#ref: None, code: None, error: None })
}

pub(crate) fn pong(reference: Option<&RawValue>) -> Option<Frame> {
    sys(&Outgoing { r#type: "pong", r#ref: reference, code: None, error: None })
}

pub(crate) fn error(code: &'static str, error: &str, reference: Option<&RawValue>) -> Option<Frame> {
    sys(&Outgoing { r#type: "error", r#ref: reference, code: Some(code), error: Some(error) })
}

/// Plain structs of texts and numbers can always be written as JSON; should one not be, there is nothing to send.
fn sys<T: Serialize>(data: &T) -> Option<Frame> {
    Frame::envelope(SYS_TOPIC, data).inspect_err(|error| tracing::error!(%error, "a sys frame was not written")).ok()
}
