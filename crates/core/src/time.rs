//! A moment, as the contract counts it: milliseconds since 1970 in UTC. Reading a clock is never done here.

use alloc::string::{String, ToString};
use core::fmt;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Millis(pub i64);

impl Millis {
    /// This moment less a span, not before the beginning of the count.
    pub fn minus(self, millis: i64) -> Self {
        Self(self.0.saturating_sub(millis).max(0))
    }
}

impl fmt::Display for Millis {
    /// As on the wire: `2026-11-22T10:00:00.000Z`. A moment outside the calendar's years is shown as the nearest one in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        write!(f, "{moment:.3}")
    }
}

impl serde::Serialize for Millis {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.to_string())
    }
}

impl<'de> serde::Deserialize<'de> for Millis {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let moment: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(moment.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_to_the_millisecond_in_utc() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_341_600_000, "2026-11-22T10:00:00.000Z"),
            (951_782_400_123, "2000-02-29T00:00:00.123Z"),
        ] {
            assert_eq!(Millis(millis).to_string(), text);
            let back: Millis = serde_json::from_str(&serde_json::to_string(&Millis(millis)).unwrap()).unwrap();
            assert_eq!(back, Millis(millis));
        }
    }
}
