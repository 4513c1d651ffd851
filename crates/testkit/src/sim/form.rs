//! Plain senders: forms and scripts that name a mutation by its id alone, without a client id, and send it until they have
//! a verdict. And the server's process, as the world drives it: its steps, its end and its start.

use rand::Rng;
use riverrun_client::{Failed, Question, Route};
use riverrun_core::{MutationId, Principal, wire::PushAnswer};

use super::{
    audit,
    broken::{Broken, Held, Promise},
    copy,
    edge::{Asker, Out, answered},
    happening::Happening,
    leave::{self, Leaving},
    world::{World, epoch},
};

/// A mutation of a plain sender.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) id: MutationId,
    body: String,
    pub(crate) tries: u64,
    pub(crate) done: bool,
}

/// Who plain senders are.
pub(crate) fn sender() -> Principal {
    Principal::new("form").expect("a short name")
}

impl World<'_> {
    /// A plain sender begins.
    pub(crate) fn add_form(&mut self, id: MutationId, body: String) {
        self.forms.push(Form { id, body, tries: 0, done: false });
        self.form_tries(self.forms.len() - 1);
    }

    pub(crate) fn form_tries(&mut self, at: usize) {
        let form = &mut self.forms[at];
        if form.done {
            return;
        }
        form.tries += 1;
        let question = Question { ask: form.tries, route: Route::Push, body: form.body.clone() };
        self.carry_question(Asker::Form { at }, sender(), question);
        // Whatever becomes of it, it is tried again; sometimes much later.
        let slow = !self.calm && self.percent(15);
        let pause = self.rng.random_range(if slow { 60_000..1_200_000 } else { 1_000..30_000 });
        self.at(self.now + pause, Happening::FormTries(at));
    }

    pub(crate) fn form_answered(&mut self, at: usize, _: u64, answer: Result<String, Failed>) -> Held {
        let Ok(text) = answer else { return Ok(()) };
        let answer: PushAnswer = serde_json::from_str(&text).map_err(|error| Broken {
            promise: Promise::Settles,
            seen: format!("an answer does not read: {error}: {text}"),
        })?;
        let result = answer.results.first();
        self.forms[at].done |= result.is_some_and(|result| result.ok || result.retry == Some(false));
        Ok(())
    }

    /// The server takes a step soon, if it has anything to do.
    pub(crate) fn serve_soon(&mut self) {
        if !self.serving && self.server.is_busy() {
            self.serving = true;
            let moment = self.now + self.rng.random_range(0..3);
            self.at(moment, Happening::Serves);
        }
    }

    /// One micro-step of the server, its checks, and what leaves it.
    pub(crate) fn serve(&mut self) -> Held {
        self.serving = false;
        self.server.step(&mut self.rng);
        self.audit()?;
        let outs: Vec<Out> = std::mem::take(&mut *self.server.outbox.borrow_mut());
        let dead = self.server.disk.hand().dead;
        if dead {
            // What was about to leave never did.
            self.sums.fault("server crash at a commit");
            self.stop_server();
            return Ok(());
        }
        for out in outs {
            self.trace.line(self.now, || format!("server -> {out:?}"));
            let rules = self.server.rules.clone();
            let mut leaving = Leaving {
                ledger: &mut self.ledger,
                store: &*self.server.disk.store,
                rules: &rules.table(),
                streams: &mut self.streams,
                now: self.now,
            };
            leaving.check(&out)?;
            if let Out::Answer { to, said, .. } = &out {
                self.carry_answer(*to, answered(said));
            }
        }
        self.drain_lines();
        if self.server.is_busy() { Ok(()) } else { self.idle() }
    }

    /// Looks into the store, if anything was committed.
    pub(crate) fn audit(&mut self) -> Held {
        let done = std::mem::take(&mut self.server.disk.hand().done);
        if done.is_empty() && self.ledger.epoch.is_some() {
            return Ok(());
        }
        for one in &done {
            for (scope, _, record, _) in &one.records {
                self.trace.line(self.now, || format!("store: {} in {scope}: {:?}", record.id, record.verdict));
            }
        }
        audit::audit(&mut self.ledger, &*self.server.disk.store, &done, self.spec, self.now)?;
        leave::writable(&done, &self.server.rules.table(), self.now)
    }

    /// Nothing is to be done: whoever follows a scope live has all of it.
    fn idle(&mut self) -> Held {
        for (number, stream) in self.streams.iter().filter(|(_, stream)| stream.live) {
            let Some(line) = self.lines.get(number) else { continue };
            let blocked = line.down.as_ref().is_some_and(|down| down.len() >= super::edge::QUEUE_FRAMES);
            let who = self.nodes[line.node].who();
            let denied = self.server.rules.table().denied(who, &stream.scope, riverrun_engine::Action::Read);
            let head = self.ledger.log(&stream.scope).map_or(0, |log| log.head().0);
            super::broken::hold(blocked || denied.is_some() || stream.at.0.0 == head, Promise::Together, || {
                format!(
                    "client {} follows {} live and was told up to {} of {head}",
                    line.node, stream.scope, stream.at.0
                )
            })?;
        }
        Ok(())
    }

    /// The server's process ends. Its connections end with it; not everybody is told.
    pub(crate) fn stop_server(&mut self) {
        self.trace.line(self.now, || "server ends".into());
        self.server.stop();
        self.serving = false;
        let power_cut = self.percent(30);
        let lines: Vec<u64> = self.lines.keys().copied().collect();
        for line in lines {
            if power_cut {
                if let Some(line) = self.lines.get_mut(&line) {
                    line.silent = true;
                }
                self.streams.remove(&line);
            } else {
                self.end_line(line, true);
            }
        }
        self.streams.clear();
        let pause = [1, 50, 2_000, 20_000][self.rng.random_range(0..4)];
        self.at(self.now + pause, Happening::Starts);
    }

    /// The server's process starts again, over what the disk holds.
    pub(crate) fn start_server(&mut self) -> Held {
        if self.server.running.is_some() {
            return Ok(());
        }
        self.trace.line(self.now, || "server starts".into());
        self.server.start(self.spec)?;
        self.audit()?;
        audit::whole(&self.ledger, &*self.server.disk.store)
    }

    /// The store's content is put aside.
    pub(crate) fn back_up(&mut self) -> Held {
        let image = (self.spec.store)();
        let copied = copy::copy(&*self.server.disk.store, &*image, &self.ledger, None);
        copied.map_err(|error| Broken { promise: Promise::Durable, seen: format!("a copy fails: {error}") })?;
        self.backups.push(copy::Backup::new(image, &self.ledger));
        Ok(())
    }

    /// An earlier copy takes the store's place.
    pub(crate) fn restore(&mut self, which: usize, announced: bool) -> Held {
        let failed = |error| Broken { promise: Promise::Durable, seen: format!("a restore fails: {error}") };
        self.stop_server();
        let store = (self.spec.store)();
        let next = announced.then(|| epoch(self.ledger.history + 1));
        copy::copy(&*self.backups[which].image, &*store, &self.ledger, next.as_ref()).map_err(failed)?;
        self.backups[which].rewind(&mut self.ledger);
        self.server.disk.store = store;
        self.audit()
    }
}
