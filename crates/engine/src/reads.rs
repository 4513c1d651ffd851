//! What the application reads: pulls and snapshots for somebody, who must be allowed to; typed reads for the server's own
//! code, which is trusted.

use std::time::Duration;

use riverrun_core::{
    Entity, IdError, Principal, Scope,
    wire::{PullAnswer, PullRequest, SnapshotAnswer, SnapshotRequest},
};

use crate::{
    Action, Engine,
    app::App,
    error::Refused,
    planted::{Bug, is},
    store::{self, Range, StoreError},
};

impl Engine {
    /// Answers a pull; with `wait`, as soon as there is something to answer or the wait is over.
    pub async fn pull(&self, who: &Principal, ask: PullRequest) -> Result<PullAnswer, Refused> {
        self.allow(who, &ask.scope, Action::Read).await?;
        self.touch(&ask.scope, ask.client.as_ref());
        let patience = Duration::from_secs(ask.patience());
        // Before the first look: what commits after it is heard.
        let mut listener = (!patience.is_zero()).then(|| self.inner.feed.listen(&ask.scope));
        let pace = &self.inner.pace;
        let until = pace.now() + patience;
        loop {
            let (principal, question) = (who.clone(), ask.clone());
            let mut answer = self.read(move |kernel| kernel.pull(&principal, &question)).await?;
            if is(Bug::WatermarkApart) {
                let (principal, question) = (who.clone(), ask.clone());
                answer.last_seq = self.read(move |kernel| kernel.pull(&principal, &question)).await?.last_seq;
            }
            let Some(listener) = listener.as_mut().filter(|_| answer.changes.is_empty()) else { return Ok(answer) };
            let is_over = tokio::select! {
                biased;
                _ = listener.next() => false,
                () = pace.until(until) => true,
            };
            // The right to read may have gone while it waited, also the right to hear that there is nothing new.
            self.allow(who, &ask.scope, Action::Read).await?;
            if is_over {
                return Ok(answer);
            }
        }
    }

    /// Answers a snapshot.
    pub async fn snapshot(&self, who: &Principal, ask: SnapshotRequest) -> Result<SnapshotAnswer, Refused> {
        self.allow(who, &ask.scope, Action::Read).await?;
        self.touch(&ask.scope, ask.client.as_ref());
        let (principal, question) = (who.clone(), ask.clone());
        let answer = self.read(move |kernel| kernel.snapshot(&principal, &question)).await?;
        if is(Bug::SnapshotApart) {
            let principal = who.clone();
            let data = self.read(move |kernel| kernel.snapshot(&principal, &ask)).await?.data;
            return Ok(SnapshotAnswer { data, ..answer });
        }
        Ok(answer)
    }

    /// One entity.
    pub async fn get<T: Entity + Send + 'static>(
        &self,
        scope: impl TryInto<Scope, Error = IdError>,
        id: &str,
    ) -> Result<Option<T>, Refused> {
        let (scope, id) = (scope_of(scope)?, id.to_string());
        self.read(move |kernel| {
            let json = store::read(kernel.store(), |tx| tx.entity(&scope, T::COLLECTION, &id))?;
            Ok(json.map(|json| decode(&json)).transpose()?)
        })
        .await
    }

    /// All entities of a collection, in id order.
    pub async fn list<T: Entity + Send + 'static>(
        &self,
        scope: impl TryInto<Scope, Error = IdError>,
    ) -> Result<Vec<T>, Refused> {
        let scope = scope_of(scope)?;
        self.read(move |kernel| {
            let range = Range { prefix: "", after: None, limit: usize::MAX };
            let rows = store::read(kernel.store(), |tx| tx.entities(&scope, T::COLLECTION, range))?;
            Ok(rows.iter().map(|(_, json)| decode(json)).collect::<Result<_, _>>()?)
        })
        .await
    }

    /// A machine's state; `None` if the engine has no machine, or one with another state.
    pub async fn state<S: Clone + Send + 'static>(
        &self,
        scope: impl TryInto<Scope, Error = IdError>,
    ) -> Result<Option<S>, Refused> {
        let scope = scope_of(scope)?;
        self.read(move |kernel| {
            Ok(store::read(kernel.store(), |tx| {
                let head = tx.head(&scope)?.unwrap_or_default();
                Ok(kernel.machine_state(tx, &scope, &head)?.and_then(|at| App::state_as(&at)))
            })?)
        })
        .await
    }
}

fn scope_of(scope: impl TryInto<Scope, Error = IdError>) -> Result<Scope, Refused> {
    scope.try_into().map_err(|error| Refused::new(riverrun_core::Code::InvalidMutation, error.to_string()))
}

fn decode<T: Entity>(json: &riverrun_core::Json) -> Result<T, StoreError> {
    json.read().map_err(|error| StoreError::Corrupt(format!("a stored {} does not read: {error}", T::COLLECTION)))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use riverrun_core::{Code, Cursor, Mutators, Principal, Scope, wire::PullRequest};

    use crate::{AccessFailed, Action, Authorize, Engine, Memory};

    struct While(Arc<AtomicBool>);

    impl Authorize for While {
        async fn authorize(&self, _: &Principal, _: &Scope, _: Action) -> Result<bool, AccessFailed> {
            Ok(self.0.load(Ordering::SeqCst))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pull_that_waited_in_vain_is_refused_if_the_right_to_read_went_meanwhile() {
        let may = Arc::new(AtomicBool::new(true));
        let engine = Engine::builder(Memory::new()).mutators(Mutators::new()).access(While(may.clone()));
        let engine = engine.start().await.unwrap();
        let scope = Scope::default();
        let ask = PullRequest {
            scope,
            cursor: Cursor::ZERO,
            digest: None,
            epoch: None,
            client: None,
            limit: None,
            wait: Some(20),
        };
        let (reader, question) = (engine.clone(), ask.clone());
        let waiting = tokio::spawn(async move { reader.pull(&Principal::anonymous(), question).await });
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        assert!(!waiting.is_finished());
        may.store(false, Ordering::SeqCst);
        assert_eq!(waiting.await.unwrap().unwrap_err().code, Code::Forbidden);
        may.store(true, Ordering::SeqCst);
        assert!(engine.pull(&Principal::anonymous(), ask).await.unwrap().changes.is_empty());
    }
}
