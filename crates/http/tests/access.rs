//! Who is asking and what they may do: asked on push, pull, snapshot and subscribe alike, for as long as a session lasts.

#![allow(clippy::unwrap_used, reason = "what can't be unwrapped fails the test")]

mod common;

use std::time::{Duration, Instant};

use common::{Bearer, Grants, Heard, Reader, Request, SECRET, Site, Socket, mutators, soon};
use riverrun_engine::{Action, Engine, Memory};
use serde_json::{Value, json};
use tokio::time::sleep;

async fn guarded() -> (Site, Grants) {
    let grants = Grants::default();
    let engine = Engine::builder(Memory::new()).mutators(mutators()).access(grants.clone()).start().await.unwrap();
    (Site::with(engine, |routes| routes.authenticate(Bearer)).await, grants)
}

fn create(id: &str, scope: &str) -> Value {
    json!({"id": format!("m-{id}"), "type": "todo.create", "args": {"id": id, "title": "Milk"}, "scope": scope})
}

async fn push(site: &Site, who: &str, body: Value) -> Value {
    site.post("/_sync/push", &body).of(who).send().await.ok()
}

/// Changes of 60 KB each that a reader is behind: far more than sockets and queues hold.
const FILLS: u64 = 150;

/// The code a subscription is refused with, or the type of its first frame.
async fn subscribe(socket: &mut Socket, scope: &str, more: Value) -> Value {
    let mut ask = json!({"type": "subscribe", "ref": "7", "cursor": 0});
    ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    socket.say(&format!("sync:{scope}"), ask).await;
    let first = socket.on(&format!("sync:{scope}")).await;
    assert_eq!(first["ref"], "7", "{first}");
    if first["type"] == "error" { first["code"].clone() } else { first["type"].clone() }
}

#[tokio::test]
async fn who_is_not_known_is_asked_to_sign_in_and_who_may_not_is_forbidden() {
    let (site, _) = guarded().await;
    for route in ["/_sync/push", "/_sync/pull", "/_sync/snapshot"] {
        let body = json!({"scope": "user:bob", "mutations": []});
        site.post(route, &body).send().await.refused(401, "unauthenticated");
        let wrong = site.post(route, &body).header("authorization", "Bearer guessed");
        wrong.send().await.refused(401, "unauthenticated");
        if route != "/_sync/push" {
            site.post(route, &body).of("ann").send().await.refused(403, "forbidden");
        }
        site.post(route, &body).of("bob").send().await.ok();
    }
    let (status, body) = Socket::refused(site.addr, &[("authorization", "Bearer guessed")]).await;
    assert_eq!((status, &body["code"]), (401, &json!("unauthenticated")));
    let mut ann = site.socket_of("ann").await;
    assert_eq!(subscribe(&mut ann, "user:bob", json!({})).await, "forbidden");
    assert_eq!(subscribe(&mut ann, "user:ann", json!({})).await, "ack");
    ann.say("sync:user:bob", json!({"type": "subscribe", "ref": "8"})).await;
    let no = ann.expect("sync:user:bob", "error").await;
    assert_eq!((&no["code"], &no["ref"]), (&json!("forbidden"), &json!("8")), "nor with a snapshot first");
}

#[tokio::test]
async fn authentication_comes_before_the_body_is_read() {
    let (site, _) = guarded().await;
    Request::post(site.addr, "/_sync/push", "{").send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_push_into_a_foreign_scope_is_a_recorded_verdict_that_takes_its_place() {
    let (site, grants) = guarded().await;
    let mut mutation = create("t1", "user:bob");
    mutation["seq"] = json!(1);
    let body = json!({"client": "c-ann", "mutations": [mutation]});
    let result = push(&site, "ann", body.clone()).await["results"][0].clone();
    assert_eq!((&result["code"], &result["retry"]), (&json!("forbidden"), &json!(false)), "{result}");
    // What was decided stays decided, also when the right is given later.
    grants.give("ann", "user:bob", Action::Write);
    let again = push(&site, "ann", body).await["results"][0].clone();
    assert_eq!((&again["code"], &again["duplicate"]), (&json!("forbidden"), &json!(true)), "{again}");
    let mut next = create("t2", "user:bob");
    next["seq"] = json!(2);
    let next = push(&site, "ann", json!({"client": "c-ann", "mutations": [next]})).await["results"][0].clone();
    assert_eq!(next["ok"], true, "its place was taken: {next}");
    assert_eq!(next["changes"], json!([]), "who may write and not read is shown nothing");
}

#[tokio::test]
async fn the_same_id_of_two_principals_is_two_mutations() {
    let (site, grants) = guarded().await;
    for who in ["ann", "bob"] {
        grants.give(who, "both", Action::Write);
    }
    let body = json!({"mutations": [{"id": "m", "type": "say", "args": {"n": 1}, "scope": "both"}]});
    assert_eq!(push(&site, "ann", body.clone()).await["results"][0]["cursor"], 1);
    assert_eq!(push(&site, "bob", body).await["results"][0]["cursor"], 2);
}

#[tokio::test]
async fn changes_of_a_mutation_over_two_scopes_are_shown_only_where_one_may_read() {
    let (site, grants) = guarded().await;
    grants.give("ann", "user:bob", Action::Write);
    let share = |id: &str| {
        let args = json!({"id": id, "title": "Milk", "to": "user:bob"});
        json!({"mutations": [{"id": format!("m-{id}"), "type": "todo.share", "args": args, "scope": "user:ann"}]})
    };
    let scopes = |result: &Value| -> Vec<Value> {
        result["changes"].as_array().unwrap().iter().map(|change| change["scope"].clone()).collect()
    };
    let blind = push(&site, "ann", share("t1")).await["results"][0].clone();
    assert_eq!(blind["cursors"], json!({"user:bob": 1}));
    assert_eq!(scopes(&blind), ["user:ann"]);
    grants.give("ann", "user:bob", Action::Read);
    let seen = push(&site, "ann", share("t2")).await["results"][0].clone();
    assert_eq!(scopes(&seen), ["user:ann", "user:bob"]);
    assert_eq!(seen["cursors"], json!({"user:bob": 2}));
    // Without the right to write there, nothing happens here either.
    grants.take("ann", "user:bob", Action::Write);
    assert_eq!(push(&site, "ann", share("t3")).await["results"][0]["code"], "forbidden");
    let own = site.post("/_sync/snapshot", &json!({"scope": "user:ann"})).of("ann").send().await.ok();
    assert_eq!(own["cursor"], 2);
}

#[tokio::test]
async fn a_client_id_belongs_to_who_used_it_first() {
    let (site, grants) = guarded().await;
    for who in ["ann", "bob"] {
        grants.give(who, "both", Action::Read);
        grants.give(who, "both", Action::Write);
    }
    let body = |id: &str| {
        let mutation = json!({"id": id, "seq": 1, "type": "say", "args": {"n": 1}, "scope": "both"});
        json!({"client": "c-1", "mutations": [mutation]})
    };
    assert_eq!(push(&site, "ann", body("a")).await["results"][0]["ok"], true);
    let stolen = push(&site, "bob", body("b")).await["results"][0].clone();
    assert_eq!((&stolen["code"], &stolen["retry"]), (&json!("forbidden"), &json!(false)), "{stolen}");
    let ask = json!({"scope": "both", "client": "c-1"});
    site.post("/_sync/pull", &ask).of("bob").send().await.refused(403, "forbidden");
    site.post("/_sync/snapshot", &ask).of("bob").send().await.refused(403, "forbidden");
    let mut bob = site.socket_of("bob").await;
    assert_eq!(subscribe(&mut bob, "both", json!({"client": "c-1"})).await, "forbidden");
    assert_eq!(subscribe(&mut bob, "both", json!({"client": "c-2"})).await, "ack");
    assert_eq!(site.post("/_sync/pull", &ask).of("ann").send().await.ok()["last_seq"], 1);
}

#[tokio::test]
async fn what_cannot_be_checked_lets_nothing_through_and_records_nothing() {
    let (site, _) = guarded().await;
    for route in ["/_sync/pull", "/_sync/snapshot"] {
        let answer = site.post(route, &json!({"scope": "unknowable"})).of("ann").send().await;
        answer.refused(503, "unavailable");
        assert!(!answer.text().contains(SECRET));
    }
    let result = push(&site, "ann", json!({"mutations": [create("t1", "unknowable")]})).await["results"][0].clone();
    assert_eq!((&result["code"], &result["retry"]), (&json!("unavailable"), &json!(true)), "{result}");
    let mut ann = site.socket_of("ann").await;
    assert_eq!(subscribe(&mut ann, "unknowable", json!({})).await, "unavailable");
}

#[tokio::test]
async fn access_taken_away_ends_the_live_subscription_and_nothing_more_leaves() {
    let (site, grants) = guarded().await;
    grants.give("ann", "user:bob", Action::Read);
    let mut ann = site.socket_of("ann").await;
    let mut reader = Reader::new("user:bob");
    reader.subscribe(&mut ann).await;
    assert_eq!(reader.hear(&mut ann).await, Heard::Ack(0));
    push(&site, "bob", json!({"mutations": [create("t1", "user:bob")]})).await;
    reader.reach(&mut ann, 1).await;

    grants.take("ann", "user:bob", Action::Read);
    let begun = Instant::now();
    site.engine.access_changed();
    push(&site, "bob", json!({"mutations": [create("t2", "user:bob")]})).await;
    let end = ann.expect("sync:user:bob", "error").await;
    assert_eq!(end["code"], "forbidden");
    assert!(begun.elapsed() < Duration::from_secs(10), "a moment, not the next look after 30 s");
    push(&site, "bob", json!({"mutations": [create("t3", "user:bob")]})).await;
    ann.silent().await;
    // The session goes on, and what it may read it can still follow.
    assert_eq!(subscribe(&mut ann, "user:ann", json!({})).await, "ack");
}

#[tokio::test]
async fn access_taken_away_stops_a_catch_up_in_its_middle() {
    let (site, grants) = guarded().await;
    grants.give("ann", "user:bob", Action::Read);
    let bob = riverrun_core::Principal::new("bob").unwrap();
    for _ in 0..FILLS {
        site.engine.mutate(&bob, "user:bob", "blob.fill", &json!({"id": "b", "bytes": 60_000})).await.unwrap();
    }
    let mut ann = site.socket_of("ann").await;
    let mut reader = Reader::new("user:bob");
    reader.subscribe(&mut ann).await;
    assert_eq!(reader.hear(&mut ann).await, Heard::Ack(FILLS));
    // It fills what there is to fill, and waits.
    sleep(Duration::from_millis(500)).await;
    grants.take("ann", "user:bob", Action::Read);
    site.engine.access_changed();
    let end = loop {
        let text = ann.text().await;
        if text.contains(r#""type":"error""#) {
            break text;
        }
        reader.take(&text);
        assert!(reader.cursor < FILLS, "the whole log left on a session that may not read it");
    };
    assert!(end.contains("forbidden"), "{end}");
}

#[tokio::test]
async fn a_right_taken_away_while_a_pull_waits_is_noticed_before_the_answer() {
    let (site, grants) = guarded().await;
    grants.give("ann", "user:bob", Action::Read);
    let ask = site.post("/_sync/pull", &json!({"scope": "user:bob", "wait": 30})).of("ann");
    let waiting = tokio::spawn(ask.send());
    sleep(Duration::from_millis(300)).await;
    grants.take("ann", "user:bob", Action::Read);
    push(&site, "bob", json!({"mutations": [create("t1", "user:bob")]})).await;
    soon(waiting).await.unwrap().refused(403, "forbidden");
}

#[tokio::test]
async fn a_token_can_come_as_the_first_frame() {
    let (site, _) = guarded().await;
    let mut ann = site.socket().await;
    ann.say("sys", json!({"type": "auth", "token": "token-of-ann"})).await;
    assert_eq!(subscribe(&mut ann, "user:ann", json!({})).await, "ack");
    assert_eq!(subscribe(&mut ann, "user:bob", json!({})).await, "forbidden");
    let push = json!({"type": "push", "ref": "2", "mutations": [create("t1", "user:ann")]});
    ann.say("sync:user:ann", push).await;
    // The change and the answer come on one topic, in no promised order.
    let mut came = [ann.on("sync:user:ann").await, ann.on("sync:user:ann").await];
    came.sort_by_key(|data| data["type"].to_string());
    assert_eq!((&came[0]["type"], &came[1]["results"][0]["ok"]), (&json!("changes"), &json!(true)));
}

#[tokio::test]
async fn before_the_token_nothing_else_is_heard_and_a_wrong_one_ends_the_session() {
    let (site, _) = guarded().await;
    let mut early = site.socket().await;
    early.say("sync:user:ann", json!({"type": "subscribe", "cursor": 0})).await;
    assert_eq!(early.closed().await, 4401);
    let mut wrong = site.socket().await;
    wrong.say("sys", json!({"type": "auth", "token": "guessed"})).await;
    assert_eq!(wrong.expect("sys", "error").await["code"], "unauthenticated");
    assert_eq!(wrong.closed().await, 4401);
}

#[tokio::test]
async fn a_session_ends_when_its_proof_expires() {
    let (site, _) = guarded().await;
    let mut by_header = Socket::open(site.addr, &[("authorization", "Bearer brief-ann")]).await.unwrap();
    let mut by_frame = site.socket().await;
    by_frame.say("sys", json!({"type": "auth", "token": "brief-ann"})).await;
    let begun = Instant::now();
    assert_eq!(subscribe(&mut by_header, "user:ann", json!({})).await, "ack");
    assert_eq!(subscribe(&mut by_frame, "user:ann", json!({})).await, "ack");
    assert_eq!(by_header.closed().await, 4401);
    assert_eq!(by_frame.closed().await, 4401);
    assert!(begun.elapsed() >= Bearer::BRIEF / 2, "not at once");
}
