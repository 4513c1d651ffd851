//! What the tests of the operating commands share: a database that a real engine wrote, and the binary run on it.
#![allow(dead_code, unreachable_pub)] // Each test file uses a part of it.
#![allow(clippy::unwrap_used)]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use riverrun::{
    core::{MutationId, wire::PushRequest},
    prelude::*,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Todo {
    pub id: String,
    pub title: String,
    #[serde(default)]
    pub completed: bool,
}
entity!(Todo, "todo", id);

#[derive(Serialize, Deserialize)]
pub struct ById {
    pub id: String,
}

pub fn mutators() -> Mutators {
    Mutators::new()
        .on("todo.create", |tx: &mut Tx<'_>, todo: Todo| -> Result<(), Reject> { tx.put(&todo) })
        .on("todo.delete", |tx: &mut Tx<'_>, a: ById| -> Result<(), Reject> { tx.delete::<Todo>(&a.id).map(drop) })
        .on("todo.nothing", |_: &mut Tx<'_>, (): ()| -> Result<(), Reject> { Ok(()) })
        .on("todo.pair", |tx: &mut Tx<'_>, todo: Todo| -> Result<(), Reject> {
            tx.put(&todo)?;
            tx.put(&Todo { id: format!("{}-2", todo.id), ..todo })
        })
}

pub async fn engine(path: &Path) -> Engine {
    Engine::builder(Sqlite::open(path).unwrap()).mutators(mutators()).access(Public).start().await.unwrap()
}

/// Pushes mutations of one client to a scope, numbered from `from` on.
pub async fn push(engine: &Engine, scope: &str, client: &str, from: u64, mutations: &[(&str, serde_json::Value)]) {
    let mutations: Vec<_> = mutations
        .iter()
        .zip(from..)
        .map(|((name, args), seq)| serde_json::json!({"id": format!("{client}-{seq}"), "type": name, "args": args, "seq": seq}))
        .collect();
    let body = serde_json::json!({"client": client, "scope": scope, "mutations": mutations}).to_string();
    let request = PushRequest::read(body.as_bytes(), 1 << 20).unwrap();
    let answer = engine.push(&Principal::anonymous(), request).await.unwrap();
    for result in &answer.results {
        assert!(!result.retry.unwrap_or(false), "{result:?}");
    }
}

pub fn todo(id: &str, title: &str) -> serde_json::Value {
    serde_json::json!({"id": id, "title": title})
}

/// A database with two scopes: `list:a` with a base under it and everything a log can hold, `list:b` untouched by any test.
pub fn sample(path: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let engine = engine(path).await;
        push(
            &engine,
            "list:a",
            "c1",
            1,
            &[
                ("todo.create", todo("t1", "Milk")),
                ("todo.create", todo("t2", "Bread")),
                ("todo.create", todo("t3", "Eggs")),
                ("todo.delete", serde_json::json!({"id": "t2"})),
            ],
        )
        .await;
        let scope = Scope::new("list:a").unwrap();
        assert!(!engine.kernel().trim_to(&scope, riverrun::core::Cursor(2)).unwrap());
        push(
            &engine,
            "list:a",
            "c2",
            1,
            &[
                ("todo.pair", todo("t4", "Tea")),
                ("todo.nothing", serde_json::Value::Null),
                ("todo.create", todo("t3", "Two eggs")),
                ("todo.unknown", serde_json::Value::Null),
                ("todo.create", todo("t5", "Salt")),
            ],
        )
        .await;
        push(&engine, "list:b", "c1", 1, &[("todo.create", todo("u1", "Elsewhere"))]).await;
        // One without a place, by the server's own code.
        let id = MutationId::new("by-the-server").unwrap();
        let principal = Principal::server();
        engine.mutate_once(id, &principal, "list:a", "todo.create", &todo("t6", "Rice")).await.unwrap();
        engine.close().await;
    });
}

/// A directory with the sample in `app.db`.
pub fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    sample(&directory.path().join("app.db"));
    directory
}

/// The binary, away from any terminal and any setting of whoever runs the tests.
pub fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_riverrun"));
    command.current_dir(directory);
    for name in ["DATABASE_PATH", "HOST", "PORT", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

pub fn run(directory: &Path, args: &[&str]) -> Ran {
    command(directory).args(args).output().unwrap().into()
}

/// Runs and expects success; gives what was printed.
pub fn ok(directory: &Path, args: &[&str]) -> String {
    let ran = run(directory, args);
    assert_eq!(ran.code, 0, "{args:?}\n{}{}", ran.out, ran.err);
    ran.out
}

pub fn database(directory: &tempfile::TempDir) -> PathBuf {
    directory.path().join("app.db")
}
