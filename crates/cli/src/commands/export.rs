//! `riverrun export`: every scope as JSON Lines, of one moment, also while a server runs.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use clap::Args;
use riverrun::engine::store;

use crate::{
    database::{self, Database},
    outcome::Outcome,
    print::of,
    progress,
    transfer::write::{self, Lines},
};

const EXAMPLES: &str = "Examples:
  riverrun export app.jsonl
  riverrun export - | gzip > app.jsonl.gz

Tables of the application's own are not in it; `riverrun backup` copies everything.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Export {
    /// The file to write, which must not be there yet; - for stdout
    file: PathBuf,
    #[command(flatten)]
    database: Database,
}

impl Export {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let store = self.database.read()?;
        let changes = database::scopes(&*store)?.iter().map(|(_, head)| head.cursor.0 - head.floor.0).sum();
        let bar = progress::bar("exporting", changes);
        let to_stdout = self.file.as_os_str() == "-";
        let mut to: Box<dyn Write> = if to_stdout {
            Box::new(BufWriter::new(io::stdout().lock()))
        } else {
            Box::new(BufWriter::new(File::create_new(&self.file).map_err(|error| named(&self.file, &error))?))
        };
        let mut lines = Lines::new(&mut to);
        let written = store::read(&*store, |tx| write::write(tx, &mut lines, &mut |changes| bar.inc(changes)));
        let (count, failed) = (lines.count, lines.failed.take());
        let done = match failed {
            Some(error) => Err(error.into()),
            None => written.map_err(anyhow::Error::from).and_then(|()| Ok(to.flush()?)),
        };
        bar.finish_and_clear();
        if done.is_err() && !to_stdout {
            // Half an export is none, and the failure is about to be told.
            let _ = std::fs::remove_file(&self.file);
        }
        done?;
        anstream::eprintln!("{}, {} written", of(count, "line", "lines"), of(changes, "change", "changes"));
        Ok(Outcome::Well)
    }
}

fn named(file: &std::path::Path, error: &io::Error) -> anyhow::Error {
    anyhow::anyhow!("{} can't be written: {error}", file.display())
}
