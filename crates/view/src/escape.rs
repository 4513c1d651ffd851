//! HTML escaping, for text and for attributes in quotes. It differs from the engine's in one sign: `/` stays, which ends
//! nothing there, and half of what is printed are addresses. It must never be skipped for what isn't marked safe.

use std::fmt;

use minijinja::{AutoEscape, Error, Output, State, Value, escape_formatter};

/// Text that prints escaped.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_escaped(self.0, |part| f.write_str(part))
    }
}

/// Prints a value into a template's output.
pub(crate) fn format(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if *state.auto_escape() == AutoEscape::Html && !value.is_safe() => {
            Ok(write_escaped(text, |part| out.write_str(part))?)
        }
        _ => escape_formatter(out, state, value),
    }
}

fn write_escaped(text: &str, mut write: impl FnMut(&str) -> fmt::Result) -> fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>', '&', '"', '\'']) {
        let (before, tail) = rest.split_at(at);
        write(before)?;
        write(match tail.as_bytes().first() {
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            Some(b'&') => "&amp;",
            Some(b'"') => "&quot;",
            _ => "&#x27;",
        })?;
        rest = &tail[1..];
    }
    write(rest)
}
