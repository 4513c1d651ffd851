//! What will be done in a run, drawn from the seed before it begins: each step with a seed of its own, so that a step does
//! the same when others are left out. That is what lets a failure be shortened.

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::Faults;

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A client mutates.
    Mutate,
    /// Several mutations of one client at once.
    Burst,
    /// A plain sender mutates: by an id alone, without a client id.
    Form,
    /// Somebody reads a few changes from anywhere.
    Peek,
    /// A client takes its last mutation back.
    Undo,
    /// A client is woken.
    Wake,
    Weather,
    Cut,
    HalfOpen,
    SlowReader,
    Offline,
    Proxy,
    ClientCrash,
    StorageFailure,
    CopiedClient,
    ServerCrash,
    StoreError,
    StoreFull,
    /// A copy of the store is put aside.
    Backup,
    Restore,
    SilentRestore,
    Trim,
    Ages,
    Access,
    Clocks,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// Its place in the whole plan.
    pub(crate) number: usize,
    pub(crate) kind: Kind,
    /// What its own choices and those that follow from it are drawn from.
    pub(crate) seed: u64,
    /// Milliseconds of the world's time that pass after it.
    pub(crate) pause: i64,
}

/// What is drawn once for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Logs, verdicts and clients are kept for minutes instead of days.
    pub(crate) short_memory: bool,
    /// Clocks of clients and server differ.
    pub(crate) skewed: bool,
    pub(crate) steps: Vec<Step>,
}

/// Draws a plan.
pub(crate) fn plan(seed: u64, faults: &Faults, steps: usize) -> Plan {
    let mut rng = StdRng::seed_from_u64(seed);
    let weights = weights(faults, &mut rng);
    let total: u32 = weights.iter().map(|(_, weight)| weight).sum();
    let hurried = rng.random_range(0..3) == 0;
    let pauses: &[i64] = if hurried { &[0, 1, 5, 30, 300] } else { &[1, 30, 300, 3_000, 20_000] };
    let steps = (0..steps).map(|number| {
        let mut left = rng.random_range(0..total);
        let kind = weights.iter().find(|(_, weight)| {
            let found = left < *weight;
            left = left.saturating_sub(*weight);
            found
        });
        let kind = kind.map_or(Kind::Mutate, |(kind, _)| *kind);
        Step { number, kind, seed: rng.random(), pause: pauses[rng.random_range(0..pauses.len())] }
    });
    let steps = steps.collect();
    let ages = weights.iter().any(|(kind, weight)| *kind == Kind::Ages && *weight > 0);
    let clocks = weights.iter().any(|(kind, weight)| *kind == Kind::Clocks && *weight > 0);
    Plan { seed, short_memory: ages, skewed: clocks, steps }
}

fn weights(faults: &Faults, rng: &mut StdRng) -> Vec<(Kind, u32)> {
    let backup = if faults.restore + faults.silent_restore > 0 { 4 } else { 0 };
    let going_wrong = [
        (Kind::Weather, faults.weather),
        (Kind::Cut, faults.cut),
        (Kind::HalfOpen, faults.half_open),
        (Kind::SlowReader, faults.slow_reader),
        (Kind::Offline, faults.offline),
        (Kind::Proxy, faults.proxy),
        (Kind::ClientCrash, faults.client_crash),
        (Kind::StorageFailure, faults.storage_failure),
        (Kind::CopiedClient, faults.copied_client),
        (Kind::ServerCrash, faults.server_crash),
        (Kind::StoreError, faults.store_error),
        (Kind::StoreFull, faults.store_full),
        (Kind::Restore, faults.restore),
        (Kind::SilentRestore, faults.silent_restore),
        (Kind::Trim, faults.trim),
        (Kind::Ages, faults.ages),
        (Kind::Access, faults.access),
        (Kind::Clocks, faults.clocks),
    ];
    // Rare faults that change what all others mean are known to fewer runs than the rest.
    let rare =
        [Kind::Restore, Kind::SilentRestore, Kind::CopiedClient, Kind::StorageFailure, Kind::Ages, Kind::SlowReader];
    let mut weights = vec![
        (Kind::Mutate, 100),
        (Kind::Burst, 12),
        (Kind::Form, 14),
        (Kind::Peek, 10),
        (Kind::Undo, 8),
        (Kind::Wake, 6),
        (Kind::Backup, backup),
    ];
    for (kind, weight) in going_wrong {
        let known = rng.random_range(0..100) < if rare.contains(&kind) { 30 } else { 65 };
        weights.push((kind, if known { weight } else { 0 }));
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_plan_and_another_one_another() {
        let of = |seed| plan(seed, &Faults::all(), 50);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7).steps, of(8).steps);
    }

    #[test]
    fn what_is_switched_off_is_never_drawn() {
        for seed in 0..200 {
            let calm = plan(seed, &Faults::none(), 100);
            let quiet = [Kind::Mutate, Kind::Burst, Kind::Form, Kind::Peek, Kind::Undo, Kind::Wake];
            assert!(calm.steps.iter().all(|step| quiet.contains(&step.kind)));
            assert!(!calm.short_memory && !calm.skewed);
        }
    }

    #[test]
    fn every_fault_is_drawn_by_some_seed() {
        let mut seen: Vec<Kind> = Vec::new();
        for seed in 0..100 {
            for step in plan(seed, &Faults::all(), 120).steps {
                if !seen.contains(&step.kind) {
                    seen.push(step.kind);
                }
            }
        }
        assert_eq!(seen.len(), 25, "{seen:?}");
    }
}
