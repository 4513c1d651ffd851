//! Helpers for words. They count characters, not bytes, and must never cut one in two.

use std::borrow::Cow;

use minijinja::{Error, ErrorKind, Value};

/// `{{ title | truncate(40) }}`: at most that many characters, the end mark (`…`) among them; cut at a space if there is
/// one in the last third.
pub(crate) fn truncate(text: Cow<'_, str>, length: Option<usize>, end: Option<&str>) -> String {
    /// What Jinja's filter of this name takes.
    const LENGTH: usize = 255;
    let length = length.unwrap_or(LENGTH);
    let end: String = end.unwrap_or("…").chars().take(length).collect();
    if text.chars().count() <= length {
        return text.into_owned();
    }
    let room = length.saturating_sub(end.chars().count());
    let cut: String = text.chars().take(room).collect();
    let whole = cut.rfind(char::is_whitespace).filter(|space| *space * 3 >= cut.len() * 2);
    format!("{}{end}", cut[..whole.unwrap_or(cut.len())].trim_end())
}

/// `todo{{ n | pluralize }}`, `{{ n | pluralize("entry", "entries") }}`, `class{{ n | pluralize("es") }}`: the first for
/// one, the second for any other number. A list counts its items.
pub(crate) fn pluralize(count: &Value, singular: Option<String>, plural: Option<String>) -> Result<String, Error> {
    let (singular, plural) = match (singular, plural) {
        (None, _) => (String::new(), "s".to_owned()),
        (Some(plural), None) => (String::new(), plural),
        (Some(singular), Some(plural)) => (singular, plural),
    };
    let is_one = if count.is_number() {
        f64::try_from(count.clone()).is_ok_and(|count| (count.abs() - 1.0).abs() < f64::EPSILON)
    } else {
        let items = count.len().filter(|_| count.as_str().is_none());
        items.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "only a number or a list can be counted"))? == 1
    };
    Ok(if is_one { singular } else { plural })
}
