//! Every statement the store runs finds its rows by a key: none reads a table from end to end, none sorts.
#![allow(clippy::unwrap_used)]

mod common;

use common::Directory;
use riverrun_sqlite::{
    Sqlite,
    rusqlite::{Connection, params_from_iter, types::Null},
};

const VERBS: [&str; 4] = ["SELECT ", "INSERT ", "UPDATE ", "DELETE "];

#[test]
fn no_statement_scans_or_sorts() {
    let directory = Directory::new();
    let file = directory.file("app.db");
    drop(Sqlite::open(&file).unwrap());
    let conn = Connection::open(&file).unwrap();
    let mut seen = 0;
    for source in ["read.rs", "write.rs", "forget.rs", "session.rs"] {
        let text = std::fs::read_to_string(format!("{}/src/{source}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        // Each statement stands in one string literal without quotes inside.
        for sql in text.split('"').filter(|part| VERBS.iter().any(|verb| part.starts_with(verb))) {
            let mut explained = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let nulls = vec![Null; explained.parameter_count()];
            let plan = explained.query_map(params_from_iter(nulls), |row| row.get(3)).unwrap();
            for line in plan.collect::<Result<Vec<String>, _>>().unwrap() {
                assert!(!line.contains("SCAN") || line.contains("CONSTANT ROW"), "{sql}\n{line}");
                assert!(!line.contains("TEMP B-TREE"), "{sql}\n{line}");
            }
            seen += 1;
        }
    }
    assert!(seen > 30, "only {seen} statements were found: has their place changed?");
}

#[test]
fn a_pruning_goes_on_from_its_place_by_the_index_of_time() {
    let directory = Directory::new();
    let file = directory.file("app.db");
    drop(Sqlite::open(&file).unwrap());
    let conn = Connection::open(&file).unwrap();
    let text = std::fs::read_to_string(format!("{}/src/forget.rs", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let sql = text.split('"').find(|part| part.starts_with("SELECT v.time")).unwrap();
    let mut explained = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let plan: String = explained.query_row([0, 0, 0, 0, 0], |row| row.get(3)).unwrap();
    // The place bounds the search from below, the moment from above.
    assert!(plan.contains("rr_verdict_time ((time,scope,principal,id)>(?,?,?,?) AND time<?)"), "{plan}");
}
