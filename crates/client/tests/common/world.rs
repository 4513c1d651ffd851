//! The world of a test: one queue of what happens next, a server, clients and the network between them. Faults are rates
//! that can be set to nothing; the same seed gives the same run.

use std::collections::{BTreeMap, BTreeSet};

use rand::{Rng, SeedableRng, rngs::StdRng};
use riverrun_client::{Effect, Event, Question, Route, Status};
use riverrun_core::{
    Json, Millis, MutationId,
    wire::{PushRequest, ServerFrame},
};

use super::{
    app::{self, App, Args, Mark, Shared},
    client::Node,
    server::{Server, Session, scope},
};

/// How often what goes wrong, in percent; how long things take, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Faults {
    pub lose: u32,
    pub double: u32,
    pub delay: i64,
    pub cut: u32,
}

pub const NONE: Faults = Faults { lose: 0, double: 0, delay: 20, cut: 0 };

#[derive(serde::Deserialize)]
struct Envelope<'a> {
    topic: String,
    #[serde(borrow)]
    data: &'a serde_json::value::RawValue,
}

enum Happening {
    /// A question reaches the server.
    Asked(usize, u64, Question),
    /// Something reaches a client's life; it was said in this history of the server.
    Event(usize, u64, u64, Event),
    /// The disk of a client's life has done a write.
    Stored(usize, u64, u64),
    /// A frame reaches the server.
    Frame(usize, u64, u64, String),
    /// A client's moment may have come.
    Tick(usize, u64),
}

struct Line {
    number: u64,
    life: u64,
    session: Option<Session>,
    /// Frames keep their order: none arrives before this.
    after: [i64; 2],
    /// Cut, but nobody was told.
    silent: bool,
}

pub struct World {
    pub rng: StdRng,
    pub now: Millis,
    pub server: Server,
    pub nodes: Vec<Node>,
    pub faults: Faults,
    pub sockets: bool,
    /// Pushes over the connection are done, and their answers lost.
    pub mute: bool,
    pub steps: u64,
    queue: BTreeMap<(i64, u64), Happening>,
    count: u64,
    lines: BTreeMap<usize, Line>,
}

impl World {
    pub fn new(seed: u64, lives: &[bool]) -> Self {
        Self::of(seed, lives, &app::marks())
    }

    /// A world of another application than the marks.
    pub fn of(seed: u64, lives: &[bool], app: &App) -> Self {
        let mut world = Self {
            rng: StdRng::seed_from_u64(seed),
            now: Millis(1_795_341_600_000),
            server: Server::new(app.server),
            nodes: lives.iter().map(|&live| Node::new(live, app)).collect(),
            faults: NONE,
            sockets: true,
            mute: false,
            steps: 0,
            queue: BTreeMap::new(),
            count: 0,
            lines: BTreeMap::new(),
        };
        world.server.tick(world.now);
        for at in 0..lives.len() {
            world.step(at, Event::Start);
        }
        world
    }

    fn percent(&mut self, rate: u32) -> bool {
        self.rng.random_range(0..100) < rate
    }

    fn push(&mut self, at: i64, happening: Happening) {
        self.count += 1;
        self.queue.insert((at, self.count), happening);
    }

    fn delay(&mut self) -> i64 {
        self.now.0 + self.rng.random_range(1..=self.faults.delay)
    }

    /// Mutates at a client, now.
    pub fn mutate(&mut self, at: usize, bad: bool) -> MutationId {
        self.mutate_as(at, "mark", &Args { bad, pad: String::new() })
    }

    pub fn mutate_as(&mut self, at: usize, name: &str, args: &Args) -> MutationId {
        let (id, event) = self.nodes[at].intend(name, args, self.now, &mut self.rng);
        self.step(at, event);
        id
    }

    pub fn step(&mut self, at: usize, event: Event) {
        self.step_of(at, self.server.history, event);
    }

    fn step_of(&mut self, at: usize, history: u64, event: Event) {
        self.steps += 1;
        let node = &mut self.nodes[at];
        let effects = node.step(event, self.now, (history, self.server.history), &mut self.rng);
        let life = node.life;
        for effect in effects {
            self.carry_out(at, life, effect);
        }
        if let Some(moment) = self.nodes[at].wake_at {
            self.push(moment.0.max(self.now.0), Happening::Tick(at, life));
        }
    }

    /// What leaves was stored before: a crash now must not give its place to another.
    fn check_push(&self, at: usize, body: &str) {
        let push = PushRequest::read(body.as_bytes(), usize::MAX).expect("a push the server reads");
        for mutation in push.mutations {
            let (client, seq) = mutation.place.expect("a client numbers its mutations");
            let disk = &self.nodes[at].disk;
            let entry = disk.entries.values().find(|entry| entry.id == mutation.id);
            let stored = entry.is_some_and(|entry| entry.seq == Some(seq)) && disk.client == Some(client);
            assert!(stored || self.nodes[at].volatile, "{} leaves as {seq} and is stored as {entry:?}", mutation.id);
        }
    }

    fn carry_out(&mut self, at: usize, life: u64, effect: Effect) {
        match effect {
            Effect::Store(number, writes) => {
                // One after the other, as a disk does it.
                let busy = i64::try_from(self.nodes[at].stores.len()).unwrap() * 5;
                self.nodes[at].stores.push((number, writes));
                self.push(self.now.0 + 5 + busy, Happening::Stored(at, life, number));
            }
            Effect::Ask(question) => {
                if question.route == Route::Push {
                    self.check_push(at, &question.body);
                }
                let copies =
                    if self.percent(self.faults.lose) { 0 } else { 1 + u32::from(self.percent(self.faults.double)) };
                for _ in 0..copies {
                    let moment = self.delay();
                    self.push(moment, Happening::Asked(at, life, question.clone()));
                }
            }
            Effect::Connect(number) => {
                let moment = self.delay();
                if !self.sockets || self.percent(self.faults.lose) {
                    return self
                        .push(moment, Happening::Event(at, life, self.server.history, Event::Closed(number, None)));
                }
                self.lines.insert(at, Line { number, life, session: None, after: [moment; 2], silent: false });
                let hello = r#"{"topic":"sys","data":{"type":"hello","protocol":1,"session":"x","ping":25}}"#;
                self.push(moment, Happening::Event(at, life, self.server.history, Event::Frame(number, hello.into())));
            }
            Effect::Send(number, text) => {
                if text.contains(r#""type":"push""#) {
                    let Envelope { data, .. } = serde_json::from_str(&text).expect("a frame the server reads");
                    self.check_push(at, data.get());
                }
                if let Some(moment) = self.on_line(at, number, 0) {
                    self.push(moment, Happening::Frame(at, life, number, text));
                }
            }
            Effect::Close(_) => drop(self.lines.remove(&at)),
            Effect::WakeAt(_) | Effect::Tell(_) => {}
        }
    }

    /// When something sent on a line arrives; `None` where it doesn't.
    fn on_line(&mut self, at: usize, number: u64, way: usize) -> Option<i64> {
        let moment = self.delay();
        let cut = self.percent(self.faults.cut);
        let on = self.lines.get_mut(&at).filter(|line| line.number == number)?;
        if cut && !on.silent {
            on.silent = true;
            let life = on.life;
            // Half of the cuts are noticed; a link that goes silent has to be found out.
            if self.percent(50) {
                self.push(moment, Happening::Event(at, life, self.server.history, Event::Closed(number, Some(1006))));
            }
            return None;
        }
        if on.silent {
            return None;
        }
        on.after[way] = on.after[way].max(moment);
        Some(on.after[way])
    }

    /// Cuts a client's connection in the middle of everything.
    pub fn cut(&mut self, at: usize) {
        if let Some(line) = self.lines.remove(&at) {
            self.push(
                self.now.0,
                Happening::Event(at, line.life, self.server.history, Event::Closed(line.number, Some(1006))),
            );
        }
    }

    pub fn crash(&mut self, at: usize) {
        self.lines.remove(&at);
        self.nodes[at].crash(&mut self.rng);
        self.step(at, Event::Start);
    }

    /// The server's process ends and begins again with an earlier copy of its file.
    pub fn restore(&mut self, backup: &riverrun_engine::Memory, announced: bool) {
        for at in 0..self.nodes.len() {
            self.cut(at);
        }
        self.server.restore(backup, announced);
    }

    /// Lets this much time go by.
    pub fn run(&mut self, millis: i64) {
        let end = self.now.0 + millis;
        while let Some((&(moment, _), _)) = self.queue.first_key_value().filter(|((moment, _), _)| *moment <= end) {
            self.now = Millis(moment.max(self.now.0));
            self.server.tick(self.now);
            let Some((_, happening)) = self.queue.pop_first() else { return };
            self.happen(happening);
        }
        self.now = Millis(end);
        self.server.tick(self.now);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Asked(at, life, question) => {
                let answer = self.server.post(question.route, &question.body);
                self.spread_news();
                if self.percent(self.faults.lose) {
                    return;
                }
                let copies = 1 + u32::from(self.percent(self.faults.double));
                for _ in 0..copies {
                    let moment = self.delay();
                    self.push(
                        moment,
                        Happening::Event(at, life, self.server.history, Event::Answered(question.ask, answer.clone())),
                    );
                }
            }
            Happening::Event(at, life, history, event) => {
                if self.nodes[at].life == life {
                    self.step_of(at, history, event);
                }
            }
            Happening::Stored(at, life, number) => {
                if self.nodes[at].life == life {
                    self.nodes[at].confirm(number);
                    self.step(at, Event::Stored(number));
                }
            }
            Happening::Frame(at, life, number, text) => {
                if self.lines.get(&at).is_some_and(|line| line.number == number && line.life == life) {
                    self.hear(at, number, &text);
                    self.spread_news();
                }
            }
            Happening::Tick(at, life) => {
                let node = &self.nodes[at];
                if node.life == life && node.wake_at.is_some_and(|moment| moment <= self.now) {
                    self.step(at, Event::Tick);
                }
            }
        }
    }

    /// A frame reaches the server.
    fn hear(&mut self, at: usize, number: u64, text: &str) {
        #[derive(serde::Deserialize)]
        struct Head {
            #[serde(rename = "type")]
            kind: String,
            #[serde(rename = "ref")]
            reference: Option<String>,
        }
        let Envelope { topic, data } = serde_json::from_str(text).expect("a frame the server reads");
        let head: Head = serde_json::from_str(data.get()).expect("a frame the server reads");
        match head.kind.as_str() {
            "ping" => self.say(at, number, "sys", &Json::parse(r#"{"type":"pong"}"#).unwrap()),
            "pong" => {}
            "subscribe" => {
                assert_eq!(topic, format!("sync:{}", scope()));
                let (frames, session) = self.server.subscribe(data.get());
                self.lines.get_mut(&at).unwrap().session = session;
                self.frames(at, number, frames);
            }
            "push" => {
                let reference = head.reference.expect("a push over the connection has a ref");
                if self.mute {
                    let _ = self.server.post(Route::Push, data.get());
                    return;
                }
                let text = match self.server.post(Route::Push, data.get()) {
                    Ok(body) => format!(r#"{{"type":"results","ref":"{reference}",{}"#, &body[1..]),
                    Err(no) => {
                        let error = serde_json::to_string(&no.error).unwrap();
                        format!(r#"{{"type":"error","ref":"{reference}","code":"{}","error":{error}}}"#, no.code)
                    }
                };
                self.say(at, number, &topic, &Json::parse(&text).unwrap());
            }
            other => panic!("the client said {other}"),
        }
    }

    fn frames(&mut self, at: usize, number: u64, frames: Vec<ServerFrame>) {
        for frame in frames {
            self.say(at, number, &format!("sync:{}", scope()), &frame.to_json());
        }
    }

    fn say(&mut self, at: usize, number: u64, topic: &str, data: &Json) {
        let life = self.nodes[at].life;
        if let Some(moment) = self.on_line(at, number, 1) {
            let text = format!(r#"{{"topic":"{topic}","data":{data}}}"#);
            self.push(moment, Happening::Event(at, life, self.server.history, Event::Frame(number, text)));
        }
    }

    /// What was committed goes out to the live sessions.
    pub fn spread_news(&mut self) {
        let lines: Vec<(usize, u64)> = self.lines.iter().map(|(at, line)| (*at, line.number)).collect();
        for (at, number) in lines {
            let Some(mut session) = self.lines.get_mut(&at).and_then(|line| line.session.take()) else { continue };
            let frames = self.server.news(&mut session);
            let ended = frames.iter().any(|frame| matches!(frame, ServerFrame::Reset { .. }));
            self.lines.get_mut(&at).unwrap().session = (!ended).then_some(session);
            self.frames(at, number, frames);
        }
    }

    /// Ends a live session as a server does whose reader was too slow, or may not read any more.
    pub fn end_session(&mut self, at: usize, frame: ServerFrame) {
        if let Some(line) = self.lines.get_mut(&at) {
            line.session = None;
            let number = line.number;
            self.frames(at, number, vec![frame]);
        }
    }

    /// Everybody has what the server has, and nothing waits.
    pub fn assert_converged(&self) {
        let state = self.server.state();
        let data: BTreeMap<String, BTreeMap<String, Json>> = state.data.read().unwrap();
        for (at, node) in self.nodes.iter().enumerate() {
            let core = &node.core;
            assert_eq!(core.epoch(), Some(&state.epoch), "client {at}");
            assert_eq!((core.cursor(), core.digest()), (state.cursor, state.digest), "client {at}");
            let rows: BTreeMap<_, _> = core.base_rows().map(|(c, id, value)| ((c, id), value)).collect();
            let expected =
                data.iter().flat_map(|(c, rows)| rows.iter().map(move |(id, v)| ((c.as_str(), id.as_str()), v)));
            assert_eq!(rows, expected.collect(), "client {at}");
            let pending: Vec<_> = core.pending().map(|pending| pending.entry.clone()).collect();
            assert!(pending.is_empty(), "client {at} still waits for {pending:?}");
            assert!(matches!(core.status(), Status::Live | Status::Polling), "client {at}: {:?}", core.status());
            assert!(node.disk.entries.is_empty(), "client {at} keeps {:?}", node.disk.entries);
        }
    }

    /// What the server holds is what the clients were told, each once.
    pub fn assert_fates(&self) {
        let state = self.server.state();
        let data: BTreeMap<String, BTreeMap<String, Json>> = state.data.read().unwrap();
        let marks = data.get("mark").cloned().unwrap_or_default();
        let marks: BTreeMap<String, Mark> = marks.into_iter().map(|(id, json)| (id, json.read().unwrap())).collect();
        assert!(marks.values().all(|mark| mark.n == 1), "something took effect twice: {marks:?}");
        let mut explained = BTreeSet::new();
        for (at, node) in self.nodes.iter().enumerate() {
            for (id, fate) in &node.fates {
                let mark = marks.contains_key(id.as_str());
                match fate.verdicts.last() {
                    None if fate.undone || fate.lost => {
                        assert!(!mark || fate.lost, "{id} of client {at} was taken back");
                    }
                    None => panic!("{id} of client {at} has no verdict: {fate:?}"),
                    // Decided before a restore: it may have gone with the history that held it.
                    Some((history, _)) if *history < self.server.history => {}
                    Some((_, verdict)) => assert_eq!(mark, verdict.is_accepted(), "{id} of client {at}: {fate:?}"),
                }
                explained.insert(id.to_string());
            }
        }
        let stray: Vec<_> = marks.keys().filter(|id| !explained.contains(*id)).collect();
        assert!(stray.is_empty(), "effects of nobody: {stray:?}");
        let shared = data.get("shared").and_then(|rows| rows.get("s")).map(|json| json.read::<Shared>().unwrap());
        assert_eq!(shared.map_or(0, |shared| shared.writes), marks.len() as u64, "writes and marks are one effect");
    }
}
