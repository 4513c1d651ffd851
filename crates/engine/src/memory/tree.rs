//! A sorted map whose copies share what they have in common: copying costs one counter, and writing to one of two copies
//! makes new nodes only along the way to the key. It is a balanced tree (AVL), so its depth, and with it every recursion
//! here, stays below 1.45 · log₂ of its size. It never changes a node that another copy can see.

use std::{cmp::Ordering, mem, sync::Arc};

/// A sorted map, cheap to copy.
#[derive(Clone)]
pub(super) struct Tree<K, V> {
    root: Link<K, V>,
}

type Link<K, V> = Option<Arc<Node<K, V>>>;

#[derive(Clone)]
struct Node<K, V> {
    key: K,
    value: V,
    height: u8,
    left: Link<K, V>,
    right: Link<K, V>,
}

impl<K: Ord + Clone, V: Clone> Tree<K, V> {
    /// An empty map.
    pub(super) fn new() -> Self {
        Self { root: None }
    }

    /// The value whose key `order` calls equal. `order` says how a key stands to the one looked for.
    pub(super) fn find(&self, order: impl Fn(&K) -> Ordering) -> Option<&V> {
        let mut link = &self.root;
        while let Some(node) = link {
            link = match order(&node.key) {
                Ordering::Less => &node.right,
                Ordering::Greater => &node.left,
                Ordering::Equal => return Some(&node.value),
            };
        }
        None
    }

    /// The value under this key.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.find(|other| other.cmp(key))
    }

    /// Puts a value under a key and gives back the one that was there.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        insert(&mut self.root, key, value)
    }

    /// Takes out the value whose key `order` calls equal.
    pub(super) fn take(&mut self, order: impl Fn(&K) -> Ordering) -> Option<V> {
        // Looked for first: a removal of what is not there must not copy its way down.
        self.find(&order)?;
        take(&mut self.root, &order)
    }

    /// Takes out the value under this key.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.take(|other| other.cmp(key))
    }

    /// The pairs in order, from the first key that is not `below`, which must hold for the lower keys and no others.
    pub(super) fn from(&self, below: impl Fn(&K) -> bool) -> Iter<'_, K, V> {
        let mut waiting = Vec::new();
        let mut link = &self.root;
        while let Some(node) = link {
            link = if below(&node.key) {
                &node.right
            } else {
                waiting.push(&**node);
                &node.left
            };
        }
        Iter { waiting }
    }

    /// All pairs in order.
    pub(super) fn iter(&self) -> Iter<'_, K, V> {
        self.from(|_| false)
    }
}

/// The pairs of a [`Tree`] in order.
pub(super) struct Iter<'a, K, V> {
    /// The nodes whose turn comes when everything left of them is done, the next one last.
    waiting: Vec<&'a Node<K, V>>,
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        let node = self.waiting.pop()?;
        let mut link = &node.right;
        while let Some(lower) = link {
            self.waiting.push(lower);
            link = &lower.left;
        }
        Some((&node.key, &node.value))
    }
}

fn insert<K: Ord + Clone, V: Clone>(link: &mut Link<K, V>, key: K, value: V) -> Option<V> {
    let Some(top) = link else {
        *link = Some(Arc::new(Node { key, value, height: 1, left: None, right: None }));
        return None;
    };
    let node = Arc::make_mut(top);
    let replaced = match key.cmp(&node.key) {
        Ordering::Less => insert(&mut node.left, key, value),
        Ordering::Greater => insert(&mut node.right, key, value),
        Ordering::Equal => return Some(mem::replace(&mut node.value, value)),
    };
    balance(top);
    replaced
}

fn take<K: Clone, V: Clone>(link: &mut Link<K, V>, order: &impl Fn(&K) -> Ordering) -> Option<V> {
    let top = link.as_mut()?;
    let node = Arc::make_mut(top);
    let taken = match order(&node.key) {
        Ordering::Less => take(&mut node.right, order),
        Ordering::Greater => take(&mut node.left, order),
        Ordering::Equal => {
            let value = node.value.clone();
            match (node.left.take(), node.right.take()) {
                (None, only) | (only, None) => {
                    *link = only;
                    return Some(value);
                }
                (left, mut right) => {
                    // The next higher key moves up into the gap.
                    if let Some(next) = take_lowest(&mut right) {
                        (node.key, node.value) = next;
                    }
                    (node.left, node.right) = (left, right);
                    Some(value)
                }
            }
        }
    };
    balance(top);
    taken
}

fn take_lowest<K: Clone, V: Clone>(link: &mut Link<K, V>) -> Option<(K, V)> {
    let top = link.as_mut()?;
    let node = Arc::make_mut(top);
    if node.left.is_none() {
        let lowest = (node.key.clone(), node.value.clone());
        *link = node.right.take();
        return Some(lowest);
    }
    let lowest = take_lowest(&mut node.left);
    balance(top);
    lowest
}

fn height<K, V>(link: &Link<K, V>) -> u8 {
    link.as_ref().map_or(0, |node| node.height)
}

impl<K, V> Node<K, V> {
    fn measure(&mut self) {
        self.height = 1 + height(&self.left).max(height(&self.right));
    }
}

/// Makes a node whose sides are balanced in themselves, and differ by two at most, balanced again.
fn balance<K: Clone, V: Clone>(top: &mut Arc<Node<K, V>>) {
    let node = Arc::make_mut(top);
    node.measure();
    let (left, right) = (height(&node.left), height(&node.right));
    if left > right + 1 {
        if let Some(child) = node.left.as_mut().filter(|child| height(&child.right) > height(&child.left)) {
            lift_right(child);
        }
        lift_left(top);
    } else if right > left + 1 {
        if let Some(child) = node.right.as_mut().filter(|child| height(&child.left) > height(&child.right)) {
            lift_left(child);
        }
        lift_right(top);
    }
}

/// Makes the left child the top and the top its right child.
fn lift_left<K: Clone, V: Clone>(top: &mut Arc<Node<K, V>>) {
    let node = Arc::make_mut(top);
    let Some(mut child) = node.left.take() else { return };
    node.left = Arc::make_mut(&mut child).right.take();
    node.measure();
    mem::swap(top, &mut child);
    let lifted = Arc::make_mut(top);
    lifted.right = Some(child);
    lifted.measure();
}

/// Makes the right child the top and the top its left child.
fn lift_right<K: Clone, V: Clone>(top: &mut Arc<Node<K, V>>) {
    let node = Arc::make_mut(top);
    let Some(mut child) = node.right.take() else { return };
    node.right = Arc::make_mut(&mut child).left.take();
    node.measure();
    mem::swap(top, &mut child);
    let lifted = Arc::make_mut(top);
    lifted.left = Some(child);
    lifted.measure();
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Numbers that look random and are the same at every run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % bound
        }
    }

    fn pairs(tree: &Tree<u64, u64>) -> Vec<(u64, u64)> {
        tree.iter().map(|(key, value)| (*key, *value)).collect()
    }

    fn sound(link: &Link<u64, u64>) -> u8 {
        let Some(node) = link else { return 0 };
        let (left, right) = (sound(&node.left), sound(&node.right));
        assert!(left.abs_diff(right) <= 1, "{left} and {right} are out of balance");
        assert_eq!(node.height, 1 + left.max(right));
        node.height
    }

    #[test]
    fn it_does_what_a_sorted_map_does_and_stays_balanced() {
        for seed in 0..40 {
            let mut numbers = Numbers(seed);
            let (mut tree, mut map) = (Tree::new(), BTreeMap::new());
            for step in 0..400 {
                let key = numbers.below(120);
                if numbers.below(5) < 3 {
                    assert_eq!(tree.insert(key, step), map.insert(key, step));
                } else {
                    assert_eq!(tree.remove(&key), map.remove(&key));
                }
                sound(&tree.root);
                let probe = numbers.below(130);
                assert_eq!(tree.get(&probe), map.get(&probe));
                let from = tree.from(|key| *key < probe).map(|(key, _)| *key);
                assert!(from.eq(map.range(probe..).map(|(key, _)| *key)));
            }
            assert!(tree.iter().eq(map.iter()));
        }
    }

    #[test]
    fn a_copy_never_sees_what_is_done_to_the_other() {
        let mut numbers = Numbers(7);
        let mut tree = Tree::new();
        let mut copies = Vec::new();
        for step in 0..300 {
            if step % 10 == 0 {
                copies.push((tree.clone(), pairs(&tree)));
            }
            let key = numbers.below(60);
            if numbers.below(3) == 0 {
                tree.remove(&key);
            } else {
                tree.insert(key, step);
            }
        }
        for (copy, then) in copies {
            assert_eq!(pairs(&copy), then);
        }
    }

    #[test]
    fn sorted_input_makes_no_deep_tree() {
        let mut tree = Tree::new();
        for key in 0..100_000_u64 {
            tree.insert(key, key);
        }
        // 1.45 · log₂ 100,000 is 24.1.
        assert!(sound(&tree.root) <= 24);
    }
}
