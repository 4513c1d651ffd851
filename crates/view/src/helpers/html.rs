//! Helpers that write markup: classes by condition, attributes, lines. Every value goes through HTML escaping, even one
//! that is marked safe: that mark is about text, not about attributes. They must never take an attribute's name from data
//! unseen.

use std::fmt::Write as _;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Error, ErrorKind, Value};

use crate::escape::Escaped;

/// `class("todo", {"done": todo.completed}, extra)`: the names that hold, with spaces between them. Lists may be nested;
/// what is none, false or empty is left out.
pub(crate) fn class(items: Rest<Value>) -> Result<String, Error> {
    let mut names = String::new();
    items.iter().try_for_each(|item| add_names(&mut names, item))?;
    Ok(names)
}

fn add_names(names: &mut String, item: &Value) -> Result<(), Error> {
    match item.kind() {
        ValueKind::Map => {
            for key in item.try_iter()? {
                if item.get_item(&key)?.is_true() {
                    add_names(names, &key)?;
                }
            }
        }
        ValueKind::Seq | ValueKind::Iterable => {
            for item in item.try_iter()? {
                add_names(names, &item)?;
            }
        }
        ValueKind::None | ValueKind::Bool => {}
        ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
        _ => {
            let name = item.to_string();
            if !names.is_empty() && !name.is_empty() {
                names.push(' ');
            }
            names.push_str(&name);
        }
    }
    Ok(())
}

/// `<input{{ attrs(type="checkbox", checked=todo.completed, data_id=todo.id) }}>`: a space before each attribute; `true`
/// is the name alone, `false` and none leave it out. An underscore becomes a hyphen; a map as the first argument takes
/// names as they are.
pub(crate) fn attrs(map: Option<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let mut html = String::new();
    if let Some(map) = map {
        for key in map.try_iter()? {
            add_attr(&mut html, &key.to_string(), &map.get_item(&key)?)?;
        }
    }
    for key in kwargs.args() {
        add_attr(&mut html, &key.replace('_', "-"), &kwargs.peek::<Value>(key)?)?;
    }
    Ok(Value::from_safe_string(html))
}

fn add_attr(html: &mut String, name: &str, value: &Value) -> Result<(), Error> {
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_:.@".contains(c));
    if !is_name {
        return Err(Error::new(ErrorKind::InvalidOperation, format!("`{name}` is no name for an attribute")));
    }
    match value.kind() {
        ValueKind::Undefined => {
            return Err(Error::new(ErrorKind::UndefinedError, format!("the attribute `{name}` has no value")));
        }
        ValueKind::Bool if value.is_true() => write!(html, " {name}"),
        ValueKind::None | ValueKind::Bool => return Ok(()),
        _ => write!(html, " {name}=\"{}\"", Escaped(&value.to_string())),
    }
    .map_err(Error::from)
}

/// `{{ note | nl2br }}`: escaped, with `<br>` at the end of each line. What is marked safe is not escaped again.
pub(crate) fn nl2br(value: &Value) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let text = value.to_string();
    let html = if value.is_safe() { text } else { Escaped(&text).to_string() };
    Ok(Value::from_safe_string(html.replace("\r\n", "\n").replace('\n', "<br>\n")))
}
