//! How one mutation is decided, inside the transaction: was it seen, is it its turn, may it, what does the mutator say.
//! The rules of the protocol's "identity and order" stand here and nowhere else.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
};

use riverrun_core::{
    Accepted, ClientId, Code, Ctx, Journal, Json, Millis, Mutation, Principal, Rejected, Scope, Seq, State,
    Unavailable, Verdict,
};

use crate::{
    app::Working,
    digests,
    kernel::{Edge, Kernel, PushItem},
    store::{Entry, Head, Layer, Origin, Range, Record, StoreError, StoreResult, Watermark, WriteTx},
};

/// What became of a mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It has its verdict, now or since before.
    Decided {
        /// The verdict.
        verdict: Verdict,
        /// It was decided before.
        duplicate: bool,
        /// Its effects, if it was accepted just now: one entry per scope it changed.
        effects: Vec<(Scope, Entry)>,
    },
    /// No verdict, but final all the same: never executed, nothing recorded.
    Final {
        /// Why.
        code: Code,
        /// A sentence for people.
        error: String,
    },
    /// Nothing was recorded; send it again.
    Again {
        /// Why.
        code: Code,
        /// A sentence for people.
        error: String,
    },
}

impl Decision {
    pub(crate) fn again(code: Code, error: impl Into<String>) -> Self {
        Self::Again { code, error: error.into() }
    }

    fn last(code: Code, error: impl Into<String>) -> Self {
        Self::Final { code, error: error.into() }
    }
}

/// A transaction and what its mutations so far have come to. Heads and watermarks are kept here and written once, at the
/// end: a hundred mutations of one client in one scope move each of them once.
pub(crate) struct Batch<'t> {
    pub(crate) kernel: &'t Kernel,
    pub(crate) tx: &'t mut dyn WriteTx,
    pub(crate) now: Millis,
    pub(crate) heads: BTreeMap<Scope, Head>,
    pub(crate) marks: BTreeMap<(Scope, ClientId), Option<Watermark>>,
    pub(crate) owners: BTreeMap<ClientId, Option<Principal>>,
    /// Clients one of whose mutations was asked to come again: what they sent after it waits with it.
    pub(crate) waiting: BTreeSet<(Scope, ClientId)>,
    pub(crate) forgotten_before: Millis,
    pub(crate) working: Working,
}

/// What an accepted mutation came to: its verdict, and one entry per scope it changed.
type Effective = (Accepted, Vec<(Scope, Entry)>);

/// Whether it is a mutation's turn.
enum Turn {
    Now,
    Not(Decision),
}

impl Batch<'_> {
    /// Decides one mutation.
    pub(crate) fn decide(&mut self, principal: &Principal, item: &PushItem) -> StoreResult<Decision> {
        let mutation = &item.mutation;
        let fingerprint = fingerprint(mutation);
        if let Some(record) = self.tx.verdict(&mutation.scope, principal, &mutation.id)? {
            self.take_place(principal, mutation, &record)?;
            return Ok(known(record, fingerprint));
        }
        // Another's client id must not consume its place: the refusal is recorded under the id alone.
        let place = match &mutation.place {
            Some((client, seq)) => {
                if self.owner(client)?.is_some_and(|owner| owner != principal) {
                    let no = refusal(Code::Forbidden, "this client id belongs to somebody else");
                    return self.record(principal, mutation, None, fingerprint, Verdict::Rejected(no), Vec::new());
                }
                Some((client.clone(), *seq))
            }
            None => None,
        };
        if let Turn::Not(decision) = self.turn(mutation, place.as_ref())? {
            return Ok(decision);
        }
        let verdict = match &item.edge {
            _ if mutation.is_void() => Err(refusal(Code::InvalidMutation, "the server could not read this mutation")),
            _ if mutation.schema.is_some_and(|schema| schema > *self.kernel.schemas.end()) => {
                self.waits(mutation, place);
                let error = "this server does not know that schema yet: try again once it is updated";
                return Ok(Decision::again(Code::SchemaMismatch, error));
            }
            _ if mutation.schema.is_some_and(|schema| schema < *self.kernel.schemas.start()) => {
                Err(refusal(Code::SchemaMismatch, "this mutation was written for a version that is no longer taken"))
            }
            Edge::Unknown => {
                self.waits(mutation, place);
                return Ok(Decision::again(Code::Unavailable, "access could not be checked right now: try again"));
            }
            Edge::No(no) => Err(no.clone()),
            Edge::Go => self.run(principal, item)?,
        };
        match verdict {
            Ok((accepted, effects)) => {
                self.record(principal, mutation, place, fingerprint, Verdict::Accepted(accepted), effects)
            }
            Err(no) => self.record(principal, mutation, place, fingerprint, Verdict::Rejected(no), Vec::new()),
        }
    }

    fn turn(&mut self, mutation: &Mutation, place: Option<&(ClientId, Seq)>) -> StoreResult<Turn> {
        let retention = &self.kernel.retention;
        let forgotten = self.forgotten_before;
        let expired = || {
            let error = "this mutation is older than verdicts are kept: it may have been decided and is not run again";
            Turn::Not(Decision::last(Code::Expired, error))
        };
        let Some((client, seq)) = place else {
            return Ok(if made_before(mutation, forgotten) { expired() } else { Turn::Now });
        };
        let mark = self.mark(&mutation.scope, client)?;
        Ok(match mark {
            // Clients are remembered longer than verdicts by id alone, by the difference of the two spans.
            None if *seq == Seq(1)
                && made_before(mutation, forgotten.minus(retention.clients - retention.verdicts)) =>
            {
                expired()
            }
            None if *seq == Seq(1) => Turn::Now,
            None if self.waiting.contains(&(mutation.scope.clone(), client.clone())) => Turn::Not(Decision::again(
                Code::OutOfOrder,
                "a mutation of this client before this one has to come again",
            )),
            None => {
                let error = "this client is not known here (any more), so its mutations can't go on in the middle";
                Turn::Not(Decision::last(Code::ClientUnknown, error))
            }
            Some(mark) if *seq <= mark.last_seq => {
                if self.tx.decided_at(&mutation.scope, client, *seq)? {
                    let next = mark.last_seq.next();
                    let error = format!("seq {seq} was decided for another mutation: go on with {next}");
                    Turn::Not(Decision::again(Code::SeqConflict, error))
                } else {
                    Turn::Not(Decision::last(Code::Expired, "decided long ago, the outcome is forgotten"))
                }
            }
            Some(mark) if *seq > mark.last_seq.next() => {
                let error = format!("seq {seq} is not next: {} is", mark.last_seq.next());
                Turn::Not(Decision::again(Code::OutOfOrder, error))
            }
            Some(_) => Turn::Now,
        })
    }

    fn waits(&mut self, mutation: &Mutation, place: Option<(ClientId, Seq)>) {
        if let Some((client, _)) = place {
            self.waiting.insert((mutation.scope.clone(), client));
        }
    }

    /// A mutation decided before that comes under another number must leave no hole there: if it is that number's turn, it
    /// is taken, and nothing else happens. Not so under its own number: of a client that was forgotten it would make a
    /// known one again, whose old mutations could then follow.
    fn take_place(&mut self, principal: &Principal, mutation: &Mutation, record: &Record) -> StoreResult<()> {
        let Some((client, seq)) = mutation.place.as_ref().filter(|place| record.place.as_ref() != Some(place)) else {
            return Ok(());
        };
        if self.owner(client)?.is_some_and(|owner| owner != principal) {
            return Ok(());
        }
        let last = self.mark(&mutation.scope, client)?.map_or(Seq::ZERO, |mark| mark.last_seq);
        if *seq == last.next() { self.decided(principal, &mutation.scope, client, *seq) } else { Ok(()) }
    }

    /// Moves a client's watermark; its first mutation makes the client its sender's.
    fn decided(&mut self, principal: &Principal, scope: &Scope, client: &ClientId, seq: Seq) -> StoreResult<()> {
        if self.owner(client)?.is_none() {
            self.tx.set_owner(client, principal)?;
            self.owners.insert(client.clone(), Some(principal.clone()));
        }
        let mark = Watermark { last_seq: seq, seen: self.now };
        self.marks.insert((scope.clone(), client.clone()), Some(mark));
        Ok(())
    }

    fn owner(&mut self, client: &ClientId) -> StoreResult<Option<&Principal>> {
        if !self.owners.contains_key(client) {
            let owner = self.tx.owner(client)?;
            self.owners.insert(client.clone(), owner);
        }
        Ok(self.owners.get(client).and_then(Option::as_ref))
    }

    fn mark(&mut self, scope: &Scope, client: &ClientId) -> StoreResult<Option<Watermark>> {
        let key = (scope.clone(), client.clone());
        if let Some(mark) = self.marks.get(&key) {
            return Ok(*mark);
        }
        let mark = self.tx.watermark(scope, client)?;
        self.marks.insert(key, mark);
        Ok(mark)
    }

    /// Runs the mutator at a savepoint. The outer error is the store's and ends the batch; the inner one is a verdict.
    fn run(&mut self, principal: &Principal, item: &PushItem) -> StoreResult<Result<Effective, Rejected>> {
        let mutation = &item.mutation;
        let ctx = Ctx {
            time: self.now,
            mutation: mutation.id.clone(),
            name: mutation.name.clone(),
            principal: principal.clone(),
            client: mutation.place.as_ref().map(|(client, _)| client.clone()),
            scope: mutation.scope.clone(),
        };
        self.tx.savepoint()?;
        let mut journal = Journal::new(mutation.scope.clone(), item.declared.iter().cloned());
        let mut ground = Ground { tx: &mut *self.tx, error: None };
        let app = &self.kernel.app;
        let ran = catch_unwind(AssertUnwindSafe(|| app.run(mutation, &ctx, &mut ground, &mut journal, &self.working)));
        if let Some(error) = ground.error {
            return Err(error);
        }
        if journal.failed() {
            return Err(StoreError::Other(format!("the application's own table failed in {}", mutation.name)));
        }
        let no = match ran {
            Ok(Ok(())) => None,
            Ok(Err(reject)) => Some(sanitised(reject.into())),
            Err(_) => Some(panicked(&mutation.name)),
        };
        let no = match no {
            None => match self.fold(&journal, mutation) {
                Ok(effects) => {
                    self.tx.release()?;
                    return Ok(Ok((self.append(principal, mutation, &effects)?, effects)));
                }
                Err(no) => no,
            },
            Some(no) => no,
        };
        self.tx.rollback()?;
        Ok(Err(no))
    }

    /// Makes the entries of a mutation and folds them into a machine's state. A panic in there is a verdict too.
    fn fold(&mut self, journal: &Journal, mutation: &Mutation) -> Result<Vec<(Scope, Entry)>, Rejected> {
        let mut effects = Vec::new();
        for (place, scope) in journal.scopes().iter().enumerate() {
            let changes: Vec<Json> = journal.changes(place).cloned().collect();
            if changes.is_empty() {
                continue;
            }
            let head = self.heads.get(scope).copied().unwrap_or_default();
            let mut entry = Entry {
                first: head.cursor.next(),
                digest: head.digest,
                time: self.now,
                mutation: mutation.id.clone(),
                changes,
            };
            entry.digest = digests::roll(head.digest, &entry, entry.changes.len());
            effects.push((scope.clone(), entry));
        }
        if self.kernel.app.is_machine() {
            for (scope, entry) in &effects {
                let app = &self.kernel.app;
                let working = &mut self.working;
                if catch_unwind(AssertUnwindSafe(|| app.fold(working, scope, entry))).is_err() {
                    self.working.remove(scope);
                    return Err(panicked(&mutation.name));
                }
            }
        }
        Ok(effects)
    }

    fn append(
        &mut self,
        principal: &Principal,
        mutation: &Mutation,
        effects: &[(Scope, Entry)],
    ) -> StoreResult<Accepted> {
        let mut cursors = BTreeMap::new();
        if !effects.is_empty() {
            let origin = Origin {
                name: mutation.name.clone(),
                args: mutation.args.clone(),
                principal: principal.clone(),
                place: mutation.place.clone(),
            };
            for (scope, entry) in effects {
                self.tx.append(scope, entry, &origin)?;
                let head = self.heads.entry(scope.clone()).or_default();
                (head.cursor, head.digest) = (entry.last(), entry.digest);
                if *scope != mutation.scope {
                    cursors.insert(scope.clone(), entry.last());
                }
            }
        }
        let head = self.heads.get(&mutation.scope).copied().unwrap_or_default();
        Ok(Accepted { cursor: head.cursor, digest: head.digest, cursors })
    }

    fn record(
        &mut self,
        principal: &Principal,
        mutation: &Mutation,
        place: Option<(ClientId, Seq)>,
        fingerprint: u64,
        verdict: Verdict,
        effects: Vec<(Scope, Entry)>,
    ) -> StoreResult<Decision> {
        if let Some((client, seq)) = &place {
            self.decided(principal, &mutation.scope, client, *seq)?;
        }
        let record = Record { id: mutation.id.clone(), place, fingerprint, time: self.now, verdict };
        self.tx.record(&mutation.scope, principal, &record)?;
        Ok(Decision::Decided { verdict: record.verdict, duplicate: false, effects })
    }
}

/// The collections of a transaction, as a mutator reaches them. The store's error stays here; the mutator only learns that
/// there was one.
struct Ground<'t> {
    tx: &'t mut dyn WriteTx,
    error: Option<StoreError>,
}

impl Ground<'_> {
    fn kept<T>(&mut self, result: StoreResult<T>) -> Result<T, Unavailable> {
        result.map_err(|error| {
            self.error.get_or_insert(error);
            Unavailable
        })
    }
}

impl State for Ground<'_> {
    fn get(&mut self, scope: &Scope, collection: &str, id: &str) -> Result<Option<Json>, Unavailable> {
        let got = self.tx.entity(scope, collection, id);
        self.kept(got)
    }

    fn put(&mut self, scope: &Scope, collection: &str, id: &str, value: &Json) -> Result<(), Unavailable> {
        let done = self.tx.put(scope, Layer::Current, collection, id, value);
        self.kept(done)
    }

    fn del(&mut self, scope: &Scope, collection: &str, id: &str) -> Result<(), Unavailable> {
        let done = self.tx.del(scope, Layer::Current, collection, id);
        self.kept(done)
    }

    fn list(
        &mut self,
        scope: &Scope,
        collection: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Box<str>, Json)>, Unavailable> {
        let rows = self.tx.entities(scope, collection, Range { prefix, after, limit });
        self.kept(rows)
    }

    fn host(&self) -> Option<&dyn std::any::Any> {
        self.tx.host()
    }
}

fn known(record: Record, fingerprint: u64) -> Decision {
    // A void stands for a mutation that could not be read, so it can't be compared with it.
    if record.fingerprint != fingerprint && record.fingerprint != 0 && fingerprint != 0 {
        return Decision::last(
            Code::InvalidMutation,
            "this id was used before for a mutation with another type or args",
        );
    }
    Decision::Decided { verdict: record.verdict, duplicate: true, effects: Vec::new() }
}

/// What a mutation is, beside its id: equal for equal type and meaning of args. 0 is kept for a void.
fn fingerprint(mutation: &Mutation) -> u64 {
    if mutation.is_void() {
        return 0;
    }
    let text = format!("{}\0{}", mutation.name, mutation.args.canonical());
    xxhash_rust::xxh3::xxh3_64(text.as_bytes()).max(1)
}

/// Whether an id that tells its time (UUIDv7) was made before a moment. Other ids tell nothing.
fn made_before(mutation: &Mutation, moment: Millis) -> bool {
    let Ok(id) = uuid::Uuid::parse_str(mutation.id.as_str()) else { return false };
    if id.get_version_num() != 7 {
        return false;
    }
    let Some((seconds, nanos)) = id.get_timestamp().map(|time| time.to_unix()) else { return false };
    let millis = seconds.saturating_mul(1000).saturating_add(u64::from(nanos / 1_000_000));
    i64::try_from(millis).unwrap_or(i64::MAX) < moment.0
}

fn refusal(code: Code, error: &str) -> Rejected {
    Rejected { code, reason: None, error: error.into() }
}

fn panicked(name: &str) -> Rejected {
    tracing::error!(mutator = name, "a mutator panicked; its effects were rolled back");
    refusal(Code::InternalError, "the server failed on this mutation; it is in its log")
}

/// A verdict is final: codes that ask for a retry can't stand in one.
fn sanitised(no: Rejected) -> Rejected {
    let code = match no.code {
        Code::NotFound
        | Code::Conflict
        | Code::Forbidden
        | Code::InvalidMutation
        | Code::TooLarge
        | Code::InternalError
        | Code::SchemaMismatch => no.code,
        _ => Code::Rejected,
    };
    if code == Code::InternalError {
        tracing::error!(error = no.error, "a mutator failed");
        return refusal(code, "the server failed on this mutation; it is in its log");
    }
    Rejected { code, ..no }
}
