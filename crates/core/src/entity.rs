//! A typed row of a collection: how a Rust type says where it lives and by which id.

use serde::{Serialize, de::DeserializeOwned};

/// A type kept in a collection. Implemented with [`entity!`](crate::entity!).
///
/// Its JSON is what readers receive; a field added later needs `#[serde(default)]`, for the rows written before it.
pub trait Entity: Serialize + DeserializeOwned {
    /// The collection's name on the wire. 1–255 bytes.
    const COLLECTION: &'static str;

    /// The entity's id: unique in its collection and scope. 1–255 bytes.
    fn id(&self) -> &str;
}

/// Says that a type is an entity: the type, its collection's name, and the field that holds its id.
///
/// ```
/// use riverrun_core::{Entity, entity};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Todo {
///     id: String,
///     title: String,
/// }
/// entity!(Todo, "todo", id);
///
/// assert_eq!(Todo::COLLECTION, "todo");
/// ```
#[macro_export]
macro_rules! entity {
    ($type:ty, $collection:literal, $id:ident) => {
        impl $crate::Entity for $type {
            const COLLECTION: &'static str = $collection;

            fn id(&self) -> &str {
                ::core::convert::AsRef::<str>::as_ref(&self.$id)
            }
        }
    };
}
