//! `cargo xtask tutorial`: walks through docs/tutorial.md as a reader would. It does what the page says, step by step, to
//! a copy of the template application, runs the tests of the result, starts it and uses it. It never touches the template
//! itself, and knows nothing of the page's steps but their form; what the finished application must do stands in `tries`.

mod apply;
mod copy;
pub(crate) mod http;
mod page;
pub(crate) mod server;
mod tries;

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result, ensure};

use self::{copy::Copy, server::Server};
use crate::{
    metadata::Metadata,
    process::{cargo, command, demand, find, stream, stream_lines},
    repo::Repo,
};

/// The page.
const PAGE: &str = "docs/tutorial.md";

/// The application it starts from.
const TEMPLATE: &str = "templates/sync";

/// The template's edition of Rust.
const EDITION: &str = "2024";

/// Walks through the whole page. Every line of the application's own tests is handed to `read`, to be counted. The error
/// names the page's line where one of its steps can't be done.
pub(crate) fn walk(repo: &Repo, metadata: &Metadata, read: impl FnMut(&str)) -> Result<()> {
    let text = fs::read_to_string(repo.path(PAGE)).with_context(|| format!("failed to read {PAGE}"))?;
    let steps = page::read(&text).with_context(|| format!("failed to read {PAGE}"))?;
    let copy = copy::make(repo, metadata)?;
    for step in &steps {
        apply::apply(&copy.app, step).with_context(|| format!("{PAGE}:{}", step.line))?;
    }
    println!("the {} steps of {PAGE} are done in {}", steps.len(), copy.app.display());
    let touched: BTreeSet<_> = steps.iter().map(|step| step.path.as_str()).collect();
    let written_in = |ending: &'static str| touched.iter().copied().filter(move |path| path.ends_with(ending));
    for script in written_in(".js") {
        parse_script(&copy, script).with_context(|| format!("{PAGE} leaves {script} broken"))?;
    }
    let mut format = command("rustfmt", &copy.app, &["--check", "--edition", EDITION]);
    format.args(written_in(".rs"));
    stream(format).with_context(|| format!("{PAGE} leaves Rust that is not formatted"))?;
    let (shown, status) = stream_lines(copy.cargo(&["test", "--no-fail-fast"]), read)?;
    demand(&shown, status)?;
    use_it(repo, metadata, &copy)
}

/// A list is begun with the template as it was before the page's first step, and goes on with what the page made of it:
/// whoever changes an application has data already.
fn use_it(repo: &Repo, metadata: &Metadata, copy: &Copy) -> Result<()> {
    stream(cargo(&repo.root, &["build", "--package", copy::PACKAGE]))?;
    let database = copy.folder.join("app.db");
    let before = Server::start(&metadata.target_directory.join("debug").join(copy::PACKAGE), &database)?;
    tries::before(&before).context("the application as it was before the tutorial")?;
    drop(before);
    let after = Server::start(&copy.program(), &database)?;
    tries::after(&after).context("the application that the tutorial made")
}

/// Node reads a script without running it. A browser would take it for a module because of how the page names it; Node
/// does because of its ending.
fn parse_script(copy: &Copy, script: &str) -> Result<()> {
    ensure!(find("node").is_some(), "node is not installed: install Node 20 or later");
    let module = copy.folder.join(Path::new(script).with_extension("mjs").file_name().unwrap_or_default());
    fs::copy(copy.app.join(script), &module).with_context(|| format!("failed to copy {script}"))?;
    let mut node = command("node", &copy.folder, &["--check"]);
    node.arg(&module);
    stream(node)
}
