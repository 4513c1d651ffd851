//! The inputs that were worth keeping, replayed without a fuzzer: what once broke a target must never break it again.

#![allow(clippy::unwrap_used)]

use std::{fs, panic, path::Path};

use riverrun_fuzz::TARGETS;

/// Bytes that all inputs together may have: a corpus is read and carried by everyone, and a small one covers as much.
const CORPUS_BYTES: usize = 200 << 10;

/// Targets that write a file for every input.
const ON_DISK: [&str; 2] = ["records", "storage"];

fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut inputs: Vec<_> = files
        .map(|file| {
            let file = file.unwrap();
            (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())
        })
        .collect();
    inputs.sort();
    inputs
}

#[test]
fn every_input_that_was_kept_passes_its_target() {
    let mut broken = Vec::new();
    for target in &TARGETS {
        let inputs = inputs(target.name);
        assert!(!inputs.is_empty(), "{} has no inputs", target.name);
        for (name, bytes) in inputs {
            if panic::catch_unwind(|| (target.run)(&bytes)).is_err() {
                broken.push(format!("{}/{name}", target.name));
            }
        }
    }
    assert!(broken.is_empty(), "these inputs break their target: {broken:#?}");
}

#[test]
fn no_target_minds_an_input_of_another() {
    for from in &TARGETS {
        for (name, bytes) in inputs(from.name) {
            for to in TARGETS.iter().filter(|to| !ON_DISK.contains(&to.name)) {
                let ran = panic::catch_unwind(|| (to.run)(&bytes));
                assert!(ran.is_ok(), "{}/{name} breaks {}", from.name, to.name);
            }
        }
    }
}

#[test]
fn the_corpus_stays_small() {
    let bytes: usize = TARGETS.iter().flat_map(|target| inputs(target.name)).map(|(_, bytes)| bytes.len()).sum();
    assert!(bytes <= CORPUS_BYTES, "{bytes} bytes, {CORPUS_BYTES} are the limit: `cargo xtask fuzz --minimise`");
}

#[test]
fn every_target_has_its_part_of_a_run() {
    let lines = include_str!("../targets.txt").lines().filter(|line| !line.starts_with('#'));
    let named: Vec<_> = lines.filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(named, TARGETS.map(|target| target.name));
}
