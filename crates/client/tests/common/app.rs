//! The application of the tests: every mutation leaves a mark under its own id that counts how often it took effect, and
//! rewrites one shared entity. A view or a state in which a mark says 2 holds a mutation twice.

use std::sync::Arc;

use riverrun_core::{Mutators, Reject, Tx, entity};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub id: String,
    pub n: u64,
}
entity!(Mark, "mark", id);

/// What everybody writes: the log's order shows in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Shared {
    pub id: String,
    pub last: String,
    pub writes: u64,
}
entity!(Shared, "shared", id);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Args {
    /// The server says no to it.
    #[serde(default)]
    pub bad: bool,
    /// Makes it long.
    #[serde(default)]
    pub pad: String,
}

fn mark(tx: &mut Tx<'_>) -> Result<(), Reject> {
    let id = tx.ctx().mutation.to_string();
    let n = tx.get::<Mark>(&id)?.map_or(0, |mark| mark.n);
    tx.put(&Mark { id: id.clone(), n: n + 1 })?;
    let mut shared = tx.get::<Shared>("s")?.unwrap_or_else(|| Shared { id: "s".into(), ..Shared::default() });
    shared.last = id;
    shared.writes += 1;
    tx.put(&shared)
}

fn remove(tx: &mut Tx<'_>, id: String) -> Result<(), Reject> {
    if tx.delete::<Mark>(&id)? { Ok(()) } else { Err(Reject::not_found("no such mark")) }
}

/// What the clients run: it does not know what the server will refuse.
pub fn client_mutators() -> Arc<Mutators> {
    Arc::new(
        Mutators::new()
            .on("mark", |tx: &mut Tx<'_>, _: Args| mark(tx))
            .on("remove", remove)
            .on("panics", |_: &mut Tx<'_>, _: Args| -> Result<(), Reject> { panic!("a defect of the application") }),
    )
}

/// What the clients and the server of a world run.
#[derive(Clone)]
pub struct App {
    pub client: Arc<Mutators>,
    pub server: fn() -> Mutators,
    /// What is done to the replicas is recorded, for a trace; nothing is known of the application's marks.
    pub records: bool,
}

/// The application of marks.
pub fn marks() -> App {
    App { client: client_mutators(), server: server_mutators, records: false }
}

pub fn server_mutators() -> Mutators {
    Mutators::new()
        .on(
            "mark",
            |tx: &mut Tx<'_>, args: Args| {
                if args.bad { Err(Reject::new("bad", "the server says no")) } else { mark(tx) }
            },
        )
        .on("remove", remove)
        .on("silent", |tx: &mut Tx<'_>, args: Args| {
            if args.bad {
                Err(Reject::new("bad", "the server says no"))
            } else {
                tx.emit(&serde_json::json!({"note": 1}))
            }
        })
}
