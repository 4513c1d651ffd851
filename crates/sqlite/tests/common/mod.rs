//! What several test files need: a directory that goes away, ids, entries, and child processes of the test itself.
// Each test file uses a part of it.
#![allow(dead_code, unreachable_pub)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use riverrun_core::{
    Accepted, ClientId, Cursor, Digest, Json, Millis, MutationId, Principal, Rejected, Scope, Seq, Verdict,
};
use riverrun_engine::store::{Entry, Head, Origin, Record, StoreResult, WriteTx};

static DIRECTORIES: AtomicU32 = AtomicU32::new(0);

/// A directory of one test's own, removed at its end.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Self {
        let number = DIRECTORIES.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("riverrun-sqlite-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// This test program again, running one ignored test with a file named in `RIVERRUN_FILE`.
pub fn child(test: &str, file: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--ignored", "--nocapture", "--test-threads=1"]).env("RIVERRUN_FILE", file);
    command
}

/// The file a child process is to work on.
pub fn childs_file() -> PathBuf {
    std::env::var_os("RIVERRUN_FILE").expect("only runs as a child process of another test").into()
}

pub fn scope(name: &str) -> Scope {
    Scope::new(name).unwrap()
}

pub fn client(name: &str) -> ClientId {
    ClientId::new(name).unwrap()
}

pub fn principal(name: &str) -> Principal {
    Principal::new(name).unwrap()
}

pub fn mutation(name: &str) -> MutationId {
    MutationId::new(name).unwrap()
}

pub fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

pub fn origin() -> Origin {
    Origin { name: "todo.create".into(), args: json("{}"), principal: principal("ann"), place: None }
}

pub fn entry(first: u64, changes: &[&str]) -> Entry {
    Entry {
        first: Cursor(first),
        digest: Digest(first),
        time: Millis(1),
        mutation: mutation(&format!("m{first}")),
        changes: changes.iter().map(|text| json(text)).collect(),
    }
}

pub fn accepted(cursor: u64) -> Verdict {
    Verdict::Accepted(Accepted { cursor: Cursor(cursor), digest: Digest(cursor), cursors: BTreeMap::default() })
}

pub fn rejected() -> Verdict {
    Verdict::Rejected(Rejected { code: riverrun_core::Code::Rejected, reason: None, error: "no".into() })
}

pub fn record(id: &str, place: Option<(&str, u64)>, time: i64) -> Record {
    let place = place.map(|(name, seq)| (client(name), Seq(seq)));
    Record { id: mutation(id), place, fingerprint: 0, time: Millis(time), verdict: rejected() }
}

/// Appends one change to a scope as the engine would, with its entity, and says at which cursor.
pub fn step(tx: &mut dyn WriteTx, scope: &Scope, id: &str) -> StoreResult<Cursor> {
    let head = tx.lock(scope)?;
    let cursor = head.cursor.next();
    let data = json(&format!("{{\"id\":\"{id}\",\"n\":{cursor}}}"));
    let digest = head.digest.roll(cursor, Millis(1), &mutation(id), data.as_str());
    let entry = Entry { first: cursor, digest, time: Millis(1), mutation: mutation(id), changes: vec![data.clone()] };
    tx.put(scope, riverrun_engine::store::Layer::Current, "todo", id, &data)?;
    tx.append(scope, &entry, &origin())?;
    tx.set_head(scope, &Head { cursor, digest, ..head })?;
    let verdict = Record {
        id: mutation(id),
        place: None,
        fingerprint: 7,
        time: Millis(1),
        verdict: Verdict::Accepted(Accepted { cursor, digest, cursors: BTreeMap::default() }),
    };
    tx.record(scope, &principal("ann"), &verdict)?;
    Ok(cursor)
}
