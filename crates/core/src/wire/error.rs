//! How a refusal of a whole request reads.

use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};

use crate::{Code, JsonRefused};

/// The body of an error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The code, from the closed list.
    pub code: Code,
    /// A sentence for people.
    pub error: String,
    /// The request's id, to find it in the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

/// A request that can't be read: what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct BadRequest {
    /// `invalid_mutation` or `too_large`.
    pub code: Code,
    /// A sentence for people.
    pub error: String,
}

impl BadRequest {
    /// The request's shape is wrong.
    pub fn invalid(error: impl Into<String>) -> Self {
        Self { code: Code::InvalidMutation, error: error.into() }
    }

    /// The request is too much.
    pub fn too_large(error: impl Into<String>) -> Self {
        Self { code: Code::TooLarge, error: error.into() }
    }
}

impl From<JsonRefused> for BadRequest {
    fn from(refused: JsonRefused) -> Self {
        Self::invalid(refused.to_string())
    }
}

impl From<serde_json::Error> for BadRequest {
    fn from(error: serde_json::Error) -> Self {
        Self::invalid(error.to_string())
    }
}
