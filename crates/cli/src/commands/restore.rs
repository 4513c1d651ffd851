//! `riverrun restore`: a backup in the place of the database, as a new history, so that clients notice and keep what they
//! have not sent yet.

use std::path::PathBuf;

use clap::Args;
use riverrun::sqlite::{self, OpenError};

use crate::{database::Database, outcome::Outcome, print::Out};

const EXAMPLES: &str = "Examples:
  riverrun restore backups/app-2026-11-22.db --database new.db
  riverrun restore backups/app-2026-11-22.db --force       in the place of app.db, which is kept aside

Stop the server first. Clients resync by themselves: they keep their pending mutations and send them again.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Restore {
    /// The backup
    file: PathBuf,
    /// Put it in the place of a database that is there, which is moved aside
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    database: Database,
}

impl Restore {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let path = self.database.file()?;
        let restored = sqlite::restore(&self.file, path, self.force).map_err(|error| match error {
            OpenError::InTheWay { path, .. } if !self.force => {
                anyhow::anyhow!("{} is there already; --force moves it aside", path.display())
            }
            other => other.into(),
        })?;
        let mut out = Out::new();
        out.line(format_args!("{} is restored, with the new epoch {}", path.display(), restored.epoch))?;
        if let Some(aside) = restored.aside {
            out.line(format_args!("what was there is {} now; remove it when you are sure", aside.display()))?;
        }
        out.flush()?;
        Ok(Outcome::Well)
    }
}
