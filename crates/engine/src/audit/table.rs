//! What an audit remembers of a scope: 128-bit hashes instead of texts, for one slice of the keys at a time. When there are
//! too many, the slice is halved and the rest left to another pass; nothing grows beyond the bound.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use riverrun_core::{Cursor, Digest, MutationId, Principal};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// A hashed key. Two of a million alike: one chance in 10^26.
pub(super) type Key = u128;

/// What an entity should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value {
    hash: u64,
    /// The change that made it so; 0 for the base.
    pub(super) cursor: Cursor,
}

impl Value {
    pub(super) fn new(text: &str, cursor: Cursor) -> Self {
        Self { hash: xxh3_64(text.as_bytes()), cursor }
    }

    pub(super) fn is(&self, text: &str) -> bool {
        self.hash == xxh3_64(text.as_bytes())
    }
}

/// The remembered slice.
pub(super) struct Table {
    pub(super) entities: HashMap<Key, Value, BuildHasherDefault<Hashed>>,
    /// Where each mutation's entry ends, and its digest there.
    pub(super) mutations: HashMap<Key, (Cursor, Digest), BuildHasherDefault<Hashed>>,
    from: u64,
    to: u64,
    most: usize,
}

impl Table {
    /// A table for all keys, or as many of them as fit.
    pub(super) fn new(most: usize) -> Self {
        Self::slice(0, most.max(1))
    }

    /// The table for the keys after this one's, if there are any.
    pub(super) fn next(&self) -> Option<Self> {
        Some(Self::slice(self.to.checked_add(1)?, self.most))
    }

    fn slice(from: u64, most: usize) -> Self {
        Self { entities: HashMap::default(), mutations: HashMap::default(), from, to: u64::MAX, most }
    }

    /// Whether a key belongs to this slice.
    pub(super) fn wants(&self, key: Key) -> bool {
        (self.from..=self.to).contains(&upper(key))
    }

    pub(super) fn put_entity(&mut self, key: Key, value: Value) {
        if self.wants(key) {
            self.entities.insert(key, value);
            self.shrink();
        }
    }

    pub(super) fn put_mutation(&mut self, key: Key, at: (Cursor, Digest)) {
        if self.wants(key) {
            self.mutations.insert(key, at);
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        while self.entities.len() + self.mutations.len() > self.most && self.from < self.to {
            self.to = self.from + (self.to - self.from) / 2;
            let to = self.to;
            self.entities.retain(|key, _| upper(*key) <= to);
            self.mutations.retain(|key, _| upper(*key) <= to);
        }
    }
}

fn upper(key: Key) -> u64 {
    (key >> 64) as u64
}

/// The key of an entity.
pub(super) fn entity(collection: &str, id: &str) -> Key {
    hash(collection, id)
}

/// The key of a mutation.
pub(super) fn mutation(principal: &Principal, id: &MutationId) -> Key {
    hash(principal.as_str(), id.as_str())
}

fn hash(one: &str, two: &str) -> Key {
    let mut hash = Xxh3::new();
    hash.update(&(one.len() as u64).to_le_bytes());
    hash.update(one.as_bytes());
    hash.update(two.as_bytes());
    hash.digest128()
}

/// Keys are hashes already: their lower half is taken as it is.
#[derive(Default)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }

    #[allow(clippy::cast_possible_truncation)] // The lower half is what is wanted.
    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn slices_stay_within_the_bound_and_hold_every_key_once() {
        let keys: Vec<Key> = (0..10_000).map(|number| entity("todo", &format!("t{number}"))).collect();
        let mut seen = BTreeSet::new();
        let (mut table, mut slices) = (Table::new(300), 0);
        loop {
            for key in &keys {
                table.put_entity(*key, Value::new("{}", Cursor(1)));
                assert!(table.entities.len() <= 300);
            }
            table.entities.keys().for_each(|key| assert!(seen.insert(*key)));
            slices += 1;
            let Some(next) = table.next() else { break };
            table = next;
        }
        assert_eq!(seen.len(), keys.len());
        assert!((34..200).contains(&slices), "{slices}");
    }

    #[test]
    fn parts_of_a_key_are_kept_apart() {
        assert_ne!(entity("ab", "c"), entity("a", "bc"));
    }
}
