//! Runs every decided mutation again on the state it met, by fresh mutators: the same answers to its questions must make it
//! ask the same questions, write the same changes and come to the same verdict. It touches no store.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
};

use riverrun_core::{Code, Ctx, Journal, Json, Mutators, Reject, Scope, State, Tx, Unavailable, Verdict};
use riverrun_engine::store::{Range, Record};

use super::{
    broken::{Broken, Held, Promise},
    disk::Done,
    ledger::{Intent, Ledger},
    record::{Asked, Look, Run},
};

/// All that was decided in these transactions.
pub(crate) fn all(ledger: &Ledger, done: &[Done], mutators: &Mutators) -> Held {
    for (scope, principal, record, run) in done.iter().flat_map(|done| &done.records) {
        let (Some(run), Some(intent)) = (run, ledger.intents.get(&record.id)) else { continue };
        again(mutators, intent, record, run, &|scope| {
            let log = ledger.logs.get(scope);
            log.and_then(|log| log.cursor_of(principal, &record.id)).map(|entry| entry.changes.clone())
        })
        .map_err(|how| Broken {
            promise: Promise::Deterministic,
            seen: format!(
                "{} {} in {scope} was run again on the state it met, and {how}. A mutator must take time, ids and the \
                 caller from its Tx only, and must not depend on the order of a hash map",
                intent.name, intent.args
            ),
        })?;
    }
    Ok(())
}

fn again(
    mutators: &Mutators,
    intent: &Intent,
    record: &Record,
    run: &Run,
    logged: &dyn Fn(&Scope) -> Option<Vec<Json>>,
) -> Result<(), String> {
    let others = mutators.declared(&intent.name, &intent.scope, &intent.args).unwrap_or_default();
    let ctx = Ctx {
        time: record.time,
        mutation: record.id.clone(),
        name: intent.name.clone(),
        principal: intent.principal.clone(),
        client: record.place.as_ref().map(|(client, _)| client.clone()),
        scope: intent.scope.clone(),
    };
    let mut journal = Journal::new(intent.scope.clone(), others);
    let mut state = Replayed { looks: run.looks.clone(), strayed: None };
    let ran = catch_unwind(AssertUnwindSafe(|| {
        mutators.run(&intent.name, &mut Tx::new(&ctx, &mut state, &mut journal), &intent.args)
    }));
    if let Some(how) = state.strayed {
        return Err(how);
    }
    match (ran, &record.verdict) {
        (Ok(Ok(())), Verdict::Accepted(_)) => {
            for (place, scope) in journal.scopes().iter().enumerate() {
                let changes: Vec<Json> = journal.changes(place).cloned().collect();
                let first = logged(scope).unwrap_or_default();
                if changes != first {
                    return Err(format!("wrote {changes:?} to {scope}, not {first:?}"));
                }
            }
            if state.looks.is_empty() { Ok(()) } else { Err("looked at less".into()) }
        }
        (Ok(Ok(())), Verdict::Rejected(no)) => Err(format!("was accepted, not rejected with {:?}", no.error)),
        (Ok(Err(no)), Verdict::Accepted(_)) => Err(format!("was rejected with {:?}, not accepted", no.error())),
        (Ok(Err(no)), Verdict::Rejected(first)) => same(&no, first),
        (Err(_), Verdict::Rejected(first)) if first.code == Code::InternalError => Ok(()),
        (Err(_), _) => Err("panicked".into()),
    }
}

fn same(no: &Reject, first: &riverrun_core::Rejected) -> Result<(), String> {
    let is_same = first.code == Code::InternalError
        || (no.reason(), no.error()) == (first.reason.as_deref(), first.error.as_str());
    if is_same { Ok(()) } else { Err(format!("was rejected with {:?}, not {:?}", no.error(), first.error)) }
}

/// A state that gives the answers it gave before, to the questions it was asked before.
struct Replayed {
    looks: VecDeque<Look>,
    strayed: Option<String>,
}

impl Replayed {
    fn stray(&mut self, what: String) -> Unavailable {
        self.strayed.get_or_insert(what);
        Unavailable
    }
}

impl State for Replayed {
    fn get(&mut self, scope: &Scope, collection: &str, id: &str) -> Result<Option<Json>, Unavailable> {
        match self.looks.pop_front() {
            Some(Look::Get { scope: s, collection: c, id: i, found }) if (&s, &*c, &*i) == (scope, collection, id) => {
                Ok(found)
            }
            other => {
                Err(self.stray(format!("looked for {collection} {id}, and before it was {}", shown(other.as_ref()))))
            }
        }
    }

    fn put(&mut self, _: &Scope, _: &str, _: &str, _: &Json) -> Result<(), Unavailable> {
        Ok(())
    }

    fn del(&mut self, _: &Scope, _: &str, _: &str) -> Result<(), Unavailable> {
        Ok(())
    }

    fn list(
        &mut self,
        scope: &Scope,
        collection: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Box<str>, Json)>, Unavailable> {
        match self.looks.pop_front() {
            Some(Look::List { asked, found })
                if asked == Asked::new(scope, collection, Range { prefix, after, limit }) =>
            {
                Ok(found)
            }
            other => {
                Err(self.stray(format!("listed {collection} {prefix}*, and before it was {}", shown(other.as_ref()))))
            }
        }
    }
}

fn shown(look: Option<&Look>) -> String {
    match look {
        Some(Look::Get { collection, id, .. }) => format!("{collection} {id}"),
        Some(Look::List { asked, .. }) => format!("a list of {} {}*", asked.collection, asked.prefix),
        None => "done".into(),
    }
}
