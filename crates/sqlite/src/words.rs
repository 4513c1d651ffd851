//! Two words an application's SQL may not hold. `ROLLBACK`, as a conflict's resolution or in a trigger, would end the
//! transaction of the whole batch; a `DEFERRED` foreign key would fail only at the batch's commit: both make one
//! mutation's mistake everyone's, again at every retry. This reads words only; what a statement does is the guard's.

/// The words, and why each is refused.
const REFUSED: [(&str, &str); 2] = [
    ("ROLLBACK", "ROLLBACK would undo the other mutations of the batch; use ABORT"),
    ("DEFERRED", "a DEFERRED foreign key would fail the whole batch at its commit; declare it IMMEDIATE"),
];

/// Why this SQL is refused, if it is. Strings, quoted names and comments don't count.
pub(crate) fn refused(sql: &str) -> Option<&'static str> {
    let bytes = sql.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = &sql[at..];
        at += match byte {
            b'\'' | b'"' | b'`' => 1 + until(&rest[1..], char::from(byte), 1),
            b'[' => 1 + until(&rest[1..], ']', 1),
            b'-' if rest.starts_with("--") => until(rest, '\n', 1),
            b'/' if rest.starts_with("/*") => rest[2..].find("*/").map_or(rest.len(), |end| end + 4),
            _ if is_word(byte) => {
                let length = rest.bytes().position(|byte| !is_word(byte)).unwrap_or(rest.len());
                let word = &rest[..length];
                if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| word.eq_ignore_ascii_case(refused)) {
                    return Some(why);
                }
                length
            }
            _ => 1,
        };
    }
    None
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The length up to and with the next `end`. A doubled quote ends one string and begins the next: the same to a reader
/// of words.
fn until(text: &str, end: char, with: usize) -> usize {
    text.find(end).map_or(text.len(), |found| found + with)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_found_wherever_they_mean_something() {
        for sql in [
            "INSERT OR rollback INTO t VALUES (1)",
            "CREATE TABLE t (a UNIQUE ON CONFLICT ROLLBACK)",
            "CREATE TRIGGER g BEFORE INSERT ON t BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
            "CREATE TABLE t (a REFERENCES u DEFERRABLE INITIALLY/**/DEFERRED)",
            "ROLLBACK",
            "SELECT 'it''s' ; ROLLBACK",
            "-- 'quote\nROLLBACK",
        ] {
            assert!(refused(sql).is_some(), "{sql}");
        }
    }

    #[test]
    fn the_words_are_allowed_as_texts_names_and_comments() {
        for sql in [
            "SELECT 'ROLLBACK'",
            "SELECT \"rollback\", `deferred`, [ROLLBACK] FROM t",
            "SELECT rollback_count, no_rollback, rollbacké FROM t",
            "SELECT 1 -- ROLLBACK",
            "SELECT /* ROLLBACK */ 1",
            "SELECT 'it''s ROLLBACK'",
            "SELECT 'unended ROLLBACK",
            "SELECT /* unended ROLLBACK",
            "é'ROLLBACK'",
            "",
        ] {
            assert_eq!(refused(sql), None, "{sql}");
        }
    }
}
