//! Pulls that wait, the health check, the browser client's file: what plain GETs and POSTs get without a socket.

#![allow(clippy::unwrap_used, reason = "what can't be unwrapped fails the test")]

mod common;

use std::time::{Duration, Instant};

use common::{Answer, Request, Site, soon};
use riverrun_core::wire::PullAnswer;
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};

/// Half of the longest wait a pull can ask for: an answer before it did not wait for its end.
const AT_ONCE: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_waiting_pull_is_answered_when_something_commits() {
    let site = Site::open().await;
    let begun = Instant::now();
    let ask = site.post("/_sync/pull", &json!({"scope": "s", "cursor": 0, "wait": 30}));
    let waiting = tokio::spawn(ask.send());
    sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished(), "there is nothing to answer yet");
    site.todo("elsewhere", "t").await;
    sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished(), "another scope is no answer");
    let done = site.todo("s", "t1").await;
    let page = soon(waiting).await.unwrap().ok();
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    assert_eq!((&page["changes"], &page["next_cursor"]), (&done["changes"], &json!(1)));
}

#[tokio::test]
async fn a_waiting_pull_ends_with_an_empty_answer_when_the_wait_is_over() {
    let site = Site::open().await;
    site.todo("s", "t1").await;
    let begun = Instant::now();
    let page = site.pull(json!({"scope": "s", "cursor": 1, "wait": 1})).await.ok();
    assert!(begun.elapsed() >= Duration::from_millis(900), "{:?}", begun.elapsed());
    assert_eq!((&page["changes"], &page["next_cursor"], &page["has_more"]), (&json!([]), &json!(1), &json!(false)));
}

#[tokio::test]
async fn a_pull_with_something_to_answer_does_not_wait() {
    let site = Site::open().await;
    site.todo("s", "t1").await;
    let begun = Instant::now();
    assert_eq!(site.pull(json!({"scope": "s", "cursor": 0, "wait": 30})).await.ok()["next_cursor"], 1);
    site.pull(json!({"scope": "s", "cursor": 7, "wait": 30})).await.refused(410, "epoch_changed");
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_drain_answers_waiting_pulls_and_ends() {
    let mut site = Site::open().await;
    let begun = Instant::now();
    let waiting = tokio::spawn(site.post("/_sync/pull", &json!({"scope": "s", "wait": 30})).send());
    sleep(Duration::from_millis(300)).await;
    site.drain();
    let page = soon(waiting).await.unwrap().ok();
    assert_eq!((&page["changes"], &page["next_cursor"]), (&json!([]), &json!(0)));
    site.end().await;
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_only_pulls_sees_every_change_once() {
    let site = Site::open().await;
    let changes = 300;
    let engine = site.engine.clone();
    let writing = tokio::spawn(async move {
        for n in 0..changes {
            let who = riverrun_core::Principal::server();
            engine.mutate(&who, "s", "say", &json!({"n": n})).await.unwrap();
        }
    });
    let mut reader = common::Reader::new("s");
    while reader.cursor < changes {
        let ask = json!({"scope": "s", "cursor": reader.cursor, "digest": reader.digest, "epoch": reader.epoch,
                         "limit": 7, "wait": 30});
        let answer = site.pull(ask).await;
        answer.ok();
        let page: PullAnswer = serde_json::from_slice(&answer.body).unwrap();
        reader.follow(&page.changes);
        reader.epoch = Some(page.epoch.to_string());
        assert_eq!((page.next_cursor.0, page.digest), (reader.cursor, reader.digest));
    }
    soon(writing).await.unwrap();
    assert_eq!(reader.seen, changes);
}

/// Sends all but the last byte of a request's head, has `then` happen, and reads the answer: a request that was under way
/// when it happened.
async fn under_way(site: &mut Site, request: Request, then: impl FnOnce(&mut Site)) -> Answer {
    let bytes = request.bytes();
    let mut stream = TcpStream::connect(site.addr).await.unwrap();
    stream.write_all(&bytes[..bytes.len() - 1]).await.unwrap();
    sleep(Duration::from_millis(300)).await;
    then(site);
    sleep(Duration::from_millis(100)).await;
    stream.write_all(&bytes[bytes.len() - 1..]).await.unwrap();
    soon(Answer::read(&mut stream)).await
}

#[tokio::test]
async fn health_is_ok_until_the_drain_begins() {
    let mut site = Site::open().await;
    let socket = site.socket().await;
    let well = Request::get(site.addr, "/healthz").send().await;
    assert_eq!(well.ok(), json!({"status": "ok"}), "and not how many are here");
    assert_eq!(well.header("cache-control"), Some("no-store"));
    drop(socket);
    let ask = Request::get(site.addr, "/healthz");
    let going = under_way(&mut site, ask, Site::drain).await;
    going.refused(503, "unavailable");
    assert!(going.header("retry-after").is_some());
    site.end().await;
}

#[tokio::test]
async fn a_draining_server_takes_no_new_sessions_and_still_decides_what_was_under_way() {
    let mut site = Site::open().await;
    let handshake = Request::get(site.addr, "/ws")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let body = json!({"mutations": [{"id": "m", "type": "todo.create", "args": {"id": "t", "title": "Milk"}}]});
    let push = site.post("/_sync/push", &body);
    let bytes = push.bytes();
    let mut pushing = TcpStream::connect(site.addr).await.unwrap();
    pushing.write_all(&bytes[..bytes.len() - 1]).await.unwrap();
    let refused = under_way(&mut site, handshake, Site::drain).await;
    refused.refused(503, "unavailable");
    assert!(refused.header("retry-after").is_some());
    pushing.write_all(&bytes[bytes.len() - 1..]).await.unwrap();
    assert_eq!(soon(Answer::read(&mut pushing)).await.ok()["results"][0]["ok"], true);
    site.end().await;
}

#[tokio::test]
async fn the_browser_client_and_its_inspector_are_served_and_revalidated() {
    let site = Site::open().await;
    let mut tags = Vec::new();
    for (path, built, small) in [
        (
            "/_sync/client.js",
            include_str!("../../../packages/client/dist/client.js"),
            include_bytes!("../../../packages/client/dist/client.js.gz").as_slice(),
        ),
        (
            "/_sync/inspector.js",
            include_str!("../../../packages/client/dist/inspector.js"),
            include_bytes!("../../../packages/client/dist/inspector.js.gz").as_slice(),
        ),
    ] {
        let get = |tag: Option<&str>| {
            let get = Request::get(site.addr, path);
            tag.map_or(get.clone(), |tag| get.header("if-none-match", tag)).send()
        };
        let file = get(None).await;
        assert_eq!(file.status, 200, "{path}");
        assert_eq!(file.text(), built, "{path}");
        assert_eq!(file.header("content-type"), Some("text/javascript; charset=utf-8"));
        assert_eq!(file.header("cache-control"), Some("no-cache"));
        let tag = file.header("etag").unwrap();
        let opaque = tag.strip_prefix("W/").expect("weak: it stands for two forms");
        assert!(opaque.starts_with('"') && opaque.ends_with('"') && opaque.len() > 8, "{tag}");
        for same in [tag, opaque, &format!("\"other\", {tag}"), "*"] {
            let known = get(Some(same)).await;
            assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, Some(tag)), "{path}: {same}");
        }
        assert_eq!(get(Some("\"other\"")).await.status, 200, "{path}");
        assert_eq!((file.header("content-encoding"), file.header("vary")), (None, Some("accept-encoding")));
        for (accepts, takes) in [("gzip", true), ("br;q=1.0, GZip;q=0.5", true), ("gzip;q=0", false), ("br", false)] {
            let file = Request::get(site.addr, path).header("accept-encoding", accepts).send().await;
            assert_eq!(file.header("content-encoding"), takes.then_some("gzip"), "{path}: {accepts}");
            assert_eq!(file.body, if takes { small } else { built.as_bytes() }, "{path}: {accepts}");
            assert_eq!((file.header("etag"), file.header("vary")), (Some(tag), Some("accept-encoding")));
        }
        tags.push(tag.to_owned());
    }
    assert_ne!(tags[0], tags[1], "one file is not taken for the other");
}
