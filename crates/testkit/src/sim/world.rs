//! The world of a run: one queue of what happens next, a server, clients, and the time between them. It has no thread and
//! no clock but its own; the same plan gives the same run.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use rand::{Rng, SeedableRng, rngs::StdRng};
use riverrun_client::{Config, Event, Saved};
use riverrun_core::{Epoch, Millis, Mutators, Principal};
use riverrun_engine::{Retention, store};

use super::{
    broken::{Broken, Held, Promise},
    carry::Weather,
    copy::Backup,
    form::Form,
    happening::Happening,
    leave::Stream,
    ledger::Ledger,
    line::Line,
    look,
    node::Node,
    observe::{Observer, Seen},
    plan::Plan,
    server::Server,
    spec::Spec,
    trace::{Summary, Trace},
};

/// The world's time at the beginning of every run: 2026-11-22T10:00:00Z.
pub(crate) const BEGINNING: i64 = 1_795_341_600_000;

/// Milliseconds between two looks of the server at its clock.
const TICK: i64 = 2_000;

/// Milliseconds between two rounds of upkeep, as the engine makes them.
const ROUND: i64 = 60_000;

/// Things that happen in one run at most: more is a loop, and a finding.
const MOST: u64 = 200_000;

/// See the file's head.
pub(crate) struct World<'s> {
    pub(crate) spec: &'s Spec,
    pub(crate) plan: &'s Plan,
    pub(crate) rng: StdRng,
    /// Milliseconds since the beginning.
    pub(crate) now: i64,
    queue: BTreeMap<(i64, u64), Happening>,
    count: u64,
    pub(crate) server: Server,
    /// A micro-step is due already.
    pub(crate) serving: bool,
    /// The server's clock is ahead by so many milliseconds.
    pub(crate) server_skew: i64,
    pub(crate) nodes: Vec<Node>,
    pub(crate) forms: Vec<Form>,
    pub(crate) lines: BTreeMap<u64, Line>,
    pub(crate) streams: BTreeMap<u64, Stream>,
    pub(crate) next_line: u64,
    pub(crate) weather: Weather,
    pub(crate) ledger: Ledger,
    /// What the checks run mutations with.
    pub(crate) mutators: Mutators,
    pub(crate) backups: Vec<Backup>,
    pub(crate) minted: u64,
    /// No new faults from here on.
    pub(crate) calm: bool,
    pub(crate) trace: Trace,
    pub(crate) sums: Summary,
    observer: Option<Rc<RefCell<dyn Observer>>>,
}

impl<'s> World<'s> {
    /// A world at its beginning: everybody starts.
    pub(crate) fn new(
        spec: &'s Spec,
        plan: &'s Plan,
        traced: bool,
        observer: Option<Rc<RefCell<dyn Observer>>>,
    ) -> Held<Self> {
        let store = (spec.store)();
        let mut world = Self {
            spec,
            plan,
            rng: StdRng::seed_from_u64(plan.seed ^ 0x5eed),
            now: 0,
            queue: BTreeMap::new(),
            count: 0,
            server: Server::new(store, retention(plan)),
            serving: false,
            server_skew: 0,
            nodes: Vec::new(),
            forms: Vec::new(),
            lines: BTreeMap::new(),
            streams: BTreeMap::new(),
            next_line: 1,
            weather: Weather::fair(),
            ledger: Ledger::new(&spec.scopes),
            mutators: spec.fresh_mutators(),
            backups: Vec::new(),
            minted: 0,
            calm: false,
            trace: Trace::new(traced),
            sums: Summary { seed: plan.seed, store: spec.store_name.clone(), ..Summary::default() },
            observer,
        };
        world.begin()?;
        Ok(world)
    }

    fn begin(&mut self) -> Held {
        let epoch = epoch(0);
        store::write(&*self.server.disk.store, |tx| tx.set_epoch(&epoch))
            .map_err(|error| Broken { promise: Promise::Durable, seen: format!("a new store fails: {error}") })?;
        if self.plan.skewed {
            self.server_skew = self.rng.random_range(-60_000..60_000);
        }
        self.server.clock.set(self.server_time());
        self.server.start(self.spec)?;
        self.audit()?;
        for at in 0..self.spec.clients {
            let scope = self.spec.scopes[at % self.spec.scopes.len()].clone();
            let who = Principal::new(format!("user-{at}")).expect("a short name");
            let live = self.rng.random_range(0..4) > 0;
            let config = Config { principal: who, live, ..Config::new(scope) };
            let skew = if self.plan.skewed { self.rng.random_range(-90_000..90_000) } else { 0 };
            self.add_node(config, Saved::default(), skew)?;
        }
        self.at(self.now + TICK, Happening::Ticks);
        self.at(self.now + ROUND, Happening::Rounds);
        Ok(())
    }

    /// Another client, and its start.
    pub(crate) fn add_node(&mut self, config: Config, disk: Saved, skew: i64) -> Held {
        let at = self.nodes.len();
        let seed = self.rng.random();
        let node = Node::new(config, self.spec.fresh_mutators(), disk, skew, seed);
        if let Some(observer) = &self.observer {
            observer.borrow_mut().born(at, 0, &node.config, &node.disk);
        }
        self.nodes.push(node);
        self.step(at, Event::Start)
    }

    /// A client's process ends, and starts again.
    pub(crate) fn crash_node(&mut self, at: usize) -> Held {
        let mutators = self.spec.fresh_mutators();
        self.nodes[at].crash(mutators, &mut self.rng)?;
        let node = &self.nodes[at];
        if let Some(observer) = &self.observer {
            observer.borrow_mut().born(at, node.life, &node.config, &node.disk);
        }
        self.step(at, Event::Start)
    }

    /// Something will happen at a moment, after everything that was said before to happen then.
    pub(crate) fn at(&mut self, moment: i64, happening: Happening) {
        self.count += 1;
        self.queue.insert((moment.max(self.now), self.count), happening);
    }

    pub(crate) fn server_time(&self) -> i64 {
        BEGINNING + self.now + self.server_skew
    }

    /// Whether something of this many percent happens.
    pub(crate) fn percent(&mut self, rate: u32) -> bool {
        rate > 0 && self.rng.random_range(0..100) < rate
    }

    /// One event for a client, its checks, and what follows.
    pub(crate) fn step(&mut self, at: usize, event: Event) -> Held {
        self.sums.events += 1;
        let node = &mut self.nodes[at];
        let now = Millis(BEGINNING + self.now + node.skew);
        self.trace.line(self.now, || format!("client {at} <- {event:?}"));
        let seen = self.observer.is_some().then(|| event.clone());
        let effects = node.core.step(event, now, &mut node.rng);
        if let (Some(observer), Some(event)) = (&self.observer, seen) {
            let seen = Seen { client: at, life: node.life, now, event: &event, effects: &effects, core: &node.core };
            observer.borrow_mut().step(&seen);
        }
        for effect in &effects {
            self.trace.line(self.now, || format!("client {at} -> {effect:?}"));
        }
        look::after_step(node, &effects, &self.ledger, &self.mutators)?;
        let life = node.life;
        for effect in effects {
            self.carry_out(at, life, effect)?;
        }
        Ok(())
    }

    /// Lets time pass.
    pub(crate) fn run_for(&mut self, millis: i64) -> Held {
        let until = self.now + millis;
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= until) {
            let ((moment, _), happening) = entry.remove_entry();
            self.now = self.now.max(moment);
            self.server.clock.set(self.server_time());
            self.sums.turns += u64::from(matches!(happening, Happening::Serves));
            self.happens(happening)?;
            if self.count > MOST {
                return super::broken::broken(Promise::Converges, format!("{MOST} things happened, and no end"));
            }
        }
        self.now = until;
        self.server.clock.set(self.server_time());
        Ok(())
    }

    fn happens(&mut self, happening: Happening) -> Held {
        match happening {
            Happening::Asked(to, who, question) => self.question_arrives(to, who, question),
            Happening::Event(at, life, event) if self.nodes[at].life == life => self.step(at, event)?,
            Happening::FormAnswered(at, tries, answer) => self.form_answered(at, tries, answer)?,
            Happening::FormTries(at) => self.form_tries(at),
            Happening::Floods(scope) => self.add_command(&scope, "sim.one".into(), &serde_json::Value::Null),
            Happening::Connects(line) => self.line_connects(line),
            Happening::Frame(line, text) => self.frame_arrives(line, text),
            Happening::Stored(at, life, number) if self.nodes[at].life == life => {
                if self.nodes[at].broken_storage {
                    let why = "as the simulation wants it".into();
                    self.nodes[at].stores.clear();
                    self.step(at, Event::StoreFailed(number, why))?;
                } else if self.nodes[at].confirm(number) {
                    self.step(at, Event::Stored(number))?;
                }
            }
            Happening::Wakes(at, wake) if self.nodes[at].wake == wake => self.step(at, Event::Tick)?,
            // What was on its way to an earlier life goes nowhere.
            Happening::Event(..) | Happening::Stored(..) | Happening::Wakes(..) => {}
            Happening::Serves => self.serve()?,
            Happening::Ticks => {
                self.server.tick(std::time::Duration::from_millis(self.now.max(0).unsigned_abs()));
                self.drop_silent_lines();
                self.at(self.now + TICK, Happening::Ticks);
            }
            Happening::Rounds => {
                self.server.round();
                self.at(self.now + ROUND, Happening::Rounds);
            }
            Happening::Starts => self.start_server()?,
            Happening::Room => self.server.disk.hand().full = false,
            Happening::Rights => self.give_rights(),
            Happening::Online(at) => self.nodes[at].online = true,
            Happening::Reads(line) => {
                if let Some(line) = self.lines.get_mut(&line) {
                    line.stopped = false;
                }
                self.drain_lines();
            }
            Happening::Direct => self.weather.proxy = None,
        }
        self.serve_soon();
        Ok(())
    }
}

/// The epochs of a run.
pub(crate) fn epoch(number: u32) -> Epoch {
    Epoch::new(format!("e{number}")).expect("a short text is an epoch")
}

fn retention(plan: &Plan) -> Retention {
    if !plan.short_memory {
        return Retention::default();
    }
    let mut rng = StdRng::seed_from_u64(plan.seed ^ 0xa9e5);
    let minutes = |minutes: i64| minutes * 60_000;
    // Clients are kept for longer than verdicts by more than any clock is wrong here.
    Retention {
        changes: rng.random_range(20..200),
        age: minutes(rng.random_range(5..30)),
        verdicts: minutes(rng.random_range(5..12)),
        verdicts_per_client: rng.random_range(1..5),
        clients: minutes(rng.random_range(18..40)),
    }
}
