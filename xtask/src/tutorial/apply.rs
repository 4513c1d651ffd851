//! Does one step of a page to an application's files. A place that is not there, or there twice, is an error: the page
//! is out of date then, and guessing would hide it. Files outside of the application's folder are never touched.

use std::{
    fs,
    path::{Component, Path},
};

use anyhow::{Context, Result, ensure};

use super::page::{Hunk, Step, What};

pub(super) fn apply(app: &Path, step: &Step) -> Result<()> {
    let below = Path::new(&step.path);
    let stays_inside = below.components().all(|part| matches!(part, Component::Normal(_)));
    ensure!(stays_inside, "{} is no file of the application", step.path);
    let file = app.join(below);
    let read = || fs::read_to_string(&file).with_context(|| format!("failed to read {}", step.path));
    let write = |text: &str| fs::write(&file, text).with_context(|| format!("failed to write {}", step.path));
    match &step.what {
        What::New(text) => {
            ensure!(!file.exists(), "{} is there already", step.path);
            write(text)
        }
        What::Quote(lines) => {
            let text = read()?;
            find(&text.lines().collect::<Vec<_>>(), lines).with_context(|| step.path.clone()).map(drop)
        }
        What::Change(hunks) => write(&change(&read()?, hunks).with_context(|| step.path.clone())?),
    }
}

/// The text after the hunks, each of which is found in what those before it left.
fn change(text: &str, hunks: &[Hunk]) -> Result<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    for hunk in hunks {
        let start = find(&lines, &hunk.old)?;
        lines.splice(start..start + hunk.old.len(), hunk.new.iter().map(String::as_str));
    }
    Ok(lines.join("\n") + "\n")
}

/// The index at which the lines stand, once.
fn find(lines: &[&str], wanted: &[String]) -> Result<usize> {
    let mut places = lines.windows(wanted.len().max(1)).enumerate().filter(|(_, window)| *window == wanted);
    let shown = || wanted.join("\n");
    let (start, _) = places.next().with_context(|| format!("these lines don't stand there:\n{}", shown()))?;
    ensure!(places.next().is_none(), "these lines stand there twice:\n{}", shown());
    Ok(start)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Step, What, apply, change};
    use crate::tutorial::page;

    fn changed(text: &str, diff: &str) -> Result<String, String> {
        let page = format!("**`a`**\n```diff\n{diff}\n```\n");
        let steps = page::read(&page).unwrap();
        let What::Change(hunks) = &steps[0].what else { panic!("{steps:?}") };
        change(text, hunks).map_err(|error| error.to_string())
    }

    #[test]
    fn a_change_replaces_the_lines_it_names() {
        assert_eq!(changed("a\nb\nc\n", " a\n-b\n+x\n+y\n c").unwrap(), "a\nx\ny\nc\n");
        assert_eq!(changed("a\nb\n", " b\n+c").unwrap(), "a\nb\nc\n");
        assert_eq!(changed("a\nb\nc\nd\n", " a\n+x\n@@\n-d\n+y").unwrap(), "a\nx\nb\nc\ny\n");
    }

    #[test]
    fn a_place_that_is_not_there_or_there_twice_is_an_error() {
        assert!(changed("a\nb\n", " a\n-c").unwrap_err().starts_with("these lines don't stand there"));
        assert!(changed("a\n  b\n", " a\n-b").unwrap_err().starts_with("these lines don't stand there"));
        assert!(changed("a\nb\na\n", " a\n+c").unwrap_err().starts_with("these lines stand there twice"));
        assert!(changed("", " a\n+c").is_err());
    }

    #[test]
    fn a_step_stays_inside_of_the_application() {
        for path in ["../a", "/a", "a/../../b"] {
            let step = Step { line: 1, path: path.to_owned(), what: What::New("a\n".to_owned()) };
            let error = apply(Path::new("app"), &step).unwrap_err();
            assert!(error.to_string().ends_with("is no file of the application"), "{path}: {error}");
        }
    }
}
