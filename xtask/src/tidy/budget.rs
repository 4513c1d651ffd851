//! The rule of a light start: an application begun from the template is built from few crates, so that its first build
//! takes about a minute. Counted as they are built for the host, build scripts' crates included.

use std::path::Path;

use anyhow::Result;

use super::{Finding, Findings};
use crate::metadata::{Metadata, tree};

const TEMPLATES: [&str; 2] = ["templates/sync", "templates/minimal"];

/// Crates, the template itself included. axum, tokio, minijinja and rusqlite together are 87, built in about 50 seconds
/// on two cores.
const CRATES: usize = 100;

pub(super) fn check(root: &Path, metadata: &Metadata, findings: &mut Findings) -> Result<()> {
    TEMPLATES.iter().try_for_each(|folder| one(root, metadata, folder, findings))
}

fn one(root: &Path, metadata: &Metadata, folder: &str, findings: &mut Findings) -> Result<()> {
    let finding = |text| Finding { place: folder.to_owned(), line: None, text };
    let Some(template) = metadata.in_folder(root, folder) else {
        if root.join(folder).join("Cargo.toml").is_file() {
            findings.broken.push(finding("is no member of the workspace".to_owned()));
        } else {
            findings.advice.push(finding("does not exist, so its crates are not counted".to_owned()));
        }
        return Ok(());
    };
    let crates = tree(root, &template.name, "normal,build", None)?.len();
    println!("{folder} is built from {crates} crates, {CRATES} are the limit");
    if crates > CRATES {
        let text = format!("is built from {crates} crates, {CRATES} are the limit: make what is heavy a feature");
        findings.broken.push(finding(text));
    }
    Ok(())
}
