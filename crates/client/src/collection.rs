//! Typed reads and the three plain commands of a collection: `<collection>.create`, `.set` and `.delete`. An application
//! with commands of its own reads here and mutates with [`Client::mutate`](crate::Client::mutate).

use std::marker::PhantomData;

use riverrun_core::{Entity, JsonRefused, Mutators, Reject, Tx};
use serde::{Deserialize, Serialize};

use crate::{
    shell::{Client, Sent},
    signal::Signal,
    words::Refused,
};

/// A stored entity does not read as its type: a row of an earlier version, or of another type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{collection} {id} does not read as its type: {why}")]
pub struct Unreadable {
    /// The collection.
    pub collection: String,
    /// The entity's id.
    pub id: String,
    why: JsonRefused,
}

/// The entities of a type in one client's scope. Cheap to clone.
pub struct Collection<T> {
    client: Client,
    of: PhantomData<fn() -> T>,
}

/// One entity of a collection, there or not. Cheap to clone.
pub struct EntityHandle<T> {
    collection: Collection<T>,
    id: String,
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), of: PhantomData }
    }
}

impl<T> Clone for EntityHandle<T> {
    fn clone(&self) -> Self {
        Self { collection: self.collection.clone(), id: self.id.clone() }
    }
}

/// The arguments of `<collection>.delete`.
#[derive(Serialize, Deserialize)]
struct Delete {
    id: String,
}

/// The mutators behind [`Collection::create`], [`Collection::set`] and [`Collection::delete`]: creating what is there is a
/// `conflict`, setting what isn't is `not_found`, deleting what isn't changes nothing. Register them on both sides.
///
/// ```
/// use riverrun_client::plain_mutators;
/// use riverrun_core::{Mutators, entity};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Todo { id: String, title: String }
/// entity!(Todo, "todo", id);
///
/// let mutators = plain_mutators::<Todo>(Mutators::new());
/// assert_eq!(mutators.names().collect::<Vec<_>>(), ["todo.create", "todo.delete", "todo.set"]);
/// ```
pub fn plain_mutators<T: Entity + 'static>(mutators: Mutators) -> Mutators {
    let name = |verb: &str| format!("{}.{verb}", T::COLLECTION);
    mutators
        .on(&name("create"), |tx: &mut Tx<'_>, entity: T| tx.insert(&entity))
        .on(&name("set"), |tx: &mut Tx<'_>, entity: T| match tx.get::<T>(entity.id())? {
            Some(_) => tx.put(&entity),
            None => Err(Reject::not_found(format!("there is no {} {}", T::COLLECTION, entity.id()))),
        })
        .on(&name("delete"), |tx: &mut Tx<'_>, Delete { id }: Delete| tx.delete::<T>(&id).map(drop))
}

impl<T: Entity> Collection<T> {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, of: PhantomData }
    }

    /// The entity with this id, as the user should see it.
    pub fn get(&self, id: &str) -> Result<Option<T>, Unreadable> {
        self.client.look(|look| look.core().get(T::COLLECTION, id).map(|json| decode(id, json)).transpose())
    }

    /// All of them, in id order.
    pub fn all(&self) -> Result<Vec<T>, Unreadable> {
        self.find(|_| true)
    }

    /// Those a condition holds for, in id order.
    pub fn find(&self, holds: impl Fn(&T) -> bool) -> Result<Vec<T>, Unreadable> {
        self.client.look(|look| read(look.core(), &holds))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.client.look(|look| look.core().count(T::COLLECTION))
    }

    /// Adds one.
    pub fn create(&self, entity: &T) -> Result<Sent, Refused> {
        self.client.mutate(&format!("{}.create", T::COLLECTION), entity)
    }

    /// Writes one that is there.
    pub fn set(&self, entity: &T) -> Result<Sent, Refused> {
        self.client.mutate(&format!("{}.set", T::COLLECTION), entity)
    }

    /// Removes one.
    pub fn delete(&self, id: &str) -> Result<Sent, Refused> {
        self.client.mutate(&format!("{}.delete", T::COLLECTION), &Delete { id: id.into() })
    }

    /// One entity, there or not.
    pub fn entity(&self, id: impl Into<String>) -> EntityHandle<T> {
        EntityHandle { collection: self.clone(), id: id.into() }
    }
}

impl<T: Entity + PartialEq + Send + Sync + 'static> Collection<T> {
    /// All of them, in id order, kept true.
    pub fn signal(&self) -> Signal<Result<Vec<T>, Unreadable>> {
        self.client.signal(|core| read(core, &|_| true))
    }
}

impl<T: Entity> EntityHandle<T> {
    /// The entity's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The entity, where it is there.
    pub fn get(&self) -> Result<Option<T>, Unreadable> {
        self.collection.get(&self.id)
    }

    /// Changes it: reads, lets `edit` change it, and writes it back whole. `not_found` where it isn't there.
    pub fn edit(&self, edit: impl FnOnce(&mut T)) -> Result<Sent, Refused> {
        let unreadable = |error: Unreadable| Refused::new("internal_error", &error.to_string());
        let Some(mut entity) = self.get().map_err(unreadable)? else {
            return Err(Refused::new("not_found", &format!("there is no {} {}", T::COLLECTION, self.id)));
        };
        edit(&mut entity);
        if entity.id() != self.id {
            return Err(Refused::new("invalid_mutation", &format!("the id of {} can't be changed", self.id)));
        }
        self.collection.set(&entity)
    }

    /// Removes it.
    pub fn delete(&self) -> Result<Sent, Refused> {
        self.collection.delete(&self.id)
    }
}

impl<T: Entity + PartialEq + Send + Sync + 'static> EntityHandle<T> {
    /// The entity, kept true.
    pub fn signal(&self) -> Signal<Result<Option<T>, Unreadable>> {
        let id = self.id.clone();
        let read = move |core: &crate::Core| core.get(T::COLLECTION, &id).map(|json| decode(&id, json)).transpose();
        self.collection.client.signal(read)
    }
}

fn read<T: Entity>(core: &crate::Core, holds: &impl Fn(&T) -> bool) -> Result<Vec<T>, Unreadable> {
    let rows = core.list(T::COLLECTION, "", None, usize::MAX).into_iter();
    let all = rows.map(|(id, json)| decode(id, json)).collect::<Result<Vec<T>, _>>()?;
    Ok(all.into_iter().filter(|entity| holds(entity)).collect())
}

fn decode<T: Entity>(id: &str, json: &riverrun_core::Json) -> Result<T, Unreadable> {
    json.read().map_err(|why| Unreadable { collection: T::COLLECTION.into(), id: id.into(), why })
}
