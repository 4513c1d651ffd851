//! `riverrun scopes`: which scopes there are and where each log stands.

use clap::Args;
use serde_json::json;

use crate::{
    database::{self, Database},
    outcome::Outcome,
    print::{BOLD, DIM, Out, count},
};

const EXAMPLES: &str = "Examples:
  riverrun scopes
  riverrun scopes --database data/app.db --json | head";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Scopes {
    #[command(flatten)]
    database: Database,
    /// Answer in JSON Lines
    #[arg(long)]
    json: bool,
}

impl Scopes {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let store = self.database.read()?;
        let all = database::scopes(&*store)?;
        let mut out = Out::new();
        if self.json {
            for (scope, head) in &all {
                out.json(&json!({
                    "scope": scope, "cursor": head.cursor, "digest": head.digest,
                    "floor": head.floor, "floor_digest": head.floor_digest,
                }))?;
            }
        } else {
            let width = all.iter().map(|(scope, _)| scope.as_str().chars().count()).max().unwrap_or(0).max(5);
            if !all.is_empty() {
                out.line(format_args!("{DIM}{:width$}  {:>12}  {:>12}  digest{DIM:#}", "scope", "cursor", "floor"))?;
            }
            for (scope, head) in &all {
                let (cursor, floor) = (count(head.cursor.0), count(head.floor.0));
                out.line(format_args!(
                    "{BOLD}{:width$}{BOLD:#}  {cursor:>12}  {floor:>12}  {DIM}{}{DIM:#}",
                    scope.as_str(),
                    head.digest
                ))?;
            }
        }
        out.flush()?;
        if all.is_empty() && !self.json {
            anstream::eprintln!("no scope was written to yet");
        }
        Ok(Outcome::Well)
    }
}
