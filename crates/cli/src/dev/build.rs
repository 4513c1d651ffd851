//! One run of `cargo build`, and what came of it: a program, or a problem in the compiler's words. Dropped, it is ended
//! with all it started; cargo is made for that.

use std::{
    collections::{HashSet, VecDeque},
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use cargo_metadata::{
    Message, PackageId,
    diagnostic::{Diagnostic, DiagnosticLevel},
};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{
    board::Problem,
    group::{Group, command},
    project::{Project, cargo},
};

/// Lines of what cargo itself says that are kept for when it fails: the last ones say why.
const KEPT_LINES: usize = 60;

/// Errors that are shown: whoever reads on after those mends the first ones first.
const SHOWN: usize = 20;

/// A program that can be started.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) program: PathBuf,
    /// It is what was there before.
    pub(crate) fresh: bool,
    /// Every file it was made from.
    pub(crate) inputs: HashSet<PathBuf>,
}

/// What is told while it goes on.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// So many packages are done.
    Done(usize),
    /// A warning about the application's own code, as the compiler writes it.
    Warning(&'a str),
    /// Cargo says something that is no "Compiling …".
    Said(&'a str),
}

/// Builds the application's program.
pub(crate) async fn build(project: &Project, told: impl Fn(Step<'_>)) -> Result<Built, Problem> {
    let broken = |error: std::io::Error| Problem {
        title: "The build could not be started".to_owned(),
        text: format!("{}: {error}", cargo().display()),
    };
    let mut command = command(cargo());
    command.args([
        "build",
        "--message-format=json-diagnostic-rendered-ansi",
        "--color=never",
        "--bin",
        &project.program,
    ]);
    command.arg("--manifest-path").arg(&project.manifest);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = Group::start(command).map_err(broken)?;
    let (Some(messages), Some(words)) = (group.child.stdout.take(), group.child.stderr.take()) else {
        return Err(broken(std::io::Error::other("it has no output")));
    };
    let (seen, said) = tokio::join!(read(messages, &project.program, &told), listen(words, &told));
    let ended = group.wait().await.map_err(broken)?;
    match seen.program {
        Some((program, fresh)) if ended.success() => Ok(Built { inputs: inputs(&program), program, fresh }),
        _ => Err(problem(&seen.errors, seen.more, &said)),
    }
}

#[derive(Debug, Default)]
struct Seen {
    program: Option<(PathBuf, bool)>,
    errors: Vec<String>,
    /// Errors beyond those.
    more: usize,
}

async fn read(messages: impl tokio::io::AsyncRead + Unpin, name: &str, told: &impl Fn(Step<'_>)) -> Seen {
    let mut lines = BufReader::new(messages).lines();
    let mut done = HashSet::<PackageId>::new();
    let mut seen = Seen::default();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Message::CompilerArtifact(artifact)) => {
                if artifact.target.name == name
                    && let Some(program) = artifact.executable
                {
                    seen.program = Some((program.into(), artifact.fresh));
                }
                if done.insert(artifact.package_id) {
                    told(Step::Done(done.len()));
                }
            }
            Ok(Message::CompilerMessage(message)) => match text(&message.message) {
                Some((true, _)) if seen.errors.len() == SHOWN => seen.more += 1,
                Some((true, text)) => seen.errors.push(text),
                Some((false, text)) => told(Step::Warning(&text)),
                None => {}
            },
            _ => {}
        }
    }
    seen
}

/// A diagnostic's words, and whether it is an error. Those that only count the others say nothing.
fn text(diagnostic: &Diagnostic) -> Option<(bool, String)> {
    let is_error = match diagnostic.level {
        DiagnosticLevel::Error | DiagnosticLevel::Ice => true,
        DiagnosticLevel::Warning => false,
        _ => return None,
    };
    let counts = diagnostic.spans.is_empty()
        && (diagnostic.message.starts_with("aborting due to") || diagnostic.message.ends_with("emitted"));
    if counts {
        None
    } else {
        Some((is_error, diagnostic.rendered.clone().unwrap_or_else(|| diagnostic.message.clone())))
    }
}

/// What cargo itself says, its last lines.
async fn listen(words: impl tokio::io::AsyncRead + Unpin, told: &impl Fn(Step<'_>)) -> Vec<String> {
    let mut lines = BufReader::new(words).lines();
    let mut last = VecDeque::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let word = line.split_ascii_whitespace().next().unwrap_or_default();
        if matches!(word, "Blocking" | "Updating" | "Downloading") {
            told(Step::Said(line.trim()));
        }
        if !matches!(word, "Compiling" | "Downloaded" | "Fresh" | "Dirty" | "Finished") {
            last.push_back(line);
            if last.len() > KEPT_LINES {
                last.pop_front();
            }
        }
    }
    last.into()
}

fn problem(errors: &[String], more: usize, said: &[String]) -> Problem {
    if errors.is_empty() {
        return Problem { title: "The build failed".to_owned(), text: said.join("\n") };
    }
    let count = errors.len() + more;
    let title = if count == 1 { "1 error".to_owned() } else { format!("{count} errors") };
    let more = if more > 0 { format!("\n\n… and {more} more") } else { String::new() };
    let text = format!("{}{more}", errors.join("\n").trim_end());
    Problem { title: format!("It does not compile: {title}"), text }
}

/// The files named in what the compiler writes beside a program: `program: file file …`, spaces in names as `\ `.
fn inputs(program: &Path) -> HashSet<PathBuf> {
    let text = fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let rules = text.lines().filter_map(|line| line.split_once(": "));
    rules.flat_map(|(_, files)| names(files)).map(PathBuf::from).collect()
}

fn names(files: &str) -> Vec<String> {
    const SPACE: &str = "\0";
    let files = files.replace("\\ ", SPACE);
    files.split_ascii_whitespace().map(|name| name.replace(SPACE, " ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_program_are_read_also_with_spaces_in_their_names() {
        assert_eq!(names("/a/main.rs /my\\ app/b.sql"), ["/a/main.rs", "/my app/b.sql"]);
    }

    #[test]
    fn errors_are_counted_and_only_the_first_are_shown() {
        let told = problem(&["error: a".into(), "error: b".into()], 3, &[]);
        assert_eq!(told.title, "It does not compile: 5 errors");
        assert!(told.text.ends_with("… and 3 more"));
        assert_eq!(problem(&[], 0, &["error: no such file".into()]).text, "error: no such file");
    }
}
