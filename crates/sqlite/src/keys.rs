//! The numbers that stand for scopes in SQL. Only numbers of committed rows are kept here: a number that a rolled-back
//! transaction gave out may stand for another scope tomorrow. A scope's row is never removed, so a kept number stays true.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use riverrun_core::Scope;

/// Numbers that are kept: one lookup saved for each scope in use at a time; some hundred bytes each at most.
const KEPT: usize = 4096;

/// Committed numbers of scopes, for all connections of one store.
#[derive(Debug, Default)]
pub(crate) struct ScopeKeys(Mutex<HashMap<Scope, i64>>);

impl ScopeKeys {
    /// The number of a scope, if it is kept.
    pub(crate) fn get(&self, scope: &Scope) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(scope).copied()
    }

    /// Keeps the number of a committed row. When there are too many, all are forgotten: each costs one lookup to learn
    /// again, and no order of use has to be kept.
    pub(crate) fn keep(&self, scope: &Scope, key: i64) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= KEPT {
            keys.clear();
        }
        keys.insert(scope.clone(), key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_kept_keys_is_bounded() {
        let keys = ScopeKeys::default();
        for key in 0..10_000_i64 {
            let scope = Scope::new(format!("list:{key}")).unwrap();
            keys.keep(&scope, key);
            assert_eq!(keys.get(&scope), Some(key));
            assert!(keys.0.lock().unwrap().len() <= KEPT);
        }
    }
}
