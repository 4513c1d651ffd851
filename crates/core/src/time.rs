//! A moment, as the contract counts it: milliseconds since 1970 in UTC. It is written and read in the one form the wire
//! has, so no calendar library stands below this crate. Reading a clock is never done here.

use alloc::string::{String, ToString};
use core::fmt;

const DAY: i64 = 24 * 60 * 60 * 1000;

/// The first and the last moment with a year of four digits.
const FIRST: i64 = -62_167_219_200_000;
const LAST: i64 = 253_402_300_799_999;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Millis(pub i64);

impl Millis {
    /// This moment less a span, not before the beginning of the count.
    pub fn minus(self, millis: i64) -> Self {
        Self(self.0.saturating_sub(millis).max(0))
    }

    /// Reads the form [`Display`](fmt::Display) writes; a fraction may have any number of digits, or be left out.
    fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
        let [year, month, day] = fields(date, '-', [4, 2, 2])?;
        let [hour, minute, second] = fields(time, ':', [2, 2, 2])?;
        if fraction.is_empty() || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let milli = fraction.bytes().chain([b'0'; 2]).take(3).fold(0, |all, digit| all * 10 + i64::from(digit - b'0'));
        let days = days_of(year, month, day);
        // A date that isn't in the calendar (30 February) comes back as another one.
        if hour > 23 || minute > 59 || second > 59 || date_of(days) != (year, month, day) {
            return None;
        }
        Some(Self(days * DAY + ((hour * 60 + minute) * 60 + second) * 1000 + milli))
    }
}

/// Numbers with exactly these many digits between separators.
fn fields(text: &str, separator: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; 3];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part =
            parts.next().filter(|part| part.len() == digits && part.bytes().all(|digit| digit.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Days since 1970 of a date. Years are counted from March, so that a leap day is the last of its year; the calendar
/// repeats every 400 of them, which are 146,097 days.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date of a day: the other way.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = (from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * from_march + 2) / 5 + 1)
}

impl fmt::Display for Millis {
    /// As on the wire: `2026-11-22T10:00:00.000Z`. A moment outside the calendar's years is shown as the nearest one in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = self.0.clamp(FIRST, LAST);
        let (year, month, day) = date_of(moment.div_euclid(DAY));
        let rest = moment.rem_euclid(DAY);
        let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
        let (second, milli) = (rest / 1000 % 60, rest % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
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
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("a time is written like 2026-11-22T10:00:00.000Z"))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn a_moment_is_written_to_the_millisecond_in_utc() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (1_795_341_600_000, "2026-11-22T10:00:00.000Z"),
            (951_782_400_123, "2000-02-29T00:00:00.123Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (FIRST, "0000-01-01T00:00:00.000Z"),
            (LAST, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Millis(millis).to_string(), text);
            let back: Millis = serde_json::from_str(&serde_json::to_string(&Millis(millis)).unwrap()).unwrap();
            assert_eq!(back, Millis(millis));
        }
        assert_eq!(Millis(i64::MAX).to_string(), Millis(LAST).to_string());
        assert_eq!(Millis(i64::MIN).to_string(), Millis(FIRST).to_string());
    }

    #[test]
    fn every_day_of_400_years_follows_on_the_one_before() {
        let mut before = date_of(-1);
        for day in 0..146_097 {
            let (year, month, date) = date_of(day);
            assert_eq!(days_of(year, month, date), day);
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            let is_last = |(_, month, date): (i64, i64, i64)| last[usize::try_from(month).unwrap() - 1] == date;
            let follows = match before {
                (y, 12, 31) => (year, month, date) == (y + 1, 1, 1),
                (y, m, _) if date == 1 => (year, month) == (y, m + 1) && is_last(before),
                (y, m, d) => (year, month, date) == (y, m, d + 1),
            };
            assert!(follows, "{year}-{month}-{date} after {before:?}");
            before = (year, month, date);
        }
    }

    #[test]
    fn only_the_wire_s_form_is_read_and_only_what_the_calendar_has() {
        let read = |text: &str| serde_json::from_str::<Millis>(&format!("\"{text}\"")).ok();
        assert_eq!(read("1970-01-01T00:00:01Z"), Some(Millis(1000)));
        assert_eq!(read("1970-01-01T00:00:00.5Z"), Some(Millis(500)));
        assert_eq!(read("1970-01-01T00:00:00.123456Z"), Some(Millis(123)));
        for text in [
            "",
            "1970-01-01",
            "1970-01-01T00:00:00",
            "1970-01-01T00:00:00+01:00",
            "1970-02-30T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "1970-13-01T00:00:00Z",
            "1970-00-01T00:00:00Z",
            "1970-01-01T24:00:00Z",
            "1970-01-01T00:60:00Z",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:00.-1Z",
            "+970-01-01T00:00:00Z",
            "1970-1-01T00:00:00Z",
            "1970-01-01-01T00:00:00Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
