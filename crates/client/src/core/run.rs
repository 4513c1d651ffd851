//! Runs the application's mutators on the client's own view: the same functions that decide on the server. What one
//! writes lands in a layer of its own; a mutator that refuses or panics leaves no trace.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use riverrun_core::{ClientId, Code, Ctx, Journal, Json, Mutators, Principal, Reject, Scope, State, Tx, Unavailable};

use super::layer::{self, Layer};
use crate::words::Entry;

/// The mutators and the circumstances they run in.
pub(super) struct Runner {
    mutators: Arc<Mutators>,
    names: BTreeSet<String>,
    scope: Scope,
    principal: Principal,
}

/// What a mutator did here.
pub(super) enum Ran {
    /// It would write this.
    Wrote(Layer),
    /// It says no, and has seen all there is to see.
    Refused(Reject),
    /// It says no, but looked into scopes this client does not hold: only the server can tell.
    Unsure,
}

impl Runner {
    pub(super) fn new(mutators: Arc<Mutators>, scope: Scope, principal: Principal) -> Self {
        let names = mutators.names().map(Into::into).collect();
        Self { mutators, names, scope, principal }
    }

    /// Runs a mutation over layers, the topmost first. A command that has no mutator here writes nothing.
    pub(super) fn run(&self, entry: &Entry, client: Option<&ClientId>, below: [&Layer; 2]) -> Ran {
        if !self.names.contains(&entry.name) {
            return Ran::Wrote(Layer::default());
        }
        let others = match self.mutators.declared(&entry.name, &self.scope, &entry.args) {
            Ok(others) => others,
            Err(no) => return Ran::Refused(no),
        };
        let ctx = Ctx {
            time: entry.created,
            mutation: entry.id.clone(),
            name: entry.name.clone(),
            principal: self.principal.clone(),
            client: client.cloned(),
            scope: self.scope.clone(),
        };
        let mut journal = Journal::new(self.scope.clone(), others);
        let mut local = Local { scope: &self.scope, below, own: Layer::default(), elsewhere: false };
        // What the mutator touches is thrown away if it panics.
        let ran = catch_unwind(AssertUnwindSafe(|| {
            self.mutators.run(&entry.name, &mut Tx::new(&ctx, &mut local, &mut journal), &entry.args)
        }));
        match ran {
            Ok(Ok(())) => Ran::Wrote(local.own),
            _ if local.elsewhere => Ran::Unsure,
            Ok(Err(no)) => Ran::Refused(no),
            Err(_) => Ran::Refused(Reject::with(Code::InternalError, None, "the mutator panicked")),
        }
    }
}

/// The client's view as a mutator's state. Other scopes look empty here.
struct Local<'a> {
    scope: &'a Scope,
    below: [&'a Layer; 2],
    own: Layer,
    elsewhere: bool,
}

impl Local<'_> {
    fn is_here(&mut self, scope: &Scope) -> bool {
        let here = scope == self.scope;
        self.elsewhere |= !here;
        here
    }
}

impl State for Local<'_> {
    fn get(&mut self, scope: &Scope, collection: &str, id: &str) -> Result<Option<Json>, Unavailable> {
        if !self.is_here(scope) {
            return Ok(None);
        }
        Ok(layer::get(&[&self.own, self.below[0], self.below[1]], collection, id).cloned())
    }

    fn put(&mut self, scope: &Scope, collection: &str, id: &str, value: &Json) -> Result<(), Unavailable> {
        if self.is_here(scope) {
            self.own.set(collection, id, Some(value.clone()));
        }
        Ok(())
    }

    fn del(&mut self, scope: &Scope, collection: &str, id: &str) -> Result<(), Unavailable> {
        if self.is_here(scope) {
            self.own.set(collection, id, None);
        }
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
        if !self.is_here(scope) {
            return Ok(Vec::new());
        }
        let rows = layer::list(&[&self.own, self.below[0], self.below[1]], collection, prefix, after, limit);
        Ok(rows.into_iter().map(|(id, value)| (id.into(), value.clone())).collect())
    }
}
