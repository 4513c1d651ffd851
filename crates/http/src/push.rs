//! A push on its way to its verdicts, over HTTP and on a socket alike. It holds its part of the server's memory until it is
//! decided, also when its sender has gone away: it waits for the writer all the same.

use riverrun_core::{
    Code, Principal,
    wire::{PushAnswer, PushRequest},
};
use riverrun_engine::Engine;

use crate::{answer::Refusal, guard::Held};

/// Has a push decided.
pub(crate) async fn decide(
    engine: &Engine,
    who: &Principal,
    push: PushRequest,
    held: Held,
) -> Result<PushAnswer, Refusal> {
    let (engine, who) = (engine.clone(), who.clone());
    let decided = tokio::spawn(async move {
        let _held = held;
        engine.push(&who, push).await
    });
    match decided.await {
        Ok(answer) => Ok(answer?),
        Err(error) => {
            tracing::error!(%error, "a push was not decided");
            Err(Refusal::new(Code::InternalError, "something is wrong on the server; it is in its log"))
        }
    }
}
