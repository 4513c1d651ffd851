//! Writing answers to stdout: lines for people, coloured where a terminal wants it and `NO_COLOR` does not forbid it; JSON
//! Lines for programs. An answer that can't be written is an error, never a panic.

use std::io::{self, BufWriter, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

/// What is secondary.
pub(crate) const DIM: Style = Style::new().dimmed();
/// What is named.
pub(crate) const BOLD: Style = Style::new().bold();
/// What is well, or was added.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
/// What is wrong, or was removed.
pub(crate) const RED: Style = AnsiColor::Red.on_default();
/// What wants to be looked at, or was changed.
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();

/// The answer.
pub(crate) struct Out(BufWriter<anstream::AutoStream<io::StdoutLock<'static>>>);

impl Out {
    pub(crate) fn new() -> Self {
        Self(BufWriter::new(anstream::AutoStream::auto(io::stdout().lock())))
    }

    /// One line.
    pub(crate) fn line(&mut self, line: impl std::fmt::Display) -> io::Result<()> {
        writeln!(self.0, "{line}")
    }

    /// One line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        serde_json::to_writer(&mut self.0, value).map_err(io::Error::from)?;
        Ok(self.0.write_all(b"\n")?)
    }

    /// Sends what was written so far.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 scope`, `2 scopes`.
pub(crate) fn of(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Text of an application's in a line: no control character reaches a terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::{count, of, plain};

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (12_345, "12,345"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        assert_eq!((of(1, "scope", "scopes"), of(2, "scope", "scopes")), ("1 scope".into(), "2 scopes".into()));
    }

    #[test]
    fn control_characters_never_reach_a_terminal() {
        assert_eq!(plain("a\u{1b}[31mb\n"), "a\u{fffd}[31mb\u{fffd}");
    }
}
