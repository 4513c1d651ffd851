//! The identities of the contract, each a type of its own so that one is never taken for another. They check their
//! shape when made and are cheap to clone; none of them is ever minted here, that takes randomness.

use alloc::{
    format,
    string::{String, ToString},
    sync::Arc,
};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::limits;

/// Why a text can't be an id: says which id, and what is wrong with the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {problem}")]
pub struct IdError {
    what: &'static str,
    problem: String,
}

fn check(what: &'static str, text: &str, max: usize) -> Result<(), IdError> {
    let problem = if text.is_empty() {
        "must not be empty".to_string()
    } else if text.len() > max {
        format!("must be at most {max} bytes, this one has {}", text.len())
    } else if text.chars().any(char::is_control) {
        "must not hold control characters".to_string()
    } else {
        return Ok(());
    };
    Err(IdError { what, problem })
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the text: not empty, no control characters, within the limit in bytes.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                check($what, text.as_ref(), $max)?;
                Ok(Self(Arc::from(text.as_ref())))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdError;
            fn try_from(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<&$name> for $name {
            type Error = IdError;
            fn try_from(id: &$name) -> Result<Self, IdError> {
                Ok(id.clone())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(from)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

text_id!(
    /// The partition that is ordered, authorised and synced as one, such as `list:42`. 1–255 bytes.
    ///
    /// ```
    /// use riverrun_core::Scope;
    /// assert_eq!(Scope::new("list:42")?.as_str(), "list:42");
    /// assert!(Scope::new("").is_err());
    /// # Ok::<(), riverrun_core::IdError>(())
    /// ```
    Scope, "a scope", limits::SCOPE_BYTES
);
text_id!(
    /// A mutation's identity, unique per principal and scope. 1–128 bytes; UUIDv7 keeps the index warm.
    MutationId, "a mutation's id", limits::ID_BYTES
);
text_id!(
    /// The id under which a client numbers its mutations: one per profile, database and signed-in user. 1–128 bytes.
    ClientId, "a client id", limits::ID_BYTES
);
text_id!(
    /// The identity of a log: minted at its creation and at a restore. Equal cursors of two epochs say nothing about
    /// each other.
    Epoch, "an epoch", limits::ID_BYTES
);
text_id!(
    /// Who is asking, as the application's authentication says. 1–255 bytes.
    Principal, "a principal", limits::PRINCIPAL_BYTES
);

impl Default for Scope {
    fn default() -> Self {
        Self(Arc::from(limits::DEFAULT_SCOPE))
    }
}

impl Principal {
    /// The principal of a request that carries no identity.
    pub fn anonymous() -> Self {
        Self(Arc::from("anonymous"))
    }

    /// The application's own code acting for itself: jobs, imports, tests.
    pub fn server() -> Self {
        Self(Arc::from("server"))
    }
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// Before the first.
            pub const ZERO: Self = Self(0);

            /// The one after this.
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let number = u64::deserialize(from)?;
                if number > limits::MAX_SAFE_INTEGER {
                    return Err(serde::de::Error::custom(concat!($what, " must not exceed 2^53-1")));
                }
                Ok(Self(number))
            }
        }
    };
}

number_id!(
    /// A change's place in its scope: 1, 2, 3 … without a gap, in commit order. 0 = nothing seen.
    Cursor, "a cursor"
);
number_id!(
    /// A mutation's place among its client's mutations in one scope: 1, 2, 3 … without holes.
    Seq, "a seq"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_cannot_be_an_id_is_refused_with_what_is_wrong() {
        for (text, says) in [
            (String::new(), "a scope must not be empty"),
            ("a\nb".to_string(), "a scope must not hold control characters"),
            ("x".repeat(256), "a scope must be at most 255 bytes, this one has 256"),
        ] {
            assert_eq!(Scope::new(&text).unwrap_err().to_string(), says);
        }
        assert!(Scope::new("x".repeat(255)).is_ok());
    }

    #[test]
    fn a_cursor_beyond_what_a_double_counts_is_refused() {
        assert!(serde_json::from_str::<Cursor>("9007199254740991").is_ok());
        assert!(serde_json::from_str::<Cursor>("9007199254740992").is_err());
    }
}
