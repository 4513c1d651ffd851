//! The routes of the contract, one small function each: read, ask the engine, answer.

use axum::{
    Extension,
    body::Bytes,
    extract::{FromRequestParts, Request, State, WebSocketUpgrade},
    http::{header, request::Parts},
    response::{IntoResponse, Response},
};
use riverrun_core::{
    Change, Code, limits,
    wire::{PullRequest, PushRequest, SnapshotRequest},
};
use riverrun_live::{Authed, Drain};

use crate::{
    AuthFailed, Identity,
    answer::Refusal,
    door,
    guard::{Held, Meter},
    join::Member,
    push,
    routes::Shared,
};

type Answer = Result<Response, Refusal>;

/// 256 KiB: JSON of more is read and written beside the runtime's threads, where a few milliseconds hold nobody up.
const HEAVY: usize = 256 << 10;

/// A request that came through the door.
struct Entered {
    who: Identity,
    meter: Meter,
    body: Bytes,
    /// The body's part of what the server holds; given back when the request is done.
    held: Held,
    drain: Drain,
}

async fn enter(shared: &Shared, request: Request, max: usize) -> Result<Entered, Refusal> {
    let (parts, body) = request.into_parts();
    door::own_site(&parts.headers, &shared.origins)?;
    door::json_only(&parts.headers)?;
    let who = match shared.auth.request(&parts).await {
        Ok(who) => who,
        Err(failed) => {
            shared.guard.unknown(&parts, true)?;
            return Err(failed.into());
        }
    };
    let meter = shared.guard.meter(&parts, &who.principal);
    meter.take(1)?;
    let mut held = meter.held();
    let body = door::body(body, max, &shared.guard.limits, &mut held).await?;
    Ok(Entered { who, meter, body, held, drain: drain(&parts) })
}

fn drain(parts: &Parts) -> Drain {
    parts.extensions.get::<Drain>().cloned().unwrap_or_else(Drain::never)
}

/// Does what takes its time with so many bytes: in place, or beside the runtime's threads.
async fn heavy<T: Send + 'static>(bytes: usize, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    if bytes < HEAVY {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "an answer was not written");
        Refusal::new(Code::InternalError, "something is wrong on the server; it is in its log")
    })
}

async fn answer(bytes: usize, body: impl serde::Serialize + Send + 'static) -> Answer {
    // Stored text is passed on as it is; where the disk has damaged it, it is no JSON any more.
    let text = heavy(bytes, move || serde_json::to_string(&body)).await?.map_err(|error| {
        tracing::error!(%error, "an answer could not be written: what is stored is damaged");
        Refusal::new(Code::InternalError, "something is wrong on the server; it is in its log")
    })?;
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, text).into_response())
}

/// About what changes take in an answer.
fn size<'a>(changes: impl IntoIterator<Item = &'a Change>) -> usize {
    changes.into_iter().map(|change| change.data.as_str().len()).sum()
}

pub(crate) async fn push(State(shared): State<Shared>, request: Request) -> Answer {
    let Entered { who, meter, body, held, .. } = enter(&shared, request, limits::PUSH_BYTES).await?;
    let push = heavy(body.len(), move || PushRequest::read(&body, limits::PUSH_BYTES)).await??;
    meter.take_rest(push.mutations.len())?;
    let pushed = push::decide(&shared.engine, &who.principal, push, held).await?;
    answer(size(pushed.results.iter().flat_map(|result| result.changes.iter().flatten())), pushed).await
}

pub(crate) async fn pull(State(shared): State<Shared>, request: Request) -> Answer {
    let Entered { who, body, held, drain, .. } = enter(&shared, request, limits::REQUEST_BYTES).await?;
    let ask = PullRequest::read(&body)?;
    drop((body, held));
    let mut at_once = ask.clone();
    at_once.wait = None;
    // A server that goes away lets nobody wait.
    let pulled = tokio::select! {
        biased;
        pulled = shared.engine.pull(&who.principal, ask) => pulled,
        () = drain.started() => shared.engine.pull(&who.principal, at_once).await,
    }?;
    answer(size(&pulled.changes), pulled).await
}

pub(crate) async fn snapshot(State(shared): State<Shared>, request: Request) -> Answer {
    let Entered { who, body, held, .. } = enter(&shared, request, limits::REQUEST_BYTES).await?;
    let ask = SnapshotRequest::read(&body)?;
    drop((body, held));
    let snapshot = shared.engine.snapshot(&who.principal, ask).await?;
    answer(snapshot.data.as_str().len(), snapshot).await
}

pub(crate) async fn socket(State(shared): State<Shared>, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let identity = match shared.auth.request(&parts).await {
        Ok(identity) => {
            let meter = shared.guard.meter(&parts, &identity.principal);
            meter.take(1)?;
            Some(member(identity, meter))
        }
        // The socket may still send a token as its first frame.
        Err(AuthFailed::Missing) => {
            shared.guard.unknown(&parts, false)?;
            None
        }
        Err(failed) => {
            shared.guard.unknown(&parts, true)?;
            return Err(failed.into());
        }
    };
    let handshake = WebSocketUpgrade::from_request_parts(&mut parts, &())
        .await
        .map_err(|_| Refusal::new(Code::InvalidMutation, "this is a WebSocket: connect with one"))?;
    Ok(shared.live.upgrade(handshake, &parts.headers, identity, drain(&parts)))
}

pub(crate) fn member(identity: Identity, meter: Meter) -> Authed<Member> {
    let authed = Authed::new(Member::new(identity.principal, meter));
    match identity.expires_in {
        Some(span) => authed.expires_in(span),
        None => authed,
    }
}

/// `ok` while the store answers; for load balancers and `depends_on`. How many are connected is nobody's business who asks
/// without a name.
pub(crate) async fn healthz(State(shared): State<Shared>, drain: Option<Extension<Drain>>) -> Answer {
    if drain.is_some_and(|Extension(drain)| drain.is_started()) {
        return Err(Refusal::new(Code::Unavailable, "the server is going away"));
    }
    shared.engine.epoch().await?;
    answer(0, serde_json::json!({"status": "ok"})).await
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[tokio::test]
    async fn what_takes_its_time_is_done_beside_the_runtimes_threads() {
        let here = thread::current().id();
        assert_eq!(heavy(HEAVY - 1, || thread::current().id()).await.unwrap(), here);
        assert_ne!(heavy(HEAVY, || thread::current().id()).await.unwrap(), here);
        let change = |fill: usize| Change {
            cursor: riverrun_core::Cursor(1),
            scope: riverrun_core::Scope::default(),
            time: riverrun_core::Millis(0),
            mutation: riverrun_core::MutationId::new("m").unwrap(),
            data: riverrun_core::Json::of(&"x".repeat(fill)).unwrap(),
        };
        assert!(size(&[change(HEAVY / 2), change(HEAVY / 2)]) >= HEAVY, "an answer's size is that of its changes");
    }
}
