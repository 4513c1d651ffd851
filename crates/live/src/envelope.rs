//! Reading the envelope `{"topic":…,"data":…}` and no further: `data` is kept as the text that came. A frame that is
//! not an envelope is named as such, never guessed at.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The connection's own topic; every other one belongs to the hooks.
pub const SYS_TOPIC: &str = "sys";

/// A frame that came in: its topic, and its data as the text the peer wrote.
#[derive(Clone, Debug)]
pub struct Message {
    /// 1–255 bytes (unless configured otherwise) without control characters, never `sys`.
    pub topic: Box<str>,
    /// Valid JSON, not looked into.
    pub data: Box<RawValue>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    topic: Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// What a text frame turned out to be.
pub(crate) enum Inbound<'a> {
    Sys(&'a RawValue),
    Message(Message),
    /// Not an envelope; the text says why and is fit for the client.
    Bad(&'static str),
}

pub(crate) fn read(text: &str, max_topic_bytes: usize) -> Inbound<'_> {
    // Serde takes a list for a struct too.
    let read = serde_json::from_str::<Envelope<'_>>(text).ok();
    let Some(envelope) = read.filter(|_| text.trim_start().starts_with('{')) else {
        return Inbound::Bad("a frame is a JSON object with one topic and one data");
    };
    if envelope.topic == SYS_TOPIC {
        return Inbound::Sys(envelope.data);
    }
    if !is_topic(&envelope.topic, max_topic_bytes) {
        return Inbound::Bad("a topic is neither empty nor that long, and holds no control characters");
    }
    Inbound::Message(Message { topic: envelope.topic.into(), data: envelope.data.to_owned() })
}

pub(crate) fn is_topic(topic: &str, max_bytes: usize) -> bool {
    !topic.is_empty() && topic.len() <= max_bytes && !topic.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let read = match read(text, 255) {
            Inbound::Sys(data) => format!("sys {}", data.get()),
            Inbound::Message(message) => format!("{} {}", message.topic, message.data.get()),
            Inbound::Bad(_) => "bad".to_owned(),
        };
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn an_envelope_is_read_no_further_than_its_topic() {
        check(r#"{"topic":"chat","data":{"a" : 1.0}}"#, r#"chat {"a" : 1.0}"#);
        check(r#"{"data":null,"topic":"ch\u0061t"}"#, "chat null");
        check(r#"{"topic":"sys","data":{"type":"ping"}}"#, r#"sys {"type":"ping"}"#);
        check(r#"{"topic":"chat","data":1,"later":true}"#, "chat 1");
    }

    #[test]
    fn deep_nesting_costs_no_stack() {
        let deep = format!("{}1{}", "[".repeat(30_000), "]".repeat(30_000));
        check(&format!(r#"{{"topic":"a","data":{deep}}}"#), &format!("a {deep}"));
        check(&format!(r#"{{"topic":"sys","data":{deep}}}"#), &format!("sys {deep}"));
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        for text in [
            "",
            "hello",
            "[]",
            r#"["chat",1]"#,
            "{}",
            r#"{"topic":"chat"}"#,
            r#"{"topic":1,"data":1}"#,
            r#"{"topic":"","data":1}"#,
            r#"{"topic":"a\u0000","data":1}"#,
            r#"{"topic":"a","topic":"b","data":1}"#,
            r#"{"topic":"a","data":1,"data":2}"#,
            r#"{"topic":"a","data":1} trailing"#,
            r#"{"topic":"a","data":{]}"#,
        ] {
            check(text, "bad");
        }
        check(&format!(r#"{{"topic":"{}","data":1}}"#, "t".repeat(256)), "bad");
    }
}
