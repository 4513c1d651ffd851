//! Making an application of a template: its files with its name in them, a manifest that stands alone, a lock file. All of it
//! is put together in memory first and written in one go; nothing is written anywhere else.

mod asked;
mod lock;
mod manifest;
mod name;
mod source;
mod templates;
mod write;

use std::path::Path;

use anyhow::{Context, Result};

pub(crate) use asked::ask;
pub(crate) use name::Name;
pub(crate) use source::Source;
pub(crate) use templates::{Template, find, names};
pub(crate) use write::{is_free, write};

/// A file of the new application: its path in it, and what it holds.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// The new application's files.
pub(crate) fn make(template: &Template, name: &Name, source: &Source) -> Result<Files> {
    let theirs = template.text("Cargo.toml")?;
    let package = manifest::package(theirs)?;
    let mut files = Files::new();
    for (path, bytes) in template.files {
        let bytes = match std::str::from_utf8(bytes) {
            Ok(text) if *path == "Cargo.toml" => {
                manifest::stand_alone(text, templates::MANIFEST, name, source)?.into_bytes()
            }
            Ok(text) => renamed(path, text, &package, name).into_bytes(),
            Err(_) => bytes.to_vec(),
        };
        files.push(((*path).to_owned(), bytes));
    }
    let lock = lock::of(templates::LOCK, &package, name, source).context("the template's lock file")?;
    files.push(("Cargo.lock".to_owned(), lock.into_bytes()));
    Ok(files)
}

/// The template's name as a word of its own becomes the application's: in Rust paths as an identifier, elsewhere as it is.
fn renamed(path: &str, text: &str, package: &str, name: &Name) -> String {
    let is_rust = Path::new(path).extension().is_some_and(|extension| extension == "rs");
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(package) {
        let (before, after) = (&rest[..at], &rest[at + package.len()..]);
        out.push_str(before);
        let starts = !out.ends_with(is_word) || out.ends_with("CARGO_BIN_EXE_");
        out.push_str(match starts && !after.starts_with(is_word) {
            true if is_rust && after.starts_with("::") => name.identifier(),
            true => name.as_str(),
            false => package,
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::{Name, renamed};

    #[test]
    fn the_name_is_replaced_where_it_is_a_word() {
        let name = Name::new("to-do").unwrap();
        let check = |path: &str, before: &str, after: &str| assert_eq!(renamed(path, before, "myapp", &name), after);
        check("src/main.rs", "use myapp::{server};", "use to_do::{server};");
        check("tests/a.rs", "env!(\"CARGO_BIN_EXE_myapp\")", "env!(\"CARGO_BIN_EXE_to-do\")");
        check("README.md", "# myapp\n`myapp`", "# to-do\n`to-do`");
        check("README.md", "myapps amyapp my_myapp", "myapps amyapp my_myapp");
        check("Dockerfile", "release/myapp ", "release/to-do ");
    }
}
