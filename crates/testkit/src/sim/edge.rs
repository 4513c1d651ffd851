//! The edge of the simulated server: texts of the contract in, texts of the contract out, as an HTTP edge does it. Each
//! question and each connection is a task; what it says is noted for the checks before it leaves.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use riverrun_client::{Failed, Route};
use riverrun_core::{
    Code, Json, Principal, Scope, limits,
    wire::{
        BadRequest, ClientFrame, PullAnswer, PullRequest, PushAnswer, PushRequest, ServerFrame, SnapshotAnswer,
        SnapshotRequest, Subscribe,
    },
};
use riverrun_engine::{Engine, Event, Refused};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::exec::Spawner;

/// Frames a connection holds for a reader that does not take them.
pub(crate) const QUEUE_FRAMES: usize = 8;

/// Who asked: where an answer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A client's life, and its question.
    Node { at: usize, life: u64, ask: u64 },
    /// A plain sender's try.
    Form { at: usize },
    /// Somebody who looks at a few changes.
    Peek,
}

/// A question as it is answered, with what was asked.
#[derive(Debug)]
pub(crate) enum Said {
    Push(PushRequest, PushAnswer),
    Pull(PullRequest, PullAnswer),
    Snapshot(SnapshotRequest, SnapshotAnswer),
    No(Refused),
}

/// Something that leaves the engine.
#[derive(Debug)]
pub(crate) enum Out {
    Answer { to: Asker, who: Principal, version: u64, said: Said },
    Frame { line: u64, who: Principal, scope: Scope, frame: ServerFrame, push: Option<PushRequest>, from: From },
}

/// What a frame comes from.
#[derive(Debug, Clone)]
pub(crate) enum From {
    /// A push, or a question that failed.
    Question,
    /// A subscription's first frames: what was asked.
    Begin(Box<Subscribe>),
    /// The log, or the end of a subscription.
    Log,
    /// The ring.
    Ring,
}

/// What leaves, in order.
pub(crate) type Outbox = Rc<RefCell<Vec<Out>>>;

/// Answers one question.
pub(crate) async fn question(
    engine: Engine,
    to: Asker,
    (who, version): (Principal, u64),
    route: Route,
    body: String,
    outbox: Outbox,
) {
    let said = match answer(&engine, &who, route, body.as_bytes()).await {
        Ok(said) => said,
        Err(no) => Said::No(no),
    };
    outbox.borrow_mut().push(Out::Answer { to, who, version, said });
}

async fn answer(engine: &Engine, who: &Principal, route: Route, body: &[u8]) -> Result<Said, Refused> {
    let unread = |bad: BadRequest| Refused::new(bad.code, bad.error);
    Ok(match route {
        Route::Push => {
            let push = PushRequest::read(body, limits::PUSH_BYTES).map_err(unread)?;
            Said::Push(push.clone(), engine.push(who, push).await?)
        }
        Route::Pull => {
            let ask = PullRequest::read(body).map_err(unread)?;
            Said::Pull(ask.clone(), engine.pull(who, ask).await?)
        }
        Route::Snapshot => {
            let ask = SnapshotRequest::read(body).map_err(unread)?;
            Said::Snapshot(ask.clone(), engine.snapshot(who, ask).await?)
        }
    })
}

/// What a question came to, as its client's shell hands it over.
pub(crate) fn answered(said: &Said) -> Result<String, Failed> {
    match said {
        Said::Push(_, answer) => Ok(text(answer)),
        Said::Pull(_, answer) => Ok(text(answer)),
        Said::Snapshot(_, answer) => Ok(text(answer)),
        Said::No(no) => {
            let retry_after = if no.code == Code::Unavailable { 2_000 } else { 0 };
            let (code, error) = (no.code.as_str().into(), no.error.clone());
            Err(Failed { status: status(no.code), code, error, retry_after })
        }
    }
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("an answer is JSON")
}

/// The status of a code, as the protocol's table says.
fn status(code: Code) -> u16 {
    match code {
        Code::InvalidMutation => 400,
        Code::Unauthenticated => 401,
        Code::Forbidden => 403,
        Code::NotFound => 404,
        Code::Conflict | Code::SeqConflict | Code::SchemaMismatch | Code::OutOfOrder => 409,
        Code::CursorTooOld | Code::EpochChanged | Code::Expired | Code::ClientUnknown => 410,
        Code::TooLarge => 413,
        Code::UnsupportedMediaType => 415,
        Code::Rejected => 422,
        Code::RateLimited => 429,
        Code::InternalError => 500,
        Code::Unavailable => 503,
    }
}

/// One connection of one client, at the server.
pub(crate) struct Session {
    pub(crate) engine: Engine,
    pub(crate) who: Principal,
    pub(crate) line: u64,
    pub(crate) up: mpsc::UnboundedReceiver<String>,
    pub(crate) down: mpsc::Sender<String>,
    pub(crate) outbox: Outbox,
    pub(crate) spawner: Spawner,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    topic: String,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "ref")]
    reference: Option<String>,
}

impl Session {
    /// Until the client hangs up.
    pub(crate) async fn run(mut self) {
        let hello = r#"{"topic":"sys","data":{"type":"hello","protocol":1,"session":"s","ping":25}}"#;
        let mut following: BTreeMap<Scope, u64> = BTreeMap::new();
        if self.down.send(hello.into()).await.is_err() {
            return;
        }
        while let Some(text) = self.up.recv().await {
            let Ok(Envelope { topic, data }) = serde_json::from_str(&text) else { continue };
            let Ok(head) = serde_json::from_str::<Head>(data.get()) else { continue };
            if topic == "sys" {
                if head.kind == "ping"
                    && self.down.send(r#"{"topic":"sys","data":{"type":"pong"}}"#.into()).await.is_err()
                {
                    return;
                }
                continue;
            }
            let Some(Ok(scope)) = topic.strip_prefix("sync:").map(Scope::new) else { continue };
            match Json::parse(data.get()).and_then(|data| ClientFrame::read(&data)) {
                Ok(ClientFrame::Subscribe(ask)) => {
                    if let Some(former) = following.remove(&scope) {
                        self.spawner.end(former);
                    }
                    let task = self.spawner.begin(self.line, self.follow(scope.clone(), ask));
                    following.insert(scope, task);
                }
                Ok(ClientFrame::Unsubscribe { .. }) => {
                    if let Some(former) = following.remove(&scope) {
                        self.spawner.end(former);
                    }
                }
                Ok(ClientFrame::Push { reference }) => self.push(&scope, reference, data.get()).await,
                // Presence is not of the log, and no client here sends any.
                Ok(_) => {}
                Err(error) => {
                    let (reference, error) = (head.reference, error.to_string());
                    let frame = ServerFrame::Error { reference, code: Code::InvalidMutation, error };
                    self.voice(&scope).say(frame, None, From::Question).await;
                }
            }
        }
    }

    async fn push(&self, scope: &Scope, reference: Option<String>, data: &str) {
        let (frame, push) = match PushRequest::read_in(data.as_bytes(), limits::LIVE_PUSH_BYTES, scope) {
            Ok(push) => match self.engine.push(&self.who, push.clone()).await {
                Ok(PushAnswer { epoch, results }) => (ServerFrame::Results { reference, results, epoch }, Some(push)),
                Err(no) => (ServerFrame::Error { reference, code: no.code, error: no.error }, None),
            },
            Err(bad) => (ServerFrame::Error { reference, code: bad.code, error: bad.error }, None),
        };
        self.voice(scope).say(frame, push, From::Question).await;
    }

    fn follow(&self, scope: Scope, ask: Subscribe) -> impl Future<Output = ()> + 'static {
        let (engine, who, voice) = (self.engine.clone(), self.who.clone(), self.voice(&scope));
        async move {
            let mut subscription = match engine.subscribe(&who, &scope, &ask).await {
                Ok(subscription) => subscription,
                Err(no) => {
                    let frame = ServerFrame::Error { reference: ask.reference, code: no.code, error: no.error };
                    return voice.say(frame, None, From::Log).await;
                }
            };
            while let Some(event) = subscription.next().await {
                let from = match &event {
                    Event::Snapshot(_) | Event::Ack { .. } => From::Begin(Box::new(ask.clone())),
                    Event::Commit(_) => From::Ring,
                    _ => From::Log,
                };
                let Some(frame) = event.into_frame(ask.reference.as_deref()) else { return };
                voice.say(frame, None, from).await;
            }
        }
    }

    fn voice(&self, scope: &Scope) -> Voice {
        Voice {
            line: self.line,
            who: self.who.clone(),
            scope: scope.clone(),
            down: self.down.clone(),
            outbox: self.outbox.clone(),
        }
    }
}

/// A way to say something on a connection.
struct Voice {
    line: u64,
    who: Principal,
    scope: Scope,
    down: mpsc::Sender<String>,
    outbox: Outbox,
}

impl Voice {
    /// Waits for room in the connection's queue.
    async fn say(&self, frame: ServerFrame, push: Option<PushRequest>, from: From) {
        let text = format!(r#"{{"topic":"sync:{}","data":{}}}"#, self.scope, frame.to_json());
        let (line, who, scope) = (self.line, self.who.clone(), self.scope.clone());
        self.outbox.borrow_mut().push(Out::Frame { line, who, scope, frame, push, from });
        // A connection that is gone needs no answer.
        let _ = self.down.send(text).await;
    }
}
