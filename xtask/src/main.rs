//! `cargo xtask`: the chores of this repository, each a command of its own and a file of its own.
//!
//! It starts the tools that do the work and judges what they say. It must never hold a rule of riverrun itself, and no
//! crate depends on it.

mod bundle;
mod client;
mod conformance;
mod force;
mod fuzz;
mod metadata;
mod new_app;
mod planted;
mod process;
mod purity;
mod repo;
mod sim;
mod test;
mod tidy;
mod tutorial;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{
    conformance::ConformanceOptions, force::ForceOptions, fuzz::FuzzOptions, metadata::Metadata, repo::Repo,
    sim::SimOptions, test::TestOptions,
};

/// The chores of riverrun.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

const EXAMPLES: &str = "Examples:
  cargo xtask test                      everything, as on a fresh machine
  cargo xtask test --no-browser         everything that needs no browser
  cargo xtask test --only fmt           one step (see `cargo xtask test --help` for their names)
  cargo xtask tidy                      only the rules of the house
  cargo xtask purity                    riverrun-core reaches no file, socket, thread or clock
  cargo xtask conformance               1,000 fresh traces through both clients
  cargo xtask force --short             kill -9, power cuts, failing and full disks, damaged files
  cargo xtask sim --seeds 5000          so many runs of the seeded simulation
  cargo xtask fuzz --execs 10000000     the fuzz targets, as often as that together
  cargo xtask tutorial                  walk through docs/tutorial.md, step by step
  cargo xtask planted                   the tests of the tests: each planted bug is caught
  cargo xtask new-app                   make, test and start an application of each template
  cargo xtask client                    build packages/client/dist after a change of its sources";

#[derive(Subcommand)]
enum Chore {
    /// Run every check and every test, and say at the end how many passed.
    Test(TestOptions),
    /// Check that riverrun-core has no std, no runtime, no clock, and stands on its allow-list of crates.
    Purity,
    /// Check the rules of the house: file sizes, dependency walls, no panics, the template's crate budget.
    Tidy,
    /// Do what docs/tutorial.md says to a copy of the template, then test, start and use what came of it.
    Tutorial,
    /// Make an application of each template as a newcomer would; test it, start it and use it.
    NewApp,
    /// Make fresh conformance traces and replay them through both clients.
    Conformance(ConformanceOptions),
    /// Test the release server on SQLite by force; `cargo xtask force --help` tells more.
    Force(ForceOptions),
    /// Run many seeds of the simulation: clients, server, network and crashes in one thread.
    Sim(SimOptions),
    /// Run the fuzz targets: any bytes for everything that reads what others wrote.
    Fuzz(FuzzOptions),
    /// Wake each planted bug in turn, and show what catches it.
    Planted(planted::PlantedOptions),
    /// Put the templates beside crates/cli, for packing that crate.
    Bundle,
    /// Build the browser client, packages/client/dist, which is committed.
    Client,
}

fn main() -> ExitCode {
    if let Some(compiled) = fuzz::compile() {
        return compiled;
    }
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `Ok(false)` when the chore has already said what is wrong.
fn run(cli: &Cli) -> anyhow::Result<bool> {
    let repo = Repo::find()?;
    match &cli.chore {
        Chore::Test(options) => test::run(&repo, options),
        Chore::Purity => purity::run(&repo).map(|()| true),
        Chore::Tidy => tidy::run(&repo).map(|()| true),
        Chore::Tutorial => tutorial::walk(&repo, &Metadata::load(&repo.root)?, |_| ()).map(|()| true),
        Chore::NewApp => new_app::run(&repo, &Metadata::load(&repo.root)?, false, |_| ()).map(|()| true),
        Chore::Conformance(options) => conformance::run(&repo, options).map(|()| true),
        Chore::Force(options) => force::run(&repo, options).map(|()| true),
        Chore::Sim(options) => sim::run(&repo, options).map(|()| true),
        Chore::Fuzz(options) => fuzz::run(&repo, options).map(|()| true),
        Chore::Planted(options) => planted::run(&repo, options),
        Chore::Bundle => bundle::make(&repo).map(|()| true),
        Chore::Client => client::build(&repo).map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
