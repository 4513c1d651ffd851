//! The strict door: what it lets in, every reader understands alike, and it is kept as it came.

use riverrun_core::{Json, limits};
use serde_json::Value;

use crate::json::Seen;

pub(crate) fn run(data: &[u8]) {
    let checked = Json::check_bytes(data);
    let Ok(text) = std::str::from_utf8(data) else {
        return assert!(checked.is_err(), "text that is not UTF-8 came through");
    };
    let parsed = Json::parse(text);
    assert_eq!(parsed.is_ok(), checked.is_ok(), "one door, two opinions");
    let seen = Seen::of(text);
    match (parsed, seen) {
        (Ok(json), seen) => {
            let seen = seen.unwrap_or_else(|error| panic!("a strict reader minds what came through: {error}"));
            assert!(seen.depth <= limits::JSON_DEPTH, "{} levels came through", seen.depth);
            accepted(text, &json);
        }
        // The door is stricter about numbers: as they are written, not as they are read.
        (Err(_), _) => {}
    }
}

fn accepted(text: &str, json: &Json) {
    assert_eq!(json.as_str(), text.trim_matches([' ', '\t', '\r', '\n']), "it was not kept as it came");
    let value: Value = serde_json::from_str(text).expect("what came through is JSON");
    assert_eq!(json.read::<Value>().expect("it reads"), value);
    numbers(&value);

    let again = Json::of(json).expect("what came through goes through again");
    assert_eq!(again.as_str(), json.as_str(), "writing it changed it");
    let inside: Vec<Json> = serde_json::from_str(&format!("[{json}]")).expect("it can stand in a list");
    assert_eq!(inside[0].as_str(), json.as_str(), "reading it changed it");

    let canonical = json.canonical();
    let second = Json::parse(&canonical).expect("the canonical text goes through the door");
    assert_eq!(second.canonical(), canonical, "the canonical text has another canonical text");
    assert_eq!(second.read::<Value>().expect("it reads"), value, "the canonical text means something else");
}

/// A double that is written and read again is the same double.
fn numbers(value: &Value) {
    match value {
        Value::Number(number) => {
            if let Some(double) = number.as_f64() {
                assert_eq!(number.to_string().parse::<f64>().map(f64::to_bits), Ok(double.to_bits()), "{number}");
            }
        }
        Value::Array(list) => list.iter().for_each(numbers),
        Value::Object(map) => map.values().for_each(numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
