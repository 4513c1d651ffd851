//! A running application with a database of its own, on a port that was free. It is ended when it is dropped.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
    thread,
};

use anyhow::{Context, Result};

use crate::process::command;

/// What the application says before its address, once it listens.
const LISTENS: &str = "listening on http://";

pub(crate) struct Server {
    child: Child,
    /// Host and port.
    pub(crate) address: String,
}

impl Server {
    /// Starts a program, and waits until it listens.
    pub(crate) fn start(program: &Path, database: &Path) -> Result<Self> {
        let folder = database.parent().context("a database lies in a folder")?;
        let mut command = command(program, folder, &[]);
        command.env("HOST", "127.0.0.1").env("PORT", "0").env("DATABASE_PATH", database);
        // Neither its mode nor what it logs is the surroundings' to say: the address is in its log.
        command.env("APP_ENV", "development").env("RUST_LOG", "info").stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("failed to start {}", program.display()))?;
        let output = child.stdout.take();
        // From here on it is ended whatever happens.
        let mut server = Self { child, address: String::new() };
        let mut lines = BufReader::new(output.context("the application has no output")?).lines();
        for line in lines.by_ref() {
            if let Some((_, address)) = line?.split_once(LISTENS) {
                address.trim().clone_into(&mut server.address);
                // What it goes on to say is taken from it, so that it never waits to say it.
                thread::spawn(move || lines.for_each(drop));
                return Ok(server);
            }
        }
        let status = server.child.wait()?;
        anyhow::bail!("{} ended before it listened ({status})", program.display())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
