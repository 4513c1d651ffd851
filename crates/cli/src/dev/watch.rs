//! Which files changed. Folders in which a build or a running application writes are not watched at all where that can be
//! known; readers of files are no editors of them. It must never wait for somebody to take what it has seen: it keeps
//! names, each once.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs, mem,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use notify_debouncer_full::{
    DebounceEventResult, Debouncer, NoCache, new_debouncer_opt,
    notify::{self, RecommendedWatcher, RecursiveMode},
};
use tokio::sync::Notify;

use super::{edit::is_ignored, project::Project};

/// How long a file must be left alone to count as saved: editors write in several steps. Nobody notices it.
const SETTLED: Duration = Duration::from_millis(50);

/// How often it is looked whether one is.
const TICK: Duration = Duration::from_millis(15);

#[derive(Debug)]
pub(crate) struct Watch {
    debouncer: Debouncer<RecommendedWatcher, NoCache>,
    seen: Arc<Seen>,
    /// Folders, and whether what lies below them is watched with them.
    watched: HashMap<PathBuf, RecursiveMode>,
}

#[derive(Debug, Default)]
struct Seen {
    paths: Mutex<BTreeSet<PathBuf>>,
    any: Notify,
}

impl Seen {
    fn note(&self, events: DebounceEventResult) {
        let events = events.unwrap_or_default();
        let edits = events.into_iter().filter(|event| !event.kind.is_access());
        let paths: Vec<_> = edits.flat_map(|event| event.event.paths).collect();
        if !paths.is_empty() {
            self.paths.lock().unwrap_or_else(PoisonError::into_inner).extend(paths);
            self.any.notify_one();
        }
    }
}

impl Watch {
    /// Watches what the application is made from.
    pub(crate) fn start(project: &Project, dir: &Path) -> notify::Result<Self> {
        let seen = Arc::new(Seen::default());
        let note = Arc::clone(&seen);
        let options = notify::Config::default();
        let debouncer = new_debouncer_opt(SETTLED, Some(TICK), move |events| note.note(events), NoCache, options)?;
        let mut watch = Self { debouncer, seen, watched: HashMap::new() };
        watch.add(dir, RecursiveMode::NonRecursive)?;
        watch.project(project)?;
        Ok(watch)
    }

    /// Watches what `project` is made from, as far as it was not yet.
    pub(crate) fn project(&mut self, project: &Project) -> notify::Result<()> {
        for root in &project.sources {
            self.add(root, RecursiveMode::NonRecursive)?;
            if *root == project.root {
                for entry in fs::read_dir(root)?.flatten() {
                    self.folder(&entry.path(), project)?;
                }
            } else {
                self.folder(&root.join("src"), project)?;
            }
        }
        Ok(())
    }

    /// Watches a folder beside the manifest, with all below it.
    fn folder(&mut self, folder: &Path, project: &Project) -> notify::Result<()> {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or(".");
        if is_ignored(name)
            || project.target.starts_with(folder)
            || folder.starts_with(&project.target)
            || !folder.is_dir()
        {
            return Ok(());
        }
        self.add(folder, RecursiveMode::Recursive)
    }

    /// Watches the folders of files that a program was made from and that lie elsewhere.
    pub(crate) fn inputs(&mut self, inputs: &HashSet<PathBuf>, project: &Project) -> notify::Result<()> {
        for folder in inputs.iter().filter_map(|path| path.parent()) {
            let is_covered = folder.ancestors().any(|above| self.watched.get(above) == Some(&RecursiveMode::Recursive));
            if !is_covered && !folder.starts_with(&project.target) && folder.is_dir() {
                self.add(folder, RecursiveMode::NonRecursive)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, mode: RecursiveMode) -> notify::Result<()> {
        if self.watched.contains_key(path) {
            return Ok(());
        }
        self.debouncer.watch(path, mode)?;
        self.watched.insert(path.to_path_buf(), mode);
        Ok(())
    }

    /// The files that changed since, at least one. Cancel-safe.
    pub(crate) async fn changed(&mut self, project: &Project) -> BTreeSet<PathBuf> {
        loop {
            let paths = mem::take(&mut *self.seen.paths.lock().unwrap_or_else(PoisonError::into_inner));
            if paths.is_empty() {
                self.seen.any.notified().await;
                continue;
            }
            for path in &paths {
                // A folder that was made or renamed; one that was removed may come again.
                if !path.exists() {
                    self.watched.remove(path);
                } else if path.parent() == Some(&project.root) {
                    drop(self.folder(path, project));
                }
            }
            return paths;
        }
    }
}
