//! The binary `riverrun`: begin an application, develop it, and look after its data for years. It reads what was asked and
//! gives it to one command; it must never hold a rule of sync, which are the engine's and the store's.

mod cli;
mod commands;
mod database;
mod dev;
mod doctor;
mod http;
mod new;
mod outcome;
mod print;
mod progress;
mod transfer;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    outcome::exit(cli.command.run())
}
