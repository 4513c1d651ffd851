//! `cargo xtask conformance`: fresh traces from seeds, replayed through both clients. The traces are made by the Rust
//! client's example of that name, which replays them through its own replica; the browser client's tests do the rest.

use std::fs;

use anyhow::{Context, Result, anyhow, ensure};
use clap::Args;

use crate::{
    client::{CLIENT, install},
    metadata::Metadata,
    process::{cargo, command, demand, stream, stream_lines},
    repo::Repo,
};

/// Clients of one recorded walk, each of them a trace.
const CLIENTS: u64 = 3;

/// The Rust client's example that makes traces and replays them.
const EXAMPLE: &str = "conformance";

/// Where the test of the browser client looks for traces beside the committed ones.
const VARIABLE: &str = "CONFORMANCE";

/// How many traces, and from which seed.
#[derive(Args)]
pub(crate) struct ConformanceOptions {
    /// At least this many traces: half of them recorded from simulated clients, half of them random sequences.
    #[arg(long, default_value_t = 1_000)]
    traces: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1_000)]
    from: u64,
}

impl Default for ConformanceOptions {
    fn default() -> Self {
        Self { traces: 1_000, from: 1_000 }
    }
}

/// Makes the traces and replays them.
pub(crate) fn run(repo: &Repo, options: &ConformanceOptions) -> Result<()> {
    install(repo, CLIENT)?;
    let target = Metadata::load(&repo.root)?.target_directory;
    let out = target.join("conformance");
    if out.exists() {
        fs::remove_dir_all(&out).with_context(|| format!("failed to remove {}", out.display()))?;
    }
    let out = out.to_str().context("the target directory's path is not UTF-8")?;
    let walks = options.traces.div_ceil(2).div_ceil(CLIENTS);
    let random = options.traces - options.traces / 2;
    let numbers = [options.from, walks, random].map(|number| number.to_string());
    // As a part of the whole, which is what the tests have built already.
    stream(cargo(&repo.root, &["build", "--quiet", "--workspace", "--example", EXAMPLE]))?;
    let args: Vec<&str> = [out].into_iter().chain(numbers.iter().map(String::as_str)).collect();
    let example = target.join("debug/examples").join(EXAMPLE);
    let ours = agreed(command(example, &repo.root, &args), "the Rust replica agrees")?;

    let mut vitest = command("npm", &repo.path(CLIENT), &["test", "--", "--project", "src", "conformance.test.ts"]);
    // Without colours, which would stand within the line that is read.
    vitest.env(VARIABLE, out).env("NO_COLOR", "1").env_remove("FORCE_COLOR");
    let theirs = agreed(vitest, "the browser client's core agrees")?;
    ensure!(ours == theirs, "one client replayed {ours}, the other {theirs}");
    println!("both clients agree on {ours}");
    Ok(())
}

/// Runs a replay, and gives back how much it says it agreed on: `1002 traces, 81234 steps`.
fn agreed(command: std::process::Command, says: &str) -> Result<String> {
    let mut agreed = None;
    let (shown, status) = stream_lines(command, |line| {
        if let Some(counts) = line.strip_suffix(says) {
            agreed = Some(counts.trim_end_matches(": ").to_owned());
        }
    })?;
    demand(&shown, status)?;
    agreed.ok_or_else(|| anyhow!("`{shown}` did not say what it replayed"))
}
