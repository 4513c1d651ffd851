//! The rule of small rooms: a file that no longer fits on a few screens holds more than one thing and is split by
//! meaning. Only Rust, TypeScript and JavaScript written by people are measured.

use super::{Finding, Findings, Kind, kind};
use crate::repo::TextFile;

/// Lines from which a source file is worth a look.
const LOOK: usize = 300;
/// Lines a source file may have.
const SOURCE: usize = 500;
/// Lines a test file may have: cases are read one at a time.
const TEST: usize = 900;

pub(super) fn check(file: &TextFile, findings: &mut Findings) {
    let lines = file.text.lines().count();
    let (look, limit) = match kind(&file.path) {
        Kind::Source => (LOOK, SOURCE),
        Kind::Test => (TEST, TEST),
        Kind::Other => return,
    };
    let finding = |text| Finding { place: file.path.clone(), line: None, text };
    if lines > limit {
        findings.broken.push(finding(format!("{lines} lines, {limit} are the limit: split it by meaning")));
    } else if lines > look {
        findings.advice.push(finding(format!("{lines} lines, {limit} are the limit")));
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::{repo::TextFile, tidy::Findings};

    fn found(path: &str, lines: usize) -> (usize, usize) {
        let mut findings = Findings::default();
        check(&TextFile { path: path.to_owned(), text: "x\n".repeat(lines) }, &mut findings);
        (findings.broken.len(), findings.advice.len())
    }

    #[test]
    fn a_long_source_file_is_advised_about_and_a_longer_one_fails() {
        assert_eq!(found("crates/core/src/tx.rs", 300), (0, 0));
        assert_eq!(found("crates/core/src/tx.rs", 301), (0, 1));
        assert_eq!(found("crates/core/src/tx.rs", 500), (0, 1));
        assert_eq!(found("packages/client/src/core/tx.ts", 501), (1, 0));
    }

    #[test]
    fn a_test_file_may_be_longer_and_other_files_as_long_as_they_like() {
        assert_eq!(found("crates/core/tests/json.rs", 900), (0, 0));
        assert_eq!(found("crates/core/tests/json.rs", 901), (1, 0));
        assert_eq!(found("docs/protocol.md", 5000), (0, 0));
        assert_eq!(found("packages/client/dist/client.js", 5000), (0, 0));
    }
}
