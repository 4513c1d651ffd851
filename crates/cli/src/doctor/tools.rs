//! The tools an application is built with: cargo, the Rust version, a C compiler for the bundled SQLite, git.

use std::process::Command;

use super::Finding;

/// The Rust version applications are written for, as their manifests say.
const RUST: &str = env!("CARGO_PKG_RUST_VERSION");

pub(crate) fn look() -> Vec<Finding> {
    vec![rust(), compiler(), git()]
}

fn rust() -> Finding {
    let Some(told) = first_line("rustc", &["--version"]) else {
        return Finding::wrong("rust", format!("rustc was not found; install Rust {RUST} or later, with cargo"));
    };
    if first_line("cargo", &["--version"]).is_none() {
        return Finding::wrong("rust", format!("{told} is here, cargo was not found; install it beside"));
    }
    let version = told.split_whitespace().nth(1).unwrap_or_default();
    if is_enough(version) {
        Finding::well("rust", told)
    } else {
        Finding::wrong("rust", format!("{told} is too old; Rust {RUST} or later is needed"))
    }
}

fn is_enough(version: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> { text.split(['.', '-']).map_while(|part| part.parse().ok()).collect() };
    numbers(version) >= numbers(RUST)
}

fn compiler() -> Finding {
    // What the build script of the bundled SQLite asks for, in its order.
    let named = std::env::var("CC").ok().filter(|name| !name.is_empty());
    let candidates = named.as_deref().map_or_else(|| vec!["cc", "gcc", "clang"], |name| vec![name]);
    match candidates.iter().find_map(|name| first_line(name, &["--version"])) {
        Some(told) => Finding::well("c compiler", told),
        None => Finding::wrong("c compiler", "none was found; SQLite is built with one: install gcc or clang"),
    }
}

fn git() -> Finding {
    match first_line("git", &["--version"]) {
        Some(told) => Finding::well("git", told),
        None => Finding::note("git", "was not found; `riverrun new` then makes no repository"),
    }
}

fn first_line(program: &str, args: &[&str]) -> Option<String> {
    let told = Command::new(program).args(args).output().ok().filter(|told| told.status.success())?;
    String::from_utf8_lossy(&told.stdout).lines().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{RUST, is_enough};

    #[test]
    fn a_version_is_compared_by_its_numbers() {
        assert!(is_enough(RUST));
        assert!(is_enough("1.100.0"));
        assert!(is_enough("2.0.0-nightly"));
        assert!(!is_enough("1.9.0"));
        assert!(!is_enough(""));
    }
}
