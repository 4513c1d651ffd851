//! Writes a database of a million changes through the engine, for measuring what reads it all: `riverrun verify`, `backup`,
//! `export`. A tool for measurements; no test depends on its speed.
//!
//! `cargo run --release -p riverrun-cli --example million -- FILE`
#![allow(clippy::unwrap_used)]

use riverrun::{core::wire::PushRequest, prelude::*, sqlite::Synchronous};
use serde::{Deserialize, Serialize};

/// Mutations in all, each with as many changes.
const MUTATIONS: u64 = 250_000;
const CHANGES: u64 = 4;

/// Entities they are spread over.
const ENTITIES: u64 = 100_000;

/// Mutations in one push: the most there may be.
const PUSH: u64 = 100;

#[derive(Serialize, Deserialize)]
struct Todo {
    id: String,
    title: String,
    completed: bool,
}
entity!(Todo, "todo", id);

fn put(tx: &mut Tx<'_>, first: u64) -> Result<(), Reject> {
    (0..CHANGES).try_for_each(|next| {
        let id = format!("t{}", (first + next * 7919) % ENTITIES);
        tx.put(&Todo { id, title: format!("what is to be done at {first}"), completed: next % 2 == 0 })
    })
}

#[tokio::main]
async fn main() {
    let file = std::env::args().nth(1).expect("name the file to write");
    // Nobody's data: the disk need not keep up.
    let store = Sqlite::options(file).synchronous(Synchronous::Normal).open().unwrap();
    let retention = riverrun::engine::Retention { changes: u64::MAX, ..Default::default() };
    let mutators = Mutators::new().on("put", put);
    let engine = Engine::builder(store).mutators(mutators).retention(retention).access(Public).start().await.unwrap();
    for from in (0..MUTATIONS).step_by(usize::try_from(PUSH).unwrap()) {
        let mutations: Vec<_> = (from..from + PUSH)
            .map(|at| serde_json::json!({"id": MutationId::new(format!("{at:012}")).unwrap(), "type": "put", "args": at, "seq": at + 1}))
            .collect();
        let body = serde_json::json!({"client": "c1", "scope": "list:million", "mutations": mutations}).to_string();
        let request = PushRequest::read(body.as_bytes(), 1 << 20).unwrap();
        let answer = engine.push(&Principal::anonymous(), request).await.unwrap();
        assert!(answer.results.iter().all(|result| result.ok));
    }
    engine.close().await;
}
