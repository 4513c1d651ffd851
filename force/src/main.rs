//! `cargo xtask force`: the release build of the template application on SQLite, over real HTTP, killed, cut from power, on
//! disks that fail or are full, with damaged files. Answers are kept outside of the server, and what is on disk afterwards
//! is held against them. No crate depends on it.

mod check;
mod closed;
mod faults;
mod follower;
mod full;
mod http;
mod kill;
mod ledger;
mod options;
mod power;
mod programs;
mod report;
mod sender;
mod server;
mod torn;

use std::{process::ExitCode, time::Instant};

use anyhow::Result;
use clap::{Parser, ValueEnum};

use crate::{
    options::{Options, Test, World},
    report::{Line, table},
};

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `Ok(false)` when a promise was broken.
fn run(options: &Options) -> Result<bool> {
    let world = World::new(options)?;
    println!("seed {}", world.seed);
    let mut lines = Vec::new();
    for &test in Test::value_variants() {
        if !options.only.is_empty() && !options.only.contains(&test) {
            continue;
        }
        let begun = Instant::now();
        let name = match test {
            Test::Kill => "kill -9",
            Test::Power => "power",
            Test::Faults => "faults",
            Test::Full => "full disk",
            Test::Torn => "torn page",
            Test::Closed => "closed",
        };
        println!("{name} …");
        let done = match test {
            Test::Kill => kill::run(&world),
            Test::Power => power::run(&world),
            Test::Faults => faults::run(&world),
            Test::Full => full::run(&world),
            Test::Torn => torn::run(&world),
            Test::Closed => closed::run(&world),
        };
        // What stops a test is a promise broken in a way that leaves no figures.
        let line =
            done.unwrap_or_else(|error| Line::new(name, "stopped".into(), false).because(vec![format!("{error:#}")]));
        lines.push((line, begun.elapsed()));
    }
    print!("{}", table(&lines));
    Ok(lines.iter().all(|(line, _)| line.is_kept))
}
