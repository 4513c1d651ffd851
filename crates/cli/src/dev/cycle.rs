//! The cycle of development: an edit, a build while the old program serves, the old one out, the new one in. One program
//! at a time has the database, so the old one has ended before the next is started; requests wait in between.

mod building;
mod edits;
mod swapping;

use std::{
    collections::HashSet,
    future::{Future, pending},
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    time::Instant,
};

use super::{
    app::{App, Event},
    board::{Board, Problem},
    build::Built,
    project::Project,
    say::Say,
    settings::Settings,
    signals::Signals,
    watch::Watch,
};

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What is being done beside serving.
enum Doing {
    Nothing,
    Building(Work<Result<Built, Problem>>),
    Ending(Work<()>),
}

enum Done {
    Built(Result<Built, Problem>),
    Ended,
}

impl Doing {
    /// Waits until it is done. Cancel-safe.
    async fn done(&mut self) -> Done {
        match self {
            Self::Nothing => pending().await,
            Self::Building(work) => Done::Built(work.await),
            Self::Ending(work) => {
                work.await;
                Done::Ended
            }
        }
    }
}

/// See the file's head.
pub(crate) struct Cycle {
    pub(crate) project: Arc<Project>,
    /// Which program was asked for.
    pub(crate) wanted: Option<String>,
    /// Where `riverrun dev` was started, and the application runs.
    pub(crate) dir: PathBuf,
    /// Where a browser finds the application: host and port.
    pub(crate) public: String,
    pub(crate) board: Arc<Board>,
    pub(crate) say: Arc<Say>,
    settings: Settings,
    app: Option<App>,
    doing: Doing,
    program: PathBuf,
    inputs: HashSet<PathBuf>,
    /// When what is under way was asked for, and since when nobody answers.
    asked: Instant,
    silent: Option<Instant>,
    /// Rust was edited when nothing could be built.
    again: bool,
    /// The last build failed.
    broken: bool,
    /// The program runs with settings that are no longer those of the file.
    outdated: bool,
}

impl Cycle {
    pub(crate) fn new(
        (project, wanted): (Project, Option<String>),
        dir: PathBuf,
        public: String,
        settings: Settings,
        board: Arc<Board>,
        say: Arc<Say>,
    ) -> Self {
        Self {
            project: Arc::new(project),
            wanted,
            dir,
            public,
            board,
            say,
            settings,
            app: None,
            doing: Doing::Nothing,
            program: PathBuf::new(),
            inputs: HashSet::new(),
            asked: Instant::now(),
            silent: None,
            again: false,
            broken: false,
            outdated: false,
        }
    }

    /// Goes on until `stop`, and leaves no program behind.
    pub(crate) async fn run(mut self, mut watch: Watch, mut stop: Signals) {
        self.build();
        loop {
            let project = Arc::clone(&self.project);
            tokio::select! {
                () = stop.next() => break,
                paths = watch.changed(&project) => self.edited(&paths, &mut watch),
                done = self.doing.done() => match done {
                    Done::Built(built) => self.built(built, &mut watch).await,
                    Done::Ended => self.start().await,
                },
                event = event(&mut self.app) => self.became(event).await,
            }
        }
        self.say.end();
        // What is being built or ended is dropped, and killed with that.
        if let Some(app) = self.app.take() {
            tokio::select! {
                () = app.end() => {}
                () = stop.next() => {}
            }
        }
    }
}

async fn event(app: &mut Option<App>) -> std::io::Result<Event> {
    match app {
        Some(app) => app.event().await,
        None => pending().await,
    }
}
