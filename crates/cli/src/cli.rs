//! The command line as a whole: its commands in the order a newcomer meets them. What each takes stands in its own file.

use clap::{Parser, Subcommand};

use crate::{commands, outcome::Outcome};

/// Begin an application, develop it, and look after its data for years.
#[derive(Debug, Parser)]
#[command(name = "riverrun", version = env!("RIVERRUN_VERSION"), after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "Examples:
  riverrun new myapp         a collaborative todo list, in a new directory
  riverrun dev               serve it, and follow every edit
  riverrun log list:home     what happened in a scope
  riverrun verify            is the data what the log says?

Exit codes: 0 well, 1 failed or found something wrong, 2 asked wrongly.";

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident($file:ident),)+) => {
        #[derive(Debug, Subcommand)]
        pub(crate) enum Command { $($(#[$doc])* $name(commands::$file::$name),)+ }

        impl Command {
            pub(crate) fn run(self) -> anyhow::Result<Outcome> {
                match self { $(Self::$name(command) => command.run(),)+ }
            }
        }
    };
}

commands! {
    /// Make a new application in a directory of its own.
    New(new),
    /// Serve the application in this directory, and follow every edit.
    Dev(dev),
    /// List the scopes, with where each log stands.
    Scopes(scopes),
    /// Show a scope's log: what changed, when, by which mutation of whom.
    Log(log),
    /// Show a scope's state, now or at an earlier cursor.
    State(state),
    /// Show what changed in a scope's state between two cursors.
    Diff(diff),
    /// Rebuild every scope from its base and log, and compare with what is kept.
    Verify(verify),
    /// Write the whole database to one file, also while a server runs.
    Backup(backup),
    /// Put a backup in the place of the database, as a new history.
    Restore(restore),
    /// Cut old changes off the logs.
    Trim(trim),
    /// Write every scope as JSON Lines, for any store to import.
    Export(export),
    /// Read an export into an empty database.
    Import(import),
    /// Send one mutation to a running server by hand.
    Push(push),
    /// Look at what an application needs: tools, ports, the database, a server's WebSocket.
    Doctor(doctor),
    /// Print a shell's completion script.
    Completions(completions),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
