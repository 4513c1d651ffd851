//! `riverrun push`: one mutation by hand. It goes to the running server, as a client's would: the mutators, the access rules
//! and the live readers are there, and none of them is in the database.

use anyhow::{Context, bail};
use clap::Args;
use riverrun::core::{Json, Scope};
use serde_json::json;

use crate::{
    database,
    http::Server,
    outcome::{Outcome, Usage},
    print::{DIM, GREEN, Out, RED, plain},
};

const EXAMPLES: &str = r#"Examples:
  riverrun push todo.create '{"id":"t1","title":"Milk"}' --scope list:home
  riverrun push todo.delete '{"id":"t1"}' --scope list:home --url https://example.org -H "Cookie: session=…"
  riverrun push todo.create '{"id":"t1","title":"Milk"}' --scope list:home --id 0198c0de   said twice, done once"#;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Push {
    /// The mutation's type
    #[arg(value_name = "TYPE")]
    name: String,
    /// Its arguments, as JSON
    #[arg(value_name = "ARGS", default_value = "null")]
    args: String,
    /// The scope
    #[arg(short, long, value_parser = database::scope, default_value = "_default")]
    scope: Scope,
    /// The mutation's id; a new one by default
    #[arg(long)]
    id: Option<String>,
    /// Answer with the server's own JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

impl Push {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let args = Json::parse(&self.args).map_err(|error| Usage(format!("the arguments: {error}")))?;
        let id = self.id.clone().unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
        let mutation = json!({ "id": id, "type": self.name, "args": args, "scope": self.scope });
        let answer = self.server.post("push", &json!({ "mutations": [mutation] }).to_string())?;
        let mut out = Out::new();
        if self.json {
            out.line(answer.body.trim_end())?;
            out.flush()?;
        }
        let body: serde_json::Value = serde_json::from_str(&answer.body)
            .with_context(|| format!("the server answered {} without JSON; is riverrun there?", answer.status))?;
        if answer.status != 200 {
            bail!("the server answered {}: {}", answer.status, text(&body, "error"));
        }
        let result = &body["results"][0];
        let accepted = result["ok"].as_bool() == Some(true);
        if !self.json {
            if accepted {
                let again = if result["duplicate"].as_bool() == Some(true) { ", as it was before" } else { "" };
                let cursor = &result["cursor"];
                out.line(format_args!("{GREEN}accepted{GREEN:#} at cursor {cursor} of {}{again}", self.scope))?;
                for change in result["changes"].as_array().into_iter().flatten() {
                    out.line(format_args!("    {}", plain(&change["data"].to_string())))?;
                }
            } else {
                let again = if result["retry"].as_bool() == Some(true) { "; it may be sent again" } else { "" };
                let (code, error) = (text(result, "code"), text(result, "error"));
                let reason =
                    result["reason"].as_str().map(|reason| format!(" ({})", plain(reason))).unwrap_or_default();
                out.line(format_args!("{RED}{code}{RED:#}{reason}: {error}{again}"))?;
            }
            out.line(format_args!("{DIM}mutation {}{DIM:#}", plain(&id)))?;
            out.flush()?;
        }
        Ok(if accepted { Outcome::Well } else { Outcome::Found })
    }
}

fn text(value: &serde_json::Value, key: &str) -> String {
    plain(value[key].as_str().unwrap_or("no reason given"))
}
