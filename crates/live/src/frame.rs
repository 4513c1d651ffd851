//! A frame to be sent: serialised once, shared by all who read it. Cloning costs a reference count; the text is never
//! looked into here.

use axum::extract::ws::Utf8Bytes;
use serde::Serialize;

/// One outgoing text frame. Cheap to clone: all clones share one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Utf8Bytes);

#[derive(Serialize)]
struct Envelope<'a, T: ?Sized> {
    topic: &'a str,
    data: &'a T,
}

impl Frame {
    /// `{"topic":…,"data":…}`. Fails only if `data` cannot be written as JSON (a map with keys that are not text, or
    /// its own `Serialize` says so).
    ///
    /// ```
    /// # use riverrun_live::Frame;
    /// let frame = Frame::envelope("chat:1", &["hello"]).unwrap();
    /// assert_eq!(frame.as_str(), r#"{"topic":"chat:1","data":["hello"]}"#);
    /// ```
    pub fn envelope<T: Serialize + ?Sized>(topic: &str, data: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_string(&Envelope { topic, data }).map(Self::from_text)
    }

    /// A frame that is an envelope already. What it holds is the caller's word; it is sent as it stands.
    pub fn from_text(text: String) -> Self {
        Self(Utf8Bytes::from(text))
    }

    /// The text that goes out.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_ws(self) -> axum::extract::ws::Message {
        axum::extract::ws::Message::Text(self.0)
    }
}
