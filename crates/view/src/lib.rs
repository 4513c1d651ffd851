//! Server-rendered views for axum: layouts, pages, components and stacks, on minijinja. In development templates are
//! re-read when they change and a mistake is shown with its source; in a release they are checked at the start and live
//! in the binary. This crate must never know of sync or live: it is as good without them.
//!
//! ```text
//! views/
//! ├── layouts/main.html      the frame: prints {{ content }}
//! ├── pages/home.html        what a handler names: view.page("home")
//! ├── components/todo.html   {{ component("todo", todo=todo) }}
//! └── partials/nav.html      {% include "partials/nav.html" %}
//! ```
//!
//! ```no_run
//! use axum::{Router, response::IntoResponse, routing::get};
//! use riverrun_view::{View, Views, embed};
//!
//! async fn home(view: View) -> impl IntoResponse {
//!     view.page("home").with("todos", ["write", "ship"])
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let views = Views::builder(embed!("$CARGO_MANIFEST_DIR/tests/site")).layout("layouts/main").build()?;
//! let app = Router::new().route("/", get(home)).with_state(views);
//! axum::serve(tokio::net::TcpListener::bind("127.0.0.1:8080").await?, app).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Templates
//!
//! The language is minijinja's, which is Jinja's. What this crate adds:
//!
//! - **Layouts.** A page is rendered first, then put into its layout as `{{ content }}`. What the page sets at its top
//!   level (`{% set title = "Todos" %}`) the layout can print. A layout sees the page's values.
//! - **Components.** `{{ component("todo", todo=todo) }}` renders `components/todo.html` with exactly these arguments.
//!   `{% call component("card", title="…") %}…{% endcall %}` gives it `content` as well; without a block it is empty.
//! - **Stacks.** `{% call push("scripts") %}<script …></script>{% endcall %}` in a page or a component,
//!   `{{ stack("scripts") }}` in the layout, before or after. `push_once("scripts", "chart")` adds its block once a page.
//! - **Undefined is an error** that names the variable, in an `if` as well. `x is defined` and `x | default("")` work.
//! - **Escaping.** Values are escaped as HTML (not in `.txt`). Where that would not protect, a template is refused: a
//!   value in an attribute without quotes, in a `<script>` without `json`, in an `on…` handler without `json_attr`.
//!
//! | helper | what it does |
//! |---|---|
//! | `x \| json` | JSON for a `<script>` element or an attribute in `'` |
//! | `x \| json_attr` | JSON for an attribute in `"` |
//! | `attrs(id=x, checked=true, data_id=y)` | attributes; `true` is the bare name, `false` and none leave it out |
//! | `class("todo", {"done": x})` | class names by condition |
//! | `url("/search", q=x)` | an address with a query; a scheme that could run script becomes `about:invalid` |
//! | `query(q=x)`, `{…} \| query`, `x \| urlencode` | percent-encoding |
//! | `x \| nl2br` | lines as `<br>` |
//! | `n \| pluralize`, `n \| pluralize("entry", "entries")` | the ending, or the word, for a number |
//! | `x \| truncate(40)` | at most 40 characters |
//! | `ms \| date("%e %B %Y")` | a date from milliseconds, in UTC |
//! | `dict(a=1)`, `list(1, 2)`, `range(3)` | values |
//! | `default`, `upper`, `lower`, `title`, `join`, `sort`, `map`, … | minijinja's own |
//!
//! An application's own are added with [`Builder::function`] and [`Builder::filter`]; their types are minijinja's, which
//! is re-exported as [`minijinja`].

mod builder;
mod check;
mod component;
mod error;
mod error_page;
mod escape;
mod extract;
mod helpers;
mod name;
mod page;
mod problem;
mod render;
mod source;
mod stacks;
mod views;

pub use builder::Builder;
pub use error::{BuildError, RenderError};
pub use extract::{Shared, View};
pub use helpers::raw_json;
pub use minijinja;
pub use page::Page;
pub use problem::{Line, Place, Problem};
pub use source::{MAX_TEMPLATE_BYTES, Source, SourceError};
pub use views::Views;

/// What the macros of this crate need where they are used.
#[doc(hidden)]
pub mod __private {
    pub use include_dir;
}
