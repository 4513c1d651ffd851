//! The functions and filters every template has, beside the engine's own. A helper that returns markup escapes what it
//! was given itself. It must never look at anything but its arguments.

mod date;
mod html;
mod json;
mod text;
mod url;

use minijinja::{Environment, Value};

pub use json::raw_json;

use crate::{component, stacks};

pub(crate) fn add_to(env: &mut Environment<'static>) {
    component::add_to(env);
    stacks::add_to(env);
    env.add_function("attrs", html::attrs);
    env.add_function("class", html::class);
    env.add_function("list", |items: minijinja::value::Rest<Value>| items.0);
    env.add_function("query", url::query_of);
    env.add_function("url", url::url);
    env.add_filter("date", date::date);
    env.add_filter("json", json::json);
    env.add_filter("tojson", json::json);
    env.add_filter("json_attr", json::json_attr);
    env.add_filter("nl2br", html::nl2br);
    env.add_filter("pluralize", text::pluralize);
    env.add_filter("query", url::query);
    env.add_filter("truncate", text::truncate);
}
