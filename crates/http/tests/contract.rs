//! The flow of a plain client, word for word, and each answer field by field against the contract's text.

#![allow(clippy::unwrap_used, reason = "what can't be unwrapped fails the test")]

mod common;

use common::{Request, Site, soon};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Takes the fields whose values nobody can know beforehand out of an answer, after looking at their shape.
fn known(mut value: Value) -> Value {
    fn walk(key: &str, value: &mut Value) {
        match (key, &mut *value) {
            ("digest", Value::String(text)) => {
                assert!(text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit()), "a digest: {text}");
                *value = json!("<digest>");
            }
            ("time", Value::String(text)) => {
                let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
                assert_eq!(shape, "0000-00-00T00:00:00.000Z", "a time: {text}");
                *value = json!("<time>");
            }
            ("epoch", Value::String(text)) => {
                assert!(!text.is_empty());
                *value = json!("<epoch>");
            }
            (_, Value::Object(fields)) => fields.iter_mut().for_each(|(key, value)| walk(key, value)),
            (_, Value::Array(items)) => items.iter_mut().for_each(|value| walk("", value)),
            _ => {}
        }
    }
    walk("", &mut value);
    value
}

const CREATE: &str = r#"{"mutations":[{"id":"0198-a","type":"todo.create","args":{"id":"t1","title":"Milk"}}]}"#;

fn change() -> Value {
    json!({
        "cursor": 1, "scope": "_default", "time": "<time>", "mutation": "0198-a",
        "data": {"op": "put", "collection": "todo", "id": "t1",
                 "value": {"id": "t1", "title": "Milk", "completed": false}},
    })
}

#[tokio::test]
async fn a_plain_clients_flow_is_answered_as_the_contract_says() {
    let site = Site::open().await;
    let push = |body: &str| Request::post(site.addr, "/_sync/push", body).send();

    let first = push(CREATE).await;
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(first.header("cache-control"), Some("no-store"));
    let accepted = json!({"epoch": "<epoch>", "results": [
        {"id": "0198-a", "ok": true, "cursor": 1, "digest": "<digest>", "changes": [change()]},
    ]});
    assert_eq!(known(first.ok()), accepted);

    let again = push(CREATE).await.ok();
    let duplicate = json!({"epoch": "<epoch>", "results": [
        {"id": "0198-a", "ok": true, "cursor": 1, "digest": "<digest>", "duplicate": true},
    ]});
    assert_eq!(known(again), duplicate);

    let pulled = site.pull(json!({})).await.ok();
    assert_eq!(pulled["digest"], first.ok()["results"][0]["digest"], "one history, one digest");
    let page = json!({
        "changes": [change()], "has_more": false, "next_cursor": 1, "digest": "<digest>", "epoch": "<epoch>",
    });
    assert_eq!(known(pulled), page);

    let state = site.snapshot(json!({})).await.ok();
    let whole = json!({
        "data": {"todo": {"t1": {"id": "t1", "title": "Milk", "completed": false}}},
        "cursor": 1, "digest": "<digest>", "epoch": "<epoch>",
    });
    assert_eq!(known(state), whole);
}

#[tokio::test]
async fn name_is_another_spelling_of_type() {
    let site = Site::open().await;
    let named = CREATE.replace("\"type\"", "\"name\"");
    let done = Request::post(site.addr, "/_sync/push", named).send().await.ok();
    assert_eq!(done["results"][0]["changes"], site.pull(json!({})).await.ok()["changes"]);
    let again = Request::post(site.addr, "/_sync/push", CREATE).send().await.ok();
    assert_eq!(again["results"][0]["duplicate"], true, "the same mutation, spelled the other way");
}

#[tokio::test]
async fn an_empty_scope_answers_with_nothing_at_cursor_zero() {
    let site = Site::open().await;
    let page = json!({
        "changes": [], "has_more": false, "next_cursor": 0, "digest": "0000000000000000", "epoch": "<epoch>",
    });
    let pulled = site.pull(json!({"scope": "nowhere", "cursor": 0, "limit": 100})).await.ok();
    assert_eq!(pulled["digest"], "0000000000000000");
    assert_eq!(known(pulled), known(page));
    let whole = json!({"data": {}, "cursor": 0, "digest": "<digest>", "epoch": "<epoch>"});
    assert_eq!(known(site.snapshot(json!({"scope": "nowhere"})).await.ok()), whole);
}

#[tokio::test]
async fn a_numbering_client_finds_its_watermark_in_every_answer() {
    let site = Site::open().await;
    let create = |seq: u64| {
        json!({"id": format!("m{seq}"), "type": "todo.create", "seq": seq, "schema": 3,
               "args": {"id": format!("t{seq}"), "title": "Milk"}})
    };
    let epoch = site.engine.epoch().await.unwrap();
    let body =
        json!({"client": "c-7f3", "epoch": epoch, "scope": "list:42", "mutations": [create(1), create(2), create(3)]});
    let results = site.push(body).await.ok()["results"].clone();
    assert_eq!(results.as_array().unwrap().iter().map(|one| one["cursor"].clone()).collect::<Vec<_>>(), [1, 2, 3]);
    let ask = json!({"scope": "list:42", "client": "c-7f3", "cursor": 1, "epoch": epoch, "limit": 1});
    let page = site.pull(ask).await.ok();
    assert_eq!((&page["last_seq"], &page["next_cursor"], &page["has_more"]), (&json!(3), &json!(2), &json!(true)));
    assert_eq!(site.snapshot(json!({"scope": "list:42", "client": "c-7f3"})).await.ok()["last_seq"], 3);
    assert_eq!(site.snapshot(json!({"scope": "list:42", "client": "c-new"})).await.ok()["last_seq"], 0);
}

#[tokio::test]
async fn a_rejection_is_a_result_with_reason_and_sentence_and_a_retry_hears_the_same() {
    let site = Site::open().await;
    let no = site.push_one("s", "m1", "todo.create", json!({"id": "t1", "title": " "})).await;
    let rejected = json!({
        "id": "m1", "ok": false, "code": "rejected", "reason": "title_empty", "error": "a todo needs a title",
        "retry": false,
    });
    assert_eq!(no, rejected);
    let mut again = site.push_one("s", "m1", "todo.create", json!({"id": "t1", "title": " "})).await;
    assert_eq!(again.as_object_mut().unwrap().remove("duplicate"), Some(json!(true)));
    assert_eq!(again, rejected);
}

#[tokio::test]
async fn each_mutation_of_a_push_is_decided_by_itself() {
    let site = Site::open().await;
    site.todo("s", "there").await;
    let m = |id: &str, name: &str, args: Value| json!({"id": id, "type": name, "args": args});
    let body = json!({"client": "c", "scope": "s", "mutations": [
        m("a", "todo.create", json!({"id": "t1", "title": "Milk"})),
        m("b", "todo.create", json!({"id": "there", "title": "Milk"})),
        m("c", "todo.toggle", json!({"id": "gone"})),
        m("d", "no.such", json!({})),
        m("e", "todo.toggle", json!({"identity": "t1"})),
        m("f", "todo.create", json!({"id": "t2", "title": ""})),
        m("m-there", "todo.delete", json!({"id": "there"})),
        m("g", "todo.delete", json!({"id": "gone"})),
    ]});
    let results = site.push(body).await.ok()["results"].clone();
    let told: Vec<Value> = results.as_array().unwrap().iter().map(|r| json!([r["id"], r["ok"], r["code"]])).collect();
    assert_eq!(
        json!(told),
        json!([
            ["a", true, null],
            ["b", false, "conflict"],
            ["c", false, "not_found"],
            ["d", false, "invalid_mutation"],
            ["e", false, "invalid_mutation"],
            ["f", false, "rejected"],
            // The id was used before, for another mutation.
            ["m-there", false, "invalid_mutation"],
            ["g", true, null],
        ])
    );
    // What changed nothing is accepted at the head.
    assert_eq!((&results[7]["cursor"], &results[7]["changes"]), (&json!(2), &json!([])));
}

#[tokio::test]
async fn order_and_schema_are_answered_by_their_codes_inside_a_push() {
    let engine = riverrun_engine::Engine::builder(riverrun_engine::Memory::new())
        .mutators(common::mutators())
        .access(riverrun_engine::Public)
        .schemas(3..=5);
    let site = Site::of(engine.start().await.unwrap()).await;
    let one = async |client: &str, id: &str, seq: u64, schema: u64| {
        let mutation = json!({"id": id, "type": "todo.delete", "args": {"id": "x"}, "seq": seq, "schema": schema});
        let result = site.push(json!({"client": client, "mutations": [mutation]})).await.ok()["results"][0].clone();
        json!([result["code"], result["retry"]])
    };
    assert_eq!(one("c", "a", 1, 3).await, json!([null, null]));
    assert_eq!(one("c", "b", 3, 3).await, json!(["out_of_order", true]));
    assert_eq!(one("c", "b", 1, 3).await, json!(["seq_conflict", true]));
    assert_eq!(one("c", "b", 2, 6).await, json!(["schema_mismatch", true]));
    assert_eq!(one("c", "b", 2, 2).await, json!(["schema_mismatch", false]));
    assert_eq!(one("c", "d", 3, 5).await, json!([null, null]), "the refusal took its place");
    assert_eq!(one("unknown", "e", 7, 3).await, json!(["client_unknown", false]));
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let site = Site::open().await;
    let mut stream = TcpStream::connect(site.addr).await.unwrap();
    let request = Request::post(site.addr, "/_sync/push", CREATE).bytes();
    let request = String::from_utf8(request).unwrap().replace("connection: close\r\n", "");
    for _ in 0..3 {
        soon(stream.write_all(request.as_bytes())).await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"]}") {
            let mut chunk = [0; 4096];
            let count = soon(stream.read(&mut chunk)).await.unwrap();
            assert!(count > 0, "closed after {:?}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&chunk[..count]);
        }
        assert!(seen.starts_with(b"HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn the_routes_can_be_moved() {
    let engine = common::engine(riverrun_engine::Memory::new()).await;
    let site = Site::with(engine, |routes| routes.prefix("/api/sync").health("/up")).await;
    Request::post(site.addr, "/api/sync/push", CREATE).send().await.ok();
    Request::get(site.addr, "/up").send().await.ok();
    assert_eq!(Request::post(site.addr, "/_sync/push", CREATE).send().await.status, 404);
}
