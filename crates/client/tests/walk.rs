//! A random walk of several clients against the real kernel: everything that can go wrong does, then nothing does any
//! more, and everybody must agree. `RIVERRUN_SEEDS` sets how many walks there are, `RIVERRUN_SEED` picks one.

mod common;

use common::world::{Faults, NONE, World};
use rand::Rng;
use riverrun_client::{Event, News};
use riverrun_core::{Cursor, wire::ServerFrame};
use riverrun_engine::Memory;

/// Walks of each test, where nothing else is said: half a minute of a slow machine.
const SEEDS: u64 = 100;

/// Steps of one walk.
const STEPS: usize = 120;

/// Simulated time in which everybody must agree once nothing goes wrong any more: a backoff, a silence found out, a poll.
const CALM_MS: i64 = 400_000;

fn seeds() -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    match number("RIVERRUN_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("RIVERRUN_SEEDS").unwrap_or(SEEDS)).collect(),
    }
}

struct Walk {
    world: World,
    backups: Vec<Memory>,
    restores: bool,
    counts: Counts,
}

#[derive(Default, Debug, Clone, Copy)]
struct Counts {
    crashes: u64,
    restores: u64,
    trims: u64,
    rejected: u64,
    accepted: u64,
    renewed: u64,
    looks: u64,
}

impl Walk {
    fn new(seed: u64, restores: bool) -> Self {
        let world = World::new(seed, &[true, false, true]);
        Self { world, backups: Vec::new(), restores, counts: Counts::default() }
    }

    fn step(&mut self) {
        let world = &mut self.world;
        let at = world.rng.random_range(0..world.nodes.len());
        match world.rng.random_range(0..100) {
            0..40 => {
                let bad = world.rng.random_range(0..5) == 0;
                world.mutate(at, bad);
            }
            40..45 => {
                let last = world.nodes[at].core.pending().last().map(|pending| pending.entry.id.clone());
                if let Some(id) = last {
                    world.step(at, Event::Undo(id));
                }
            }
            45..52 => {
                self.counts.crashes += 1;
                world.crash(at);
            }
            52..58 => world.cut(at),
            58..62 => world.step(at, Event::Wake),
            62..65 => world.end_session(at, ServerFrame::Lagged { cursor: Cursor(0) }),
            65..67 => world.end_session(at, ServerFrame::Reset { code: "use_http".into() }),
            67..71 => world.sockets = !world.sockets,
            71..75 => {
                let head = world.server.state().cursor.0;
                let floor = world.rng.random_range(0..=head);
                self.counts.trims += 1;
                world.server.trim_to(Cursor(floor));
            }
            75..80 => {
                let (lose, double) = (world.rng.random_range(0..40), world.rng.random_range(0..30));
                let (delay, cut) = (world.rng.random_range(1..4_000), world.rng.random_range(0..15));
                world.faults = Faults { lose, double, delay, cut };
            }
            80..83 => {
                let ways = [None, Some((503, "unavailable")), Some((401, "unauthenticated"))];
                world.server.refuses = ways[world.rng.random_range(0..3)];
            }
            83..86 => self.backups.push(world.server.store.copy()),
            86..88 if self.restores && !self.backups.is_empty() => {
                let which = world.rng.random_range(0..self.backups.len());
                let announced = world.rng.random_range(0..3) > 0;
                self.counts.restores += 1;
                let backup = self.backups[which].clone();
                world.restore(&backup, announced);
            }
            _ => {}
        }
        let pause = [1, 30, 300, 3_000, 20_000][world.rng.random_range(0..5)];
        world.run(pause);
    }

    fn end(mut self) -> Counts {
        let world = &mut self.world;
        (world.faults, world.sockets, world.server.refuses) = (NONE, true, None);
        world.run(CALM_MS);
        world.assert_converged();
        world.assert_fates();
        for node in &world.nodes {
            self.counts.looks += node.looks;
            for news in &node.news {
                match news {
                    News::Decided { verdict, .. } if verdict.is_accepted() => self.counts.accepted += 1,
                    News::Decided { .. } => self.counts.rejected += 1,
                    News::Client(_) => self.counts.renewed += 1,
                    _ => {}
                }
            }
        }
        self.counts
    }
}

fn walk(seed: u64, restores: bool) -> Counts {
    let mut walk = Walk::new(seed, restores);
    for _ in 0..STEPS {
        walk.step();
    }
    walk.end()
}

fn walks(restores: bool) {
    let mut all = Counts::default();
    let failed: Vec<u64> = seeds()
        .into_iter()
        .filter(|&seed| {
            let walked = std::panic::catch_unwind(|| walk(seed, restores));
            let Ok(counts) = walked else {
                eprintln!("seed {seed} fails");
                return true;
            };
            all.crashes += counts.crashes;
            all.restores += counts.restores;
            all.trims += counts.trims;
            all.rejected += counts.rejected;
            all.accepted += counts.accepted;
            all.renewed += counts.renewed;
            all.looks += counts.looks;
            false
        })
        .collect();
    println!("{all:?}");
    assert!(failed.is_empty(), "{} seeds fail: {failed:?}", failed.len());
    assert!(all.accepted > 10 * all.restores && all.rejected > 0 && all.crashes > 0 && all.looks > 0, "{all:?}");
}

#[test]
fn nothing_is_lost_or_doubled_and_all_agree_once_the_faults_stop() {
    walks(false);
}

#[test]
fn the_same_holds_when_the_server_goes_back_to_a_copy_of_its_file() {
    walks(true);
}

#[test]
fn the_same_seed_walks_the_same_way() {
    let walked = || {
        let mut walk = Walk::new(4, true);
        (0..STEPS).for_each(|_| walk.step());
        let news: Vec<_> = walk.world.nodes.iter().map(|node| format!("{:?}", node.news)).collect();
        (walk.world.steps, news)
    };
    assert_eq!(walked(), walked());
}
