//! One client's core with a storage that obeys and a network that may say anything, and what must hold after each step.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use myapp::service::todo;
use rand::{SeedableRng, rngs::StdRng};
use riverrun_client::{Config, Core, Effect, Entry, Event, Failed, News, Replica, Route, Saved, Write, mint};
use riverrun_core::{
    Json, Millis, MutationId, Scope, Seq, limits,
    wire::{PullRequest, PushRequest, SnapshotAnswer, SnapshotRequest},
};
use serde_json::Value;

/// Effects of one step. Many more would be a client that talks to itself.
const EFFECTS: usize = 100;

pub(super) struct Rig {
    core: Core,
    config: Config,
    rng: StdRng,
    now: Millis,
    saved: Saved,
    storing: Vec<(u64, Vec<Write>)>,
    asks: Vec<u64>,
    link: u64,
    reference: String,
    made: Vec<MutationId>,
    /// The mutations whose end was told.
    ended: BTreeSet<MutationId>,
    failed: bool,
    /// A server that counts up to the last number there is leaves none for the next mutation.
    exhausted: bool,
}

impl Rig {
    pub(super) fn new(polls: bool) -> Self {
        let mut config = Config::new(Scope::default());
        config.live = !polls;
        let core = Core::new(config.clone(), Arc::new(todo::mutators()), Saved::default());
        let mut rig = Self {
            core,
            config,
            rng: StdRng::seed_from_u64(1),
            now: Millis(1_795_341_600_000),
            saved: Saved::default(),
            storing: Vec::new(),
            asks: Vec::new(),
            link: 0,
            reference: String::new(),
            made: Vec::new(),
            ended: BTreeSet::new(),
            failed: false,
            exhausted: false,
        };
        rig.step(Event::Start);
        rig
    }

    pub(super) fn line(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let ask = self.asks.last().copied().unwrap_or_default();
        let rest = self.filled(rest);
        self.exhausted |= rest.contains("9007199254740");
        match word {
            "M" => {
                let (name, args) = rest.split_once(' ').unwrap_or((&rest, "null"));
                let id = mint(self.now, &mut self.rng);
                self.made.push(id.clone());
                self.step(Event::Mutate { id, name: name.into(), args: Json::trusted(args) });
            }
            "U" => {
                if let Some(id) = self.made.last().cloned() {
                    self.step(Event::Undo(id));
                }
            }
            "W" => self.step(Event::Wake),
            "T" => {
                self.now.0 += rest.parse::<u32>().map_or(1_000, i64::from);
                self.step(Event::Tick);
            }
            "S" => {
                for (number, writes) in std::mem::take(&mut self.storing) {
                    for write in writes {
                        self.saved.apply(write);
                    }
                    self.step(Event::Stored(number));
                }
            }
            "X" => {
                if let Some((number, _)) = self.storing.first().filter(|_| !self.failed) {
                    self.failed = true;
                    self.step(Event::StoreFailed(*number, "disk full".into()));
                    self.storing.clear();
                }
            }
            "R" => self.restart(),
            "A" => self.step(Event::Answered(ask, Ok(rest))),
            "E" => {
                let (status, body) = rest.split_once(' ').unwrap_or((&rest, ""));
                let status = status.parse().unwrap_or(500);
                self.step(Event::Answered(ask, Err(Failed::answered(status, body, i64::from(status) * 7))));
            }
            "F" => self.step(Event::Frame(self.link, format!(r#"{{"topic":"sync:_default","data":{rest}}}"#))),
            "L" => self.step(Event::Frame(self.link, rest)),
            "C" => self.step(Event::Closed(self.link, rest.parse().ok())),
            _ => {}
        }
    }

    /// The script's end: whatever happened, what is shown is base + pending, and another life begins.
    pub(super) fn end(&mut self) {
        self.base_and_pending();
        self.restart();
        self.base_and_pending();
    }

    fn filled(&self, text: &str) -> String {
        if !text.contains('$') {
            return text.into();
        }
        let mut text = text.replace("$R", &self.reference);
        for (at, pending) in self.core.pending().take(10).enumerate() {
            text = text.replace(&format!("${at}"), pending.entry.id.as_str());
        }
        text
    }

    fn restart(&mut self) {
        self.storing.clear();
        self.failed = false;
        // A life that ends before a verdict was stored leaves it to be heard again.
        let saved = &self.saved;
        self.ended.retain(|id| saved.entries.values().all(|entry| entry.id != *id));
        self.core = Core::new(self.config.clone(), Arc::new(todo::mutators()), self.saved.clone());
        let kept: BTreeSet<_> = self.saved.entries.values().map(|entry| entry.id.clone()).collect();
        let pending = self.core.pending().filter(|pending| pending.entry.accepted.is_none());
        assert!(pending.into_iter().all(|pending| kept.contains(&pending.entry.id)), "pending and not in the storage");
        for entry in self.saved.entries.values().filter(|entry| entry.accepted.is_none()) {
            assert!(self.core.is_pending(&entry.id), "{} is in the storage and not pending", entry.id);
        }
        self.step(Event::Start);
    }

    fn step(&mut self, event: Event) {
        let before = (self.core.epoch().cloned(), self.core.cursor(), self.core.is_valid());
        let effects = self.core.step(event, self.now, &mut self.rng);
        assert!(effects.len() <= EFFECTS, "{} effects of one step", effects.len());
        if before.2 && self.core.is_valid() && before.0.as_ref() == self.core.epoch() {
            assert!(self.core.cursor() >= before.1, "the cursor went back");
        }
        for effect in effects {
            self.effect(effect);
        }
        let mut places = BTreeSet::new();
        for Entry { seq, .. } in
            self.core.pending().map(|pending| pending.entry).filter(|entry| entry.accepted.is_none())
        {
            assert!(seq.is_none_or(|seq| places.insert(seq)), "two open mutations have one place");
        }
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Store(number, writes) => {
                assert!(!self.failed, "a storage that failed was written to");
                self.storing.push((number, writes));
            }
            Effect::Ask(question) => {
                let body = question.body.as_bytes();
                let read = match question.route {
                    Route::Push => PushRequest::read(body, limits::PUSH_BYTES).map(|push| self.pushed(&push)),
                    Route::Pull => PullRequest::read(body).map(drop),
                    Route::Snapshot => SnapshotRequest::read(body).map(drop),
                };
                assert!(read.is_ok() || self.exhausted, "the server refuses {}: {read:?}", question.body);
                self.asks.push(question.ask);
            }
            Effect::Connect(link) => self.link = link,
            Effect::Send(_, text) => self.sent(&text),
            Effect::Close(_) | Effect::WakeAt(_) => {}
            Effect::Tell(news) => self.told(news),
        }
    }

    fn sent(&mut self, text: &str) {
        let frame: Value = serde_json::from_str(text).expect("a frame is JSON");
        let data = frame["data"].to_string();
        let Some(reference) = frame["data"]["ref"].as_str() else { return };
        self.reference = reference.into();
        if frame["data"]["type"] == "push" {
            self.asks.push(reference.parse().expect("a push is numbered"));
            match PushRequest::read_in(data.as_bytes(), limits::LIVE_PUSH_BYTES, &self.config.scope) {
                Ok(push) => self.pushed(&push),
                Err(bad) => assert!(self.exhausted, "the server refuses {text}: {bad}"),
            }
        }
    }

    fn pushed(&self, push: &PushRequest) {
        let stored = |id: &MutationId| self.saved.entries.values().find(|entry| entry.id == *id);
        for mutation in &push.mutations {
            assert!(mutation.place.is_some(), "{} was sent without a place", mutation.id);
            let Some(entry) = stored(&mutation.id) else {
                assert!(self.failed, "{} was sent before it was safe", mutation.id);
                continue;
            };
            let place = mutation.place.as_ref().map(|(_, seq)| *seq);
            assert!(self.failed || entry.seq == place, "{} was sent with a place that is not safe", mutation.id);
        }
    }

    fn told(&mut self, news: News) {
        let (News::Decided { id, .. } | News::Refused(id, _) | News::Undo(id, true)) = news else { return };
        assert!(
            !self.core.is_pending(&id) || self.core.pending().any(|p| p.entry.id == id && p.entry.accepted.is_some())
        );
        assert!(self.ended.insert(id.clone()), "the end of {id} was told twice");
    }

    /// Another client with this base and these pending mutations shows the same.
    fn base_and_pending(&self) {
        let mut data: HashMap<&str, HashMap<&str, &Json>> = HashMap::new();
        for (collection, id, value) in self.core.base_rows() {
            data.entry(collection).or_default().insert(id, value);
        }
        let data = Json::of(&data);
        // A base is what the server said; what it said may be no JSON of ours.
        let Ok(data) = data else { return };
        let (scope, principal) = (self.config.scope.clone(), self.config.principal.clone());
        let mut other = Replica::new(Arc::new(todo::mutators()), scope, principal);
        let epoch = self.core.epoch().cloned().unwrap_or_else(|| riverrun_core::Epoch::new("none").expect("an epoch"));
        let snapshot =
            SnapshotAnswer { data, cursor: self.core.cursor(), digest: self.core.digest(), epoch, last_seq: None };
        other.reset(snapshot, Some(Seq::ZERO), &mut Vec::new());
        let shown = self.core.pending().filter(|pending| pending.shown);
        other.adopt(shown.map(|pending| Entry { seq: None, accepted: None, ..pending.entry.clone() }).collect());
        other.refresh();
        for collection in ["todo", "list"] {
            let own = self.core.list(collection, "", None, usize::MAX);
            assert_eq!(own, other.list(collection, "", None, usize::MAX), "the view is not base + pending");
        }
    }
}
