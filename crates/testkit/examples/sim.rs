//! Runs many seeds of the simulation, over both stores and all applications it knows: `cargo xtask sim`. It prints what it
//! did, and a failure with the seed that shows it again; it decides nothing about what is right.

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use riverrun_sqlite::Sqlite;
use riverrun_testkit::sim::{Failure, Sim, Summary, apps};

const USAGE: &str = "usage: sim [--seeds N] [--from SEED] [--jobs J] [--store memory|sqlite] [--app marks|bank|names] [--trace] [--keep-going] [--planted BUG|list]";

/// Every so many seeds, one runs over SQLite: it takes several times as long.
const SQLITE_EVERY: u64 = 4;

#[derive(Clone)]
struct Options {
    seeds: u64,
    from: u64,
    jobs: u64,
    store: Option<String>,
    app: Option<String>,
    trace: bool,
    keep_going: bool,
}

fn options() -> Result<Options, String> {
    let mut options = Options { seeds: 500, from: 0, jobs: 1, store: None, app: None, trace: false, keep_going: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match &*word {
            "--trace" => {
                options.trace = true;
                continue;
            }
            "--keep-going" => {
                options.keep_going = true;
                continue;
            }
            _ => {}
        }
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        if word == "--planted" {
            plant(&value)?;
            continue;
        }
        let number = || value.parse().map_err(|_| format!("{word} needs a number, not {value:?}"));
        match &*word {
            "--seeds" => options.seeds = number()?,
            "--from" => options.from = number()?,
            "--jobs" => options.jobs = number()?.max(1),
            "--store" => options.store = Some(value),
            "--app" => options.app = Some(value),
            _ => return Err(format!("unknown option {word}")),
        }
    }
    Ok(options)
}

/// Wakes a planted bug for the whole process, or lists them all.
#[cfg(feature = "planted")]
fn plant(name: &str) -> Result<(), String> {
    use riverrun_core::planted::{Bug, plant};
    if name == "list" {
        for bug in Bug::ALL {
            println!("{bug:?}");
        }
        std::process::exit(0);
    }
    plant(Some(Bug::named(name).ok_or_else(|| format!("there is no planted bug {name:?}"))?));
    Ok(())
}

#[cfg(not(feature = "planted"))]
fn plant(_: &str) -> Result<(), String> {
    Err("this build has no planted bugs: build it with --features planted".into())
}

fn simulation(seed: u64, options: &Options) -> Result<Sim, String> {
    let app = options.app.as_deref().unwrap_or(["marks", "bank", "names"][usize::try_from(seed % 3).unwrap_or(0)]);
    let sim = match app {
        "marks" => apps::marks(seed),
        "bank" => apps::bank(seed),
        "names" => apps::names(seed),
        other => return Err(format!("there is no application {other:?}")),
    };
    let sqlite = seed % SQLITE_EVERY == SQLITE_EVERY - 1;
    Ok(match options.store.as_deref().unwrap_or(if sqlite { "sqlite" } else { "memory" }) {
        "memory" => sim,
        "sqlite" => sim.store("sqlite", || Sqlite::in_memory().expect("a database in memory")),
        other => return Err(format!("there is no store {other:?}")),
    })
}

#[derive(Default)]
struct All {
    sums: Summary,
    stores: BTreeMap<String, u64>,
    failures: Vec<Failure>,
}

fn work(options: &Options, next: &AtomicU64, failed: &AtomicBool, all: &Mutex<All>) {
    while !failed.load(Ordering::Relaxed) {
        let place = next.fetch_add(1, Ordering::Relaxed);
        if place >= options.seeds {
            return;
        }
        let Ok(sim) = simulation(options.from + place, options) else { return };
        let ran = if options.trace { sim.traced().check() } else { sim.check() };
        let mut all = all.lock().expect("nothing panics while it is held");
        match ran {
            Ok(summary) => {
                summary.trace.iter().for_each(|line| println!("{line}"));
                all.sums.add(&summary);
                *all.stores.entry(summary.store).or_default() += 1;
            }
            Err(failure) => {
                failed.store(!options.keep_going, Ordering::Relaxed);
                all.failures.push(*failure);
            }
        }
    }
}

fn main() -> ExitCode {
    let options = match options().and_then(|options| simulation(0, &options).map(|_| options)) {
        Ok(options) => options,
        Err(why) => {
            eprintln!("error: {why}\n{USAGE}");
            return ExitCode::FAILURE;
        }
    };
    // A panic is a finding, and told as one.
    std::panic::set_hook(Box::new(|_| ()));
    let (start, all) = (Instant::now(), Mutex::new(All::default()));
    let (next, failed, over) = (AtomicU64::new(0), AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let mut told = 0;
            while !over.load(Ordering::Relaxed) {
                std::thread::sleep(std::time::Duration::from_millis(100));
                let seconds = start.elapsed().as_secs();
                let done = next.load(Ordering::Relaxed).min(options.seeds);
                if seconds >= told + 10 {
                    told = seconds;
                    eprintln!("{done} of {} seeds, {seconds} s", options.seeds);
                }
            }
        });
        let jobs: Vec<_> = (0..options.jobs).map(|_| threads.spawn(|| work(&options, &next, &failed, &all))).collect();
        for job in jobs {
            drop(job.join());
        }
        over.store(true, Ordering::Relaxed);
    });
    let All { sums, stores, failures } = all.into_inner().expect("nothing panics while it is held");
    let (seeds, elapsed) = (stores.values().sum::<u64>(), start.elapsed());
    let tenths = u128::from(seeds) * 10_000 / elapsed.as_millis().max(1);
    for failure in &failures {
        println!("{failure}");
    }
    let stores: Vec<_> = stores.iter().map(|(store, seeds)| format!("{seeds} on {store}")).collect();
    let (seconds, stores) = (elapsed.as_secs_f64(), stores.join(", "));
    println!("{seeds} seeds in {seconds:.1} s, {}.{} a second ({stores})", tenths / 10, tenths % 10);
    println!("{sums}");
    println!("{} violations", failures.len());
    let _ = std::io::stdout().flush();
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
