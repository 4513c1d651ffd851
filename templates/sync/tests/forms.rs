//! Every operation without a script: the page's own forms, as a browser sends them.

mod common;

use axum::http::{StatusCode, header};
use common::{app, get, post, post_from, shown, todos};

#[tokio::test]
async fn every_operation_works_by_forms() {
    let app = app().await;
    for (title, filter) in [("Milk", ""), ("Caf%C3%A9+%26+cake", "?filter=active")] {
        let once = get(&app, "/").await.once();
        let body = format!("once={once}&title={title}");
        let answer = post(&app, &format!("/lists/home/create{filter}"), &body).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        assert_eq!(answer.header(header::LOCATION), format!("/{filter}"));
    }
    assert_eq!(shown(&app).await, ["Milk", "Café & cake"]);

    let id = todos(&app).await[0].id.clone();
    for (verb, fields, expected) in [
        ("toggle", "&completed=true", vec!["✓ Milk", "Café & cake"]),
        ("edit", "&title=Oat+milk", vec!["✓ Oat milk", "Café & cake"]),
        ("toggle", "&completed=false", vec!["Oat milk", "Café & cake"]),
        ("toggle", "&completed=true", vec!["✓ Oat milk", "Café & cake"]),
        ("clear", "", vec!["Café & cake"]),
    ] {
        let once = get(&app, "/").await.once();
        let answer = post(&app, &format!("/lists/home/{verb}"), &format!("once={once}&id={id}{fields}")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{verb}: {}", answer.text);
        assert_eq!(shown(&app).await, expected, "{verb}");
    }

    let (once, id) = (get(&app, "/").await.once(), todos(&app).await[0].id.clone());
    post(&app, "/lists/home/delete", &format!("once={once}&id={id}")).await;
    assert_eq!(shown(&app).await, [""; 0]);
}

#[tokio::test]
async fn a_form_that_is_sent_twice_is_done_once() {
    let app = app().await;
    let once = get(&app, "/").await.once();
    for _ in 0..3 {
        let answer = post(&app, "/lists/home/create", &format!("once={once}&title=Milk")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(shown(&app).await, ["Milk"]);

    let id = todos(&app).await[0].id.clone();
    let once = get(&app, "/").await.once();
    for _ in 0..2 {
        // Without the wished state a toggle flips: twice would be nothing.
        post(&app, "/lists/home/toggle", &format!("once={once}&id={id}")).await;
    }
    assert_eq!(shown(&app).await, ["✓ Milk"]);
}

#[tokio::test]
async fn one_page_can_do_several_things_under_its_one_id() {
    let app = app().await;
    let once = get(&app, "/").await.once();
    post(&app, "/lists/home/create", &format!("once={once}&title=Milk")).await;
    let id = todos(&app).await[0].id.clone();
    for (verb, fields) in [("toggle", "completed=true"), ("edit", "title=Rye")] {
        let answer = post(&app, &format!("/lists/home/{verb}"), &format!("once={once}&id={id}&{fields}")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{verb}");
    }
    assert_eq!(shown(&app).await, ["✓ Rye"]);
}

#[tokio::test]
async fn another_title_under_an_id_that_was_used_is_not_taken_for_the_first_one() {
    let app = app().await;
    let once = get(&app, "/").await.once();
    post(&app, "/lists/home/create", &format!("once={once}&title=Milk")).await;
    let answer = post(&app, "/lists/home/create", &format!("once={once}&title=Bread")).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text.contains("It is fresh now") && answer.text.contains(r#"value="Bread""#), "{}", answer.text);
    assert_ne!(answer.once(), once);
    post(&app, "/lists/home/create", &format!("once={}&title=Bread", answer.once())).await;
    assert_eq!(shown(&app).await, ["Milk", "Bread"]);
}

#[tokio::test]
async fn a_refusal_says_why_beside_what_was_typed() {
    let app = app().await;
    let long = format!("{}%3Cb%3E", "x".repeat(200));
    let once = get(&app, "/").await.once();
    let answer = post(&app, "/lists/home/create?filter=active", &format!("once={once}&title={long}")).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains(r#"role="alert"><div class="notice">"#), "{}", answer.text);
    assert!(answer.text.contains("Not done: a title has at most 200 characters."), "{}", answer.text);
    assert!(answer.text.contains(&format!("value=\"{}&lt;b&gt;\"", "x".repeat(200))), "{}", answer.text);
    assert_ne!(answer.once(), once, "the next try is another mutation");
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");

    post(&app, "/lists/home/create", &format!("once={}&title=Milk", answer.once())).await;
    let id = todos(&app).await[0].id.clone();
    let once = get(&app, "/").await.once();
    let answer = post(&app, "/lists/home/edit", &format!("once={once}&id={id}&title=+")).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains(r#"name="edit" open>"#), "the form that was refused is open: {}", answer.text);

    let answer = post(&app, "/lists/home/toggle", &format!("once={once}&id=gone&completed=true")).await;
    assert!(answer.text.contains("somebody deleted this todo meanwhile"), "{}", answer.text);
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let app = app().await;
    let once = get(&app, "/").await.once();
    for origin in ["http://evil.test", "https://app.test.evil.test", "null"] {
        let answer = post_from(&app, "/lists/home/create", &format!("once={once}&title=Milk"), origin).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin}");
    }
    assert_eq!(shown(&app).await, [""; 0]);
}

#[tokio::test]
async fn what_is_no_form_of_ours_does_nothing() {
    let app = app().await;
    let big = format!("once=a&title={}", "x".repeat(20_000));
    for (path, body, status) in [
        ("/lists/home/create", big.as_str(), 400),
        ("/lists/Home/create", "once=a&title=b", 404),
        ("/lists/home/create", "", 422),
        ("/lists/home/toggle", "once=%00&id=%00", 409),
        ("/lists/home/create", "once=a%0a&title=b", 409),
        ("/lists/home/burn", "once=a", 404),
    ] {
        let answer = post(&app, path, body).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {}: {}", &body[..body.len().min(40)], answer.text);
    }
    assert_eq!(shown(&app).await, [""; 0]);
}
