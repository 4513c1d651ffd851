//! The table of an application's commands: name → mutator. It decodes arguments and finds declared scopes; it runs
//! nothing by itself and knows no store.

use alloc::{
    boxed::Box,
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::de::DeserializeOwned;

use crate::{Json, Reject, Scope, Tx, limits};

type Run = Box<dyn Fn(&mut Tx<'_>, &Json) -> Result<(), Reject> + Send + Sync>;
type Scopes = Box<dyn Fn(&Json) -> Result<Vec<Scope>, Reject> + Send + Sync>;

struct Mutator {
    run: Run,
    scopes: Option<Scopes>,
}

/// What is wrong with a table of mutators; found when the engine starts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MutatorsError {
    /// One name, two mutators.
    #[error("the mutator {0:?} is registered twice")]
    Twice(String),
    /// A name the contract can't carry.
    #[error("{0:?} can't be a mutator's name: 1 to 128 bytes, no control characters, no leading underscore")]
    Name(String),
    /// `.scopes(…)` with no mutator before it.
    #[error("scopes(…) must follow the on(…) it belongs to")]
    ScopesAlone,
}

/// An application's mutators by name.
///
/// ```
/// use riverrun_core::{Mutators, Reject, Tx, entity};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Todo { id: String, title: String }
/// entity!(Todo, "todo", id);
///
/// fn create(tx: &mut Tx<'_>, todo: Todo) -> Result<(), Reject> {
///     if todo.title.trim().is_empty() {
///         return Err(Reject::new("title_empty", "a todo needs a title"));
///     }
///     tx.insert(&todo)
/// }
///
/// let mutators = Mutators::new().on("todo.create", create);
/// assert_eq!(mutators.names().collect::<Vec<_>>(), ["todo.create"]);
/// ```
#[derive(Default)]
pub struct Mutators {
    by_name: BTreeMap<String, Mutator>,
    last: Option<String>,
    error: Option<MutatorsError>,
}

impl Mutators {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a mutator. Its arguments are decoded before it runs; ones that don't decode are `invalid_mutation`.
    ///
    /// A mutator is a plain function that blocks, and must be deterministic: the same state, arguments and context give the
    /// same result.
    pub fn on<A, F>(mut self, name: &str, mutator: F) -> Self
    where
        A: DeserializeOwned + 'static,
        F: Fn(&mut Tx<'_>, A) -> Result<(), Reject> + Send + Sync + 'static,
    {
        let run: Run = Box::new(move |tx, args| mutator(tx, decode(args)?));
        let bad = name.is_empty() || name.len() > limits::TYPE_BYTES || name.contains(char::is_control);
        if bad || name.starts_with('_') {
            self.error.get_or_insert(MutatorsError::Name(name.to_string()));
        } else if self.by_name.insert(name.to_string(), Mutator { run, scopes: None }).is_some() {
            self.error.get_or_insert(MutatorsError::Twice(name.to_string()));
        }
        self.last = Some(name.to_string());
        self
    }

    /// Declares the other scopes the mutator registered just before writes to, from its arguments. They are authorised at
    /// the edge and locked with its own; touching a scope that is not declared is `forbidden`.
    pub fn scopes<A, F>(mut self, scopes: F) -> Self
    where
        A: DeserializeOwned + 'static,
        F: Fn(&A) -> Vec<Scope> + Send + Sync + 'static,
    {
        match self.last.as_ref().and_then(|name| self.by_name.get_mut(name)) {
            Some(mutator) => mutator.scopes = Some(Box::new(move |args| Ok(scopes(&decode(args)?)))),
            None => drop(self.error.get_or_insert(MutatorsError::ScopesAlone)),
        }
        self
    }

    /// Whether the table can be used.
    pub fn check(&self) -> Result<(), MutatorsError> {
        self.error.clone().map_or(Ok(()), Err)
    }

    /// The registered names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// The other scopes this command declares for these arguments: sorted, without its own.
    pub fn declared(&self, name: &str, own: &Scope, args: &Json) -> Result<Vec<Scope>, Reject> {
        let Some(scopes) = self.by_name.get(name).and_then(|mutator| mutator.scopes.as_ref()) else {
            return Ok(Vec::new());
        };
        let mut declared = scopes(args)?;
        declared.retain(|scope| scope != own);
        declared.sort();
        declared.dedup();
        if declared.len() >= limits::MUTATION_SCOPES {
            let max = limits::MUTATION_SCOPES;
            return Err(Reject::too_large(format!("one mutation may write to at most {max} scopes")));
        }
        Ok(declared)
    }

    /// Runs the command of this name.
    pub fn run(&self, name: &str, tx: &mut Tx<'_>, args: &Json) -> Result<(), Reject> {
        match self.by_name.get(name) {
            Some(mutator) => (mutator.run)(tx, args),
            None => Err(Reject::invalid(format!("there is no mutator {name:?} here"))),
        }
    }
}

fn decode<A: DeserializeOwned>(args: &Json) -> Result<A, Reject> {
    args.read().map_err(|error| Reject::invalid(format!("the arguments don't fit: {error}")))
}
