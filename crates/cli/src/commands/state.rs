//! `riverrun state`: a scope's collections, as they are kept or as they were at a cursor.

use std::collections::BTreeMap;

use clap::Args;
use riverrun::{
    core::{Cursor, Json, Scope},
    engine::{
        history::{self, Rows},
        store::{self, Layer},
    },
};
use serde_json::json;

use crate::{
    database::{self, Database},
    outcome::Outcome,
    print::{BOLD, DIM, Out, plain},
};

const EXAMPLES: &str = "Examples:
  riverrun state list:home
  riverrun state list:home --at 120        as it was when change 120 had happened
  riverrun state list:home --json | jq .data.todo";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct State {
    /// The scope
    #[arg(value_parser = database::scope)]
    scope: Scope,
    /// As it was at this cursor, which the log must still reach
    #[arg(long, value_name = "CURSOR")]
    at: Option<u64>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

impl State {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let store = self.database.read()?;
        database::head(&*store, &self.scope)?;
        let (cursor, rows) = store::read(&*store, |tx| {
            let head = tx.head(&self.scope)?.unwrap_or_default();
            if let Some(at) = self.at {
                return Ok((Cursor(at), history::state_at(tx, &self.scope, Cursor(at))?));
            }
            let mut rows = Rows::new();
            tx.each_entity(&self.scope, Layer::Current, &mut |collection, id, json| {
                rows.insert((collection.into(), id.into()), Json::trusted(json));
                Ok(())
            })?;
            if rows.is_empty() {
                // Nothing may mean an empty state, or one that is not kept here; the log knows.
                rows = history::state_at(tx, &self.scope, head.cursor)?;
            }
            Ok((head.cursor, rows))
        })?;
        let mut out = Out::new();
        if self.json {
            let mut data: BTreeMap<&str, BTreeMap<&str, &Json>> = BTreeMap::new();
            for ((collection, id), value) in &rows {
                data.entry(collection).or_default().insert(id, value);
            }
            out.json(&json!({ "scope": self.scope, "cursor": cursor, "data": data }))?;
        } else {
            out.line(format_args!("{DIM}{} at cursor {cursor}{DIM:#}", self.scope))?;
            for ((collection, id), value) in &rows {
                out.line(format_args!("{} {BOLD}{}{BOLD:#} {}", plain(collection), plain(id), plain(value.as_str())))?;
            }
        }
        out.flush()?;
        Ok(Outcome::Well)
    }
}
