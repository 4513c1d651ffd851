//! Measures what the store's part of a mutation costs: batches of 100 mutations in one durable transaction each, with all
//! the reads and writes the engine makes of the store. Run it with `--release`; it takes a directory to write in, else the
//! system's temporary one, and removes what it made.

use std::{
    collections::BTreeMap,
    error::Error,
    path::PathBuf,
    time::{Duration, Instant},
};

use riverrun_core::{Accepted, ClientId, CollectionChange, Json, Millis, MutationId, Principal, Scope, Seq, Verdict};
use riverrun_engine::store::{Entry, Head, Layer, Origin, Record, StoreResult, Watermark, WriteTx, write};
use riverrun_sqlite::{Sqlite, Synchronous};

/// Mutations in one transaction.
const BATCH: u64 = 100;

/// Transactions in one measurement.
const BATCHES: u64 = 300;

/// Time spent in each kind of call.
type Spent = BTreeMap<&'static str, Duration>;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let file = directory.join(format!("riverrun-throughput-{}.db", std::process::id()));
    for (what, synchronous) in [("synchronous=FULL", Synchronous::Full), ("synchronous=NORMAL", Synchronous::Normal)] {
        for scopes in [1, 100] {
            let store = Sqlite::options(&file).synchronous(synchronous).open()?;
            measure(&store, &format!("{what}, {scopes} scopes"), scopes)?;
            drop(store);
            for end in ["", "-wal", "-shm", "-lock"] {
                let _ = std::fs::remove_file(format!("{}{end}", file.display()));
            }
        }
    }
    Ok(())
}

fn measure(store: &Sqlite, what: &str, scopes: u64) -> Result<(), Box<dyn Error>> {
    let mut spent = Spent::new();
    let mut waits = Vec::new();
    let begun = Instant::now();
    for batch in 0..BATCHES {
        let start = Instant::now();
        let mut inside = Duration::ZERO;
        write(store, |tx| {
            for n in 0..BATCH {
                mutate(tx, batch * BATCH + n, scopes, &mut spent)?;
            }
            inside = start.elapsed();
            Ok(())
        })?;
        waits.push(start.elapsed());
        *spent.entry("commit").or_default() += start.elapsed().saturating_sub(inside);
    }
    let total = begun.elapsed();
    waits.sort();
    let mutations = u32::try_from(BATCHES * BATCH)?;
    println!(
        "{what}: {:.0} mutations/s; a batch of {BATCH}: median {:.1?}, p99 {:.1?}",
        f64::from(mutations) / total.as_secs_f64(),
        waits[waits.len() / 2],
        waits[waits.len() * 99 / 100],
    );
    for (call, time) in spent {
        println!("  {call:<14} {:>6.2} µs a mutation", time.as_secs_f64() * 1e6 / f64::from(mutations));
    }
    Ok(())
}

/// One mutation as the engine decides it.
fn mutate(tx: &mut dyn WriteTx, n: u64, scopes: u64, spent: &mut Spent) -> StoreResult<()> {
    let mut timed = Timed { spent, last: Instant::now() };
    let scope = Scope::new(format!("list:{}", n % scopes)).unwrap_or_default();
    let principal = Principal::anonymous();
    let Ok(client) = ClientId::new(format!("c-{:08}", n % scopes)) else { return Ok(()) };
    let Ok(id) = MutationId::new(uuid::Uuid::now_v7().to_string()) else { return Ok(()) };
    let entity = format!("todo-{n:012}");
    let value = Json::trusted(format!(r#"{{"id":"{entity}","title":"Milk, bread and butter","completed":false}}"#));
    let data = CollectionChange::put("todo", &entity, value.clone()).to_json();
    let time = Millis(1_700_000_000_000 + n.cast_signed());
    timed.last = Instant::now();

    tx.verdict(&scope, &principal, &id)?;
    timed.add("verdict");
    let mark = tx.watermark(&scope, &client)?.map_or(Seq::ZERO, |mark| mark.last_seq).next();
    tx.owner(&client)?;
    timed.add("watermark");
    let head = tx.lock(&scope)?;
    timed.add("lock");
    tx.savepoint()?;
    timed.add("savepoint");
    tx.entity(&scope, "todo", &entity)?;
    timed.add("entity");
    tx.put(&scope, Layer::Current, "todo", &entity, &value)?;
    timed.add("put");
    tx.release()?;
    timed.add("release");
    let cursor = head.cursor.next();
    let digest = head.digest.roll(cursor, time, &id, data.as_str());
    let entry = Entry { first: cursor, digest, time, mutation: id.clone(), changes: vec![data] };
    let place = Some((client.clone(), mark));
    let origin = Origin { name: "todo.create".into(), args: value, principal: principal.clone(), place: place.clone() };
    tx.append(&scope, &entry, &origin)?;
    timed.add("append");
    tx.set_head(&scope, &Head { cursor, digest, ..head })?;
    timed.add("set_head");
    let verdict = Verdict::Accepted(Accepted { cursor, digest, cursors: BTreeMap::new() });
    tx.record(&scope, &principal, &Record { id, place, fingerprint: n, time, verdict })?;
    timed.add("record");
    tx.set_watermark(&scope, &client, &Watermark { last_seq: mark, seen: time, made: time })?;
    timed.add("set_watermark");
    Ok(())
}

struct Timed<'a> {
    spent: &'a mut Spent,
    last: Instant,
}

impl Timed<'_> {
    fn add(&mut self, call: &'static str) {
        let now = Instant::now();
        *self.spent.entry(call).or_default() += now - self.last;
        self.last = now;
    }
}
