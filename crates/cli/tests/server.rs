//! What asks a running server: `push` and `doctor`, over real sockets, also where something stands in the way.
#![allow(clippy::unwrap_used)]

mod common;

use axum::{Router, http::StatusCode, routing::get};
use common::{Ran, command};
use riverrun::prelude::*;
use tokio::net::TcpListener;

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(riverrun::Serve::new(listener, router).shutdown(std::future::pending()).run());
    url
}

async fn engine() -> Engine {
    Engine::builder(Memory::new()).mutators(common::mutators()).access(Public).start().await.unwrap()
}

async fn run(args: &[&str]) -> Ran {
    let directory = tempfile::tempdir().unwrap();
    let mut command = command(directory.path());
    command
        .args(args)
        .env_remove("http_proxy")
        .env_remove("HTTP_PROXY")
        .env_remove("ALL_PROXY")
        .env_remove("all_proxy");
    let ran = tokio::task::spawn_blocking(move || command.output().unwrap().into()).await.unwrap();
    drop(directory);
    ran
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_sent_by_hand_is_decided_like_any_other() {
    let engine = engine().await;
    let url = serve(riverrun::router(&engine)).await;
    let push = async |args: &[&str]| {
        let all: Vec<_> =
            ["push"].iter().chain(args).chain(&["--scope", "list:a", "--url", url.as_str()]).copied().collect();
        run(&all).await
    };
    let milk = r#"{"id":"t1","title":"Milk"}"#;
    let sent = push(&["todo.create", milk, "--id", "m1"]).await;
    assert_eq!(sent.code, 0, "{}{}", sent.out, sent.err);
    assert!(sent.out.contains("accepted at cursor 1 of list:a"), "{}", sent.out);
    let again = push(&["todo.create", milk, "--id", "m1"]).await;
    assert!(again.code == 0 && again.out.contains("as it was before"), "{}", again.out);
    assert_eq!(engine.list::<common::Todo>("list:a").await.unwrap().len(), 1);
    let unknown = push(&["todo.fly", "{}"]).await;
    assert!(unknown.code == 1 && unknown.out.contains("invalid_mutation"), "{}", unknown.out);
    let json = push(&["todo.create", milk, "--id", "m1", "--json"]).await;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json.out).unwrap()["results"][0]["ok"], true);
    assert_eq!(push(&["todo.create", "{not json"]).await.code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_said_to_be_not_there() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let ran = run(&["push", "todo.create", "{}", "--url", &url]).await;
    assert!(ran.code == 1 && ran.err.contains("nobody listens"), "{}", ran.err);
    let ran = run(&["doctor", "--url", &url]).await;
    assert!(ran.code == 1 && ran.out.contains("nobody listens"), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_a_sound_server_well() {
    let url = serve(riverrun::router(&engine().await)).await;
    let ran = run(&["doctor", "--url", &url]).await;
    for part in ["well   server", "well   sync routes", "well   websocket", "opens, greets and answers a ping"] {
        assert!(ran.out.contains(part), "{part:?} is not in\n{}", ran.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_what_a_proxy_breaks() {
    let routes = Routes::new(&engine().await).router();
    // A proxy that passes everything on but the upgrade.
    let refuses =
        serve(Router::new().route("/ws", get(async || StatusCode::UPGRADE_REQUIRED)).fallback_service(routes.clone()));
    let ran = run(&["doctor", "--json", "--url", &refuses.await]).await;
    let findings: Vec<serde_json::Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let socket = findings.iter().find(|finding| finding["what"] == "websocket").unwrap();
    assert_eq!((ran.code, socket["health"].as_str()), (1, Some("wrong")));
    assert!(socket["text"].as_str().unwrap().contains("the proxy drops the Upgrade header"), "{socket}");
    // Something else answers in its place.
    let other = serve(Router::new().fallback(async || "hello")).await;
    let ran = run(&["doctor", "--url", &other]).await;
    assert!(ran.code == 1 && ran.out.contains("it is not riverrun that answers"), "{}", ran.out);
}
