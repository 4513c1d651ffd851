//! A database file held against the ledger, in this process, by the store's own code: what was acknowledged is there exactly
//! once, and what is there agrees with itself. Opening a file changes it, so it is given copies where that matters.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    path::Path,
};

use anyhow::Result;
use riverrun_core::{ClientId, Cursor, Epoch, MutationId, Principal, Scope, Seq, Verdict};
use riverrun_engine::{
    Engine, Public,
    store::{ReadTx, StoreResult, read},
};
use riverrun_sqlite::Sqlite;

use crate::ledger::{Ack, Outcome};

/// Scopes that are read; no test makes more.
const SCOPES: usize = 100_000;

/// Complaints that are kept; the first few say what there is to say.
const KEPT: usize = 8;

/// What a file was found to be.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Acknowledged mutations that are not there as they were acknowledged.
    pub(crate) lost: u64,
    /// Mutations that have more than one effect.
    pub(crate) doubled: u64,
    /// What else is wrong: the file contradicts itself, or can't be opened.
    pub(crate) broken: u64,
    /// Entries in the log.
    pub(crate) entries: u64,
    /// The log's identity.
    pub(crate) epoch: Option<Epoch>,
    /// The first complaints, in words.
    pub(crate) why: Vec<String>,
}

impl Found {
    /// Whether there is nothing to complain of.
    pub(crate) fn is_well(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.broken == 0
    }

    fn complain(&mut self, why: impl fmt::Display) {
        if self.why.len() < KEPT {
            self.why.push(why.to_string());
        }
    }

    fn lose(&mut self, ack: &Ack, found: impl fmt::Debug) {
        self.lost += 1;
        self.complain(format_args!("{} of {} was answered with {:?}; {found:?}", ack.id, ack.scope, ack.outcome));
    }

    fn break_off(&mut self, why: impl fmt::Display) {
        self.broken += 1;
        self.complain(why);
    }
}

/// Opens the file and looks. An error is a fault of this program's; what is wrong with the file is in the result.
pub(crate) fn file(path: &Path, acks: &[Ack]) -> Result<Found> {
    let mut found = Found::default();
    let store = match Sqlite::open(path) {
        Ok(store) => store,
        Err(error) => {
            found.break_off(error);
            found.lost = acks.len() as u64;
            return Ok(found);
        }
    };
    let rules = myapp::service::todo::mutators();
    let kernel = Engine::builder(store.clone()).mutators(rules).access(Public).kernel()?;
    let looked = (|| {
        let scopes = read(&store, |tx| tx.scopes(None, SCOPES))?;
        for scope in &scopes {
            for damage in kernel.verify(scope)?.damage {
                found.break_off(format_args!("{scope}: {damage}"));
            }
        }
        read(&store, |tx| {
            found.epoch = Some(tx.epoch()?);
            held(tx, &scopes, acks, &mut found)
        })
    })();
    if let Err(error) = looked {
        found.break_off(format_args!("it could not be read: {error}"));
    }
    Ok(found)
}

/// The mutations of a scope's log by their last cursors, after their order was looked at.
fn log(tx: &mut dyn ReadTx, scope: &Scope, found: &mut Found) -> StoreResult<HashMap<MutationId, Cursor>> {
    let mut log = HashMap::new();
    let mut lasts = Vec::new();
    tx.entries(scope, Cursor(0), &mut |entry| {
        lasts.push(entry.last());
        if log.insert(entry.mutation.clone(), entry.last()).is_some() {
            found.doubled += 1;
            found.complain(format_args!("{scope} holds {} twice", entry.mutation));
        }
        true
    })?;
    found.entries += lasts.len() as u64;
    let mut reached: HashMap<ClientId, Seq> = HashMap::new();
    for last in lasts {
        let Some((client, seq)) = tx.origin(scope, last)?.and_then(|origin| origin.place) else { continue };
        let before = reached.insert(client.clone(), seq).unwrap_or(Seq(0));
        if before >= seq {
            found.break_off(format_args!("{scope}: {client} {seq} comes after its {before}"));
        }
    }
    Ok(log)
}

fn held(tx: &mut dyn ReadTx, scopes: &[Scope], acks: &[Ack], found: &mut Found) -> StoreResult<()> {
    let anybody = Principal::anonymous();
    let mut logs = HashMap::new();
    for scope in scopes {
        logs.insert(scope, log(tx, scope, found)?);
    }
    let mut reached: HashMap<(&Scope, &ClientId), Seq> = HashMap::new();
    let mut seen = HashSet::new();
    for ack in acks {
        if !seen.insert((&ack.scope, &ack.id)) {
            found.doubled += 1;
            found.complain(format_args!("{} was acknowledged twice as new", ack.id));
        }
        if let Some((client, seq)) = &ack.place {
            let reached = reached.entry((&ack.scope, client)).or_insert(*seq);
            *reached = (*reached).max(*seq);
        }
        let at = logs.get(&ack.scope).and_then(|log| log.get(&ack.id)).copied();
        let verdict = tx.verdict(&ack.scope, &anybody, &ack.id)?.map(|record| record.verdict);
        let recorded = match verdict {
            Some(Verdict::Accepted(accepted)) => {
                Some(Outcome::Accepted { cursor: accepted.cursor, digest: accepted.digest })
            }
            Some(Verdict::Rejected(no)) => Some(Outcome::Rejected { code: no.code, reason: no.reason }),
            None => None,
        };
        let expected = match &ack.outcome {
            Outcome::Accepted { .. } if ack.is_empty => at,
            Outcome::Accepted { cursor, .. } => Some(*cursor),
            Outcome::Rejected { .. } => None,
        };
        if recorded.as_ref() != Some(&ack.outcome) {
            found.lose(ack, ("recorded is", recorded));
        } else if at != expected {
            found.lose(ack, ("the log has it at", at));
        }
    }
    for ((scope, client), seq) in reached {
        let mark = tx.watermark(scope, client)?.map(|mark| mark.last_seq);
        if mark.is_none_or(|mark| mark < seq) {
            found.break_off(format_args!("{scope}: {client} was answered up to {seq}, its watermark is {mark:?}"));
        }
    }
    Ok(())
}
