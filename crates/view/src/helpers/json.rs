//! JSON inside of HTML. Its text may hold `</script>`, and every sign that could end what it stands in is written as a
//! `\u` escape, which JSON reads back as the same sign. It must never print a value that isn't there as `null`.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr};
use minijinja::{Error, ErrorKind, Value};
use serde::Serialize;

/// JSON text that is a value of its own.
#[derive(Debug)]
struct Raw(String);

impl Object for Raw {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `value` as JSON for the filters `json` and `json_attr`, which print it as it is: for what is large or is JSON already
/// (`serde_json`'s `RawValue`), and need not become a template's value on the way. Only as a value of its own, not within
/// a list or a map.
///
/// ```
/// # let views = riverrun_view::Views::builder("tests/site").build()?;
/// let boot = riverrun_view::raw_json(&["</script>"])?;
/// let page = views.page("boot").with("boot", boot).render()?;
/// assert_eq!(page, r#"<script type="application/json">["\u003c/script\u003e"]</script>"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn raw_json<T: Serialize + ?Sized>(value: &T) -> Result<Value, serde_json::Error> {
    Ok(Value::from_object(Raw(serde_json::to_string(value)?)))
}

/// `{{ todos | json }}`
pub(crate) fn json(value: &Value) -> Result<Value, Error> {
    Ok(Value::from_safe_string(match value.downcast_object_ref::<Raw>() {
        Some(raw) => escape(&raw.0),
        None => escape(&text(value)?),
    }))
}

/// `data-todo="{{ todo | json_attr }}"`: not marked safe, so that it is escaped as the attribute's text is.
pub(crate) fn json_attr(value: &Value) -> Result<String, Error> {
    match value.downcast_object_ref::<Raw>() {
        Some(raw) => Ok(raw.0.clone()),
        None => text(value),
    }
}

fn text(value: &Value) -> Result<String, Error> {
    if value.is_undefined() {
        return Err(Error::new(ErrorKind::UndefinedError, "there is no value to write as JSON"));
    }
    serde_json::to_string(value)
        .map_err(|error| Error::new(ErrorKind::BadSerialization, "a value can't be written as JSON").with_source(error))
}

/// Signs that could end the element, the attribute or (U+2028, U+2029) an older script's literal around the JSON. They
/// only occur within its strings, so an escape is always read back.
fn escape(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len() + json.len() / 8);
    let mut rest = json;
    while let Some(at) = rest.find(['<', '>', '&', '\'', '\u{2028}', '\u{2029}']) {
        let (before, tail) = rest.split_at(at);
        escaped.push_str(before);
        let (code, length) = match tail.as_bytes() {
            [b'<', ..] => ("\\u003c", 1),
            [b'>', ..] => ("\\u003e", 1),
            [b'&', ..] => ("\\u0026", 1),
            [b'\'', ..] => ("\\u0027", 1),
            _ if tail.starts_with('\u{2028}') => ("\\u2028", 3),
            _ => ("\\u2029", 3),
        };
        escaped.push_str(code);
        rest = &tail[length..];
    }
    escaped.push_str(rest);
    escaped
}
