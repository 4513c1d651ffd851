//! How a mutator says no. A rejection is an outcome, not an accident: it is recorded and repeated to every retry.

use alloc::{
    borrow::Cow,
    string::{String, ToString},
};

use crate::{Code, limits};

/// A mutator's refusal: a code of the contract, the application's own reason, and a sentence for people.
///
/// ```
/// use riverrun_core::{Code, Reject};
/// let no = Reject::new("title_empty", "a todo needs a title");
/// assert_eq!((no.code(), no.reason()), (Code::Rejected, Some("title_empty")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Reject {
    code: Code,
    reason: Option<String>,
    error: String,
}

impl Reject {
    /// The application's own no: `reason` is for programs (`title_empty`), `error` is a sentence for people.
    pub fn new(reason: impl Into<String>, error: impl Into<String>) -> Self {
        Self::with(Code::Rejected, Some(reason.into()), error)
    }

    /// What the mutation names does not exist.
    pub fn not_found(error: impl Into<String>) -> Self {
        Self::with(Code::NotFound, None, error)
    }

    /// What the mutation makes exists already, or something changed underneath it.
    pub fn conflict(error: impl Into<String>) -> Self {
        Self::with(Code::Conflict, None, error)
    }

    /// The principal may not do this.
    pub fn forbidden(error: impl Into<String>) -> Self {
        Self::with(Code::Forbidden, None, error)
    }

    /// The arguments are not what the mutator takes.
    pub fn invalid(error: impl Into<String>) -> Self {
        Self::with(Code::InvalidMutation, None, error)
    }

    /// More than the contract takes.
    pub fn too_large(error: impl Into<String>) -> Self {
        Self::with(Code::TooLarge, None, error)
    }

    /// The store failed underneath the mutator. Returned by `Tx`; the engine makes it a retry, never a verdict.
    pub(crate) fn unavailable() -> Self {
        Self::with(Code::Unavailable, None, "the store could not be reached")
    }

    /// Any code of the contract; texts are cut at their limits.
    pub fn with(code: Code, reason: Option<String>, error: impl Into<String>) -> Self {
        let reason = reason.map(|reason| cut(&reason, limits::REASON_BYTES).to_string());
        let error: String = error.into();
        Self { code, reason, error: cut(&error, limits::ERROR_BYTES).into_owned() }
    }

    /// The code of the contract.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The application's own reason, for programs.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The sentence for people.
    pub fn error(&self) -> &str {
        &self.error
    }
}

fn cut(text: &str, bytes: usize) -> Cow<'_, str> {
    if text.len() <= bytes {
        return Cow::Borrowed(text);
    }
    Cow::Borrowed(&text[..text.floor_char_boundary(bytes)])
}
