//! Components: a template rendered on its own, with exactly the arguments it is given, by the function `component`. It
//! must never see the variables of the page around it, nor nest without an end.

use std::cell::Cell;

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, State, Value};

use crate::name::Role;
use crate::render;

/// How deep components may nest. Each level takes a stretch of the thread's stack, and data can drive it (answers to
/// answers): an error in time is better than the end of the process.
pub(crate) const MAX_DEPTH: usize = 24;

/// How much of the thread's stack components may take, in bytes, whatever their depth: each may nest includes and macros
/// of its own. Threads of a runtime have 2 MiB; the engine's own limit for what the last component nests needs the rest.
const MAX_STACK_BYTES: usize = 768 << 10;

thread_local! {
    /// How deep this thread is in components, and where its stack was at the first: a render stays on its thread, and
    /// the state of the engine is new for each component.
    static NESTING: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

pub(crate) fn add_to(env: &mut Environment<'static>) {
    env.add_function("component", component);
}

/// `{{ component("todo", todo=todo) }}`, or with content of the caller's
/// `{% call component("card", title="…") %}…{% endcall %}`, which the component prints as `{{ content }}`.
fn component(state: &mut State<'_, '_>, name: &str, kwargs: Kwargs) -> Result<Value, Error> {
    let _level = Level::enter(name)?;
    let mut values = Vec::new();
    for key in kwargs.args().filter(|key| *key != "caller") {
        values.push((key.to_owned(), kwargs.peek::<Value>(key)?));
    }
    // The block belongs to the caller's state: it is rendered before that is left.
    let content = match kwargs.get::<Option<Value>>("caller")? {
        Some(caller) => caller.call(state, &[])?,
        None => Value::from_safe_string(String::new()),
    };
    values.push(("content".to_owned(), content));

    let missing = || Error::new(ErrorKind::TemplateNotFound, format!("there is no component `{name}`"));
    let file = Role::Component.file(name).ok_or_else(missing)?;
    let wrap = |error| Error::new(ErrorKind::BadInclude, format!("component `{name}`")).with_source(error);
    let template = state.env().get_template(&file).map_err(|error| match error.kind() {
        ErrorKind::TemplateNotFound => missing(),
        _ => wrap(error),
    })?;
    let rendered = render::render(&template, Value::from_pairs(values)).map_err(wrap)?;
    rendered.stacks.add_to_state(state);
    Ok(Value::from_safe_string(rendered.output))
}

/// One level of nesting, left when it is dropped.
struct Level;

impl Level {
    fn enter(name: &str) -> Result<Self, Error> {
        let mark = 0_u8;
        let here = (&raw const mark).addr();
        let (depth, start) = match NESTING.get() {
            (0, _) => (0, here),
            nesting => nesting,
        };
        if depth == MAX_DEPTH || start.abs_diff(here) > MAX_STACK_BYTES {
            let message = format!("component `{name}` is nested too deep ({depth} levels)");
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
        NESTING.set((depth + 1, start));
        Ok(Self)
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        let (depth, start) = NESTING.get();
        NESTING.set((depth.saturating_sub(1), start));
    }
}
