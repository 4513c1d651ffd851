//! The network: what clients ask for is carried to the server, late, twice, out of order or not at all, and back. It reads
//! what it carries only to see that it was stored before.

use rand::Rng;
use riverrun_client::{Effect, Event, Failed, Question, Route};
use riverrun_core::{Principal, limits, wire::PushRequest};

use super::{
    broken::{Held, Promise, hold},
    edge::Asker,
    happening::Happening,
    world::World,
};

/// How the network is.
#[derive(Debug, Clone)]
pub(crate) struct Weather {
    /// Percent of questions, and of answers, that are lost.
    pub(crate) lose: u32,
    /// Percent of questions that arrive twice.
    pub(crate) double: u32,
    /// Milliseconds that something takes at most.
    pub(crate) delay: i64,
    /// Percent of frames at which the connection dies.
    pub(crate) cut: u32,
    /// What answers in the server's place: status and code.
    pub(crate) proxy: Option<(u16, &'static str)>,
}

impl Weather {
    /// Nothing is wrong.
    pub(crate) fn fair() -> Self {
        Self { lose: 0, double: 0, delay: 30, cut: 0, proxy: None }
    }
}

impl World<'_> {
    pub(crate) fn delay(&mut self) -> i64 {
        let most = self.weather.delay.max(1);
        self.now + self.rng.random_range(1..=most)
    }

    pub(crate) fn carry_out(&mut self, at: usize, life: u64, effect: Effect) -> Held {
        match effect {
            Effect::Store(number, writes) => {
                let node = &mut self.nodes[at];
                let takes = self.rng.random_range(1..8);
                // One after the other, as a disk does it.
                node.busy_until = node.busy_until.max(self.now) + takes;
                node.stores.push_back((number, writes));
                let moment = node.busy_until;
                self.at(moment, Happening::Stored(at, life, number));
            }
            Effect::Ask(question) => {
                if question.route == Route::Push {
                    self.leaves_stored(at, &question.body)?;
                }
                let to = Asker::Node { at, life, ask: question.ask };
                let who = self.nodes[at].who().clone();
                self.carry_question(to, who, question);
            }
            Effect::Connect(number) => self.open_line(at, life, number),
            Effect::Send(number, text) => {
                if text.contains(r#""type":"push""#) {
                    let data = text.find(r#""data":"#).map_or("", |data| &text[data + 7..text.len() - 1]);
                    self.leaves_stored(at, data)?;
                }
                if let Some(line) = self.line_of(at, number)
                    && let Some(moment) = self.on_line(line, 0)
                {
                    self.at(moment, Happening::Frame(line, text));
                }
            }
            Effect::Close(number) => {
                if let Some(line) = self.line_of(at, number) {
                    self.end_line(line, false);
                }
            }
            Effect::WakeAt(moment) => {
                let node = &mut self.nodes[at];
                node.wake += 1;
                let wake = node.wake;
                if let Some(moment) = moment {
                    let moment = moment.0 - super::world::BEGINNING - node.skew;
                    self.at(moment, Happening::Wakes(at, wake));
                }
            }
            Effect::Tell(_) => {}
        }
        Ok(())
    }

    /// What leaves was stored before: a crash now must not give its place to another.
    fn leaves_stored(&mut self, at: usize, body: &str) -> Held {
        let Ok(push) = PushRequest::read(body.as_bytes(), limits::PUSH_BYTES) else { return Ok(()) };
        let node = &self.nodes[at];
        for mutation in push.mutations {
            let Some((client, seq)) = &mutation.place else { continue };
            let entry = node.disk.entries.values().find(|entry| entry.id == mutation.id);
            let stored =
                entry.is_some_and(|entry| entry.seq == Some(*seq)) && node.disk.client.as_ref() == Some(client);
            hold(stored || node.volatile, Promise::Durable, || {
                format!("{} leaves client {at} as {seq}, and is stored as {entry:?}", mutation.id)
            })?;
        }
        Ok(())
    }

    /// A question goes its way.
    pub(crate) fn carry_question(&mut self, to: Asker, who: Principal, question: Question) {
        let online = match to {
            Asker::Node { at, .. } => self.nodes[at].online,
            Asker::Form { .. } | Asker::Peek => true,
        };
        if !online || self.percent(self.weather.lose) {
            // Half of what is lost is noticed at once.
            if !online || self.percent(50) {
                let moment = self.delay();
                self.answer_arrives(moment, to, Err(Failed::lost("the network is unreachable")));
            }
            return;
        }
        let copies = 1 + u32::from(self.percent(self.weather.double));
        for _ in 0..copies {
            let moment = self.delay();
            self.at(moment, Happening::Asked(to, who.clone(), question.clone()));
        }
    }

    /// A question is at the server's door.
    pub(crate) fn question_arrives(&mut self, to: Asker, who: Principal, question: Question) {
        if let Some((status, code)) = self.weather.proxy.filter(|_| to != Asker::Peek) {
            let retry_after = if status == 429 { 20_000 } else { 0 };
            let failed = Failed { status, code: code.into(), error: "something between says so".into(), retry_after };
            let moment = self.delay();
            return self.answer_arrives(moment, to, Err(failed));
        }
        if question.route == Route::Push {
            self.note_sent(&question.body, limits::PUSH_BYTES);
        }
        self.trace.line(self.now, || format!("server <- {to:?} {:?} {}", question.route, question.body));
        if !self.server.ask(to, &who, question.route, question.body) {
            let moment = self.delay();
            self.answer_arrives(moment, to, Err(Failed::lost("the connection is refused")));
        }
    }

    pub(crate) fn note_sent(&mut self, body: &str, most: usize) {
        let Ok(push) = PushRequest::read(body.as_bytes(), most) else { return };
        for mutation in push.mutations {
            if let Some((client, seq)) = &mutation.place {
                self.ledger.sends(&mutation.scope, (client, *seq), &mutation.id);
            }
        }
    }

    /// An answer goes its way back, to arrive at a moment.
    pub(crate) fn answer_arrives(&mut self, moment: i64, to: Asker, answer: Result<String, Failed>) {
        match to {
            Asker::Node { at, life, ask } => self.at(moment, Happening::Event(at, life, Event::Answered(ask, answer))),
            Asker::Form { at } => {
                let tries = self.forms[at].tries;
                self.at(moment, Happening::FormAnswered(at, tries, answer));
            }
            Asker::Peek => {}
        }
    }

    /// An answer leaves the server.
    pub(crate) fn carry_answer(&mut self, to: Asker, answer: Result<String, Failed>) {
        let online = if let Asker::Node { at, .. } = to { self.nodes[at].online } else { true };
        if !online || self.percent(self.weather.lose) {
            return;
        }
        let moment = self.delay();
        self.answer_arrives(moment, to, answer);
    }
}
