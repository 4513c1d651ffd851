//! Random histories, seeded: what a small model says, what the engine shows and what its readers rebuilt must be the same
//! at every step, across trimming and restarts. A failure names its seed; nothing here depends on the real clock.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use riverrun_core::{Code, Digest, wire::PullRequest};

use super::{
    Make,
    replica::{Replica, Rows},
    world::{Line, Said, World, line, said},
};

const SCOPES: [&str; 3] = ["a", "b", "c"];
const HISTORIES: u64 = 12;
const STEPS: usize = 150;

/// What the application's rules make of mutations, written down a second time and as plainly as possible.
#[derive(Default)]
struct Model {
    notes: BTreeMap<&'static str, BTreeMap<String, String>>,
    heads: BTreeMap<&'static str, u64>,
}

impl Model {
    /// Decides a mutation; says where it stands, or why not.
    fn decide(&mut self, at: &'static str, kind: u8, id: &str, note: &str, to: &'static str) -> Said {
        let notes = self.notes.entry(at).or_default();
        let mut changes = 1;
        match kind {
            1 if notes.contains_key(note) => return Said::No(Code::Conflict),
            0 | 1 => drop(notes.insert(note.into(), id.into())),
            2 => match notes.get_mut(note) {
                Some(text) => text.push('+'),
                None => return Said::No(Code::NotFound),
            },
            3 => changes = u64::from(notes.remove(note).is_some()),
            4 => {
                changes = 4;
                (0..4).for_each(|n| drop(notes.insert(format!("{note}{n}"), id.into())));
            }
            5 => return Said::No(Code::Rejected),
            6 => changes = 0,
            7 => {}
            _ if notes.remove(note).is_none() => return Said::No(Code::NotFound),
            _ if at == to => {
                changes = 2;
                drop(notes.insert(note.into(), id.into()));
            }
            _ => {
                self.notes.entry(to).or_default().insert(note.into(), id.into());
                *self.heads.entry(to).or_default() += 1;
            }
        }
        let head = self.heads.entry(at).or_default();
        *head += changes;
        Said::Yes(*head)
    }

    fn rows(&self, at: &str) -> Rows {
        let notes = self.notes.get(at).into_iter().flatten();
        let row = |(id, text): (&String, &String)| {
            (("note".into(), id.clone()), format!(r#"{{"id":"{id}","text":"{text}"}}"#))
        };
        notes.map(row).collect()
    }
}

fn mutation(kind: u8, id: &str, note: &str, to: &'static str) -> Line {
    let (name, args) = match kind {
        0 => ("note.put", format!(r#"{{"id":"{note}"}}"#)),
        1 => ("note.insert", format!(r#"{{"id":"{note}"}}"#)),
        2 => ("note.edit", format!(r#"{{"id":"{note}"}}"#)),
        3 => ("note.delete", format!(r#"{{"id":"{note}"}}"#)),
        4 => ("note.many", format!(r#"{{"prefix":"{note}","count":4}}"#)),
        5 => ("reject", format!(r#"{{"id":"{note}"}}"#)),
        6 => ("nothing", "{}".into()),
        7 => ("event", format!(r#"{{"id":"{note}"}}"#)),
        _ => ("note.move", format!(r#"{{"id":"{note}","to":"{to}"}}"#)),
    };
    let line = line(id, name, &args);
    if kind > 7 { line.declares(&[to]) } else { line }
}

struct History {
    world: World,
    model: Model,
    random: StdRng,
    readers: Vec<(&'static str, Replica)>,
    sent: Vec<(Line, Said)>,
}

impl History {
    fn step(&mut self, at: usize) {
        let place = *SCOPES.choose(&mut self.random).expect("scopes");
        match self.random.random_range(0..100) {
            0..70 => self.push(at),
            70..80 => {
                let snapshot = self.world.snapshot(place);
                self.readers.push((place, Replica::from_snapshot(place, &snapshot)));
            }
            80..88 => {
                let head = self.world.head(place).cursor.0;
                self.world.trim_to(place, self.random.random_range(0..=head));
            }
            88..92 => self.world = self.world.restarted(),
            92..96 => self.world.clock.forward(self.random.random_range(0..5000)),
            _ => self.read(),
        }
    }

    fn push(&mut self, at: usize) {
        let count = self.random.random_range(1..6);
        let (mut lines, mut expected) = (Vec::new(), Vec::new());
        for n in 0..count {
            if let (true, Some((line, said))) = (self.random.random_bool(0.2), self.sent.choose(&mut self.random)) {
                lines.push(line.clone());
                expected.push(*said);
                continue;
            }
            let place = *SCOPES.choose(&mut self.random).expect("scopes");
            let to = *SCOPES.choose(&mut self.random).expect("scopes");
            let (kind, note) = (self.random.random_range(0..10), format!("n{}", self.random.random_range(0..5)));
            let id = format!("m{at}-{n}");
            let line = mutation(kind, &id, &note, to).at(place);
            let said = self.model.decide(place, kind, &id, &note, to);
            let again = match said {
                Said::Yes(cursor) => Said::YesAgain(cursor),
                Said::No(code) => Said::NoAgain(code),
                other => other,
            };
            self.sent.push((line.clone(), again));
            lines.push(line);
            expected.push(said);
        }
        let said: Vec<Said> = self.world.push("ann", lines).iter().map(said).collect();
        assert_eq!(said, expected);
    }

    /// Every reader catches up, or is told that it is too late.
    fn read(&mut self) {
        for (place, mut reader) in std::mem::take(&mut self.readers) {
            let floor = self.world.head(place).floor;
            let ask = PullRequest { digest: Some(reader.digest), ..World::ask(place, reader.cursor.0) };
            if reader.cursor < floor {
                assert_eq!(self.world.refusal(&ask), Some(Code::CursorTooOld));
                continue;
            }
            let wrong = PullRequest { digest: Some(Digest(reader.digest.0 ^ 1)), ..ask };
            assert_eq!(self.world.refusal(&wrong), Some(Code::EpochChanged));
            let limit = self.random.random_range(1..20);
            self.world.catch_up(place, &mut reader, limit);
            reader.must_be(&self.world.snapshot(place));
            self.readers.push((place, reader));
        }
    }

    fn end(&mut self) {
        self.read();
        for place in SCOPES {
            let snapshot = self.world.snapshot(place);
            assert_eq!(snapshot.cursor.0, self.model.heads.get(place).copied().unwrap_or_default());
            assert_eq!(super::replica::rows(&snapshot.data), self.model.rows(place));
        }
        self.world.verify(&SCOPES);
    }
}

/// "state = fold(log); snapshot(c) = replay(log up to c); snapshot(c) + pull(c→d) = snapshot(d), also across trimming."
pub fn random_histories_agree_with_their_model_and_with_every_reader(make: Make<'_>) {
    for seed in 0..HISTORIES {
        let readers = SCOPES.map(|name| (name, Replica::empty(name))).into();
        let (world, random) = (World::new(make), StdRng::seed_from_u64(seed));
        let mut history = History { world, model: Model::default(), random, readers, sent: Vec::new() };
        let run = std::panic::AssertUnwindSafe(|| {
            (0..STEPS).for_each(|at| history.step(at));
            history.end();
        });
        if let Err(panic) = std::panic::catch_unwind(run) {
            eprintln!("the history of seed {seed} failed");
            std::panic::resume_unwind(panic);
        }
    }
}
