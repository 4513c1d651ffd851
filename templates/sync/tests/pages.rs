//! What a browser gets: pages, their headers, and the data in them.

mod common;

use axum::http::{StatusCode, header};
use common::{app, config, get, post};
use myapp::server::{App, Mode};
use riverrun::{
    core::wire::{SnapshotAnswer, SnapshotRequest},
    prelude::*,
};
use serde_json::{Value, json};

const NASTY: &str = "</script><img src=x onerror=alert(1)>'\"&";

async fn add(app: &App, list: &str, id: &str, title: &str) {
    let args = json!({"id": id, "title": title});
    app.engine().mutate(&Principal::anonymous(), format!("list:{list}"), "todo.create", &args).await.unwrap();
}

/// The JSON the page's script starts from.
fn boot(text: &str) -> Value {
    let rest = text.split(r#"<script id="boot" type="application/json">"#).nth(1).unwrap();
    serde_json::from_str(rest.split("</script>").next().unwrap()).unwrap()
}

#[tokio::test]
async fn the_page_holds_the_todos_and_the_engine_s_own_snapshot() {
    let app = app().await;
    add(&app, "home", "1", "Milk").await;
    add(&app, "home", "2", NASTY).await;
    let page = get(&app, "/").await;
    assert_eq!((page.status, page.header(header::CACHE_CONTROL)), (StatusCode::OK, "no-store"));
    assert!(page.text.contains(r#"<span class="title" data-text="title">Milk</span>"#), "{}", page.text);

    let boot = boot(&page.text);
    assert_eq!(boot["scope"], "list:home");
    let scope = Scope::new("list:home").unwrap();
    let ask = SnapshotRequest { scope, client: None };
    let snapshot: SnapshotAnswer = app.engine().snapshot(&Principal::anonymous(), ask).await.unwrap();
    assert_eq!(boot["snapshot"], serde_json::to_value(&snapshot).unwrap());
    assert_eq!(boot["snapshot"]["data"]["todo"]["2"]["title"], NASTY);
    assert_eq!(boot["snapshot"]["cursor"], 2);
}

#[tokio::test]
async fn a_title_that_looks_like_markup_is_text_everywhere() {
    let app = app().await;
    add(&app, "home", "1", NASTY).await;
    let page = get(&app, "/").await;
    assert!(!page.text.contains("<img") && !page.text.contains("onerror=alert(1)>"), "{}", page.text);
    let refused = post(&app, "/lists/home/create", &format!("once=a&title={}{}", "%3Cimg%3E", "x".repeat(200))).await;
    assert!(!refused.text.contains("<img") && refused.text.contains("&lt;img&gt;"), "{}", refused.text);
    let missing = get(&app, "/lists/%3Cimg%3E").await;
    assert!(!missing.text.contains("<img"), "{}", missing.text);
}

#[tokio::test]
async fn every_answer_has_a_strict_policy_with_a_nonce_of_its_own() {
    let app = app().await;
    let mut nonces = Vec::new();
    for path in ["/", "/lists/a", "/nowhere", "/static/css/style.css", "/_sync/client.js", "/service-worker.js"] {
        let answer = get(&app, path).await;
        let policy = answer.header(header::CONTENT_SECURITY_POLICY);
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'self' 'nonce-"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        for part in ["base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "connect-src 'self'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        assert!(path != "/" || answer.text.contains(&format!("nonce=\"{nonce}\"")));
        assert!(!nonces.contains(&nonce), "{path}: a nonce is used once");
        nonces.push(nonce);
    }
}

#[tokio::test]
async fn each_list_is_its_own_and_a_name_that_is_none_is_a_friendly_404() {
    let app = app().await;
    add(&app, "home", "1", "Milk").await;
    add(&app, "movie-night", "1", "Metropolis").await;
    let page = get(&app, "/lists/movie-night").await;
    assert!(page.text.contains("<h1>Movie night</h1>") && page.text.contains("Metropolis"), "{}", page.text);
    assert!(!page.text.contains("Milk"), "{}", page.text);
    assert_eq!(get(&app, "/lists/home?filter=active").await.header(header::LOCATION), "/?filter=active");
    assert_eq!(get(&app, "/lists?name=Movie+night!").await.header(header::LOCATION), "/lists/movie-night");
    for path in ["/lists/Movie", "/lists/a%2fb", "/nowhere", "/lists?name=%21"] {
        let page = get(&app, path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.text.contains("<h1>Not found</h1>") && page.text.contains("href=\"/\""), "{path}: {}", page.text);
    }
}

#[tokio::test]
async fn a_filter_hides_and_counts_and_marks_its_link() {
    let app = app().await;
    add(&app, "home", "1", "Milk").await;
    add(&app, "home", "2", "Bread").await;
    let args = json!({"id": "1", "completed": true});
    app.engine().mutate(&Principal::anonymous(), "list:home", "todo.toggle", &args).await.unwrap();
    for (filter, hidden) in [("", vec![]), ("?filter=active", vec!["1"]), ("?filter=completed", vec!["2"])] {
        let page = get(&app, &format!("/{filter}")).await;
        let rows = page.text.split("<li class=\"todo\" data-id=\"").skip(1);
        let found: Vec<_> = rows.filter(|row| row.split('>').next().unwrap().ends_with(" hidden")).collect();
        let found: Vec<_> = found.iter().map(|row| row.split('"').next().unwrap()).collect();
        assert_eq!(found, hidden, "{filter}");
        assert!(page.text.contains("<strong>1</strong> todo left"), "{filter}: {}", page.text);
        assert_eq!(page.text.matches("aria-current=\"page\"").count(), 1, "{filter}");
    }
}

#[tokio::test]
async fn what_has_a_fingerprint_is_kept_for_ever_and_an_old_one_is_gone() {
    let app = app().await;
    let page = get(&app, "/").await;
    let style = page.text.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let answer = get(&app, &style).await;
    assert_eq!(answer.header(header::CACHE_CONTROL), "public, max-age=31536000, immutable", "{style}");
    assert_eq!(answer.header(header::CONTENT_TYPE), "text/css; charset=utf-8");
    assert_eq!(get(&app, "/static/css/style.0000000000000000.css").await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&app, "/static/../Cargo.toml").await.status, StatusCode::NOT_FOUND);
    let worker = get(&app, "/service-worker.js").await;
    assert_eq!(worker.header(header::CACHE_CONTROL), "no-cache");
    assert_eq!(worker.header(header::CONTENT_TYPE), "text/javascript; charset=utf-8");
}

#[tokio::test]
async fn every_template_is_sound_in_both_modes() {
    for mode in [Mode::Development, Mode::Release] {
        let app = App::over(Memory::new(), &config(mode)).await.unwrap();
        assert_eq!(get(&app, "/").await.status, StatusCode::OK, "{mode}");
        assert_eq!(get(&app, "/nowhere").await.status, StatusCode::NOT_FOUND, "{mode}");
    }
}
