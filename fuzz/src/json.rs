//! A second opinion on JSON, written without a look at the door: what a careful reader of any other make would find in a
//! text. It must stay simple, and share no code with what it judges.

use std::{collections::HashSet, fmt};

use riverrun_core::limits;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};

/// What was found in a text.
pub(crate) struct Seen {
    /// Levels of nesting.
    pub(crate) depth: usize,
}

impl Seen {
    /// Reads a whole text; an error says what a strict reader minds about it.
    pub(crate) fn of(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Look)
    }
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON that every reader understands alike")
    }

    fn visit_unit<E: Error>(self) -> Result<Seen, E> {
        Ok(Seen { depth: 0 })
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Seen, E> {
        Ok(Seen { depth: 0 })
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Seen, E> {
        if number > limits::MAX_SAFE_INTEGER { Err(E::custom("an integer too large")) } else { Ok(Seen { depth: 0 }) }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Seen, E> {
        self.visit_u64(number.unsigned_abs())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Seen, E> {
        if number.is_finite() { Ok(Seen { depth: 0 }) } else { Err(E::custom("a number that is none")) }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Seen, E> {
        if text.contains('\0') { Err(E::custom("a NUL")) } else { Ok(Seen { depth: 0 }) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Seen, A::Error> {
        let mut depth = 0;
        while let Some(inner) = seq.next_element::<Seen>()? {
            depth = depth.max(inner.depth);
        }
        Ok(Seen { depth: depth + 1 })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Seen, A::Error> {
        let (mut depth, mut keys) = (0, HashSet::new());
        while let Some(key) = map.next_key::<String>()? {
            if key.contains('\0') {
                return Err(A::Error::custom("a NUL in a key"));
            }
            if !keys.insert(key) {
                return Err(A::Error::custom("a key that stands twice"));
            }
            depth = depth.max(map.next_value::<Seen>()?.depth);
        }
        Ok(Seen { depth: depth + 1 })
    }
}
