//! kill -9 in a loop amid pushes. Several senders push without pause, the server is killed at a random moment (now and then
//! while it still starts) and started again on the same file; before anybody sends again the log is read on from where it
//! was last read, and held against every answer there ever was.

use std::{thread, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use rand::{Rng, SeedableRng, rngs::StdRng};
use riverrun_core::{Epoch, Scope};

use crate::{
    check,
    follower::Follower,
    http::Http,
    ledger::Ack,
    options::World,
    report::{Line, Progress},
    sender::Sender,
    server::{Plan, Server, Start},
};

/// Kills, and acknowledged mutations, of a full run.
const CYCLES: u64 = 2_000;
const ACKNOWLEDGED: usize = 100_000;
/// Kills of a short run.
const SHORT: u64 = 40;

/// Cycles after which other scopes are written to: a log is at most as long as the server keeps it whole.
const GENERATION: u64 = 100;

/// Senders in each of two scopes: two with a client id each, and one without.
const SCOPES: [&str; 2] = ["a", "b"];

/// The longest the senders are left alone, in milliseconds. A commit takes a few.
const MOST_MILLIS: u64 = 160;

struct Run {
    plan: Plan,
    chance: StdRng,
    epoch: Option<Epoch>,
    senders: Vec<Sender>,
    followers: Vec<Follower>,
    /// The answers of senders that have left.
    old: Vec<Ack>,
    entries: usize,
    early: u64,
    unanswered: u64,
    duplicates: u64,
}

pub(crate) fn run(world: &World) -> Result<Line> {
    let folder = world.folder("kill")?;
    let cycles = world.cycles.unwrap_or(if world.short { SHORT } else { CYCLES });
    let wanted = if world.short || world.cycles.is_some() { 0 } else { ACKNOWLEDGED };
    let mut run = Run {
        plan: Plan::new(&world.programs.server, &folder.join("app.db"), &world.env),
        chance: world.chance("kill"),
        epoch: None,
        senders: Vec::new(),
        followers: Vec::new(),
        old: Vec::new(),
        entries: 0,
        early: 0,
        unanswered: 0,
        duplicates: 0,
    };
    let mut progress = Progress::new("kill");
    let mut done = 0;
    while done < cycles || run.acknowledged() < wanted {
        if done % GENERATION == 0 {
            run.generation(done / GENERATION)?;
        }
        run.cycle().with_context(|| format!("cycle {done}, seed {}", world.seed))?;
        done += 1;
        progress.tell(|| format!("{done} of {cycles} kills, {} acknowledged", run.acknowledged()));
    }
    run.finish(done)
}

impl Run {
    fn acknowledged(&self) -> usize {
        self.old.len() + self.senders.iter().map(|sender| sender.acks.len()).sum::<usize>()
    }

    /// Other scopes, other senders. What they have no answer to stays without one, as of a device that never came back.
    fn generation(&mut self, number: u64) -> Result<()> {
        for sender in self.senders.drain(..) {
            self.duplicates += sender.duplicates;
            self.old.extend(sender.acks);
        }
        self.entries += self.followers.drain(..).map(|follower| follower.seen()).sum::<usize>();
        for name in SCOPES {
            let scope = format!("list:g{number}-{name}");
            for client in [Some(1), Some(2), None] {
                let client = client.map(|client| format!("c-{name}-{client}"));
                let chance = StdRng::from_rng(&mut self.chance);
                self.senders.push(Sender::new(&scope, client.as_deref(), chance)?);
            }
            self.followers.push(Follower::new(&Scope::new(&scope)?));
        }
        Ok(())
    }

    fn cycle(&mut self) -> Result<()> {
        if self.chance.random_ratio(1, 10) {
            let starting = self.plan.spawn()?;
            thread::sleep(Duration::from_millis(self.chance.random_range(0..40)));
            ensure!(!starting.kill()?.panicked(), "the server panicked while it started");
            self.early += 1;
            return Ok(());
        }
        let server = self.start()?;
        self.look(&Http::new(&server.url))?;
        let alone = Duration::from_millis(self.chance.random_range(2..MOST_MILLIS));
        let url = server.url.clone();
        let ended = thread::scope(|scope| {
            let sending: Vec<_> = self
                .senders
                .iter_mut()
                .map(|sender| scope.spawn(|| sender.send_until_silence(&Http::new(&url))))
                .collect();
            thread::sleep(alone);
            let ended = server.kill();
            for sender in sending {
                sender.join().map_err(|_| anyhow::anyhow!("a sender panicked"))??;
            }
            ended
        })?;
        ensure!(!ended.panicked(), "the server panicked:\n{}", ended.said);
        self.unanswered += self.senders.iter().map(|sender| sender.waiting() as u64).sum::<u64>();
        Ok(())
    }

    fn start(&self) -> Result<Server> {
        match self.plan.start()? {
            Start::Up(server) => Ok(server),
            Start::Ended(ended) => bail!("the server does not start any more:\n{}", ended.said),
        }
    }

    /// Reads what is new, and finds every answer there.
    fn look(&mut self, http: &Http) -> Result<()> {
        for (follower, name) in self.followers.iter_mut().zip(SCOPES) {
            follower.catch_up(http, &mut self.epoch)?;
            let own = self.senders.iter_mut().filter(|sender| sender.scope().as_str().ends_with(name));
            let lost = follower.missing(own.flat_map(Sender::news));
            ensure!(lost.is_empty(), "{} acknowledged mutations are lost, the first is {:?}", lost.len(), lost[0]);
        }
        Ok(())
    }

    fn finish(mut self, cycles: u64) -> Result<Line> {
        let server = self.start()?;
        self.look(&Http::new(&server.url))?;
        ensure!(!server.kill()?.panicked(), "the server panicked");
        let (database, epoch) = (self.plan.database.clone(), self.epoch.clone());
        self.generation(u64::MAX)?;
        let found = check::file(&database, &self.old)?;
        ensure!(found.epoch == epoch, "the epoch was {epoch:?} and is {:?}", found.epoch);
        // What was committed between the last reading of a scope and its last kill was read by nobody.
        ensure!(found.entries >= self.entries as u64, "{} entries, read were {}", found.entries, self.entries);
        let figures = format!(
            "{cycles} kills ({} while starting), {} acknowledged, {} left unanswered by a kill, {} asked again; {} lost, {} doubled",
            self.early,
            self.old.len(),
            self.unanswered,
            self.duplicates,
            found.lost,
            found.doubled
        );
        Ok(Line::new("kill -9", figures, found.is_well()).because(found.why))
    }
}
