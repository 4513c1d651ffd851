//! `riverrun backup`: the whole database in one new file, as of one moment, also while a server writes to it.

use std::{path::PathBuf, time::Instant};

use clap::Args;

use crate::{
    database::Database,
    outcome::Outcome,
    print::{Out, count},
    progress,
};

const EXAMPLES: &str = "Examples:
  riverrun backup backups/app-$(date +%F).db
  riverrun verify --database backups/app-2026-11-22.db";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Backup {
    /// The file to write, which must not be there yet
    file: PathBuf,
    #[command(flatten)]
    database: Database,
}

impl Backup {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let began = Instant::now();
        let store = self.database.read()?;
        let bar = progress::bar("copying", 0);
        store.backup(&self.file, &mut |done, of| {
            bar.set_length(of);
            bar.set_position(done);
        })?;
        bar.finish_and_clear();
        let mut out = Out::new();
        let bytes = std::fs::metadata(&self.file)?.len();
        let seconds = began.elapsed().as_secs_f64();
        out.line(format_args!("{} holds {} bytes, written in {seconds:.1} s", self.file.display(), count(bytes)))?;
        out.flush()?;
        Ok(Outcome::Well)
    }
}
