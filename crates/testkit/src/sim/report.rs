//! A run that failed, told: which promise, by which seed, and the fewest steps that were found to be enough. It finds those
//! by leaving steps out and running again.

use std::fmt;

use super::{
    broken::{Broken, Promise},
    plan::{Plan, Step},
};

/// Runs a shortening may cost.
const TRIES: usize = 120;

/// Lines of the trace that are shown: what happened last is what broke it.
const LINES: usize = 80;

/// A promise was broken.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// The seed that broke it.
    pub seed: u64,
    /// The store it ran over.
    pub store: String,
    /// Which promise.
    pub promise: Promise,
    /// What was seen.
    pub seen: String,
    /// The steps that are enough, of how many; each with its number in the whole plan.
    pub steps: Vec<String>,
    /// See above.
    pub of: usize,
    /// The last lines of the shortened run.
    pub trace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "BROKEN: {}", self.promise)?;
        writeln!(f, "{}", self.seen)?;
        writeln!(f, "SEED={} STORE={}", self.seed, self.store)?;
        writeln!(f, "{} of {} steps are enough:", self.steps.len(), self.of)?;
        for step in &self.steps {
            writeln!(f, "  {step}")?;
        }
        writeln!(f, "the last of what happened then (milliseconds of the run):")?;
        self.trace.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl std::error::Error for Failure {}

/// Leaves out what is not needed for the same promise to break. `runs` runs a plan and says what broke.
pub(crate) fn shorten(plan: &Plan, promise: &Promise, runs: &dyn Fn(&Plan) -> Option<Broken>) -> Plan {
    let mut best = plan.clone();
    let mut tries = TRIES;
    let mut chunk = best.steps.len().div_ceil(2);
    while chunk > 0 && tries > 0 {
        let mut at = 0;
        let mut shrunk = false;
        while at < best.steps.len() && tries > 0 {
            let mut steps: Vec<Step> = best.steps[..at].to_vec();
            steps.extend_from_slice(&best.steps[(at + chunk).min(best.steps.len())..]);
            let shorter = Plan { steps, ..best.clone() };
            tries -= 1;
            if runs(&shorter).is_some_and(|broken| broken.promise == *promise) {
                best = shorter;
                shrunk = true;
            } else {
                at += chunk;
            }
        }
        chunk = if chunk == 1 && !shrunk { 0 } else { (chunk / 2).max(1) };
    }
    best
}

/// A failure of a shortened plan.
pub(crate) fn failure(whole: &Plan, short: &Plan, store: &str, broken: Broken, trace: Vec<String>) -> Failure {
    let shown = |step: &Step| format!("{:>4} {:?}, then {} ms", step.number, step.kind, step.pause);
    let from = trace.len().saturating_sub(LINES);
    Failure {
        seed: whole.seed,
        store: store.to_owned(),
        promise: broken.promise,
        seen: broken.seen,
        steps: short.steps.iter().map(shown).collect(),
        of: whole.steps.len(),
        trace: trace.into_iter().skip(from).collect(),
    }
}
