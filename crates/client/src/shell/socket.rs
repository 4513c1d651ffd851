//! One WebSocket connection: text frames in and out until it ends, which is told once. What frames mean is the core's.

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::header;
use tokio::{
    sync::mpsc,
    time::{Duration, timeout},
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::ClientRequestBuilder},
};

use super::options::Token;
use crate::{event::Event, limits::ANSWER_MS};

/// How long one frame may take to leave: as long as the core waits for an answer.
const PATIENCE: Duration = Duration::from_millis(ANSWER_MS.unsigned_abs());

/// Opens connection `number` and carries its frames until it ends, or `outgoing` does.
pub(super) async fn run(
    number: u64,
    address: hyper::Uri,
    token: Option<Token>,
    mut outgoing: mpsc::UnboundedReceiver<String>,
    happened: impl Fn(Event),
) {
    let mut request = ClientRequestBuilder::new(address);
    if let Some(token) = token {
        request = request.with_header(header::AUTHORIZATION.as_str(), format!("Bearer {}", token()));
    }
    let mut socket = tokio::select! {
        connected = connect_async(request) => match connected {
            Ok((socket, _)) => socket,
            Err(error) => return happened(Event::Closed(number, refused(&error))),
        },
        // Nothing is sent before the greeting: the core has given this connection up.
        _ = outgoing.recv() => return,
    };
    let code = loop {
        tokio::select! {
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(text))) => happened(Event::Frame(number, text.as_str().into())),
                Some(Ok(Message::Close(frame))) => break frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break None,
            },
            text = outgoing.recv() => {
                let Some(text) = text else {
                    drop(timeout(PATIENCE, socket.close(None)).await);
                    return;
                };
                // A peer that takes nothing any more must not hold the task until the system gives up on it.
                if !matches!(timeout(PATIENCE, socket.send(Message::text(text))).await, Ok(Ok(()))) {
                    break None;
                }
            }
        }
    };
    happened(Event::Closed(number, code));
}

/// A handshake that was refused for who is asking, as the close code that says the same.
fn refused(error: &tokio_tungstenite::tungstenite::Error) -> Option<u16> {
    match error {
        tokio_tungstenite::tungstenite::Error::Http(response) if response.status().as_u16() == 401 => Some(4401),
        _ => None,
    }
}
