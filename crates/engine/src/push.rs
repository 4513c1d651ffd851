//! The way of a push from the edge to the writer and back: find out who may, hand it over, wait for the commit, and put the
//! decisions into the words of the contract.

use std::collections::HashMap;

use riverrun_core::{
    Change, Code, Mutation, Principal, Rejected, Scope, Verdict,
    wire::{PushAnswer, PushRequest, PushResult},
};
use tokio::sync::{mpsc::error::TrySendError, oneshot};

use crate::{
    AccessFailed, Action, Decision, Engine,
    error::Refused,
    kernel::{Edge, Push, PushItem},
    planted::{Bug, is},
    pull::entry_changes,
    writer::Ask,
};

/// What was found out about scopes while one push was looked at: each is asked for once.
struct Asked<'a> {
    engine: &'a Engine,
    principal: &'a Principal,
    known: HashMap<(Scope, Action), Result<bool, AccessFailed>>,
}

impl Asked<'_> {
    async fn may(&mut self, scope: &Scope, action: Action) -> Result<bool, AccessFailed> {
        let key = (scope.clone(), action);
        if let Some(answer) = self.known.get(&key) {
            return answer.clone();
        }
        let answer = self.engine.inner.access.allows(self.principal, scope, action).await;
        if let Err(error) = &answer {
            tracing::error!(%error, %scope, "access could not be checked");
        }
        self.known.insert(key, answer.clone());
        answer
    }

    /// The declared scopes of a mutation, and whether it may write to all it touches.
    async fn item(&mut self, mutation: Mutation) -> PushItem {
        let (mut declared, mut edge) = match self.engine.inner.kernel.app.declared(&mutation) {
            Ok(declared) => (declared, Edge::Go),
            Err(no) => (Vec::new(), Edge::No(no.into())),
        };
        for scope in std::iter::once(&mutation.scope).chain(&declared) {
            if is(Bug::DeclaredNotAsked) && *scope != mutation.scope {
                continue;
            }
            match self.may(scope, Action::Write).await {
                Ok(true) => {}
                Ok(false) => {
                    edge = Edge::No(Rejected {
                        code: Code::Forbidden,
                        reason: None,
                        error: "you may not write here".into(),
                    });
                    break;
                }
                Err(_) => edge = Edge::Unknown,
            }
        }
        if edge != Edge::Go {
            // Nothing is run, so nothing else needs to be locked.
            declared.clear();
        }
        PushItem { mutation, declared, edge }
    }
}

impl Engine {
    /// Looks at one mutation as the edge does.
    pub(crate) async fn edge(&self, principal: &Principal, mutation: Mutation) -> PushItem {
        Asked { engine: self, principal, known: HashMap::new() }.item(mutation).await
    }

    /// Decides a push: one result per mutation, in order, each decided by itself. Returns after the commit.
    ///
    /// Refused as a whole are a foreign epoch and a writer that can't take more.
    pub async fn push(&self, principal: &Principal, request: PushRequest) -> Result<PushAnswer, Refused> {
        let mut asked = Asked { engine: self, principal, known: HashMap::new() };
        let mut items = Vec::with_capacity(request.mutations.len());
        for mutation in request.mutations {
            items.push(asked.item(mutation).await);
        }
        let ids: Vec<_> = items.iter().map(|item| item.mutation.id.clone()).collect();
        if items.is_empty() {
            return self.push_nothing(request.epoch).await;
        }
        let push = Push { principal: principal.clone(), epoch: request.epoch, items };
        let (epoch, decisions) = self.settle(push).await?;

        let mut results = Vec::with_capacity(ids.len());
        for (id, decision) in ids.into_iter().zip(decisions) {
            let mut changes: Vec<Change> = Vec::new();
            if let Decision::Decided { effects, .. } = &decision {
                for (scope, entry) in effects {
                    if is(Bug::UnreadableShown) || asked.may(scope, Action::Read).await == Ok(true) {
                        changes.extend(entry_changes(scope, entry));
                    }
                }
            }
            results.push(result(id, decision, changes));
        }
        Ok(PushAnswer { epoch, results })
    }

    async fn push_nothing(&self, meant: Option<riverrun_core::Epoch>) -> Result<PushAnswer, Refused> {
        let epoch = self.epoch().await?;
        if meant.is_some_and(|meant| meant != epoch) {
            return Err(Refused::epoch_changed());
        }
        Ok(PushAnswer { epoch, results: Vec::new() })
    }

    /// Hands a push to the writer and waits for its commit.
    pub(crate) async fn settle(&self, push: Push) -> Result<(riverrun_core::Epoch, Vec<Decision>), Refused> {
        let (answer, settled) = oneshot::channel();
        match self.asks.try_send(Ask::Push(push, answer)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                return Err(Refused::new(Code::Unavailable, "more is being written than can be taken: try again"));
            }
            Err(TrySendError::Closed(_)) => return Err(Refused::unavailable()),
        }
        match settled.await {
            Ok(Ok(decided)) => Ok(decided),
            Ok(Err(Code::EpochChanged)) => Err(Refused::epoch_changed()),
            // Also when the writer died with it: nothing is known, so it may be sent again.
            Ok(Err(_)) | Err(_) => Err(Refused::unavailable()),
        }
    }
}

fn result(id: riverrun_core::MutationId, decision: Decision, changes: Vec<Change>) -> PushResult {
    match decision {
        Decision::Decided { verdict: Verdict::Accepted(accepted), duplicate, .. } => PushResult {
            cursor: Some(accepted.cursor),
            digest: Some(accepted.digest),
            cursors: accepted.cursors,
            changes: (!duplicate).then_some(changes),
            duplicate,
            ..PushResult::blank(id, true)
        },
        Decision::Decided { verdict: Verdict::Rejected(no), duplicate, .. } => {
            PushResult { duplicate, ..PushResult::refused(id, no.code, no.reason, no.error, false) }
        }
        Decision::Final { code, error } => PushResult::refused(id, code, None, error, false),
        Decision::Again { code, error } => PushResult::refused(id, code, None, error, true),
    }
}
