//! Reads a page of the documentation as steps. A file's name alone in a line, bold and in code (**`src/main.rs`**), says
//! which file the code block below it is about; what the block is follows from its form. Blocks without a file are for
//! reading only. Nothing is changed here.

use anyhow::{Result, bail, ensure};

/// One thing the page says about one file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The line of the page where its code begins, from 1.
    pub(super) line: usize,
    /// The file, below the application's folder.
    pub(super) path: String,
    pub(super) what: What,
}

/// What the page says about the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The file is new, and this is all of it: `(new)` stands behind its name.
    New(String),
    /// These lines stand in it, one after the other.
    Quote(Vec<String>),
    /// A `diff` block.
    Change(Vec<Hunk>),
}

/// Lines that stand in a file one after the other, and what stands there then. Hunks of a block are parted by `@@`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Hunk {
    pub(super) old: Vec<String>,
    pub(super) new: Vec<String>,
}

const FENCE: &str = "```";

/// The page's steps in their order. A page without any, a `diff` without a file and a file without a block are errors.
pub(super) fn read(page: &str) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut heading: Option<(String, bool)> = None;
    let mut lines = (1..).zip(page.lines());
    while let Some((number, line)) = lines.next() {
        let Some(language) = line.strip_prefix(FENCE) else {
            if let Some(next) = read_heading(line) {
                ensure!(heading.is_none(), "line {number}: no code follows the file's name above this one");
                heading = Some(next);
            } else if !line.trim().is_empty() {
                ensure!(heading.is_none(), "line {number}: the code should follow the file's name above");
            }
            continue;
        };
        let block: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != FENCE).collect();
        let Some((path, is_new)) = heading.take() else {
            ensure!(language != "diff", "line {number}: which file does this change? Write **`its/name`** above it");
            continue;
        };
        let line = number + 1;
        let what = match (language, is_new) {
            ("diff", true) => bail!("line {number}: a new file is shown whole, not as a diff"),
            ("diff", false) => What::Change(read_hunks(&block).map_err(|why| why.context(format!("line {line}")))?),
            (_, true) => What::New(block.join("\n") + "\n"),
            (_, false) => What::Quote(block.into_iter().map(str::to_owned).collect()),
        };
        steps.push(Step { line, path, what });
    }
    ensure!(heading.is_none(), "the page ends with a file's name");
    ensure!(!steps.is_empty(), "the page has no step");
    Ok(steps)
}

/// **`src/main.rs`**, or **`src/main.rs`** (new).
fn read_heading(line: &str) -> Option<(String, bool)> {
    let (path, rest) = line.strip_prefix("**`")?.split_once("`**")?;
    match rest.trim() {
        "" => Some((path.to_owned(), false)),
        "(new)" => Some((path.to_owned(), true)),
        _ => None,
    }
}

fn read_hunks(block: &[&str]) -> Result<Vec<Hunk>> {
    let mut hunks = vec![Hunk::default()];
    for &line in block {
        if line == "@@" {
            hunks.push(Hunk::default());
            continue;
        }
        let Some(hunk) = hunks.last_mut() else { continue };
        // An editor may have taken the blank off an empty line of context.
        let (mark, text) = line.split_at_checked(1).unwrap_or((" ", ""));
        if matches!(mark, " " | "-") {
            hunk.old.push(text.to_owned());
        }
        if matches!(mark, " " | "+") {
            hunk.new.push(text.to_owned());
        }
        ensure!(matches!(mark, " " | "-" | "+"), "a line of a diff begins with a blank, + or -: {line:?}");
    }
    for hunk in &hunks {
        ensure!(!hunk.old.is_empty(), "a change needs a line that stands in the file already, to say where");
        ensure!(hunk.old != hunk.new, "a diff that changes nothing");
    }
    Ok(hunks)
}

#[cfg(test)]
mod tests {
    use super::{Hunk, Step, What, read};

    fn lines(text: &[&str]) -> Vec<String> {
        text.iter().map(|&line| line.to_owned()).collect()
    }

    #[test]
    fn a_block_is_a_new_file_a_quotation_or_a_change() {
        let page = "# Page\n\n```sh\ncargo run\n```\n\n**`src/a.rs`**\n\n```rust\nfn a() {}\n\n```\n\n**`b.css`** (new)\n\
                    ```css\na {}\n```\n**`c.js`**\n```diff\n a\n-b\n+c\n@@\n\n+d\n```\n";
        let step = |line, path: &str, what| Step { line, path: path.to_owned(), what };
        let hunks = vec![
            Hunk { old: lines(&["a", "b"]), new: lines(&["a", "c"]) },
            Hunk { old: lines(&[""]), new: lines(&["", "d"]) },
        ];
        let expected = [
            step(10, "src/a.rs", What::Quote(lines(&["fn a() {}", ""]))),
            step(16, "b.css", What::New("a {}\n".to_owned())),
            step(20, "c.js", What::Change(hunks)),
        ];
        assert_eq!(read(page).unwrap(), expected);
    }

    #[test]
    fn a_page_whose_steps_can_not_be_told_is_refused_with_the_line() {
        let rows = [
            ("no step\n", "no step"),
            ("a\n```diff\n a\n+b\n```\n", "line 2: which file"),
            ("**`a`**\nwords\n```diff\n a\n+b\n```\n", "line 2: the code should follow"),
            ("**`a`**\n**`b`**\n", "line 2: no code follows"),
            ("**`a`**\n", "ends with a file's name"),
            ("**`a`** (new)\n```diff\n a\n+b\n```\n", "line 2: a new file is shown whole"),
            ("**`a`**\n```diff\n+b\n```\n", "line 3: a change needs a line"),
            ("**`a`**\n```diff\n b\n```\n", "line 3: a diff that changes nothing"),
            ("**`a`**\n```diff\n a\nb\n```\n", "line 3: a line of a diff begins"),
        ];
        for (page, why) in rows {
            let error = format!("{:#}", read(page).unwrap_err());
            assert!(error.contains(why), "{page:?}: {error}");
        }
    }

    #[test]
    fn a_file_named_within_a_sentence_is_no_heading() {
        assert!(read("**`a`** holds it.\n```rust\nfn a() {}\n```\n").is_err());
    }
}
