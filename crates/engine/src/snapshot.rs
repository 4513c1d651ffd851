//! A scope's whole state at one cursor, all of one transaction: collections from their rows, a machine's state from memory
//! and whatever the log holds above it.

use std::fmt::Write as _;

use riverrun_core::{
    Json, Principal, Scope,
    wire::{SnapshotAnswer, SnapshotRequest},
};

use crate::{
    app::Published,
    error::Refused,
    kernel::Kernel,
    pull::last_seq,
    store::{self, Head, Layer, ReadTx, StoreError, StoreResult},
};

impl Kernel {
    /// Answers a snapshot. Access is the caller's to check.
    pub fn snapshot(&self, principal: &Principal, ask: &SnapshotRequest) -> Result<SnapshotAnswer, Refused> {
        store::read(&*self.store, |tx| {
            let (epoch, head) = (tx.epoch()?, tx.head(&ask.scope)?.unwrap_or_default());
            let last_seq = match last_seq(tx, principal, &ask.scope, ask.client.as_ref())? {
                Ok(last_seq) => last_seq,
                Err(no) => return Ok(Err(no)),
            };
            let data = match self.machine_state(tx, &ask.scope, &head)? {
                Some(at) => self.app.save(&at)?,
                None => collections(tx, &ask.scope)?,
            };
            Ok(Ok(SnapshotAnswer { data, cursor: head.cursor, digest: head.digest, epoch, last_seq }))
        })?
    }

    /// A machine's state at the head of this transaction.
    pub(crate) fn machine_state(
        &self,
        tx: &mut dyn ReadTx,
        scope: &Scope,
        head: &Head,
    ) -> StoreResult<Option<Published>> {
        if !self.app.is_machine() {
            return Ok(None);
        }
        let known = self.published().get(scope).cloned();
        self.app.load(tx, scope, head, known)
    }
}

/// `{"todo":{"t1":{…}}}`, written straight from the stored texts.
pub(crate) fn collections(tx: &mut dyn ReadTx, scope: &Scope) -> StoreResult<Json> {
    let mut text = String::from("{");
    let mut current: Option<String> = None;
    let key = |text: &str| serde_json::to_string(text).map_err(|error| StoreError::Other(error.to_string()));
    tx.each_entity(scope, Layer::Current, &mut |collection, id, json| {
        if current.as_deref() == Some(collection) {
            text.push(',');
        } else {
            let close = if current.is_some() { "}," } else { "" };
            let _ = write!(text, "{close}{}:{{", key(collection)?);
            current = Some(collection.into());
        }
        let _ = write!(text, "{}:{json}", key(id)?);
        Ok(())
    })?;
    text.push_str(if current.is_some() { "}}" } else { "}" });
    Ok(Json::trusted(text))
}
