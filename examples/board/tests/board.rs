//! The board as a second application sees the framework: several scopes, rules of its own, a table of its own.

#![allow(clippy::unwrap_used)] // an unwrap in a test is an assertion

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use board::{Card, LANES};
use riverrun::{core::Code, engine::MutateError, prelude::*};
use serde_json::json;
use tower::ServiceExt as _;

struct Board {
    engine: Engine,
    store: Sqlite,
    _folder: Folder,
}

struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn board(name: &str) -> Board {
    let folder = std::env::temp_dir().join(format!("riverrun-board-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("board.db");
    let (engine, store) = board::engine(path.to_str().unwrap()).await.unwrap();
    Board { engine, store, _folder: Folder(folder) }
}

fn who(name: &str) -> Principal {
    Principal::new(name).unwrap()
}

impl Board {
    async fn mutate(&self, name: &str, lane: &str, mutation: &str, args: serde_json::Value) -> Result<(), MutateError> {
        self.engine.mutate(&who(name), format!("lane:{lane}"), mutation, &args).await.map(drop)
    }

    async fn lanes(&self) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        for lane in LANES {
            let cards: Vec<Card> = self.engine.list(format!("lane:{lane}")).await.unwrap();
            all.push(cards.into_iter().map(|card| card.text).collect());
        }
        all
    }

    fn moves(&self) -> Vec<(String, i64)> {
        let read = |conn: &riverrun::sqlite::rusqlite::Connection| {
            let mut rows = conn.prepare("SELECT who, count FROM moves ORDER BY who")?;
            rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        self.store.query(read).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_changes_two_lanes_and_the_table_together() {
    let board = board("move").await;
    board.mutate("ann", "todo", "card.create", json!({"id": "c1", "text": "write"})).await.unwrap();
    board.mutate("ann", "todo", "card.move", json!({"id": "c1", "to": "doing"})).await.unwrap();
    assert_eq!(board.lanes().await, [vec![], vec!["write".to_string()], vec![]]);
    assert_eq!(board.moves(), [("ann".to_string(), 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_fails_changes_nothing_anywhere() {
    let board = board("fails").await;
    board.mutate("ann", "todo", "card.create", json!({"id": "c1", "text": "write"})).await.unwrap();
    board.mutate("bob", "done", "card.create", json!({"id": "c1", "text": "there already"})).await.unwrap();
    let no = board.mutate("ann", "todo", "card.move", json!({"id": "c1", "to": "done"})).await.unwrap_err();
    assert_eq!(no.code(), Code::Conflict);
    let no = board.mutate("ann", "todo", "card.move", json!({"id": "c1", "to": "nowhere"})).await.unwrap_err();
    assert_eq!(no.code(), Code::Forbidden);
    assert_eq!(board.lanes().await, [vec!["write".to_string()], vec![], vec!["there already".to_string()]]);
    assert_eq!(board.moves(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_look_and_touch_nothing() {
    let board = board("guests").await;
    let no = board.mutate("guest", "todo", "card.create", json!({"id": "c1", "text": "hello"})).await.unwrap_err();
    assert_eq!(no.code(), Code::Forbidden);
    let ask = riverrun::core::wire::SnapshotRequest { scope: Scope::new("lane:todo").unwrap(), client: None };
    assert!(board.engine.snapshot(&who("guest"), ask).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_moves_at_once_are_counted_once_each() {
    let board = board("hundred").await;
    for n in 0..20 {
        board.mutate("ann", "todo", "card.create", json!({"id": format!("c{n}"), "text": "x"})).await.unwrap();
    }
    let moves = (0..100).map(|n| {
        let args = json!({"id": format!("c{}", n % 20), "to": "doing"});
        let engine = board.engine.clone();
        tokio::spawn(async move { engine.mutate(&who(&format!("p{}", n % 5)), "lane:todo", "card.move", &args).await })
    });
    let mut done = 0;
    for one in moves.collect::<Vec<_>>() {
        match one.await.unwrap() {
            Ok(_) => done += 1,
            Err(no) => assert_eq!(no.code(), Code::NotFound),
        }
    }
    assert_eq!(done, 20);
    assert_eq!(board.lanes().await[1].len(), 20);
    assert_eq!(board.moves().iter().map(|(_, count)| count).sum::<i64>(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_routes_ask_who_it_is() {
    let board = board("routes").await;
    let app = board::app(&board.engine, board.store.clone());
    let ask = |name: Option<&str>, route: &str, body: serde_json::Value| {
        let mut request = Request::post(format!("/_sync/{route}")).header("content-type", "application/json");
        if let Some(name) = name {
            request = request.header("authorization", format!("Bearer {name}"));
        }
        let answer = app.clone().oneshot(request.body(Body::from(body.to_string())).unwrap());
        async {
            let answer = answer.await.unwrap();
            let status = answer.status();
            (status, to_bytes(answer.into_body(), 100_000).await.unwrap())
        }
    };
    let pull = json!({"scope": "lane:todo"});
    assert_eq!(ask(None, "pull", pull.clone()).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(Some("guest"), "pull", pull.clone()).await.0, StatusCode::OK);
    assert_eq!(ask(Some("ann"), "pull", json!({"scope": "elsewhere"})).await.0, StatusCode::FORBIDDEN);

    let mutation = json!({"id": "m1", "type": "card.create", "args": {"id": "c1", "text": "hi"}, "scope": "lane:todo"});
    let (status, answer) = ask(Some("guest"), "push", json!({"mutations": [mutation]})).await;
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!((status, &answer["results"][0]["code"]), (StatusCode::OK, &json!("forbidden")));
    let (_, answer) = ask(Some("ann"), "push", json!({"mutations": [mutation]})).await;
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(answer["results"][0]["ok"], json!(true), "ids are a principal's own");
}
