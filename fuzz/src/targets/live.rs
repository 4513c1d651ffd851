//! A frame on the WebSocket, read as a session and the join read it: the envelope, then the connection's own topic or a
//! scope's. The two files that read the envelope are private to their crate and are compiled here a second time, so that
//! the crate need not open a door for a test.

use riverrun_core::{
    Json, Scope, limits,
    wire::{ClientFrame, PushRequest},
};
use riverrun_live::{MAX_TOPIC_BYTES, SYS_TOPIC};
use serde_json::Value;

use self::envelope::Inbound;

#[allow(dead_code, unreachable_pub, missing_docs)]
#[path = "../../../crates/live/src/envelope.rs"]
mod envelope;

pub(crate) fn run(data: &[u8]) {
    // Anything else never gets past the WebSocket.
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Data nested too deep for a value is an envelope all the same; so is a list of the two, see docs/fuzz.md.
    let as_value = serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
    match envelope::read(text, MAX_TOPIC_BYTES) {
        Inbound::Bad(why) => assert!(!why.is_empty()),
        Inbound::Sys(data) => {
            if let Some(value) = as_value {
                assert_eq!(value["topic"], SYS_TOPIC);
            }
            sys(data.get());
        }
        Inbound::Message(message) => {
            assert!((1..=MAX_TOPIC_BYTES).contains(&message.topic.len()) && !message.topic.contains(char::is_control));
            assert_ne!(&*message.topic, SYS_TOPIC);
            if let Some(value) = as_value {
                assert_eq!(value["topic"], *message.topic);
                assert_eq!(value["data"], serde_json::from_str::<Value>(message.data.get()).expect("data is JSON"));
            }
            if let Some(Ok(scope)) = message.topic.strip_prefix("sync:").map(Scope::new) {
                sync(&scope, message.data.get());
            }
        }
    }
}

/// The connection's own topic reads three texts and hands a reference back as it came.
fn sys(data: &str) {
    #[derive(serde::Deserialize)]
    struct Incoming {
        r#ref: Option<Box<serde_json::value::RawValue>>,
    }
    if let Ok(Incoming { r#ref: Some(reference) }) = serde_json::from_str(data) {
        let back = riverrun_live::Frame::envelope(SYS_TOPIC, &serde_json::json!({"ref": reference}));
        let back: Value = serde_json::from_str(back.expect("a reference can be written").as_str()).unwrap_or_default();
        assert!(back.is_null() || back["topic"] == SYS_TOPIC);
    }
}

fn sync(scope: &Scope, text: &str) {
    let Ok(data) = Json::parse(text) else { return };
    match data.read::<ClientFrame>() {
        Ok(ClientFrame::Push { .. }) => {
            if let Ok(push) = PushRequest::read_in(text.as_bytes(), limits::LIVE_PUSH_BYTES, scope) {
                super::push::accepted(text.as_bytes(), &push, scope);
            }
        }
        Ok(ClientFrame::Subscribe(ask)) => {
            assert!(ask.cursor.is_none_or(|cursor| cursor.0 <= limits::MAX_SAFE_INTEGER));
        }
        Ok(_) | Err(_) => {}
    }
}
