//! `cargo xtask purity`: riverrun-core has no standard library, so it can reach no file, socket, thread or clock. Proved
//! from three sides: its sources, the crates it stands on, and the features those crates are built with. The tests of
//! the core are judged as its sources are; what needs std stands in `crates/core/tests`.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::{
    metadata::{Resolved, tree},
    process::{cargo, output, stream},
    repo::{Repo, TextFile},
};

const CORE: &str = "riverrun-core";
const SOURCES: &str = "crates/core/src/";
const ROOT_MODULE: &str = "crates/core/src/lib.rs";

/// The target the core must also stand on: no operating system to lean on there.
const WASM: &str = "wasm32-unknown-unknown";

/// All that may be linked into the core, on either target.
const LINKED: [&str; 10] =
    [CORE, "itoa", "memchr", "ryu", "serde", "serde_core", "serde_json", "thiserror", "xxhash-rust", "zmij"];

/// What runs only in the compiler, on the machine that builds: the derives and what they are made of.
const COMPILER_ONLY: [&str; 6] = ["proc-macro2", "quote", "serde_derive", "syn", "thiserror-impl", "unicode-ident"];

/// Features by which an allowed crate would bring in the standard library, the host's clock or its time zones.
const FORBIDDEN_FEATURES: [&str; 5] = ["js", "std", "tz-system", "tzdb-concatenated", "tzdb-zoneinfo"];

/// An error that names everything impure, or nothing at all is.
pub(crate) fn run(repo: &Repo) -> Result<()> {
    let mut complaints = sources(&repo.text_files()?);
    for target in [None, Some(WASM)] {
        complaints.extend(linked(&tree(&repo.root, CORE, "normal,no-proc-macro", target)?));
    }
    complaints.extend(whole(&tree(&repo.root, CORE, "normal", None)?));
    if !complaints.is_empty() {
        let list: Vec<_> = complaints.into_iter().collect();
        bail!("riverrun-core is not pure:\n  {}", list.join("\n  "));
    }
    // Alone, so that no other member's features help it along.
    let mut check = vec!["check", "--package", CORE];
    if wasm_is_installed(repo) {
        check.extend(["--target", WASM]);
    }
    stream(cargo(&repo.root, &check))?;
    println!("riverrun-core is pure");
    Ok(())
}

fn wasm_is_installed(repo: &Repo) -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let args = ["--print", "target-libdir", "--target", WASM];
    output(crate::process::command(rustc, &repo.root, &args)).is_ok_and(|dir| std::path::Path::new(dir.trim()).is_dir())
}

/// What the core's sources say about std.
fn sources(files: &[TextFile]) -> BTreeSet<String> {
    let mut complaints = BTreeSet::new();
    let root = files.iter().find(|file| file.path == ROOT_MODULE);
    if !root.is_some_and(|file| file.text.lines().any(|line| line.trim() == "#![no_std]")) {
        complaints.insert(format!("{ROOT_MODULE} does not say #![no_std]"));
    }
    for file in files.iter().filter(|file| file.path.starts_with(SOURCES) && has_rust_name(&file.path)) {
        for (number, line) in (1..).zip(file.text.lines()) {
            let is_comment = line.trim_start().starts_with("//");
            if !is_comment && (names_std_path(line) || takes_std_in(line)) {
                complaints.insert(format!("{}:{number} reaches for std: {}", file.path, line.trim()));
            }
        }
    }
    complaints
}

fn has_rust_name(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extension == "rs")
}

/// `std::` as a path of its own, not the end of another word.
fn names_std_path(line: &str) -> bool {
    line.match_indices("std::").any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

fn takes_std_in(line: &str) -> bool {
    let words: Vec<_> =
        line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    words.windows(3).any(|three| three == ["extern", "crate", "std"])
        || words.windows(2).any(|two| two == ["use", "std"])
}

/// Crates that are linked and may not be, and features that would bring std back.
fn linked(crates: &BTreeSet<Resolved>) -> BTreeSet<String> {
    let mut complaints = BTreeSet::new();
    for resolved in crates {
        if !LINKED.contains(&resolved.name.as_str()) {
            complaints.insert(format!("stands on {}, which is not on the allow-list", resolved.name));
        }
        for feature in resolved.features.iter().filter(|feature| FORBIDDEN_FEATURES.contains(&feature.as_str())) {
            complaints.insert(format!("builds {} with its feature {feature:?}", resolved.name));
        }
    }
    complaints
}

/// Crates that are neither linked nor known to run in the compiler only.
fn whole(crates: &BTreeSet<Resolved>) -> BTreeSet<String> {
    let known = |name: &str| LINKED.contains(&name) || COMPILER_ONLY.contains(&name);
    crates
        .iter()
        .filter(|resolved| !known(&resolved.name))
        .map(|resolved| format!("stands on {}, which is not on the allow-list", resolved.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{linked, sources, whole};
    use crate::{metadata::Resolved, repo::TextFile};

    fn complaints_about(lib: &str) -> usize {
        sources(&[TextFile { path: "crates/core/src/lib.rs".to_owned(), text: lib.to_owned() }]).len()
    }

    fn crates(name: &str, features: &[&str]) -> BTreeSet<Resolved> {
        let features = features.iter().map(|&feature| feature.to_owned()).collect();
        [Resolved { name: name.to_owned(), version: "v1.0.0".to_owned(), features }].into()
    }

    #[test]
    fn only_a_comment_may_name_std() {
        assert_eq!(complaints_about("#![no_std]\nextern crate alloc;\n/// Not `std::fs`.\nuse alloc::vec::Vec;\n"), 0);
        assert_eq!(complaints_about("#![no_std]\nlet my_std::name;\n"), 0);
        assert_eq!(complaints_about("extern crate alloc;\n"), 1);
        assert_eq!(complaints_about("//! #![no_std]\n"), 1);
        assert_eq!(complaints_about("#![no_std]\nextern  crate std;\n"), 1);
        assert_eq!(complaints_about("#![no_std]\n    pub(crate) extern crate std as world;\n"), 1);
        assert_eq!(complaints_about("#![no_std]\nuse std::time::Instant;\n"), 1);
        assert_eq!(complaints_about("#![no_std]\nlet now = ::std::time::Instant::now();\n"), 1);
        assert_eq!(complaints_about("#![no_std]\nuse std as world;\n"), 1);
    }

    #[test]
    fn without_a_root_module_the_core_is_not_pure() {
        assert_eq!(sources(&[]).len(), 1);
    }

    #[test]
    fn a_crate_off_the_list_and_a_feature_that_needs_std_are_named() {
        assert_eq!(linked(&crates("serde", &["alloc", "derive"])).len(), 0);
        assert_eq!(linked(&crates("serde", &["alloc", "std"])).len(), 1);
        assert_eq!(linked(&crates("memchr", &["alloc", "std"])).len(), 1);
        assert_eq!(linked(&crates("tokio", &["rt"])).len(), 1);
        assert_eq!(linked(&crates("syn", &[])).len(), 1, "the compiler's crates must not be linked");
        assert_eq!(whole(&crates("syn", &[])).len(), 0);
        assert_eq!(whole(&crates("tokio", &[])).len(), 1);
    }
}
