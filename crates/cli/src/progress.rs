//! A progress bar on stderr, only where that is a terminal. It is never part of an answer.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over this many units.
pub(crate) fn bar(what: &'static str, of: u64) -> ProgressBar {
    let bar = ProgressBar::new(of);
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:32}] {human_pos}/{human_len} {eta}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(what);
    bar
}
