//! A test of the test: bugs planted in the replica, each of them found by the committed conformance traces. It is a binary
//! of its own, since a planted bug is there for the whole process.

#![cfg(feature = "planted")]
// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod common;
mod trace;

use std::{fs, path::PathBuf};

use riverrun_core::planted::{Bug, plant};

#[test]
fn every_bug_planted_in_the_replica_is_found_by_the_committed_traces() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance/traces");
    let texts: Vec<String> =
        fs::read_dir(folder).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let finds = || {
        // A panic finds it as well.
        let replayed = |text: &String| std::panic::catch_unwind(|| trace::player::replay(text));
        texts.iter().any(|text| !matches!(replayed(text), Ok(Ok(_))))
    };
    assert!(!finds(), "the traces hold without a bug");
    for bug in [
        Bug::ClientLetGoAtVerdict,
        Bug::ClientRejectedStays,
        Bug::ClientNoRebase,
        Bug::ClientGapApplied,
        Bug::ClientGoesBack,
        Bug::ClientNoDigest,
    ] {
        plant(Some(bug));
        assert!(finds(), "{bug:?} goes unseen");
    }
    plant(None);
}
