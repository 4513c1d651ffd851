//! A client and a server that is of no use to it: it neither gives up nor runs in circles.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use rand::{SeedableRng, rngs::StdRng};
use riverrun_client::{Config, Core, Effect, Event, Failed, Question, Route, Saved};
use riverrun_core::{Millis, Mutators, Scope};

const SNAPSHOT: &str = r#"{"data":{},"cursor":3,"digest":"00000000000000aa","epoch":"e1"}"#;
const MINUTE: i64 = 60_000;

/// A core in virtual time whose storage is quick.
struct Rig {
    core: Core,
    rng: StdRng,
    now: i64,
    wake: Option<i64>,
    asked: Vec<Question>,
    link: u64,
    reference: String,
}

impl Rig {
    fn new(live: bool) -> Self {
        let config = Config { live, ..Config::new(Scope::default()) };
        let core = Core::new(config, Arc::new(Mutators::new()), Saved::default());
        let rng = StdRng::seed_from_u64(7);
        let mut rig = Self { core, rng, now: 0, wake: None, asked: Vec::new(), link: 0, reference: String::new() };
        rig.step(Event::Start);
        rig
    }

    fn step(&mut self, event: Event) {
        let mut stored = Vec::new();
        for effect in self.core.step(event, Millis(self.now), &mut self.rng) {
            match effect {
                Effect::Store(number, _) => stored.push(number),
                Effect::Ask(question) => self.asked.push(question),
                Effect::WakeAt(moment) => self.wake = moment.map(|moment| moment.0),
                Effect::Connect(link) => self.link = link,
                Effect::Send(_, text) => {
                    if let Some((_, rest)) = text.split_once(r#""ref":""#) {
                        self.reference = rest.split('"').next().unwrap().into();
                    }
                }
                Effect::Close(_) | Effect::Tell(_) => {}
            }
        }
        for number in stored {
            self.step(Event::Stored(number));
        }
    }

    fn frame(&mut self, topic: &str, data: &str) {
        let data = data.replace("$R", &self.reference);
        self.step(Event::Frame(self.link, format!(r#"{{"topic":"{topic}","data":{data}}}"#)));
    }

    /// Answers everything that is asked within a minute, and says how much that was.
    fn minute(&mut self, answer: impl Fn(Route) -> Result<String, Failed>) -> usize {
        let (end, mut count) = (self.now + MINUTE, 0);
        // A client that asks without a pause would never see the minute's end.
        while self.now < end && count < 1_000 {
            if let Some(question) = self.asked.pop() {
                count += 1;
                self.step(Event::Answered(question.ask, answer(question.route)));
            } else {
                self.now = self.wake.map_or(end, |wake| wake.clamp(self.now + 1, end));
                self.step(Event::Tick);
            }
        }
        count
    }
}

fn no(status: u16, code: &str) -> Result<String, Failed> {
    Err(Failed::answered(status, &format!(r#"{{"code":"{code}"}}"#), 0))
}

#[test]
fn a_server_that_takes_back_every_base_it_gives_is_asked_less_and_less() {
    for live in [false, true] {
        for code in ["epoch_changed", "cursor_too_old"] {
            let mut rig = Rig::new(live);
            let answer = |route| if route == Route::Snapshot { Ok(SNAPSHOT.into()) } else { no(410, code) };
            let (first, second) = (rig.minute(answer), rig.minute(answer));
            assert!((4..80).contains(&first), "{first} questions in the first minute, live {live}, {code}");
            assert!((1..40).contains(&second), "{second} questions in the second minute, live {live}, {code}");
        }
    }
}

#[test]
fn a_live_client_that_lost_its_base_asks_for_another_until_it_has_one() {
    let mut rig = Rig::new(true);
    rig.frame("sys", r#"{"type":"hello","protocol":1,"session":"s","ping":25}"#);
    rig.frame("sync:_default", r#"{"type":"snapshot","data":{},"cursor":3,"digest":"00000000000000aa","epoch":"e1"}"#);
    rig.frame("sync:_default", r#"{"type":"ack","ref":"$R","cursor":3,"epoch":"e1"}"#);
    // What can't be read is pulled.
    rig.frame("sync:_default", r#"{"type":"changes"}"#);
    let pull = rig.asked.pop().unwrap();
    rig.step(Event::Answered(pull.ask, no(410, "epoch_changed")));
    while let Some(question) = rig.asked.pop() {
        rig.step(Event::Answered(question.ask, no(503, "unavailable")));
    }
    assert!(!rig.core.is_valid());
    // The connection stays up: what the server says on it is of no use without a base.
    for _ in 0..60 {
        rig.now += 1_000;
        rig.step(Event::Tick);
        rig.frame("sys", r#"{"type":"pong"}"#);
        while let Some(question) = rig.asked.pop() {
            let answer = if question.route == Route::Snapshot { Ok(SNAPSHOT.into()) } else { no(503, "unavailable") };
            rig.step(Event::Answered(question.ask, answer));
        }
    }
    assert!(rig.core.is_valid(), "a minute without a base, on a connection that is up");
}
