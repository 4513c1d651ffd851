//! How long a page of 1,000 rows takes, and how large it is: `cargo run --release -p riverrun-view --example rows`.

use std::time::{Duration, Instant};

use riverrun_view::{Views, embed_always};
use serde::Serialize;

const ROWS: usize = 1_000;
const ROUNDS: u32 = 200;

#[derive(Clone, Serialize)]
struct Todo {
    id: String,
    title: String,
    completed: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let todos: Vec<_> = (0..ROWS)
        .map(|n| Todo { id: format!("todo-{n:04}"), title: format!("Buy <{n}> apples & pears"), completed: n % 3 == 0 })
        .collect();
    for dev in [false, true] {
        let source = if dev {
            concat!(env!("CARGO_MANIFEST_DIR"), "/examples/rows").into()
        } else {
            embed_always!("$CARGO_MANIFEST_DIR/examples/rows")
        };
        let views = Views::builder(source).layout("layouts/main").dev(dev).build()?;
        for page in ["components", "inline"] {
            let mut times = Vec::new();
            let mut bytes = 0;
            for _ in 0..ROUNDS {
                let start = Instant::now();
                bytes = views.page(page).with("todos", &todos).render()?.len();
                times.push(start.elapsed());
            }
            times.sort_unstable();
            let median = times.get(times.len() / 2).copied().unwrap_or(Duration::ZERO);
            println!(
                "{} {page}: {ROWS} rows, {bytes} bytes, median {median:.1?}",
                if dev { "development" } else { "release" }
            );
        }
    }
    Ok(())
}
