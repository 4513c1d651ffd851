//! The routes of the contract, one small function each: read, ask the engine, answer.

use axum::{
    Extension, Json as Body,
    extract::{FromRequestParts, Request, State, WebSocketUpgrade},
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use riverrun_core::{
    Code, limits,
    wire::{PullRequest, PushRequest, SnapshotRequest},
};
use riverrun_live::{Authed, Drain};

use crate::{AuthFailed, Identity, answer::Refusal, door, join::Member, routes::Shared};

type Answer = Result<Response, Refusal>;

/// A request that came through the door: who asks, the bytes of its body, and when the server begins to drain.
async fn enter(shared: &Shared, request: Request) -> Result<(Identity, axum::body::Bytes, Drain), Refusal> {
    let (parts, body) = request.into_parts();
    door::own_site(&parts.headers, &shared.origins)?;
    door::json_only(&parts.headers)?;
    let who = shared.auth.request(&parts).await?;
    let body = door::body(body, door::MAX_BODY).await?;
    Ok((who, body, drain(&parts)))
}

fn drain(parts: &Parts) -> Drain {
    parts.extensions.get::<Drain>().cloned().unwrap_or_else(Drain::never)
}

fn answer(body: impl serde::Serialize) -> Response {
    let mut response = Body(body).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(crate) async fn push(State(shared): State<Shared>, request: Request) -> Answer {
    let (who, body, _) = enter(&shared, request).await?;
    let push = PushRequest::read(&body, limits::PUSH_BYTES)?;
    Ok(answer(shared.engine.push(&who.principal, push).await?))
}

pub(crate) async fn pull(State(shared): State<Shared>, request: Request) -> Answer {
    let (who, body, drain) = enter(&shared, request).await?;
    let ask = PullRequest::read(&body)?;
    let mut at_once = ask.clone();
    at_once.wait = None;
    // A server that goes away lets nobody wait.
    let pulled = tokio::select! {
        biased;
        pulled = shared.engine.pull(&who.principal, ask) => pulled,
        () = drain.started() => shared.engine.pull(&who.principal, at_once).await,
    };
    Ok(answer(pulled?))
}

pub(crate) async fn snapshot(State(shared): State<Shared>, request: Request) -> Answer {
    let (who, body, _) = enter(&shared, request).await?;
    let ask = SnapshotRequest::read(&body)?;
    Ok(answer(shared.engine.snapshot(&who.principal, ask).await?))
}

pub(crate) async fn socket(State(shared): State<Shared>, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let identity = match shared.auth.request(&parts).await {
        Ok(identity) => Some(member(identity)),
        // The socket may still send a token as its first frame.
        Err(AuthFailed::Missing) => None,
        Err(failed) => return Err(failed.into()),
    };
    let handshake = WebSocketUpgrade::from_request_parts(&mut parts, &())
        .await
        .map_err(|_| Refusal::new(Code::InvalidMutation, "this is a WebSocket: connect with one"))?;
    Ok(shared.live.upgrade(handshake, &parts.headers, identity, drain(&parts)))
}

pub(crate) fn member(identity: Identity) -> Authed<Member> {
    let authed = Authed::new(Member::new(identity.principal));
    match identity.expires_in {
        Some(span) => authed.expires_in(span),
        None => authed,
    }
}

/// `ok` while the store answers; for load balancers and `depends_on`.
pub(crate) async fn healthz(State(shared): State<Shared>, drain: Option<Extension<Drain>>) -> Answer {
    if drain.is_some_and(|Extension(drain)| drain.is_started()) {
        return Err(Refusal::new(Code::Unavailable, "the server is going away"));
    }
    shared.engine.epoch().await?;
    Ok(answer(serde_json::json!({"status": "ok", "sessions": shared.live.sessions()})))
}
