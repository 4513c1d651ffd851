//! What a person reads in the terminal: this program's lines as cargo writes its own, the application's as they are, and a
//! bar below them while something is built. Where no terminal is, there is no bar and no colour.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often progress is told where it can't be drawn.
const TOLD_EACH: Duration = Duration::from_secs(10);

/// How often a bar is drawn anew, so that its clock goes on.
const DRAWN_EACH: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) struct Say {
    bar: Mutex<ProgressBar>,
    told: Mutex<Instant>,
}

impl Say {
    pub(crate) fn new() -> Self {
        Self { bar: Mutex::new(ProgressBar::hidden()), told: Mutex::new(Instant::now()) }
    }

    /// Something was done.
    pub(crate) fn did(&self, label: &str, text: &str) {
        self.line(AnsiColor::Green, label, text);
    }

    /// Something goes on, or is worth knowing.
    pub(crate) fn note(&self, label: &str, text: &str) {
        self.line(AnsiColor::Cyan, label, text);
    }

    /// Something is wrong.
    pub(crate) fn wrong(&self, label: &str, text: &str) {
        self.line(AnsiColor::Red, label, text);
    }

    fn line(&self, colour: AnsiColor, label: &str, text: &str) {
        let style = Style::new().bold().fg_color(Some(colour.into()));
        self.above(|| anstream::eprintln!("{style}{label:>12}{style:#} {text}"));
    }

    /// A compiler's words, with their colours.
    pub(crate) fn words(&self, text: &str) {
        self.above(|| anstream::eprintln!("{}", text.trim_end()));
    }

    /// A line of the application's.
    pub(crate) fn passes(&self, line: &str, is_error: bool) {
        self.above(|| if is_error { anstream::eprintln!("{line}") } else { anstream::println!("{line}") });
    }

    fn above(&self, print: impl FnOnce()) {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner).suspend(print);
    }

    /// A build begins, of so many packages; without their number nobody knows how far it is.
    pub(crate) fn begin(&self, packages: Option<usize>) {
        let line = match packages {
            Some(_) => "    {msg:.cyan.bold} [{bar:32}] {pos}/{len} packages, {elapsed}",
            None => "    {msg:.cyan.bold} {spinner} {elapsed}",
        };
        let bar = ProgressBar::with_draw_target(packages.map(|count| count as u64), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(line).unwrap_or_else(|_| ProgressStyle::default_spinner());
        bar.set_style(style.progress_chars("=> "));
        bar.set_message("Building");
        bar.enable_steady_tick(DRAWN_EACH);
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = bar;
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// So many packages of them are done.
    pub(crate) fn progress(&self, done: usize, of: usize) {
        let is_hidden = {
            let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
            bar.set_position(done as u64);
            bar.is_hidden()
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if is_hidden && told.elapsed() >= TOLD_EACH {
            *told = Instant::now();
            self.note("Building", &format!("{done} of {of} packages are done"));
        }
    }

    /// The build is over.
    pub(crate) fn end(&self) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        bar.finish_and_clear();
        *bar = ProgressBar::hidden();
    }
}

/// How long a first build takes, in words: never to be taken for a promise.
pub(crate) fn estimate(packages: usize, cores: usize) -> String {
    /// Measured with the template application: 87 packages in 50 seconds on two cores.
    const SECONDS_EACH: f64 = 1.15;
    #[allow(clippy::cast_precision_loss)] // Neither comes near the numbers at which that begins.
    let seconds = packages as f64 * SECONDS_EACH / cores.max(1) as f64;
    match seconds {
        ..20.0 => "less than half a minute".to_owned(),
        ..45.0 => "about half a minute".to_owned(),
        ..90.0 => "about a minute".to_owned(),
        _ => format!("about {:.0} minutes", seconds / 60.0),
    }
}

/// A span as a person reads it.
pub(crate) fn span(span: Duration) -> String {
    if span < Duration::from_secs(1) {
        format!("{} ms", span.as_millis())
    } else {
        format!("{:.1} s", span.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_build_is_told_in_the_words_of_a_person() {
        assert_eq!(estimate(100, 2), "about a minute");
        assert_eq!(estimate(100, 16), "less than half a minute");
        assert_eq!(estimate(400, 2), "about 4 minutes");
        assert_eq!(span(Duration::from_millis(120)), "120 ms");
        assert_eq!(span(Duration::from_millis(1234)), "1.2 s");
    }
}
