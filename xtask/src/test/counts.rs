//! Counting tests in what the three runners say: cargo's test harness, vitest and Node's own. A test that was skipped or
//! ignored counts as neither passed nor failed. Pure reading; the outputs in `data/` are captured ones.

use std::ops::AddAssign;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Tests of one runner or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// One line of `cargo test`; most lines count nothing. Every test program and every crate's doc tests end with such a
/// line: `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`.
pub(super) fn of_cargo_line(line: &str) -> Counts {
    let line = without_colour(line);
    let mut counts = Counts::default();
    let Some((_, parts)) = line.strip_prefix("test result: ").and_then(|result| result.split_once(". ")) else {
        return counts;
    };
    for part in parts.split("; ") {
        match part.split_once(' ').map(|(number, what)| (number.parse(), what)) {
            Some((Ok(number), "passed")) => counts.passed = number,
            Some((Ok(number), "failed")) => counts.failed = number,
            _ => {}
        }
    }
    counts
}

/// One line of `node --test`, whose summary is `# pass 2` in TAP and `ℹ pass 2` in its own form. A test cut short by its
/// parent is called cancelled there; it has failed.
pub(super) fn of_node_line(line: &str) -> Counts {
    let line = without_colour(line);
    let mut counts = Counts::default();
    let Some(words) = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ ")) else {
        return counts;
    };
    match words.split_once(' ').map(|(what, number)| (what, number.parse())) {
        Some(("pass", Ok(number))) => counts.passed = number,
        Some(("fail" | "cancelled", Ok(number))) => counts.failed = number,
        _ => {}
    }
    counts
}

/// Vitest's JSON report.
pub(super) fn of_vitest(report: &str) -> Result<Counts> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Report {
        num_passed_tests: u64,
        num_failed_tests: u64,
    }
    let report: Report = serde_json::from_str(report).context("failed to read vitest's report")?;
    Ok(Counts { passed: report.num_passed_tests, failed: report.num_failed_tests })
}

/// The text without the escape sequences that colour it (`ESC [ … m`).
fn without_colour(line: &str) -> String {
    let mut pieces = line.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        plain.push_str(piece.split_once('m').map_or(piece, |(_, rest)| rest));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{Counts, of_cargo_line, of_node_line, of_vitest};

    fn check(read: fn(&str) -> Counts, output: &str, passed: u64, failed: u64) {
        let mut counts = Counts::default();
        output.lines().for_each(|line| counts += read(line));
        assert_eq!(counts, Counts { passed, failed });
    }

    #[test]
    fn cargo_s_test_programs_and_doc_tests_are_added_up() {
        check(of_cargo_line, include_str!("data/cargo_ok.txt"), 6, 0);
        check(of_cargo_line, include_str!("data/cargo_failed.txt"), 4, 2);
    }

    #[test]
    fn a_test_s_own_output_is_not_counted() {
        check(of_cargo_line, "   test result: ok. 9 passed; 0 failed;\nall 9 passed; 3 failed\n", 0, 0);
        check(of_cargo_line, "test result: who knows\n", 0, 0);
    }

    #[test]
    fn node_s_summary_is_read_in_both_forms_and_in_colour() {
        check(of_node_line, include_str!("data/node_tap.txt"), 2, 1);
        check(of_node_line, include_str!("data/node_spec.txt"), 2, 1);
        check(of_node_line, include_str!("data/node_spec_colour.txt"), 2, 1);
    }

    #[test]
    fn a_cancelled_test_of_node_s_has_failed() {
        check(of_node_line, include_str!("data/node_cancelled.txt"), 1, 2);
    }

    #[test]
    fn vitest_s_report_is_read() {
        let report = include_str!("data/vitest.json");
        assert_eq!(of_vitest(report).unwrap(), Counts { passed: 1, failed: 1 });
        assert!(of_vitest("{}").is_err());
        assert!(of_vitest("").is_err());
    }
}
