//! A build from its beginning to what follows from it. The old program serves meanwhile; it must never be touched before
//! the new one is there.

use std::{sync::Arc, time::Instant};

use super::{Cycle, Doing};
use crate::dev::{
    board::Problem,
    build::{Built, Step, build},
    say::estimate,
    shared,
    watch::Watch,
};

impl Cycle {
    /// Builds; a build that is under way is ended, for it is of what no longer is.
    pub(super) fn build(&mut self) {
        self.asked = Instant::now();
        self.again = false;
        let is_first = self.app.is_none() && self.project.is_new();
        let (project, say, board) = (Arc::clone(&self.project), Arc::clone(&self.say), Arc::clone(&self.board));
        let total = project.packages;
        if is_first {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            let text = format!(
                "{} for the first time: {total} packages, {} on {cores} cores. Later builds take seconds",
                project.name,
                estimate(total, cores)
            );
            say.note("Building", &text);
        } else if self.app.is_none() {
            say.note(
                "Building",
                &format!("{}: seconds where it was built before, minutes where it was not", project.name),
            );
        }
        // Nothing is served yet: whoever waits wants to know how far it is.
        let is_waited_for = self.app.is_none();
        // Until something was built here, what lies in the target directory may have been built elsewhere.
        let is_anothers = self.program.as_os_str().is_empty() && shared::may_be_anothers(&project);
        if is_anothers && !is_first {
            let text = "the target directory is shared: what another folder may have built there is built anew";
            say.note("Cleaning", text);
        }
        say.begin(is_waited_for.then_some(total));
        board.change(|now| now.building = Some("Building".to_owned()));
        self.doing = Doing::Building(Box::pin(async move {
            let told = |step: Step<'_>| match step {
                Step::Done(done) if is_waited_for => {
                    say.progress(done, total);
                    let text = format!("Building: {done} of {total} packages");
                    board.change(|now| now.building = Some(text));
                }
                Step::Done(_) => {}
                Step::Warning(text) => say.words(text),
                Step::Said(text) => say.note("Cargo", text),
            };
            if is_anothers {
                shared::clean(&project).await;
            }
            build(&project, told).await
        }));
    }

    pub(super) async fn built(&mut self, built: Result<Built, Problem>, watch: &mut Watch) {
        self.doing = Doing::Nothing;
        self.say.end();
        self.broken = built.is_err();
        match built {
            Ok(built) => {
                shared::note(&self.project, &built.program);
                if let Err(error) = watch.inputs(&built.inputs, &self.project) {
                    self.say.wrong("Watching", &format!("not everything: {error}"));
                }
                let is_same = built.fresh && !self.outdated && self.app.is_some() && built.program == self.program;
                self.board.change(|now| (now.building, now.problem) = (None, None));
                (self.program, self.inputs) = (built.program, built.inputs);
                if is_same {
                    self.say.did("Unchanged", "the program is what it was");
                } else if self.app.is_some() {
                    self.swap();
                } else {
                    self.start().await;
                }
            }
            Err(problem) => {
                self.say.words(&problem.text);
                let still = if self.app.is_some() { ". The old program still serves" } else { "" };
                self.say.wrong("Failed", &format!("{}{still}", problem.title));
                self.board.change(|now| (now.building, now.problem) = (None, Some(problem)));
            }
        }
    }
}
