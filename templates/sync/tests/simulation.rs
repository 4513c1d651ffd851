//! The mutators in a simulation: clients, server, network and crashes in one thread, drawn from a seed. What a list
//! promises its users must hold whatever happens; riverrun's own promises are checked beside it.

use std::collections::BTreeSet;

use myapp::service::todo::{MAX_TITLE, Todo, mutators};
use riverrun_testkit::sim::{Sim, Summary};
use serde_json::json;

/// Runs of this test. A failure names its seed; `SEED=… cargo test simulation` shows that one again.
const SEEDS: u64 = 8;

fn simulation(seed: u64) -> Sim {
    Sim::new(seed)
        .mutators(mutators)
        .generate(|g| {
            let known = g.pick_id("todo");
            match (g.below(10), known) {
                (0..4, _) | (_, None) => ("todo.create", json!({ "id": g.new_id(), "title": " Milk " })),
                (4, Some(id)) => ("todo.create", json!({ "id": id, "title": "" })),
                (5 | 6, Some(id)) => ("todo.toggle", json!({ "id": id, "completed": g.chance(50) })),
                (7, Some(id)) => ("todo.edit", json!({ "id": id, "title": "Bread" })),
                (8, Some(id)) => ("todo.delete", json!({ "id": id })),
                _ => ("todo.clear", json!({})),
            }
        })
        .invariant("every title is one", |state| {
            let is_one = |title: &str| title == title.trim() && (1..=MAX_TITLE).contains(&title.chars().count());
            state.all::<Todo>().iter().all(|todo| is_one(&todo.title))
        })
        .invariant("an id names one todo", |state| {
            state.scopes().all(|(_, rows)| {
                let todos = rows.all::<Todo>();
                todos.iter().map(|todo| &todo.id).collect::<BTreeSet<_>>().len() == todos.len()
            })
        })
}

#[test]
fn the_lists_keep_their_promises_whatever_happens() {
    let mut all = Summary::default();
    for seed in 0..SEEDS {
        all.add(&simulation(seed).run());
    }
    assert!(all.accepted > 0 && all.rejected > 0, "{all}");
}

#[test]
fn a_promise_the_mutators_do_not_keep_is_found() {
    let failure =
        simulation(1).invariant("no todo is ever done", |state| state.all::<Todo>().iter().all(|todo| !todo.completed));
    assert!(failure.check().unwrap_err().to_string().contains("no todo is ever done"));
}
