//! The bytes of requests that are held at a time, of all callers and of each. What is held is given back by dropping it; a
//! request that finds nothing left is told to come again, and nothing waits here.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use riverrun_core::Code;

use super::rates::Caller;
use crate::answer::Refusal;

pub(super) struct Budget {
    all: usize,
    share: usize,
    spent: Mutex<Spent>,
}

#[derive(Default)]
struct Spent {
    all: usize,
    /// Of those who hold something.
    by: HashMap<Caller, usize>,
}

/// What one request holds.
pub(crate) struct Held {
    budget: Arc<Budget>,
    caller: Option<Caller>,
    bytes: usize,
}

impl Budget {
    pub(super) fn new(all: usize, share: usize) -> Self {
        Self { all, share, spent: Mutex::default() }
    }

    /// Nothing yet.
    pub(super) fn held(self: &Arc<Self>, caller: Option<Caller>) -> Held {
        Held { budget: Arc::clone(self), caller, bytes: 0 }
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Holds more, if so much is left.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        let mut spent = self.budget.spent();
        let own = self.caller.as_ref().and_then(|caller| spent.by.get(caller)).map_or(0, |own| *own);
        let (all, own) = (spent.all.saturating_add(bytes), own.saturating_add(bytes));
        if all > self.budget.all || (self.caller.is_some() && own > self.budget.share) {
            return Err(Refusal::new(Code::Unavailable, "the server is busy with other requests: try again"));
        }
        spent.all = all;
        if let Some(caller) = &self.caller {
            spent.by.insert(caller.clone(), own);
        }
        self.bytes += bytes;
        Ok(())
    }

    /// Gives all of it back.
    pub(crate) fn clear(&mut self) {
        let mut spent = self.budget.spent();
        spent.all = spent.all.saturating_sub(self.bytes);
        if let Some(caller) = &self.caller
            && let Some(own) = spent.by.get_mut(caller)
        {
            *own = own.saturating_sub(self.bytes);
            if *own == 0 {
                spent.by.remove(caller);
            }
        }
        self.bytes = 0;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_bounded_for_all_and_for_each_and_comes_back() {
        let budget = Arc::new(Budget::new(100, 60));
        let [ann, bob] = ["ann", "bob"].map(|name| Some(Caller::Principal(name.into())));
        let (mut one, mut two) = (budget.held(ann.clone()), budget.held(ann));
        one.grow(40).unwrap();
        two.grow(20).unwrap();
        assert!(two.grow(1).is_err(), "its share is spent");
        let mut other = budget.held(bob);
        other.grow(40).unwrap();
        assert!(other.grow(1).is_err() && budget.held(None).grow(1).is_err(), "all is spent");
        drop(one);
        other.grow(20).unwrap();
        two.grow(20).unwrap();
        drop((two, other));
        let spent = budget.spent();
        assert!(spent.all == 0 && spent.by.is_empty());
    }
}
