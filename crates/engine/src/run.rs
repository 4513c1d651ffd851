//! Runs a mutator at a savepoint and makes log entries of what it did. A rejection and a panic undo its writes and are
//! verdicts; a failure of the store is neither and ends the batch.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use riverrun_core::{Accepted, Code, Ctx, Journal, Json, Mutation, Principal, Rejected, Scope, State, Unavailable};

use crate::{
    decide::refusal,
    digests,
    kernel::PushItem,
    planted::{Bug, is},
    settle::Batch,
    store::{Entry, Layer, Origin, Range, StoreError, StoreResult, WriteTx},
};

/// What an accepted mutation came to: its verdict, and one entry per scope it changed.
pub(crate) type Effective = (Accepted, Vec<(Scope, Entry)>);

impl Batch<'_> {
    /// Runs the mutator at a savepoint. The outer error is the store's and ends the batch; the inner one is a verdict.
    pub(crate) fn run(&mut self, principal: &Principal, item: &PushItem) -> StoreResult<Result<Effective, Rejected>> {
        let mutation = &item.mutation;
        let ctx = Ctx {
            time: self.now,
            mutation: mutation.id.clone(),
            name: mutation.name.clone(),
            principal: principal.clone(),
            client: mutation.place.as_ref().map(|(client, _)| client.clone()),
            scope: mutation.scope.clone(),
        };
        self.tx.savepoint()?;
        let mut journal = Journal::new(mutation.scope.clone(), item.declared.iter().cloned());
        let mut ground = Ground { tx: &mut *self.tx, error: None };
        let app = &self.kernel.app;
        let ran = catch_unwind(AssertUnwindSafe(|| app.run(mutation, &ctx, &mut ground, &mut journal, &self.working)));
        if let Some(error) = ground.error {
            return Err(error);
        }
        if journal.failed() {
            return Err(StoreError::Other(format!("the application's own table failed in {}", mutation.name)));
        }
        let no = match ran {
            Ok(Ok(())) => None,
            Ok(Err(reject)) => Some(sanitised(reject.into())),
            Err(_) => Some(panicked(&mutation.name)),
        };
        let no = match no {
            None => match self.fold(&journal, mutation) {
                Ok(effects) => {
                    self.tx.release()?;
                    return Ok(Ok((self.append(principal, mutation, &effects)?, effects)));
                }
                Err(no) => no,
            },
            Some(no) => no,
        };
        if is(Bug::RejectKeepsEffects) {
            self.tx.release()?;
            return Ok(Err(no));
        }
        self.tx.rollback()?;
        Ok(Err(no))
    }

    /// Makes the entries of a mutation and folds them into a machine's state. A panic in there is a verdict too.
    fn fold(&mut self, journal: &Journal, mutation: &Mutation) -> Result<Vec<(Scope, Entry)>, Rejected> {
        let mut effects = Vec::new();
        for (place, scope) in journal.scopes().iter().enumerate() {
            let changes: Vec<Json> = journal.changes(place).cloned().collect();
            if changes.is_empty() {
                continue;
            }
            let head = self.heads.get(scope).copied().unwrap_or_default();
            let mut entry = Entry {
                first: if is(Bug::CursorFromSequence) {
                    self.kernel.sequences.next(scope, &head, changes.len())
                } else {
                    head.cursor.next()
                },
                digest: head.digest,
                time: self.now,
                mutation: mutation.id.clone(),
                changes,
            };
            entry.digest = digests::roll(head.digest, &entry, entry.changes.len());
            effects.push((scope.clone(), entry));
        }
        if self.kernel.app.is_machine() {
            for (scope, entry) in &effects {
                let app = &self.kernel.app;
                let working = &mut self.working;
                if catch_unwind(AssertUnwindSafe(|| app.fold(working, scope, entry))).is_err() {
                    self.working.remove(scope);
                    return Err(panicked(&mutation.name));
                }
            }
        }
        Ok(effects)
    }

    fn append(
        &mut self,
        principal: &Principal,
        mutation: &Mutation,
        effects: &[(Scope, Entry)],
    ) -> StoreResult<Accepted> {
        let mut cursors = BTreeMap::new();
        if !effects.is_empty() {
            let origin = Origin {
                name: mutation.name.clone(),
                args: mutation.args.clone(),
                principal: principal.clone(),
                place: mutation.place.clone(),
            };
            for (scope, entry) in effects {
                self.tx.append(scope, entry, &origin)?;
                let head = self.heads.entry(scope.clone()).or_default();
                (head.cursor, head.digest) = (entry.last(), entry.digest);
                if *scope != mutation.scope {
                    cursors.insert(scope.clone(), entry.last());
                }
            }
        }
        let head = self.heads.get(&mutation.scope).copied().unwrap_or_default();
        Ok(Accepted { cursor: head.cursor, digest: head.digest, cursors })
    }
}

/// The collections of a transaction, as a mutator reaches them. The store's error stays here; the mutator only learns that
/// there was one.
struct Ground<'t> {
    tx: &'t mut dyn WriteTx,
    error: Option<StoreError>,
}

impl Ground<'_> {
    fn kept<T>(&mut self, result: StoreResult<T>) -> Result<T, Unavailable> {
        result.map_err(|error| {
            self.error.get_or_insert(error);
            Unavailable
        })
    }
}

impl State for Ground<'_> {
    fn get(&mut self, scope: &Scope, collection: &str, id: &str) -> Result<Option<Json>, Unavailable> {
        let got = self.tx.entity(scope, collection, id);
        self.kept(got)
    }

    fn put(&mut self, scope: &Scope, collection: &str, id: &str, value: &Json) -> Result<(), Unavailable> {
        let done = self.tx.put(scope, Layer::Current, collection, id, value);
        self.kept(done)
    }

    fn del(&mut self, scope: &Scope, collection: &str, id: &str) -> Result<(), Unavailable> {
        let done = self.tx.del(scope, Layer::Current, collection, id);
        self.kept(done)
    }

    fn list(
        &mut self,
        scope: &Scope,
        collection: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Box<str>, Json)>, Unavailable> {
        let rows = self.tx.entities(scope, collection, Range { prefix, after, limit });
        self.kept(rows)
    }

    fn host(&self) -> Option<&dyn std::any::Any> {
        self.tx.host()
    }
}

fn panicked(name: &str) -> Rejected {
    tracing::error!(mutator = name, "a mutator panicked; its effects were rolled back");
    refusal(Code::InternalError, "the server failed on this mutation; it is in its log")
}

/// A verdict is final: codes that ask for a retry can't stand in one.
fn sanitised(no: Rejected) -> Rejected {
    let code = match no.code {
        Code::NotFound
        | Code::Conflict
        | Code::Forbidden
        | Code::InvalidMutation
        | Code::TooLarge
        | Code::InternalError
        | Code::SchemaMismatch => no.code,
        _ => Code::Rejected,
    };
    if code == Code::InternalError {
        tracing::error!(error = no.error, "a mutator failed");
        return refusal(code, "the server failed on this mutation; it is in its log");
    }
    Rejected { code, ..no }
}
