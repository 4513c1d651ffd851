//! The state of collections as the simulation's own model holds it, cheap to copy: one copy stands beside every place of
//! the log. It folds changes and reads; it is written without a line of the engine's or the client's code.

use std::{collections::BTreeMap, sync::Arc};

use riverrun_core::{CollectionChange, Entity, Json, Scope};

/// The entities of one collection by id, in byte order.
pub(crate) type Collection = BTreeMap<Arc<str>, Json>;

/// All collections of one scope.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rows(BTreeMap<Arc<str>, Arc<Collection>>);

impl Rows {
    /// The entity with this id, if it is there.
    ///
    /// # Panics
    /// If what is stored there does not read as a `T`.
    pub fn get<T: Entity>(&self, id: &str) -> Option<T> {
        self.json(T::COLLECTION, id).map(typed)
    }

    /// All entities of a collection, in id order.
    ///
    /// # Panics
    /// If what is stored there does not read as a `T`.
    pub fn all<T: Entity>(&self) -> Vec<T> {
        self.collection(T::COLLECTION).map(|(_, json)| typed(json)).collect()
    }

    /// One entity's JSON.
    pub fn json(&self, collection: &str, id: &str) -> Option<&Json> {
        self.0.get(collection)?.get(id)
    }

    /// The ids and JSON of a collection, in id order.
    pub fn collection(&self, collection: &str) -> impl Iterator<Item = (&str, &Json)> {
        self.0.get(collection).into_iter().flat_map(|rows| rows.iter().map(|(id, json)| (&**id, json)))
    }

    /// Every entity: collection, id, JSON.
    pub fn each(&self) -> impl Iterator<Item = (&str, &str, &Json)> {
        self.0.iter().flat_map(|(collection, rows)| rows.iter().map(move |(id, json)| (&**collection, &**id, json)))
    }

    /// The names of the collections.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|name| &**name)
    }

    /// How many entities there are.
    pub fn len(&self) -> usize {
        self.0.values().map(|rows| rows.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn set(&mut self, collection: &str, id: &str, value: Option<Json>) {
        let rows = match self.0.get_mut(collection) {
            Some(rows) => rows,
            None => self.0.entry(collection.into()).or_default(),
        };
        let rows = Arc::make_mut(rows);
        match value {
            Some(value) => drop(rows.insert(id.into(), value)),
            None => drop(rows.remove(id)),
        }
        // An empty collection and none are the same state.
        if rows.is_empty() {
            self.0.remove(collection);
        }
    }

    pub(crate) fn fold(&mut self, change: &Json) {
        match CollectionChange::read(change) {
            Some(CollectionChange::Put { collection, id, value }) => self.set(&collection, &id, Some(value)),
            Some(CollectionChange::Del { collection, id }) => self.set(&collection, &id, None),
            None => {}
        }
    }

    /// Reads a snapshot's data.
    pub(crate) fn of_snapshot(data: &Json) -> Option<Self> {
        let data: BTreeMap<String, BTreeMap<String, Json>> = data.read().ok()?;
        let mut rows = Self::default();
        for (collection, entities) in data {
            for (id, json) in entities {
                rows.set(&collection, &id, Some(json));
            }
        }
        Some(rows)
    }

    /// What differs, for people: the first few entities.
    pub(crate) fn difference(&self, other: &Self) -> String {
        let mut found = Vec::new();
        for (collection, id, json) in self.each() {
            match other.json(collection, id) {
                Some(there) if there == json => {}
                Some(there) => found.push(format!("{collection} {id} is {json}, not {there}")),
                None => found.push(format!("{collection} {id} is {json}, not absent")),
            }
        }
        for (collection, id, json) in other.each() {
            if self.json(collection, id).is_none() {
                found.push(format!("{collection} {id} is absent, not {json}"));
            }
        }
        found.truncate(4);
        found.join("; ")
    }
}

fn typed<T: Entity>(json: &Json) -> T {
    json.read().unwrap_or_else(|error| panic!("a {} does not read: {error}: {json}", T::COLLECTION))
}

/// The state of all scopes at one commit, as an invariant looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub(crate) scopes: BTreeMap<Scope, Arc<Rows>>,
}

impl State {
    /// One scope's state. One nobody has written to is empty.
    pub fn scope(&self, scope: &str) -> &Rows {
        static EMPTY: Rows = Rows(BTreeMap::new());
        let scope = Scope::new(scope).ok();
        scope.and_then(|scope| self.scopes.get(&scope)).map_or(&EMPTY, |rows| rows)
    }

    /// The scopes of the simulation, and their states.
    pub fn scopes(&self) -> impl Iterator<Item = (&Scope, &Rows)> {
        self.scopes.iter().map(|(scope, rows)| (scope, &**rows))
    }

    /// All entities of a collection in all scopes.
    pub fn all<T: Entity>(&self) -> Vec<T> {
        self.scopes.values().flat_map(|rows| rows.all::<T>()).collect()
    }
}
