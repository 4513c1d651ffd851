//! Sequences of verbs that no well-behaved world would give: gaps, repetitions, foreign histories, watermarks from the
//! future, verdicts twice, places shared. Whatever they do to a replica, every client must do the same.

use rand::{Rng, SeedableRng, rngs::StdRng};
use riverrun_client::{Accepted, Entry, Mark, Numbered, Page, Refused, Replica, Saved, SavedBase, Verb, Verdict};
use riverrun_core::{
    Change, ClientId, Cursor, Digest, Epoch, Json, Millis, MutationId, Scope, Seq, wire::SnapshotAnswer,
};
use serde_json::json;
use std::collections::BTreeMap;

use super::{
    form::Act,
    player::Player,
    record::{IDS, intent},
};

/// Steps of one sequence.
const STEPS: usize = 80;

/// Changes a history has.
const HEAD: u64 = 24;

struct Sequence {
    rng: StdRng,
    player: Player,
    acts: Vec<Act>,
    ids: Vec<MutationId>,
}

fn epoch(n: u64) -> Epoch {
    Epoch::new(format!("e{n}")).unwrap()
}

/// Two histories have no digest in common, and a digest says the cursor.
fn digest(epoch: &Epoch, cursor: u64) -> Digest {
    let n: u64 = epoch.as_str()[1..].parse().unwrap();
    serde_json::from_value(json!(format!("{:016x}", (n << 32) + cursor))).unwrap()
}

impl Sequence {
    fn one_in(&mut self, n: u32) -> bool {
        self.rng.random_range(0..n) == 0
    }

    fn epoch(&mut self) -> Epoch {
        let n = if self.one_in(8) { 2 } else { self.rng.random_range(0..2) };
        match self.player.replica.epoch().cloned() {
            Some(own) if !self.one_in(5) => own,
            _ => epoch(n),
        }
    }

    fn cursor(&mut self) -> u64 {
        let own = self.player.replica.cursor().0;
        match self.rng.random_range(0..6) {
            0..3 => own,
            3 => own.saturating_sub(self.rng.random_range(0..4)),
            4 => own + self.rng.random_range(0..5),
            _ => self.rng.random_range(0..HEAD),
        }
    }

    fn seq(&mut self) -> Seq {
        Seq(self.rng.random_range(0..12))
    }

    fn id(&mut self) -> MutationId {
        let pending: Vec<_> = self.player.replica.pending().map(|item| item.entry.id.clone()).collect();
        if !pending.is_empty() && !self.one_in(6) {
            return pending[self.rng.random_range(0..pending.len())].clone();
        }
        if self.ids.is_empty() || self.one_in(2) {
            return MutationId::new("m-other").unwrap();
        }
        self.ids[self.rng.random_range(0..self.ids.len())].clone()
    }

    fn new_id(&mut self) -> MutationId {
        if self.one_in(15) {
            return self.id();
        }
        let id = MutationId::new(format!("m{}", self.ids.len())).unwrap();
        self.ids.push(id.clone());
        id
    }

    fn entry(&mut self, order: u64, sent: bool) -> Entry {
        let id = self.new_id();
        let (name, args) = intent(&mut self.rng);
        let seq = (sent && self.one_in(2)).then(|| Seq(self.rng.random_range(1..12)));
        Entry { order, id, name: name.into(), args, schema: None, created: Millis(0), seq, accepted: None }
    }

    fn row(&mut self) -> (&'static str, String, Json) {
        let id = IDS[self.rng.random_range(0..IDS.len())];
        let (collection, value) = match self.rng.random_range(0..6) {
            0 => ("counter", json!({"id": "c", "n": self.rng.random_range(0..30)})),
            1 => ("note", json!({"id": id, "text": "\u{2028}</script>\" of the server"})),
            _ => ("todo", json!({"id": id, "title": "the server's", "completed": self.one_in(2)})),
        };
        (collection, value["id"].as_str().unwrap().into(), Json::of(&value).unwrap())
    }

    fn change(&mut self, cursor: u64) -> Change {
        let (collection, id, value) = self.row();
        let value: serde_json::Value = value.read().unwrap();
        let data = match self.rng.random_range(0..12) {
            0..7 => json!({"op": "put", "collection": collection, "id": id, "value": value}),
            7..10 => json!({"op": "del", "collection": collection, "id": id}),
            // None of these is a collection's change.
            10 => [json!({"op": "put", "collection": collection, "id": id}), json!({"op": "del", "id": id})]
                [self.rng.random_range(0..2)]
            .clone(),
            _ => {
                [json!(7), json!({"op": "set"}), json!({"op":"del","collection":"todo","id":id,"value":1}), json!(null)]
                    [self.rng.random_range(0..4)]
                .clone()
            }
        };
        let (scope, time) = (Scope::new("s").unwrap(), Millis(1_795_341_600_000));
        Change { cursor: Cursor(cursor), scope, time, mutation: self.id(), data: Json::of(&data).unwrap() }
    }

    fn page(&mut self) -> Page {
        let own = self.player.replica.epoch().cloned();
        let epoch = if self.one_in(3) { None } else { Some(self.epoch()) };
        let (from, count) = (self.cursor(), [0, 1, 1, 2, 4][self.rng.random_range(0..5)]);
        let mut changes: Vec<Change> = (1..=count).map(|n| self.change(from + n)).collect();
        let mut cursor = from + count;
        if self.one_in(12) && !changes.is_empty() {
            let at = self.rng.random_range(0..changes.len());
            changes.remove(at);
        }
        if self.one_in(15) {
            cursor = self.cursor();
        }
        let of = if self.one_in(15) { super::random::epoch(7) } else { own.unwrap_or_else(|| super::random::epoch(0)) };
        let last_seq = epoch.is_some().then(|| self.seq()).filter(|_| !self.one_in(3));
        let is_last_word = last_seq.is_some() && !self.one_in(3);
        Page {
            from: Cursor(from),
            cursor: Cursor(cursor),
            digest: digest(&of, cursor),
            epoch,
            changes,
            last_seq,
            is_last_word,
        }
    }

    fn rows(&mut self) -> BTreeMap<(String, String), Json> {
        (0..self.rng.random_range(0..6)).map(|_| self.row()).map(|(c, id, value)| ((c.into(), id), value)).collect()
    }

    fn snapshot(&mut self) -> SnapshotAnswer {
        let mut data: BTreeMap<String, BTreeMap<String, Json>> = BTreeMap::new();
        for ((collection, id), value) in self.rows() {
            data.entry(collection).or_default().insert(id, value);
        }
        let data =
            if self.one_in(20) { Json::parse(r#"{"todo":[1],"own":7}"#).unwrap() } else { Json::of(&data).unwrap() };
        let (epoch, cursor) = (self.epoch(), self.cursor());
        SnapshotAnswer { data, cursor: Cursor(cursor), digest: digest(&epoch, cursor), epoch, last_seq: None }
    }

    fn verdict(&mut self) -> Verdict {
        if self.one_in(4) {
            return Verdict::Refused(Refused { code: "rejected".into(), reason: None, error: "no".into() });
        }
        Verdict::Accepted(Accepted { cursor: Cursor(self.cursor()), epoch: self.epoch() })
    }

    fn restore(&mut self) -> Saved {
        let base = (!self.one_in(4)).then(|| {
            let (epoch, cursor) = (epoch(self.rng.random_range(0..2)), self.rng.random_range(0..HEAD));
            let held = (0..self.rng.random_range(0..3)).map(|_| self.id()).collect();
            let mark =
                Mark { cursor: Cursor(cursor), digest: digest(&epoch, cursor), epoch, last_seq: self.seq(), held };
            SavedBase { mark, rows: self.rows() }
        });
        let mut entries = BTreeMap::new();
        for order in 0..self.rng.random_range(0..5) {
            let mut entry = self.entry(order, true);
            if self.one_in(5) && entry.seq.is_some() {
                // Never one that is known already: the browser's queue keeps no verdicts, and is told them afterwards.
                entry.id = MutationId::new(format!("k{}", self.ids.len())).unwrap();
                self.ids.push(entry.id.clone());
                entry.accepted = Some(Accepted { cursor: Cursor(self.cursor()), epoch: self.epoch() });
            }
            entries.insert(order, entry);
        }
        let epoch = (!self.one_in(3)).then(|| epoch(self.rng.random_range(0..2)));
        Saved { client: Some(ClientId::new("c1").unwrap()), last: self.seq(), epoch, entries, base }
    }

    fn verb(&mut self) -> Verb {
        // Without a base there is little to get wrong.
        if !self.player.replica.is_valid() && self.one_in(3) {
            return Verb::Reset(self.snapshot(), Some(self.seq()));
        }
        match self.rng.random_range(0..100) {
            0..22 => Verb::Mutate(self.entry(Replica::UNPLACED, false)),
            22..27 => {
                let next = self.rng.random_range(0..40);
                Verb::Adopt((0..self.rng.random_range(1..3)).map(|n| self.entry(next + n, true)).collect())
            }
            27..33 => {
                let first = self.rng.random_range(0..40);
                Verb::Place((0..self.rng.random_range(1..4)).map(|n| (self.id(), first + n)).collect())
            }
            33..42 => {
                let given = (0..self.rng.random_range(0..4)).map(|_| (self.id(), self.seq().next())).collect();
                let epoch = (!self.one_in(4)).then(|| self.epoch());
                let watermark = (epoch.is_some() && self.one_in(3)).then(|| self.seq());
                Verb::Number(Numbered { given, last: self.seq(), epoch, watermark })
            }
            42..57 => Verb::Decide((0..self.rng.random_range(1..4)).map(|_| (self.id(), self.verdict())).collect()),
            57..60 => Verb::Undo(self.id()),
            60..80 => Verb::Apply(self.page()),
            80..86 => Verb::Watermark(Cursor(self.cursor()), self.seq()),
            86..94 => {
                let last_seq = if self.one_in(8) { None } else { Some(self.seq()) };
                Verb::Reset(self.snapshot(), last_seq)
            }
            94..97 => Verb::Invalidate(self.one_in(2)),
            97..99 => Verb::Drop,
            _ => Verb::Renew(ClientId::new("c2").unwrap()),
        }
    }

    fn act(&mut self, act: Act) {
        self.player.act(act.clone());
        self.acts.push(act);
    }

    fn begin(&mut self) {
        self.act(Act::Open);
        if self.one_in(3) {
            let last_seq = self.one_in(3).then(|| self.seq());
            let snapshot = self.snapshot();
            self.act(Act::Do(Verb::Reset(snapshot, last_seq)));
        }
        if self.one_in(3) {
            let entry = self.entry(Replica::UNPLACED, false);
            self.act(Act::Do(Verb::Mutate(entry)));
        }
        let saved = self.restore();
        self.act(Act::Do(Verb::Restore(saved)));
    }
}

/// One sequence, drawn from its seed alone.
pub fn trace(seed: u64) -> (String, Vec<Act>) {
    let rng = StdRng::seed_from_u64(seed ^ 0x5EED);
    let mut sequence = Sequence { rng, player: Player::new(), acts: Vec::new(), ids: Vec::new() };
    sequence.begin();
    for _ in 0..STEPS {
        if sequence.one_in(60) {
            sequence.begin();
        }
        let verb = sequence.verb();
        sequence.act(Act::Do(verb));
    }
    (format!("random-{seed}"), sequence.acts)
}
