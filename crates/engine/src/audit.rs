//! Whether what is kept is what the log says: every scope rebuilt from its base and log and compared with its state, digests,
//! cursors, verdicts and watermarks. It needs no rules of an application, reads and never mends, and its memory is bounded
//! however large a scope is.

mod chain;
mod flaw;
mod marks;
mod names;
mod rebuild;
mod table;

use riverrun_core::{Cursor, Scope};

use crate::store::{self, ReadTx, Store, StoreError, StoreResult};

pub use flaw::{Flaw, Wrong};
use table::Table;

/// Flaws of one scope that are told in full: enough to see what happened. More are counted.
const FLAWS: usize = 100;

/// How a scope is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// The application keeps a state of its own (a machine), so the entities are not compared.
    pub own_state: bool,
    /// Entities and mutations remembered at a time, some 40 bytes each. A scope that has more is read several times.
    pub remembered: usize,
}

impl Default for Audit {
    /// 1,835,008: what a hash table of 2^21 places takes, 70 MiB.
    fn default() -> Self {
        Self { own_state: false, remembered: (1 << 21) / 8 * 7 }
    }
}

/// What became of one scope's audit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The head's cursor.
    pub cursor: Cursor,
    /// The floor: the log was replayed from here.
    pub floor: Cursor,
    /// Changes replayed.
    pub changes: u64,
    /// Entities compared.
    pub entities: u64,
    /// Verdicts compared.
    pub verdicts: u64,
    /// Clients' watermarks compared.
    pub clients: u64,
    /// Changes that are no collection's: the application's own.
    pub own_changes: u64,
    /// The base is a state of the application's own.
    pub own_state: bool,
    /// What is wrong; empty if all is well.
    pub flaws: Vec<Flaw>,
    /// How much more is wrong, beyond what is told.
    pub more: u64,
}

impl Report {
    /// Whether all is well.
    pub fn sound(&self) -> bool {
        self.flaws.is_empty()
    }

    fn wrong(&mut self, flaw: Flaw) {
        if self.flaws.len() < FLAWS {
            self.flaws.push(flaw);
        } else {
            self.more += 1;
        }
    }
}

/// What is wrong with the database as a whole: its epoch, and what the store finds in its own structure.
pub fn whole(store: &dyn Store) -> StoreResult<Vec<Flaw>> {
    let mut flaws = Vec::new();
    // Apart, so that a structure too damaged to be read does not hide the other answer.
    let epoch = store::read(store, |tx| tx.epoch());
    flaws.extend(epoch.err().map(|error| Flaw::Epoch(error.to_string())));
    let looked = store::read(store, |tx| tx.defects(&mut |defect| flaws.push(Flaw::Structure(defect.into()))));
    match looked {
        Err(error) if !is_damage(&error) => return Err(error),
        Err(error) => flaws.push(Flaw::Structure(error.to_string())),
        Ok(()) => {}
    }
    flaws.truncate(FLAWS);
    Ok(flaws)
}

impl Audit {
    /// Looks at one scope, on one snapshot. `progress` is told of changes as they are replayed for the first time.
    pub fn scope(&self, store: &dyn Store, scope: &Scope, progress: &mut dyn FnMut(u64)) -> StoreResult<Report> {
        store::read(store, |tx| self.within(tx, scope, progress))
    }

    /// The same inside a transaction.
    pub fn within(&self, tx: &mut dyn ReadTx, scope: &Scope, progress: &mut dyn FnMut(u64)) -> StoreResult<Report> {
        let mut report = Report::default();
        match self.look(tx, scope, &mut report, progress) {
            Err(error) if is_damage(&error) => report.wrong(Flaw::Unreadable(error.to_string())),
            other => other?,
        }
        Ok(report)
    }

    /// One pass for each slice of the keys; most scopes need one slice.
    fn look(
        &self,
        tx: &mut dyn ReadTx,
        scope: &Scope,
        report: &mut Report,
        progress: &mut dyn FnMut(u64),
    ) -> StoreResult<()> {
        let head = tx.head(scope)?.unwrap_or_default();
        (report.cursor, report.floor) = (head.cursor, head.floor);
        let mut table = Table::new(self.remembered);
        let mut first = true;
        loop {
            rebuild::rebuild(tx, scope, &head, &mut table, first, report, progress)?;
            if !report.own_state && !self.own_state {
                rebuild::compare(tx, scope, &mut table, report)?;
                names::missing(tx, scope, &head, &mut table, report)?;
            }
            marks::verdicts(tx, scope, &head, &table, report)?;
            if first {
                marks::watermarks(tx, scope, report)?;
            }
            first = false;
            let Some(next) = table.next() else { return Ok(()) };
            table = next;
        }
    }
}

/// Whether an error says something about the data, and not about the moment.
fn is_damage(error: &StoreError) -> bool {
    matches!(error, StoreError::Corrupt(_) | StoreError::Io(_))
}
