//! Topics of the application's own on the sockets that sync: joined, published to, and kept apart from scopes.

#![allow(clippy::unwrap_used, reason = "what can't be unwrapped fails the test")]

mod common;

use common::{Bearer, Site, engine, soon};
use futures_util::future::BoxFuture;
use riverrun_engine::Memory;
use riverrun_http::{Member, Topics};
use riverrun_live::{CloseReason, Frame, Message, Session};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A chat: who joins a room hears what is said there.
struct Chat {
    closed: UnboundedSender<(String, CloseReason)>,
}

impl Topics for Chat {
    fn on_message<'a>(&'a self, session: &'a Session<Member>, message: Message) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let data: Value = serde_json::from_str(message.data.get()).unwrap();
            let who = session.auth().principal().as_str();
            if data["type"] == "join" {
                session.join(&message.topic).unwrap();
                let frame = Frame::envelope(&message.topic, &json!({"type": "joined", "you": who})).unwrap();
                session.send(frame).await.unwrap();
            } else {
                let said = json!({"type": "said", "by": who, "text": data["text"]});
                session.publish(&message.topic, Frame::envelope(&message.topic, &said).unwrap());
            }
        })
    }

    fn on_close(&self, session: &Session<Member>, reason: CloseReason) {
        let _ = self.closed.send((session.auth().principal().to_string(), reason));
    }
}

async fn chatting() -> (Site, UnboundedReceiver<(String, CloseReason)>) {
    let (sender, closed) = unbounded_channel();
    let chat = Chat { closed: sender };
    let engine = engine(Memory::new()).await;
    (Site::with(engine, |routes| routes.authenticate(Bearer).topics(chat)).await, closed)
}

#[tokio::test]
async fn who_joined_a_topic_hears_it_and_nobody_else() {
    let (site, mut closed) = chatting().await;
    let (mut ann, mut bob, mut eve) =
        (site.socket_of("ann").await, site.socket_of("bob").await, site.socket_of("eve").await);
    for (socket, who) in [(&mut ann, "ann"), (&mut bob, "bob")] {
        socket.say("room:1", json!({"type": "join"})).await;
        assert_eq!(socket.on("room:1").await, json!({"type": "joined", "you": who}));
    }
    eve.say("room:2", json!({"type": "join"})).await;
    eve.expect("room:2", "joined").await;

    ann.say("room:1", json!({"type": "say", "text": "hello"})).await;
    for socket in [&mut ann, &mut bob] {
        assert_eq!(socket.on("room:1").await, json!({"type": "said", "by": "ann", "text": "hello"}));
    }
    // The server itself can say something, too.
    let news = Frame::envelope("room:1", &json!({"type": "news"})).unwrap();
    assert_eq!(site.live.publish("room:1", news), 2);
    for socket in [&mut ann, &mut bob] {
        socket.expect("room:1", "news").await;
    }
    eve.silent().await;
    drop(eve);
    let (who, reason) = soon(closed.recv()).await.unwrap();
    assert_eq!((who.as_str(), reason), ("eve", CloseReason::Lost));
    assert_eq!(site.live.members("room:2").len(), 0);
}

#[tokio::test]
async fn scopes_and_topics_share_a_socket_and_never_meet() {
    let (site, _closed) = chatting().await;
    let mut ann = site.socket_of("ann").await;
    ann.say("room", json!({"type": "join"})).await;
    ann.expect("room", "joined").await;
    ann.say("sync:room", json!({"type": "subscribe", "cursor": 0})).await;
    ann.expect("sync:room", "ack").await;
    let body = json!({"mutations": [{"id": "m", "type": "say", "args": {"n": 1}, "scope": "room"}]});
    site.post("/_sync/push", &body).of("bob").send().await.ok();
    ann.expect("sync:room", "changes").await;
    ann.say("room", json!({"type": "say", "text": "hello"})).await;
    ann.expect("room", "said").await;
    // A frame of sync never reaches the application, whatever it says.
    ann.say("sync:room", json!({"type": "join"})).await;
    assert_eq!(ann.expect("sync:room", "error").await["code"], "invalid_mutation");
}
