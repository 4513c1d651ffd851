//! Asking on a terminal for what was not said. Away from a terminal nothing is asked and the defaults hold.

use std::io::{self, BufRead, IsTerminal, Write};

/// Whether there is somebody to ask.
fn is_somebody_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// The answer to a question, or its default: when nobody is there, or the answer is empty. Asks again until `read` takes it.
pub(crate) fn ask<T>(
    question: &str,
    default: &str,
    silent: bool,
    read: impl Fn(&str) -> Result<T, String>,
) -> anyhow::Result<T> {
    if silent || !is_somebody_there() {
        return read(default).map_err(|why| crate::outcome::Usage(why).into());
    }
    loop {
        anstream::eprint!("{question} [{default}] ");
        io::stderr().flush()?;
        let mut answer = String::new();
        if io::stdin().lock().read_line(&mut answer)? == 0 {
            anyhow::bail!("the question was not answered");
        }
        let answer = answer.trim();
        match read(if answer.is_empty() { default } else { answer }) {
            Ok(taken) => return Ok(taken),
            Err(why) => anstream::eprintln!("{why}"),
        }
    }
}
