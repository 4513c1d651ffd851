//! A reader of one scope over HTTP: it walks the log from where it stands and looks at each change as a client would, and as
//! the ledger demands. It keeps what it saw, so that each restart costs only what is new.

use std::collections::HashMap;

use anyhow::{Result, bail, ensure};
use riverrun_core::{Change, Cursor, Digest, Epoch, MutationId, Scope};
use serde_json::json;

use crate::{
    http::{Answer, Http},
    ledger::{Ack, Outcome},
};

/// A reader and what it has seen.
pub(crate) struct Follower {
    scope: Scope,
    cursor: Cursor,
    digest: Digest,
    log: HashMap<MutationId, Cursor>,
    last: Option<MutationId>,
}

impl Follower {
    pub(crate) fn new(scope: &Scope) -> Self {
        let (cursor, digest) = (Cursor(0), Digest::EMPTY);
        Self { scope: scope.clone(), cursor, digest, log: HashMap::new(), last: None }
    }

    /// How many mutations it has seen.
    pub(crate) fn seen(&self) -> usize {
        self.log.len()
    }

    /// Reads up to the head. The epoch, once known, must stay.
    pub(crate) fn catch_up(&mut self, http: &Http, epoch: &mut Option<Epoch>) -> Result<()> {
        loop {
            let answer = match http.pull_after(&self.scope, self.cursor, self.digest)? {
                Answer::Ok(answer) => answer,
                Answer::Refused(code) => bail!("{}: the log after {} was refused: {code}", self.scope, self.cursor),
                Answer::Nothing => bail!("{}: the server is gone, though nobody killed it", self.scope),
            };
            let known = epoch.get_or_insert_with(|| answer.epoch.clone());
            ensure!(*known == answer.epoch, "the epoch was {known} and is {}", answer.epoch);
            for change in &answer.changes {
                self.take(change)?;
            }
            ensure!(self.cursor == answer.next_cursor, "a page ends at {}, not {}", self.cursor, answer.next_cursor);
            ensure!(self.digest == answer.digest, "{}: the digest at {} does not roll", self.scope, self.cursor);
            if !answer.has_more {
                return Ok(());
            }
            ensure!(
                !answer.changes.is_empty(),
                "{}: more is said to come after {}, and does not",
                self.scope,
                self.cursor
            );
        }
    }

    fn take(&mut self, change: &Change) -> Result<()> {
        let Change { cursor, time, mutation, data, .. } = change;
        ensure!(*cursor == self.cursor.next(), "{}: {cursor} follows {}", self.scope, self.cursor);
        self.cursor = *cursor;
        self.digest = self.digest.roll(*cursor, *time, mutation, data.as_str());
        let before = self.log.insert(mutation.clone(), *cursor);
        ensure!(
            before.is_none() || self.last.as_ref() == Some(mutation),
            "{}: {mutation} is at {before:?} and again at {cursor}",
            self.scope
        );
        self.last = Some(mutation.clone());
        Ok(())
    }

    /// Answers that what it has seen does not hold.
    pub(crate) fn missing<'a>(&self, acks: impl Iterator<Item = &'a Ack>) -> Vec<&'a Ack> {
        let is_missing = |ack: &&Ack| {
            let at = self.log.get(&ack.id);
            match &ack.outcome {
                Outcome::Accepted { .. } if ack.is_empty => false,
                Outcome::Accepted { cursor, .. } => at != Some(cursor),
                Outcome::Rejected { .. } => at.is_some(),
            }
        };
        acks.filter(is_missing).collect()
    }
}

impl Http {
    /// The changes after a cursor at which the reader has this digest.
    fn pull_after(
        &self,
        scope: &Scope,
        cursor: Cursor,
        digest: Digest,
    ) -> Result<Answer<riverrun_core::wire::PullAnswer>> {
        self.pull(&json!({"scope": scope.as_str(), "cursor": cursor.0, "digest": digest.to_string(), "limit": 1000}))
    }
}
