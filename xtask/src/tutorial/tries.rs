//! What the application must do once the tutorial is done: asked over its own routes, as a client and as a browser
//! without scripts would. Each try says what it expected and what came.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{http, server::Server};

const LIST: &str = "/lists/tutorial";
const SCOPE: &str = "list:tutorial";

/// A todo of the time before there were priorities, and one of after.
const OLD: &str = "t-old";
const NEW: &str = "t-new";

/// Before the tutorial's first step: a todo without a priority, and no way to give it one.
pub(super) fn before(server: &Server) -> Result<()> {
    accepted(server, "b1", "todo.create", json!({ "id": OLD, "title": "Written before" }))?;
    refused(server, "b2", json!({ "id": OLD, "priority": "high" }), "invalid_mutation", None)?;
    let page = http::get(&server.address, LIST)?;
    ensure!(row(&page.text, OLD)?.contains("Written before"), "the page does not show the todo");
    Ok(())
}

/// After its last step, with the same database.
pub(super) fn after(server: &Server) -> Result<()> {
    shows(server, OLD, "normal")?;
    accepted(server, "a1", "todo.create", json!({ "id": NEW, "title": "Written after" }))?;
    shows(server, NEW, "normal")?;
    accepted(server, "a2", "todo.prioritise", json!({ "id": NEW, "priority": "high" }))?;
    accepted(server, "a3", "todo.prioritise", json!({ "id": OLD, "priority": "low" }))?;
    shows(server, NEW, "high")?;
    shows(server, OLD, "low")?;

    refused(server, "a4", json!({ "id": NEW, "priority": "urgent" }), "invalid_mutation", None)?;
    refused(server, "a5", json!({ "id": "gone", "priority": "low" }), "not_found", None)?;
    accepted(server, "a6", "todo.toggle", json!({ "id": NEW, "completed": true }))?;
    refused(server, "a7", json!({ "id": NEW, "priority": "low" }), "rejected", Some("todo_completed"))?;
    shows(server, NEW, "high")?;

    let form = format!("{LIST}/prioritise");
    let sent = http::post_form(&server.address, &form, &format!("once=f1&id={OLD}&priority=high"))?;
    ensure!(sent.status == 303, "the form was answered with {}: {}", sent.status, sent.text);
    shows(server, OLD, "high")?;
    let sent = http::post_form(&server.address, &form, &format!("once=f2&id={NEW}&priority=low"))?;
    ensure!(sent.status == 422, "the form about a completed todo was answered with {}", sent.status);
    ensure!(sent.text.contains("done already"), "the page does not say why the form was refused");
    shows(server, NEW, "high")
}

fn push(server: &Server, id: &str, name: &str, args: Value) -> Result<Value> {
    let body = json!({ "mutations": [{ "id": id, "type": name, "args": args, "scope": SCOPE }] });
    let answer = http::post_json(&server.address, "/_sync/push", &body)?;
    ensure!(answer.status == 200, "the push of {name} was answered with {}: {}", answer.status, answer.text);
    let mut told: Value = serde_json::from_str(&answer.text).context("the answer to a push is no JSON")?;
    Ok(told["results"][0].take())
}

fn accepted(server: &Server, id: &str, name: &str, args: Value) -> Result<()> {
    let asked = format!("{name} {args}");
    let result = push(server, id, name, args)?;
    ensure!(result["ok"] == true, "{asked} should be accepted, and is not: {result}");
    Ok(())
}

fn refused(server: &Server, id: &str, args: Value, code: &str, reason: Option<&str>) -> Result<()> {
    let asked = format!("todo.prioritise {args}");
    let result = push(server, id, "todo.prioritise", args)?;
    let as_told = result["ok"] == false && result["code"] == code && result["reason"].as_str() == reason;
    ensure!(as_told, "{asked} should be refused with {code} {}, and is not: {result}", reason.unwrap_or_default());
    Ok(())
}

/// The page of the list shows the priority of the todo.
fn shows(server: &Server, id: &str, priority: &str) -> Result<()> {
    let page = http::get(&server.address, LIST)?;
    ensure!(page.status == 200, "{LIST} was answered with {}", page.status);
    let row = row(&page.text, id)?;
    let shown =
        row.contains(&format!("data-priority=\"{priority}\"")) && row.contains(&format!(">{priority}</button>"));
    ensure!(shown, "the row of {id} does not show the priority {priority}:\n{row}");
    Ok(())
}

/// The markup of one todo.
fn row<'a>(page: &'a str, id: &str) -> Result<&'a str> {
    let start = format!("<li class=\"todo\" data-id=\"{id}\"");
    let (_, rest) = page.split_once(&start).with_context(|| format!("the page has no row of {id}"))?;
    let (row, _) = rest.split_once("</li>").context("a row does not end")?;
    Ok(row)
}
