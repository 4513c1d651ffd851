//! Tables of the application's own: they commit and roll back with the log, break nothing of the engine's, and their
//! errors are told as what they are.
#![allow(clippy::unwrap_used)]

mod common;

use std::any::Any;

use common::{Directory, client, json, mutation, principal, scope, step};
use riverrun_core::{Code, Ctx, Journal, Json, Millis, Reject, Scope, State, Tx, Unavailable};
use riverrun_engine::{
    Memory, Store,
    store::{Layer, Range, StoreError, StoreResult, WriteTx, read, write},
};
use riverrun_sqlite::{Options, SqlTx, Sqlite, rusqlite::params};

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS account (email TEXT UNIQUE NOT NULL, n INTEGER CHECK (n < 100));
    CREATE TABLE IF NOT EXISTS parent (id TEXT PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS child (parent TEXT REFERENCES parent (id));";

/// A store's transaction as a mutator sees it.
struct Ground<'a>(&'a mut dyn WriteTx);

impl State for Ground<'_> {
    fn get(&mut self, scope: &Scope, collection: &str, id: &str) -> Result<Option<Json>, Unavailable> {
        self.0.entity(scope, collection, id).map_err(|_| Unavailable)
    }
    fn put(&mut self, scope: &Scope, collection: &str, id: &str, value: &Json) -> Result<(), Unavailable> {
        self.0.put(scope, Layer::Current, collection, id, value).map_err(|_| Unavailable)
    }
    fn del(&mut self, scope: &Scope, collection: &str, id: &str) -> Result<(), Unavailable> {
        self.0.del(scope, Layer::Current, collection, id).map_err(|_| Unavailable)
    }
    fn list(
        &mut self,
        scope: &Scope,
        collection: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Box<str>, Json)>, Unavailable> {
        self.0.entities(scope, collection, Range { prefix, after, limit }).map_err(|_| Unavailable)
    }
    fn host(&self) -> Option<&dyn Any> {
        self.0.host()
    }
}

/// Runs a mutator in a savepoint, as the engine does, and says what it returned and whether it latched.
fn mutate<T>(
    tx: &mut dyn WriteTx,
    mutator: impl FnOnce(&mut Tx<'_>) -> Result<T, Reject>,
) -> StoreResult<(Result<T, Reject>, bool)> {
    let ctx = Ctx {
        time: Millis(1),
        mutation: mutation("m"),
        name: "test".into(),
        principal: principal("ann"),
        client: Some(client("c")),
        scope: scope("a"),
    };
    let mut journal = Journal::new(scope("a"), []);
    tx.savepoint()?;
    let done = mutator(&mut Tx::new(&ctx, &mut Ground(tx), &mut journal));
    if journal.failed() {
        return Ok((done, true));
    }
    if done.is_ok() {
        tx.release()?;
    } else {
        tx.rollback()?;
    }
    Ok((done, false))
}

fn sql<T>(store: &Sqlite, work: impl FnOnce(SqlTx<'_>) -> Result<T, Reject>) -> Result<T, Reject> {
    let (done, latched) = write(store, |tx| mutate(tx, |tx| work(riverrun_sqlite::tx(tx)?))).unwrap();
    assert!(!latched);
    done
}

fn store() -> Sqlite {
    Options::in_memory().schema(SCHEMA).open().unwrap()
}

fn accounts(store: &Sqlite) -> i64 {
    store.query(|conn| conn.query_row("SELECT count(*) FROM account", [], |row| row.get(0))).unwrap()
}

#[test]
fn the_applications_rows_commit_with_the_log_and_roll_back_with_it() {
    let directory = Directory::new();
    let store = Options::at(directory.file("app.db")).schema(SCHEMA).open().unwrap();
    let insert = |email: &'static str, then: Result<(), Reject>| {
        move |tx: &mut Tx<'_>| {
            let mut sql = riverrun_sqlite::tx(tx)?;
            assert_eq!(sql.execute("INSERT INTO account VALUES (?1, 1)", params![email])?, 1);
            then
        }
    };
    write(&store, |tx| {
        mutate(tx, insert("kept@x", Ok(())))?.0.unwrap();
        mutate(tx, insert("rejected@x", Err(Reject::new("no", "no"))))?.0.unwrap_err();
        step(tx, &scope("a"), "m1").map(drop)
    })
    .unwrap();
    let failed = write(&store, |tx| {
        mutate(tx, insert("failed@x", Ok(())))?.0.unwrap();
        Err::<(), _>(StoreError::Other("on purpose".into()))
    });
    assert!(failed.is_err());
    let emails: Vec<String> = store
        .query(|conn| conn.prepare("SELECT email FROM account")?.query_map([], |row| row.get(0))?.collect())
        .unwrap();
    assert_eq!(emails, ["kept@x"]);
}

#[test]
fn rows_are_read_one_or_many_and_see_the_mutators_own_writes() {
    let store = store();
    sql(&store, |mut sql| {
        let none: Option<i64> = sql.query_row("SELECT n FROM account WHERE email = 'x'", [], |row| row.get(0))?;
        assert_eq!(none, None);
        for n in 0..3 {
            sql.execute("INSERT INTO account VALUES (?1, ?2)", params![format!("{n}@x"), n])?;
        }
        let some = sql.query_row("SELECT n FROM account WHERE email = ?1", ["2@x"], |row| row.get(0))?;
        assert_eq!(some, Some(2));
        let all: Vec<i64> = sql.query_map("SELECT n FROM account ORDER BY n", [], |row| row.get(0))?;
        assert_eq!(all, [0, 1, 2]);
        let log: Option<i64> = sql.query_row("SELECT count(*) FROM rr_log", [], |row| row.get(0))?;
        assert_eq!(log, Some(0), "the engine's tables may be read");
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_broken_constraint_is_a_conflict_with_its_text() {
    for (statement, says) in [
        ("INSERT INTO account VALUES ('a@x', 1)", "UNIQUE constraint failed: account.email"),
        ("INSERT INTO account VALUES ('b@x', 100)", "CHECK constraint failed: n < 100"),
        ("INSERT INTO account VALUES (NULL, 1)", "NOT NULL constraint failed: account.email"),
        ("INSERT INTO child VALUES ('nobody')", "FOREIGN KEY constraint failed"),
    ] {
        let store = store();
        sql(&store, |mut sql| sql.execute("INSERT INTO account VALUES ('a@x', 1)", [])).unwrap();
        let reject = sql(&store, |mut sql| sql.execute(statement, [])).unwrap_err();
        assert_eq!((reject.code(), reject.error()), (Code::Conflict, says));
    }
}

#[test]
fn a_constraint_the_mutator_handles_leaves_what_it_did_before() {
    let store = store();
    sql(&store, |mut sql| {
        sql.execute("INSERT INTO account VALUES ('a@x', 1)", [])?;
        assert!(sql.execute("INSERT INTO account VALUES ('a@x', 2)", []).is_err());
        sql.execute("INSERT INTO account VALUES ('b@x', 2)", [])
    })
    .unwrap();
    assert_eq!(accounts(&store), 2);
}

#[test]
fn what_is_not_the_applications_is_out_of_its_reach_and_nothing_of_it_leaks() {
    let directory = Directory::new();
    let elsewhere = directory.file("other.db");
    let attach = format!("ATTACH '{}' AS other", elsewhere.display());
    let file = Options::at(directory.file("app.db")).schema(SCHEMA).open().unwrap();
    for store in [store(), file] {
        for statement in [
            "COMMIT",
            "END",
            "BEGIN",
            "ROLLBACK",
            "SAVEPOINT mine",
            "RELEASE rr_mutation",
            "ROLLBACK TO rr_mutation",
            attach.as_str(),
            "DETACH main",
            "PRAGMA synchronous = OFF",
            "PRAGMA synchronous(0)",
            "PRAGMA journal_mode = DELETE",
            "PRAGMA writable_schema = ON",
            "PRAGMA user_version = 7",
            "PRAGMA application_id = 7",
            "PRAGMA defer_foreign_keys = ON",
            "PRAGMA wal_checkpoint",
            "PRAGMA incremental_vacuum",
            "VACUUM",
            "INSERT INTO rr_meta VALUES ('x', 1)",
            "INSERT INTO RR_Meta VALUES ('x', 1)",
            "INSERT INTO \"rr_meta\" VALUES ('x', 1)",
            "INSERT INTO main.rr_meta VALUES ('x', 1)",
            "WITH x AS (SELECT 1) UPDATE rr_scope SET cursor = 0",
            "DELETE FROM rr_log",
            "REPLACE INTO rr_entity VALUES (1, 'a', 'b', 'c')",
            "DROP TABLE rr_log",
            "DROP INDEX rr_verdict_time",
            "ALTER TABLE rr_log RENAME TO mine",
            "ALTER TABLE rr_log ADD COLUMN mine",
            "CREATE INDEX mine ON rr_log (time)",
            "CREATE TABLE rr_mine (a)",
            "CREATE VIEW rr_mine AS SELECT 1",
            "CREATE TRIGGER mine AFTER INSERT ON rr_log BEGIN SELECT 1; END",
            "CREATE TEMP TABLE rr_log (a)",
            "CREATE TEMP TABLE mine (a)",
            "CREATE TEMP VIEW rr_log AS SELECT 1",
            "INSERT INTO sqlite_schema VALUES ('a', 'b', 'c', 1, 'd')",
            "ANALYZE",
            "SELECT load_extension('x')",
            "INSERT OR ROLLBACK INTO account VALUES ('a@x', 1)",
            "CREATE TABLE t (a UNIQUE ON CONFLICT ROLLBACK)",
            "SELECT 1; DELETE FROM account",
            "SELEC secret_column",
            "SELECT nothing_like_it FROM account",
        ] {
            let reject = sql(&store, |mut sql| sql.query_map(statement, [], |_| Ok(()))).expect_err(statement);
            assert_eq!(reject.code(), Code::InternalError, "{statement}");
            assert_eq!(reject.error(), "the application's SQL failed; the server's log says why", "{statement}");
        }
        assert!(!elsewhere.exists());
        write(&store, |tx| step(tx, &scope("a"), "m1")).expect("the store is as it was");
        assert_eq!(read(&store, |tx| tx.head(&scope("a"))).unwrap().unwrap().cursor.0, 1);
        let settings = |name: &str| {
            store.query(|conn| conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0))).unwrap()
        };
        assert_eq!((settings("user_version"), settings("application_id")), (2, 0x7272_756e));
    }
}

#[test]
fn a_statement_of_the_stores_own_is_not_borrowed_from_its_cache() {
    let store = store();
    // The store has prepared this very text without the guard.
    let statement = "DELETE FROM rr_entity WHERE scope = ?1 AND collection = ?2 AND id = ?3";
    write(&store, |tx| {
        tx.put(&scope("a"), Layer::Current, "todo", "t1", &json("1"))?;
        tx.del(&scope("a"), Layer::Current, "todo", "t2")
    })
    .unwrap();
    let reject = sql(&store, |mut sql| sql.execute(statement, params![1, "todo", "t1"])).unwrap_err();
    assert_eq!(reject.code(), Code::InternalError);
    assert!(read(&store, |tx| tx.entity(&scope("a"), "todo", "t1")).unwrap().is_some());
}

#[test]
fn the_guard_ends_with_each_statement_also_when_its_closure_panics() {
    let store = store();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = sql(&store, |mut sql| sql.query_row("SELECT 1", [], |_| -> Result<(), _> { panic!("on purpose") }));
    }));
    assert!(panicked.is_err());
    write(&store, |tx| step(tx, &scope("new"), "m1")).unwrap();
}

#[test]
fn an_application_may_make_and_index_tables_of_its_own_and_search_them() {
    let store = store();
    sql(&store, |mut sql| {
        sql.execute("CREATE TABLE later (a)", [])?;
        sql.execute("CREATE INDEX later_a ON later (a)", [])?;
        sql.execute("ALTER TABLE later ADD COLUMN b", [])?;
        sql.execute("CREATE VIRTUAL TABLE words USING fts5 (text)", [])?;
        sql.execute("INSERT INTO words VALUES ('milk and bread')", [])?;
        let found: Option<String> =
            sql.query_row("SELECT text FROM words WHERE words MATCH 'bread'", [], |row| row.get(0))?;
        assert_eq!(found.as_deref(), Some("milk and bread"));
        let columns: Vec<String> = sql.query_map("PRAGMA table_info(later)", [], |row| row.get(1))?;
        assert_eq!(columns, ["a", "b"]);
        sql.execute("DROP TABLE later", [])
    })
    .unwrap();
    write(&store, |tx| step(tx, &scope("a"), "m1")).unwrap();
}

#[test]
fn a_transaction_ended_by_an_old_trigger_fails_whole_and_says_so() {
    let directory = Directory::new();
    let file = directory.file("app.db");
    let store = Options::at(&file).schema(SCHEMA).open().unwrap();
    // Behind the store's back, after it looked.
    riverrun_sqlite::rusqlite::Connection::open(&file)
        .unwrap()
        .execute_batch("CREATE TRIGGER bad BEFORE INSERT ON account BEGIN SELECT RAISE(ROLLBACK, 'gone'); END")
        .unwrap();
    let mut latched = false;
    let error = write(&store, |tx| {
        step(tx, &scope("a"), "m1")?;
        (_, latched) = mutate(tx, |tx| {
            let mut sql = riverrun_sqlite::tx(tx)?;
            sql.execute("INSERT INTO account VALUES ('a@x', 1)", []).unwrap_err();
            // Outside of the transaction this would commit by itself.
            sql.execute("INSERT INTO parent VALUES ('p')", [])
        })?;
        step(tx, &scope("a"), "m2")
    })
    .unwrap_err();
    assert!(latched);
    assert!(matches!(error, StoreError::Other(_)), "{error}");
    let parents: i64 = store.query(|conn| conn.query_row("SELECT count(*) FROM parent", [], |row| row.get(0))).unwrap();
    assert_eq!(parents, 0);
    assert_eq!(write(&store, |tx| step(tx, &scope("a"), "m1")).unwrap().0, 1);
}

#[test]
fn on_another_store_there_is_no_sqlite_transaction() {
    let memory = Memory::new();
    let mut outcome = None;
    memory
        .write(&mut |tx| {
            outcome = Some(mutate(tx, |tx| riverrun_sqlite::tx(tx).map(drop))?.0);
            Ok(())
        })
        .unwrap();
    assert_eq!(outcome.unwrap().unwrap_err().code(), Code::InternalError);
}

#[test]
fn a_query_only_reads() {
    let directory = Directory::new();
    let file = Options::at(directory.file("app.db")).schema(SCHEMA).open().unwrap();
    for store in [store(), file] {
        for statement in [
            "INSERT INTO account VALUES ('a@x', 1)",
            "PRAGMA query_only = OFF",
            "COMMIT",
            "ATTACH ':memory:' AS other",
            "CREATE TEMP TABLE t (a)",
            "SELECT nothing",
        ] {
            let outcome = store.query(|conn| conn.execute_batch(statement));
            assert!(matches!(outcome, Err(StoreError::Other(_))), "{statement}: {outcome:?}");
        }
        let wrong = store.query(|conn| conn.query_row("SELECT 'text'", [], |row| row.get::<_, i64>(0)));
        assert!(matches!(wrong, Err(StoreError::Other(_))), "{wrong:?}");
        assert_eq!(accounts(&store), 0);
        sql(&store, |mut sql| sql.execute("INSERT INTO account VALUES ('a@x', 1)", [])).unwrap();
        assert_eq!(accounts(&store), 1);
    }
}
