//! What each kind of step does to the world. Its own choices come from the step's seed; it checks nothing.

use rand::{Rng, SeedableRng, rngs::StdRng};
use riverrun_client::{Event, Question, Route};
use riverrun_core::{Cursor, Scope};
use riverrun_engine::Action;

use super::{
    broken::Held,
    disk::Fault,
    edge::Asker,
    form::sender,
    happening::Happening,
    plan::{Kind, Step},
    world::World,
};

/// Copied clients in one run at most.
const COPIES: usize = 2;

/// Commits that a flood makes: more than the feed keeps for a reader.
const FLOOD: i64 = 260;

/// Milliseconds between them: enough for each to be a commit of its own.
const FLOOD_EVERY: i64 = 8;

impl World<'_> {
    /// Does one step, and lets its pause pass.
    pub(crate) fn act(&mut self, step: &Step) -> Held {
        self.rng = StdRng::seed_from_u64(step.seed);
        self.trace.line(self.now, || format!("step {} {:?}", step.number, step.kind));
        let at = self.rng.random_range(0..self.nodes.len());
        match step.kind {
            Kind::Mutate => self.mutate(at)?,
            Kind::Burst => {
                for _ in 0..self.rng.random_range(2..8) {
                    self.mutate(at)?;
                }
            }
            Kind::Form => self.form(),
            Kind::Peek => self.peek(),
            Kind::Undo => {
                let last = self.nodes[at].core.pending().last().map(|pending| pending.entry.id.clone());
                if let Some(id) = last {
                    self.step(at, Event::Undo(id))?;
                }
            }
            Kind::Wake => self.step(at, Event::Wake)?,
            Kind::ClientCrash => {
                let told = self.percent(50);
                self.lines_of(at).into_iter().for_each(|line| self.lose_line(line, told));
                self.sums.fault("client crash");
                self.crash_node(at)?;
            }
            Kind::StorageFailure => {
                self.nodes[at].broken_storage = true;
                self.sums.fault("client storage failure");
            }
            Kind::CopiedClient => self.copy_client(at)?,
            Kind::Cut => {
                if let Some(line) = self.lines_of(at).pop() {
                    self.sums.fault("connection cut");
                    self.end_line(line, true);
                }
            }
            Kind::HalfOpen => {
                if let Some(line) = self.lines_of(at).pop().and_then(|line| self.lines.get_mut(&line)) {
                    line.silent = true;
                    self.sums.fault("half-open connection");
                }
            }
            Kind::SlowReader => self.slow_reader(at),
            Kind::Offline => {
                self.nodes[at].online = false;
                self.sums.fault("client offline");
                let pause = self.rng.random_range(1_000..120_000);
                self.at(self.now + pause, Happening::Online(at));
            }
            Kind::Weather => {
                self.weather.lose = self.rng.random_range(0..40);
                self.weather.double = self.rng.random_range(0..40);
                self.weather.delay = [5, 30, 400, 4_000][self.rng.random_range(0..4)];
                self.weather.cut = self.rng.random_range(0..12);
                self.sums.fault("bad network");
            }
            Kind::Proxy => {
                let ways = [(401, "unauthenticated"), (429, "rate_limited"), (502, "http_502"), (503, "unavailable")];
                self.weather.proxy = Some(ways[self.rng.random_range(0..ways.len())]);
                self.sums.fault("answers of something between");
                let pause = self.rng.random_range(500..40_000);
                self.at(self.now + pause, Happening::Direct);
            }
            Kind::ServerCrash => self.crash_server(),
            Kind::StoreError => self.fail_store(),
            Kind::StoreFull => {
                self.server.disk.hand().full = true;
                self.sums.fault("store full");
                let pause = self.rng.random_range(500..30_000);
                self.at(self.now + pause, Happening::Room);
            }
            Kind::Backup => self.back_up()?,
            Kind::Restore | Kind::SilentRestore => {
                let announced = step.kind == Kind::Restore;
                if !self.backups.is_empty() {
                    let which = self.rng.random_range(0..self.backups.len());
                    self.sums.fault(if announced { "restore" } else { "silent restore" });
                    self.restore(which, announced)?;
                }
            }
            Kind::Trim => self.trim(),
            Kind::Ages => {
                self.sums.fault("a long while");
                let pause = self.rng.random_range(120_000..1_500_000);
                self.run_for(pause)?;
            }
            Kind::Access => self.take_rights(at),
            Kind::Clocks => {
                self.server_skew += self.rng.random_range(-20_000..20_000);
                self.sums.fault("server clock jump");
            }
        }
        self.serve_soon();
        self.run_for(step.pause)
    }

    /// Somebody reads a few changes from anywhere, without telling more than a cursor.
    fn peek(&mut self) {
        let scope = self.spec.scopes[self.rng.random_range(0..self.spec.scopes.len())].clone();
        let head = self.ledger.log(&scope).map_or(0, |log| log.head().0);
        let (cursor, limit) = (self.rng.random_range(0..=head), self.rng.random_range(1..12));
        if self.percent(15) {
            return self.impostor(&scope);
        }
        let snapshot = self.percent(20);
        let (route, body) = if snapshot {
            (Route::Snapshot, serde_json::json!({ "scope": scope }))
        } else {
            (Route::Pull, serde_json::json!({ "scope": scope, "cursor": cursor, "limit": limit }))
        };
        let question = Question { ask: 0, route, body: body.to_string() };
        self.at(self.now, Happening::Asked(Asker::Peek, sender(), question));
    }

    /// Somebody uses a client id that the server knows as another's, once and without trying again.
    fn impostor(&mut self, scope: &Scope) {
        let known = self.ledger.places.iter().filter(|((of, _), places)| of == scope && places.up_to > 0);
        let known: Vec<_> = known.map(|((_, client), places)| (client.clone(), places.up_to + 1)).collect();
        // Where clients are forgotten within minutes, the id may be nobody's by now, and then it is its first user's.
        if known.is_empty() || self.plan.short_memory || self.ledger.history > 0 {
            return;
        }
        let (client, seq) = known[self.rng.random_range(0..known.len())].clone();
        let id = self.intend(scope, "sim.one".into(), &serde_json::Value::Null);
        let mutation = serde_json::json!({ "id": id, "type": "sim.one", "args": null, "scope": scope, "seq": seq });
        let body = serde_json::json!({ "client": client, "mutations": [mutation] });
        self.sums.fault("foreign client id");
        let question = Question { ask: 0, route: Route::Push, body: body.to_string() };
        self.at(self.now, Happening::Asked(Asker::Peek, sender(), question));
    }

    fn lose_line(&mut self, line: u64, told: bool) {
        if told {
            self.end_line(line, false);
        } else if let Some(line) = self.lines.get_mut(&line) {
            line.silent = true;
        }
    }

    fn copy_client(&mut self, at: usize) -> Held {
        if self.nodes.len() >= self.spec.clients + COPIES || self.nodes[at].volatile || self.nodes[at].broken_storage {
            return Ok(());
        }
        self.sums.fault("copied client");
        let (config, disk, skew) = {
            let node = &mut self.nodes[at];
            node.shared = true;
            (node.config.clone(), node.disk.clone(), node.skew)
        };
        let copied = self.nodes.len();
        // One that is accepted already has told its verdict.
        let open = disk.entries.values().filter(|entry| entry.accepted.is_none());
        let inherited: Vec<_> = open.map(|entry| entry.id.clone()).collect();
        self.add_node(config, disk, skew)?;
        self.nodes[copied].shared = true;
        for id in inherited {
            let fate = self.nodes[copied].fates.entry(id.clone()).or_default();
            (fate.saved, fate.inherited) = (true, true);
            self.nodes[at].fates.entry(id).or_default().inherited = true;
        }
        Ok(())
    }

    /// A reader stops reading; sometimes so much is written meanwhile that it falls out of the feed.
    fn slow_reader(&mut self, at: usize) {
        let Some(line) = self.lines_of(at).pop() else { return };
        let floods = self.percent(40);
        let pause = if floods { FLOOD * FLOOD_EVERY * 2 } else { 0 } + self.rng.random_range(500..20_000);
        if let Some(line) = self.lines.get_mut(&line) {
            line.stopped = true;
        }
        self.sums.fault("slow reader");
        self.at(self.now + pause, Happening::Reads(line));
        if floods {
            let scope = self.nodes[at].scope().clone();
            for place in 0..FLOOD {
                self.at(self.now + place * FLOOD_EVERY, Happening::Floods(scope.clone()));
            }
            self.sums.fault("flood");
        }
    }

    fn crash_server(&mut self) {
        if self.percent(30) {
            self.sums.fault("server crash");
            return self.stop_server();
        }
        let fault = if self.percent(50) { Fault::CrashBefore } else { Fault::CrashAfter };
        self.server.disk.hand().next = Some(fault);
    }

    fn fail_store(&mut self) {
        let fault = match self.rng.random_range(0..10) {
            0..2 => Fault::Commit,
            2..5 => Fault::Answer,
            5..7 => Fault::Call(self.rng.random_range(1..30)),
            7..8 => Fault::Busy,
            _ => {
                let reads = self.rng.random_range(1..6);
                self.sums.fault("failing reads");
                self.server.disk.hand().bad_reads = reads;
                return;
            }
        };
        self.sums.fault("failing commit");
        self.server.disk.hand().next = Some(fault);
    }

    fn trim(&mut self) {
        let scope = self.spec.scopes[self.rng.random_range(0..self.spec.scopes.len())].clone();
        let head = self.ledger.log(&scope).map_or(0, |log| log.head().0);
        let floor = self.rng.random_range(0..=head);
        if let Some(running) = &self.server.running {
            self.sums.fault("trim");
            // A trim that fails is tried again by nobody here; the next one comes.
            let _ = running.engine.kernel().trim_to(&scope, Cursor(floor));
        }
    }

    fn take_rights(&mut self, at: usize) {
        let who = self.nodes[at].who().clone();
        // Its own scope, or another that its mutations may write to.
        let own = self.percent(70);
        let any = self.rng.random_range(0..self.spec.scopes.len());
        let scope = if own { self.nodes[at].scope() } else { &self.spec.scopes[any] }.clone();
        let told = self.percent(75);
        let failing = self.percent(15);
        {
            let mut table = self.server.rules.table();
            if failing {
                table.failing = true;
            } else {
                let which = self.rng.random_range(0..3);
                if which < 2 {
                    table.deny(&who, &scope, Action::Read, self.now, told);
                }
                if which > 0 {
                    table.deny(&who, &scope, Action::Write, self.now, told);
                }
            }
        }
        self.sums.fault("right taken away");
        if told {
            self.tell_rights();
        }
        let pause = self.rng.random_range(500..90_000);
        self.at(self.now + pause, Happening::Rights);
    }

    /// The engine hears that the rules have changed.
    fn tell_rights(&self) {
        if let Some(running) = &self.server.running {
            running.engine.access_changed();
        }
    }

    /// Everybody may do everything again.
    pub(crate) fn give_rights(&mut self) {
        self.server.rules.table().allow_all();
        self.tell_rights();
    }
}
