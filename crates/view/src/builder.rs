//! Builds views: options, helpers, and the check of all templates. It must never give out views of a release whose
//! templates are not all sound.

use std::borrow::Cow;
use std::sync::Arc;

use minijinja::functions::Function;
use minijinja::value::{FunctionArgs, FunctionResult, Serde, Value};
use minijinja::{Environment, TemplateSource, UndefinedBehavior};
use serde::Serialize;

use crate::check::Rules;
use crate::error::BuildError;
use crate::source::{Folder, Source, Templates};
use crate::views::{Inner, Views, as_engine_error};
use crate::{escape, helpers, name, problem::Problem};

/// Options of [`Views`], from [`Views::builder`].
#[must_use]
pub struct Builder {
    source: Source,
    layout: Option<String>,
    dev: bool,
    env: Environment<'static>,
}

impl Builder {
    pub(crate) fn new(source: Source) -> Self {
        let mut env = Environment::new();
        env.set_auto_escape_callback(name::escaping);
        env.set_formatter(escape::format);
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        // Costs something only when an error is made, and without it that error can't name the variable. What it keeps
        // of the values is never printed.
        env.set_debug(true);
        helpers::add_to(&mut env);
        Self { source, layout: None, dev: cfg!(debug_assertions), env }
    }

    /// The layout pages are put into unless they name another one, as a path below the root: `layouts/main`. Without it
    /// pages stand alone.
    pub fn layout(mut self, layout: &str) -> Self {
        self.layout = Some(layout.to_owned());
        self
    }

    /// Whether the program runs in development: templates of a folder are re-read when they change, and a problem is
    /// shown with its source. Left alone, this is so in a debug build.
    pub fn dev(mut self, dev: bool) -> Self {
        self.dev = dev;
        self
    }

    /// Adds a function for all templates: `{{ asset("app.css") }}`. It replaces one of the same name.
    pub fn function<F, Rv, Args>(mut self, name: &'static str, function: F) -> Self
    where
        F: Function<Rv, Args>,
        Rv: FunctionResult,
        Args: for<'a> FunctionArgs<'a>,
    {
        self.env.add_function(name, function);
        self
    }

    /// Adds a filter for all templates: `{{ price | money }}`; what is filtered is the first argument. It replaces one
    /// of the same name.
    pub fn filter<F, Rv, Args>(mut self, name: &'static str, filter: F) -> Self
    where
        F: Function<Rv, Args>,
        Rv: FunctionResult,
        Args: for<'a> FunctionArgs<'a>,
    {
        self.env.add_filter(name, filter);
        self
    }

    /// Adds a value all templates see, components too. A page's value of the same name hides it.
    pub fn global<T: Serialize>(mut self, name: &'static str, value: T) -> Self {
        self.env.add_global(name, Value::from(Serde(value)));
        self
    }

    /// Builds the views. Every template is checked; outside development any problem is an error, in development it is
    /// told to `tracing` and shown when the template is used.
    pub fn build(self) -> Result<Views, BuildError> {
        let Self { source, layout, dev, mut env } = self;
        let rules = Rules { env: env.clone(), templates: source.open(dev)? };
        let problems = rules.check_all(layout.as_deref())?;
        if dev {
            for problem in problems {
                tracing::warn!(%problem, "a template is refused");
            }
        } else if !problems.is_empty() {
            return Err(BuildError::Templates(problems));
        }
        load(&mut env, &rules, dev)?;
        Ok(Views { inner: Arc::new(Inner { env, rules, layout, dev }) })
    }
}

/// Gives the engine its templates: each when it is asked for, or all of them now.
fn load(env: &mut Environment<'static>, rules: &Rules, dev: bool) -> Result<(), BuildError> {
    match &rules.templates {
        Templates::Folder(folder) => follow(env, rules.clone(), folder.clone()),
        // One that is refused must show when it is used, not keep the program from starting.
        Templates::Fixed(_) if dev => {
            let rules = rules.clone();
            env.set_loader(move |file| checked(&rules, file));
        }
        Templates::Fixed(fixed) => {
            for (file, text) in fixed.iter() {
                let added = match (file, text) {
                    // The engine finds what it borrows without a lock.
                    (Cow::Borrowed(file), Cow::Borrowed(text)) => env.add_template(file, text),
                    _ => env.add_template_owned(file.clone(), text.clone()),
                };
                added.map_err(|error| BuildError::Templates(vec![Problem::from_engine(&error)]))?;
            }
        }
    }
    Ok(())
}

/// Reads each template when it is used, and again when its file changed. The engine keeps what it replaced until the
/// program ends, which a day of editing makes a few megabytes: one reason why this is for development.
fn follow(env: &mut Environment<'static>, rules: Rules, folder: Folder) {
    env.set_auto_reload(true);
    env.set_loader(move |file| {
        if !name::is_template(file) {
            return Ok(None);
        }
        let stamp = folder.stamp(file);
        let Some(text) = checked(&rules, file)? else { return Ok(None) };
        let source = TemplateSource::new(text.clone());
        Ok(Some(source.with_uptodate_check(move || stamp.is_current(&text))))
    });
}

/// The text of a template that passes the check.
fn checked(rules: &Rules, file: &str) -> Result<Option<String>, minijinja::Error> {
    let text = match rules.templates.read(file) {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(None),
        Err(error) => return Err(as_engine_error(Problem::new(error.to_string()))),
    };
    match rules.check(file, &text).into_iter().next() {
        Some(problem) => Err(as_engine_error(problem)),
        None => Ok(Some(text)),
    }
}
