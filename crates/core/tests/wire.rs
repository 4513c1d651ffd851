//! The wire, frozen: each body and frame is read from, or written as, the text that stands in the protocol's document. A
//! test here that has to change is a change of the contract.
#![allow(clippy::unwrap_used)] // an unwrap in a test is an assertion

use riverrun_core::{
    Change, Code, Cursor, Digest, Epoch, Json, Millis, MutationId, Scope, Seq,
    wire::{
        ClientFrame, ErrorBody, PresenceWord, PullAnswer, PullRequest, PushAnswer, PushRequest, PushResult,
        ServerFrame, SnapshotAnswer, SnapshotRequest, Subscribe,
    },
};

fn scope(text: &str) -> Scope {
    Scope::new(text).unwrap()
}

fn id(text: &str) -> MutationId {
    MutationId::new(text).unwrap()
}

fn epoch() -> Epoch {
    Epoch::new("e1").unwrap()
}

fn change() -> Change {
    Change {
        cursor: Cursor(13),
        scope: scope("list:42"),
        time: Millis(1_795_341_600_000),
        mutation: id("0198"),
        data: Json::parse(r#"{"op":"del","collection":"todo","id":"t1"}"#).unwrap(),
    }
}

const CHANGE: &str = r#"{"cursor":13,"scope":"list:42","time":"2026-11-22T10:00:00.000Z","mutation":"0198","data":{"op":"del","collection":"todo","id":"t1"}}"#;

fn writes(value: &impl serde::Serialize, text: &str) {
    assert_eq!(serde_json::to_string(value).unwrap(), text);
}

#[test]
fn a_push_is_read_as_the_contract_writes_it() {
    let body = r#"{"client":"c-7f3","epoch":"e1",
        "mutations":[{"id":"0198","type":"todo.create","args":{"id":"t1","title":"Milk"},"scope":"list:42","seq":7,"schema":3}]}"#;
    let push = PushRequest::read(body.as_bytes(), 1000).unwrap();
    assert_eq!(push.epoch, Some(epoch()));
    let [mutation] = &push.mutations[..] else { panic!("one mutation") };
    assert_eq!((mutation.id.as_str(), mutation.name.as_str()), ("0198", "todo.create"));
    assert_eq!(mutation.args.as_str(), r#"{"id":"t1","title":"Milk"}"#);
    assert_eq!(mutation.scope, scope("list:42"));
    let (client, seq) = mutation.place.as_ref().unwrap();
    assert_eq!((client.as_str(), *seq, mutation.schema), ("c-7f3", Seq(7), Some(3)));
}

#[test]
fn the_plain_clients_push_needs_nothing_but_id_type_and_args() {
    for spelling in ["type", "name"] {
        let body = format!(r#"{{"mutations":[{{"id":"m1","{spelling}":"todo.create","args":{{}}}}]}}"#);
        let push = PushRequest::read(body.as_bytes(), 1000).unwrap();
        let mutation = &push.mutations[0];
        assert_eq!((mutation.name.as_str(), mutation.scope.as_str()), ("todo.create", "_default"));
        assert_eq!((&mutation.place, mutation.schema, &push.epoch), (&None, None, &None));
    }
}

#[test]
fn the_scope_of_a_request_is_for_all_that_name_none() {
    let body = r#"{"scope":"a","mutations":[{"id":"1","type":"x"},{"id":"2","type":"x","scope":"b"}]}"#;
    let push = PushRequest::read(body.as_bytes(), 1000).unwrap();
    assert_eq!(push.mutations.iter().map(|m| m.scope.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(push.mutations[0].args, Json::null());
}

#[test]
fn a_push_that_cannot_be_read_says_where_and_why() {
    let many = format!(r#"{{"mutations":[{}]}}"#, vec![r#"{"id":"1","type":"x"}"#; 101].join(","));
    for (body, code, says) in [
        (r#"{"mutations":[{"id":"","type":"x"}]}"#, Code::InvalidMutation, "a mutation's id must not be empty"),
        (r#"{"mutations":[{"id":"1","type":""}]}"#, Code::InvalidMutation, "mutations[0]: a type is 1 to 128 bytes"),
        (
            r#"{"mutations":[{"id":"1","type":"x","seq":1}]}"#,
            Code::InvalidMutation,
            "mutations[0]: a seq needs the client",
        ),
        (
            r#"{"client":"c","mutations":[{"id":"1","type":"x","seq":0}]}"#,
            Code::InvalidMutation,
            "mutations[0]: seq counts from 1",
        ),
        (r#"{"mutations":[{"type":"x"}]}"#, Code::InvalidMutation, "missing field `id`"),
        (r#"{"mutations":{}}"#, Code::InvalidMutation, "expected a sequence"),
        ("[]", Code::InvalidMutation, "expected an object"),
        ("[null,null,null,[]]", Code::InvalidMutation, "expected an object"),
        (r#"{"mutations":[["1","x"]]}"#, Code::InvalidMutation, "expected an object"),
        (r#"{"mutations":[],"mutations":[]}"#, Code::InvalidMutation, "stands twice"),
        (&many, Code::TooLarge, "at most 100 mutations"),
    ] {
        let bad = PushRequest::read(body.as_bytes(), 10_000).unwrap_err();
        assert_eq!(bad.code, code, "{body:.60}");
        assert!(bad.error.contains(says), "{body:.60}: {}", bad.error);
    }
    assert!(PullRequest::read(br#"["a",0]"#).unwrap_err().error.contains("expected an object"));
    assert!(SnapshotRequest::read(br#"["a"]"#).unwrap_err().error.contains("expected an object"));
    assert!(ClientFrame::read(&Json::parse(r#"["subscribe",{}]"#).unwrap()).is_err());
    assert!(PresenceWord::read(&Json::parse(r#"["me",{},true]"#).unwrap()).is_err());
    assert_eq!(PushRequest::read(&[b' '; 1001], 1000).unwrap_err().code, Code::TooLarge);
}

#[test]
fn push_answers_are_written_as_the_contract_writes_them() {
    let accepted = PushResult {
        cursor: Some(Cursor(12)),
        digest: Some(Digest(255)),
        changes: Some(vec![change()]),
        ..PushResult::blank(id("0198"), true)
    };
    let rejected =
        PushResult::refused(id("0199"), Code::Rejected, Some("title_empty".into()), "a todo needs a title", false);
    let duplicate = PushResult { cursor: Some(Cursor(9)), duplicate: true, ..PushResult::blank(id("0200"), true) };
    let moved = PushResult {
        cursor: Some(Cursor(3)),
        cursors: [(scope("list:7"), Cursor(31))].into(),
        ..PushResult::blank(id("0201"), true)
    };
    let answer = PushAnswer { epoch: epoch(), results: vec![accepted, rejected, duplicate, moved] };
    let text = [
        r#"{"epoch":"e1","results":["#,
        r#"{"id":"0198","ok":true,"cursor":12,"digest":"00000000000000ff","changes":["#,
        CHANGE,
        r#"]},{"id":"0199","ok":false,"code":"rejected","reason":"title_empty","error":"a todo needs a title","retry":false},"#,
        r#"{"id":"0200","ok":true,"cursor":9,"duplicate":true},"#,
        r#"{"id":"0201","ok":true,"cursor":3,"cursors":{"list:7":31}}]}"#,
    ]
    .concat();
    writes(&answer, &text);
    assert_eq!(serde_json::from_str::<PushAnswer>(&text).unwrap(), answer);
}

#[test]
fn pulls_are_read_and_answered_as_the_contract_writes_them() {
    let ask = PullRequest::read(br#"{"scope":"list:42","cursor":12,"limit":100,"epoch":"e1","digest":"00000000000000ff","client":"c","wait":99}"#).unwrap();
    assert_eq!((ask.scope.as_str(), ask.cursor, ask.page(), ask.patience()), ("list:42", Cursor(12), 100, 30));
    assert_eq!((ask.epoch, ask.digest), (Some(epoch()), Some(Digest(255))));
    let plain = PullRequest::read(b"{}").unwrap();
    assert_eq!((plain.scope.as_str(), plain.cursor, plain.page(), plain.patience()), ("_default", Cursor(0), 100, 0));
    for (limit, page) in [(0, 1), (1, 1), (1000, 1000), (5000, 1000)] {
        let ask = PullRequest::read(format!(r#"{{"limit":{limit}}}"#).as_bytes()).unwrap();
        assert_eq!(ask.page(), page);
    }
    let answer = PullAnswer {
        changes: vec![change()],
        has_more: false,
        next_cursor: Cursor(13),
        digest: Digest(255),
        epoch: epoch(),
        last_seq: Some(Seq(7)),
    };
    let text = format!(
        r#"{{"changes":[{CHANGE}],"has_more":false,"next_cursor":13,"digest":"00000000000000ff","epoch":"e1","last_seq":7}}"#
    );
    writes(&answer, &text);
    assert_eq!(serde_json::from_str::<PullAnswer>(&text).unwrap(), answer);
}

#[test]
fn snapshots_are_read_and_answered_as_the_contract_writes_them() {
    let ask = SnapshotRequest::read(br#"{"scope":"list:42","client":"c"}"#).unwrap();
    assert_eq!((ask.scope.as_str(), ask.client.unwrap().as_str()), ("list:42", "c"));
    let answer = snapshot();
    let text = r#"{"data":{"todo":{"t1":{}}},"cursor":13,"digest":"00000000000000ff","epoch":"e1"}"#;
    writes(&answer, text);
    assert_eq!(serde_json::from_str::<SnapshotAnswer>(text).unwrap(), answer);
}

fn snapshot() -> SnapshotAnswer {
    SnapshotAnswer {
        data: Json::parse(r#"{"todo":{"t1":{}}}"#).unwrap(),
        cursor: Cursor(13),
        digest: Digest(255),
        epoch: epoch(),
        last_seq: None,
    }
}

#[test]
fn frames_of_clients_are_read_as_the_contract_writes_them() {
    let read = |text: &str| Json::parse(text).unwrap().read::<ClientFrame>();
    let subscribe = read(r#"{"type":"subscribe","ref":"1","cursor":12,"epoch":"e1","digest":"00000000000000ff"}"#);
    let expected = Subscribe {
        reference: Some("1".into()),
        cursor: Some(Cursor(12)),
        epoch: Some(epoch()),
        digest: Some(Digest(255)),
        client: None,
    };
    assert_eq!(subscribe.unwrap(), ClientFrame::Subscribe(expected));
    assert_eq!(read(r#"{"type":"subscribe"}"#).unwrap(), ClientFrame::Subscribe(Subscribe::default()));
    let push = read(r#"{"type":"push","ref":"2","client":"c","mutations":[{"id":"1","type":"x","args":{}}]}"#);
    assert_eq!(push.unwrap(), ClientFrame::Push { reference: Some("2".into()) });
    let unsubscribe = read(r#"{"type":"unsubscribe","ref":"3"}"#).unwrap();
    assert_eq!(unsubscribe, ClientFrame::Unsubscribe { reference: Some("3".into()) });
    assert!(read(r#"{"type":"dance"}"#).is_err());
}

#[test]
fn frames_of_the_server_are_written_as_the_contract_writes_them() {
    for (frame, text) in [
        (
            ServerFrame::Snapshot(snapshot()),
            r#"{"type":"snapshot","data":{"todo":{"t1":{}}},"cursor":13,"digest":"00000000000000ff","epoch":"e1"}"#
                .to_string(),
        ),
        (
            ServerFrame::Ack {
                reference: Some("1".into()),
                cursor: Cursor(15),
                epoch: epoch(),
                last_seq: Some(Seq(7)),
            },
            r#"{"type":"ack","ref":"1","cursor":15,"epoch":"e1","last_seq":7}"#.to_string(),
        ),
        (
            ServerFrame::Changes { from: Cursor(12), cursor: Cursor(13), digest: Digest(255), changes: vec![change()] },
            format!(r#"{{"type":"changes","from":12,"cursor":13,"digest":"00000000000000ff","changes":[{CHANGE}]}}"#),
        ),
        (ServerFrame::Lagged { cursor: Cursor(90) }, r#"{"type":"lagged","cursor":90}"#.to_string()),
        (ServerFrame::Reset { code: "use_http".into() }, r#"{"type":"reset","code":"use_http"}"#.to_string()),
        (
            ServerFrame::Results { reference: Some("2".into()), results: vec![], epoch: epoch() },
            r#"{"type":"results","ref":"2","results":[],"epoch":"e1"}"#.to_string(),
        ),
        (
            ServerFrame::Error { reference: Some("1".into()), code: Code::Forbidden, error: "no".into() },
            r#"{"type":"error","ref":"1","code":"forbidden","error":"no"}"#.to_string(),
        ),
    ] {
        writes(&frame, &text);
    }
}

#[test]
fn an_error_body_names_code_sentence_and_request() {
    let body = ErrorBody { code: Code::CursorTooOld, error: "too old".into(), request: Some("r1".into()) };
    writes(&body, r#"{"code":"cursor_too_old","error":"too old","request":"r1"}"#);
}
