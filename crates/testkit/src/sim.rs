//! A seeded simulation of your application: clients, server, network and crashes in one thread and in virtual time.
//!
//! The real engine runs your mutators over a store that fails; real clients run them on their own views behind a network
//! that loses, doubles, delays and cuts; processes crash and come back. Everything is drawn from one seed, so that the
//! same seed gives the same run, and after each step the simulation checks the promises of riverrun and the invariants of
//! yours. It is for tests, and knows no real clock, socket or thread.
//!
//! ```
//! use riverrun_core::{Mutators, Reject, Tx, entity};
//! use riverrun_testkit::sim::Sim;
//! use serde::{Deserialize, Serialize};
//! use serde_json::json;
//!
//! #[derive(Serialize, Deserialize)]
//! struct Todo { id: String, title: String }
//! entity!(Todo, "todo", id);
//!
//! fn create(tx: &mut Tx<'_>, todo: Todo) -> Result<(), Reject> {
//!     if todo.title.is_empty() { Err(Reject::new("title_empty", "a todo needs a title")) } else { tx.insert(&todo) }
//! }
//!
//! Sim::new(7)
//!     .mutators(|| Mutators::new().on("todo.create", create))
//!     .generate(|g| ("todo.create", json!({ "id": g.new_id(), "title": if g.chance(90) { "Milk" } else { "" } })))
//!     .invariant("every todo has a title", |state| state.all::<Todo>().iter().all(|todo| !todo.title.is_empty()))
//!     .run();
//! ```
//!
//! A failure names the promise or invariant that broke, the seed, and the few steps that are enough to break it.

mod act;
pub mod apps;
mod audit;
mod broken;
mod builder;
mod carry;
mod copy;
mod disk;
mod edge;
mod exec;
mod faults;
mod form;
mod happening;
mod intend;
mod leave;
mod ledger;
mod line;
mod look;
mod node;
mod observe;
mod plan;
mod quiet;
mod random;
mod record;
mod report;
mod rerun;
mod results;
mod rows;
mod rules;
mod server;
mod spec;
mod trace;
mod world;

pub use self::{
    broken::Promise,
    builder::Sim,
    faults::Faults,
    observe::{Observer, Seen},
    random::{Command, Gen},
    report::Failure,
    rows::{Rows, State},
    spec::Outcome,
    trace::Summary,
};
