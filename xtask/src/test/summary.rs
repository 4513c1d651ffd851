//! The end of `cargo xtask test`: a table of the steps, and one plain line that counts the tests, for people and for
//! machines that read only the last line.

use std::{fmt::Write, time::Duration};

use serde::{Deserialize, Serialize};

use super::{counts::Counts, plan::Step};

/// How a step ended.
#[derive(Serialize, Deserialize)]
pub(super) enum Outcome {
    Ok,
    /// With the reason.
    Failed(String),
    /// With the reason.
    Skipped(String),
}

/// A step that is over.
#[derive(Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) step: Step,
    pub(super) outcome: Outcome,
    pub(super) tests: Counts,
    pub(super) seconds: f64,
}

impl Done {
    /// A step that was not worth running.
    pub(super) fn skipped(step: Step, why: String) -> Self {
        Self { step, outcome: Outcome::Skipped(why), tests: Counts::default(), seconds: 0.0 }
    }

    /// How it ended, in a line.
    pub(super) fn line(&self) -> String {
        let Self { step, seconds, .. } = self;
        match &self.outcome {
            Outcome::Ok => format!("--- {step} ok, {seconds:.1} s"),
            Outcome::Failed(why) => format!("--- {step} FAILED, {seconds:.1} s: {why}"),
            Outcome::Skipped(why) => format!("--- {step} SKIPPED: {why}"),
        }
    }
}

/// The table, how long it all took, and the line `N passed, M failed` alone at its end.
pub(super) fn table(all: &[Done], took: Duration) -> String {
    let mut table = format!("\n{:<14}  {:<7}  {:>7}  {:>6}  {:>6}\n", "step", "result", "seconds", "passed", "failed");
    let mut total = Counts::default();
    for done in all {
        let (result, why) = match &done.outcome {
            Outcome::Ok => ("ok", String::new()),
            Outcome::Failed(why) => ("FAILED", in_short(why)),
            Outcome::Skipped(why) => ("skipped", in_short(why)),
        };
        let Counts { passed, failed } = done.tests;
        let number = |number: u64| if number == 0 { String::new() } else { number.to_string() };
        let (step, seconds) = (done.step, done.seconds);
        let row =
            format!("{step:<14}  {result:<7}  {seconds:>7.1}  {:>6}  {:>6}  {why}", number(passed), number(failed));
        table.push_str(row.trim_end());
        table.push('\n');
        total += done.tests;
        if failed == 0 && matches!(done.outcome, Outcome::Failed(_)) {
            total.failed += 1;
        }
    }
    // Writing into a string does not fail.
    let _ = writeln!(table, "{:<14}  {:<7}  {:>7.1}", "all", "", took.as_secs_f64());
    let _ = write!(table, "\n{} passed, {} failed\n", total.passed, total.failed);
    table
}

/// Characters of a reason that the table has room for; the whole stands above, where the step ended.
const REASON: usize = 70;

fn in_short(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default().trim_end_matches(':');
    if first.chars().count() <= REASON {
        return first.to_owned();
    }
    let cut: String = first.chars().take(REASON).collect();
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Done, Outcome, table};
    use crate::test::{counts::Counts, plan::Step};

    fn done(step: Step, outcome: Outcome, passed: u64, failed: u64) -> Done {
        Done { step, outcome, tests: Counts { passed, failed }, seconds: 1.25 }
    }

    #[test]
    fn the_last_line_counts_tests_and_each_step_that_failed_without_one() {
        let all = [
            done(Step::Fmt, Outcome::Failed("`cargo fmt` failed:\n  at length".to_owned()), 0, 0),
            done(Step::Tidy, Outcome::Ok, 0, 0),
            done(Step::RustTest, Outcome::Failed("`cargo test` failed".to_owned()), 40, 2),
            done(Step::ClientTest, Outcome::Ok, 10, 0),
            done(Step::BrowserTest, Outcome::Skipped("there are none ".repeat(9)), 0, 0),
        ];
        let expected = "
step            result   seconds  passed  failed
fmt             FAILED       1.2                  `cargo fmt` failed
tidy            ok           1.2
rust-test       FAILED       1.2      40       2  `cargo test` failed
client-test     ok           1.2      10
browser-test    skipped      1.2                  there are none there are none there are none there are none there are…
all                          4.0

50 passed, 3 failed
";
        assert_eq!(table(&all, Duration::from_secs(4)), expected);
    }
}
