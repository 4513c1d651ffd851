//! The rolling digest of a scope's log: digest(c) = H(digest(c−1), change c). It proves that two sides mean the same
//! history by the same cursor; it is no signature, and nothing secret rests on it.

use core::fmt;

use alloc::string::String;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::Xxh3;

use crate::{Cursor, Millis, MutationId};

/// The digest of a scope's log up to some cursor: 64 bits, 16 hex digits on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Digest(pub u64);

impl Digest {
    /// The digest of an empty log.
    pub const EMPTY: Self = Self(0);

    /// The digest after one more change. Time and id are part of it: two histories with equal data at a cursor (the same
    /// todo toggled after a file was copied back) still differ.
    pub fn roll(self, cursor: Cursor, time: Millis, mutation: &MutationId, data: &str) -> Self {
        let mut hash = Xxh3::with_seed(self.0);
        hash.update(&cursor.0.to_le_bytes());
        hash.update(&time.0.to_le_bytes());
        hash.update(&(mutation.as_str().len() as u64).to_le_bytes());
        hash.update(mutation.as_str().as_bytes());
        hash.update(data.as_bytes());
        Self(hash.digest())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        u64::from_str_radix(&text, 16)
            .ok()
            .filter(|_| digits)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("a digest is 16 hex digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn each_part_of_a_change_counts_and_the_value_never_drifts() {
        let id = MutationId::new("m1").unwrap();
        let digest = |cursor, time, id: &MutationId, data| Digest::EMPTY.roll(Cursor(cursor), Millis(time), id, data);
        let one = digest(1, 5, &id, "{}");
        // Frozen: stored logs and clients of earlier builds carry these.
        assert_eq!(one.to_string(), "4fb878c24d210e5e");
        assert_ne!(one, digest(2, 5, &id, "{}"));
        assert_ne!(one, digest(1, 6, &id, "{}"));
        assert_ne!(one, digest(1, 5, &MutationId::new("m2").unwrap(), "{}"));
        assert_ne!(one, digest(1, 5, &id, "{ }"));
        assert_ne!(one, Digest(7).roll(Cursor(1), Millis(5), &id, "{}"));
    }

    #[test]
    fn only_sixteen_hex_digits_are_a_digest() {
        let json = serde_json::to_string(&Digest(255)).unwrap();
        assert_eq!(json, "\"00000000000000ff\"");
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), Digest(255));
        for bad in ["\"ff\"", "\"+0000000000000ff\"", "\"00000000000000fg\"", "7"] {
            assert!(serde_json::from_str::<Digest>(bad).is_err(), "{bad}");
        }
    }
}
