//! `riverrun trim`: old changes cut off the logs by hand. A server does it by itself, by its retention; this is for a
//! database whose server is stopped. The cutting is the engine's.

use clap::Args;
use riverrun::{
    core::{Mutators, Scope},
    engine::{Engine, Retention, audit::Audit},
};

use crate::{
    database::{self, Database},
    outcome::{Outcome, Usage},
    print::{BOLD, Out, of, plain},
    progress,
};

/// A day in the engine's milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Older than any change: an age that cuts nothing.
const EVER: i64 = 100_000 * DAY;

const EXAMPLES: &str = "Examples:
  riverrun trim --keep 10000               the last 10,000 changes of each scope stay
  riverrun trim --older-than 30            what is older than 30 days goes
  riverrun trim list:home --to 1200        up to cursor 1200

Stop the server first; a running server trims by itself. A client that was away for longer takes a snapshot.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[group(id = "what", required = true, args = ["to", "keep", "older_than"], multiple = true)]
pub(crate) struct Trim {
    /// Only these scopes
    #[arg(value_parser = database::scope)]
    scopes: Vec<Scope>,
    /// Up to this cursor, or the mutation's end before it; for one scope
    #[arg(long, value_name = "CURSOR", conflicts_with_all = ["keep", "older_than"])]
    to: Option<u64>,
    /// All but this many changes of each scope
    #[arg(long, value_name = "CHANGES")]
    keep: Option<u64>,
    /// What is older than this many days
    #[arg(long, value_name = "DAYS")]
    older_than: Option<u32>,
    #[command(flatten)]
    database: Database,
}

impl Trim {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        if self.to.is_some() && self.scopes.len() != 1 {
            return Err(Usage("--to is a cursor of one scope: name that scope".into()).into());
        }
        let store = self.database.write()?;
        let retention = Retention {
            changes: self.keep.unwrap_or(u64::MAX),
            age: self.older_than.map_or(EVER, |days| i64::from(days) * DAY),
            ..Retention::default()
        };
        // No mutator is run: trimming only folds changes, which say themselves what they do.
        let kernel = Engine::builder(store).mutators(Mutators::new()).retention(retention).kernel()?;
        let all = database::scopes(kernel.store())?;
        if let Some(unknown) = self.scopes.iter().find(|scope| !all.iter().any(|(known, _)| known == *scope)) {
            anyhow::bail!("there is no scope {unknown}; `riverrun scopes` lists those there are");
        }
        let mut out = Out::new();
        let mut refused = false;
        for (scope, before) in all.iter().filter(|(scope, _)| self.scopes.is_empty() || self.scopes.contains(scope)) {
            let bar = progress::bar("looking first", before.cursor.0.saturating_sub(before.floor.0));
            let report = Audit::default().scope(kernel.store(), scope, &mut |changes| bar.inc(changes))?;
            bar.finish_and_clear();
            let name = plain(scope.as_str());
            if !report.sound() {
                refused = true;
                anstream::eprintln!("{name}: left as it is; its state is not what its log says, see `riverrun verify`");
                continue;
            }
            if report.own_state || report.own_changes > 0 {
                refused = true;
                anstream::eprintln!(
                    "{name}: left as it is; the application keeps a state of its own, which only the application can fold"
                );
                continue;
            }
            match self.to {
                Some(to) => while kernel.trim_to(scope, riverrun::core::Cursor(to))? {},
                None => while kernel.trim(scope)? {},
            }
            let (after, _) = database::head(kernel.store(), scope)?;
            let (gone, left) = (after.floor.0 - before.floor.0, after.cursor.0 - after.floor.0);
            if gone > 0 || !self.scopes.is_empty() {
                let (gone, left) = (of(gone, "change", "changes"), of(left, "is", "are"));
                out.line(format_args!("{BOLD}{name}{BOLD:#}: {gone} cut off, {left} kept"))?;
            }
        }
        out.flush()?;
        Ok(if refused { Outcome::Found } else { Outcome::Well })
    }
}
