//! A kernel over the store under test, a clock that is moved by hand, and the short words in which the cases push and
//! read. It decides nothing: what a case claims stands in the case.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use riverrun_core::{
    Accepted, ClientId, Code, Cursor, Digest, Epoch, Json, Millis, Mutation, MutationId, Principal, Rejected, Scope,
    Seq, Verdict,
    wire::{PullAnswer, PullRequest, SnapshotAnswer, SnapshotRequest},
};
use riverrun_engine::{
    Builder, Clock, Decision, Edge, Engine, Kernel, Push, PushItem, Refused, Settled, Store,
    store::{self, Head, Record, StoreResult},
};

use super::{app, replica::Replica, shared::Shared};

/// A day in milliseconds.
pub(super) const DAY: i64 = 24 * 60 * 60 * 1000;

/// When every world begins: 2026-11-22T10:00:00Z.
pub(super) const BEGIN: i64 = 1_795_341_600_000;

/// A clock that is moved by hand.
#[derive(Clone)]
pub(super) struct Hands(Arc<AtomicI64>);

impl Hands {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(BEGIN)))
    }

    pub(super) fn forward(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

/// One mutation to push.
#[derive(Debug, Clone)]
pub(super) struct Line(pub(super) PushItem);

/// A mutation of the scope `s` that may be run.
pub(super) fn line(id: &str, name: &str, args: &str) -> Line {
    let id = MutationId::new(id).expect("an id");
    let args = Json::parse(args).expect("arguments in JSON");
    let mutation = Mutation { id, name: name.into(), args, scope: scope("s"), place: None, schema: None };
    Line(PushItem { mutation, declared: Vec::new(), edge: Edge::Go })
}

/// Puts the note `n` with the mutation's id as its text.
pub(super) fn put(id: &str) -> Line {
    line(id, "note.put", r#"{"id":"n"}"#)
}

impl Line {
    pub(super) fn at(mut self, name: &str) -> Self {
        self.0.mutation.scope = scope(name);
        self
    }

    pub(super) fn seq(mut self, client: &str, seq: u64) -> Self {
        self.0.mutation.place = Some((self::client(client), Seq(seq)));
        self
    }

    pub(super) fn schema(mut self, schema: u64) -> Self {
        self.0.mutation.schema = Some(schema);
        self
    }

    pub(super) fn declares(mut self, scopes: &[&str]) -> Self {
        self.0.declared = scopes.iter().map(|name| scope(name)).collect();
        self
    }

    pub(super) fn edge(mut self, edge: Edge) -> Self {
        self.0.edge = edge;
        self
    }

    pub(super) fn forbidden(self) -> Self {
        let no = Rejected { code: Code::Forbidden, reason: None, error: "you may not write here".into() };
        self.edge(Edge::No(no))
    }
}

/// A decision in short: what a case compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// Accepted just now, at this cursor.
    Yes(u64),
    /// Accepted before, at this cursor.
    YesAgain(u64),
    /// Rejected just now.
    No(Code),
    /// Rejected before.
    NoAgain(Code),
    /// Final, without a verdict.
    Final(Code),
    /// Nothing recorded, send it again.
    Retry(Code),
}

pub(super) fn said(decision: &Decision) -> Said {
    match decision {
        Decision::Decided { verdict: Verdict::Accepted(yes), duplicate: false, .. } => Said::Yes(yes.cursor.0),
        Decision::Decided { verdict: Verdict::Accepted(yes), .. } => Said::YesAgain(yes.cursor.0),
        Decision::Decided { verdict: Verdict::Rejected(no), duplicate: false, .. } => Said::No(no.code),
        Decision::Decided { verdict: Verdict::Rejected(no), .. } => Said::NoAgain(no.code),
        Decision::Final { code, .. } => Said::Final(*code),
        Decision::Again { code, .. } => Said::Retry(*code),
    }
}

/// The verdict in a decision that has one.
pub(super) fn verdict(decision: &Decision) -> &Verdict {
    match decision {
        Decision::Decided { verdict, .. } => verdict,
        other => panic!("a verdict was due, not {other:?}"),
    }
}

/// The acceptance in a decision that is one.
pub(super) fn accepted(decision: &Decision) -> &Accepted {
    match verdict(decision) {
        Verdict::Accepted(accepted) => accepted,
        Verdict::Rejected(no) => panic!("an acceptance was due, not {no:?}"),
    }
}

/// One sender's push.
pub(super) fn push(who: &str, lines: impl IntoIterator<Item = Line>) -> Push {
    Push { principal: principal(who), epoch: None, items: lines.into_iter().map(|line| line.0).collect() }
}

pub(super) fn scope(name: &str) -> Scope {
    Scope::new(name).expect("a scope")
}

pub(super) fn client(name: &str) -> ClientId {
    ClientId::new(name).expect("a client id")
}

pub(super) fn principal(name: &str) -> Principal {
    Principal::new(name).expect("a principal")
}

/// A `UUIDv7` made at a moment; `n` tells those of one moment apart.
pub(super) fn uuid_v7(millis: i64, n: u64) -> String {
    format!("{:08x}-{:04x}-7{:03x}-8{:03x}-{n:012x}", millis >> 16, millis & 0xffff, n & 0xfff, (n >> 12) & 0xfff)
}

/// A kernel over the store under test.
pub(super) struct World {
    pub(super) store: Shared,
    pub(super) clock: Hands,
    pub(super) kernel: Kernel,
}

impl World {
    /// The application over collections, over a new store.
    pub(super) fn new(make: super::Make<'_>) -> Self {
        Self::over(make(), Hands::new(), |builder| builder)
    }

    /// The same with settings of the case's own.
    pub(super) fn with(make: super::Make<'_>, set: impl FnOnce(Builder) -> Builder) -> Self {
        Self::over(make(), Hands::new(), set)
    }

    /// A kernel over a store that is there: what a start of the server makes.
    pub(super) fn over(store: Shared, clock: Hands, set: impl FnOnce(Builder) -> Builder) -> Self {
        let builder = Engine::builder(store.clone()).mutators(app::mutators()).clock(clock.clone());
        let kernel = set(builder).kernel().expect("rules that can be used");
        Self { store, clock, kernel }
    }

    /// The same log under a kernel that knows nothing yet.
    pub(super) fn restarted(&self) -> Self {
        Self::over(self.store.clone(), self.clock.clone(), |builder| builder)
    }

    /// Settles one push.
    pub(super) fn push(&self, who: &str, lines: impl IntoIterator<Item = Line>) -> Vec<Decision> {
        let mut settled = self.settle(&[push(who, lines)]);
        settled.pushes.remove(0).expect("no push here names an epoch")
    }

    /// Settles a mutation of its own.
    pub(super) fn one(&self, who: &str, line: Line) -> Decision {
        self.push(who, [line]).remove(0)
    }

    /// Settles one push, in short.
    pub(super) fn say(&self, who: &str, lines: impl IntoIterator<Item = Line>) -> Vec<Said> {
        self.push(who, lines).iter().map(said).collect()
    }

    /// Settles pushes in one commit.
    pub(super) fn settle(&self, pushes: &[Push]) -> Settled {
        self.kernel.settle(pushes).expect("the store works")
    }

    pub(super) fn snapshot(&self, name: &str) -> SnapshotAnswer {
        let ask = SnapshotRequest { scope: scope(name), client: None };
        self.kernel.snapshot(&principal("ann"), &ask).expect("a snapshot")
    }

    /// A question from a cursor.
    pub(super) fn ask(name: &str, cursor: u64) -> PullRequest {
        PullRequest { scope: scope(name), cursor: Cursor(cursor), ..PullRequest::default() }
    }

    pub(super) fn pull(&self, ask: &PullRequest) -> Result<PullAnswer, Refused> {
        self.kernel.pull(&principal("ann"), ask)
    }

    /// The code a pull is refused with.
    pub(super) fn refusal(&self, ask: &PullRequest) -> Option<Code> {
        self.pull(ask).err().map(|refused| refused.code)
    }

    /// Pulls a replica up to the head.
    pub(super) fn catch_up(&self, name: &str, replica: &mut Replica, limit: u64) {
        loop {
            let ask = PullRequest {
                limit: Some(limit),
                digest: Some(replica.digest),
                epoch: Some(self.epoch()),
                ..Self::ask(name, replica.cursor.0)
            };
            let answer = self.pull(&ask).expect("a replica of this history");
            replica.pulled(&answer);
            if !answer.has_more {
                return;
            }
        }
    }

    pub(super) fn last_seq(&self, who: &str, name: &str, client: &str) -> Option<u64> {
        let ask = SnapshotRequest { scope: scope(name), client: Some(self::client(client)) };
        self.kernel.snapshot(&principal(who), &ask).expect("a snapshot").last_seq.map(|seq| seq.0)
    }

    pub(super) fn head(&self, name: &str) -> Head {
        self.read(|tx| tx.head(&scope(name))).unwrap_or_default()
    }

    pub(super) fn record(&self, who: &str, name: &str, id: &str) -> Option<Record> {
        let id = MutationId::new(id).expect("an id");
        self.read(|tx| tx.verdict(&scope(name), &principal(who), &id))
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.read(|tx| tx.epoch())
    }

    pub(super) fn digest(&self, name: &str) -> Digest {
        self.head(name).digest
    }

    pub(super) fn read<T>(&self, work: impl FnOnce(&mut dyn store::ReadTx) -> StoreResult<T>) -> T {
        store::read(&self.store as &dyn Store, work).expect("the store works")
    }

    pub(super) fn write<T>(&self, work: impl FnOnce(&mut dyn store::WriteTx) -> StoreResult<T>) -> T {
        store::write(&self.store as &dyn Store, work).expect("the store works")
    }

    /// Holds every named scope to be whole.
    pub(super) fn verify(&self, names: &[&str]) {
        for name in names {
            let verified = self.kernel.verify(&scope(name)).expect("the store works");
            assert!(verified.damage.is_empty(), "{name}: {:?}", verified.damage);
        }
    }

    /// Trims a scope up to a cursor, all steps.
    pub(super) fn trim_to(&self, name: &str, cursor: u64) {
        while self.kernel.trim_to(&scope(name), Cursor(cursor)).expect("the store works") {}
    }

    /// Forgets whatever is beyond its span, all steps.
    pub(super) fn forget(&self) {
        while self.kernel.forget().expect("the store works") {}
    }

    /// What the counter `c` stands at: how many effects its mutations had.
    pub(super) fn effects(&self, name: &str) -> u64 {
        let json = self.read(|tx| tx.entity(&scope(name), "counter", "c"));
        json.map_or(0, |json| json.read::<app::Counter>().expect("a counter").n)
    }
}

impl World {
    /// Type, arguments and principal kept beside the entry that ends at a cursor.
    pub(super) fn store_origin(&self, name: &str, last: u64) -> Option<(String, String, String)> {
        let origin = self.read(|tx| tx.origin(&scope(name), Cursor(last)))?;
        Some((origin.name, origin.args.as_str().into(), origin.principal.to_string()))
    }
}
