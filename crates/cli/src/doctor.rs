//! What an application needs, looked at one thing at a time. Each look gives a finding with what to do about it; none
//! changes anything.

pub(crate) mod database;
pub(crate) mod ports;
pub(crate) mod server;
pub(crate) mod tools;

use serde::Serialize;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Health {
    Well,
    /// Worth knowing; an application runs all the same.
    Note,
    Wrong,
}

/// One look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) what: &'static str,
    pub(crate) health: Health,
    pub(crate) text: String,
}

impl Finding {
    pub(crate) fn well(what: &'static str, text: impl Into<String>) -> Self {
        Self { what, health: Health::Well, text: text.into() }
    }

    pub(crate) fn note(what: &'static str, text: impl Into<String>) -> Self {
        Self { what, health: Health::Note, text: text.into() }
    }

    pub(crate) fn wrong(what: &'static str, text: impl Into<String>) -> Self {
        Self { what, health: Health::Wrong, text: text.into() }
    }
}
