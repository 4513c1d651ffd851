//! `riverrun verify`: every scope rebuilt from its base and log and compared with what is kept. The comparing is the
//! engine's; here it is asked for, shown and counted.

use std::time::Instant;

use clap::Args;
use riverrun::{
    core::Scope,
    engine::{
        audit::{self, Audit, Flaw},
        store::StoreError,
    },
};
use serde_json::json;

use crate::{
    database::{self, Database},
    outcome::Outcome,
    print::{BOLD, GREEN, Out, RED, count, of, plain},
    progress,
};

const EXAMPLES: &str = "Examples:
  riverrun verify                          the whole database; exit code 1 if anything is wrong
  riverrun verify list:home list:work      these scopes only
  riverrun verify --database backup.db --json";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Verify {
    /// Only these scopes
    #[arg(value_parser = database::scope)]
    scopes: Vec<Scope>,
    /// The application keeps a state of its own: compare the logs, not the entities
    #[arg(long)]
    own_state: bool,
    /// Answer in JSON Lines: a flaw each, then a summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

#[derive(Default)]
struct Sum {
    scopes: u64,
    changes: u64,
    entities: u64,
    verdicts: u64,
    clients: u64,
    flaws: u64,
}

impl Verify {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let began = Instant::now();
        let store = self.database.read()?;
        let (mut out, mut sum) = (Out::new(), Sum::default());
        for flaw in audit::whole(&*store)? {
            self.tell(&mut out, &mut sum, None, &flaw)?;
        }
        let all = match database::scopes(&*store) {
            Ok(all) => all,
            Err(error) if error.downcast_ref::<StoreError>().is_some() => {
                self.tell(&mut out, &mut sum, None, &Flaw::Unreadable(error.to_string()))?;
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        if let Some(unknown) = self.scopes.iter().find(|scope| !all.iter().any(|(known, _)| known == *scope)) {
            anyhow::bail!("there is no scope {unknown}; `riverrun scopes` lists those there are");
        }
        let chosen: Vec<_> =
            all.into_iter().filter(|(scope, _)| self.scopes.is_empty() || self.scopes.contains(scope)).collect();
        let changes = chosen.iter().map(|(_, head)| head.cursor.0.saturating_sub(head.floor.0)).sum();
        let bar = progress::bar("verifying", changes);
        let audit = Audit { own_state: self.own_state, ..Audit::default() };
        for (scope, _) in &chosen {
            let report = audit.scope(&*store, scope, &mut |changes| bar.inc(changes))?;
            for flaw in &report.flaws {
                bar.suspend(|| self.tell(&mut out, &mut sum, Some(scope), flaw))?;
            }
            if report.more > 0 && !self.json {
                let more = of(report.more, "flaw", "flaws");
                bar.suspend(|| out.line(format_args!("{BOLD}{}{BOLD:#}: and {more} more", plain(scope.as_str()))))?;
            }
            sum.scopes += 1;
            sum.changes += report.changes;
            sum.entities += report.entities;
            sum.verdicts += report.verdicts;
            sum.clients += report.clients;
            sum.flaws += report.more;
        }
        bar.finish_and_clear();
        let seconds = began.elapsed().as_secs_f64();
        self.end(&mut out, &sum, seconds)?;
        Ok(if sum.flaws == 0 { Outcome::Well } else { Outcome::Found })
    }

    fn tell(&self, out: &mut Out, sum: &mut Sum, scope: Option<&Scope>, flaw: &Flaw) -> anyhow::Result<()> {
        sum.flaws += 1;
        if self.json {
            out.json(&json!({ "scope": scope, "flaw": flaw.to_string() }))?;
        } else {
            let place = scope.map_or("the database", Scope::as_str);
            out.line(format_args!("{BOLD}{}{BOLD:#}: {RED}{}{RED:#}", plain(place), plain(&flaw.to_string())))?;
        }
        Ok(out.flush()?)
    }

    fn end(&self, out: &mut Out, sum: &Sum, seconds: f64) -> anyhow::Result<()> {
        // Whole changes a second are precise enough, and no number here is near what a double cannot hold.
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rate = (sum.changes as f64 / seconds.max(0.001)) as u64;
        if self.json {
            out.json(&json!({
                "scopes": sum.scopes, "changes": sum.changes, "entities": sum.entities, "verdicts": sum.verdicts,
                "clients": sum.clients, "flaws": sum.flaws, "seconds": seconds,
            }))?;
        } else {
            out.line(format_args!(
                "{}, {}, {}, {}, {} in {seconds:.1} s ({} changes/s)",
                of(sum.scopes, "scope", "scopes"),
                of(sum.changes, "change", "changes"),
                of(sum.entities, "entity", "entities"),
                of(sum.verdicts, "verdict", "verdicts"),
                of(sum.clients, "client", "clients"),
                count(rate),
            ))?;
            match sum.flaws {
                0 => out.line(format_args!("{GREEN}all is well{GREEN:#}"))?,
                flaws => out.line(format_args!("{RED}{}{RED:#}", of(flaws, "flaw", "flaws")))?,
            }
        }
        Ok(out.flush()?)
    }
}
