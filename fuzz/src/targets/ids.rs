//! The small things: ids, times, digests, codes, names of lists, origins. What is accepted is within its limit, prints as
//! it was read, and reads as it prints.

use axum::http::{HeaderMap, HeaderValue, header};
use myapp::service::todo::List;
use riverrun_core::{ClientId, Code, Cursor, Digest, Epoch, Json, Millis, MutationId, Principal, Scope, Seq, limits};
use riverrun_live::Origins;
use serde::{Serialize, de::DeserializeOwned};

pub(crate) fn run(data: &[u8]) {
    origins(data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    id(text, limits::SCOPE_BYTES, Scope::new(text).ok());
    id(text, limits::ID_BYTES, MutationId::new(text).ok());
    id(text, limits::ID_BYTES, ClientId::new(text).ok());
    id(text, limits::ID_BYTES, Epoch::new(text).ok());
    id(text, limits::PRINCIPAL_BYTES, Principal::new(text).ok());

    let quoted = serde_json::to_string(text).expect("a text can be written as JSON");
    if let Ok(time) = serde_json::from_str::<Millis>(&quoted) {
        again(&time);
        assert_eq!(time.to_string()[..19], text[..19], "another second than was written");
    }
    if let Ok(digest) = serde_json::from_str::<Digest>(&quoted) {
        again(&digest);
        assert!(digest.to_string().eq_ignore_ascii_case(text));
    }
    if let Ok(cursor) = serde_json::from_str::<Cursor>(text) {
        again(&cursor);
        assert!(cursor.0 <= limits::MAX_SAFE_INTEGER);
    }
    if let Ok(seq) = serde_json::from_str::<Seq>(text) {
        again(&seq);
    }
    if let Some(code) = Code::parse(text) {
        assert_eq!(code.as_str(), text);
    }
    lists(text);
}

/// Whatever can be an id.
trait Id: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug + std::fmt::Display {}
impl<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug + std::fmt::Display> Id for T {}

fn id<T: Id>(text: &str, max: usize, made: Option<T>) {
    let fits = !text.is_empty() && text.len() <= max && !text.contains(char::is_control);
    assert_eq!(made.is_some(), fits, "{text:?}");
    if let Some(id) = made {
        assert_eq!(id.to_string(), text);
        again(&id);
        Json::of(&id).expect("an id goes through the door");
    }
}

fn again<T: Id>(value: &T) {
    let text = serde_json::to_string(value).expect("it can be written");
    assert_eq!(serde_json::from_str::<T>(&text).expect("it reads as it was written"), *value);
}

fn lists(text: &str) {
    for list in [List::new(text), List::typed(text)].into_iter().flatten() {
        let scope = Scope::new(list.scope()).expect("a list's scope is one");
        assert_eq!(List::of(&scope).as_ref(), Some(&list));
        assert!(list.path().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'/')));
        assert!(!list.title().is_empty());
    }
    if let Ok(scope) = Scope::new(text) {
        assert_eq!(List::of(&scope).is_some(), text.strip_prefix("list:").is_some_and(|name| List::new(name).is_ok()));
    }
}

/// Two lines: what the browser says it is, and the host that was asked.
fn origins(data: &[u8]) {
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let origin = lines.next().and_then(|line| HeaderValue::from_bytes(line).ok());
    let host = lines.next().and_then(|line| HeaderValue::from_bytes(line).ok());
    let (Some(origin), Some(host)) = (origin, host) else { return };
    let mut headers = HeaderMap::new();
    headers.insert(header::ORIGIN, origin.clone());
    headers.insert(header::HOST, host.clone());
    let own = Origins::SameOrigin.check(&headers).is_ok();
    let listed = Origins::List(vec!["https://app.example".into()]).check(&headers).is_ok();
    assert!(Origins::Any.check(&headers).is_ok() || origin.to_str().is_err());
    let (origin, host) = (origin.to_str().unwrap_or_default(), host.to_str().unwrap_or_default());
    if own {
        let named = origin.split("://").nth(1).unwrap_or_default().to_ascii_lowercase();
        let bare = |text: &str| text.trim_end_matches('/').trim_end_matches(":80").trim_end_matches(":443").to_owned();
        assert_eq!(bare(&named), bare(&host.to_ascii_lowercase()), "another site's page came through");
    }
    if listed {
        let known =
            ["https://app.example", "https://app.example/", "https://app.example:443", "https://app.example:443/"];
        assert!(known.contains(&origin.to_ascii_lowercase().as_str()), "{origin} came through");
    }
}
