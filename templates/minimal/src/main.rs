//! A shared todo list in one file: what may be done to it, the page, and a server that keeps every window in step.

use axum::{Router, response::Html, routing::get};
use riverrun::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Todo {
    id: String,
    title: String,
    completed: bool,
}
entity!(Todo, "todo", id);

#[derive(Deserialize)]
struct CreateTodo {
    id: String,
    title: String,
}

#[derive(Deserialize)]
struct OneTodo {
    id: String,
}

fn create(tx: &mut Tx<'_>, a: CreateTodo) -> Result<(), Reject> {
    let title = a.title.trim();
    if title.is_empty() {
        return Err(Reject::new("title_empty", "a todo needs a title"));
    }
    tx.insert(&Todo { id: a.id, title: title.into(), completed: false })
}

fn toggle(tx: &mut Tx<'_>, a: OneTodo) -> Result<(), Reject> {
    tx.update(&a.id, |todo: &mut Todo| todo.completed = !todo.completed)
}

fn delete(tx: &mut Tx<'_>, a: OneTodo) -> Result<(), Reject> {
    tx.delete::<Todo>(&a.id).map(drop)
}

fn mutators() -> Mutators {
    Mutators::new().on("todo.create", create).on("todo.toggle", toggle).on("todo.delete", delete)
}

fn router(engine: &Engine) -> Router {
    Router::new().route("/", get(async || Html(PAGE))).merge(riverrun::router(engine))
}

fn setting(name: &str, default: &str) -> String {
    std::env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| default.into())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = Sqlite::open(setting("DATABASE_PATH", "app.db"))?;
    let engine = Engine::builder(store).mutators(mutators()).access(Public).start().await?;
    let address = format!("{}:{}", setting("HOST", "127.0.0.1"), setting("PORT", "8080"));
    let server = riverrun::Serve::bind(&*address, router(&engine)).await?;
    println!("listening on http://{}", server.local_addr().map_or(address, |address| address.to_string()));
    server.run().await;
    engine.close().await;
    Ok(())
}

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>mytodos</title>
<link rel="icon" href="data:,">
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 2rem auto; padding: 0 1rem }
  ul { list-style: none; padding: 0 }
  li { display: flex; gap: .5rem; align-items: center }
  li span { flex: 1 }
  li.done span { text-decoration: line-through; opacity: .6 }
</style>
<h1>mytodos</h1>
<form><input name="title" aria-label="What is to do?" required maxlength="200"> <button>Add</button></form>
<p role="status"></p>
<ul></ul>
<script type="module">
  import { SyncClient, newId } from "/_sync/client.js";

  const [form, status, list] = ["form", "[role=status]", "ul"].map((name) => document.querySelector(name));
  const client = new SyncClient({
    scope: "home",
    mutators: {
      "todo.create": (tx, { id, title }) => tx.insert("todo", id, { id, title, completed: false }),
      "todo.toggle": (tx, { id }) => tx.update("todo", id, (todo) => void (todo.completed = !todo.completed)),
      "todo.delete": (tx, { id }) => tx.delete("todo", id),
    },
  });

  const row = (todo) => {
    const [li, box, title, remove] = ["li", "input", "span", "button"].map((name) => document.createElement(name));
    li.className = todo.completed ? "done" : "";
    Object.assign(box, { type: "checkbox", checked: todo.completed, ariaLabel: `Done: ${todo.title}` });
    box.onchange = () => client.mutate("todo.toggle", { id: todo.id });
    title.textContent = todo.title;
    Object.assign(remove, { textContent: "×", ariaLabel: `Delete: ${todo.title}` });
    remove.onclick = () => client.mutate("todo.delete", { id: todo.id });
    li.append(box, title, remove);
    return li;
  };
  const show = () => {
    list.replaceChildren(...client.all("todo").map(row));
    status.textContent = client.pending.length ? `${client.pending.length} not sent yet` : "";
  };
  client.subscribe(show);
  client.addEventListener("rejected", ({ detail }) => { status.textContent = detail.error; });
  form.onsubmit = (event) => {
    event.preventDefault();
    client.mutate("todo.create", { id: newId(), title: form.title.value });
    form.reset();
  };
  show();
</script>
</html>
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, http::Request};
    use serde::Serialize;
    use tower::ServiceExt;

    async fn engine() -> Engine {
        Engine::builder(Memory::new()).mutators(mutators()).access(Public).start().await.unwrap()
    }

    /// What the server says: nothing, or the reason why not.
    async fn send(engine: &Engine, name: &str, args: impl Serialize) -> Result<(), String> {
        let sent = engine.mutate(&Principal::anonymous(), "home", name, &args).await;
        sent.map(drop).map_err(|error| error.to_string())
    }

    #[derive(Serialize)]
    struct Args {
        id: &'static str,
        title: &'static str,
    }

    #[tokio::test]
    async fn a_todo_is_made_ticked_and_deleted() {
        let engine = engine().await;
        let milk = Args { id: "t1", title: " Milk " };
        send(&engine, "todo.create", &milk).await.unwrap();
        send(&engine, "todo.toggle", &milk).await.unwrap();
        let done = Todo { id: "t1".into(), title: "Milk".into(), completed: true };
        assert_eq!(engine.list::<Todo>("home").await.unwrap(), [done]);
        send(&engine, "todo.delete", &milk).await.unwrap();
        assert_eq!(engine.list::<Todo>("home").await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_todo_without_a_title_is_refused_with_the_reason() {
        let engine = engine().await;
        let refused = send(&engine, "todo.create", Args { id: "t1", title: "  " }).await.unwrap_err();
        assert!(refused.contains("a todo needs a title"), "{refused}");
        assert_eq!(engine.list::<Todo>("home").await.unwrap(), []);
    }

    #[tokio::test]
    async fn the_page_and_its_client_are_served() {
        let app = router(&engine().await);
        for path in ["/", "/_sync/client.js", "/healthz"] {
            let answer = app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
        }
    }
}
