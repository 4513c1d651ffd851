//! Starting other programs: shown before they run, their output passed through as it comes, a failure told with the
//! command that failed. It must never read standard input, so that nothing waits for a person on a machine without one.

use std::{
    env,
    ffi::OsStr,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

use anyhow::{Context, Result, bail};

/// What `cargo run` tells the program it starts about that program's own package. Passed on, it would reach build
/// scripts of other packages, and some of them rebuild when it changes.
const OWN_PACKAGE: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];

/// A program to be run in `dir`.
pub(crate) fn command(program: impl AsRef<OsStr>, dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(dir).stdin(Stdio::null());
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| OWN_PACKAGE.iter().any(|own| name.starts_with(own))) {
            command.env_remove(name);
        }
    }
    command
}

/// Cargo, the very one that started this program.
pub(crate) fn cargo(dir: &Path, args: &[&str]) -> Command {
    command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), dir, args)
}

/// Runs to the end with the output passed through; an exit code other than 0 is an error.
pub(crate) fn stream(mut command: Command) -> Result<()> {
    let shown = show(&command);
    println!("$ {shown}");
    let status = command.status().with_context(|| format!("failed to start `{shown}`"))?;
    demand(&shown, status)
}

/// As [`stream`], and hands every line of standard output to `read` as well. The exit status is the caller's to judge,
/// with [`demand`], because the lines read matter also when the program failed.
pub(crate) fn stream_lines(mut command: Command, mut read: impl FnMut(&str)) -> Result<(String, ExitStatus)> {
    let shown = show(&command);
    println!("$ {shown}");
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("failed to start `{shown}`"))?;
    if let Some(output) = child.stdout.take() {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line)? > 0 {
            io::stdout().write_all(&line)?;
            read(String::from_utf8_lossy(&line).trim_end());
            line.clear();
        }
    }
    let status = child.wait()?;
    Ok((shown, status))
}

/// Runs quietly and gives back standard output; on failure the error carries what the program said.
pub(crate) fn output(mut command: Command) -> Result<String> {
    let shown = show(&command);
    let output = command.output().with_context(|| format!("failed to start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({})\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{shown}` did not answer in UTF-8"))
}

/// An error unless `status` is success.
pub(crate) fn demand(shown: &str, status: ExitStatus) -> Result<()> {
    if status.success() { Ok(()) } else { bail!("`{shown}` failed ({status})") }
}

/// Where `program` lies on the search path, if it does.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(program)).find(|path| path.is_file())
}

/// The command as a person would type it: the program's name without its path.
fn show(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    let words = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(name).chain(words).collect::<Vec<_>>().join(" ")
}
