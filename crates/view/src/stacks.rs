//! Stacks: what a page or a component pushes (`scripts`, `styles`) and the layout prints, wherever it stands. `stack()`
//! leaves a slot that is filled when everything has been rendered, so that a push that comes later is not lost. It must
//! never let one render see what another pushed.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, State, Value};

/// What one render pushed so far. It lives in the state of the engine, one for each template on the way.
#[derive(Debug, Default)]
pub(crate) struct Stacks {
    pushed: BTreeMap<String, Vec<String>>,
    once: BTreeSet<(String, String)>,
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

    /// Adds what a template pushed that was rendered on the way.
    pub(crate) fn add_to_state(self, state: &mut State<'_, '_>) {
        if !self.pushed.is_empty() {
            state.get_or_insert_extension_with(Self::default).append(self);
        }
    }

    /// Adds `later`, whose pushes came after these. What both pushed once stays once.
    pub(crate) fn append(&mut self, later: Self) {
        let Self { mut pushed, once } = later;
        for (stack, key) in &once {
            if self.once.contains(&(stack.clone(), key.clone()))
                && let Some(pushed) = pushed.get_mut(stack)
            {
                let mark = once_mark(key);
                pushed.retain(|html| !html.starts_with(&mark));
            }
        }
        self.once.extend(once);
        for (stack, html) in pushed {
            self.pushed.entry(stack).or_default().extend(html);
        }
    }

    /// Fills the slots of `page`.
    pub(crate) fn fill(&self, page: String) -> String {
        let prefix = slot_prefix();
        if !page.contains(prefix) {
            return page;
        }
        let mut filled = String::with_capacity(page.len());
        let mut parts = page.split(prefix);
        filled.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let (stack, rest) = part.split_once(SLOT_END).unwrap_or((part, ""));
            for html in self.pushed.get(stack).into_iter().flatten() {
                let html = html.split_once(MARK_END).map_or(html.as_str(), |(_, html)| html);
                filled.push_str(html);
            }
            filled.push_str(rest);
        }
        filled
    }
}

const SLOT_END: char = ';';
