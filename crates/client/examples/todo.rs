//! A terminal that follows a todo list and works through an outage: what is typed shows at once, is kept in a file, and
//! goes to the server when there is one.
//!
//! ```sh
//! cargo run                                          # the template application, at http://127.0.0.1:8080
//! cargo run -p riverrun-client --features sqlite --example todo -- http://127.0.0.1:8080 list:main todo.db
//! ```
//! Stop the server and go on typing; stop this program and start it again; start the server: everything arrives, once.

use std::io::Write as _;

use riverrun_client::{Client, News, Options, SqliteFile, Status, Verdict};
use riverrun_core::{Mutators, Reject, Scope, Tx, entity};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Todo {
    id: String,
    title: String,
    #[serde(default)]
    completed: bool,
}
entity!(Todo, "todo", id);

#[derive(Deserialize)]
struct Id {
    id: String,
}

fn create(tx: &mut Tx<'_>, todo: Todo) -> Result<(), Reject> {
    tx.insert(&todo)
}

fn toggle(tx: &mut Tx<'_>, a: Id) -> Result<(), Reject> {
    tx.update::<Todo>(&a.id, |todo| todo.completed = !todo.completed)
}

fn delete(tx: &mut Tx<'_>, a: Id) -> Result<(), Reject> {
    tx.delete::<Todo>(&a.id).map(drop)
}

const HELP: &str = "a title adds a todo, a number toggles one, -number deletes one, an empty line ends";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let address = args.next().unwrap_or_else(|| "http://127.0.0.1:8080".into());
    let scope = Scope::new(args.next().unwrap_or_else(|| "_default".into()))?;
    let file = args.next().unwrap_or_else(|| "todo.db".into());

    let mutators = Mutators::new().on("todo.create", create).on("todo.toggle", toggle).on("todo.delete", delete);
    let storage = SqliteFile::open(file, &scope)?;
    let client = Client::open(Options::new(address, scope).mutators(mutators), storage).await?;

    println!("{HELP}");
    let list = client.signal(|core| {
        let todos = core.list("todo", "", None, usize::MAX).into_iter();
        let todos: Vec<Todo> = todos.filter_map(|(_, json)| json.read().ok()).collect();
        (todos, core.pending().count())
    });
    let _shown = list.effect(|(todos, pending)| print(todos, *pending));
    let follower = client.clone();
    tokio::spawn(async move { follow(follower).await });

    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        if line.trim().is_empty() {
            break;
        }
        if let Err(no) = act(&client, line.trim()) {
            println!("  not done: {no}");
        }
    }
    // What is queued is in the file when this returns.
    client.close().await;
    Ok(())
}

fn act(client: &Client, line: &str) -> Result<(), Box<dyn std::error::Error>> {
    let number = line.trim_start_matches('-').parse::<usize>();
    let Ok(number) = number else {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        let id = format!("t{:013x}", now.as_micros());
        client.mutate("todo.create", &json!({"id": id, "title": line, "completed": false}))?;
        return Ok(());
    };
    let todos = client.collection::<Todo>().all()?;
    let todo = todos.get(number.wrapping_sub(1)).ok_or("there is no such number")?;
    let command = if line.starts_with('-') { "todo.delete" } else { "todo.toggle" };
    client.mutate(command, &json!({"id": todo.id}))?;
    Ok(())
}

fn print(todos: &[Todo], pending: usize) {
    println!("-- {} todos, {pending} changes not yet on the server", todos.len());
    for (number, todo) in (1..).zip(todos) {
        println!("{number:3} [{}] {}", if todo.completed { 'x' } else { ' ' }, todo.title);
    }
    drop(std::io::stdout().flush());
}

/// Says how the link stands, and what the server refused.
async fn follow(client: Client) {
    let mut news = client.news();
    while let Ok(news) = news.recv().await {
        match news {
            News::Status(Status::Live) => println!("  live"),
            News::Status(Status::Polling) => println!("  connected, asking for changes"),
            News::Status(Status::Offline) => println!("  offline: what you do is kept and sent later"),
            News::Status(Status::Unauthorized { error, .. }) => println!("  {error}"),
            News::Decided { name, verdict: Verdict::Refused(no), .. } => println!("  {name} was refused: {no}"),
            News::StorageFailed(error) => println!("  the file can't be written any more: {error}"),
            _ => {}
        }
    }
}
