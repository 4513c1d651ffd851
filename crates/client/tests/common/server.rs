//! The server of the tests: the engine's own kernel over its memory store, spoken to in texts as they travel. What a
//! live session does beyond pulling is no more than remembering where its reader is.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use riverrun_client::{Failed, Route};
use riverrun_core::{
    ClientId, Code, Cursor, Digest, Epoch, Millis, Mutators, Principal, Scope, Verdict,
    wire::{PullRequest, PushAnswer, PushRequest, PushResult, ServerFrame, SnapshotAnswer, SnapshotRequest, Subscribe},
};
use riverrun_engine::{Clock, Decision, Edge, Engine, Kernel, Memory, Push, PushItem, Refused, Retention, Store as _};

#[derive(Clone, Default)]
pub struct Hands(Arc<AtomicI64>);

impl Clock for Hands {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

/// Where a live reader stands.
#[derive(Debug, Clone)]
pub struct Session {
    pub cursor: Cursor,
    pub digest: Digest,
    pub epoch: Epoch,
}

pub struct Server {
    pub store: Memory,
    pub kernel: Kernel,
    pub clock: Hands,
    /// Grows with every restore: what was decided in an earlier history may be gone.
    pub history: u64,
    /// Nobody may read; writing is not affected.
    pub blind: bool,
    /// No question is answered, and pushes are.
    pub mute: bool,
    /// Every push is refused as a whole with this status while it is set.
    pub refuses: Option<(u16, &'static str)>,
    /// A push with a mutation of this type can't be read.
    pub unreadable: Option<&'static str>,
    pub pushes: u64,
    mutators: fn() -> Mutators,
}

/// How long a client is remembered after it was last seen, in milliseconds.
pub const CLIENTS_MS: i64 = 1_200_000;

/// What a server that is asked too much wishes, in milliseconds.
pub const RETRY_AFTER_MS: i64 = 60_000;

pub fn scope() -> Scope {
    Scope::new("s").unwrap()
}

pub fn epoch(n: u64) -> Epoch {
    Epoch::new(format!("e{n}")).unwrap()
}

fn kernel(store: &Memory, clock: &Hands, mutators: Mutators) -> Kernel {
    // Short spans, so that a test can wait for their end.
    let retention =
        Retention { verdicts: 600_000, verdicts_per_client: 1, clients: CLIENTS_MS, ..Retention::default() };
    let builder = Engine::builder(store.clone()).mutators(mutators).retention(retention);
    builder.clock(clock.clone()).kernel().unwrap()
}

impl Server {
    pub fn new(mutators: fn() -> Mutators) -> Self {
        let (store, clock) = (Memory::with_epoch(epoch(0)), Hands::default());
        let kernel = kernel(&store, &clock, mutators());
        Self {
            store,
            kernel,
            clock,
            history: 0,
            blind: false,
            mute: false,
            refuses: None,
            unreadable: None,
            pushes: 0,
            mutators,
        }
    }

    pub fn tick(&self, now: Millis) {
        self.clock.0.store(now.0, Ordering::SeqCst);
    }

    /// Puts an earlier copy of the file in place: announced by a new epoch, or not.
    pub fn restore(&mut self, backup: &Memory, announced: bool) {
        self.history += 1;
        self.store = backup.copy();
        if announced {
            let next = epoch(self.history);
            self.store.write(&mut |tx| tx.set_epoch(&next)).unwrap();
        }
        self.kernel = kernel(&self.store, &self.clock, (self.mutators)());
    }

    /// The head's snapshot.
    pub fn state(&self) -> SnapshotAnswer {
        let ask = SnapshotRequest { scope: scope(), client: None };
        self.kernel.snapshot(&Principal::anonymous(), &ask).unwrap()
    }

    /// The cursor of the head.
    pub fn kernel_head(&self) -> u64 {
        self.state().cursor.0
    }

    pub fn trim_to(&self, cursor: Cursor) {
        while self.kernel.trim_to(&scope(), cursor).unwrap() {}
    }

    pub fn post(&mut self, route: Route, body: &str) -> Result<String, Failed> {
        let who = Principal::anonymous();
        if self.blind && route != Route::Push {
            return Err(failed(&Refused::new(Code::Forbidden, "you may not read this")));
        }
        if self.mute && route != Route::Push {
            return Err(failed(&Refused::new(Code::Unavailable, "not now")));
        }
        match route {
            Route::Push => self.push(body),
            Route::Pull => {
                let ask = PullRequest::read(body.as_bytes()).expect("a pull the server reads");
                self.kernel.pull(&who, &ask).map(|answer| text(&answer)).map_err(|no| failed(&no))
            }
            Route::Snapshot => {
                let ask = SnapshotRequest::read(body.as_bytes()).expect("a question the server reads");
                self.kernel.snapshot(&who, &ask).map(|answer| text(&answer)).map_err(|no| failed(&no))
            }
        }
    }

    fn push(&mut self, body: &str) -> Result<String, Failed> {
        self.pushes += 1;
        if let Some((status, code)) = self.refuses {
            let retry_after = if status == 429 { RETRY_AFTER_MS } else { 0 };
            return Err(Failed { status, code: code.into(), error: code.into(), retry_after });
        }
        let request = PushRequest::read(body.as_bytes(), riverrun_core::limits::PUSH_BYTES)
            .map_err(|no| failed(&Refused::new(no.code, no.error)))?;
        if self.unreadable.is_some_and(|name| request.mutations.iter().any(|mutation| mutation.name == name)) {
            return Err(failed(&Refused::new(Code::InvalidMutation, "this can't be read")));
        }
        let ids: Vec<_> = request.mutations.iter().map(|mutation| mutation.id.clone()).collect();
        let items = request.mutations.into_iter();
        let items = items.map(|mutation| PushItem { mutation, declared: Vec::new(), edge: Edge::Go }).collect();
        let push = Push { principal: Principal::anonymous(), epoch: request.epoch, items };
        let mut settled = self.kernel.settle(&[push]).expect("the memory store works");
        match settled.pushes.remove(0) {
            Ok(decisions) => {
                let results = ids.into_iter().zip(decisions).map(|(id, decision)| result(id, decision)).collect();
                Ok(text(&PushAnswer { epoch: settled.epoch, results }))
            }
            Err(code) => Err(failed(&Refused::new(code, "another history"))),
        }
    }

    /// A subscription's first frames, and the session if it began.
    pub fn subscribe(&self, data: &str) -> (Vec<ServerFrame>, Option<Session>) {
        let ask: Subscribe = serde_json::from_str(data).expect("a subscription the server reads");
        let error = |no: Refused| match no.code {
            Code::CursorTooOld | Code::EpochChanged => ServerFrame::Reset { code: no.code.as_str().into() },
            code => ServerFrame::Error { reference: ask.reference.clone(), code, error: no.error },
        };
        if self.blind {
            return (vec![error(Refused::new(Code::Forbidden, "you may not read this"))], None);
        }
        let mut frames = Vec::new();
        let (mut from, mut digest, mut meant) = (ask.cursor, ask.digest, ask.epoch.clone());
        if from.is_none() {
            let question = SnapshotRequest { scope: scope(), client: ask.client.clone() };
            let snapshot = self.kernel.snapshot(&Principal::anonymous(), &question).unwrap();
            (from, digest, meant) = (Some(snapshot.cursor), Some(snapshot.digest), Some(snapshot.epoch.clone()));
            frames.push(ServerFrame::Snapshot(snapshot));
        }
        let from = from.unwrap_or_default();
        match self.pull(from, digest, meant, ask.client.clone()) {
            Err(no) => (vec![error(no)], None),
            Ok(answer) => {
                let session = Session { cursor: from, digest: digest.unwrap_or_default(), epoch: answer.epoch.clone() };
                let (cursor, epoch) = (self.state().cursor, answer.epoch);
                frames.push(ServerFrame::Ack { reference: ask.reference, cursor, epoch, last_seq: answer.last_seq });
                (frames, Some(session))
            }
        }
    }

    /// What a session has not got yet, a page at a time.
    pub fn news(&self, session: &mut Session) -> Vec<ServerFrame> {
        let mut frames = Vec::new();
        loop {
            let (from, epoch) = (session.cursor, session.epoch.clone());
            match self.pull(from, Some(session.digest), Some(epoch), None) {
                Err(no) => {
                    frames.push(ServerFrame::Reset { code: no.code.as_str().into() });
                    return frames;
                }
                Ok(answer) if answer.changes.is_empty() => return frames,
                Ok(answer) => {
                    (session.cursor, session.digest) = (answer.next_cursor, answer.digest);
                    let (cursor, digest) = (session.cursor, session.digest);
                    frames.push(ServerFrame::Changes { from, cursor, digest, changes: answer.changes });
                }
            }
        }
    }

    fn pull(
        &self,
        cursor: Cursor,
        digest: Option<Digest>,
        epoch: Option<Epoch>,
        client: Option<ClientId>,
    ) -> Result<riverrun_core::wire::PullAnswer, Refused> {
        let ask = PullRequest { scope: scope(), cursor, digest, epoch, client, limit: Some(3), wait: None };
        self.kernel.pull(&Principal::anonymous(), &ask)
    }
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

fn failed(no: &Refused) -> Failed {
    let status = match no.code {
        Code::InvalidMutation => 400,
        Code::Forbidden => 403,
        Code::CursorTooOld | Code::EpochChanged => 410,
        Code::TooLarge => 413,
        _ => 503,
    };
    Failed { status, code: no.code.as_str().into(), error: no.error.clone(), retry_after: 0 }
}

fn result(id: riverrun_core::MutationId, decision: Decision) -> PushResult {
    match decision {
        Decision::Decided { verdict: Verdict::Accepted(yes), duplicate, .. } => {
            PushResult { cursor: Some(yes.cursor), digest: Some(yes.digest), duplicate, ..PushResult::blank(id, true) }
        }
        Decision::Decided { verdict: Verdict::Rejected(no), duplicate, .. } => {
            PushResult { duplicate, ..PushResult::refused(id, no.code, no.reason, no.error, false) }
        }
        Decision::Final { code, error } => PushResult::refused(id, code, None, error, false),
        Decision::Again { code, error } => PushResult::refused(id, code, None, error, true),
    }
}
