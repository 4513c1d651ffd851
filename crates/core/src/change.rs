//! One durable effect of a mutation: what the log holds and readers receive.

use alloc::{
    format,
    string::{String, ToString},
};

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Cursor, Json, Millis, MutationId, Scope};

/// A change as readers receive it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its place in the scope.
    pub cursor: Cursor,
    /// The scope it belongs to.
    pub scope: Scope,
    /// When the server decided it.
    pub time: Millis,
    /// The mutation it is an effect of.
    pub mutation: MutationId,
    /// What changed: a [`CollectionChange`], or any JSON of the application's own.
    pub data: Json,
}

/// What a collection's change says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CollectionChange {
    /// The entity is now this value.
    Put {
        /// The collection's name.
        collection: String,
        /// The entity's id.
        id: String,
        /// The whole entity.
        value: Json,
    },
    /// The entity is gone.
    Del {
        /// The collection's name.
        collection: String,
        /// The entity's id.
        id: String,
    },
}

impl CollectionChange {
    /// The change as the log's text. Written by hand: the value passed the door already, and this is done for every write.
    pub fn to_json(&self) -> Json {
        let string = |text: &str| serde_json::Value::from(text).to_string();
        Json::trusted(match self {
            Self::Put { collection, id, value } => {
                let (collection, id) = (string(collection), string(id));
                format!(r#"{{"op":"put","collection":{collection},"id":{id},"value":{value}}}"#)
            }
            Self::Del { collection, id } => {
                format!(r#"{{"op":"del","collection":{},"id":{}}}"#, string(collection), string(id))
            }
        })
    }

    /// Reads a change's data, if it is a collection's.
    pub fn read(data: &Json) -> Option<Self> {
        // A tagged enum can't be derived here: serde buffers those, and raw text does not survive that.
        #[derive(Deserialize)]
        struct Parts {
            op: String,
            collection: String,
            id: String,
            // A value that is `null` is a value all the same.
            #[serde(default, deserialize_with = "present")]
            value: Option<Json>,
        }
        fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Json>, D::Error> {
            Json::deserialize(from).map(Some)
        }
        let Parts { op, collection, id, value } = data.read().ok()?;
        match (op.as_str(), value) {
            ("put", Some(value)) => Some(Self::Put { collection, id, value }),
            ("del", None) => Some(Self::Del { collection, id }),
            _ => None,
        }
    }

    /// What a put of this value says.
    pub fn put(collection: &str, id: &str, value: Json) -> Self {
        Self::Put { collection: collection.to_string(), id: id.to_string(), value }
    }

    /// What a delete says.
    pub fn del(collection: &str, id: &str) -> Self {
        Self::Del { collection: collection.to_string(), id: id.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collection_changes_read_as_the_contract_writes_them() {
        for text in [
            r#"{"op":"put","collection":"todo","id":"t1","value":{"n":1.50}}"#,
            r#"{"op":"put","collection":"todo","id":"t1","value":null}"#,
            r#"{"op":"del","collection":"todo","id":"t1"}"#,
            r#"{"op":"del","collection":"a \"quoted\" name","id":"\\ é"}"#,
        ] {
            let data = Json::parse(text).unwrap();
            assert_eq!(CollectionChange::read(&data).unwrap().to_json().as_str(), text);
        }
        assert_eq!(CollectionChange::read(&Json::parse(r#"{"op":"mine"}"#).unwrap()), None);
    }
}
