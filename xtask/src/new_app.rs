//! `cargo xtask new-app`: what a newcomer does first, with each template. It makes an application with the binary `riverrun`,
//! outside of the workspace, builds it, runs its tests, starts it and adds a todo. It shares the workspace's build, so that
//! what is compiled once is not compiled again.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::{
    metadata::{self, Metadata},
    process::{cargo, command, demand, stream, stream_lines},
    repo::Repo,
    tutorial::{http, server::Server},
};

/// The templates, and the scope whose todos the first page of each shows.
const TEMPLATES: [(&str, &str); 2] = [("sync", "list:home"), ("minimal", "home")];

/// Crates an application may be built from, itself included; the tidy chore says why.
const CRATES: usize = 100;

/// Makes, tests and uses an application of each template. Every line of their tests is handed to `read`. `built` says that
/// the binary `riverrun` is there and new.
pub(crate) fn run(repo: &Repo, metadata: &Metadata, built: bool, mut read: impl FnMut(&str)) -> Result<()> {
    if !built {
        stream(cargo(&repo.root, &["build", "--package", "riverrun-cli"]))?;
    }
    let folder = metadata.target_directory.join("xtask/new-app");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("failed to remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
    for (template, scope) in TEMPLATES {
        one(repo, metadata, &folder, template, scope, &mut read)
            .with_context(|| format!("an application of the template {template}"))?;
    }
    Ok(())
}

fn one(
    repo: &Repo,
    metadata: &Metadata,
    folder: &Path,
    template: &str,
    scope: &str,
    read: &mut impl FnMut(&str),
) -> Result<()> {
    // With a dash, which Rust's own names can't have.
    let name = format!("new-{template}");
    let root = repo.root.to_str().context("the checkout's path is no text")?;
    let program = metadata.target_directory.join("debug/riverrun");
    let asked = ["new", &name, "--template", template, "--yes", "--no-git", "--riverrun-path", root];
    stream(command(program, folder, &asked))?;
    let app = folder.join(&name);
    let count = metadata::tree(&app, &name, "normal,build", None)?.len();
    println!("{name} is built from {count} crates, {CRATES} are the limit");
    ensure!(count <= CRATES, "it is built from {count} crates, {CRATES} are the limit");
    let results = folder.join("results");
    // Its lock file is as it has to be: nothing is looked up, and nothing in it changes.
    let mut test = cargo(&app, &["test", "--locked", "--no-fail-fast"]);
    test.env("CARGO_TARGET_DIR", &results).env("CARGO_BUILD_BUILD_DIR", &metadata.target_directory);
    let (shown, status) = stream_lines(test, read)?;
    demand(&shown, status)?;
    let mut build = cargo(&app, &["build", "--locked"]);
    build.env("CARGO_TARGET_DIR", &results).env("CARGO_BUILD_BUILD_DIR", &metadata.target_directory);
    stream(build)?;
    use_it(&results.join("debug").join(&name), &folder.join(format!("{name}.db")), scope)
}

/// The page is there, a todo sent to it is kept, and a snapshot shows it.
fn use_it(program: &Path, database: &Path, scope: &str) -> Result<()> {
    let server = Server::start(program, database)?;
    let page = http::get(&server.address, "/")?;
    ensure!(page.status == 200 && page.text.contains("<form"), "/ answers {} without a form", page.status);
    let script = http::get(&server.address, "/_sync/client.js")?;
    ensure!(script.status == 200, "/_sync/client.js answers {}", script.status);
    let todo = json!({ "id": "t1", "title": "Milk" });
    let push = json!({ "mutations": [{ "id": "m1", "type": "todo.create", "args": todo, "scope": scope }] });
    let sent = http::post_json(&server.address, "/_sync/push", &push)?;
    ensure!(sent.status == 200 && sent.text.contains("\"ok\":true"), "a push is answered {}", sent.text);
    let snapshot = http::post_json(&server.address, "/_sync/snapshot", &json!({ "scope": scope }))?;
    ensure!(snapshot.text.contains("\"Milk\""), "the snapshot does not show the todo: {}", snapshot.text);
    Ok(())
}
