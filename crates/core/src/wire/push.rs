//! `POST push`: mutations up, one result each back.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::{BadRequest, object::Object};
use crate::{Change, ClientId, Code, Cursor, Digest, Epoch, Json, Mutation, MutationId, Scope, Seq, limits};

/// A push, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushRequest {
    /// The history the sender means; a foreign one refuses the whole push.
    pub epoch: Option<Epoch>,
    /// The mutations, in the order to decide them.
    pub mutations: Vec<Mutation>,
}

#[derive(Deserialize)]
struct Body {
    client: Option<ClientId>,
    epoch: Option<Epoch>,
    scope: Option<Scope>,
    mutations: Vec<Object<Item>>,
}

#[derive(Deserialize)]
struct Item {
    id: MutationId,
    #[serde(rename = "type", alias = "name")]
    name: String,
    args: Option<Json>,
    scope: Option<Scope>,
    seq: Option<Seq>,
    schema: Option<u64>,
}

impl PushRequest {
    /// Reads a body through the strict door. `max_bytes` is the edge's: HTTP and live differ.
    pub fn read(body: &[u8], max_bytes: usize) -> Result<Self, BadRequest> {
        Self::read_in(body, max_bytes, &Scope::default())
    }

    /// The same for a body that arrived on a scope's own topic: mutations that name no scope mean that one.
    pub fn read_in(body: &[u8], max_bytes: usize, own: &Scope) -> Result<Self, BadRequest> {
        if body.len() > max_bytes {
            return Err(BadRequest::too_large(format!("a push is at most {max_bytes} bytes: send fewer mutations")));
        }
        let Object::<Body>(body) = serde_json::from_str(Json::check_bytes(body)?)?;
        if body.mutations.len() > limits::PUSH_MUTATIONS {
            let max = limits::PUSH_MUTATIONS;
            return Err(BadRequest::too_large(format!(
                "a push holds at most {max} mutations: send the rest in another"
            )));
        }
        let mutations = body.mutations.into_iter().enumerate().map(|(at, Object(item))| {
            item.read(body.client.as_ref(), body.scope.as_ref().unwrap_or(own))
                .map_err(|why| BadRequest::invalid(format!("mutations[{at}]: {why}")))
        });
        Ok(Self { epoch: body.epoch, mutations: mutations.collect::<Result<_, _>>()? })
    }
}

impl Item {
    fn read(self, client: Option<&ClientId>, scope: &Scope) -> Result<Mutation, String> {
        if self.name.is_empty() || self.name.len() > limits::TYPE_BYTES || self.name.contains(char::is_control) {
            return Err(format!("a type is 1 to {} bytes without control characters", limits::TYPE_BYTES));
        }
        let place = match (client, self.seq) {
            (Some(_), Some(Seq(0))) => return Err("seq counts from 1".to_string()),
            (Some(client), Some(seq)) => Some((client.clone(), seq)),
            (None, Some(_)) => return Err("a seq needs the client it is counted for".to_string()),
            // A client that does not number this mutation has given it no place: its id alone identifies it.
            (_, None) => None,
        };
        Ok(Mutation {
            id: self.id,
            name: self.name,
            args: self.args.unwrap_or_else(Json::null),
            scope: self.scope.unwrap_or_else(|| scope.clone()),
            place,
            schema: self.schema,
        })
    }
}

/// The answer to a push: one result per mutation, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushAnswer {
    /// The history the cursors belong to.
    pub epoch: Epoch,
    /// What became of each mutation.
    pub results: Vec<PushResult>,
}

/// What became of one mutation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushResult {
    /// The mutation's id.
    pub id: MutationId,
    /// Accepted, with exactly one effect, on disk.
    pub ok: bool,
    /// Accepted: the cursor its scope has reached with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
    /// Accepted: the digest at that cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Accepted, and it wrote to other scopes: their cursors.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cursors: BTreeMap<Scope, Cursor>,
    /// Accepted just now: its changes, of the scopes the caller may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Vec<Change>>,
    /// This id had its verdict before.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub duplicate: bool,
    /// Not accepted: the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Rejected by the application: its own reason, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Not accepted: a sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Not accepted: `true`, nothing was recorded, send it again; `false`, this is final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<bool>,
}

impl PushResult {
    /// A result that is not an acceptance.
    pub fn refused(id: MutationId, code: Code, reason: Option<String>, error: impl Into<String>, retry: bool) -> Self {
        Self { code: Some(code), reason, error: Some(error.into()), retry: Some(retry), ..Self::blank(id, false) }
    }

    /// A result with nothing but its id and `ok`.
    pub fn blank(id: MutationId, ok: bool) -> Self {
        Self {
            id,
            ok,
            cursor: None,
            digest: None,
            cursors: BTreeMap::new(),
            changes: None,
            duplicate: false,
            code: None,
            reason: None,
            error: None,
            retry: None,
        }
    }
}
