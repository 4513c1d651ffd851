//! The body of a push: what is accepted is within the limits, and written out again it reads the same.

use riverrun_core::{Code, Json, Scope, limits, wire::PushRequest};
use serde_json::{Value, json};

pub(crate) fn run(data: &[u8]) {
    let own = Scope::new("list:own").expect("a scope");
    match PushRequest::read(data, limits::PUSH_BYTES) {
        Ok(push) => accepted(data, &push, &Scope::default()),
        Err(bad) => assert!(matches!(bad.code, Code::InvalidMutation | Code::TooLarge), "{bad:?}"),
    }
    match PushRequest::read_in(data, limits::LIVE_PUSH_BYTES, &own) {
        Ok(push) => accepted(data, &push, &own),
        Err(bad) => assert!(matches!(bad.code, Code::InvalidMutation | Code::TooLarge), "{bad:?}"),
    }
    // An edge may want less than the contract allows.
    assert!(data.is_empty() || PushRequest::read(data, data.len() - 1).is_err(), "a limit in bytes does not hold");
}

pub(crate) fn accepted(data: &[u8], push: &PushRequest, own: &Scope) {
    assert!(push.mutations.len() <= limits::PUSH_MUTATIONS, "{} mutations", push.mutations.len());
    let sent: Value = serde_json::from_slice(data).expect("what was accepted is JSON");
    let on_request = sent["scope"].as_str();
    let mut client = None;
    for (at, mutation) in push.mutations.iter().enumerate() {
        assert!((1..=limits::ID_BYTES).contains(&mutation.id.as_str().len()));
        assert!((1..=limits::SCOPE_BYTES).contains(&mutation.scope.as_str().len()));
        assert!((1..=limits::TYPE_BYTES).contains(&mutation.name.len()));
        assert!(!mutation.name.contains(char::is_control));
        Json::parse(mutation.args.as_str()).expect("the arguments come through the door by themselves");
        if let Some((of, seq)) = &mutation.place {
            assert!((1..=limits::MAX_SAFE_INTEGER).contains(&seq.0), "seq {seq}");
            assert!((1..=limits::ID_BYTES).contains(&of.as_str().len()));
            client = Some(of.clone());
        }
        let item = &sent["mutations"][at];
        // A list of the fields in their order is read too, see docs/fuzz.md.
        if !item.is_object() {
            continue;
        }
        assert_eq!(item["id"], mutation.id.as_str());
        let scope = item["scope"].as_str().or(on_request).unwrap_or(own.as_str());
        assert_eq!(scope, mutation.scope.as_str(), "another scope than was named");
        assert_eq!(item["args"], mutation.args.read::<Value>().expect("arguments"), "other arguments than were sent");
    }
    let mutations: Vec<Value> = push
        .mutations
        .iter()
        .map(|mutation| {
            let args: Box<serde_json::value::RawValue> = mutation.args.read().expect("arguments");
            json!({
                "id": mutation.id, "name": mutation.name, "args": args, "scope": mutation.scope,
                "seq": mutation.place.as_ref().map(|(_, seq)| seq), "schema": mutation.schema,
            })
        })
        .collect();
    let body = json!({"client": client, "epoch": push.epoch, "mutations": mutations}).to_string();
    let again = PushRequest::read(body.as_bytes(), usize::MAX).expect("what was accepted is accepted again");
    assert_eq!(again.epoch, push.epoch);
    for (again, push) in again.mutations.iter().zip(&push.mutations) {
        assert_eq!(again.args.canonical(), push.args.canonical());
        assert_eq!((&again.id, &again.name, &again.scope), (&push.id, &push.name, &push.scope));
        assert_eq!((&again.place, again.schema), (&push.place, push.schema));
    }
}
