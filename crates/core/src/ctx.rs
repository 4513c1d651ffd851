//! What a mutator knows about the world: only this, so that running it again gives the same result.

use alloc::string::String;

use crate::{ClientId, Millis, MutationId, Principal, Scope};

/// The circumstances of one mutation. Time and identity come from here, never from the world around the mutator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ctx {
    /// When the server decides it.
    pub time: Millis,
    /// The mutation's id.
    pub mutation: MutationId,
    /// The mutation's type.
    pub name: String,
    /// Who asked for it.
    pub principal: Principal,
    /// The client that sent it, if it named itself.
    pub client: Option<ClientId>,
    /// The mutation's own scope.
    pub scope: Scope,
}
