//! What is told: progress while a test runs, and one line with its figures at the end. Nothing is judged here.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

/// How often progress is told.
const EVERY: Duration = Duration::from_secs(10);

/// What a test came to.
pub(crate) struct Line {
    pub(crate) test: &'static str,
    pub(crate) figures: String,
    /// Whether every promise was kept.
    pub(crate) is_kept: bool,
    /// What was broken, in words.
    pub(crate) why: Vec<String>,
}

impl Line {
    pub(crate) fn new(test: &'static str, figures: String, is_kept: bool) -> Self {
        Self { test, figures, is_kept, why: Vec::new() }
    }

    /// With reasons.
    pub(crate) fn because(mut self, why: Vec<String>) -> Self {
        self.why = why;
        self
    }
}

/// Tells how far a test has come, now and then.
pub(crate) struct Progress {
    test: &'static str,
    begun: Instant,
    told: Instant,
}

impl Progress {
    pub(crate) fn new(test: &'static str) -> Self {
        let begun = Instant::now();
        Self { test, begun, told: begun }
    }

    /// Says how far it is, if it is time to.
    pub(crate) fn tell(&mut self, how_far: impl FnOnce() -> String) {
        if self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            println!("  {} {:>4} s: {}", self.test, self.begun.elapsed().as_secs(), how_far());
        }
    }
}

/// All lines, with the time each test took.
pub(crate) fn table(lines: &[(Line, Duration)]) -> String {
    let mut text = String::from("\n");
    for (line, took) in lines {
        let verdict = if line.is_kept { "ok    " } else { "BROKEN" };
        let _ = writeln!(text, "{verdict}  {:<10} {:>5} s  {}", line.test, took.as_secs(), line.figures);
        for why in &line.why {
            let _ = writeln!(text, "          {why}");
        }
    }
    text
}
