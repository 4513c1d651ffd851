//! The reference mutators by heart: over plain rows, without a transaction, a layer or a journal. The model's, so that a
//! mistake in those shows as well.

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub type Rows = BTreeMap<(String, String), Value>;

/// What a mutator would leave, or `None` where it refuses.
pub fn run(name: &str, args: &Value, id: &str, rows: &Rows) -> Option<Rows> {
    let mut rows = rows.clone();
    let key = |collection: &str, id: &Value| (collection.to_owned(), id.as_str().unwrap_or_default().to_owned());
    let todos = |rows: &Rows| rows.keys().filter(|(c, _)| c == "todo").map(|(_, id)| id.clone()).collect::<Vec<_>>();
    let todo = key("todo", &args["id"]);
    match name {
        "todo.create" if rows.contains_key(&todo) => return None,
        "todo.create" => {
            rows.insert(todo, json!({"id": args["id"], "title": args["title"], "completed": false}));
        }
        "todo.toggle" => {
            let row = rows.get_mut(&todo)?;
            row["completed"] = json!(!row["completed"].as_bool()?);
        }
        "todo.rename" => rows.get_mut(&todo)?["title"] = args["title"].clone(),
        "todo.delete" => drop(rows.remove(&todo)),
        "todo.clear" => rows.retain(|(collection, _), row| collection != "todo" || row["completed"] != json!(true)),
        "counter.add" => {
            let counter = key("counter", &args["id"]);
            let n = rows.get(&counter).map_or(0, |row| row["n"].as_i64().unwrap_or_default());
            let n = n + args["by"].as_i64()?;
            if args["max"].as_i64().is_some_and(|max| n > max) {
                return None;
            }
            rows.insert(counter, json!({"id": args["id"], "n": n}));
        }
        "order.read" => {
            let (prefix, limit) = (args["prefix"].as_str()?, usize::try_from(args["limit"].as_u64()?).ok()?);
            let ids = todos(&rows).into_iter().filter(|id| id.starts_with(prefix)).take(limit).collect::<Vec<_>>();
            rows.insert(key("order", &args["id"]), json!({"id": args["id"], "ids": ids}));
        }
        "note.add" => {
            let id = format!("{id}.1");
            rows.insert(("note".into(), id.clone()), json!({"id": id, "text": args["text"]}));
        }
        "fail" => return None,
        _ => {}
    }
    Some(rows)
}
