//! Subscriptions over real sockets: how they begin, go on and end, and that nothing is ever missed or told twice.

#![allow(clippy::unwrap_used, reason = "what can't be unwrapped fails the test")]

mod common;

use std::{sync::Arc, time::Duration};

use common::{Heard, Reader, Site, Socket, engine, soon};
use riverrun_core::{Cursor, Scope};
use riverrun_engine::Memory;
use serde_json::{Value, json};

const S: &str = "sync:s";

async fn three_todos() -> Site {
    let site = Site::open().await;
    for id in ["t1", "t2", "t3"] {
        site.todo("s", id).await;
    }
    site
}

#[tokio::test]
async fn a_subscription_catches_up_from_its_cursor_and_stays_live() {
    let site = three_todos().await;
    let epoch = site.engine.epoch().await.unwrap();
    let mut socket = site.socket().await;
    socket.say(S, json!({"type": "subscribe", "ref": "1", "cursor": 1})).await;
    let ack = socket.on(S).await;
    assert_eq!(ack, json!({"type": "ack", "ref": "1", "cursor": 3, "epoch": epoch}));
    let page = socket.on(S).await;
    let page_keys: Vec<&String> = page.as_object().unwrap().keys().collect();
    assert_eq!(page_keys, ["changes", "cursor", "digest", "from", "type"]);
    assert_eq!((&page["from"], &page["cursor"]), (&json!(1), &json!(3)));
    assert_eq!(page["changes"], site.pull(json!({"scope": "s", "cursor": 1})).await.ok()["changes"]);

    let done = site.todo("s", "t4").await;
    let live = socket.on(S).await;
    assert_eq!(
        live,
        json!({"type": "changes", "from": 3, "cursor": 4, "digest": done["digest"], "changes": done["changes"]})
    );
}

#[tokio::test]
async fn without_a_cursor_a_snapshot_comes_first() {
    let site = three_todos().await;
    let mut socket = site.socket().await;
    socket.say(S, json!({"type": "subscribe", "ref": "1", "client": "c"})).await;
    let mut snapshot = socket.on(S).await;
    assert_eq!(snapshot.as_object_mut().unwrap().remove("type"), Some(json!("snapshot")));
    assert_eq!(snapshot, site.snapshot(json!({"scope": "s", "client": "c"})).await.ok());
    let ack = socket.expect(S, "ack").await;
    assert_eq!((&ack["cursor"], &ack["last_seq"]), (&json!(3), &json!(0)));
    site.todo("s", "t4").await;
    assert_eq!(socket.expect(S, "changes").await["from"], 3);
}

#[tokio::test]
async fn a_snapshot_too_large_for_a_frame_is_sent_to_http() {
    let site = Site::open().await;
    let fill = async |id: &str, bytes: usize| {
        let done = site.push_one("s", &format!("m-{id}-{bytes}"), "blob.fill", json!({"id": id, "bytes": bytes})).await;
        assert_eq!(done["ok"], true, "{done}");
    };
    fill("a", 250 << 10).await;
    let mut socket = site.socket().await;
    socket.say(S, json!({"type": "subscribe"})).await;
    socket.expect(S, "snapshot").await;
    socket.expect(S, "ack").await;
    fill("b", 7 << 10).await;
    socket.expect(S, "changes").await;
    socket.say(S, json!({"type": "subscribe"})).await;
    assert_eq!(socket.on(S).await, json!({"type": "reset", "code": "use_http"}));
    fill("b", 1).await;
    socket.silent().await;
    let whole = site.snapshot(json!({"scope": "s"})).await.ok();
    socket.say(S, json!({"type": "subscribe", "cursor": whole["cursor"], "digest": whole["digest"]})).await;
    assert_eq!(socket.expect(S, "ack").await["cursor"], whole["cursor"]);
}

#[tokio::test]
async fn a_history_that_is_not_the_servers_is_reset() {
    let site = three_todos().await;
    let mut socket = site.socket().await;
    for (more, code) in [
        (json!({"cursor": 2, "digest": "00000000deadbeef"}), "epoch_changed"),
        (json!({"cursor": 2, "epoch": "e-other"}), "epoch_changed"),
        (json!({"cursor": 4}), "epoch_changed"),
    ] {
        let mut ask = json!({"type": "subscribe", "ref": "1"});
        ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        socket.say(S, ask).await;
        assert_eq!(socket.on(S).await, json!({"type": "reset", "code": code}), "{more}");
    }
    let kernel = site.engine.kernel().clone();
    let trim = move || kernel.trim_to(&Scope::new("s").unwrap(), Cursor(2)).unwrap();
    tokio::task::spawn_blocking(trim).await.unwrap();
    socket.say(S, json!({"type": "subscribe", "cursor": 1})).await;
    assert_eq!(socket.on(S).await, json!({"type": "reset", "code": "cursor_too_old"}));
    // None of these goes on.
    site.todo("s", "t4").await;
    socket.silent().await;
}

#[tokio::test]
async fn a_log_trimmed_past_a_live_reader_takes_nothing_from_it() {
    let site = three_todos().await;
    let mut socket = site.socket().await;
    let mut reader = Reader::new("s");
    reader.subscribe(&mut socket).await;
    assert_eq!(reader.hear(&mut socket).await, Heard::Ack(3));
    reader.reach(&mut socket, 3).await;
    let kernel = site.engine.kernel().clone();
    let trim = move || kernel.trim_to(&Scope::new("s").unwrap(), Cursor(3)).unwrap();
    tokio::task::spawn_blocking(trim).await.unwrap();
    site.todo("s", "t4").await;
    reader.reach(&mut socket, 4).await;
}

#[tokio::test]
async fn a_push_over_the_socket_is_answered_with_results_under_its_ref() {
    let site = Site::open().await;
    let mut socket = site.socket().await;
    let m = |id: &str, title: &str| json!({"id": id, "type": "todo.create", "args": {"id": id, "title": title}});
    let push = json!({"type": "push", "ref": "2", "client": "c", "mutations": [m("a", "Milk"), m("b", "")]});
    socket.say(S, push.clone()).await;
    let answer = socket.expect(S, "results").await;
    let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["epoch", "ref", "results", "type"]);
    assert_eq!(answer["ref"], "2");
    assert_eq!(answer["results"][0]["changes"][0]["scope"], "s", "the topic's scope, as none was named");
    assert_eq!(answer["results"][1]["reason"], "title_empty");
    socket.say(S, push.clone()).await;
    assert_eq!(socket.expect(S, "results").await["results"][0]["duplicate"], true);
    // The same over HTTP is the same mutation.
    let mut over_http = push;
    over_http["scope"] = json!("s");
    assert_eq!(site.push(over_http).await.ok()["results"][0]["duplicate"], true);
}

#[tokio::test]
async fn a_request_that_fails_says_so_under_its_ref_and_the_session_goes_on() {
    let site = Site::open().await;
    let mut socket = site.socket().await;
    for (data, code) in [
        (r#"{"type":"push","ref":"9"}"#.to_string(), "invalid_mutation"),
        (r#"{"type":"push","ref":"9","epoch":"e-other","mutations":[]}"#.to_string(), "epoch_changed"),
        (r#"{"type":"push","ref":"9","mutations":[{"id":"a","id":"b"}]}"#.to_string(), "invalid_mutation"),
        (format!(r#"{{"type":"push","ref":"9","mutations":[],"pad":"{}"}}"#, "x".repeat(60 << 10)), "too_large"),
        (r#"{"type":"subscribe","ref":"9","cursor":"three"}"#.to_string(), "invalid_mutation"),
        (r#"{"type":"nonsense","ref":"9"}"#.to_string(), "invalid_mutation"),
    ] {
        socket.raw(format!(r#"{{"topic":"{S}","data":{data}}}"#)).await;
        let error = socket.expect(S, "error").await;
        let shown = &data[..data.len().min(80)];
        assert_eq!((&error["code"], &error["ref"]), (&json!(code), &json!("9")), "{shown}");
        assert!(error["error"].as_str().is_some_and(|text| !text.is_empty()));
    }
    for topic in ["chat", "sync", "sync:"] {
        socket.say(topic, json!({"type": "subscribe", "ref": "9", "cursor": 0})).await;
        let error = socket.expect(topic, "error").await;
        assert_eq!(error["ref"], "9", "{topic}: {error}");
    }
    socket.settled().await;
}

#[tokio::test]
async fn one_connection_follows_at_most_128_scopes() {
    let site = Site::open().await;
    let mut socket = site.socket().await;
    let ask = |n: usize| json!({"type": "subscribe", "ref": n.to_string(), "cursor": 0});
    for n in 0..128 {
        let topic = format!("sync:s{n}");
        socket.say(&topic, ask(n)).await;
        socket.expect(&topic, "ack").await;
    }
    socket.say("sync:more", ask(200)).await;
    let no = socket.expect("sync:more", "error").await;
    assert_eq!((&no["code"], &no["ref"]), (&json!("too_large"), &json!("200")));
    // One that is followed already is no further one; one let go of makes room.
    socket.say("sync:s5", ask(5)).await;
    socket.expect("sync:s5", "ack").await;
    socket.say("sync:s7", json!({"type": "unsubscribe"})).await;
    socket.say("sync:more", ask(201)).await;
    socket.expect("sync:more", "ack").await;
    site.todo("s127", "t").await;
    socket.expect("sync:s127", "changes").await;
    site.todo("s7", "t").await;
    site.todo("more", "t").await;
    assert_eq!(socket.next().await.0, "sync:more", "and nothing of what was let go of");
}

#[tokio::test]
async fn after_unsubscribe_nothing_more_comes() {
    let site = Site::open().await;
    let mut socket = site.socket().await;
    let mut reader = Reader::new("s");
    reader.subscribe(&mut socket).await;
    reader.hear(&mut socket).await;
    socket.say(S, json!({"type": "unsubscribe", "ref": "3"})).await;
    socket.settled().await;
    site.todo("s", "t1").await;
    socket.silent().await;
    reader.subscribe(&mut socket).await;
    assert_eq!(reader.hear(&mut socket).await, Heard::Ack(1));
    reader.reach(&mut socket, 1).await;
}

/// Keeps a scope changing until it is told to stop; gives the head.
fn busy(site: &Arc<Site>, scope: &'static str) -> (tokio::sync::oneshot::Sender<()>, tokio::task::JoinHandle<u64>) {
    let (stop, mut stopped) = tokio::sync::oneshot::channel();
    let site = site.clone();
    let task = tokio::spawn(async move {
        let mut n = 0;
        while stopped.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Empty) {
            let who = riverrun_core::Principal::server();
            site.engine.mutate(&who, scope, "say", &json!({"n": n})).await.unwrap();
            n += 1;
            // A little air, so that a reader is not too slow for it as a rule.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        n
    });
    (stop, task)
}

/// Reads to the head, subscribing anew where it was too slow.
async fn to_the_end(reader: &mut Reader, socket: &mut Socket, head: u64) {
    while reader.cursor < head {
        if reader.hear(socket).await == Heard::Lagged {
            reader.subscribe(socket).await;
        }
    }
    assert_eq!((reader.seen, reader.cursor), (head, head));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribing_anew_while_changes_come_neither_doubles_nor_misses_one() {
    let site = Arc::new(Site::of(engine(Memory::new()).await).await);
    let (stop, head) = busy(&site, "s");
    let mut socket = site.socket().await;
    let mut reader = Reader::new("s");
    for round in 0..200 {
        // Every other time the former one is let go of first; either way its frames may still be on their way.
        if round % 2 == 0 {
            socket.say(S, json!({"type": "unsubscribe"})).await;
        }
        reader.subscribe(&mut socket).await;
        let asked_at = reader.cursor;
        // What the former one still sends ends before the new one's first frame, and the new one begins where it asked.
        loop {
            let text = socket.text().await;
            if text.contains(r#""type":"ack""#) {
                reader.take(&text);
                break;
            }
            let frame: Value = serde_json::from_str(&text).unwrap();
            assert!(["changes", "lagged"].contains(&frame["data"]["type"].as_str().unwrap()), "{text}");
        }
        assert_eq!(reader.cursor, asked_at);
        for _ in 0..3 {
            if reader.hear(&mut socket).await == Heard::Lagged {
                break;
            }
        }
    }
    drop(stop);
    let head = soon(head).await.unwrap();
    to_the_end(&mut reader, &mut socket, head).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_catch_up_and_live_nothing_is_lost_however_it_falls() {
    let site = Arc::new(Site::of(engine(Memory::new()).await).await);
    let (stop, head) = busy(&site, "s");
    let mut readers = Vec::new();
    for _ in 0..40 {
        let mut socket = site.socket().await;
        let mut reader = Reader::new("s");
        reader.subscribe(&mut socket).await;
        assert!(matches!(reader.hear(&mut socket).await, Heard::Ack(_)));
        readers.push((reader, socket));
    }
    drop(stop);
    let head = soon(head).await.unwrap();
    for (reader, socket) in &mut readers {
        to_the_end(reader, socket, head).await;
    }
}

#[tokio::test]
async fn one_socket_carries_many_scopes_and_keeps_them_apart() {
    let site = Site::open().await;
    let mut socket = site.socket().await;
    let mut readers: Vec<Reader> = (0..3).map(|n| Reader::new(&format!("s{n}"))).collect();
    for reader in &mut readers {
        reader.subscribe(&mut socket).await;
        reader.hear(&mut socket).await;
    }
    for n in [0, 1, 0, 2, 1, 0] {
        let scope = format!("s{n}");
        site.todo(&scope, &format!("t{}", readers[n].cursor)).await;
        let at = readers[n].cursor + 1;
        readers[n].reach(&mut socket, at).await;
    }
    assert_eq!(readers.iter().map(|reader| reader.seen).collect::<Vec<_>>(), [3, 2, 1]);
}

#[tokio::test]
async fn a_mutation_larger_than_a_frames_usual_size_still_arrives_live() {
    let site = Site::open().await;
    let mut socket = site.socket().await;
    let mut reader = Reader::new("s");
    reader.subscribe(&mut socket).await;
    reader.hear(&mut socket).await;
    site.push_one("s", "m1", "blob.fill", json!({"id": "b", "bytes": 900_000})).await;
    site.push_one("s", "m2", "todo.many", json!({"count": 900})).await;
    site.push_one("s", "m3", "say", json!({"n": 1})).await;
    reader.reach(&mut socket, 902).await;
}

#[tokio::test]
async fn a_drain_closes_live_sessions_with_1001() {
    let mut site = Site::open().await;
    let mut socket: Socket = site.socket().await;
    socket.say(S, json!({"type": "subscribe", "cursor": 0})).await;
    socket.expect(S, "ack").await;
    site.drain();
    assert_eq!(socket.closed().await, 1001);
    site.end().await;
}

#[tokio::test]
async fn a_scope_with_the_longest_name_can_be_followed() {
    let site = Site::open().await;
    let scope = "s".repeat(255);
    site.todo(&scope, "t1").await;
    let topic = format!("sync:{scope}");
    let mut socket = site.socket().await;
    socket.say(&topic, json!({"type": "subscribe", "cursor": 0})).await;
    assert_eq!(socket.on(&topic).await["type"], "ack");
    assert_eq!(socket.on(&topic).await["cursor"], 1);
}
