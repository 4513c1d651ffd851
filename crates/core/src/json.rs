//! JSON as the contract takes it: text that came through a strict door and is kept as it came, so that every store gives
//! back equal bytes. The door refuses what parsers disagree about; it never repairs.

use alloc::{
    boxed::Box,
    collections::BTreeSet,
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::limits::{JSON_DEPTH, MAX_SAFE_INTEGER};

/// Why a text is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JsonRefused(String);

/// A JSON value as text, cheap to clone. It serialises as the value itself, byte for byte.
#[derive(Clone, PartialEq, Eq)]
pub struct Json(Arc<str>);

impl Json {
    /// Lets a text in through the strict door: valid JSON without duplicate keys, nesting over 64, integers beyond
    /// ±(2^53−1), numbers a double can't hold, lone surrogates or `\u0000`.
    pub fn parse(text: &str) -> Result<Self, JsonRefused> {
        check(text)?;
        Ok(Self(Arc::from(text.trim())))
    }

    /// The same door, from bytes.
    pub fn check_bytes(bytes: &[u8]) -> Result<&str, JsonRefused> {
        let text = core::str::from_utf8(bytes).map_err(|_| JsonRefused("the text is not valid UTF-8".into()))?;
        check(text)?;
        Ok(text)
    }

    /// Writes a value as JSON and lets the result in through the same door.
    pub fn of(value: &(impl Serialize + ?Sized)) -> Result<Self, JsonRefused> {
        let text = serde_json::to_string(value).map_err(|error| JsonRefused(error.to_string()))?;
        check(&text)?;
        Ok(Self(text.into()))
    }

    /// Takes a text that passed the door before and was kept since: what a store gives back.
    pub fn trusted(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The value `null`.
    pub fn null() -> Self {
        Self(Arc::from("null"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads it as a type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, JsonRefused> {
        serde_json::from_str(&self.0).map_err(|error| JsonRefused(error.to_string()))
    }

    /// The same value written in one way only (sorted keys, no spaces): equal for two texts of one meaning.
    pub fn canonical(&self) -> String {
        // Without the `preserve_order` feature an object is a sorted map.
        self.read::<serde_json::Value>().map_or_else(|_| self.0.to_string(), |value| value.to_string())
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(from)?;
        Ok(Self(Box::<str>::from(raw).into()))
    }
}

/// The door. `serde_json` says whether the text is JSON at all; the walk over its tokens says whether it is JSON that every
/// reader understands alike.
fn check(text: &str) -> Result<(), JsonRefused> {
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| JsonRefused(format!("not valid JSON: {error}")))?;
    Walk { text, at: 0 }.run()
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
}

enum Open<'a> {
    Array,
    Object(Keys<'a>),
}

/// The keys of one object. Most objects are small: a list is searched, and only a long one becomes a set.
#[derive(Default)]
struct Keys<'a> {
    few: Vec<alloc::borrow::Cow<'a, str>>,
    many: BTreeSet<alloc::borrow::Cow<'a, str>>,
}

impl<'a> Keys<'a> {
    const FEW: usize = 16;

    fn add(&mut self, key: alloc::borrow::Cow<'a, str>) -> bool {
        if self.many.is_empty() && self.few.len() < Self::FEW {
            let new = !self.few.contains(&key);
            self.few.push(key);
            return new;
        }
        self.many.extend(self.few.drain(..));
        self.many.insert(key)
    }
}

impl<'a> Walk<'a> {
    /// Walks the tokens of a text already known to be well-formed.
    fn run(&mut self) -> Result<(), JsonRefused> {
        let bytes = self.text.as_bytes();
        let mut open: Vec<Open<'a>> = Vec::new();
        // In an object, a string right after `{` or `,` is a key.
        let mut key_next = false;
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b'{' | b'[' => {
                    open.push(if byte == b'{' { Open::Object(Keys::default()) } else { Open::Array });
                    if open.len() > JSON_DEPTH {
                        return Err(self.refuse(&format!("nested deeper than {JSON_DEPTH} levels")));
                    }
                    key_next = byte == b'{';
                    self.at += 1;
                }
                b'}' | b']' => {
                    open.pop();
                    key_next = false;
                    self.at += 1;
                }
                b',' => {
                    key_next = matches!(open.last(), Some(Open::Object(_)));
                    self.at += 1;
                }
                b'"' => {
                    let start = self.at;
                    let string = self.string()?;
                    if let (true, Some(Open::Object(keys))) = (key_next, open.last_mut()) {
                        let shown = string.chars().take(40).collect::<String>();
                        if !keys.add(string) {
                            self.at = start;
                            return Err(self.refuse(&format!("the key {shown:?} stands twice in one object")));
                        }
                    }
                    key_next = false;
                }
                b'-' | b'0'..=b'9' => self.number()?,
                _ => self.at += 1,
            }
        }
        Ok(())
    }

    fn string(&mut self) -> Result<alloc::borrow::Cow<'a, str>, JsonRefused> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut escaped = false;
        self.at += 1;
        while bytes[self.at] != b'"' {
            escaped |= bytes[self.at] == b'\\';
            self.at += if bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        let literal = &self.text[start..self.at];
        if !escaped {
            return Ok(literal[1..literal.len() - 1].into());
        }
        let string: String = serde_json::from_str(literal).map_err(|_| {
            self.at = start;
            self.refuse("a string holds half of a surrogate pair")
        })?;
        if string.contains('\0') {
            self.at = start;
            return Err(self.refuse("a string holds \\u0000"));
        }
        Ok(string.into())
    }

    fn number(&mut self) -> Result<(), JsonRefused> {
        let start = self.at;
        let rest = &self.text[start..];
        let length = rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let literal = &rest[..length];
        let fits = if literal.contains(['.', 'e', 'E']) {
            let nonzero = literal.split(['e', 'E']).next().is_some_and(|m| m.contains(|c| matches!(c, '1'..='9')));
            literal.parse::<f64>().is_ok_and(|value| value.is_finite() && (value != 0.0 || !nonzero))
        } else {
            literal.trim_start_matches('-').parse::<u64>().is_ok_and(|value| value <= MAX_SAFE_INTEGER)
        };
        if !fits {
            let shown = literal.chars().take(40).collect::<String>();
            let why = "is not a number every reader can hold (an integer up to 2^53-1, or a finite double); send it as a string";
            return Err(self.refuse(&format!("{shown} {why}")));
        }
        self.at += length;
        Ok(())
    }

    fn refuse(&self, why: &str) -> JsonRefused {
        JsonRefused(format!("{why} (at byte {})", self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_reader_understands_alike_comes_through_unchanged() {
        for text in [
            "null",
            "-0",
            "1.50",
            "9007199254740991",
            "-9007199254740991",
            "1e308",
            r#"{"a":{"a":1},"b":["x","x",{"a":2}]}"#,
            r#"{"a\"b":"}{,:\\","c":"\ud83d\ude00"}"#,
            "[[],{},[[]]]",
            "0e-400",
        ] {
            assert_eq!(Json::parse(text).unwrap().as_str(), text);
            assert_eq!(serde_json::to_string(&Json::parse(text).unwrap()).unwrap(), text);
        }
        let deep = format!("{}{}", "[".repeat(64), "]".repeat(64));
        assert!(Json::parse(&deep).is_ok());
    }

    #[test]
    fn what_readers_disagree_about_is_refused_by_name() {
        let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
        let deeper = "[".repeat(1_000_000);
        let wide = format!("{{{},\"k3\":0}}", (0..40).map(|i| format!("\"k{i}\":0")).collect::<Vec<_>>().join(","));
        for (text, says) in [
            (r#"{"a":1,"a":2}"#, "the key \"a\" stands twice"),
            (r#"{"a":1,"\u0061":2}"#, "the key \"a\" stands twice"),
            (r#"[{"x":{"b":1,"c":[],"b":2}}]"#, "the key \"b\" stands twice"),
            (wide.as_str(), "the key \"k3\" stands twice"),
            (deep.as_str(), "nested deeper than 64"),
            (deeper.as_str(), "not valid JSON"),
            ("9007199254740992", "not a number every reader can hold"),
            ("-9007199254740992", "not a number every reader can hold"),
            ("18446744073709551616", "not a number every reader can hold"),
            ("1e400", "not a number every reader can hold"),
            ("[1e-400]", "not a number every reader can hold"),
            (r#""\ud800""#, "half of a surrogate pair"),
            (r#"{"\ud800x":1}"#, "half of a surrogate pair"),
            (r#"["a\u0000"]"#, "\\u0000"),
            (r#"{"\u0000":1}"#, "\\u0000"),
            ("{", "not valid JSON"),
            ("1 2", "not valid JSON"),
            ("NaN", "not valid JSON"),
            ("", "not valid JSON"),
        ] {
            let error = Json::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text:.60}: {error}");
        }
        assert!(Json::check_bytes(b"\"\xff\"").is_err());
    }

    #[test]
    fn one_meaning_has_one_canonical_text() {
        let canonical = |text| Json::parse(text).unwrap().canonical();
        assert_eq!(canonical(r#"{"b":1, "a":[2]}"#), canonical(r#"{"a":[2],"b":1}"#));
        assert_ne!(canonical(r#"{"a":1}"#), canonical(r#"{"a":2}"#));
    }

    #[test]
    fn a_number_reads_as_the_nearest_double_as_every_other_reader_has_it() {
        for text in ["2.2250738585072011e-308", "123456789012345.678912", "9007199254740993.0", "0.1", "5e-324"] {
            let json = Json::parse(text).unwrap();
            assert_eq!(json.read::<f64>().unwrap().to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
            assert_eq!(Json::parse(&json.canonical()).unwrap().canonical(), json.canonical(), "{text}");
        }
    }
}
