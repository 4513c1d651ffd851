//! What a simulation was asked to run: the application, its generator and invariants, the store. It is only read while a
//! run goes on, so that one plan can be run again and again.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::Arc,
};

use riverrun_core::{Mutators, Reject, Scope, Tx};
use riverrun_engine::Store;

use super::{
    Faults,
    broken::{Broken, Held, Promise},
    random::{Command, Gen},
    rows::{Rows, State},
};

/// Changes `sim.large` makes: more than a small page holds.
const LARGE: u64 = 7;

type Check<T> = (String, Rc<dyn Fn(&T) -> Result<(), String>>);

/// See the file's head.
#[derive(Clone)]
pub(crate) struct Spec {
    pub(crate) clients: usize,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) steps: usize,
    pub(crate) faults: Faults,
    pub(crate) mutators: Rc<dyn Fn() -> Mutators>,
    pub(crate) generate: Rc<dyn Fn(&mut Gen<'_>) -> Command>,
    pub(crate) invariants: Vec<Check<State>>,
    pub(crate) views: Vec<Check<Rows>>,
    pub(crate) store_name: String,
    pub(crate) store: Rc<dyn Fn() -> Arc<dyn Store>>,
}

impl Spec {
    /// The application's mutators and the simulation's own, which touch no collection.
    pub(crate) fn fresh_mutators(&self) -> Mutators {
        let many = |tx: &mut Tx<'_>, _: serde_json::Value| {
            (0..LARGE).try_for_each(|part| tx.emit(&serde_json::json!({ "sim": part })))
        };
        let panics = |_: &mut Tx<'_>, _: serde_json::Value| -> Result<(), Reject> {
            // Not with `panic!`: its message would stand between those of the tests.
            std::panic::resume_unwind(Box::new("as the simulation wants it"))
        };
        (self.mutators)()
            .on("sim.large", many)
            .on("sim.one", |tx: &mut Tx<'_>, _: serde_json::Value| tx.emit(&serde_json::json!({ "sim": 1 })))
            .on("sim.silent", |_: &mut Tx<'_>, _: serde_json::Value| Ok(()))
            .on("sim.no", |_: &mut Tx<'_>, _: serde_json::Value| Err(Reject::new("sim_no", "the simulation says no")))
            .on("sim.panics", panics)
    }

    pub(crate) fn invariants_hold(&self, state: &State) -> Held {
        self.invariants.iter().try_for_each(|check| holds(check, state, ""))
    }

    pub(crate) fn views_hold(&self, rows: &Rows, client: usize) -> Held {
        self.views.iter().try_for_each(|check| holds(check, rows, &format!("in the view of client {client}: ")))
    }
}

fn holds<T>((name, check): &Check<T>, on: &T, at: &str) -> Held {
    let held = catch_unwind(AssertUnwindSafe(|| check(on))).unwrap_or_else(|panic| Err(said(&*panic)));
    held.map_err(|seen| Broken { promise: Promise::Invariant(name.clone()), seen: format!("{at}{seen}") })
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".into())
}

/// What an invariant may return: nothing (it asserts), whether it holds, or why it does not.
pub trait Outcome {
    /// As a result.
    fn outcome(self) -> Result<(), String>;
}

impl Outcome for () {
    fn outcome(self) -> Result<(), String> {
        Ok(())
    }
}

impl Outcome for bool {
    fn outcome(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("it does not hold".into()) }
    }
}

impl<E: std::fmt::Display> Outcome for Result<(), E> {
    fn outcome(self) -> Result<(), String> {
        self.map_err(|error| error.to_string())
    }
}
