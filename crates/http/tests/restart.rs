//! A server on a file, stopped and started again: everything that was answered is still the answer.

#![allow(clippy::unwrap_used, reason = "what can't be unwrapped fails the test")]

mod common;

use common::{Heard, Reader, Scratch, Site, engine};
use riverrun_sqlite::{OpenError, Sqlite};
use serde_json::json;

async fn serve(scratch: &Scratch) -> Site {
    Site::of(engine(open(scratch).await).await).await
}

/// A process that ends gives its lock back at once. Here it lives on, and its last tasks hold theirs a moment longer.
async fn open(scratch: &Scratch) -> Sqlite {
    for _ in 0..100 {
        match Sqlite::open(scratch.file()) {
            Err(OpenError::Locked { .. }) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            opened => return opened.unwrap(),
        }
    }
    panic!("the former server never let go of the database");
}

#[tokio::test]
async fn after_a_restart_every_answer_is_the_same_and_a_retry_is_a_duplicate() {
    let scratch = Scratch::new();
    let site = serve(&scratch).await;
    let create = |seq: u64, title: &str| {
        json!({"id": format!("m{seq}"), "type": "todo.create", "seq": seq, "scope": "list:42",
               "args": {"id": format!("t{seq}"), "title": title}})
    };
    let body = json!({"client": "c", "mutations": [create(1, "Milk"), create(2, ""), create(3, "Bread")]});
    let first = site.push(body.clone()).await.ok();
    let ask = json!({"scope": "list:42", "client": "c"});
    let (pulled, state) = (site.pull(ask.clone()).await, site.snapshot(ask.clone()).await);
    let mut socket = site.socket().await;
    let mut reader = Reader::new("list:42");
    reader.subscribe(&mut socket).await;
    reader.hear(&mut socket).await;
    reader.reach(&mut socket, 2).await;
    drop(socket);
    site.end().await;

    let site = serve(&scratch).await;
    assert_eq!(site.pull(ask.clone()).await.text(), pulled.text(), "byte for byte");
    assert_eq!(site.snapshot(ask.clone()).await.text(), state.text());
    let again = site.push(body).await.ok();
    assert_eq!(again["epoch"], first["epoch"]);
    for (mut before, mut after) in [0, 1, 2].map(|n| (first["results"][n].clone(), again["results"][n].clone())) {
        before.as_object_mut().unwrap().remove("changes");
        assert_eq!(after.as_object_mut().unwrap().remove("duplicate"), Some(json!(true)), "{after}");
        assert_eq!(after, before);
    }

    let next = site.push(json!({"client": "c", "mutations": [create(4, "Eggs")]})).await.ok()["results"][0].clone();
    assert_eq!(next["cursor"], 3, "it goes on where it was: {next}");
    let mut socket = site.socket().await;
    reader.subscribe(&mut socket).await;
    assert_eq!(reader.hear(&mut socket).await, Heard::Ack(3));
    reader.reach(&mut socket, 3).await;
    assert_eq!(json!(reader.digest), next["digest"]);
    site.end().await;
}

#[tokio::test]
async fn a_machine_of_the_same_file_is_not_served_twice() {
    let scratch = Scratch::new();
    let site = serve(&scratch).await;
    assert!(Sqlite::open(scratch.file()).is_err(), "the file is held");
    site.end().await;
}
