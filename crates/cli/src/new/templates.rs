//! The templates as they are in the binary. They are the workspace's own members, compiled and tested as they stand; here
//! they are only found by name.

use anyhow::{Context, Result};

include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// A template: its files by their paths.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) name: &'static str,
    pub(crate) files: &'static [(&'static str, &'static [u8])],
}

impl Template {
    /// A file that has to be there.
    pub(super) fn text(&self, path: &str) -> Result<&'static str> {
        let found = self.files.iter().find(|(name, _)| *name == path);
        let (_, bytes) = found.with_context(|| format!("the template {} has no {path}", self.name))?;
        std::str::from_utf8(bytes).with_context(|| format!("{path} of the template {} is no text", self.name))
    }
}

/// A template, by its name.
pub(crate) fn find(name: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.name == name)
}

/// The names there are, the default first.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TEMPLATES.iter().map(|template| template.name)
}
