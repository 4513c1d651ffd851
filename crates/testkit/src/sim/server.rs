//! The server's process: the real engine in line over the faulty disk, its tasks, its writer. One micro-step at a time,
//! which one is the seed's choice; a crash drops all of it and leaves the disk.

use std::sync::Arc;

use rand::{Rng, rngs::StdRng};
use riverrun_client::Route;
use riverrun_core::Principal;
use riverrun_engine::{Engine, Inline, Retention, Store};
use tokio::sync::mpsc;

use super::{
    broken::{Held, Promise, broken},
    disk::Disk,
    edge::{Asker, Outbox, QUEUE_FRAMES, Session, question},
    exec::Tasks,
    rules::{Hands, Rules},
    spec::Spec,
};

/// A server that runs.
pub(crate) struct Running {
    pub(crate) engine: Engine,
    hands: Inline,
    pub(crate) tasks: Tasks,
    /// The writer may have something to do.
    hot: bool,
}

/// See the file's head.
pub(crate) struct Server {
    pub(crate) disk: Disk,
    pub(crate) clock: Hands,
    pub(crate) rules: Rules,
    pub(crate) outbox: Outbox,
    /// `None` while it is down.
    pub(crate) running: Option<Running>,
    retention: Retention,
    pub(crate) starts: u64,
}

/// Both ends of a new connection.
pub(crate) struct Ends {
    pub(crate) up: mpsc::UnboundedSender<String>,
    pub(crate) down: mpsc::Receiver<String>,
}

impl Server {
    pub(crate) fn new(store: Arc<dyn Store>, retention: Retention) -> Self {
        let (clock, rules, outbox) = (Hands::default(), Rules::default(), Outbox::default());
        Self { disk: Disk::new(store), clock, rules, outbox, running: None, retention, starts: 0 }
    }

    /// Starts the process over what the disk holds.
    pub(crate) fn start(&mut self, spec: &Spec) -> Held {
        self.starts += 1;
        {
            let mut hand = self.disk.hand();
            (hand.dead, hand.next, hand.bad_reads) = (false, None, 0);
        }
        let builder = Engine::builder(self.disk.clone()).mutators(spec.fresh_mutators()).access(self.rules.clone());
        match builder.retention(self.retention.clone()).clock(self.clock.clone()).inline() {
            Ok((engine, hands)) => {
                self.running = Some(Running { engine, hands, tasks: Tasks::default(), hot: false });
                Ok(())
            }
            Err(error) => broken(Promise::Durable, format!("the server does not start: {error}")),
        }
    }

    /// Ends the process, in the middle of everything.
    pub(crate) fn stop(&mut self) {
        self.running = None;
        self.outbox.borrow_mut().clear();
    }

    /// Begins to answer a question; false while it is down.
    pub(crate) fn ask(&mut self, to: Asker, who: &Principal, route: Route, body: String) -> bool {
        let version = self.rules.table().version;
        let Some(running) = &self.running else { return false };
        let (engine, who, outbox) = (running.engine.clone(), (who.clone(), version), self.outbox.clone());
        running.tasks.spawner.begin(0, question(engine, to, who, route, body, outbox));
        true
    }

    /// Takes a connection.
    pub(crate) fn connect(&mut self, line: u64, who: &Principal) -> Option<Ends> {
        let running = self.running.as_ref()?;
        let ((up, inbound), (outbound, down)) = (mpsc::unbounded_channel(), mpsc::channel(QUEUE_FRAMES));
        let session = Session {
            engine: running.engine.clone(),
            who: who.clone(),
            line,
            up: inbound,
            down: outbound,
            outbox: self.outbox.clone(),
            spawner: running.tasks.spawner.clone(),
        };
        running.tasks.spawner.begin(line, session.run());
        Some(Ends { up, down })
    }

    /// Whether there is anything to do.
    pub(crate) fn is_busy(&mut self) -> bool {
        self.running.as_mut().is_some_and(|running| running.hot || !running.tasks.ready().is_empty())
    }

    /// One micro-step: a task is polled, or the writer takes its turn.
    pub(crate) fn step(&mut self, rng: &mut StdRng) {
        let Some(running) = &mut self.running else { return };
        let ready = running.tasks.ready();
        let choices = ready.len() + usize::from(running.hot);
        if choices == 0 {
            return;
        }
        match ready.get(rng.random_range(0..choices)) {
            Some(task) => {
                running.tasks.poll(*task);
                running.hot = true;
            }
            None => running.hot = running.hands.turn(),
        }
    }

    /// Time has moved on.
    pub(crate) fn tick(&mut self, passed: std::time::Duration) {
        if let Some(running) = &self.running {
            running.hands.tick(passed);
        }
    }

    /// Ages are looked at.
    pub(crate) fn round(&mut self) {
        if let Some(running) = &mut self.running {
            running.hands.round();
            running.hot = true;
        }
    }
}
