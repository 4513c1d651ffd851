//! Random work, the same at every run of a seed, done on a store and on the naive model: each step has to answer the same,
//! and after each commit, error and panic both have to show the same. A failure names its seed and what was done.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use rand::{Rng, SeedableRng, rngs::StdRng};
use riverrun_core::{Cursor, Digest, Epoch, Millis, Seq};
use riverrun_engine::store::{self, Entry, Layer, Range, Record, Store, StoreError, StoreResult, WriteTx};

use super::{
    Make,
    make::{accepted, client, epoch, json, look, mark, mutation, origin, principal, rejected, scope},
    model::Model,
    observe::{CLIENTS, COLLECTIONS, IDS, MUTATIONS, PRINCIPALS, SCOPES, SEQS, difference, observe, observed},
};

/// Enough runs that every pair of steps meets in one transaction, few enough for a store that syncs each commit.
const RUNS: u64 = 200;
/// Steps in a run: about a dozen transactions.
const STEPS: usize = 50;

pub(super) fn random_work_leaves_what_a_naive_model_says(make: Make<'_>) {
    for seed in 0..RUNS {
        run(seed, &*make());
    }
}

/// How a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Commit,
    Error,
    Panic,
}

struct OnPurpose;

fn run(seed: u64, store: &dyn Store) {
    let mut dice = Dice(StdRng::seed_from_u64(seed));
    let mut model = Model::new(look(store, |tx| tx.epoch()));
    let mut done: Vec<String> = Vec::new();
    let mut steps = 0;
    while steps < STEPS {
        let work = dice.work();
        steps += work.len();
        let end = [End::Commit, End::Commit, End::Commit, End::Error, End::Panic][dice.below(5)];
        done.push(format!("{work:?} {end:?}"));
        if let Err(difference) = transaction(store, &mut model, &work, end) {
            panic!("seed {seed} shows a difference after\n  {}\n{difference}", done.join("\n  "));
        }
    }
}

/// Does the steps on both; says how they differ.
fn transaction(store: &dyn Store, model: &mut Model, work: &[Step], end: End) -> Result<(), String> {
    let mut draft = model.clone();
    let mut wrong = None;
    let run = || {
        store::write(store, |tx| -> StoreResult<()> {
            for step in work {
                let answers = [step.take(tx)?, step.take(&mut draft)?].map(|answer| vec![answer]);
                wrong = difference(&answers[0], &answers[1]).map(|text| format!("{step:?} answers\n{text}"));
                if wrong.is_some() {
                    return Err(failed());
                }
            }
            match end {
                End::Commit => Ok(()),
                End::Error => Err(failed()),
                End::Panic => resume_unwind(Box::new(OnPurpose)),
            }
        })
    };
    let result = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result,
        Err(panic) if panic.is::<OnPurpose>() => Err(failed()),
        Err(panic) => resume_unwind(panic),
    };
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    let expected = if end == End::Commit { Ok(()) } else { Err(failed()) };
    if result != expected {
        return Err(format!("the write ended as {result:?}"));
    }
    if end == End::Commit {
        *model = draft;
    }
    let expected = observe(model).map_err(|error| error.to_string())?;
    difference(&observed(store), &expected).map_or(Ok(()), Err)
}

fn failed() -> StoreError {
    StoreError::Other("the test wants this write to fail".into())
}

/// One step of a transaction.
#[derive(Debug, Clone)]
enum Step {
    Savepoint,
    Rollback,
    Release,
    Append {
        scope: &'static str,
        changes: usize,
        digest: u64,
    },
    Put {
        scope: &'static str,
        layer: Layer,
        collection: &'static str,
        id: &'static str,
        value: u64,
    },
    Del {
        scope: &'static str,
        layer: Layer,
        collection: &'static str,
        id: &'static str,
    },
    Record {
        scope: &'static str,
        who: &'static str,
        id: &'static str,
        place: Option<(&'static str, u64)>,
        time: i64,
    },
    See {
        scope: &'static str,
        client: &'static str,
        owner: &'static str,
        seq: u64,
        time: i64,
    },
    Trim {
        scope: &'static str,
        up_to: u64,
    },
    ForgetVerdicts {
        before: i64,
        keep: u64,
    },
    ForgetClients {
        before: i64,
    },
    ForgottenBefore {
        time: i64,
    },
    Epoch {
        epoch: Epoch,
    },
    List {
        scope: &'static str,
        collection: &'static str,
        prefix: &'static str,
        after: Option<&'static str>,
        limit: usize,
    },
    Entry {
        scope: &'static str,
        cursor: u64,
    },
    Everything,
}

impl Step {
    /// Takes the step. What it answers has to be the same on every store.
    fn take(&self, tx: &mut dyn WriteTx) -> StoreResult<String> {
        let mut answer = String::new();
        match self {
            Self::Savepoint => tx.savepoint()?,
            Self::Rollback => tx.rollback()?,
            Self::Release => tx.release()?,
            Self::Append { scope: at, changes, digest } => {
                let mut head = tx.lock(&scope(at))?;
                let first = head.cursor.next();
                let entry = Entry {
                    first,
                    digest: Digest(*digest),
                    time: Millis(first.0.cast_signed()),
                    mutation: mutation(&format!("m{first}")),
                    changes: (0..*changes).map(|place| json(&format!("[{first}, {place}]"))).collect(),
                };
                tx.append(&scope(at), &entry, &origin())?;
                (head.cursor, head.digest) = (entry.last(), entry.digest);
                tx.set_head(&scope(at), &head)?;
                answer = format!("{head:?}");
            }
            Self::Put { scope: at, layer, collection, id, value } => {
                tx.put(&scope(at), *layer, collection, id, &json(&value.to_string()))?;
            }
            Self::Del { scope: at, layer, collection, id } => tx.del(&scope(at), *layer, collection, id)?,
            Self::Record { scope: at, who, id, place, time } => {
                let (at, who) = (scope(at), principal(who));
                let known = tx.verdict(&at, &who, &mutation(id))?;
                let taken = match place {
                    Some((of, seq)) => tx.decided_at(&at, &client(of), Seq(*seq))?,
                    None => false,
                };
                if known.is_none() && !taken {
                    let verdict = if time % 2 == 0 { accepted(time.unsigned_abs()) } else { rejected("no") };
                    let place = place.map(|(of, seq)| (client(of), Seq(seq)));
                    let record =
                        Record { id: mutation(id), place, fingerprint: u64::MAX, time: Millis(*time), verdict };
                    tx.record(&at, &who, &record)?;
                }
                answer = format!("{known:?} {taken}");
            }
            Self::See { scope: at, client: of, owner, seq, time } => {
                if tx.owner(&client(of))?.is_none() {
                    tx.set_owner(&client(of), &principal(owner))?;
                }
                tx.set_watermark(&scope(at), &client(of), &mark(*seq, *time))?;
            }
            Self::Trim { scope: at, up_to } => {
                let mut head = tx.lock(&scope(at))?;
                if let Some(entry) = tx.entry_at(&scope(at), Cursor(*up_to))? {
                    // The base stands at a mutation's end.
                    (head.floor, head.floor_digest) = (entry.last(), entry.digest);
                    tx.set_head(&scope(at), &head)?;
                }
                tx.trim(&scope(at), head.floor)?;
            }
            Self::ForgetVerdicts { before, keep } => {
                answer = format!("{:?}", tx.forget_verdicts(Millis(*before), *keep, usize::MAX)?);
            }
            Self::ForgetClients { before } => answer = tx.forget_clients(Millis(*before), usize::MAX)?.to_string(),
            Self::ForgottenBefore { time } => tx.set_forgotten_before(Millis(*time))?,
            Self::Epoch { epoch } => tx.set_epoch(epoch)?,
            Self::List { scope: at, collection, prefix, after, limit } => {
                let range = Range { prefix, after: *after, limit: *limit };
                answer = format!("{:?}", tx.entities(&scope(at), collection, range)?);
            }
            Self::Entry { scope: at, cursor } => {
                let mut after = None;
                tx.entries(&scope(at), Cursor(*cursor), &mut |entry| {
                    after = Some(entry);
                    false
                })?;
                answer = format!("{:?}, after it {after:?}", tx.entry_at(&scope(at), Cursor(*cursor))?);
            }
            Self::Everything => answer = observe(tx)?.join("\n"),
        }
        Ok(answer)
    }
}

struct Dice(StdRng);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0.random_range(0..bound)
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn up_to(&mut self, most: u64) -> u64 {
        self.0.random_range(1..=most)
    }

    fn moment(&mut self) -> i64 {
        self.0.random_range(0..=20)
    }

    fn layer(&mut self) -> Layer {
        self.one(&[Layer::Current, Layer::Current, Layer::Base])
    }

    /// The steps of one transaction; savepoints come in flat pairs.
    fn work(&mut self) -> Vec<Step> {
        let mut open = false;
        let mut work = Vec::new();
        for _ in 0..=self.below(8) {
            if self.below(4) == 0 {
                work.push(self.savepoint(open));
                open = !open;
            }
            work.push(self.step());
        }
        if open {
            work.push(self.savepoint(true));
        }
        work
    }

    fn savepoint(&mut self, open: bool) -> Step {
        match (open, self.below(2)) {
            (false, _) => Step::Savepoint,
            (true, 0) => Step::Release,
            (true, _) => Step::Rollback,
        }
    }

    fn step(&mut self) -> Step {
        let scope = self.one(&SCOPES);
        let (collection, id) = (self.one(&COLLECTIONS), self.one(&IDS));
        match self.below(32) {
            0..=5 => Step::Append { scope, changes: 1 + self.below(3), digest: self.0.random() },
            6..=11 => Step::Put { scope, layer: self.layer(), collection, id, value: self.up_to(1000) },
            12..=13 => Step::Del { scope, layer: self.layer(), collection, id },
            14..=19 => {
                let place = (self.one(&CLIENTS), self.up_to(SEQS));
                let place = if self.below(3) == 0 { None } else { Some(place) };
                let (who, id) = (self.one(&PRINCIPALS), self.one(&MUTATIONS));
                Step::Record { scope, who, id, place, time: self.moment() }
            }
            20..=22 => {
                let (client, owner) = (self.one(&CLIENTS), self.one(&PRINCIPALS));
                Step::See { scope, client, owner, seq: self.up_to(SEQS), time: self.moment() }
            }
            23 => Step::Trim { scope, up_to: self.up_to(12) },
            24 => Step::ForgetVerdicts { before: self.moment(), keep: self.up_to(SEQS) - 1 },
            25 => Step::ForgetClients { before: self.moment() },
            26 => Step::ForgottenBefore { time: self.moment() },
            27 => Step::Epoch { epoch: epoch(&format!("e{}", self.below(100))) },
            28..=29 => {
                let prefix = self.one(&["", "", "a", "a%", "a_", "é", "𝄞", "\u{ffee}"]);
                let after = if self.below(2) == 0 { None } else { Some(self.one(&IDS)) };
                Step::List { scope, collection, prefix, after, limit: self.one(&[0, 1, 2, 3, 100, usize::MAX]) }
            }
            30 => Step::Entry { scope, cursor: self.up_to(14) - 1 },
            _ => Step::Everything,
        }
    }
}
