//! `cargo xtask planted`: wakes each planted bug in turn and shows what catches it. The simulation is tried first, unless a
//! single thread in memory cannot show the bug; those name the test by force or by thread that does. One that escapes fails
//! the command. What the bugs are stands in `riverrun_core::planted`.

use std::{
    process::{Command, Output},
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::repo::Repo;

/// Which bugs, and for how long each is looked for.
#[derive(Args)]
pub(crate) struct PlantedOptions {
    /// Seeds the simulation gets for each bug.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// These only, by name; all where none is named.
    bugs: Vec<String>,
}

/// What catches a bug the simulation is not asked about.
enum Catcher {
    /// A test of a crate, by a part of its name.
    Test { package: &'static str, name: &'static str },
    /// A part of `cargo xtask force`.
    Force(&'static str),
}

/// The bugs a simulation in memory and in one thread has no eyes for.
const ELSEWHERE: &[(&str, Catcher)] = &[
    // The simulated applications have no machine, and the engine's tests do.
    ("FoldBeforeCommit", Catcher::Test { package: "riverrun-testkit", name: "machine" }),
    // In memory there is no disk to sync to, or to fail.
    ("SqliteNormal", Catcher::Force("power")),
    ("SqliteCommitIgnored", Catcher::Force("faults")),
    ("SqliteSyncRetried", Catcher::Force("faults")),
];

/// Runs the bugs; `Ok(false)` when one escaped.
pub(crate) fn run(repo: &Repo, options: &PlantedOptions) -> Result<bool> {
    let sim =
        ["run", "--release", "--quiet", "-p", "riverrun-testkit", "--features", "planted", "--example", "sim", "--"];
    let listed = cargo(repo).args(sim).args(["--planted", "list"]).output().context("failed to start cargo")?;
    ensure!(listed.status.success(), "the simulation does not build:\n{}", said(&listed));
    let all: Vec<String> = String::from_utf8_lossy(&listed.stdout).lines().map(Into::into).collect();
    if let Some(unknown) = options.bugs.iter().find(|bug| !all.contains(bug)) {
        bail!("there is no planted bug {unknown}; there are: {}", all.join(", "));
    }
    let mut escaped = Vec::new();
    for bug in all.iter().filter(|bug| options.bugs.is_empty() || options.bugs.contains(bug)) {
        let start = Instant::now();
        let elsewhere = ELSEWHERE.iter().find(|(name, _)| name == bug);
        let caught = match elsewhere {
            None => by_simulation(cargo(repo).args(sim), bug, options.seeds)?,
            Some((_, Catcher::Test { package, name })) => {
                let test = ["test", "--quiet", "-p", package, "--features", "planted", name];
                by_test(cargo(repo).args(test), bug, name)?
            }
            Some((_, Catcher::Force(part))) => {
                let env = format!("RIVERRUN_PLANTED={bug}");
                by_force(
                    cargo(repo).args([
                        "xtask",
                        "force",
                        "--short",
                        "--only",
                        part,
                        "--features",
                        "riverrun-engine/planted",
                        "--env",
                        &env,
                    ]),
                    part,
                )?
            }
        };
        let seconds = start.elapsed().as_secs_f64();
        let how = caught.unwrap_or_else(|| {
            escaped.push(bug.as_str());
            "ESCAPED".into()
        });
        println!("{bug:<24} {how} ({seconds:.1} s)");
    }
    if escaped.is_empty() {
        println!("none escaped");
    } else {
        println!("{} escaped: {}", escaped.len(), escaped.join(", "));
    }
    Ok(escaped.is_empty())
}

fn cargo(repo: &Repo) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(&repo.root);
    cargo
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)).join("\n")
}

/// The promise that broke, and how many seeds it took.
fn by_simulation(sim: &mut Command, bug: &str, seeds: u64) -> Result<Option<String>> {
    let output =
        sim.args(["--planted", bug, "--seeds", &seeds.to_string()]).output().context("failed to start cargo")?;
    if output.status.success() {
        return Ok(None);
    }
    let told = said(&output);
    let after = |mark: &str| told.lines().find_map(|line| line.strip_prefix(mark));
    let (Some(promise), Some(place)) = (after("BROKEN: "), after("SEED=")) else {
        bail!("the simulation failed on {bug}, and not by a promise:\n{told}");
    };
    let (seed, store) = place.split_once(" STORE=").unwrap_or((place, "?"));
    let needed = seed.parse::<u64>().map_or(0, |seed| seed + 1);
    Ok(Some(format!("simulation, {needed} seeds, {store}: {promise}")))
}

/// The tests that went red.
fn by_test(test: &mut Command, bug: &str, name: &str) -> Result<Option<String>> {
    let output = test.env("RIVERRUN_PLANTED", bug).output().context("failed to start cargo")?;
    if output.status.success() {
        return Ok(None);
    }
    let told = said(&output);
    let red = told.lines().filter_map(|line| line.strip_suffix(" --- FAILED").or(line.strip_suffix(" ... FAILED")));
    let red: Vec<&str> = red.map(|line| line.trim_start_matches("test ").trim()).collect();
    let Some(first) = red.first() else { bail!("the tests {name:?} failed, and not by a test:\n{told}") };
    Ok(Some(format!("{} tests, {first} first", red.len())))
}

/// The line that says what was lost.
fn by_force(force: &mut Command, part: &str) -> Result<Option<String>> {
    let output = force.output().context("failed to start cargo")?;
    if output.status.success() {
        return Ok(None);
    }
    let told = said(&output);
    let mut lines = told.lines().skip_while(|line| !line.contains("BROKEN")).map(str::trim);
    let Some(line) = lines.next() else {
        bail!("`cargo xtask force --only {part}` failed, and not by a broken promise:\n{told}");
    };
    // What was seen stands below the part's own line.
    let seen = lines.next().filter(|seen| !seen.is_empty() && !seen.starts_with("error:"));
    Ok(Some(format!("force {part}: {}", seen.unwrap_or(line))))
}
