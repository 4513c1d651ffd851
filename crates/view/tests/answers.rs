//! Pages as answers: the extractor, statuses, media types, shared values; what the author and what a stranger sees when a
//! page fails.

#![allow(clippy::unwrap_used, reason = "a test ends at the first thing that fails")]

mod common;

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use common::{Folder, get as ask};
use riverrun_view::{RenderError, Shared, View, Views};

/// The state of an application that has more than views.
#[derive(Clone)]
struct App {
    views: Views,
    name: Arc<str>,
}

impl FromRef<App> for Views {
    fn from_ref(app: &App) -> Self {
        app.views.clone()
    }
}

async fn share(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Shared::new().with("user", "Ada <3").nonce("n0nce\""));
    next.run(request).await
}

fn app(views: Views) -> Router {
    Router::new()
        .route("/", get(|view: View| async move { view.page("home").with("n", 1) }))
        .route("/own", get(|view: View| async move { view.page("home").with("n", 2).with("user", "Bob") }))
        .route("/bare", get(|view: View| async move { view.page("home").with("n", 1).layout(None) }))
        .route("/print", get(|view: View| async move { view.page("home").with("n", 1).layout("layouts/print") }))
        .route("/gone", get(|view: View| async move { view.page("home").with("n", 0).status(StatusCode::GONE) }))
        .route("/item", get(|view: View| async move { view.component("item").with("n", 7) }))
        .route("/isolated", get(|view: View| async move { view.component("hello") }))
        .route("/sitemap.xml", get(|view: View| async move { view.page("sitemap.xml").with("at", "/a&b") }))
        .route("/text", get(|view: View| async move { view.page("note.txt").with("at", "a & b") }))
        .route("/fails", get(|view: View| async move { view.page("fails").status(StatusCode::CREATED) }))
        .route("/nowhere", get(|view: View| async move { view.page("../layouts/main") }))
        .route("/missing", get(|view: View| async move { view.page("mising") }))
        .route("/no-layout", get(|view: View| async move { view.page("home").with("n", 1).layout("layouts/gone") }))
        .route("/asked", get(asked))
        .route("/boot", get(boot))
        .layer(middleware::from_fn(share))
        .with_state(App { views, name: "app".into() })
}

async fn asked(view: View, axum::extract::State(app): axum::extract::State<App>) -> Result<String, RenderError> {
    assert!(view.views().has_page("home") && !view.views().has_page("../Cargo.toml"));
    Ok(format!("{} {}", app.name, view.page("home").with("n", 1).layout(None).render()?))
}

async fn boot(view: View) -> impl IntoResponse {
    let raw: Box<serde_json::value::RawValue> = serde_json::from_str(r#"{"z": "</script>", "a": 1.0}"#).unwrap();
    view.page("boot").layout(None).with("boot", riverrun_view::raw_json(&raw).unwrap())
}

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder
        .write("layouts/main.html", "<html nonce=\"{{ nonce }}\">{{ user }}: {{ content }}</html>")
        .write("layouts/print.html", "<print>{{ content }}</print>")
        .write("pages/home.html", "<p>{{ n }} {{ user }}</p>")
        .write("pages/sitemap.xml", "<loc>{{ at }}</loc>")
        .write("pages/note.txt", "{{ at }}")
        .write("pages/fails.html", "<h1>secret source</h1>\n{{ component(\"hello\") }}\n")
        .write("pages/boot.html", "<script>{{ boot | json }}</script><p x=\"{{ boot | json_attr }}\">{{ boot }}</p>")
        .write("components/item.html", "<li>{{ n }}</li>")
        .write("components/hello.html", "<b>\n\t{{ user | upper }} <i>\"x\"</i>\n</b>\n");
    folder
}

fn views(folder: &Folder, dev: bool) -> Views {
    Views::builder(folder.path()).layout("layouts/main").dev(dev).build().unwrap()
}

#[tokio::test]
async fn a_page_is_an_answer_in_its_layout() {
    let app = app(views(&folder("answers"), false));
    let answer = ask(&app, "/").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.text, "<html nonce=\"n0nce&quot;\">Ada &lt;3: <p>1 Ada &lt;3</p></html>");

    for (path, text) in [
        ("/own", "<html nonce=\"n0nce&quot;\">Bob: <p>2 Bob</p></html>"),
        ("/bare", "<p>1 Ada &lt;3</p>"),
        ("/print", "<print><p>1 Ada &lt;3</p></print>"),
        ("/item", "<li>7</li>"),
        ("/asked", "app <p>1 Ada &lt;3</p>"),
    ] {
        assert_eq!(ask(&app, path).await.text, text, "{path}");
    }
    assert_eq!(ask(&app, "/gone").await.status, StatusCode::GONE);
}

#[tokio::test]
async fn a_page_that_is_not_html_has_its_media_type_and_no_default_layout() {
    let app = app(views(&folder("media"), false));
    let xml = ask(&app, "/sitemap.xml").await;
    assert_eq!(
        (xml.header("content-type"), xml.text.as_str()),
        ("application/xml; charset=utf-8", "<loc>/a&amp;b</loc>")
    );
    let text = ask(&app, "/text").await;
    assert_eq!((text.header("content-type"), text.text.as_str()), ("text/plain; charset=utf-8", "a & b"));
}

#[tokio::test]
async fn json_that_is_text_already_stays_as_it_is_but_for_its_escapes() {
    let text = ask(&app(views(&folder("boot"), false)), "/boot").await.text;
    let attribute = "{&quot;z&quot;: &quot;&lt;/script&gt;&quot;, &quot;a&quot;: 1.0}";
    let script = r#"{"z": "\u003c/script\u003e", "a": 1.0}"#;
    assert_eq!(text.replace("&#x2f;", "/"), format!("<script>{script}</script><p x=\"{attribute}\">{attribute}</p>"));
}

#[tokio::test]
async fn a_stranger_sees_only_that_something_went_wrong() {
    let app = app(views(&folder("stranger"), false));
    for path in ["/fails", "/nowhere", "/missing", "/no-layout", "/isolated"] {
        let answer = ask(&app, path).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.text, "Something went wrong on our side. Please try again.\n", "{path}");
    }
}

#[tokio::test]
async fn the_author_sees_file_line_source_and_the_way_there() {
    let app = app(views(&folder("author"), true));
    let answer = ask(&app, "/fails?token=hidden").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    let snapshot = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/error_page.html");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(snapshot, &answer.text).unwrap();
    }
    assert_eq!(answer.text, std::fs::read_to_string(snapshot).unwrap());
    assert!(!answer.text.contains("<script") && !answer.text.contains("hidden"));
}

#[tokio::test]
async fn the_author_is_told_which_names_there_are() {
    let app = app(views(&folder("names"), true));
    let missing = ask(&app, "/missing").await.text;
    assert!(missing.contains("there is no page `mising`: pages/mising.html does not exist"), "{missing}");
    assert!(missing.contains("pages/home.html"));
    assert!(ask(&app, "/nowhere").await.text.contains("can&#x27;t be the name of a page"));
    assert!(ask(&app, "/no-layout").await.text.contains("there is no layout `layouts/gone`"));
}

#[tokio::test]
async fn a_render_error_in_a_handler_is_the_same_answer() {
    let app = Router::new()
        .route("/", get(|view: View| async move { view.page("fails").render().into_response() }))
        .with_state(views(&folder("result"), true));
    assert!(ask(&app, "/").await.text.contains("components/hello.html:2"));
}
