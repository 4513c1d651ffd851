//! Short ways to make what the cases write. Texts that are no ids panic: they stand in the cases themselves.

use riverrun_core::{
    Accepted, ClientId, Cursor, Digest, Epoch, Json, Millis, MutationId, Principal, Rejected, Scope, Seq, Verdict,
};
use riverrun_engine::store::{self, Entry, Head, Origin, ReadTx, Record, Store, StoreResult, Watermark, WriteTx};

pub(super) fn scope(text: &str) -> Scope {
    Scope::new(text).expect("a scope")
}

pub(super) fn client(text: &str) -> ClientId {
    ClientId::new(text).expect("a client id")
}

pub(super) fn principal(text: &str) -> Principal {
    Principal::new(text).expect("a principal")
}

pub(super) fn mutation(text: &str) -> MutationId {
    MutationId::new(text).expect("a mutation's id")
}

pub(super) fn epoch(text: &str) -> Epoch {
    Epoch::new(text).expect("an epoch")
}

pub(super) fn json(text: &str) -> Json {
    Json::parse(text).expect("JSON")
}

pub(super) fn head(cursor: u64) -> Head {
    Head { cursor: Cursor(cursor), digest: Digest(cursor * 7), floor: Cursor(0), floor_digest: Digest(0) }
}

pub(super) fn mark(last_seq: u64, seen: i64) -> Watermark {
    Watermark { last_seq: Seq(last_seq), seen: Millis(seen), made: Millis(seen / 2) }
}

/// An entry with one change for each text, named after its first cursor.
pub(super) fn entry(first: u64, changes: &[&str]) -> Entry {
    Entry {
        first: Cursor(first),
        digest: Digest(first * 11),
        time: Millis(i64::try_from(first).unwrap_or(i64::MAX)),
        mutation: mutation(&format!("m{first}")),
        changes: changes.iter().map(|text| json(text)).collect(),
    }
}

pub(super) fn origin() -> Origin {
    Origin {
        name: "todo.create".into(),
        args: json(r#"{"id":"t1"}"#),
        principal: principal("ann"),
        place: Some((client("c1"), Seq(1))),
    }
}

pub(super) fn accepted(cursor: u64) -> Verdict {
    Verdict::Accepted(Accepted { cursor: Cursor(cursor), digest: Digest(cursor), cursors: [].into() })
}

pub(super) fn rejected(error: &str) -> Verdict {
    let (code, reason) = (riverrun_core::Code::Rejected, Some("no".into()));
    Verdict::Rejected(Rejected { code, reason, error: error.into() })
}

/// A record decided at a moment, with or without a place.
pub(super) fn record(id: &str, place: Option<(&str, u64)>, time: i64) -> Record {
    let place = place.map(|(text, seq)| (client(text), Seq(seq)));
    Record { id: mutation(id), place, fingerprint: 5, time: Millis(time), verdict: accepted(1) }
}

/// A write that has to succeed.
pub(super) fn commit<T>(store: &dyn Store, work: impl FnOnce(&mut dyn WriteTx) -> StoreResult<T>) -> T {
    store::write(store, work).expect("the write succeeds")
}

/// A read that has to succeed.
pub(super) fn look<T>(store: &dyn Store, work: impl FnOnce(&mut dyn ReadTx) -> StoreResult<T>) -> T {
    store::read(store, work).expect("the read succeeds")
}

/// Appends an entry and moves the head to its end.
pub(super) fn append(tx: &mut dyn WriteTx, scope: &Scope, entry: &Entry) -> StoreResult<()> {
    let mut head = tx.lock(scope)?;
    tx.append(scope, entry, &origin())?;
    (head.cursor, head.digest) = (entry.last(), entry.digest);
    tx.set_head(scope, &head)
}
