//! Dates from milliseconds since 1970, in UTC, without a library for them. It must never guess a time zone.

use std::fmt::Write as _;

use minijinja::{Error, ErrorKind};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAY_MS: i64 = 86_400_000;

/// Milliseconds a date may lie from 1970: year 0 to year 9999, what a four-digit year can say.
const RANGE_MS: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

/// `{{ todo.created | date }}` (`2026-11-22`), `{{ todo.created | date("%e %B %Y, %H:%M") }}`: `%Y %m %d %e %H %M %S %B
/// %b %%`.
pub(crate) fn date(ms: i64, format: Option<&str>) -> Result<String, Error> {
    if !RANGE_MS.contains(&ms) {
        return Err(Error::new(ErrorKind::InvalidOperation, format!("{ms} ms is no date of the years 0 to 9999")));
    }
    let (year, month, day) = civil(ms.div_euclid(DAY_MS));
    let seconds = ms.rem_euclid(DAY_MS) / 1_000;
    let name = usize::try_from(month - 1).ok().and_then(|month| MONTHS.get(month)).copied().unwrap_or_default();
    let mut text = String::new();
    let mut format = format.unwrap_or("%Y-%m-%d").chars();
    while let Some(sign) = format.next() {
        if sign != '%' {
            text.push(sign);
            continue;
        }
        match format.next() {
            Some('Y') => write!(text, "{year:04}"),
            Some('m') => write!(text, "{month:02}"),
            Some('d') => write!(text, "{day:02}"),
            Some('e') => write!(text, "{day}"),
            Some('H') => write!(text, "{:02}", seconds / 3_600),
            Some('M') => write!(text, "{:02}", seconds / 60 % 60),
            Some('S') => write!(text, "{:02}", seconds % 60),
            Some('B') => write!(text, "{name}"),
            Some('b') => write!(text, "{}", name.get(..3).unwrap_or_default()),
            Some('%') => write!(text, "%"),
            other => {
                let other = other.map(String::from).unwrap_or_default();
                return Err(Error::new(ErrorKind::InvalidOperation, format!("date knows no `%{other}`")));
            }
        }?;
    }
    Ok(text)
}

/// Year, month and day of a number of days since 1970-01-01, by Howard Hinnant's `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ms: i64, format: &str, text: &str) {
        assert_eq!(date(ms, Some(format)).unwrap(), text);
    }

    #[test]
    fn milliseconds_become_the_date_in_utc() {
        check(0, "%Y-%m-%d %H:%M:%S", "1970-01-01 00:00:00");
        check(-1, "%Y-%m-%d %H:%M:%S", "1969-12-31 23:59:59");
        check(951_782_400_000, "%e %B %Y", "29 February 2000");
        check(1_795_358_508_123, "%d %b %Y %H:%M:%S %%", "22 Nov 2026 14:41:48 %");
        check(253_402_300_799_999, "%Y-%m-%d", "9999-12-31");
    }

    #[test]
    fn what_is_no_date_is_an_error() {
        assert!(date(i64::MAX, None).is_err());
        assert!(date(0, Some("%Q")).is_err());
        assert!(date(0, Some("%")).is_err());
    }
}
