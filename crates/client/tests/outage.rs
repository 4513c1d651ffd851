//! An outage by force: the server is killed, work goes on, the client is killed too, and comes back from its file before
//! the server does. Both are processes of their own, real SQLite files lie under both, and nothing is closed in order.

#![cfg(all(feature = "tokio", feature = "sqlite", unix))]
#![allow(clippy::unwrap_used)]

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use riverrun_client::{Client, Options, SqliteFile, Status, StorageError, plain_mutators};
use riverrun_core::{Mutators, Scope, entity};
use riverrun_engine::{Engine, Public};
use riverrun_http::{Routes, Serve};
use riverrun_sqlite::Sqlite;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// The folder of both files, for a process that is a part of the test; the test itself has none.
const FOLDER: &str = "RIVERRUN_OUTAGE_FOLDER";
/// The server's address: a server that comes back has the one it had.
const ADDRESS: &str = "RIVERRUN_OUTAGE_ADDRESS";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Todo {
    id: String,
    title: String,
}
entity!(Todo, "todo", id);

fn todo(id: &str) -> Todo {
    Todo { id: id.into(), title: format!("todo {id}") }
}

fn scope() -> Scope {
    Scope::new("list:1").unwrap()
}

/// This very program again, as one part of the test.
struct Part(Child, String);

impl Part {
    /// Starts it and waits for what it says when it is ready.
    fn start(part: &str, folder: &Path, address: &str) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", part, "--ignored", "--nocapture"]).env(FOLDER, folder).env(ADDRESS, address);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said =
            lines.map_while(Result::ok).find_map(|line| line.split_once("READY ").map(|(_, said)| said.to_owned()));
        Self(child, said.unwrap_or_else(|| panic!("{part} ended before it was ready")))
    }
}

impl Drop for Part {
    /// Nothing is said to it: it is gone.
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn part() -> Option<(PathBuf, String)> {
    Some((env::var_os(FOLDER)?.into(), env::var(ADDRESS).ok()?))
}

#[tokio::test]
#[ignore = "a part of the test below"]
async fn server() {
    let Some((folder, address)) = part() else { return };
    let store = Sqlite::open(folder.join("server.db")).unwrap();
    let mutators = plain_mutators::<Todo>(Mutators::new());
    let engine = Engine::builder(store).mutators(mutators).access(Public).start().await.unwrap();
    // The address of before may be held for a moment.
    let listener = loop {
        match TcpListener::bind(&address).await {
            Ok(listener) => break listener,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    println!("READY {}", listener.local_addr().unwrap());
    Serve::new(listener, Routes::new(&engine).router()).run().await;
}

async fn client(folder: &Path, address: &str) -> Client {
    // The file of a process that was killed a moment ago may be locked still.
    let storage = loop {
        match SqliteFile::open(folder.join("client.db"), &scope()) {
            Ok(storage) => break storage,
            Err(StorageError(why)) if why.contains("locked") => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("{error}"),
        }
    };
    let options = Options::new(format!("http://{address}"), scope()).mutators(plain_mutators::<Todo>(Mutators::new()));
    Client::open(options, storage).await.unwrap()
}

#[tokio::test]
#[ignore = "a part of the test below"]
async fn client_without_a_server() {
    let Some((folder, address)) = part() else { return };
    let client = client(&folder, &address).await;
    let todos = client.collection::<Todo>();
    for id in ["c", "d"] {
        assert!(todos.create(&todo(id)).unwrap().saved().await);
    }
    todos.delete("a").unwrap().saved().await;
    println!("READY {}", client.pending());
    std::future::pending::<()>().await;
}

async fn soon(what: &str, is: impl AsyncFn() -> bool) {
    for _ in 0..3_000 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not within a minute: {what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_while_the_server_was_killed_survives_a_killed_client_and_arrives_once() {
    let folder = env::temp_dir().join(format!("riverrun-outage-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();

    let server = Part::start("server", &folder, "127.0.0.1:0");
    let address = server.1.clone();
    let here = client(&folder, &address).await;
    let todos = here.collection::<Todo>();
    todos.create(&todo("a")).unwrap();
    todos.create(&todo("b")).unwrap();
    soon("both are on the server", async || here.pending() == 0).await;

    drop(server);
    let mut offline = todos.create(&todo("offline")).unwrap();
    assert!(offline.saved().await);
    assert_eq!(todos.count(), 3, "what is done in an outage shows at once");
    soon("the outage is noticed", async || here.status() == Status::Offline).await;
    here.close().await;
    drop(todos);

    let killed = Part::start("client_without_a_server", &folder, &address);
    assert_eq!(killed.1, "4", "one from the life before, three from this one");
    drop(killed);

    let here = client(&folder, &address).await;
    let todos = here.collection::<Todo>();
    let ids = || todos.all().unwrap().into_iter().map(|todo| todo.id).collect::<Vec<_>>();
    assert_eq!((ids(), here.pending()), (["b", "c", "d", "offline"].map(String::from).into(), 4));

    let server = Part::start("server", &folder, &address);
    soon("everything arrived", async || here.pending() == 0).await;
    assert_eq!(ids(), ["b", "c", "d", "offline"]);

    // Once: one change for each of the six mutations, and a second reader sees the same.
    assert_eq!(here.cursor().0, 6);
    let address = &address;
    let options = Options::new(format!("http://{address}"), scope());
    let other = Client::open(options, riverrun_client::Memory::new()).await.unwrap();
    other.ready().await;
    assert_eq!(other.collection::<Todo>().all().unwrap(), todos.all().unwrap());
    drop(server);
    here.close().await;
    fs::remove_dir_all(&folder).unwrap();
}
