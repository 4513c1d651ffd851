//! A client's intent: a named command with arguments, never a state patch.

use alloc::string::String;

use crate::{ClientId, Json, MutationId, Scope, Seq, limits};

/// A mutation, as the server reads it after the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutation {
    /// Its identity, unique per principal and scope.
    pub id: MutationId,
    /// The command's name, such as `todo.create`; on the wire `type`.
    pub name: String,
    /// The command's arguments, as the text that came.
    pub args: Json,
    /// Where it is ordered, authorised and applied.
    pub scope: Scope,
    /// Its place among its client's mutations, if its client numbers them.
    pub place: Option<(ClientId, Seq)>,
    /// The schema its arguments were written under, if its client says.
    pub schema: Option<u64>,
}

impl Mutation {
    /// It only takes up its place, for a mutation the server refused to read.
    pub fn is_void(&self) -> bool {
        self.name == limits::VOID
    }
}
