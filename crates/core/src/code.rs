//! The closed list of codes an answer can carry. What a code means for HTTP is the edge's business, not this list's.

use core::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A stable code of the contract. Applications put their own reasons into `reason` under [`Code::Rejected`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it stands on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// Unknown type, bad args, a malformed request, or an id used again for something else.
    InvalidMutation = "invalid_mutation",
    /// Nobody is signed in where somebody must be.
    Unauthenticated = "unauthenticated",
    /// The principal may not do this here.
    Forbidden = "forbidden",
    /// The thing the mutation names does not exist.
    NotFound = "not_found",
    /// The thing the mutation makes exists already, or changed underneath it.
    Conflict = "conflict",
    /// This `seq` was already decided for another id: renumber what is undecided from `last_seq` + 1.
    SeqConflict = "seq_conflict",
    /// The mutation's schema is not one this server takes.
    SchemaMismatch = "schema_mismatch",
    /// A mutation of this client before this one is missing. Nothing was recorded; send again, in order.
    OutOfOrder = "out_of_order",
    /// The cursor is below the floor: the log was trimmed there. Take a snapshot.
    CursorTooOld = "cursor_too_old",
    /// The reader's history is not this log's. Take a snapshot, keep the pending queue.
    EpochChanged = "epoch_changed",
    /// Decided long ago, the outcome is forgotten; never executed again.
    Expired = "expired",
    /// This client was forgotten (or never known) and can't go on in the middle. Not executed.
    ClientUnknown = "client_unknown",
    /// More bytes or more things than the contract takes.
    TooLarge = "too_large",
    /// Only `application/json` is taken.
    UnsupportedMediaType = "unsupported_media_type",
    /// The application said no; see `reason`.
    Rejected = "rejected",
    /// Too many requests; see `Retry-After`.
    RateLimited = "rate_limited",
    /// Not now: nothing was recorded, or it is not known whether; send again.
    Unavailable = "unavailable",
    /// A defect on the server's side, written to its log under the request's id.
    InternalError = "internal_error",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Code {
    /// The code of this name, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn every_code_is_the_same_word_in_text_and_in_json() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{code}\""));
            assert_eq!(Code::parse(code.as_str()), Some(*code));
        }
        assert_eq!(Code::parse("nonsense"), None);
    }
}
