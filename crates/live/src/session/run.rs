//! The task of a session: one loop that reads, writes, waits for the hook at work and looks at the clock, until there
//! is a reason to end. Nothing in it waits for one of these at the cost of another.

use std::pin::pin;
use std::sync::Arc;

use axum::extract::ws::WebSocket;
use futures_util::StreamExt;
use tokio::time::{Instant, sleep_until};

use crate::server::{Held, Shared};
use crate::session::end::{Life, farewell};
use crate::session::inbound::{Event, sort};
use crate::session::inner::Inner;
use crate::session::vitals::{Due, Vitals};
use crate::session::work::{Outcome, Work};
use crate::session::writer::Writer;
use crate::{Authed, CloseReason, Drain, Hooks, Refused, Session, sys};

/// The code of errors about frames that could not be understood.
const BAD_FRAME: &str = "bad_frame";

pub(crate) async fn run<H: Hooks>(
    server: Arc<Shared<H>>,
    socket: WebSocket,
    auth: Option<Authed<H::Auth>>,
    drain: Drain,
    held: Held,
) {
    let options = &server.options;
    let inner = Arc::new(Inner::new(options));
    let now = Instant::now();
    let (sink, mut stream) = socket.split();
    let mut writer = Writer::new(sink, Arc::clone(&inner), options.stall, now);
    let life = Life { hooks: Arc::clone(&server.hooks), inner: Arc::clone(&inner), session: None };
    let mut state =
        State { server: &server, life, vitals: Vitals::new(options, inner.id, now), work: Work::none(), bad: 0 };
    state.work.answer(&inner, sys::hello(&inner.id, options.ping));
    if let Some(authed) = auth {
        state.open(authed);
    }

    let reason = {
        let mut closed = pin!(inner.closed());
        let mut draining = pin!(drain.started());
        let mut timer = pin!(sleep_until(state.vitals.next(now, writer.writing(), true)));
        loop {
            let reading = !state.work.is_running();
            let step = tokio::select! {
                () = &mut closed => Err(inner.reason().unwrap_or(CloseReason::Internal)),
                () = &mut draining => Err(CloseReason::Draining),
                _ = writer.run() => Err(CloseReason::Lost),
                outcome = state.work.outcome(), if !reading => {
                    let step = state.settle(outcome);
                    // A deadline that moved away is found at the next look; one that came nearer is set here.
                    let next = state.vitals.next(Instant::now(), writer.writing(), true);
                    if next < timer.deadline() {
                        timer.as_mut().reset(next);
                    }
                    step
                }
                item = stream.next(), if reading => state.take(sort(item, options.max_topic_bytes)),
                () = &mut timer => {
                    let now = Instant::now();
                    let step = state.look(now, &writer, reading);
                    timer.as_mut().reset(state.vitals.next(now, writer.writing(), reading));
                    step
                }
            };
            if let Err(reason) = step {
                break reason;
            }
        }
    };

    let State { life, work, .. } = state;
    farewell(reason, &inner, work, writer, stream).await;
    tracing::debug!(session = %inner.id, reason = %inner.reason().unwrap_or(reason), "session ended");
    drop(life);
    // Only now may a draining server go on without this session: its hooks have heard of the end.
    drop(held);
}

struct State<'a, H: Hooks> {
    server: &'a Shared<H>,
    life: Life<H>,
    vitals: Vitals,
    work: Work<H::Auth>,
    bad: u32,
}

/// A step of the loop, or the reason it was the last.
type Step = Result<(), CloseReason>;

impl<H: Hooks> State<'_, H> {
    fn open(&mut self, authed: Authed<H::Auth>) {
        self.vitals.authenticated(authed.expires_in, Instant::now());
        let session = Session::new(Arc::clone(&self.life.inner), authed.auth, Arc::clone(&self.server.topics));
        self.life.session = Some(session.clone());
        self.life.hooks.on_open(&session);
    }

    fn take(&mut self, event: Event) -> Step {
        self.vitals.heard(Instant::now());
        match (event, &self.life.session) {
            (Event::End(reason), _) => return Err(reason),
            (Event::Heard, _) => {}
            (Event::Auth(token), None) => self.work.authenticate(&self.life.hooks, token),
            (_, None) => return Err(CloseReason::AuthMissing),
            (Event::Message(message), Some(session)) => self.work.message(&self.life.hooks, session, message),
            (Event::Ping(reference), Some(_)) => self.work.answer(&self.life.inner, sys::pong(reference.as_deref())),
            (Event::Auth(_), Some(_)) => return self.bad("this session has its identity", None),
            (Event::Bad { error, reference }, Some(_)) => return self.bad(error, reference.as_deref()),
        }
        Ok(())
    }

    fn bad(&mut self, error: &str, reference: Option<&serde_json::value::RawValue>) -> Step {
        self.bad += 1;
        if self.bad > self.server.options.max_bad_frames {
            return Err(CloseReason::BadFrame);
        }
        self.work.answer(&self.life.inner, sys::error(BAD_FRAME, error, reference));
        Ok(())
    }

    fn settle(&mut self, outcome: Outcome<H::Auth>) -> Step {
        // While the hook was at work nothing was read: the silence is counted from here.
        self.vitals.heard(Instant::now());
        match outcome {
            Outcome::Done => Ok(()),
            Outcome::Authed(authed) => {
                self.open(authed);
                Ok(())
            }
            Outcome::Refused(refused) => {
                let (code, reason) = match refused {
                    Refused::Unauthenticated(_) => ("unauthenticated", CloseReason::AuthRefused),
                    Refused::Unavailable(_) => ("unavailable", CloseReason::Unavailable),
                };
                self.work.answer(&self.life.inner, sys::error(code, &refused.to_string(), None));
                Err(reason)
            }
            Outcome::Panicked => {
                tracing::error!(session = %self.life.inner.id, "a hook panicked");
                Err(CloseReason::Internal)
            }
        }
    }

    fn look<S: futures_util::Sink<axum::extract::ws::Message> + Unpin>(
        &mut self,
        now: Instant,
        writer: &Writer<S>,
        reading: bool,
    ) -> Step {
        match self.vitals.check(now, writer.writing(), reading) {
            Due::Nothing => {}
            Due::End(reason) => return Err(reason),
            Due::Ping => {
                self.vitals.pinged(now);
                // No room means that something is about to be written, which is as good a sign of life.
                if let Some(ping) = sys::ping() {
                    let _ = self.life.inner.queue.try_send(ping);
                }
            }
        }
        Ok(())
    }
}
