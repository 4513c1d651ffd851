//! A WebSocket client of another stack than the server's: sends and receives envelopes as JSON.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use super::soon;

pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
}

/// What came.
enum Frame {
    Text(String),
    Closed(u16),
}

impl Socket {
    /// A handshake with these headers; the session is past its hello.
    pub(crate) async fn open(addr: SocketAddr, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let mut request = format!("ws://{addr}/ws").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (stream, _) = soon(tokio_tungstenite::client_async(request, stream)).await?;
        let mut socket = Self { stream };
        let hello = socket.on("sys").await;
        assert_eq!((&hello["type"], &hello["protocol"]), (&json!("hello"), &json!(1)), "{hello}");
        Ok(socket)
    }

    /// Expects a handshake to be refused: its status and JSON body.
    pub(crate) async fn refused(addr: SocketAddr, headers: &[(&'static str, &str)]) -> (u16, Value) {
        match Self::open(addr, headers).await {
            Err(Error::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                (response.status().as_u16(), serde_json::from_slice(&body).unwrap_or_default())
            }
            Err(other) => panic!("expected a refusal, got {other}"),
            Ok(_) => panic!("expected a refusal, got a session"),
        }
    }

    pub(crate) async fn say(&mut self, topic: &str, data: Value) {
        self.raw(json!({"topic": topic, "data": data}).to_string()).await;
    }

    pub(crate) async fn raw(&mut self, text: String) {
        soon(self.stream.send(Message::text(text))).await.unwrap();
    }

    /// The next frame, whatever it is; pings of the stack aside.
    async fn frame(&mut self) -> Frame {
        loop {
            match soon(self.stream.next()).await {
                Some(Ok(Message::Text(text))) => return Frame::Text(text.as_str().into()),
                Some(Ok(Message::Close(frame))) => {
                    return Frame::Closed(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                other => panic!("expected a frame, got {other:?}"),
            }
        }
    }

    /// The next text frame as it came. Pings of the application are passed over.
    pub(crate) async fn text(&mut self) -> String {
        loop {
            match self.frame().await {
                Frame::Text(text) if text == r#"{"topic":"sys","data":{"type":"ping"}}"# => {}
                Frame::Text(text) => return text,
                Frame::Closed(code) => panic!("expected a text frame, was closed with {code}"),
            }
        }
    }

    /// The next text frame: its topic and data.
    pub(crate) async fn next(&mut self) -> (String, Value) {
        let mut envelope: Value = serde_json::from_str(&self.text().await).unwrap();
        assert_eq!(envelope.as_object().unwrap().len(), 2, "an envelope has a topic and data: {envelope}");
        (envelope["topic"].as_str().unwrap().into(), envelope["data"].take())
    }

    /// The data of the next frame, which must be of this topic.
    pub(crate) async fn on(&mut self, topic: &str) -> Value {
        let (came, data) = self.next().await;
        assert_eq!(came, topic, "{data}");
        data
    }

    /// The next frame of this topic and type.
    pub(crate) async fn expect(&mut self, topic: &str, kind: &str) -> Value {
        let data = self.on(topic).await;
        assert_eq!(data["type"], kind, "{data}");
        data
    }

    /// Reads on to the close frame and gives its code.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            if let Frame::Closed(code) = self.frame().await {
                return code;
            }
        }
    }

    /// Nothing comes for a while. Only ever proves that something wrong comes soon, never that it does not.
    pub(crate) async fn silent(&mut self) {
        if let Ok(came) = timeout(Duration::from_millis(300), self.next()).await {
            panic!("nothing should come, got {came:?}");
        }
    }

    /// Answers once everything said before has been dealt with.
    pub(crate) async fn settled(&mut self) {
        self.say("sys", json!({"type": "ping", "ref": "settled"})).await;
        self.expect("sys", "pong").await;
    }
}
