//! `riverrun completions`: a script that lets a shell complete the commands.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{cli::Cli, outcome::Outcome};

const EXAMPLES: &str = "Examples:
  riverrun completions bash > ~/.local/share/bash-completion/completions/riverrun
  riverrun completions zsh > ~/.zfunc/_riverrun
  riverrun completions fish > ~/.config/fish/completions/riverrun.fish";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "riverrun", &mut script);
        std::io::stdout().write_all(&script)?;
        Ok(Outcome::Well)
    }
}
