//! A real server on a real port, with hooks that report what happens to them, and clients of another WebSocket stack.
//! Nothing here fakes a part of the crate under test.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::ws::WebSocketUpgrade;
use axum::http::HeaderMap;
use axum::routing::any;
use futures_util::{SinkExt, StreamExt};
use riverrun_live::{
    Authed, CloseReason, Drain, DrainTrigger, Frame, Hooks, Message, Options, Overflow, Refused, Server, Session,
    SessionId,
};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error as WsError, Message as WsMessage};

/// Far longer than anything here takes on a busy machine: a test that reaches it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) type Client = WebSocketStream<TcpStream>;

/// Waits for what must come.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it should have come by now")
}

/// Hooks whose topics are commands, and which report each call.
pub(crate) struct Reporter {
    opened: UnboundedSender<Session<String>>,
    closed: UnboundedSender<(SessionId, CloseReason)>,
    notes: UnboundedSender<String>,
    overflow: Overflow,
}

impl Hooks for Reporter {
    type Auth = String;

    async fn on_auth(&self, token: &str) -> Result<Authed<String>, Refused> {
        match token {
            "ann" => Ok(Authed::new("ann".to_owned())),
            "brief" => Ok(Authed::new("ann".to_owned()).expires_in(Duration::from_millis(300))),
            "endless" => Ok(Authed::new("ann".to_owned()).expires_in(Duration::MAX)),
            "later" => Err(Refused::Unavailable("come back".to_owned())),
            "never" => std::future::pending().await,
            _ => Err(Refused::Unauthenticated("who are you?".to_owned())),
        }
    }

    fn on_open(&self, session: &Session<String>) {
        let _ = self.opened.send(session.clone());
    }

    async fn on_message(&self, session: &Session<String>, message: Message) {
        let data = message.data.get().to_owned();
        match &*message.topic {
            "echo" => {
                let _ = session.send(Frame::envelope("echo", &message.data).unwrap()).await;
            }
            "join" => {
                let topic: String = serde_json::from_str(&data).unwrap();
                let answer = session.join(&topic).err().map(|error| error.to_string());
                let _ = session.send(Frame::envelope("joined", &answer).unwrap()).await;
            }
            "slow" => {
                let _ = self.notes.send("begun".to_owned());
                tokio::time::sleep(Duration::from_millis(data.parse().unwrap())).await;
                let _ = session.send(Frame::envelope("slow", "done").unwrap()).await;
            }
            "close" => session.close(CloseReason::Forbidden),
            "panic" => panic!("asked to"),
            _ => {
                let _ = self.notes.send(format!("{} {data}", message.topic));
            }
        }
    }

    fn on_close(&self, session: &Session<String>, reason: CloseReason) {
        let _ = self.closed.send((session.id(), reason));
    }

    fn on_overflow(&self, _session: &Session<String>, topic: &str) -> Overflow {
        let _ = self.notes.send(format!("overflow {topic}"));
        self.overflow
    }
}

/// A running server and what its hooks report.
pub(crate) struct Site {
    pub(crate) addr: SocketAddr,
    pub(crate) server: Server<Reporter>,
    pub(crate) trigger: DrainTrigger,
    pub(crate) opened: UnboundedReceiver<Session<String>>,
    pub(crate) closed: UnboundedReceiver<(SessionId, CloseReason)>,
    pub(crate) notes: UnboundedReceiver<String>,
}

/// `/ws` knows its caller from the handshake, `/token` does not.
pub(crate) async fn start(options: Options) -> Site {
    start_with(options, Overflow::Drop).await
}

pub(crate) async fn start_with(options: Options, overflow: Overflow) -> Site {
    let (opened_tx, opened) = unbounded_channel();
    let (closed_tx, closed) = unbounded_channel();
    let (notes_tx, notes) = unbounded_channel();
    let hooks = Reporter { opened: opened_tx, closed: closed_tx, notes: notes_tx, overflow };
    let server = Server::new(hooks, options);
    let (trigger, drain) = Drain::new();
    let route = |known: bool| {
        let (server, drain) = (server.clone(), drain.clone());
        any(move |handshake: WebSocketUpgrade, headers: HeaderMap| async move {
            let auth = known.then(|| Authed::new("bob".to_owned()));
            server.upgrade(handshake, &headers, auth, drain)
        })
    };
    let app = axum::Router::new().route("/ws", route(true)).route("/token", route(false));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    Site { addr, server, trigger, opened, closed, notes }
}

impl Site {
    pub(crate) async fn handshake(&self, path: &str, headers: &[(&'static str, &str)]) -> Result<Client, WsError> {
        let mut request = format!("ws://{}{path}", self.addr).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(self.addr).await.unwrap();
        soon(tokio_tungstenite::client_async(request, stream)).await.map(|(client, _)| client)
    }

    /// A client on `/ws`, past its hello, and the server's handle to it.
    pub(crate) async fn join(&mut self) -> (Client, Session<String>) {
        let mut client = self.handshake("/ws", &[]).await.unwrap();
        assert_eq!(next(&mut client).await["data"]["type"], "hello");
        let session = soon(self.opened.recv()).await.unwrap();
        (client, session)
    }

    pub(crate) async fn ended(&mut self) -> (SessionId, CloseReason) {
        soon(self.closed.recv()).await.unwrap()
    }

    pub(crate) async fn note(&mut self) -> String {
        soon(self.notes.recv()).await.unwrap()
    }
}

/// Expects a handshake to be refused and gives its status and JSON body.
pub(crate) fn refusal(outcome: Result<Client, WsError>) -> (u16, Value) {
    match outcome {
        Err(WsError::Http(response)) => {
            let body = response.body().clone().unwrap_or_default();
            (response.status().as_u16(), serde_json::from_slice(&body).unwrap_or(Value::Null))
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
}

pub(crate) async fn say(client: &mut Client, text: &str) {
    client.send(WsMessage::text(text)).await.unwrap();
}

/// The next text frame.
pub(crate) async fn next(client: &mut Client) -> Value {
    loop {
        match soon(client.next()).await {
            Some(Ok(WsMessage::Text(text))) => return serde_json::from_str(text.as_str()).unwrap(),
            Some(Ok(WsMessage::Ping(_) | WsMessage::Pong(_))) => {}
            other => panic!("expected a text frame, got {other:?}"),
        }
    }
}

/// Reads to the close frame, skipping what comes before it, and gives its code.
pub(crate) async fn close_code(client: &mut Client) -> u16 {
    loop {
        match soon(client.next()).await {
            Some(Ok(WsMessage::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(_)) => {}
            other => panic!("expected a close frame, got {other:?}"),
        }
    }
}
