//! `riverrun log`: a scope's mutations with what each changed, once or as they come. It reads the database, so it needs no
//! server and sees what a server committed.

use std::{thread, time::Duration};

use clap::Args;
use riverrun::{
    core::{CollectionChange, Cursor, Epoch, Scope},
    engine::store::{self, Entry, Origin, StoreError},
};
use serde_json::json;

use crate::{
    database::{self, Database},
    outcome::Outcome,
    print::{BOLD, DIM, GREEN, Out, RED, plain},
};

/// How often the database is looked at while following: what people call at once.
const LOOK: Duration = Duration::from_millis(200);

const EXAMPLES: &str = "Examples:
  riverrun log list:home                   all that is kept
  riverrun log list:home --from 1200       from cursor 1200 on
  riverrun log list:home --follow          and whatever comes, until Ctrl-C
  riverrun log list:home --json | jq .type";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Log {
    /// The scope
    #[arg(value_parser = database::scope)]
    scope: Scope,
    /// Begin with the mutation that holds this cursor
    #[arg(long, value_name = "CURSOR", default_value_t = 1)]
    from: u64,
    /// Stay, and show what is committed from now on
    #[arg(short, long)]
    follow: bool,
    /// Answer in JSON Lines, a mutation each
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

impl Log {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let mut out = Out::new();
        let mut after = Cursor(self.from.saturating_sub(1));
        let mut known: Option<Epoch> = None;
        loop {
            // Opened anew each time, so that a database put in its place is noticed.
            let store = self.database.read()?;
            let (head, epoch) = match database::head(&*store, &self.scope) {
                Err(_) if self.follow && known.is_none() => {
                    thread::sleep(LOOK);
                    continue;
                }
                found => found?,
            };
            if known.as_ref().is_some_and(|known| *known != epoch) || (known.is_some() && head.cursor < after) {
                anyhow::bail!("the log is another one now, of epoch {epoch}: the database was restored or replaced");
            }
            if known.is_none() && head.floor > after && self.from > 1 {
                anstream::eprintln!("the log was trimmed up to cursor {}", head.floor);
            }
            known = Some(epoch);
            let mut failed = None;
            store::read(&*store, |tx| {
                tx.logged(&self.scope, after, &mut |entry, origin| {
                    after = entry.last();
                    let shown = self.show(&mut out, &entry, &origin);
                    shown.map(|()| true).or_else(|error| {
                        failed = Some(error);
                        Ok::<_, StoreError>(false)
                    })
                })
            })?;
            failed.map_or(Ok(()), Err)?;
            out.flush()?;
            if !self.follow {
                return Ok(Outcome::Well);
            }
            drop(store);
            thread::sleep(LOOK);
        }
    }

    fn show(&self, out: &mut Out, entry: &Entry, origin: &Origin) -> anyhow::Result<()> {
        if self.json {
            let (client, seq) = origin.place.as_ref().map_or((None, None), |(client, seq)| (Some(client), Some(seq)));
            return out.json(&json!({
                "first": entry.first, "cursor": entry.last(), "time": entry.time, "mutation": entry.mutation,
                "type": origin.name, "args": origin.args, "principal": origin.principal, "client": client, "seq": seq,
                "digest": entry.digest, "changes": entry.changes,
            }));
        }
        let place = origin.place.as_ref().map(|(client, seq)| format!(" {} #{seq}", plain(client.as_str())));
        out.line(format_args!(
            "{BOLD}{}{BOLD:#}  {}  {BOLD}{}{BOLD:#} {}  {DIM}by {}{}, mutation {}{DIM:#}",
            entry.last(),
            entry.time,
            plain(&origin.name),
            plain(origin.args.as_str()),
            plain(origin.principal.as_str()),
            place.unwrap_or_default(),
            plain(entry.mutation.as_str()),
        ))?;
        for change in &entry.changes {
            match CollectionChange::read(change) {
                Some(CollectionChange::Put { collection, id, value }) => out.line(format_args!(
                    "    {GREEN}put{GREEN:#} {} {} {}",
                    plain(&collection),
                    plain(&id),
                    plain(value.as_str())
                ))?,
                Some(CollectionChange::Del { collection, id }) => {
                    out.line(format_args!("    {RED}del{RED:#} {} {}", plain(&collection), plain(&id)))?;
                }
                None => out.line(format_args!("    {}", plain(change.as_str())))?,
            }
        }
        Ok(())
    }
}
