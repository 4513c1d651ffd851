//! The k-th write, sync, open or read of the server fails, once or from then on, for k = 1, 2, … until a run has no such call
//! any more. The server may refuse, or end with a sentence; what it must not do is acknowledge what is not on disk, panic,
//! or go on after a failed sync as if it could be tried again.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use rand::{Rng, SeedableRng, rngs::StdRng};
use riverrun_core::Code;

use crate::{
    check,
    http::Http,
    ledger::Ack,
    options::World,
    power::{self, trace::Trace},
    report::{Line, Progress},
    sender::{Pushed, Sender},
    server::{Plan, Server, Start},
};

/// What fails, and how: the kind of call, and the error's name and number.
const FAULTS: [(&str, &str, u32); 6] = [
    ("write", "EIO", 5),
    ("write", "ENOSPC", 28),
    ("sync", "EIO", 5),
    ("sync", "ENOSPC", 28),
    ("open", "EIO", 5),
    ("read", "EIO", 5),
];

/// Up to here every k is tried; beyond it each is an eighth larger than the last.
const EACH: u64 = 24;
/// In a short run every k is so many times the last.
const SHORT_FACTOR: u64 = 3;

/// Pushes of a run, of so many mutations; the padding makes the write-ahead log grow past where it is emptied.
const PUSHES: [usize; 12] = [1, 1, 3, 20, 1, 40, 40, 1, 40, 40, 5, 1];
const PAD: usize = 20_000;

#[derive(Default)]
struct Sum {
    runs: u64,
    not_started: u64,
    refused: u64,
    acknowledged: u64,
    after_a_sync: u64,
    lost: u64,
    broken: u64,
    why: Vec<String>,
}

pub(crate) fn run(world: &World) -> Result<Line> {
    let mut sum = Sum::default();
    let mut progress = Progress::new("faults");
    let mut reached = Vec::new();
    for (kind, error, number) in FAULTS {
        for how in ["once", "ever"] {
            let mut k = 1;
            loop {
                let name = format!("{kind} {k} {how} {error}");
                let fired = one(world, &format!("{kind}:{k}:{how}:{number}"), kind == "sync", &mut sum)
                    .context(name.clone())?;
                if !fired {
                    break;
                }
                progress.tell(|| format!("{} runs, now {name}", sum.runs));
                k = match k {
                    _ if world.short => k * SHORT_FACTOR,
                    k if k < EACH => k + 1,
                    k => k + k / 8,
                };
            }
            if how == "once" && error == "EIO" {
                reached.push(format!("{kind} {k}"));
            }
        }
    }
    let figures = format!(
        "{} runs (calls up to {}): {} did not start and said why, {} pushes refused, {} mutations acknowledged; \
         {} pushes sent after a failed sync, all refused; {} false acknowledgements",
        sum.runs,
        reached.join(", "),
        sum.not_started,
        sum.refused,
        sum.acknowledged,
        sum.after_a_sync,
        sum.lost
    );
    Ok(Line::new("faults", figures, sum.lost == 0 && sum.broken == 0).because(sum.why))
}

/// The files of one run.
struct Place {
    database: PathBuf,
    fired: PathBuf,
    trace: PathBuf,
}

/// One run with one fault. Says whether the fault was reached.
fn one(world: &World, fault: &str, is_sync: bool, sum: &mut Sum) -> Result<bool> {
    let folder = world.fast_folder("faults")?;
    let apart = world.fast_folder("faults-apart")?;
    let place = Place { database: folder.join("app.db"), fired: apart.join("fired"), trace: apart.join("trace") };
    let mut plan = Plan::new(&world.programs.server, &place.database, &world.env).shim(&world.programs.shim);
    plan = plan.env("RIVERRUN_FORCE_FAULT", fault).env("RIVERRUN_FORCE_FIRED", place.fired.display());
    if is_sync {
        plan = plan.env("RIVERRUN_FORCE_TRACE", place.trace.display());
    }
    sum.runs += 1;
    let acks = match plan.start()? {
        Start::Ended(ended) => {
            ensure!(ended.explained() && !ended.panicked(), "it did not start, and did not say why:\n{}", ended.said);
            sum.not_started += 1;
            Vec::new()
        }
        Start::Up(server) => serve(server, &place, is_sync, world.chance(fault), sum)?,
    };
    let fired = fs::read_to_string(&place.fired).is_ok_and(|fired| !fired.is_empty());
    sum.acknowledged += acks.len() as u64;
    if is_sync {
        // The pages of a failed sync count as clean from then on: nothing may rest on them.
        let rest = world.fast_folder("faults-rest")?;
        let found = power::end(&Trace::read(&place.trace)?, &acks, &rest)?;
        sum.note(&found, &format!("{fault}, then a power cut"), !acks.is_empty());
    }
    let found = check::file(&place.database, &acks)?;
    sum.note(&found, fault, true);
    Ok(fired)
}

impl Sum {
    fn note(&mut self, found: &check::Found, fault: &str, counts: bool) {
        self.lost += found.lost + found.doubled;
        self.broken += if counts { found.broken } else { 0 };
        if (counts || found.lost > 0) && self.why.len() < 6 {
            self.why.extend(found.why.iter().take(1).map(|why| format!("{fault}: {why}")));
        }
    }
}

/// Pushes, reads, and asks the server to stop. Gives back what was acknowledged.
fn serve(server: Server, place: &Place, is_sync: bool, mut chance: StdRng, sum: &mut Sum) -> Result<Vec<Ack>> {
    let http = Http::new(&server.url);
    let mut senders = [
        Sender::new("list:a", Some("c-1"), StdRng::from_rng(&mut chance))?.padded(PAD),
        Sender::new("list:b", None, StdRng::from_rng(&mut chance))?.padded(PAD),
    ];
    for count in PUSHES {
        let sender = &mut senders[chance.random_range(0..2)];
        let failed = fs::read_to_string(&place.fired).is_ok_and(|fired| fired.lines().any(is_of_data));
        let pushed = sender.push(&http, count)?;
        match pushed {
            Pushed::Refused(code) => {
                // Reading may find the file unreadable, which is no matter of coming again.
                ensure!(matches!(code, Code::Unavailable | Code::InternalError), "a push was refused as {code}");
                sum.refused += 1;
            }
            Pushed::Unknown => anyhow::bail!("the connection broke off: a fault must be told, not end in silence"),
            Pushed::Decided(_) if is_sync && failed => anyhow::bail!("a push was taken after a sync had failed"),
            Pushed::Decided(_) => {}
        }
        sum.after_a_sync += u64::from(is_sync && failed);
        if chance.random_ratio(1, 3) {
            http.snapshot(sender.scope().as_str())?;
        }
    }
    drop(http);
    let ended = server.stop()?;
    ensure!(!ended.panicked(), "the server panicked:\n{}", ended.said);
    Ok(senders.into_iter().flat_map(|sender| sender.acks).collect())
}

/// Whether a line of the shim's tells of a file that holds answers. SQLite drops the error of a directory's sync; the store
/// syncs the directory itself before it serves, and the power cut after the run shows whether the names were there.
fn is_of_data(line: &str) -> bool {
    line.ends_with("app.db") || line.ends_with("app.db-wal")
}
