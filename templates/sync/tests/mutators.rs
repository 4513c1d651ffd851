//! What may be done to a list, over the store in memory.

mod common;

use common::{app, shown};
use myapp::{server::App, service::todo::MAX_TITLE};
use riverrun::{core::Code, engine::MutateError, prelude::*};
use serde_json::{Value, json};

/// Does a command and says what came of it: `Ok`, or the code, the reason and the sentence of the refusal.
async fn run(app: &App, name: &str, args: Value) -> Result<(), (Code, String, String)> {
    let done = app.engine().mutate(&Principal::anonymous(), "list:home", name, &args).await;
    done.map(drop).map_err(|error| match error {
        MutateError::Rejected(no) => (no.code, no.reason.unwrap_or_default(), no.error),
        other => panic!("{name} {args}: {other}"),
    })
}

async fn with_todos(titles: &[&str]) -> App {
    let app = app().await;
    for (place, title) in titles.iter().enumerate() {
        run(&app, "todo.create", json!({"id": format!("t{place}"), "title": title})).await.unwrap();
    }
    app
}

#[tokio::test]
async fn a_todo_is_created_toggled_edited_and_deleted() {
    let app = with_todos(&["Milk", " Bread "]).await;
    assert_eq!(shown(&app).await, ["Milk", "Bread"]);
    run(&app, "todo.toggle", json!({"id": "t0"})).await.unwrap();
    assert_eq!(shown(&app).await, ["✓ Milk", "Bread"]);
    run(&app, "todo.toggle", json!({"id": "t0"})).await.unwrap();
    run(&app, "todo.edit", json!({"id": "t1", "title": " Rye "})).await.unwrap();
    assert_eq!(shown(&app).await, ["Milk", "Rye"]);
    run(&app, "todo.delete", json!({"id": "t0"})).await.unwrap();
    assert_eq!(shown(&app).await, ["Rye"]);
}

#[tokio::test]
async fn two_who_tick_the_same_todo_do_not_undo_each_other() {
    let app = with_todos(&["Milk"]).await;
    for _ in 0..2 {
        run(&app, "todo.toggle", json!({"id": "t0", "completed": true})).await.unwrap();
        assert_eq!(shown(&app).await, ["✓ Milk"]);
    }
    run(&app, "todo.toggle", json!({"id": "t0", "completed": false})).await.unwrap();
    assert_eq!(shown(&app).await, ["Milk"]);
}

#[tokio::test]
async fn a_title_is_neither_empty_nor_too_long() {
    let app = with_todos(&["Milk"]).await;
    let fits = "é".repeat(MAX_TITLE);
    let rows = [("", "title_empty"), (" \t ", "title_empty"), (&format!("{fits}é") as &str, "title_too_long")];
    for (title, reason) in rows {
        for name in ["todo.create", "todo.edit"] {
            let id = if name == "todo.edit" { "t0" } else { "t9" };
            let (code, found, _) = run(&app, name, json!({"id": id, "title": title})).await.unwrap_err();
            assert_eq!((code, found.as_str()), (Code::Rejected, reason), "{name} {title:?}");
        }
    }
    run(&app, "todo.edit", json!({"id": "t0", "title": fits})).await.unwrap();
    assert_eq!(shown(&app).await, [fits]);
}

#[tokio::test]
async fn an_id_names_one_todo() {
    let app = with_todos(&["Milk"]).await;
    let (code, ..) = run(&app, "todo.create", json!({"id": "t0", "title": "Bread"})).await.unwrap_err();
    assert_eq!((code, shown(&app).await), (Code::Conflict, vec!["Milk".to_owned()]));
}

#[tokio::test]
async fn what_was_deleted_meanwhile_can_not_be_changed_and_says_so() {
    let app = with_todos(&[]).await;
    for (name, args) in [("todo.toggle", json!({"id": "gone"})), ("todo.edit", json!({"id": "gone", "title": "a"}))] {
        let (code, _, sentence) = run(&app, name, args).await.unwrap_err();
        assert_eq!((code, sentence.as_str()), (Code::NotFound, "somebody deleted this todo meanwhile"), "{name}");
    }
    // Both wanted the same.
    run(&app, "todo.delete", json!({"id": "gone"})).await.unwrap();
}

#[tokio::test]
async fn clearing_removes_what_is_completed_and_nothing_else() {
    let app = with_todos(&["a", "b", "c", "d"]).await;
    run(&app, "todo.clear", json!({})).await.unwrap();
    assert_eq!(shown(&app).await, ["a", "b", "c", "d"]);
    for id in ["t0", "t2", "t3"] {
        run(&app, "todo.toggle", json!({"id": id})).await.unwrap();
    }
    run(&app, "todo.clear", json!({})).await.unwrap();
    assert_eq!(shown(&app).await, ["b"]);
}

#[tokio::test]
async fn a_list_longer_than_one_clearing_is_cleared_in_two() {
    let app = app().await;
    for place in 0..1_100 {
        let id = format!("t{place:04}");
        run(&app, "todo.create", json!({"id": id, "title": "a"})).await.unwrap();
        if place != 600 {
            run(&app, "todo.toggle", json!({"id": id})).await.unwrap();
        }
    }
    run(&app, "todo.clear", json!({})).await.unwrap();
    assert_eq!(shown(&app).await.len(), 100);
    run(&app, "todo.clear", json!({})).await.unwrap();
    assert_eq!(shown(&app).await, ["a"]);
}

#[tokio::test]
async fn only_lists_can_be_read_and_written() {
    let app = app().await;
    let args = json!({"id": "t0", "title": "a"});
    for scope in ["todos", "list:", "list:Home", "list:a/b", "other:home"] {
        let done = app.engine().mutate(&Principal::anonymous(), scope, "todo.create", &args).await;
        assert_eq!(done.unwrap_err().code(), Code::Forbidden, "{scope}");
    }
    app.engine().mutate(&Principal::anonymous(), "list:a-1", "todo.create", &args).await.unwrap();
}
