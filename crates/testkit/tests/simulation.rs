//! The simulation under test: it holds what riverrun promises, it is the same for the same seed, and it finds what is
//! wrong with an application and names it.

use std::{
    cell::RefCell,
    collections::{HashMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    process::Command,
    rc::Rc,
    sync::atomic::{AtomicU64, Ordering},
};

use riverrun_client::{Config, Saved};
use riverrun_core::{Mutators, Reject, Tx, entity};
use riverrun_sqlite::Sqlite;
use riverrun_testkit::sim::{Faults, Observer, Promise, Seen, Sim, apps};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A seed with most kinds of faults in it.
const SEED: u64 = 12;

/// Set in the process that only tells its trace.
const TELLS: &str = "RIVERRUN_SIMULATION_TELLS";

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    id: String,
    text: String,
}
entity!(Note, "note", id);

fn notes(put: impl Fn(&mut Tx<'_>, Note) -> Result<(), Reject> + Clone + Send + Sync + 'static) -> Sim {
    Sim::new(3)
        .steps(40)
        .mutators(move || Mutators::new().on("note.put", put.clone()))
        .generate(|g| ("note.put", json!({ "id": format!("n{}", g.below(20)), "text": g.new_id() })))
}

#[test]
fn the_promises_hold_for_every_application_in_memory() {
    for seed in 0..6 {
        for app in [apps::marks, apps::bank, apps::names] {
            let summary = app(seed).run();
            assert!(summary.mutations > 50 && summary.accepted > 0 && summary.commits > 0, "{summary}");
        }
    }
}

#[test]
fn the_promises_hold_on_sqlite() {
    for seed in 0..3 {
        let summary = apps::bank(seed).store("sqlite", || Sqlite::in_memory().expect("a database in memory")).run();
        assert_eq!(summary.store, "sqlite");
        assert!(summary.accepted > 0, "{summary}");
    }
}

#[test]
fn without_faults_none_is_counted_and_nobody_is_refused_for_the_server_s_sake() {
    let summary = apps::marks(5).faults(Faults::none()).run();
    assert!(summary.faults.is_empty(), "{summary}");
    assert!(summary.converged < 30_000, "{summary}");
}

#[test]
fn the_same_seed_is_the_same_run_and_another_one_is_another() {
    let lines = |seed| apps::bank(seed).traced().run().trace;
    let first = lines(SEED);
    assert!(first.len() > 1000, "{} lines", first.len());
    assert_eq!(first, lines(SEED));
    assert_ne!(first, lines(SEED + 1));
}

fn told(store: &str) -> u64 {
    let sim = apps::names(SEED).traced();
    let sim = if store == "sqlite" { sim.store(store, || Sqlite::in_memory().expect("a database")) } else { sim };
    let mut hasher = DefaultHasher::new();
    sim.run().trace.hash(&mut hasher);
    hasher.finish()
}

#[test]
fn another_process_tells_the_same_byte_for_byte_over_either_store() {
    for store in ["memory", "sqlite"] {
        if std::env::var(TELLS).is_ok_and(|asked| asked == store) {
            println!("told {}", told(store));
            return;
        }
    }
    if std::env::var_os(TELLS).is_some() {
        return;
    }
    let name = "another_process_tells_the_same_byte_for_byte_over_either_store";
    for store in ["memory", "sqlite"] {
        let this = std::env::current_exe().expect("a test has a file");
        let output = Command::new(this).args(["--exact", name, "--nocapture"]).env(TELLS, store).output();
        let output = String::from_utf8(output.expect("it runs").stdout).expect("text");
        let there = output.lines().find_map(|line| line.split("told ").nth(1)).expect("it tells").to_owned();
        assert_eq!(there, told(store).to_string(), "{store}");
    }
}

#[test]
fn an_invariant_that_does_not_hold_is_named_with_the_seed_and_the_few_steps_that_break_it() {
    let two = notes(|tx, note| tx.put(&note));
    let failure = two.invariant("at most two notes", |state| state.all::<Note>().len() <= 2).check().unwrap_err();
    assert_eq!(failure.promise, Promise::Invariant("at most two notes".into()));
    assert!(failure.steps.len() <= 3 && failure.of == 40, "{failure}");
    let text = failure.to_string();
    assert!(text.contains("SEED=3 STORE=memory") && text.contains("at most two notes"), "{text}");
}

#[test]
fn an_invariant_may_assert_and_its_words_are_told() {
    let sim = notes(|tx, note| tx.put(&note));
    let failure = sim.invariant("asserts", |state| assert!(state.all::<Note>().is_empty(), "there are notes"));
    assert_eq!(failure.check().unwrap_err().seen, "there are notes");
}

#[test]
fn a_view_that_is_not_as_it_should_be_is_found_at_a_client() {
    let sim = notes(|tx, note| tx.put(&note)).view_invariant("no n1", |rows| rows.get::<Note>("n1").is_none());
    let failure = sim.check().unwrap_err();
    assert!(failure.seen.starts_with("in the view of client"), "{failure}");
}

#[test]
fn a_mutator_that_goes_by_the_order_of_a_hash_map_is_named() {
    let sim = notes(|tx, note| {
        let parts: HashMap<String, u8> = (0..8).map(|part| (format!("{}-{part}", note.id), part)).collect();
        parts.into_keys().try_for_each(|id| tx.put(&Note { id, text: note.text.clone() }))
    });
    let failure = sim.check().unwrap_err();
    assert_eq!(failure.promise, Promise::Deterministic, "{failure}");
    assert!(failure.seen.contains("note.put") && failure.seen.contains("hash map"), "{failure}");
}

#[test]
fn a_mutator_that_asks_the_world_for_the_time_or_a_number_is_named() {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let counts = |tx: &mut Tx<'_>, note: Note| {
        let text = CALLS.fetch_add(1, Ordering::Relaxed).to_string();
        tx.put(&Note { text, ..note })
    };
    let moody = |tx: &mut Tx<'_>, note: Note| match CALLS.fetch_add(1, Ordering::Relaxed) % 2 {
        0 => tx.put(&note),
        _ => Err(Reject::new("no", "not now")),
    };
    let curious = |tx: &mut Tx<'_>, note: Note| {
        if CALLS.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            tx.get::<Note>("n1")?;
        }
        tx.put(&note)
    };
    for sim in [notes(counts), notes(moody), notes(curious)] {
        let failure = sim.faults(Faults::none()).check().unwrap_err();
        assert_eq!(failure.promise, Promise::Deterministic, "{failure}");
        assert!(failure.seen.contains("note.put"), "{failure}");
    }
}

#[test]
fn time_and_ids_of_the_transaction_are_deterministic() {
    let sim = notes(|tx, note| {
        let (time, id) = (tx.time().to_string(), tx.new_id());
        tx.put(&Note { id, text: format!("{time} {} {}", tx.principal(), note.text) })
    });
    sim.run();
}

#[derive(Default)]
struct Counts {
    born: u64,
    events: u64,
    pending: usize,
}

impl Observer for Counts {
    fn born(&mut self, _: usize, _: u64, _: &Config, _: &Saved) {
        self.born += 1;
    }

    fn step(&mut self, seen: &Seen<'_>) {
        self.events += 1;
        self.pending = self.pending.max(seen.core.pending().count());
    }
}

#[test]
fn whoever_watches_sees_every_event_and_changes_nothing() {
    let counts = Rc::new(RefCell::new(Counts::default()));
    let watched = apps::marks(SEED).traced().observer(counts.clone()).run();
    assert_eq!(watched, apps::marks(SEED).traced().run());
    let counts = counts.borrow();
    assert_eq!(counts.events, watched.events);
    assert!(counts.born >= 4 && counts.pending > 0);
}
