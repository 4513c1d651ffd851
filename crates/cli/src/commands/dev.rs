//! `riverrun dev`: what it takes. What it does stands in [`crate::dev`].

use clap::Args;

use crate::{dev, outcome::Outcome};

/// Serve the application in this directory, and follow every edit: templates and styles show in the browser without a
/// compile, Rust is rebuilt while the old program still serves, and what the compiler has to say shows in the page.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Dev {
    /// The port to serve at, and no other. Without it: `PORT`, else 8080, or the next one that is free.
    #[arg(long, short)]
    port: Option<u16>,
    /// The address to listen on; 0.0.0.0 lets other machines in. Without it: `HOST`, else this machine only.
    #[arg(long)]
    host: Option<String>,
    /// Open the application in a browser.
    #[arg(long)]
    open: bool,
    /// Which program to run, where the package has several.
    #[arg(long, value_name = "NAME")]
    bin: Option<String>,
}

const EXAMPLES: &str = "Examples:
  riverrun dev                  serve at http://127.0.0.1:8080, or the next free port
  riverrun dev --open           and show it in a browser
  riverrun dev --port 3000      at this port, or not at all
  riverrun dev --host 0.0.0.0   also for the phone on the desk

Variables in the file `.env` reach the application unless the environment has them already.";

impl Dev {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let Self { port, host, open, bin } = self;
        dev::run(dev::Options { port, host, open, bin })
    }
}
