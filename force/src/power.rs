//! A power cut at each write of a run. The run is made once, against the real server, and recorded; then, for every moment of
//! the record, the files are made as a disk could hold them after a power cut there, and opened by the store. Whatever was
//! answered before that moment must be there. The same run at `synchronous=NORMAL` must lose, or this test sees nothing.

pub(crate) mod disk;
pub(crate) mod trace;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use anyhow::{Context, Result, bail, ensure};
use rand::{Rng, SeedableRng, rngs::StdRng};

use self::{
    disk::{Disk, Keep},
    trace::{Event, Trace},
};
use crate::{
    check::{self, Found},
    http::Http,
    ledger::Ack,
    options::World,
    report::{Line, Progress},
    sender::{Pushed, Sender},
    server::{Plan, Start},
};

/// Mutations of a run, each pushed alone and answered before the next: as many commits.
const MUTATIONS: usize = 500;

/// Each of so many moments is looked at: all in a full run.
const SHORT_STEP: usize = 90;
const CONTROL_STEP: usize = 40;

/// Cuts by chance at each moment, beside the one that keeps all and the one that keeps nothing.
const CHANCES: usize = 2;

/// Threads that look.
const WORKERS: usize = 2;

pub(crate) fn run(world: &World) -> Result<Line> {
    let (trace, acks) = record(world, "power", &world.programs.server)?;
    let step = if world.short { SHORT_STEP } else { 1 };
    let full = cut(world, &trace, &acks, step, "power")?;
    let (loose, loose_acks) = record(world, "control", &world.programs.control)?;
    let control = cut(world, &loose, &loose_acks, if world.short { SHORT_STEP } else { CONTROL_STEP }, "control")?;
    let figures = format!(
        "FULL: {} mutations, {} writes, {} syncs; {} cuts at {} moments lost {} answers in {} of them, {} files broken. \
         NORMAL: {} cuts lost answers in {}",
        acks.len(),
        trace.events.iter().filter(|event| matches!(event, Event::Write(..))).count(),
        trace.events.iter().filter(|event| matches!(event, Event::Sync(..))).count(),
        full.tried,
        full.moments,
        full.lost,
        full.losing,
        full.broken,
        control.tried,
        control.losing
    );
    let mut why = full.why;
    let is_kept = full.lost == 0 && full.broken == 0 && full.doubled == 0;
    if control.losing == 0 {
        why.push("the control lost nothing: this test would not see a loss".into());
    }
    Ok(Line::new("power cut", figures, is_kept && control.losing > 0).because(why))
}

/// Makes the run and reads the record of it.
fn record(world: &World, name: &str, program: &Path) -> Result<(Trace, Vec<Ack>)> {
    let folder = world.folder(name)?;
    let recorded = folder.with_extension("trace");
    let _ = fs::remove_file(&recorded);
    let plan = Plan::new(program, &folder.join("app.db"), &world.env).shim(&world.programs.shim);
    let plan = plan.env("RIVERRUN_FORCE_TRACE", recorded.display());
    let server = match plan.start()? {
        Start::Up(server) => server,
        Start::Ended(ended) => bail!("the server does not start under the shim:\n{}", ended.said),
    };
    let http = Http::new(&server.url);
    let chance = &mut world.chance("power");
    let mut senders = Vec::new();
    for (scope, client) in [("list:a", Some("c-1")), ("list:b", Some("c-2")), ("list:b", None)] {
        senders.push(Sender::new(scope, client, StdRng::from_rng(chance))?);
    }
    let mut acks = Vec::new();
    while acks.len() < MUTATIONS {
        let sender = &mut senders[chance.random_range(0..3)];
        match sender.push(&http, 1)? {
            Pushed::Decided(1) => acks.extend(sender.news().iter().cloned()),
            other => bail!("a push with nothing in its way came to {other:?}"),
        }
    }
    drop(http);
    ensure!(!server.kill()?.panicked(), "the server panicked");
    let trace = Trace::read(&recorded)?;
    fs::remove_file(&recorded)?;
    let answered = trace.events.iter().rev().find_map(|event| match event {
        Event::Answered(count) => Some(*count),
        _ => None,
    });
    ensure!(answered == Some(acks.len()), "recorded are {answered:?} answers, {} came", acks.len());
    Ok((trace, acks))
}

/// What all cuts of a record came to.
#[derive(Default)]
pub(crate) struct Cuts {
    pub(crate) moments: usize,
    pub(crate) tried: usize,
    pub(crate) lost: u64,
    /// Cuts that lost something.
    pub(crate) losing: usize,
    pub(crate) doubled: u64,
    pub(crate) broken: u64,
    pub(crate) why: Vec<String>,
}

impl Cuts {
    fn add(&mut self, moment: usize, keep: Keep, found: Found) {
        self.tried += 1;
        self.lost += found.lost;
        self.losing += usize::from(found.lost > 0);
        self.doubled += found.doubled;
        self.broken += found.broken;
        if self.why.len() < 4 {
            self.why.extend(
                found.why.into_iter().take(1).map(|why| format!("cut after event {moment}, kept {keep:?}: {why}")),
            );
        }
    }

    fn join(mut self, other: Self) -> Self {
        self.moments += other.moments;
        self.tried += other.tried;
        self.lost += other.lost;
        self.losing += other.losing;
        self.doubled += other.doubled;
        self.broken += other.broken;
        self.why.extend(other.why);
        self.why.truncate(4);
        self
    }
}

/// Cuts the power at each `step`-th moment of a record.
fn cut(world: &World, trace: &Trace, acks: &[Ack], step: usize, name: &str) -> Result<Cuts> {
    let done = AtomicUsize::new(0);
    let cut = |worker: usize| -> Result<Cuts> {
        let folder = world.fast_folder(&format!("{name}-{worker}"))?;
        let mut cuts = Cuts::default();
        let mut progress = Progress::new("power");
        moments(trace, |at, disk, answered, is_new| {
            let moment = done.load(Ordering::Relaxed);
            if worker == 0 {
                progress.tell(|| format!("{name}: {moment} moments of {} events", trace.events.len() / step));
            }
            if at / step % WORKERS != worker || at % step != 0 {
                return Ok(());
            }
            done.fetch_add(1, Ordering::Relaxed);
            cuts.moments += 1;
            // The seed of a moment is its own, so that one moment can be looked at alone.
            let mut chance = StdRng::seed_from_u64(world.seed ^ at as u64);
            let keeps = [Keep::All, Keep::Nothing].into_iter().filter(|keep| *keep == Keep::All || is_new || step > 1);
            for keep in keeps.chain([Keep::Some; CHANCES]) {
                cuts.add(at, keep, look(disk, trace, keep, &mut chance, &folder, &acks[..answered])?);
            }
            Ok(())
        })?;
        Ok(cuts)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|worker| scope.spawn(move || cut(worker))).collect();
        workers.into_iter().try_fold(Cuts::default(), |all, worker| {
            Ok(all.join(worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??))
        })
    })
}

/// Walks through a record: after each change and after each answer, the disk, how many answers there were, and whether what
/// is synced or what was answered differs from the moment before.
fn moments(trace: &Trace, mut at_each: impl FnMut(usize, &Disk<'_>, usize, bool) -> Result<()>) -> Result<()> {
    let mut disk = Disk::new(trace.names.len());
    let (mut answered, mut last) = (0, None);
    for (at, event) in trace.events.iter().enumerate() {
        if let Event::Answered(count) = event {
            answered = *count;
        }
        disk.take(event);
        let now = Some((disk.version, answered));
        at_each(at, &disk, answered, now != last)?;
        last = now;
    }
    Ok(())
}

/// Makes the files and opens them.
fn look(disk: &Disk<'_>, trace: &Trace, keep: Keep, chance: &mut StdRng, folder: &Path, acks: &[Ack]) -> Result<Found> {
    for entry in fs::read_dir(folder)? {
        fs::remove_file(entry?.path())?;
    }
    disk.cut(&trace.names, keep, chance, folder)?;
    check::file(&database(folder), acks).context("the files could not be looked at")
}

fn database(folder: &Path) -> PathBuf {
    folder.join("app.db")
}

/// The end of a record, with nothing kept that was not synced: what a power cut right after the run would leave.
pub(crate) fn end(trace: &Trace, acks: &[Ack], folder: &Path) -> Result<Found> {
    let mut disk = Disk::new(trace.names.len());
    for event in &trace.events {
        disk.take(event);
    }
    look(&disk, trace, Keep::Nothing, &mut StdRng::seed_from_u64(0), folder, acks)
}
