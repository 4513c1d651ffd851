//! A damaged database: cells of a real SQLite file are overwritten, and everything that can be asked of it is asked. It
//! answers or it says that it is damaged; it never panics, and what is verified as sound is what was written.
//!
//! A line each: the table, the row, the column, then the cell's new value: `42` a number, `"…"` a text of any bytes, `null`.

use std::{cell::RefCell, path::PathBuf};

use myapp::service::todo;
use riverrun_core::{
    Cursor, Principal, Scope, limits,
    wire::{PullRequest, PushRequest, SnapshotRequest},
};
use riverrun_engine::{Edge, Engine, Kernel, Push, PushItem};
use riverrun_sqlite::{
    Sqlite,
    rusqlite::{Connection, types::Value},
};

use super::storage::cells::{Cells, Damage};

const TABLES: [&str; 8] =
    ["rr_meta", "rr_scope", "rr_log", "rr_entity", "rr_base", "rr_verdict", "rr_watermark", "rr_owner"];

/// What was pushed before the damage: verdicts of both kinds, a trimmed log, a client with places.
const PUSHES: [&str; 3] = [
    r#"{"client":"c1","mutations":[
        {"id":"m1","type":"todo.create","args":{"id":"t1","title":"Milk"},"seq":1},
        {"id":"m2","type":"todo.create","args":{"id":"t2","title":"Bread"},"seq":2},
        {"id":"m3","type":"todo.create","args":{"id":"t2","title":"Again"},"seq":3}]}"#,
    r#"{"mutations":[{"id":"m4","type":"todo.toggle","args":{"id":"t1"}},{"id":"m5","type":"none","args":{}}]}"#,
    r#"{"client":"c2","mutations":[{"id":"m6","type":"todo.clear","args":{},"seq":1}]}"#,
];

/// What is pushed on the damage: mutations nobody has heard of, which read all there is.
const FRESH: [&str; 1] = [r#"{"client":"c1","mutations":[
        {"id":"m7","type":"todo.edit","args":{"id":"t2","title":"Rye"},"seq":4},
        {"id":"m8","type":"todo.clear","args":{},"seq":5}]}"#];

struct World {
    kernel: Kernel,
    raw: Connection,
    cells: Cells,
    /// Removed when the thread ends, like the connections to what is in it.
    _folder: Folder,
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

pub(crate) fn run(data: &[u8]) {
    WORLD.with_borrow_mut(|world| world.run(data));
}

impl World {
    fn new() -> Self {
        let folder = Folder(std::env::temp_dir().join(format!("riverrun-fuzz-{}", uuid::Uuid::now_v7())));
        std::fs::create_dir_all(&folder.0).expect("a folder for the database");
        let path = folder.0.join("app.db");
        let store = Sqlite::options(&path).synchronous(riverrun_sqlite::Synchronous::Normal).open().expect("it opens");
        let kernel = Engine::builder(store).mutators(todo::mutators()).kernel().expect("the mutators are sound");
        push_all(&kernel, &PUSHES);
        kernel.trim_to(&Scope::default(), Cursor(1)).expect("it trims");
        let raw = Connection::open(&path).expect("another program may open it");
        raw.execute_batch("PRAGMA synchronous=OFF").expect("a setting");
        let cells = Cells::of(&raw, &TABLES);
        Self { kernel, raw, cells, _folder: folder }
    }

    fn run(&mut self, data: &[u8]) {
        let damages = Damage::read(data);
        let done = self.cells.damage(&self.raw, &damages);
        self.ask(&done);
        self.cells.restore(&self.raw);
        let verified = self.kernel.verify(&Scope::default()).expect("it is whole again");
        assert!(verified.damage.is_empty(), "{:?}", verified.damage);
    }

    fn ask(&self, done: &[(String, String, Value)]) {
        let (scope, nobody) = (Scope::default(), Principal::anonymous());
        let verified = self.kernel.verify(&scope);
        let whole = verified.as_ref().is_ok_and(|verified| verified.damage.is_empty());
        for (table, column, value) in done {
            let tells = matches!((table.as_str(), column.as_str()), ("rr_entity", "value") | ("rr_log", "digest"));
            assert!(!(whole && tells), "{table}.{column} became {value:?} and was verified as sound");
        }
        for cursor in 0..8 {
            let ask = PullRequest { cursor: Cursor(cursor), limit: Some(2), ..PullRequest::default() };
            let _ = self.kernel.pull(&nobody, &ask);
        }
        for client in ["c1", "c2"] {
            let client = riverrun_core::ClientId::new(client).ok();
            let _ = self.kernel.snapshot(&nobody, &SnapshotRequest { scope: scope.clone(), client });
        }
        let _ = self.kernel.scopes(None, 10);
        // These write, where the damage lets them: what they wrote is undone with it.
        push_all(&self.kernel, &PUSHES);
        push_all(&self.kernel, &FRESH);
        let _ = self.kernel.trim(&scope);
        let _ = self.kernel.trim_to(&scope, Cursor(2));
        let _ = self.kernel.forget();
    }
}

fn push_all(kernel: &Kernel, bodies: &[&str]) {
    for body in bodies {
        let push = PushRequest::read(body.as_bytes(), limits::PUSH_BYTES).expect("a push");
        let items =
            push.mutations.into_iter().map(|mutation| PushItem { mutation, declared: Vec::new(), edge: Edge::Go });
        let push = Push { principal: Principal::anonymous(), epoch: None, items: items.collect() };
        let _ = kernel.settle(&[push]);
    }
}
