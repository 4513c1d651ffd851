//! An application's name: what cargo takes for a package, and nothing that would collide with what the application is built
//! of.

use std::fmt;

/// The longest name: the directory, the crate and the program are called by it.
const LONGEST: usize = 64;

/// Names cargo or the compiler keep for themselves, and crates every application has.
const TAKEN: [&str; 66] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "axum",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "include_dir",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "riverrun",
    "self",
    "serde",
    "serde_json",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "thiserror",
    "tokio",
    "tower",
    "tracing",
    "trait",
    "true",
    "try",
    "type",
    "unsafe",
    "use",
    "uuid",
    "where",
    "while",
];

/// A checked name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    name: String,
    identifier: String,
}

impl Name {
    /// A name, or why it is none.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if text.is_empty() || text.len() > LONGEST || !text.chars().all(fits) {
            return Err(format!("a name is 1 to {LONGEST} letters, digits, - and _; {text:?} is none"));
        }
        if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(format!("a name begins with a letter; {text:?} does not"));
        }
        let identifier = text.replace('-', "_");
        let is_taken = TAKEN.iter().any(|taken| identifier.eq_ignore_ascii_case(taken));
        if is_taken || identifier.to_ascii_lowercase().starts_with("riverrun_") {
            return Err(format!("{text:?} is the name of something the application is built with; take another"));
        }
        Ok(Self { name: text.to_owned(), identifier })
    }

    /// As the package is called.
    pub(crate) fn as_str(&self) -> &str {
        &self.name
    }

    /// As Rust calls the crate.
    pub(crate) fn identifier(&self) -> &str {
        &self.identifier
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Name, TAKEN};

    #[test]
    fn a_name_is_what_cargo_takes_and_what_collides_with_nothing() {
        for good in ["myapp", "my-app", "my_app2", "A"] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "2do", "-a", "a b", "é", "a.b", "../a", "test", "Tokio", "async", "riverrun-app", long.as_str()]
        {
            assert!(Name::new(bad).is_err(), "{bad}");
        }
        assert!(TAKEN.is_sorted());
    }
}
