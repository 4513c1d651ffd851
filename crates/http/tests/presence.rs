//! Who is here, over real sockets: told to those who may know, at once and no more often than needed, and gone with the
//! connection.

#![allow(clippy::unwrap_used, reason = "what can't be unwrapped fails the test")]

mod common;

use std::time::Duration;

use common::{Bearer, Grants, Site, Socket, mutators, soon};
use riverrun_engine::{Action, Engine, Memory};
use riverrun_live::Options;
use serde_json::{Value, json};

const S: &str = "sync:s";

/// A site where `names` may read the scope `s`.
async fn shared_by(names: &[&str]) -> (Site, Grants) {
    let grants = Grants::default();
    for name in names {
        grants.give(name, "s", Action::Read);
    }
    let engine = Engine::builder(Memory::new()).mutators(mutators()).access(grants.clone()).start().await.unwrap();
    (Site::with(engine, |routes| routes.authenticate(Bearer)).await, grants)
}

async fn is(socket: &mut Socket, state: Value) {
    socket.say(S, json!({"type": "presence", "state": state})).await;
}

/// Comes in this state and takes the list; gives one's own id.
async fn comes(socket: &mut Socket, state: Value) -> String {
    is(socket, state).await;
    socket.expect(S, "presence").await["you"][""].as_str().unwrap().to_owned()
}

async fn hears(socket: &mut Socket) -> Value {
    socket.expect(S, "presence").await
}

#[tokio::test]
async fn those_who_are_here_learn_of_each_other_and_of_each_others_states() {
    let (site, _) = shared_by(&["ann", "bob"]).await;
    let (mut ann, mut bob) = (site.socket_of("ann").await, site.socket_of("bob").await);
    is(&mut ann, json!({"at": 1})).await;
    let list = hears(&mut ann).await;
    let a = list["you"][""].as_str().unwrap().to_owned();
    let of_ann = json!({"id": a, "user": "ann", "state": {"at": 1}});
    assert_eq!(list, json!({"type": "presence", "you": {"": a}, "peers": [of_ann]}), "oneself among them");

    is(&mut bob, json!({"at": 2})).await;
    let list = hears(&mut bob).await;
    let b = list["you"][""].as_str().unwrap().to_owned();
    let of_bob = json!({"id": b, "user": "bob", "state": {"at": 2}});
    assert_eq!(list["peers"], json!([of_ann, of_bob]));
    assert_eq!(hears(&mut ann).await, json!({"type": "presence", "join": [of_bob]}));

    is(&mut bob, json!({"at": 3})).await;
    let set = json!({"type": "presence", "set": [{"id": b, "user": "bob", "state": {"at": 3}}]});
    assert_eq!(hears(&mut ann).await, set);
    assert_eq!(hears(&mut bob).await, set);

    is(&mut bob, Value::Null).await;
    assert_eq!(hears(&mut ann).await, json!({"type": "presence", "leave": [b]}));
    // Who has left hears no more.
    is(&mut ann, json!({"at": 4})).await;
    hears(&mut ann).await;
    bob.settled().await;
    bob.silent().await;
}

#[tokio::test]
async fn who_looks_sees_and_is_not_seen() {
    let site = Site::open().await;
    let (mut ann, mut eve) = (site.socket().await, site.socket().await);
    let a = comes(&mut ann, json!({})).await;
    eve.say(S, json!({"type": "presence", "look": true})).await;
    let peer = json!({"id": a, "state": {}});
    assert_eq!(hears(&mut eve).await, json!({"type": "presence", "you": {}, "peers": [peer]}), "nobody has no name");
    ann.settled().await;
    // Looking again brings the list again; looking away ends it.
    eve.say(S, json!({"type": "presence", "look": true})).await;
    assert_eq!(hears(&mut eve).await["peers"], json!([peer]));
    eve.say(S, json!({"type": "presence", "look": false})).await;
    is(&mut ann, json!({"n": 1})).await;
    hears(&mut ann).await;
    eve.settled().await;
    eve.silent().await;
}

#[tokio::test]
async fn one_connection_is_present_as_several_tabs_up_to_sixteen() {
    let site = Site::open().await;
    let (mut tabs, mut other) = (site.socket().await, site.socket().await);
    other.say(S, json!({"type": "presence", "look": true})).await;
    hears(&mut other).await;
    for n in 0..16 {
        tabs.say(S, json!({"type": "presence", "as": format!("tab-{n}"), "state": {"n": n}})).await;
    }
    tabs.say(S, json!({"type": "presence", "ref": "17", "as": "tab-16", "state": {}})).await;
    let (mut ids, mut refused) = (json!({}), false);
    while ids.as_object().unwrap().len() < 16 || !refused {
        let frame = hears(&mut tabs).await;
        if frame["code"] == "too_large" {
            assert_eq!((&frame["ref"], frame.get("ended")), (&json!("17"), None), "the others are still here: {frame}");
            refused = true;
        } else if let Some(you) = frame.get("you") {
            ids = you.clone();
        }
    }
    let mut seen = 0;
    while seen < 16 {
        seen += hears(&mut other).await["join"].as_array().unwrap().len();
    }
    tabs.say(S, json!({"type": "presence", "as": "tab-3", "state": null})).await;
    assert_eq!(hears(&mut other).await["leave"], json!([ids["tab-3"]]));
    drop(tabs);
    assert_eq!(
        hears(&mut other).await["leave"].as_array().unwrap().len(),
        15,
        "all go with their connection, in one frame"
    );
}

#[tokio::test]
async fn a_closed_connection_leaves_at_once_and_a_silent_one_within_the_ping_timeout() {
    let engine = common::engine(Memory::new()).await;
    let silence = Duration::from_millis(2500);
    let options = Options { ping: Duration::from_millis(500), silence, ..Options::default() };
    let site = Site::with(engine, |routes| routes.live_options(options)).await;
    let (mut ann, mut bob, mut mute) = (site.socket().await, site.socket().await, site.socket().await);
    let b = comes(&mut bob, json!({})).await;
    let silent_since = tokio::time::Instant::now();
    // From here on it neither reads nor answers; its link stays open.
    let m = comes(&mut mute, json!({})).await;
    ann.say(S, json!({"type": "presence", "look": true})).await;
    assert_eq!(hears(&mut ann).await["peers"].as_array().unwrap().len(), 2);

    drop(bob);
    assert_eq!(hears(&mut ann).await["leave"], json!([b]));
    assert!(silent_since.elapsed() < silence, "a closed one is gone long before a silent one");
    let gone = async {
        loop {
            // It stays alive itself.
            ann.say("sys", json!({"type": "pong"})).await;
            if let Ok(frame) = tokio::time::timeout(Duration::from_millis(200), hears(&mut ann)).await {
                return frame;
            }
        }
    };
    assert_eq!(soon(gone).await["leave"], json!([m]));
    assert!(silent_since.elapsed() >= silence, "not before it counted as dead");
    drop(mute);
}

#[tokio::test]
async fn who_may_not_read_is_refused_and_a_right_that_goes_takes_presence_along() {
    let (site, grants) = shared_by(&["ann", "bob"]).await;
    let mut eve = site.socket_of("eve").await;
    for word in [json!({"state": {}}), json!({"look": true})] {
        let mut frame = json!({"type": "presence", "ref": "1"});
        frame.as_object_mut().unwrap().extend(word.as_object().unwrap().clone());
        eve.say(S, frame).await;
        let refused = hears(&mut eve).await;
        assert_eq!(
            (&refused["code"], &refused["ref"], &refused["ended"]),
            (&json!("forbidden"), &json!("1"), &json!(true))
        );
        assert!(refused.get("peers").is_none() && refused.get("you").is_none(), "{refused}");
    }
    let (mut ann, mut bob) = (site.socket_of("ann").await, site.socket_of("bob").await);
    comes(&mut ann, json!({})).await;
    let b = comes(&mut bob, json!({})).await;
    hears(&mut ann).await;

    grants.take("bob", "s", Action::Read);
    site.engine.access_changed();
    let ended = hears(&mut bob).await;
    assert_eq!((&ended["code"], &ended["ended"]), (&json!("forbidden"), &json!(true)), "{ended}");
    assert_eq!(hears(&mut ann).await["leave"], json!([b]), "and nobody sees it any more");
    is(&mut ann, json!({"secret": 1})).await;
    hears(&mut ann).await;
    is(&mut bob, json!({"n": 1})).await;
    assert_eq!(hears(&mut bob).await["code"], "forbidden", "nothing of it came in between");
    bob.silent().await;
    // A right given back is a right.
    grants.give("bob", "s", Action::Read);
    is(&mut bob, json!({"n": 2})).await;
    assert_eq!(hears(&mut bob).await["peers"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_can_not_be_known_is_not_told() {
    let (site, _) = shared_by(&[]).await;
    let mut ann = site.socket_of("ann").await;
    ann.say("sync:unknowable", json!({"type": "presence", "look": true})).await;
    let refused = ann.expect("sync:unknowable", "presence").await;
    assert_eq!((&refused["code"], &refused["ended"]), (&json!("unavailable"), &json!(true)));
    assert!(!refused.to_string().contains(common::SECRET));
}

#[tokio::test]
async fn a_word_that_is_wrong_is_refused_alone() {
    let site = Site::open().await;
    let mut ann = site.socket().await;
    let a = comes(&mut ann, json!({"n": 1})).await;
    let long = "x".repeat(1100);
    for (word, code) in [
        (json!({"state": {"x": long}}), "too_large"),
        (json!({"state": [1]}), "invalid_mutation"),
        (json!({"state": "here"}), "invalid_mutation"),
        (json!({"state": {}, "as": "x".repeat(65)}), "too_large"),
        (json!({"state": {}, "as": 7}), "invalid_mutation"),
        (json!({}), "invalid_mutation"),
    ] {
        let mut frame = json!({"type": "presence", "ref": "9"});
        frame.as_object_mut().unwrap().extend(word.as_object().unwrap().clone());
        ann.say(S, frame).await;
        let refused = hears(&mut ann).await;
        assert_eq!(
            (&refused["code"], &refused["ref"], refused.get("ended")),
            (&json!(code), &json!("9"), None),
            "{word}"
        );
    }
    ann.say(S, json!({"type": "presence", "look": true})).await;
    assert_eq!(hears(&mut ann).await["peers"], json!([{"id": a, "state": {"n": 1}}]), "what it said before stands");
    // The largest state there may be: a kilobyte.
    let state = json!({"x": "x".repeat(1024 - r#"{"x":""}"#.len())});
    is(&mut ann, state.clone()).await;
    assert_eq!(hears(&mut ann).await["set"][0]["state"], state);
    for n in 1..32 {
        let topic = format!("sync:s{n}");
        ann.say(&topic, json!({"type": "presence", "look": true})).await;
        assert!(ann.expect(&topic, "presence").await.get("peers").is_some());
    }
    ann.say("sync:s32", json!({"type": "presence", "look": true})).await;
    assert_eq!(ann.expect("sync:s32", "presence").await["code"], "too_large");
}

#[tokio::test]
async fn presence_leaves_no_trace_in_the_log() {
    let site = Site::open().await;
    site.todo("s", "t1").await;
    let before =
        (site.snapshot(json!({"scope": "s"})).await.ok(), site.pull(json!({"scope": "s", "cursor": 0})).await.ok());
    let mut ann = site.socket().await;
    ann.say(S, json!({"type": "subscribe", "cursor": 1})).await;
    ann.expect(S, "ack").await;
    comes(&mut ann, json!({"n": 0})).await;
    for n in 1..20 {
        is(&mut ann, json!({"n": n})).await;
    }
    is(&mut ann, Value::Null).await;
    ann.say(S, json!({"type": "presence", "look": true})).await;
    while hears(&mut ann).await.get("peers").is_none() {}
    let after =
        (site.snapshot(json!({"scope": "s"})).await.ok(), site.pull(json!({"scope": "s", "cursor": 0})).await.ok());
    assert_eq!(before, after);
    // A subscription on the same topic goes on beside it.
    site.todo("s", "t2").await;
    assert_eq!(ann.expect(S, "changes").await["cursor"], 2);
}
