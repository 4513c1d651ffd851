//! The old program out, the new one in, and what becomes of that one. Two programs must never run at once: they would
//! open one database.

use std::time::Instant;

use super::{Cycle, Doing};
use crate::dev::{
    app::{App, Event},
    board::{Problem, Upstream},
    say::span,
};

impl Cycle {
    /// The old program out; the new one follows when it has let go of everything.
    pub(super) fn swap(&mut self) {
        self.board.change(|now| now.upstream = Upstream::Starting);
        self.silent = Some(Instant::now());
        let old = self.app.take();
        self.doing = Doing::Ending(Box::pin(async {
            if let Some(app) = old {
                app.end().await;
            }
        }));
    }

    pub(super) async fn start(&mut self) {
        self.doing = Doing::Nothing;
        self.outdated = false;
        self.board.change(|now| now.upstream = Upstream::Starting);
        let (project, settings) = (&self.project, &self.settings);
        match App::start(&self.program, &project.root, &self.dir, settings, &self.public, &self.say).await {
            Ok(app) => self.app = Some(app),
            Err(error) => self.fell("The application can't be started".to_owned(), format!("{error:#}")),
        }
        if self.again {
            self.build();
        }
    }

    pub(super) async fn became(&mut self, event: std::io::Result<Event>) {
        match event {
            Ok(Event::Listens) => {
                let Some(app) = &self.app else { return };
                let upstream = Upstream::Up(app.address);
                self.board.change(|now| {
                    now.page += 1;
                    now.upstream = upstream;
                    if !self.broken {
                        now.problem = None;
                    }
                });
                let took = span(self.asked.elapsed());
                match self.silent.take() {
                    Some(silent) => {
                        let gap = span(silent.elapsed());
                        self.say.did("Swapped", &format!("after {took}; requests waited for {gap} of it"));
                    }
                    None => self.say.did("Ready", &format!("http://{} after {took}", self.public)),
                }
            }
            Ok(Event::Slow) => self.say.note(
                "Waiting",
                "the application runs but does not listen yet. It must serve with riverrun::serve, or at HOST and PORT",
            ),
            Ok(Event::Ended(status)) => {
                let words = match &mut self.app {
                    Some(app) => app.last_words().await,
                    None => String::new(),
                };
                self.fell(format!("The application ended by itself ({status})"), words);
            }
            Err(error) => self.fell("The application is out of reach".to_owned(), error.to_string()),
        }
    }

    /// Nobody answers, until something is edited.
    fn fell(&mut self, title: String, text: String) {
        self.app = None;
        self.silent = None;
        self.say.wrong("Ended", &format!("{title}. It is started again after the next edit of its code or settings"));
        self.board.change(|now| {
            now.upstream = Upstream::Down;
            now.problem = Some(Problem { title, text });
        });
    }
}
