//! A client's damaged file: cells of its tables are overwritten, and a client goes on from it, or is told that it can't.
//! It never panics, not in the first step and not when the queue is sent.

pub(super) mod cells;

use std::{cell::RefCell, sync::Arc};

use myapp::service::todo;
use rand::{SeedableRng, rngs::StdRng};
use riverrun_client::{Config, Core, Effect, Event, SqliteFile, Storage, Write, mint};
use riverrun_core::{Json, Millis, Scope};
use riverrun_sqlite::rusqlite::Connection;

use cells::{Cells, Damage};

const TABLES: [&str; 3] = ["meta", "queue", "base"];
const NOW: Millis = Millis(1_795_341_600_000);

const SNAPSHOT: &str = r#"{"data":{"todo":{"t1":{"id":"t1","title":"Milk","completed":false}}},"cursor":3,"digest":"00000000000000aa","epoch":"e1","last_seq":0}"#;

thread_local! {
    static FILE: RefCell<(std::path::PathBuf, Vec<u8>)> = RefCell::new(file());
}

/// A client's file with everything in it: an id, places, a queue, a base.
fn file() -> (std::path::PathBuf, Vec<u8>) {
    let path = std::env::temp_dir().join(format!("riverrun-fuzz-{}.db", uuid::Uuid::now_v7()));
    let mut storage = SqliteFile::open(&path, &Scope::default()).expect("it opens");
    let mut rng = StdRng::seed_from_u64(1);
    let mut core = Core::new(config(), Arc::new(todo::mutators()), storage.load().expect("it loads"));
    let mut events = vec![Event::Start];
    for at in 2..5 {
        let args = Json::trusted(format!(r#"{{"id":"t{at}","title":"Bread"}}"#));
        events.push(Event::Mutate { id: mint(NOW, &mut rng), name: "todo.create".into(), args });
    }
    let mut now = NOW;
    // A server that refuses every page is asked again and again: the file is complete long before.
    for _ in 0..40 {
        let event = if events.is_empty() { Event::Tick } else { events.remove(0) };
        now.0 += 100;
        for effect in core.step(event, now, &mut rng) {
            match effect {
                Effect::Store(number, writes) => {
                    storage.write(writes).expect("it writes");
                    events.push(Event::Stored(number));
                }
                Effect::Ask(question) if question.route == riverrun_client::Route::Pull => {
                    let no = riverrun_client::Failed::answered(410, r#"{"code":"cursor_too_old"}"#, 0);
                    events.push(Event::Answered(question.ask, Err(no)));
                }
                Effect::Ask(question) if question.route == riverrun_client::Route::Snapshot => {
                    events.push(Event::Answered(question.ask, Ok(SNAPSHOT.into())));
                }
                _ => {}
            }
        }
    }
    storage.write(vec![Write::Remove(Vec::new())]).expect("it writes");
    drop(storage);
    let bytes = std::fs::read(&path).expect("it is there");
    (path, bytes)
}

fn config() -> Config {
    Config { live: false, ..Config::new(Scope::default()) }
}

pub(crate) fn run(data: &[u8]) {
    FILE.with_borrow(|(path, bytes)| {
        std::fs::write(path, bytes).expect("it can be written");
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", path.display()));
        }
        let raw = Connection::open(path).expect("another program may open it");
        raw.execute_batch("PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY").expect("settings");
        Cells::of(&raw, &TABLES).damage(&raw, &Damage::read(data));
        drop(raw);
        live(path);
        let _ = std::fs::remove_file(path);
    });
}

/// A life on the damaged file: the queue is sent and answered, the base read, something new written.
fn live(path: &std::path::Path) {
    let Ok(mut storage) = SqliteFile::open(path, &Scope::default()) else { return };
    let Ok(saved) = storage.load() else { return };
    let mut rng = StdRng::seed_from_u64(2);
    let mut core = Core::new(config(), Arc::new(todo::mutators()), saved);
    let args = Json::trusted(r#"{"id":"t9","title":"New"}"#);
    let mut events = vec![Event::Start, Event::Mutate { id: mint(NOW, &mut rng), name: "todo.create".into(), args }];
    for round in 0..12 {
        let Some(event) = (!events.is_empty()).then(|| events.remove(0)) else { break };
        for effect in core.step(event, Millis(NOW.0 + round * 1_000), &mut rng) {
            match effect {
                Effect::Store(number, writes) => events.push(match storage.write(writes) {
                    Ok(()) => Event::Stored(number),
                    Err(error) => Event::StoreFailed(number, error.to_string()),
                }),
                Effect::Ask(question) => {
                    let answer = match question.route {
                        riverrun_client::Route::Push => r#"{"epoch":"e1","results":[]}"#,
                        _ => SNAPSHOT,
                    };
                    events.push(Event::Answered(question.ask, Ok(answer.into())));
                }
                _ => {}
            }
        }
    }
    for (collection, ..) in core.base_rows() {
        let _ = core.list(collection, "", None, 10);
    }
}
