//! Stacks: what a page or a component pushes (`scripts`, `styles`) and the layout prints, wherever it stands. `stack()`
//! leaves a slot that is filled when everything has been rendered, so that a push that comes later is not lost. It must
//! never let one render see what another pushed.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, State, Value};

/// What one render pushed so far. It lives in the state of the engine, one for each template on the way.
#[derive(Debug, Default)]
pub(crate) struct Stacks {
    pushes: Vec<Push>,
    once: BTreeSet<String>,
}

#[derive(Debug)]
struct Push {
    stack: String,
    /// What makes it the same push as another one.
    key: Option<String>,
    html: String,
}

pub(crate) fn add_to(env: &mut Environment<'static>) {
    env.add_function("push", push);
    env.add_function("push_once", push_once);
    env.add_function("stack", stack);
}

impl Stacks {
    /// Takes what the render that just ended pushed.
    pub(crate) fn take(state: &mut State<'_, '_>) -> Self {
        state.get_extension_mut::<Self>().map(std::mem::take).unwrap_or_default()
    }

    /// Adds to the render of `state` what a template pushed that was rendered on its way.
    pub(crate) fn add_to_state(self, state: &mut State<'_, '_>) {
        if !self.pushes.is_empty() {
            state.get_or_insert_extension_with(Self::default).append(self);
        }
    }

    /// Adds `later`, whose pushes came after these.
    pub(crate) fn append(&mut self, later: Self) {
        later.pushes.into_iter().for_each(|push| self.push(push));
    }

    fn push(&mut self, push: Push) {
        if push.key.as_ref().is_none_or(|key| self.once.insert(format!("{}\n{key}", push.stack))) {
            self.pushes.push(push);
        }
    }

    fn has(&self, stack: &str, key: &str) -> bool {
        self.once.contains(&format!("{stack}\n{key}"))
    }

    /// Fills the slots of `page`.
    pub(crate) fn fill(&self, page: String) -> String {
        let mut parts = page.split(slot_prefix());
        let Some(first) = parts.next().filter(|first| first.len() < page.len()) else { return page };
        let mut filled = String::with_capacity(page.len());
        filled.push_str(first);
        for part in parts {
            let (stack, rest) = part.split_once(SLOT_END).unwrap_or((part, ""));
            let pushed = self.pushes.iter().filter(|push| push.stack == stack);
            pushed.for_each(|push| filled.push_str(&push.html));
            filled.push_str(rest);
        }
        filled
    }
}

const SLOT_END: char = ';';

/// What a slot begins with. Random, so that no text of a user is taken for one; without a sign that escaping changes.
fn slot_prefix() -> &'static str {
    static PREFIX: OnceLock<String> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let random = || RandomState::new().hash_one("slot");
        format!("stack-slot-{:016x}{:016x}-", random(), random())
    })
}

/// `{% call push("scripts") %}…{% endcall %}`: adds the block to the stack.
fn push(state: &mut State<'_, '_>, stack: &str, kwargs: Kwargs) -> Result<Value, Error> {
    add(state, stack, None, &kwargs)
}

/// `{% call push_once("scripts", "chart") %}…{% endcall %}`: adds the block unless its key was there before.
fn push_once(state: &mut State<'_, '_>, stack: &str, key: &str, kwargs: Kwargs) -> Result<Value, Error> {
    add(state, stack, Some(key), &kwargs)
}

fn add(state: &mut State<'_, '_>, stack: &str, key: Option<&str>, kwargs: &Kwargs) -> Result<Value, Error> {
    check_name(stack)?;
    let block: Option<Value> = kwargs.get("caller")?;
    kwargs.assert_all_used()?;
    let block = block.ok_or_else(|| {
        Error::new(ErrorKind::MissingArgument, "push takes a block: {% call push(…) %}…{% endcall %}")
    })?;
    let is_there = |key| state.get_extension::<Stacks>().is_some_and(|stacks| stacks.has(stack, key));
    if !key.is_some_and(is_there) {
        let html = block.call(state, &[])?.to_string();
        let push = Push { stack: stack.to_owned(), key: key.map(str::to_owned), html };
        state.get_or_insert_extension_with(Stacks::default).push(push);
    }
    Ok(Value::from_safe_string(String::new()))
}

/// `{{ stack("scripts") }}`: where the stack is printed, in the order of the pushes.
fn stack(name: &str) -> Result<Value, Error> {
    check_name(name)?;
    Ok(Value::from_safe_string(format!("{}{name}{SLOT_END}", slot_prefix())))
}

/// A slot carries the name: signs that escaping changes, or its end, have no place in it.
fn check_name(name: &str) -> Result<(), Error> {
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_name {
        Ok(())
    } else {
        Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("`{name}` is no name for a stack: letters, digits, _ and -"),
        ))
    }
}
