//! `riverrun diff`: what is different in a scope's state between two cursors, whatever happened in between.

use std::collections::BTreeSet;

use clap::Args;
use riverrun::{
    core::{Cursor, Json, Scope},
    engine::{history, store},
};
use serde_json::json;

use crate::{
    database::{self, Database},
    outcome::Outcome,
    print::{GREEN, Out, RED, YELLOW, plain},
};

const EXAMPLES: &str = "Examples:
  riverrun diff list:home 100 120          what 120 has that 100 had not, and the other way round
  riverrun diff list:home 100 120 --json";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Diff {
    /// The scope
    #[arg(value_parser = database::scope)]
    scope: Scope,
    /// The cursor to begin with
    #[arg(value_name = "A")]
    before: u64,
    /// The cursor to compare with it
    #[arg(value_name = "B")]
    after: u64,
    /// Answer in JSON Lines, an entity each
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

impl Diff {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let store = self.database.read()?;
        database::head(&*store, &self.scope)?;
        let (before, after) = store::read(&*store, |tx| {
            let mut at = |cursor| history::state_at(tx, &self.scope, Cursor(cursor));
            Ok((at(self.before)?, at(self.after)?))
        })?;
        let mut out = Out::new();
        let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        for key in keys {
            let (old, new) = (before.get(key), after.get(key));
            if old != new {
                self.show(&mut out, key, old, new)?;
            }
        }
        out.flush()?;
        Ok(Outcome::Well)
    }

    fn show(
        &self,
        out: &mut Out,
        key: &(String, String),
        old: Option<&Json>,
        new: Option<&Json>,
    ) -> anyhow::Result<()> {
        let (collection, id) = key;
        if self.json {
            return out.json(&json!({ "collection": collection, "id": id, "before": old, "after": new }));
        }
        let (collection, id) = (plain(collection), plain(id));
        let text = |json: &Json| plain(json.as_str());
        match (old, new) {
            (Some(old), Some(new)) => {
                out.line(format_args!("{YELLOW}~{YELLOW:#} {collection} {id} {} -> {}", text(old), text(new)))?;
            }
            (Some(old), None) => out.line(format_args!("{RED}-{RED:#} {collection} {id} {}", text(old)))?,
            (None, Some(new)) => out.line(format_args!("{GREEN}+{GREEN:#} {collection} {id} {}", text(new)))?,
            (None, None) => {}
        }
        Ok(())
    }
}
