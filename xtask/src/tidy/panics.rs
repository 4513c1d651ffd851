//! The rule that a server does not fall over: no `unwrap` and no `expect` in a crate's own code, unless the reason why it
//! can't fail stands beside it as `// can't fail: …`. Reads lines, not syntax: it relies on the formatting that
//! `cargo fmt` enforces, and must stay simple enough to be trusted.

use super::{Finding, Findings, Kind, kind};
use crate::repo::TextFile;

const CALLS: [&str; 2] = [".unwrap()", ".expect("];
const REASON: &str = "// can't fail:";

pub(super) fn check(file: &TextFile, findings: &mut Findings) {
    if !file.path.starts_with("crates/") || !super::opening::is_module(&file.path) || kind(&file.path) == Kind::Test {
        return;
    }
    let lines: Vec<&str> = file.text.lines().collect();
    for at in shipped(&lines) {
        let code = lines[at].split("//").next().unwrap_or_default();
        for call in CALLS.into_iter().filter(|call| code.contains(call)) {
            if !has_reason(&lines, at) {
                let text = format!("`{call}`: return an error, or say why not above it with `{REASON} …`");
                findings.broken.push(Finding { place: file.path.clone(), line: Some(at + 1), text });
            }
        }
    }
}

/// The indexes of the lines that are not under `#[cfg(test)]`.
fn shipped(lines: &[&str]) -> Vec<usize> {
    let mut shipped = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        if lines[at].trim() == "#![cfg(test)]" {
            return Vec::new();
        } else if lines[at].trim() == "#[cfg(test)]" {
            at = end_of_item(lines, at + 1);
        } else {
            shipped.push(at);
        }
        at += 1;
    }
    shipped
}

/// The last line of the item that begins at `start`: formatted code closes a block where it opened it.
fn end_of_item(lines: &[&str], start: usize) -> usize {
    let mut at = start;
    while at < lines.len() {
        let line = lines[at].trim_end();
        let is_first_word = !line.trim_start().starts_with(['#', '/']);
        if is_first_word && line.ends_with('{') {
            let indent = &line[..line.len() - line.trim_start().len()];
            let end = (at + 1..lines.len())
                .find(|&below| lines[below].strip_prefix(indent).is_some_and(|rest| rest.starts_with('}')));
            return end.unwrap_or(lines.len());
        }
        if is_first_word && (line.ends_with([';', ',']) || line.ends_with('}')) {
            return at;
        }
        at += 1;
    }
    at
}

/// Whether the reason stands on the line, or above it: in the comment before it, or before or inside the chain of calls
/// that it ends.
fn has_reason(lines: &[&str], at: usize) -> bool {
    if lines[at].contains(REASON) {
        return true;
    }
    let mut in_chain = lines[at].trim_start().starts_with(['.', ')', '}', ']']);
    for line in lines[..at].iter().rev() {
        let line = line.trim_start();
        let is_comment = line.starts_with("//");
        if line.contains(REASON) && (is_comment || in_chain) {
            return true;
        }
        if !is_comment {
            if !in_chain {
                return false;
            }
            in_chain = line.starts_with(['.', ')', '}', ']']);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::{repo::TextFile, tidy::Findings};

    fn broken_lines(path: &str, text: &str) -> Vec<usize> {
        let mut findings = Findings::default();
        check(&TextFile { path: path.to_owned(), text: text.to_owned() }, &mut findings);
        findings.broken.iter().filter_map(|finding| finding.line).collect()
    }

    fn check_lines(text: &str, expected: &[usize]) {
        assert_eq!(broken_lines("crates/core/src/tx.rs", text), expected, "{text}");
    }

    #[test]
    fn a_call_that_panics_is_found() {
        check_lines("fn a() {\n    b().unwrap();\n    c()\n        .expect(\"c\");\n}\n", &[2, 4]);
        check_lines("fn a() {\n    b().unwrap_or_default();\n    c().expect_err;\n}\n", &[]);
    }

    #[test]
    fn a_comment_may_speak_of_it() {
        check_lines("/// Do not `.unwrap()` this.\nfn a() {} // nor .expect( it\n", &[]);
    }

    #[test]
    fn a_reason_beside_it_allows_it() {
        check_lines("b().unwrap(); // can't fail: checked above\n", &[]);
        check_lines("// can't fail: checked above,\n// and again there\nlet x = b().unwrap();\n", &[]);
        check_lines("// can't fail: checked above\nlet x = b()\n    .c()\n    .unwrap();\n", &[]);
        check_lines("let x = b()\n    // can't fail: checked above\n    .unwrap();\n", &[]);
    }

    #[test]
    fn a_reason_given_for_another_line_does_not() {
        check_lines("// can't fail: checked above\nlet x = 1;\nlet y = b().unwrap();\n", &[3]);
        check_lines("a().unwrap(); // can't fail: checked above\nb().unwrap();\n", &[2]);
        check_lines("// for some reason\nlet y = b().unwrap();\n", &[2]);
    }

    #[test]
    fn tests_may_panic_and_what_stands_below_them_may_not() {
        let text = "#[cfg(test)]\nuse a::b;\nfn c() {\n    #[cfg(test)]\n    {\n        d().unwrap();\n    }\n    d().unwrap();\n}\n\n\
                    #[cfg(test)]\n#[allow(dead_code)]\nmod tests {\n    fn e() {\n        f().unwrap();\n    }\n}\nfn g() {\n    h().unwrap();\n}\n";
        check_lines(text, &[8, 19]);
        check_lines("#![cfg(test)]\nfn a() {\n    b().unwrap();\n}\n", &[]);
    }

    #[test]
    fn only_what_ships_is_read() {
        let text = "fn a() {\n    b().unwrap();\n}\n";
        for path in ["crates/live/tests/topics.rs", "crates/engine/src/memory/tests.rs", "crates/testkit/src/lib.rs"] {
            assert!(broken_lines(path, text).is_empty(), "{path}");
        }
        assert_eq!(broken_lines("crates/live/src/server.rs", text), [2]);
    }
}
