//! Where engine and live connections meet: frames on `sync:<scope>` become subscriptions and pushes, and what the engine
//! says becomes frames. Neither of the two knows of the other.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use riverrun_core::{
    Code, Json, Principal, Scope, limits,
    wire::{ClientFrame, PushAnswer, PushRequest, ServerFrame, Subscribe},
};
use riverrun_engine::{Engine, Event};
use riverrun_live::{Authed, CloseReason, Frame, Hooks, Message, Presence, Session};
use serde_json::value::RawValue;

use crate::{
    Topics,
    answer::Refusal,
    auth::Auth,
    guard::{Guard, Meter},
    handlers::member,
    here::{Place, Seats},
    push,
};

/// What a topic of a scope begins with.
pub(crate) const SYNC: &str = "sync:";

/// Subscriptions a session may hold at once: each keeps a place in a scope's ring.
const MAX_SUBSCRIPTIONS: usize = 128;

/// A signed-in end of a socket, and the scopes it follows.
#[derive(Clone)]
pub struct Member {
    principal: Principal,
    meter: Meter,
    following: Arc<Mutex<HashMap<Scope, Following>>>,
    seats: Seats,
}

/// A subscription that runs, or has ended by itself.
struct Following {
    task: tokio::task::AbortHandle,
    /// Closed when the subscription can send nothing any more.
    gone: tokio::sync::oneshot::Receiver<()>,
}

impl Following {
    /// Ends it. An aborted task may be in the middle of a step; when this returns, that step is over.
    async fn end(self) {
        self.task.abort();
        let _ = self.gone.await;
    }
}

impl Member {
    pub(crate) fn new(principal: Principal, meter: Meter) -> Self {
        Self { principal, meter, following: Arc::default(), seats: Seats::default() }
    }

    /// Who it is.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Where it is present, or looks.
    pub(crate) fn seats(&self) -> &Seats {
        &self.seats
    }

    fn following(&self) -> MutexGuard<'_, HashMap<Scope, Following>> {
        self.following.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows a scope no longer: nothing of an earlier subscription comes once this returns.
    async fn let_go(&self, scope: &Scope) {
        let former = self.following().remove(scope);
        if let Some(former) = former {
            former.end().await;
        }
    }
}

/// The hooks of live sessions.
pub struct Join {
    engine: Engine,
    auth: Auth,
    guard: Arc<Guard>,
    topics: Option<Box<dyn Topics>>,
    presence: Presence,
}

impl Join {
    pub(crate) fn new(engine: Engine, auth: Auth, guard: Arc<Guard>, topics: Option<Box<dyn Topics>>) -> Self {
        Self { engine, auth, guard, topics, presence: Presence::new() }
    }

    async fn on_sync(&self, session: &Session<Member>, scope: Scope, message: Message) {
        let topic: Arc<str> = message.topic.into();
        let text = message.data.get();
        let (data, frame) = match Json::parse(text).and_then(|data| Ok((ClientFrame::read(&data)?, data))) {
            Ok((frame, data)) => (data, frame),
            Err(error) => {
                let error = error.to_string();
                return fail(session, &topic, reference(&message.data), Code::InvalidMutation, error).await;
            }
        };
        match frame {
            ClientFrame::Subscribe(ask) => self.subscribe(session, topic, scope, ask).await,
            ClientFrame::Unsubscribe { .. } => session.auth().let_go(&scope).await,
            ClientFrame::Presence { reference } => {
                let (engine, presence) = (&self.engine, &self.presence);
                Place { engine, presence, session, topic: &topic, scope: &scope }.hear(&data, reference).await;
            }
            ClientFrame::Push { reference } => match self.push(session.auth(), text, &scope).await {
                Ok(answer) => {
                    let frame = ServerFrame::Results { reference, results: answer.results, epoch: answer.epoch };
                    say(session, &topic, &frame).await;
                }
                Err(no) => fail(session, &topic, reference, no.code, no.error).await,
            },
        }
    }

    async fn push(&self, member: &Member, text: &str, scope: &Scope) -> Result<PushAnswer, Refusal> {
        let mut held = member.meter.held();
        held.grow(text.len())?;
        let push = PushRequest::read_in(text.as_bytes(), limits::LIVE_PUSH_BYTES, scope)?;
        member.meter.turn_of_rest(push.mutations.len()).await?;
        push::decide(&self.engine, &member.principal, push, held).await
    }

    async fn subscribe(&self, session: &Session<Member>, topic: Arc<str>, scope: Scope, ask: Subscribe) {
        let member = session.auth();
        member.let_go(&scope).await;
        let refused = {
            let mut following = member.following();
            following.retain(|_, one| !one.task.is_finished());
            if following.len() < MAX_SUBSCRIPTIONS {
                let stream = Stream {
                    engine: self.engine.clone(),
                    session: session.clone(),
                    topic: topic.clone(),
                    scope: scope.clone(),
                };
                let (going, gone) = tokio::sync::oneshot::channel::<()>();
                let task = session.spawn(async move {
                    let _going = going;
                    stream.run(ask).await;
                });
                following.insert(scope, Following { task, gone });
                None
            } else {
                Some(ask.reference)
            }
        };
        if let Some(reference) = refused {
            let error = format!("one connection follows at most {MAX_SUBSCRIPTIONS} scopes");
            fail(session, &topic, reference, Code::TooLarge, error).await;
        }
    }
}

impl Hooks for Join {
    type Auth = Member;

    async fn on_auth(&self, token: &str) -> Result<Authed<Member>, riverrun_live::Refused> {
        match self.auth.token(token).await {
            Ok(identity) => {
                let meter = self.guard.meter_of(&identity.principal);
                Ok(member(identity, meter))
            }
            Err(failed) => {
                let refusal = Refusal::from(failed);
                Err(match refusal.code {
                    Code::Unavailable => riverrun_live::Refused::Unavailable(refusal.error),
                    _ => riverrun_live::Refused::Unauthenticated(refusal.error),
                })
            }
        }
    }

    async fn on_message(&self, session: &Session<Member>, message: Message) {
        if let Err(no) = session.auth().meter.turn().await {
            return fail(session, &message.topic, reference(&message.data), no.code, no.error).await;
        }
        match (message.topic.strip_prefix(SYNC).map(Scope::new), &self.topics) {
            (Some(Ok(scope)), _) => self.on_sync(session, scope, message).await,
            (Some(Err(error)), _) => {
                let reference = reference(&message.data);
                fail(session, &message.topic, reference, Code::InvalidMutation, error.to_string()).await;
            }
            (None, Some(topics)) => topics.on_message(session, message).await,
            (None, None) => {
                let error = "there is no such topic here".into();
                fail(session, &message.topic, reference(&message.data), Code::NotFound, error).await;
            }
        }
    }

    fn on_close(&self, session: &Session<Member>, reason: CloseReason) {
        if let Some(topics) = &self.topics {
            topics.on_close(session, reason);
        }
    }
}

/// One subscription on its way to a socket. It waits for room in the session's queue, and so falls behind by itself when
/// its reader is slow; the engine tells it then.
struct Stream {
    engine: Engine,
    session: Session<Member>,
    topic: Arc<str>,
    scope: Scope,
}

impl Stream {
    async fn run(self, ask: Subscribe) {
        let mut subscription = match self.engine.subscribe(self.session.auth().principal(), &self.scope, &ask).await {
            Ok(subscription) => subscription,
            Err(no) => return fail(&self.session, &self.topic, ask.reference, no.code, no.error).await,
        };
        while let Some(event) = subscription.next().await {
            let frame = match event {
                Event::Commit(commit) => commit.rendered(|commit| commit.frame().and_then(|frame| self.frame(&frame))),
                event => event.into_frame(ask.reference.as_deref()).and_then(|frame| self.frame(&frame)),
            };
            let Some(frame) = frame else { return };
            if self.session.send(frame).await.is_err() {
                return;
            }
        }
    }

    fn frame(&self, frame: &ServerFrame) -> Option<Frame> {
        envelope(&self.topic, frame)
    }
}

fn envelope(topic: &str, frame: &ServerFrame) -> Option<Frame> {
    Frame::envelope(topic, frame).inspect_err(|error| tracing::error!(%error, "a frame could not be written")).ok()
}

/// The `ref` of a frame that may otherwise not be understood: its error still finds the question it belongs to.
fn reference(data: &RawValue) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Tied {
        #[serde(rename = "ref")]
        reference: Option<String>,
    }
    serde_json::from_str::<Tied>(data.get()).ok()?.reference
}

pub(crate) async fn say(session: &Session<Member>, topic: &str, frame: &ServerFrame) {
    if let Some(frame) = envelope(topic, frame) {
        // A closed session needs no answer.
        let _ = session.send(frame).await;
    }
}

async fn fail(session: &Session<Member>, topic: &str, reference: Option<String>, code: Code, error: String) {
    say(session, topic, &ServerFrame::Error { reference, code, error }).await;
}
