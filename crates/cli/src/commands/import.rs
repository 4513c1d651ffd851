//! `riverrun import`: an export into an empty database, all of it or nothing.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::PathBuf,
};

use anyhow::Context;
use clap::Args;
use riverrun::{core::Epoch, engine::store};

use crate::{
    database::Database,
    outcome::Outcome,
    print::{Out, of},
    transfer::read,
};

const EXAMPLES: &str = "Examples:
  riverrun import app.jsonl --database new.db
  gunzip -c app.jsonl.gz | riverrun import - --database new.db

It gets a new epoch, as after a restore: clients resync and keep what is pending. With --keep-epoch they go on as if
nothing had happened, which is right only if nothing was written to the old database since the export.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Import {
    /// The export to read; - for stdin
    file: PathBuf,
    /// The log stays the one it was: the old server was stopped before the export
    #[arg(long)]
    keep_epoch: bool,
    /// The application keeps a state of its own: check the logs, not the entities
    #[arg(long)]
    own_state: bool,
    #[command(flatten)]
    database: Database,
}

impl Import {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let mut from: Box<dyn BufRead> = if self.file.as_os_str() == "-" {
            Box::new(BufReader::new(io::stdin().lock()))
        } else {
            let file = File::open(&self.file).with_context(|| format!("{} can't be read", self.file.display()))?;
            Box::new(BufReader::new(file))
        };
        let minted = Epoch::new(uuid::Uuid::now_v7().to_string())?;
        let epoch = (!self.keep_epoch).then_some(&minted);
        let is_new = !self.database.file()?.exists();
        let store = self.database.create()?;
        let taken = store::write(&*store, |tx| read::read(tx, &mut *from, epoch, self.own_state));
        if taken.is_err() && is_new {
            drop(store);
            self.sweep();
            return Err(taken.err().map_or_else(|| anyhow::anyhow!("nothing was imported"), Into::into));
        }
        let (taken, epoch) = (taken?, store::read(&*store, |tx| tx.epoch())?);
        let mut out = Out::new();
        out.line(format_args!(
            "{} of {}, verified, with the epoch {epoch}",
            of(taken.changes, "change", "changes"),
            of(taken.scopes.len() as u64, "scope", "scopes"),
        ))?;
        out.flush()?;
        Ok(Outcome::Well)
    }

    /// A database that was only made for this import and holds nothing: the failure is told, and the next try finds no file.
    fn sweep(&self) {
        for suffix in ["", "-wal", "-shm", "-lock"] {
            let mut name = self.database.path.clone().into_os_string();
            name.push(suffix);
            let _ = std::fs::remove_file(name);
        }
    }
}
