//! A backup taken while clients write, put back under them: they notice the new history, keep what they had not sent, and
//! all see the same in the end. And what `backup` and `restore` refuse.
#![allow(clippy::unwrap_used)]

mod common;

use std::{future::Future, path::Path, time::Duration};

use common::{Todo, command, database, directory, engine, mutators, ok, run};
use riverrun::{Serve, core::Scope, engine::Engine};
use riverrun_client::{Client, Memory, Options, Status};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// Todos each client makes while the backup is taken.
const LOAD: usize = 150;

struct Site {
    address: String,
    engine: Engine,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Site {
    async fn open(database: &Path, address: &str) -> Self {
        let engine = engine(database).await;
        // The address of before may be held for a moment.
        let listener = loop {
            match TcpListener::bind(address).await {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = Serve::new(listener, riverrun::router(&engine)).drain_within(Duration::from_millis(100));
        let ended = tokio::spawn(serve.shutdown(async { drop(stopped.await) }).run());
        Self { address, engine, stop, ended }
    }

    async fn close(self) {
        drop(self.stop);
        soon(self.ended).await.unwrap();
        self.engine.close().await;
    }
}

/// Far longer than anything here takes on a slow machine.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(2), what).await.expect("it never happened")
}

async fn client(site: &Site) -> Client {
    let scope = Scope::new("list:a").unwrap();
    let options = Options::new(format!("http://{}", site.address), scope).mutators(mutators());
    let client = Client::open(options, Memory::new()).await.unwrap();
    soon(client.statuses().wait_for(|now| *now == Status::Live)).await.unwrap();
    client
}

fn todo(id: String) -> Todo {
    Todo { title: format!("todo {id}"), id, completed: false }
}

fn ids(client: &Client) -> Vec<String> {
    client.collection::<Todo>().all().unwrap().into_iter().map(|todo| todo.id).collect()
}

async fn write(client: &Client, name: &str, count: usize) {
    for number in 0..count {
        let sent = client.mutate("todo.create", &todo(format!("{name}-{number}"))).unwrap();
        if number % 10 == 0 {
            assert!(soon(sent.verdict()).await.unwrap().is_accepted());
        }
    }
    soon(client.settled()).await;
}

async fn riverrun(directory: &Path, args: &[&str]) -> common::Ran {
    let mut command = command(directory);
    command.args(args);
    tokio::task::spawn_blocking(move || command.output().unwrap().into()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_of_a_backup_taken_under_load_clients_keep_what_is_pending_and_converge() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path();
    let path = home.join("app.db");
    let site = Site::open(&path, "127.0.0.1:0").await;
    let (ann, bob) = (client(&site).await, client(&site).await);
    write(&ann, "before", 1).await;

    let ((), (), backup) =
        tokio::join!(write(&ann, "ann", LOAD), write(&bob, "bob", LOAD), riverrun(home, &["backup", "backup.db"]));
    assert_eq!(backup.code, 0, "{}", backup.err);
    let verified = riverrun(home, &["verify", "--database", "backup.db"]).await;
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    // What comes after the backup is answered, and will be gone.
    write(&ann, "lost", 5).await;

    let refused = riverrun(home, &["restore", "backup.db", "--force"]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("is open in another server"), "{}", refused.err);
    let (old, address) = (site.engine.epoch().await.unwrap(), site.address.clone());
    site.close().await;
    for (client, name) in [(&ann, "ann"), (&bob, "bob")] {
        soon(client.statuses().wait_for(|now| *now != Status::Live)).await.unwrap();
        for number in 0..3 {
            client.mutate("todo.create", &todo(format!("{name}-offline-{number}"))).unwrap();
        }
        assert_eq!(client.pending(), 3);
    }
    let restored = riverrun(home, &["restore", "backup.db", "--force"]).await;
    assert_eq!(restored.code, 0, "{}", restored.err);

    let site = Site::open(&path, &address).await;
    assert_ne!(site.engine.epoch().await.unwrap(), old);
    for client in [&ann, &bob] {
        client.wake();
        soon(client.settled()).await;
    }
    let all: Vec<Todo> = site.engine.list("list:a").await.unwrap();
    let all: Vec<String> = all.into_iter().map(|todo| todo.id).collect();
    soon(async {
        while ids(&ann) != all || ids(&bob) != all {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    for name in ["ann", "bob"] {
        for number in 0..3 {
            assert!(all.contains(&format!("{name}-offline-{number}")), "what was pending is there: {all:?}");
        }
    }
    assert!(all.contains(&"before-0".into()), "what was before the backup is there");
    assert!(!all.contains(&"lost-0".into()), "what came after the backup is not");
    assert_eq!((ann.pending(), bob.pending()), (0, 0));
    ann.close().await;
    bob.close().await;
    site.close().await;
    let verified = riverrun(home, &["verify"]).await;
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
}

#[test]
fn a_backup_is_the_same_log_and_a_restore_is_a_new_history_of_it() {
    let directory = directory();
    let home = directory.path();
    let said = ok(home, &["backup", "b.db"]);
    assert!(said.contains("b.db holds "), "{said}");
    for command in [&["scopes"][..], &["log", "list:a", "--json"], &["state", "list:a"]] {
        let mut of_backup = command.to_vec();
        of_backup.extend(["--database", "b.db"]);
        assert_eq!(ok(home, command), ok(home, &of_backup), "{command:?}");
    }
    ok(home, &["restore", "b.db", "--database", "new.db"]);
    assert_eq!(ok(home, &["log", "list:a", "--json"]), ok(home, &["log", "list:a", "--json", "--database", "new.db"]));
    let epoch = |path: &Path| {
        use riverrun::engine::{Store, store};
        let opened: Box<dyn Store> = Box::new(riverrun::Sqlite::options(path).open_to_read().unwrap());
        store::read(&*opened, |tx| tx.epoch()).unwrap()
    };
    assert_eq!(epoch(&home.join("b.db")), epoch(&database(&directory)));
    assert_ne!(epoch(&home.join("new.db")), epoch(&database(&directory)));
    ok(home, &["verify", "--database", "new.db"]);
}

#[test]
fn nothing_is_overwritten_that_was_not_named_for_it() {
    let directory = directory();
    let home = directory.path();
    ok(home, &["backup", "b.db"]);
    let again = run(home, &["backup", "b.db"]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("is there already"), "{}", again.err);
    let refused = run(home, &["restore", "b.db"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("--force"), "{}", refused.err);
    assert_eq!(run(home, &["restore", "app.db", "--force"]).code, 1, "a database is no backup of itself");
    assert_eq!(run(home, &["restore", "none.db", "--force"]).code, 1);
    std::fs::write(home.join("text.db"), "hello").unwrap();
    assert_eq!(run(home, &["restore", "text.db", "--force"]).code, 1);
    ok(home, &["verify"]);
    let left: Vec<String> = std::fs::read_dir(home)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("partial") || name.contains("restoring") || name.contains("replaced"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn the_database_that_was_replaced_is_kept_aside_whole() {
    let directory = directory();
    let home = directory.path();
    let log = ok(home, &["log", "list:a", "--json"]);
    ok(home, &["backup", "b.db"]);
    let said = ok(home, &["restore", "b.db", "--force"]);
    let aside = said.lines().find_map(|line| line.split_whitespace().find(|word| word.contains(".replaced-"))).unwrap();
    assert_eq!(ok(home, &["log", "list:a", "--json", "--database", aside]), log);
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let directory = directory();
    let home = directory.path();
    ok(home, &["backup", "b.db"]);
    let mut bytes = std::fs::read(home.join("b.db")).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0xa5);
    std::fs::write(home.join("b.db"), bytes).unwrap();
    let log = ok(home, &["log", "list:a", "--json"]);
    let refused = run(home, &["restore", "b.db", "--force"]);
    assert_eq!(refused.code, 1, "{}", refused.out);
    assert_eq!(ok(home, &["log", "list:a", "--json"]), log);
}
