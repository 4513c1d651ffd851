//! How the engine refuses a whole request. What exactly failed inside goes to the log, never into the sentence.

use riverrun_core::Code;

use crate::store::StoreError;

/// A request was refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Refused {
    /// The code of the contract.
    pub code: Code,
    /// A sentence for people.
    pub error: String,
}

impl Refused {
    /// A refusal.
    pub fn new(code: Code, error: impl Into<String>) -> Self {
        Self { code, error: error.into() }
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(Code::Forbidden, "you may not read this scope")
    }

    pub(crate) fn epoch_changed() -> Self {
        Self::new(Code::EpochChanged, "this history is not the server's: take a snapshot and keep what is pending")
    }

    pub(crate) fn unavailable() -> Self {
        Self::new(Code::Unavailable, "not available right now: try again")
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        match error {
            StoreError::Corrupt(_) | StoreError::Other(_) => {
                Self::new(Code::InternalError, "something is wrong on the server; it is in its log")
            }
            _ => Self::unavailable(),
        }
    }
}
