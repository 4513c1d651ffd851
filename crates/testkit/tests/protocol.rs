//! The protocol's promises over every store of the workspace. A store that is not named here is not known to keep them.

mod own_file;

use std::{collections::BTreeSet, fs, path::Path};

use own_file::OwnFile;
use riverrun_engine::Memory;
use riverrun_sqlite::Sqlite;
use riverrun_testkit::protocol_contract;

protocol_contract!(memory, Memory::new);
protocol_contract!(sqlite, OwnFile::new);
protocol_contract!(sqlite_in_memory, || Sqlite::in_memory().expect("a database in memory"));

#[test]
fn every_case_that_is_written_is_run() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let list = fs::read_to_string(sources.join("protocol.rs")).expect("the list of cases");
    let listed: BTreeSet<&str> = list.lines().filter_map(|line| line.trim().strip_suffix(',')).collect();
    let mut written = 0;
    for file in fs::read_dir(sources.join("protocol")).expect("the cases") {
        let path = file.expect("a file of cases").path();
        let group = path.file_stem().and_then(|stem| stem.to_str()).expect("a file's name").to_owned();
        let text = fs::read_to_string(&path).expect("a file of cases");
        for line in text.lines().filter_map(|line| line.strip_prefix("pub fn ")) {
            let Some((case, _)) = line.split_once("(make: Make<") else { continue };
            assert!(listed.contains(&*format!("{group}::{case}")), "{group}::{case} is not in the list");
            written += 1;
        }
    }
    assert!(written > 100, "only {written} cases were found: this test looks in the wrong place");
}
