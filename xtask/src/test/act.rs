//! What each step does: which program runs, and how its tests are counted. A runner that ends well but reports no test
//! has not tested anything, and counts as failed.

use std::fs;

use anyhow::{Context, Error, Result, anyhow};

use super::{
    counts::{self, Counts},
    plan::Step,
    setup,
};
use crate::{
    client::{CLIENT, install, npm},
    conformance::{self, ConformanceOptions},
    force::{self, ForceOptions},
    fuzz::{self, FuzzOptions},
    metadata::Metadata,
    new_app,
    process::{cargo, command, demand, find, stream, stream_lines},
    purity,
    repo::Repo,
    sim::{self, SimOptions},
    tidy, tutorial,
};

/// Where the browser tests live.
const E2E: &str = "e2e";

/// Tells the browser tests that `riverrun` was built with the workspace, and need not be built once more by itself.
const BUILT: &str = "RIVERRUN_BUILT";

/// What came of a step.
pub(super) enum Acted {
    /// There is nothing to run, and why.
    Skipped(String),
    /// It ran; the tests are counted also when it failed.
    Ran { tests: Counts, failure: Option<Error> },
}

impl Acted {
    /// A step that counts no tests.
    fn checked() -> Self {
        Self::Ran { tests: Counts::default(), failure: None }
    }

    /// A runner's tests, and how it ended.
    fn tested(tests: Counts, ended: Result<()>) -> Self {
        let failure = match ended {
            Err(error) => Some(error),
            Ok(()) if tests.failed > 0 => Some(anyhow!("{} tests failed", tests.failed)),
            Ok(()) if tests.passed == 0 => Some(anyhow!("not one test was reported")),
            Ok(()) => None,
        };
        Self::Ran { tests, failure }
    }
}

/// Does one step. `built` says that the workspace's programs lie in the target directory as they are now. `Err` is a step
/// that failed before it could count anything.
pub(super) fn act(repo: &Repo, metadata: &Metadata, step: Step, built: bool) -> Result<Acted> {
    let has_e2e = repo.path(E2E).join("package.json").is_file();
    let in_cargo = |args: &[&str]| stream(cargo(&repo.root, args));
    match step {
        Step::Fmt => in_cargo(&["fmt", "--all", "--check"])?,
        Step::Tidy => tidy::run(repo)?,
        Step::Purity => purity::run(repo)?,
        Step::ClientDeps => install(repo, CLIENT)?,
        Step::ClientCheck => npm(repo, CLIENT, &["run", "check"])?,
        Step::ClientFresh => npm(repo, CLIENT, &["run", "fresh"])?,
        Step::ClientTest => return vitest(repo, metadata, "test"),
        Step::Clippy => {
            in_cargo(&["clippy", "--workspace", "--all-targets", "--keep-going", "--", "-D", "warnings"])?;
        }
        Step::Build => in_cargo(&["test", "--workspace", "--no-run", "--no-fail-fast"])?,
        Step::RustTest => return rust(repo),
        Step::Features => features(repo, metadata)?,
        Step::Sim => sim::run(repo, &SimOptions::default())?,
        Step::Conformance => conformance::run(repo, &ConformanceOptions::default())?,
        Step::Force if cfg!(not(target_os = "linux")) => {
            return Ok(Acted::Skipped("the tests by force need Linux".to_owned()));
        }
        Step::Force => force::run(repo, &ForceOptions::short())?,
        Step::Fuzz if find("c++").is_none() => {
            return Ok(Acted::Skipped("there is no C++ compiler, which the fuzzer is built with".to_owned()));
        }
        Step::Fuzz => fuzz::run(repo, &FuzzOptions::short())?,
        Step::Tutorial => return Ok(walk(repo, metadata)),
        Step::NewApp => return Ok(new_app(repo, metadata, built)),
        Step::BrowserDeps | Step::BrowserTest | Step::Dev if !has_e2e => {
            return Ok(Acted::Skipped(format!("THERE ARE NO BROWSER TESTS: {E2E}/package.json does not exist")));
        }
        Step::BrowserDeps => {
            setup::install_browser(repo)?;
            install(repo, E2E)?;
        }
        Step::ClientBrowser => return vitest(repo, metadata, "test:chromium"),
        Step::BrowserTest => return browser(repo, "test", built),
        Step::Dev => return browser(repo, "test:dev", built),
    }
    Ok(Acted::checked())
}

fn rust(repo: &Repo) -> Result<Acted> {
    let mut tests = Counts::default();
    let cargo_test = cargo(&repo.root, &["test", "--workspace", "--no-fail-fast"]);
    let (shown, status) = stream_lines(cargo_test, |line| tests += counts::of_cargo_line(line))?;
    Ok(Acted::tested(tests, demand(&shown, status)))
}

/// The tutorial's application has the template's tests and the page's own.
fn walk(repo: &Repo, metadata: &Metadata) -> Acted {
    let mut tests = Counts::default();
    let ended = tutorial::walk(repo, metadata, |line| tests += counts::of_cargo_line(line));
    Acted::tested(tests, ended)
}

/// The applications have their templates' tests.
fn new_app(repo: &Repo, metadata: &Metadata, built: bool) -> Acted {
    let mut tests = Counts::default();
    let ended = new_app::run(repo, metadata, built, |line| tests += counts::of_cargo_line(line));
    Acted::tested(tests, ended)
}

/// A script of the client's own tests, asked to write down its results beside showing them.
fn vitest(repo: &Repo, metadata: &Metadata, script: &str) -> Result<Acted> {
    let folder = metadata.target_directory.join("xtask");
    fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
    let report = folder.join(format!("{}.json", script.replace(':', "-")));
    // An old report must not be counted as this run's.
    if report.exists() {
        fs::remove_file(&report).with_context(|| format!("failed to remove {}", report.display()))?;
    }
    let to_report = format!("--outputFile.json={}", report.display());
    println!("in {CLIENT}:");
    let mut npm_run = command("npm", &repo.path(CLIENT), &["run", script, "--"]);
    npm_run.args(["--reporter=default", "--reporter=json", &to_report]);
    npm_run.envs(setup::browser().map(|path| (setup::BROWSER_VARIABLE, path)));
    let ended = stream(npm_run);
    let tests = match fs::read_to_string(&report) {
        Ok(text) => counts::of_vitest(&text)?,
        // It did not come far enough to write one; how it ended says why.
        Err(_) if ended.is_err() => Counts::default(),
        Err(error) => return Err(error).context("vitest ended well but wrote no report"),
    };
    Ok(Acted::tested(tests, ended))
}

/// A script of the browser tests' package.
fn browser(repo: &Repo, script: &str, built: bool) -> Result<Acted> {
    let mut tests = Counts::default();
    println!("in {E2E}:");
    let mut npm_test = command("npm", &repo.path(E2E), &["run", script]);
    npm_test.envs(built.then_some((BUILT, "1")));
    npm_test.envs(setup::browser().map(|path| (setup::BROWSER_VARIABLE, path)));
    let (shown, status) = stream_lines(npm_test, |line| tests += counts::of_node_line(line))?;
    Ok(Acted::tested(tests, demand(&shown, status)))
}

/// Each library crate by itself, and with each of its features: what compiles beside the others may stand on a feature
/// that only they switch on, and what compiles with all features may not with one.
fn features(repo: &Repo, metadata: &Metadata) -> Result<()> {
    let mut failed = Vec::new();
    for package in metadata.under(&repo.root, "crates") {
        let alone = ["check", "--package", package.name.as_str()];
        let bare = [&alone[..], &["--no-default-features"]].concat();
        let mut checks = vec![alone.to_vec()];
        if !package.features.is_empty() {
            checks.push(bare.clone());
        }
        for feature in package.features.keys().filter(|name| *name != "default") {
            checks.push([&bare[..], &["--features", feature]].concat());
        }
        for check in checks {
            if let Err(error) = stream(cargo(&repo.root, &check)) {
                failed.push(error.to_string());
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(anyhow!(failed.join("; "))) }
}
