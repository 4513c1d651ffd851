//! How a command ended, as the exit code scripts rely on: 0 well, 1 failed or found something wrong, 2 asked wrongly (clap's
//! own code for a usage error). A reader that went away (`riverrun log … | head`) is no failure.

use std::{io, process::ExitCode};

use anstyle::{AnsiColor, Style};

/// How a command that ran to its end found things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well.
    Well,
    /// It did what it was asked, and what it found is wrong. It has said so itself.
    Found,
}

/// A question that can't be answered as it was asked; clap's usage errors have the same code.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

const FAILED: u8 = 1;
const USAGE: u8 = 2;

/// The exit code, with the error said on stderr.
pub(crate) fn exit(ended: anyhow::Result<Outcome>) -> ExitCode {
    match ended {
        Ok(Outcome::Well) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(FAILED),
        Err(error) if is_gone(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
            anstream::eprintln!("{red}error:{red:#} {error:#}");
            ExitCode::from(if error.is::<Usage>() { USAGE } else { FAILED })
        }
    }
}

/// Whether whoever read the output has closed it.
fn is_gone(error: &anyhow::Error) -> bool {
    let broken = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    error.chain().any(broken)
}
