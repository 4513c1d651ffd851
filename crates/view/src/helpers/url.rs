//! Addresses: query strings, and links that can't run script. They must never let a `javascript:` address through,
//! however it is spelt.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, Value, filters};

/// The schemes a link may have: they lead somewhere and run nothing.
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

/// What stands in for an address that is refused: a browser goes nowhere.
const REFUSED: &str = "about:invalid";

/// `href="{{ url(todo.link) }}"`, `{{ url("/search", q=term, page=2) }}`: the address, and the arguments as its query.
/// An address with a scheme other than http, https, mailto or tel becomes `about:invalid`.
pub(crate) fn url(address: &str, kwargs: Kwargs) -> Result<String, Error> {
    if !is_harmless(address) {
        return Ok(REFUSED.to_owned());
    }
    let query = query_of(kwargs)?;
    if query.is_empty() {
        return Ok(address.to_owned());
    }
    let (before, fragment) = address.split_at(address.find('#').unwrap_or(address.len()));
    let joint = match before.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    Ok(format!("{before}{joint}{query}{fragment}"))
}

/// `{{ query(q=term, page=2) }}`: `q=…&page=2`, percent-encoded. None is left out, a list gives its key once for each.
pub(crate) fn query_of(kwargs: Kwargs) -> Result<String, Error> {
    let mut query = Query::default();
    for key in kwargs.args() {
        query.add(key, &kwargs.peek::<Value>(key)?)?;
    }
    Ok(query.0)
}

/// `{{ {"q": term} | query }}`: as the function, for a map.
pub(crate) fn query(map: &Value) -> Result<String, Error> {
    if map.kind() != ValueKind::Map {
        return Err(Error::new(ErrorKind::InvalidOperation, "query takes a map"));
    }
    let mut query = Query::default();
    for key in map.try_iter()? {
        query.add(&key.to_string(), &map.get_item(&key)?)?;
    }
    Ok(query.0)
}

#[derive(Default)]
struct Query(String);

impl Query {
    fn add(&mut self, key: &str, value: &Value) -> Result<(), Error> {
        match value.kind() {
            ValueKind::None => Ok(()),
            ValueKind::Undefined => {
                Err(Error::new(ErrorKind::UndefinedError, format!("the parameter `{key}` has no value")))
            }
            ValueKind::Seq | ValueKind::Iterable => value.try_iter()?.try_for_each(|value| self.add(key, &value)),
            _ => {
                if !self.0.is_empty() {
                    self.0.push('&');
                }
                self.0.push_str(&encode(key)?);
                self.0.push('=');
                self.0.push_str(&encode(&value.to_string())?);
                Ok(())
            }
        }
    }
}

fn encode(text: &str) -> Result<String, Error> {
    filters::urlencode(&Value::from(text))
}

/// Reads the scheme as browsers do: signs and spaces in front of it, and tabs and line ends within, don't count.
fn is_harmless(address: &str) -> bool {
    let mut scheme = String::new();
    let visible = address.trim_start_matches(|c: char| c <= ' ').chars().filter(|c| !matches!(c, '\t' | '\n' | '\r'));
    for sign in visible {
        match sign {
            ':' => return SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()),
            '/' | '?' | '#' => return true,
            _ => scheme.push(sign),
        }
    }
    true
}
