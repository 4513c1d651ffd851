//! What came from the peer, sorted into the few things a session does about it. It decides nothing about an
//! application's frame but that it is one.

use std::error::Error as _;

use axum::Error;
use axum::extract::ws::Message as WsMessage;
use serde_json::value::RawValue;
use tungstenite::error::{Error as WsError, ProtocolError};

use crate::envelope::Inbound;
use crate::sys::{SysFrame, Token};
use crate::{CloseReason, Message, envelope, sys};

/// What to do about one thing that came, or did not.
pub(crate) enum Event {
    /// A sign of life, no more.
    Heard,
    Auth(Token),
    Ping(Option<Box<RawValue>>),
    Message(Message),
    /// Not understood; the peer is told why and goes on.
    Bad {
        error: &'static str,
        reference: Option<Box<RawValue>>,
    },
    End(CloseReason),
}

pub(crate) fn sort(item: Option<Result<WsMessage, Error>>, max_topic_bytes: usize) -> Event {
    match item {
        Some(Ok(WsMessage::Text(text))) => match envelope::read(text.as_str(), max_topic_bytes) {
            Inbound::Message(message) => Event::Message(message),
            Inbound::Bad(error) => Event::Bad { error, reference: None },
            Inbound::Sys(data) => match sys::read(data) {
                SysFrame::Auth { token } => Event::Auth(token),
                SysFrame::Ping { reference } => Event::Ping(reference),
                SysFrame::Pong => Event::Heard,
                SysFrame::Unknown { reference } => Event::Bad { error: "not a sys frame known here", reference },
            },
        },
        Some(Ok(WsMessage::Binary(_))) => Event::Bad { error: "frames are text, not binary", reference: None },
        Some(Ok(WsMessage::Ping(_) | WsMessage::Pong(_))) => Event::Heard,
        Some(Ok(WsMessage::Close(_))) => Event::End(CloseReason::ClientClosed),
        Some(Err(error)) => Event::End(reason(&error)),
        None => Event::End(CloseReason::Lost),
    }
}

/// What ended the reading. axum wraps the stack's error, and only its source tells what it was.
fn reason(error: &Error) -> CloseReason {
    match error.source().and_then(|source| source.downcast_ref::<WsError>()) {
        Some(WsError::Capacity(_)) => CloseReason::TooLarge,
        Some(WsError::Utf8(_)) => CloseReason::NotUtf8,
        Some(WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => CloseReason::Lost,
        Some(WsError::Protocol(_)) => CloseReason::Protocol,
        _ => CloseReason::Lost,
    }
}
