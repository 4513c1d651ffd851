//! The views of a program: every template, checked and ready, shared by all requests. They must never change after they
//! were built, except that in development a template follows its file.

use std::sync::Arc;

use minijinja::{Environment, Error as EngineError, ErrorKind};

use crate::builder::Builder;
use crate::check::Rules;
use crate::error::{BuildError, RenderError};
use crate::name::Role;
use crate::page::Page;
use crate::problem::Problem;
use crate::render;
use crate::source::Source;

/// The views of a program. Cheap to clone; it belongs into the state of the router, from where
/// [`View`](crate::View) takes it.
#[derive(Clone)]
pub struct Views {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) env: Environment<'static>,
    pub(crate) rules: Rules,
    pub(crate) layout: Option<String>,
    pub(crate) dev: bool,
}

impl Views {
    /// Starts to build views from a folder or from [`embed!`](crate::embed).
    ///
    /// ```
    /// use riverrun_view::Views;
    ///
    /// let views = Views::builder("tests/site")
    ///     .layout("layouts/main")
    ///     .function("asset", |file: &str| format!("/static/{file}"))
    ///     .build()?;
    /// # Ok::<(), riverrun_view::BuildError>(())
    /// ```
    pub fn builder(source: impl Into<Source>) -> Builder {
        Builder::new(source.into())
    }

    /// The page `pages/<name>.html`, in the default layout.
    pub fn page(&self, name: &str) -> Page {
        Page::new(self.clone(), Role::Page, name)
    }

    /// The component `components/<name>.html` alone, without a layout: a part of a page for a script to put in.
    pub fn component(&self, name: &str) -> Page {
        Page::new(self.clone(), Role::Component, name)
    }

    /// Whether there is a page of that name: for names that come with the request. Any name is safe to ask for.
    pub fn has_page(&self, name: &str) -> bool {
        Role::Page.file(name).is_some_and(|file| self.inner.rules.templates.has(&file))
    }

    /// Checks every template as it is now. A release does so when it is built; an application's test can do so for it.
    pub fn check(&self) -> Result<(), BuildError> {
        let problems = self.inner.rules.check_all(self.inner.layout.as_deref())?;
        if problems.is_empty() { Ok(()) } else { Err(BuildError::Templates(problems)) }
    }

    /// Renders `page`.
    pub(crate) fn render(&self, page: Page) -> Result<String, RenderError> {
        let Page { role, name, layout, values, nonce, request, .. } = page;
        let fail = |problem| RenderError::new(problem, self.inner.dev, request, nonce);
        let Some(file) = self.file(role, &name) else { return Err(fail(self.missing(role, &name))) };
        let layout = match layout {
            None => None,
            Some(layout) => match self.file(Role::Layout, &layout) {
                Some(file) => Some(file),
                None => return Err(fail(self.missing(Role::Layout, &layout))),
            },
        };
        render::render_into(&self.inner.env, &file, layout.as_deref(), values.into_iter().collect())
            .map_err(|error| fail(Problem::from_engine(&error)))
    }

    fn file(&self, role: Role, name: &str) -> Option<String> {
        role.file(name).filter(|file| self.inner.rules.templates.has(file))
    }

    /// A name that leads nowhere, with those that would have.
    fn missing(&self, role: Role, name: &str) -> Problem {
        let word = role.word();
        let Some(file) = role.file(name) else {
            return Problem::new(format!("`{name}` can't be the name of a {word}"));
        };
        let folder = file.split_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
        let there = self.inner.rules.templates.list().unwrap_or_default();
        let there: Vec<_> = there.iter().filter(|file| file.starts_with(&folder)).map(String::as_str).collect();
        let there = if there.is_empty() { "nothing".to_owned() } else { there.join(", ") };
        Problem::new(format!("there is no {word} `{name}`: {file} does not exist, {folder} holds {there}"))
    }
}

impl std::fmt::Debug for Views {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Views")
            .field("layout", &self.inner.layout)
            .field("dev", &self.inner.dev)
            .finish_non_exhaustive()
    }
}

/// A problem on its way through the engine, which gives it the place it was met at.
pub(crate) fn as_engine_error(problem: Problem) -> EngineError {
    EngineError::new(ErrorKind::SyntaxError, "the template is refused").with_source(problem)
}
