//! The committed conformance traces, replayed through the replica; and fresh ones, so that the format, the generator and
//! the replica can't drift apart unseen.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod common;
mod trace;

use std::{fs, path::PathBuf};

fn files() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance/traces");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "jsonl"));
    files.sort();
    files
}

#[test]
fn the_replica_says_what_the_committed_traces_say() {
    let (mut traces, mut steps) = (0, 0);
    for file in files() {
        let agreed = trace::player::replay(&fs::read_to_string(&file).unwrap());
        let agreed = agreed.unwrap_or_else(|why| panic!("{}: {why}", file.display()));
        traces += agreed.0;
        steps += agreed.1;
    }
    println!("{traces} traces, {steps} steps");
    assert!(traces >= 9 && steps >= 500, "{traces} traces, {steps} steps");
}

#[test]
fn a_trace_that_says_something_else_is_found() {
    let (name, acts) = trace::random::trace(3);
    let lines = trace::player::write(&name, acts);
    assert!(trace::player::replay(&lines.join("\n")).is_ok());
    let at = lines.iter().rposition(|line| line.contains(r#""pending":[["#)).unwrap();
    let mut other = lines.clone();
    other[at] = lines[at].replace(r#""pending":[["#, r#""pending":[["m-nobody",null,"shown","open"],["#);
    assert!(trace::player::replay(&other.join("\n")).is_err());
}

#[test]
fn the_same_seed_gives_the_same_traces() {
    let text = || {
        let all = trace::record::traces(5).into_iter().chain([trace::random::trace(5)]);
        all.flat_map(|(name, acts)| trace::player::write(&name, acts)).collect::<Vec<_>>()
    };
    assert_eq!(text(), text());
}
