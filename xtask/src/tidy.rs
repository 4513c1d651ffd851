//! `cargo xtask tidy`: the rules of the house, as a test. Each rule is a file of its own beside this one, reads text or
//! cargo's answers, and reports; none of them changes anything.

mod budget;
mod opening;
mod panics;
mod size;
mod walls;
mod words;

use std::fmt;

use anyhow::{Result, bail};

use crate::{metadata::Metadata, repo::Repo};

/// Something a rule has found, and where.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    /// A path, or a crate's name.
    place: String,
    /// Counted from 1; `None` when it is about the whole.
    line: Option<usize>,
    text: String,
}

/// What all rules found together.
#[derive(Default)]
struct Findings {
    /// Each of these is a failure.
    broken: Vec<Finding>,
    /// Worth a look, no failure.
    advice: Vec<Finding>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.place, self.text),
            None => write!(f, "{}: {}", self.place, self.text),
        }
    }
}

/// An error that names every broken rule.
pub(crate) fn run(repo: &Repo) -> Result<()> {
    let findings = check(repo)?;
    for finding in &findings.advice {
        println!("worth a look: {finding}");
    }
    if findings.broken.is_empty() {
        println!("the rules are kept");
        return Ok(());
    }
    let list: Vec<_> = findings.broken.iter().map(ToString::to_string).collect();
    bail!("{} broken rules:\n  {}", list.len(), list.join("\n  "))
}

fn check(repo: &Repo) -> Result<Findings> {
    let files = repo.text_files()?;
    let metadata = Metadata::load(&repo.root)?;
    let mut findings = Findings::default();
    for file in &files {
        size::check(file, &mut findings);
        opening::check(file, &mut findings);
        panics::check(file, &mut findings);
        words::check(file, &mut findings);
    }
    walls::check(&repo.root, &metadata, &mut findings)?;
    budget::check(&repo.root, &metadata, &mut findings)?;
    Ok(findings)
}

/// How a path's file is judged.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// Rust or TypeScript (or JavaScript) that ships or builds what ships.
    Source,
    /// The same languages, run by tests only.
    Test,
    /// Anything else, and what a build has made.
    Other,
}

const LANGUAGES: [&str; 6] = ["rs", "ts", "tsx", "js", "mjs", "cjs"];

/// Folders whose files run in tests only; so do the crate of test suites and a file named after its module's tests.
const TEST_FOLDERS: [&str; 4] = ["benches", "e2e", "test", "tests"];
const TEST_CRATE: &str = "crates/testkit/";

/// A folder of this name holds what a build has made.
const BUILT: &str = "dist";

fn kind(path: &str) -> Kind {
    let mut folders: Vec<_> = path.split('/').collect();
    let name = folders.pop().unwrap_or_default();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    if !LANGUAGES.contains(&extension) || folders.contains(&BUILT) {
        return Kind::Other;
    }
    // The chore named `test` is no test.
    let in_test_folder = !path.starts_with("xtask/src/") && folders.iter().any(|folder| TEST_FOLDERS.contains(folder));
    if in_test_folder || stem == "tests" || path.starts_with(TEST_CRATE) { Kind::Test } else { Kind::Source }
}

#[cfg(test)]
mod tests {
    use super::{Kind, check, kind};
    use crate::repo::Repo;

    #[test]
    fn the_repository_keeps_its_rules() {
        let broken: Vec<_> = check(&Repo::find().unwrap()).unwrap().broken.iter().map(ToString::to_string).collect();
        assert!(broken.is_empty(), "broken rules, see `cargo xtask tidy`:\n{}", broken.join("\n"));
    }

    #[test]
    fn a_path_says_whether_its_file_ships() {
        for path in ["crates/core/src/tx.rs", "packages/client/src/core/tx.ts", "xtask/src/test/counts.rs", "build.rs"]
        {
            assert_eq!(kind(path), Kind::Source, "{path}");
        }
        for path in [
            "crates/live/tests/common/mod.rs",
            "crates/engine/src/memory/tests.rs",
            "crates/testkit/src/lib.rs",
            "packages/client/test/queue.test.ts",
            "e2e/offline.test.mjs",
        ] {
            assert_eq!(kind(path), Kind::Test, "{path}");
        }
        for path in ["README.md", "packages/client/dist/client.js", "templates/sync/assets/css/style.css", "rs"] {
            assert_eq!(kind(path), Kind::Other, "{path}");
        }
    }
}
