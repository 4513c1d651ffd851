//! From edited files to what is done about them. An edit that needs no program is told to the pages at once; it must never
//! wait for one that does.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Instant};

use super::{Cycle, Doing};
use crate::dev::{
    board::Problem,
    edit::{self, Edit},
    project::Project,
    settings::Settings,
    watch::Watch,
};

/// Paths that are named in one line; more are counted.
const NAMED: usize = 3;

impl Cycle {
    pub(super) fn edited(&mut self, paths: &BTreeSet<PathBuf>, watch: &mut Watch) {
        let edits: Vec<_> = paths
            .iter()
            .filter_map(|path| Some((edit::of(path, &self.project, &self.dir, &self.inputs)?, path)))
            .collect();
        let Some(most) = edits.iter().map(|(edit, _)| *edit).max() else { return };
        let asks = |wanted: Edit| edits.iter().any(|(edit, _)| *edit == wanted);
        let names = self.names(edits.iter().map(|(_, path)| *path));
        self.board.change(|now| {
            now.styles += u64::from(asks(Edit::Styles));
            now.page += u64::from(asks(Edit::Page));
        });
        match most {
            Edit::Styles => self.say.did("Restyled", &names),
            Edit::Page => self.say.did("Reloaded", &names),
            Edit::Settings | Edit::Rust => self.say.note("Edited", &names),
        }
        if asks(Edit::Settings) && !self.read_settings() {
            return;
        }
        match most {
            Edit::Rust => {
                if edits.iter().any(|(_, path)| path.ends_with("Cargo.toml")) {
                    self.look_again(watch);
                }
                match self.doing {
                    Doing::Ending(_) => self.again = true,
                    _ => self.build(),
                }
            }
            Edit::Settings if matches!(self.doing, Doing::Nothing) && !self.program.as_os_str().is_empty() => {
                self.asked = Instant::now();
                self.swap();
            }
            _ => {}
        }
    }

    fn names<'a>(&self, paths: impl Iterator<Item = &'a PathBuf>) -> String {
        let paths: Vec<_> =
            paths.map(|path| path.strip_prefix(&self.dir).unwrap_or(path).display().to_string()).collect();
        let more = paths.len().saturating_sub(NAMED);
        let named = paths[..paths.len() - more].join(", ");
        if more == 0 { named } else { format!("{named} and {more} more") }
    }

    /// Whether the settings can be used. If not, the old ones stay.
    fn read_settings(&mut self) -> bool {
        match Settings::read(&self.dir) {
            Ok(settings) => {
                self.settings = settings;
                self.outdated = true;
                true
            }
            Err(error) => {
                let text = format!("{error:#}");
                self.say.wrong("Settings", &text);
                self.board
                    .change(|now| now.problem = Some(Problem { title: "The settings can't be read".into(), text }));
                false
            }
        }
    }

    /// After an edit of a manifest. One that is broken is cargo's to explain.
    fn look_again(&mut self, watch: &mut Watch) {
        let found = tokio::task::block_in_place(|| Project::find(&self.dir, self.wanted.as_deref()));
        if let Ok(project) = found {
            if let Err(error) = watch.project(&project) {
                self.say.wrong("Watching", &format!("not everything: {error}"));
            }
            self.project = Arc::new(project);
        }
    }
}
