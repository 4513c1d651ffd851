//! What is known of the steps of one run: which are over and how. Two threads share it, one for the steps that run beside
//! the others; it runs nothing itself.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{
    plan::Step,
    summary::{Done, Outcome},
};

/// See the file's head.
pub(super) struct Board {
    planned: Vec<Step>,
    done: Mutex<Vec<Done>>,
    changed: Condvar,
}

impl Board {
    pub(super) fn new(planned: Vec<Step>) -> Self {
        Self { planned, done: Mutex::default(), changed: Condvar::new() }
    }

    /// Those that are over, in the order in which they ended.
    pub(super) fn done(&self) -> MutexGuard<'_, Vec<Done>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, done: Done) {
        self.done().push(done);
        self.changed.notify_all();
    }

    /// The first of `steps` that is to run and is not over.
    pub(super) fn missing(&self, steps: &[Step]) -> Option<Step> {
        let done = self.done();
        let is_missing = |step: &Step| self.planned.contains(step) && done.iter().all(|done| done.step != *step);
        steps.iter().copied().find(is_missing)
    }

    /// Waits until something more is over than the `seen` first.
    pub(super) fn wait(&self, seen: usize) {
        let nothing_new = |done: &mut Vec<Done>| done.len() <= seen;
        let waited = self.changed.wait_while(self.done(), nothing_new);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Why a step is not worth running, if one before it failed whose failure says all there is to say.
    pub(super) fn spoiled(&self, step: Step) -> Option<String> {
        let spoils =
            |done: &&Done| !matches!(done.outcome, Outcome::Ok) && step.means_nothing_without().contains(&done.step);
        self.done().iter().find(spoils).map(|done| format!("{} did not succeed", done.step))
    }

    /// Whether the workspace's programs lie in the target directory as they are now.
    pub(super) fn was_built(&self) -> bool {
        self.done().iter().any(|done| done.step == Step::Build && matches!(done.outcome, Outcome::Ok))
    }

    /// All, in the order of the plan.
    pub(super) fn into_sorted(self) -> Vec<Done> {
        let mut done = self.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|done| self.planned.iter().position(|step| *step == done.step));
        done
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;
    use crate::test::counts::Counts;

    fn ended(step: Step, outcome: Outcome) -> Done {
        Done { step, outcome, tests: Counts::default(), seconds: 1.0 }
    }

    #[test]
    fn a_step_waits_for_what_it_needs_and_is_planned_only() {
        let board = Board::new(vec![Step::Build, Step::RustTest, Step::Dev]);
        assert_eq!(board.missing(Step::RustTest.means_nothing_without()), Some(Step::Build));
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(20));
                board.put(ended(Step::Build, Outcome::Ok));
            });
            board.wait(0);
        });
        assert_eq!(board.missing(Step::RustTest.means_nothing_without()), None);
        assert_eq!(board.missing(Step::Dev.means_nothing_without()), None, "the browser is not in the plan");
        assert_eq!(board.missing(Step::Dev.comes_after()), None, "nor is the tutorial");
        assert!(board.was_built());
    }

    #[test]
    fn what_failed_spoils_what_needs_it_and_nothing_else() {
        let board = Board::new(vec![Step::Build, Step::RustTest, Step::Clippy]);
        board.put(ended(Step::Build, Outcome::Failed("no".to_owned())));
        assert_eq!(board.spoiled(Step::RustTest).as_deref(), Some("build did not succeed"));
        assert_eq!(board.spoiled(Step::Clippy), None);
        assert!(!board.was_built());
    }
}
