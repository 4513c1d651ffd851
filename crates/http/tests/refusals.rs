//! Every refusal the edge can produce: its status, its code, a body of three fields, and nothing of the inside in it.

#![allow(clippy::unwrap_used, reason = "what can't be unwrapped fails the test")]

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use common::{Answer, Bearer, Reader, Request, SECRET, Site, engine, soon};
use riverrun_core::{Cursor, Scope};
use riverrun_engine::{
    Memory, Store,
    store::{ReadTx, StoreError, StoreResult, WriteTx},
};
use riverrun_live::Origins;
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};

const ROUTES: [&str; 3] = ["/_sync/push", "/_sync/pull", "/_sync/snapshot"];
const EMPTY_PUSH: &str = r#"{"mutations":[]}"#;

fn push(site: &Site, body: impl Into<Vec<u8>>) -> Request {
    Request::post(site.addr, "/_sync/push", body)
}

/// A push of one todo whose title is this text of JSON.
fn with_title(title: &[u8]) -> Vec<u8> {
    [br#"{"mutations":[{"id":"m1","type":"todo.create","args":{"id":"t1","title":"#, title, b"}}]}"].concat()
}

#[tokio::test]
async fn what_no_two_readers_understand_alike_is_refused_at_the_door() {
    let site = Site::open().await;
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels)).into_bytes();
    // The title stands four levels deep: in the body, the list, the mutation and its args.
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("invalid UTF-8", with_title(b"\"\xff\"")),
        ("duplicate keys", with_title(br#""a","title":"b""#)),
        ("duplicate keys, one escaped", with_title(br#""a","t\u0069tle":"b""#)),
        ("nesting of 65", with_title(&nested(61))),
        ("2^53", with_title(b"9007199254740992")),
        ("-2^53", with_title(b"-9007199254740992")),
        ("beyond a double", with_title(b"1e400")),
        ("an exponent of 100,000", with_title(b"1e100000")),
        ("\\u0000", with_title(br#""a\u0000b""#)),
        ("half a surrogate pair", with_title(br#""\ud83d""#)),
        ("no JSON", b"{".to_vec()),
        ("no object", b"[]".to_vec()),
        ("nothing", Vec::new()),
        ("no mutations", b"{}".to_vec()),
        ("a mutation without an id", br#"{"mutations":[{"type":"a"}]}"#.to_vec()),
        ("a mutation without a type", br#"{"mutations":[{"id":"a"}]}"#.to_vec()),
        ("type and name", br#"{"mutations":[{"id":"a","type":"a","name":"a"}]}"#.to_vec()),
        ("a seq of no client", br#"{"mutations":[{"id":"a","type":"a","seq":1}]}"#.to_vec()),
        ("an empty scope", br#"{"scope":"","mutations":[]}"#.to_vec()),
        ("a scope of 256 bytes", format!(r#"{{"scope":"{}","mutations":[]}}"#, "s".repeat(256)).into_bytes()),
        ("a line break in a scope", br#"{"scope":"a\nb","mutations":[]}"#.to_vec()),
    ];
    for (what, body) in rows {
        let answer = push(&site, body).send().await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        answer.refused(400, "invalid_mutation");
    }
    // Up to the limits all is well.
    for title in [nested(60), b"9007199254740991".to_vec()] {
        let answer = push(&site, with_title(&title)).send().await;
        assert_eq!(answer.ok()["results"][0]["code"], "invalid_mutation", "not a title, but let in");
    }
    assert_eq!(site.snapshot(json!({})).await.ok()["cursor"], 0, "nothing of all this happened");
}

#[tokio::test]
async fn pulls_and_snapshots_go_through_the_same_door() {
    let site = Site::open().await;
    for route in &ROUTES[1..] {
        for body in ["", "[]", r#"{"scope":7}"#, r#"{"scope":"a","scope":"b"}"#, r#"{"cursor":9007199254740992}"#] {
            let answer = Request::post(site.addr, route, body).send().await;
            assert_eq!(answer.status, 400, "{route} {body}: {}", answer.text());
        }
        Request::post(site.addr, route, b"{\"scope\":\"\xff\"}".to_vec()).send().await.refused(400, "invalid_mutation");
        let padded = format!(r#"{{"scope":"a","note":"{}"}}"#, "x".repeat(16 << 10));
        Request::post(site.addr, route, padded).send().await.refused(413, "too_large");
    }
}

#[tokio::test]
async fn only_json_is_taken_whatever_a_form_can_send() {
    let site = Site::open().await;
    for route in ROUTES {
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""]
        {
            let post = Request::post(site.addr, route, EMPTY_PUSH).header("content-type", kind);
            post.send().await.refused(415, "unsupported_media_type");
        }
        let bare = Request::post(site.addr, route, EMPTY_PUSH).without("content-type");
        bare.send().await.refused(415, "unsupported_media_type");
    }
    for kind in ["application/json; charset=utf-8", "Application/JSON"] {
        push(&site, EMPTY_PUSH).header("content-type", kind).send().await.ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_is_bounded_in_bytes_and_in_mutations() {
    let site = Site::open().await;
    let sized = |bytes: usize| {
        let body = with_title(b"\"\"");
        let fill = "x".repeat(bytes - body.len());
        with_title(format!("\"{fill}\"").as_bytes())
    };
    push(&site, sized(1 << 20)).send().await.ok();
    push(&site, sized((1 << 20) + 1)).send().await.refused(413, "too_large");
    // Many clients send all of it before they read the answer: it must not be lost to a connection that was reset.
    let mut stream = TcpStream::connect(site.addr).await.unwrap();
    soon(stream.write_all(&push(&site, sized(6 << 20)).bytes())).await.unwrap();
    soon(Answer::read(&mut stream)).await.refused(413, "too_large");

    let many = |count: usize| {
        let one = |n| json!({"id": format!("m{n}"), "type": "todo.delete", "args": {"id": "x"}});
        json!({"mutations": (0..count).map(one).collect::<Vec<_>>()}).to_string()
    };
    assert_eq!(push(&site, many(100)).send().await.ok()["results"].as_array().unwrap().len(), 100);
    push(&site, many(101)).send().await.refused(413, "too_large");
}

#[tokio::test]
async fn another_sites_page_is_refused_on_every_route_and_socket() {
    let site = Site::open().await;
    let own = format!("http://{}", site.addr);
    for route in ROUTES {
        let post = || Request::post(site.addr, route, EMPTY_PUSH);
        for foreign in ["https://evil.example", "null", "http://127.0.0.1:1", &format!("{own}.evil.example")] {
            post().header("origin", foreign).send().await.refused(403, "forbidden");
        }
        for hidden in ["cross-site", "same-site", "anything"] {
            post().header("sec-fetch-site", hidden).send().await.refused(403, "forbidden");
        }
        post().header("origin", &own).header("sec-fetch-site", "same-origin").send().await.ok();
        post().header("sec-fetch-site", "same-origin").send().await.ok();
    }
    let (status, body) = common::Socket::refused(site.addr, &[("origin", "https://evil.example")]).await;
    assert_eq!((status, &body["code"]), (403, &json!("forbidden")));
    let (status, _) = common::Socket::refused(site.addr, &[("cookie", "sid=1")]).await;
    assert_eq!(status, 403, "cookies without an origin");
    common::Socket::open(site.addr, &[("origin", own.as_str()), ("cookie", "sid=1")]).await.unwrap();
}

#[tokio::test]
async fn origins_that_are_named_are_the_only_ones_let_in() {
    let origins = Origins::List(vec!["https://app.example".into()]);
    let site = Site::with(engine(Memory::new()).await, |routes| routes.origins(origins)).await;
    push(&site, EMPTY_PUSH).header("origin", "https://app.example").send().await.ok();
    let own = format!("http://{}", site.addr);
    push(&site, EMPTY_PUSH).header("origin", &own).send().await.refused(403, "forbidden");
    common::Socket::open(site.addr, &[("origin", "https://app.example")]).await.unwrap();
    assert_eq!(common::Socket::refused(site.addr, &[("origin", own.as_str())]).await.0, 403);
}

#[tokio::test]
async fn what_is_not_a_websocket_is_told_so() {
    let site = Site::open().await;
    Request::get(site.addr, "/ws").send().await.refused(400, "invalid_mutation");
}

#[tokio::test]
async fn a_foreign_history_and_a_trimmed_one_are_gone() {
    let site = Site::open().await;
    for n in 1..=4 {
        site.todo("s", &format!("t{n}")).await;
    }
    let ask = |fields: serde_json::Value| {
        let mut body = json!({"scope": "s"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    site.pull(ask(json!({"cursor": 5}))).await.refused(410, "epoch_changed");
    site.pull(ask(json!({"cursor": 2, "epoch": "e-other"}))).await.refused(410, "epoch_changed");
    site.pull(ask(json!({"cursor": 2, "digest": "00000000deadbeef"}))).await.refused(410, "epoch_changed");
    site.push(ask(json!({"epoch": "e-other", "mutations": []}))).await.refused(410, "epoch_changed");
    let m = json!([{"id": "m9", "type": "todo.delete", "args": {"id": "t1"}}]);
    site.push(ask(json!({"epoch": "e-other", "mutations": m}))).await.refused(410, "epoch_changed");
    assert_eq!(site.snapshot(ask(json!({}))).await.ok()["cursor"], 4, "nothing of it was executed");

    let kernel = site.engine.kernel().clone();
    let trim = move || kernel.trim_to(&Scope::new("s").unwrap(), Cursor(2)).unwrap();
    tokio::task::spawn_blocking(trim).await.unwrap();
    site.pull(ask(json!({"cursor": 1}))).await.refused(410, "cursor_too_old");
    assert_eq!(site.pull(ask(json!({"cursor": 2}))).await.ok()["next_cursor"], 4, "the floor itself can be followed");
}

#[tokio::test]
async fn a_mutator_that_panics_or_fails_leaks_nothing_and_harms_nobody() {
    let site = Site::open().await;
    let m = |id: &str, name: &str| json!({"id": id, "type": name, "args": null});
    let milk = json!({"id": "c", "type": "todo.create", "args": {"id": "t", "title": "Milk"}});
    let answer = site.push(json!({"mutations": [m("a", "panic"), m("b", "fail"), milk]})).await;
    assert!(!answer.text().contains(SECRET) && !answer.text().contains("4711"), "{}", answer.text());
    let results = answer.ok()["results"].clone();
    for result in &results.as_array().unwrap()[..2] {
        assert_eq!((&result["code"], &result["retry"]), (&json!("internal_error"), &json!(false)), "{result}");
    }
    assert_eq!((&results[2]["ok"], &results[2]["cursor"]), (&json!(true), &json!(1)));
}

/// Writes happen, and are reported as failed.
const LATE: u8 = 6;

/// A store whose next failures are chosen by the test; otherwise the one inside it.
#[derive(Clone)]
struct Failing {
    inner: Memory,
    how: Arc<AtomicU8>,
}

impl Failing {
    fn check(&self) -> StoreResult<()> {
        match self.how.load(Ordering::SeqCst) {
            0 | LATE => Ok(()),
            1 => Err(StoreError::Busy(SECRET.into())),
            2 => Err(StoreError::Full),
            3 => Err(StoreError::Io(SECRET.into())),
            4 => Err(StoreError::Corrupt(SECRET.into())),
            _ => Err(StoreError::Other(SECRET.into())),
        }
    }
}

impl Store for Failing {
    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> StoreResult<()>) -> StoreResult<()> {
        self.check()?;
        self.inner.write(work)?;
        match self.how.load(Ordering::SeqCst) {
            LATE => Err(StoreError::Io("the connection was lost while it committed".into())),
            _ => Ok(()),
        }
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> StoreResult<()>) -> StoreResult<()> {
        self.check()?;
        self.inner.read(work)
    }

    fn describe(&self) -> String {
        "failing".into()
    }
}

#[tokio::test]
async fn a_failing_store_is_unavailable_or_an_internal_error_and_says_no_more() {
    let how = Arc::new(AtomicU8::new(0));
    let site = Site::of(engine(Failing { inner: Memory::new(), how: how.clone() }).await).await;
    let mutation = json!({"mutations": [{"id": "m", "type": "todo.create", "args": {"id": "t", "title": "Milk"}}]});
    let told = |answer: &Answer| assert!(!answer.text().contains("4711"), "{}", answer.text());
    for (failure, status, code) in [
        (1, 503, "unavailable"),
        (2, 503, "unavailable"),
        (3, 503, "unavailable"),
        (4, 500, "internal_error"),
        (5, 500, "internal_error"),
    ] {
        how.store(failure, Ordering::SeqCst);
        for answer in [
            site.pull(json!({})).await,
            site.snapshot(json!({})).await,
            Request::get(site.addr, "/healthz").send().await,
        ] {
            answer.refused(status, code);
            told(&answer);
            assert_eq!(answer.header("retry-after").is_some(), status == 503);
        }
        // Whether a failed commit happened is not known: that is always a retry.
        let pushed = site.push(mutation.clone()).await;
        pushed.refused(503, "unavailable");
        told(&pushed);
        assert!(pushed.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    }
    how.store(0, Ordering::SeqCst);
    assert_eq!(site.push(mutation).await.ok()["results"][0]["cursor"], 1, "the queue was kept, and goes through");
}

#[tokio::test]
async fn a_commit_that_happened_though_it_seemed_to_fail_is_found_by_readers_and_by_the_retry() {
    let how = Arc::new(AtomicU8::new(0));
    let site = Site::of(engine(Failing { inner: Memory::new(), how: how.clone() }).await).await;
    let mut socket = site.socket().await;
    let mut reader = Reader::new("_default");
    reader.subscribe(&mut socket).await;
    reader.hear(&mut socket).await;
    let create = |id: &str| json!({"id": id, "type": "todo.create", "args": {"id": id, "title": "Milk"}});
    how.store(LATE, Ordering::SeqCst);
    site.push(json!({"mutations": [create("a")]})).await.refused(503, "unavailable");
    how.store(0, Ordering::SeqCst);
    reader.reach(&mut socket, 1).await;
    let again = site.push(json!({"mutations": [create("a"), create("b")]})).await.ok()["results"].clone();
    assert_eq!((&again[0]["ok"], &again[0]["duplicate"], &again[0]["cursor"]), (&json!(true), &json!(true), &json!(1)));
    reader.reach(&mut socket, 2).await;
    assert_eq!(json!(reader.digest), again[1]["digest"]);
}

#[tokio::test]
async fn who_cannot_be_checked_is_asked_to_come_again_and_told_no_more() {
    let site = Site::with(engine(Memory::new()).await, |routes| routes.authenticate(Bearer)).await;
    for route in ROUTES {
        let answer = Request::post(site.addr, route, EMPTY_PUSH).header("authorization", "Bearer down").send().await;
        answer.refused(503, "unavailable");
        assert!(answer.header("retry-after").is_some() && !answer.text().contains("4711"), "{}", answer.text());
    }
    let (status, body) = common::Socket::refused(site.addr, &[("authorization", "Bearer down")]).await;
    assert_eq!((status, &body["code"]), (503, &json!("unavailable")));
    let mut socket = site.socket().await;
    socket.say("sys", json!({"type": "auth", "token": "down"})).await;
    let error = socket.expect("sys", "error").await;
    assert_eq!(error["code"], "unavailable");
    assert!(!error.to_string().contains("4711"), "{error}");
    assert_eq!(socket.closed().await, 1013);
}

#[tokio::test]
async fn each_refusal_has_an_id_of_its_own() {
    let site = Site::open().await;
    let one = push(&site, "{").send().await.refused(400, "invalid_mutation");
    let two = push(&site, "{").send().await.refused(400, "invalid_mutation");
    assert_ne!(one["request"], two["request"]);
}

#[tokio::test]
async fn a_body_that_is_cut_off_changes_nothing() {
    let site = Site::open().await;
    let whole = push(&site, with_title(b"\"Milk\"")).bytes();
    let mut stream = TcpStream::connect(site.addr).await.unwrap();
    stream.write_all(&whole[..whole.len() - 1]).await.unwrap();
    stream.shutdown().await.unwrap();
    // Whatever the answer, if there is one, the connection ends and nothing was executed.
    let mut rest = Vec::new();
    let _ = soon(tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest)).await;
    assert_eq!(site.snapshot(json!({})).await.ok()["cursor"], 0);
}
