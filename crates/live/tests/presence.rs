//! Presence by itself, without sockets: what a connection is told, and what is left when it is gone.

#![allow(clippy::unwrap_used, reason = "what can't be unwrapped fails the test")]

mod common;

use std::time::Duration;

use common::soon;
use riverrun_live::{NAMES_PER_SEAT, PEERS_PER_TOPIC, Presence, PresenceRefused, Told};
use serde_json::{Value, json, value::RawValue};

fn state(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap()
}

async fn next(told: &mut Told) -> Value {
    let frame = soon(told.next()).await.unwrap();
    let mut envelope: Value = serde_json::from_str(frame.as_str()).unwrap();
    assert_eq!(envelope["topic"], "t");
    envelope["data"].take()
}

#[tokio::test]
async fn nothing_is_left_of_a_topic_nobody_is_in() {
    let presence = Presence::new();
    let (seat, mut told) = presence.enter("t", Some("ann"));
    seat.set("", &state(&json!({}))).unwrap();
    next(&mut told).await;
    assert_eq!((presence.peers(), presence.topics()), (1, 1));
    let (other, mut told_other) = presence.enter("t", None);
    other.look().unwrap();
    assert_eq!(next(&mut told_other).await["peers"][0]["user"], "ann");

    drop(told);
    assert_eq!((presence.peers(), presence.topics()), (0, 1));
    assert_eq!(next(&mut told_other).await["leave"].as_array().unwrap().len(), 1);
    assert_eq!(seat.set("", &state(&json!({}))), Err(PresenceRefused::Gone), "the seat is given up");
    assert!(seat.is_gone());
    other.look_away().unwrap();
    assert!(soon(told_other.next()).await.is_none(), "nobody looks any more");
    drop(told_other);
    assert_eq!((presence.peers(), presence.topics()), (0, 0));
    // The next one begins anew.
    let (again, mut told) = presence.enter("t", None);
    again.look().unwrap();
    assert_eq!(next(&mut told).await["peers"], json!([]));
}

#[tokio::test]
async fn who_leaves_and_looks_stays() {
    let presence = Presence::new();
    let (seat, mut told) = presence.enter("t", None);
    seat.set("a", &state(&json!({"n": 1}))).unwrap();
    let list = next(&mut told).await;
    assert_eq!(
        (list["you"]["a"].as_str(), list["peers"][0]["state"]["n"].as_u64()),
        (list["peers"][0]["id"].as_str(), Some(1))
    );
    seat.look().unwrap();
    assert!(next(&mut told).await.get("peers").is_some(), "a look brings the list");
    seat.leave("a").unwrap();
    assert_eq!(next(&mut told).await["leave"], json!([list["you"]["a"]]));
    assert!(!seat.is_gone());
    seat.set("b", &state(&json!({}))).unwrap();
    let (mut you, mut joined) = (Value::Null, Value::Null);
    for _ in 0..2 {
        let frame = next(&mut told).await;
        if frame.get("you").is_some() { you = frame } else { joined = frame }
    }
    assert_eq!(you, json!({"type": "presence", "you": {"b": joined["join"][0]["id"]}}));
}

#[tokio::test]
async fn a_frame_that_was_not_waited_for_is_not_lost() {
    let presence = Presence::new();
    let (reader, mut told) = presence.enter("t", None);
    reader.look().unwrap();
    next(&mut told).await;
    let (seat, mut own) = presence.enter("t", None);
    let mut seen = Vec::new();
    let mut n = 0;
    while seen.len() < 20 {
        n += 1;
        seat.set("", &state(&json!({"n": n}))).unwrap();
        if n == 1 {
            next(&mut own).await;
        }
        // Given up at any moment, and asked again.
        if let Ok(frame) = tokio::time::timeout(Duration::from_millis(7), told.next()).await {
            let data: Value = serde_json::from_str(frame.unwrap().as_str()).unwrap();
            let peer = data["data"].get("join").or(data["data"].get("set")).unwrap()[0].clone();
            seen.push(peer["state"]["n"].as_u64().unwrap());
        }
    }
    assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
    assert!(n > seen.len() as u64, "several states to a frame");
}

#[tokio::test]
async fn a_topic_and_a_seat_take_so_many_and_no_more() {
    let presence = Presence::new();
    let mut all = Vec::new();
    for _ in 0..PEERS_PER_TOPIC / NAMES_PER_SEAT {
        let (seat, told) = presence.enter("t", None);
        for name in 0..NAMES_PER_SEAT {
            seat.set(&name.to_string(), &state(&json!({}))).unwrap();
        }
        assert_eq!(seat.set("more", &state(&json!({}))), Err(PresenceRefused::TooManyNames));
        all.push((seat, told));
    }
    let (late, _told) = presence.enter("t", None);
    assert_eq!(late.set("", &state(&json!({}))), Err(PresenceRefused::Full));
    assert_eq!(presence.peers(), PEERS_PER_TOPIC, "what was refused takes no room");
    all.pop();
    late.set("", &state(&json!({}))).unwrap();
    all.clear();
    assert_eq!(presence.peers(), 1);
}
