//! Collections of JSON values by id, in layers: the base that the server's changes are written to, and what pending
//! mutations would write on top of it. Plain data in sorted maps; it knows nothing of mutations or cursors.

use std::{collections::BTreeMap, iter::Peekable, ops::Bound};

use riverrun_core::Json;

/// Per collection, per id: a value, or `None` for a deletion that hides what lies below.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Layer(BTreeMap<String, BTreeMap<String, Option<Json>>>);

impl Layer {
    /// What this layer says of an entity: nothing, gone, or a value.
    pub(super) fn get(&self, collection: &str, id: &str) -> Option<&Option<Json>> {
        self.0.get(collection)?.get(id)
    }

    /// Writes a value, or a deletion that hides what lies below.
    pub(super) fn set(&mut self, collection: &str, id: &str, value: Option<Json>) {
        match self.0.get_mut(collection) {
            Some(rows) => drop(rows.insert(id.into(), value)),
            None => drop(self.0.insert(collection.into(), BTreeMap::from([(id.into(), value)]))),
        }
    }

    /// Removes an entity, where nothing lies below.
    pub(super) fn remove(&mut self, collection: &str, id: &str) {
        if let Some(rows) = self.0.get_mut(collection) {
            rows.remove(id);
        }
    }

    /// Writes another layer's values into this one.
    pub(super) fn absorb(&mut self, other: Self) {
        for (collection, rows) in other.0 {
            self.0.entry(collection).or_default().extend(rows);
        }
    }

    /// Every entity this layer holds: collection, id, value.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&str, &str, &Json)> {
        self.0.iter().flat_map(|(collection, rows)| {
            rows.iter().filter_map(move |(id, value)| Some((collection.as_str(), id.as_str(), value.as_ref()?)))
        })
    }
}

/// The entity as the topmost layer that speaks of it says.
pub(super) fn get<'a>(layers: &[&'a Layer], collection: &str, id: &str) -> Option<&'a Json> {
    layers.iter().find_map(|layer| layer.get(collection, id))?.as_ref()
}

/// Up to `limit` entities whose id starts with `prefix` and is greater than `after`, in id order, the topmost layer first
/// asked about each.
pub(super) fn list<'a>(
    layers: &[&'a Layer],
    collection: &str,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Vec<(&'a str, &'a Json)> {
    let from = match after {
        Some(after) if after >= prefix => Bound::Excluded(after),
        _ => Bound::Included(prefix),
    };
    let mut heads: Vec<Peekable<_>> = layers
        .iter()
        .filter_map(|layer| layer.0.get(collection))
        .map(|rows| rows.range::<str, _>((from, Bound::Unbounded)).peekable())
        .collect();
    let mut found = Vec::new();
    while found.len() < limit {
        let next = heads.iter_mut().filter_map(|head| head.peek().map(|(id, _)| id.as_str())).min();
        let Some(id) = next.filter(|id| id.starts_with(prefix)) else { break };
        // Every layer moves past this id; the first one that has it is the topmost.
        let mut top = None;
        for head in &mut heads {
            if let Some((_, value)) = head.next_if(|(other, _)| other.as_str() == id) {
                top.get_or_insert(value.as_ref());
            }
        }
        if let Some(Some(value)) = top {
            found.push((id, value));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(rows: &[(&str, Option<&str>)]) -> Layer {
        let mut layer = Layer::default();
        for (id, value) in rows {
            layer.set("todo", id, value.map(|text| Json::parse(text).unwrap()));
        }
        layer
    }

    fn check(prefix: &str, after: Option<&str>, limit: usize, expected: &str) {
        let base = layer(&[("a", Some("1")), ("b1", Some("2")), ("b2", Some("3")), ("c", Some("4"))]);
        let view = layer(&[("b1", None), ("b15", Some("5")), ("c", Some("6"))]);
        let top = layer(&[("b2", Some("7")), ("c", None), ("é", Some("8"))]);
        let found = list(&[&top, &view, &base], "todo", prefix, after, limit);
        let found: Vec<_> = found.iter().map(|(id, value)| format!("{id}={value}")).collect();
        assert_eq!(found.join(" "), expected, "{prefix:?} {after:?} {limit}");
    }

    #[test]
    fn a_list_is_in_id_order_and_each_entity_is_as_the_topmost_layer_says() {
        check("", None, 9, "a=1 b15=5 b2=7 é=8");
        check("b", None, 9, "b15=5 b2=7");
        check("b", Some("b15"), 9, "b2=7");
        check("b", Some("a"), 1, "b15=5");
        check("b", Some("x"), 9, "");
        check("", None, 0, "");
        check("zz", None, 9, "");
    }

    #[test]
    fn a_deletion_hides_what_lies_below_and_nothing_else() {
        let base = layer(&[("a", Some("1"))]);
        let hidden = layer(&[("a", None)]);
        assert_eq!(get(&[&hidden, &base], "todo", "a"), None);
        assert_eq!(get(&[&base], "todo", "a").map(Json::as_str), Some("1"));
        assert_eq!(get(&[&base], "list", "a"), None);
    }
}
