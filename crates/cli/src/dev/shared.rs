//! A target directory that several applications build into, as `CARGO_TARGET_DIR` makes one. Cargo tells two folders of one
//! application (a second checkout, say) apart by nothing but when their files were written, and would start the other one's
//! program here. It must never throw away more than what was built of the application's own packages.

use std::{fs, path::Path, process::Stdio, time::UNIX_EPOCH};

use super::{
    group::{Group, command},
    project::{Project, cargo},
};

/// Whether what was built may be another folder's: the directory is shared, and the program in it is not the one that was
/// built for this folder last. Where programs lie elsewhere than what they are made from, they say nothing about that.
pub(crate) fn may_be_anothers(project: &Project) -> bool {
    let noted = || fs::read_to_string(project.note()).is_ok_and(|note| Some(note) == owned(project, &project.built()));
    project.is_shared && (project.parts != project.target || !noted())
}

/// Notes whose program it is that was built.
pub(crate) fn note(project: &Project, program: &Path) {
    if project.is_shared
        && let Some(owned) = owned(project, program)
    {
        // Without the note it is built once more at the next start, and is the right one all the same.
        let _ = fs::write(project.note(), owned);
    }
}

/// Throws away what was built of the application's own packages, so that they are built of this folder.
pub(crate) async fn clean(project: &Project) {
    let mut clean = command(cargo());
    clean.arg("clean").arg("--manifest-path").arg(&project.manifest);
    for package in &project.members {
        clean.args(["--package", package]);
    }
    clean.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Where this does not work the build won't either, and says why.
    if let Ok(mut group) = Group::start(clean) {
        let _ = group.wait().await;
    }
}

/// Whose a program is, and which one: the application's folder, and when the program was written.
fn owned(project: &Project, program: &Path) -> Option<String> {
    let written = fs::metadata(program).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{}\n{}\n", project.root.display(), written.as_nanos()))
}
