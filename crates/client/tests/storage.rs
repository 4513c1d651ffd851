//! Every storage means the same by every write, and the file keeps it over its closing.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

use rand::{Rng, SeedableRng, rngs::StdRng};
use riverrun_client::{Accepted, Entry, Mark, Memory, Saved, SqliteFile, Storage, Write};
use riverrun_core::{ClientId, Cursor, Digest, Epoch, Json, Millis, MutationId, Scope, Seq};

struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("riverrun-client-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> std::path::PathBuf {
        self.0.join("client.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn id(n: u64) -> MutationId {
    MutationId::new(format!("m{n}")).unwrap()
}

fn epoch(n: u64) -> Epoch {
    Epoch::new(format!("e{n}")).unwrap()
}

/// Any write there is, about a handful of mutations and rows.
fn write(order: &mut u64, rng: &mut StdRng) -> Write {
    let some = id(rng.random_range(0..=*order));
    match rng.random_range(0..8) {
        0 => Write::Client(ClientId::new(format!("c{}", rng.random_range(0..3))).unwrap()),
        1 | 2 => {
            *order += 1;
            Write::Append(Entry {
                order: *order,
                id: id(*order),
                name: "mark".into(),
                args: Json::parse(r#"{"a": "é\n"}"#).unwrap(),
                schema: (order.is_multiple_of(2)).then_some(3),
                created: Millis(-5),
                seq: None,
                accepted: None,
            })
        }
        3 => Write::Places {
            last: Seq(rng.random_range(0..9)),
            epoch: rng.random_bool(0.5).then(|| epoch(1)),
            given: vec![(some, Seq(4)), (id(1), Seq(5))],
        },
        4 => Write::Accepted(some, Accepted { cursor: Cursor(7), epoch: epoch(2) }),
        5 => Write::Remove(vec![some, id(2)]),
        6 => Write::Base {
            clear: rng.random_bool(0.2),
            rows: (0..3)
                .map(|n| {
                    ("todo".into(), format!("t{}", n * rng.random_range(0..3)), rng.random_bool(0.7).then(Json::null))
                })
                .collect(),
            mark: Mark {
                cursor: Cursor(3),
                digest: Digest(u64::MAX),
                epoch: epoch(1),
                last_seq: Seq(2),
                held: vec![id(1)],
            },
        },
        _ => Write::ForgetBase,
    }
}

#[test]
fn a_file_gives_back_what_memory_would_after_any_writes_and_any_closing() {
    let scope = Scope::new("s").unwrap();
    for seed in 0..20 {
        let folder = Folder::new(&format!("any-{seed}"));
        let mut rng = StdRng::seed_from_u64(seed);
        let mut memory = Memory::new();
        let mut file = SqliteFile::open(folder.file(), &scope).unwrap();
        assert_eq!(file.load().unwrap(), Saved::default());
        let mut order = 0;
        for _ in 0..40 {
            let writes: Vec<_> = (0..rng.random_range(1..4)).map(|_| write(&mut order, &mut rng)).collect();
            memory.write(writes.clone()).unwrap();
            file.write(writes).unwrap();
            if rng.random_bool(0.2) {
                drop(file);
                file = SqliteFile::open(folder.file(), &scope).unwrap();
            }
            assert_eq!(file.load().unwrap(), memory.load().unwrap(), "seed {seed}");
        }
    }
}

#[test]
fn a_file_belongs_to_one_scope_and_to_one_opener_at_a_time() {
    let folder = Folder::new("one");
    let scope = Scope::new("s").unwrap();
    let file = SqliteFile::open(folder.file(), &scope).unwrap();
    assert!(SqliteFile::open(folder.file(), &scope).unwrap_err().to_string().contains("locked"));
    drop(file);
    let other = SqliteFile::open(folder.file(), &Scope::new("t").unwrap()).unwrap_err();
    assert_eq!(other.to_string(), "the file belongs to the scope \"s\", not to t");
    SqliteFile::open(folder.file(), &scope).unwrap();
}

#[test]
fn a_file_of_another_form_or_none_of_ours_is_refused_and_left_as_it_was() {
    let folder = Folder::new("form");
    let scope = Scope::new("s").unwrap();
    drop(SqliteFile::open(folder.file(), &scope).unwrap());
    let connection = rusqlite::Connection::open(folder.file()).unwrap();
    connection.pragma_update(None, "user_version", 9).unwrap();
    drop(connection);
    assert!(SqliteFile::open(folder.file(), &scope).unwrap_err().to_string().contains("form 9"));
    std::fs::write(folder.file(), "not a database, but long enough to be read as one".repeat(100)).unwrap();
    assert!(SqliteFile::open(folder.file(), &scope).is_err());
    assert!(std::fs::read_to_string(folder.file()).unwrap().starts_with("not a database"));
}

#[test]
fn arguments_that_are_no_json_are_damage_and_do_not_wait_to_be_sent() {
    let folder = Folder::new("damaged");
    let scope = Scope::default();
    let mut file = SqliteFile::open(folder.file(), &scope).unwrap();
    let entry = Entry {
        order: 1,
        id: id(1),
        name: "todo.create".into(),
        args: Json::null(),
        schema: None,
        created: Millis(0),
        seq: None,
        accepted: None,
    };
    file.write(vec![Write::Append(entry)]).unwrap();
    drop(file);
    let raw = rusqlite::Connection::open(folder.file()).unwrap();
    raw.execute("UPDATE queue SET args = '{'", []).unwrap();
    drop(raw);
    let error = SqliteFile::open(folder.file(), &scope).unwrap().load().unwrap_err();
    assert!(error.to_string().contains("what no client wrote"), "{error}");
}
