//! The rule of the open door: every module begins by saying what it is for and what it must never do. Whether it says so
//! well is for people to judge; here it is only checked that it says something.

use super::{Finding, Findings};
use crate::repo::TextFile;

pub(super) fn check(file: &TextFile, findings: &mut Findings) {
    let first = file.text.lines().map(str::trim).find(|line| !line.is_empty());
    let says_something = first.and_then(|line| line.strip_prefix("//!")).is_some_and(|words| !words.trim().is_empty());
    if is_module(&file.path) && !says_something {
        let text = "opens without `//!`: say what it is for and what it must never do".to_owned();
        findings.broken.push(Finding { place: file.path.clone(), line: Some(1), text });
    }
}

/// `crates/*/src/**.rs` and this crate's own.
pub(super) fn is_module(path: &str) -> bool {
    let mut folders = path.split('/');
    let in_sources = match folders.next() {
        Some("crates") => folders.nth(1) == Some("src"),
        Some("xtask") => folders.next() == Some("src"),
        _ => false,
    };
    in_sources && folders.next_back().is_some_and(|name| name.rsplit_once('.').is_some_and(|(_, end)| end == "rs"))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::{repo::TextFile, tidy::Findings};

    fn broken(path: &str, text: &str) -> usize {
        let mut findings = Findings::default();
        check(&TextFile { path: path.to_owned(), text: text.to_owned() }, &mut findings);
        findings.broken.len()
    }

    #[test]
    fn a_module_opens_with_words_about_itself() {
        assert_eq!(broken("crates/core/src/tx.rs", "\n//! The open transaction.\nuse alloc::vec;\n"), 0);
        assert_eq!(broken("crates/core/src/wire/push.rs", "use alloc::vec;\n//! Too late.\n"), 1);
        assert_eq!(broken("crates/core/src/tx.rs", "// The open transaction.\n"), 1);
        assert_eq!(broken("crates/core/src/tx.rs", "//!\n"), 1);
        assert_eq!(broken("crates/core/src/tx.rs", ""), 1);
        assert_eq!(broken("xtask/src/tidy/size.rs", "use super::Findings;\n"), 1);
    }

    #[test]
    fn tests_and_other_languages_open_as_they_like() {
        assert_eq!(broken("crates/live/tests/topics.rs", "use common;\n"), 0);
        assert_eq!(broken("crates/core/src/data.json", "{}\n"), 0);
        assert_eq!(broken("templates/sync/src/main.rs", "fn main() {}\n"), 0);
    }
}
