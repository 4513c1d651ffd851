//! What is wrong with a template, and where: the file, the line, the source around it and the way that led there. It must
//! never hold the values a template was rendered with: they are users' data, and problems end up in logs.

use std::fmt;
use std::ops::Range;

use minijinja::{Error as EngineError, ErrorKind};

/// How many steps of the way are printed beside the first one, nearest first: a component that calls itself has dozens.
pub(crate) const SHOWN_NEAR: usize = 6;

/// A line of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The template, as a path below the root: `pages/home.html`.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One thing that is wrong with a template. Prints as `pages/home.html:3: undefined value: …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    message: String,
    trail: Vec<Place>,
    source: Option<String>,
    span: Option<Range<usize>>,
}

impl Problem {
    /// A problem that has no place in a template.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), trail: Vec::new(), source: None, span: None }
    }

    /// A problem at a place of `source`.
    pub(crate) fn at(place: Place, message: impl Into<String>, source: &str) -> Self {
        Self { message: message.into(), trail: vec![place], source: Some(source.to_owned()), span: None }
    }

    /// What the engine found wrong: its chain of errors leads from the page to the place.
    pub(crate) fn from_engine(error: &EngineError) -> Self {
        let mut problem = Self::new(String::new());
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(error) = next {
            if let Some(engine) = error.downcast_ref::<EngineError>() {
                problem.step(engine);
            } else if let Some(found) = error.downcast_ref::<Self>() {
                problem.arrive(found);
            } else {
                problem.message = format!("{}: {error}", problem.message);
            }
            next = error.source();
        }
        problem
    }

    /// One step further along the chain; the last one has the message that matters.
    fn step(&mut self, error: &EngineError) {
        self.message = match error.detail() {
            // Its kind says "invalid operation", which adds nothing to a text that says what is invalid.
            Some(detail) if error.kind() == ErrorKind::InvalidOperation => detail.to_owned(),
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        };
        let (Some(file), Some(line)) = (error.name(), error.line()) else { return };
        let place = Place { file: file.to_owned(), line };
        if self.trail.last() != Some(&place) {
            self.trail.push(place);
        }
        self.source = error.template_source().map(str::to_owned);
        self.span = error.range();
    }

    /// The end of the chain: a problem that was found before the engine saw the template.
    fn arrive(&mut self, found: &Self) {
        self.message.clone_from(&found.message);
        if !found.trail.is_empty() {
            self.trail.extend(found.trail.iter().cloned());
            self.source.clone_from(&found.source);
            self.span.clone_from(&found.span);
        }
    }

    /// What is wrong, in a sentence without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where it is; `None` if it is not in a template, as for a page that does not exist.
    pub fn place(&self) -> Option<&Place> {
        self.trail.last()
    }

    /// The way there, outermost first: the page, the components and includes; the last one is [`place`](Self::place).
    pub fn trail(&self) -> &[Place] {
        &self.trail
    }

    /// The lines around the place, up to `around` on each side.
    pub fn excerpt(&self, around: usize) -> Vec<Line<'_>> {
        let (Some(place), Some(source)) = (self.place(), &self.source) else { return Vec::new() };
        let first = place.line.saturating_sub(around).max(1);
        let mut lines = Vec::new();
        let mut start = 0;
        for (index, raw) in source.split_inclusive('\n').enumerate() {
            let (number, next) = (index + 1, start + raw.len());
            if number > place.line + around {
                break;
            }
            if number >= first {
                let text = raw.trim_end_matches(['\n', '\r']);
                let marked = (number == place.line).then(|| self.marked(start, text)).flatten();
                lines.push(Line { number, text, is_place: number == place.line, marked });
            }
            start = next;
        }
        lines
    }

    /// The part of the line that begins at byte `start` of the source which the engine blames.
    fn marked(&self, start: usize, text: &str) -> Option<Range<usize>> {
        let span = self.span.as_ref()?;
        let from = span.start.checked_sub(start)?;
        let to = span.end.checked_sub(start)?.min(text.len());
        (from < to && text.get(from..to).is_some()).then_some(from..to)
    }
}

/// One line of an [`excerpt`](Problem::excerpt).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: usize,
    /// Its text, without the end of line.
    pub text: &'a str,
    /// Whether it is the line the problem is in.
    pub is_place: bool,
    /// The bytes of `text` to blame, if they are known.
    pub marked: Option<Range<usize>>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place() {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)?;
        let way = self.trail.len().saturating_sub(1);
        for (at, from) in self.trail.iter().rev().skip(1).enumerate() {
            if at == SHOWN_NEAR && way > SHOWN_NEAR + 1 {
                write!(f, " (… {} more)", way - SHOWN_NEAR - 1)?;
            }
            if at < SHOWN_NEAR || at + 1 == way {
                write!(f, " (from {from})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}
