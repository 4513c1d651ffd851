//! Puts into the binary which commit it was built of and the templates `riverrun new` copies, from the workspace members
//! themselves or, in a packaged crate, from the bundle `cargo xtask bundle` made of them.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// What cargo puts into a packaged crate in place of the repository.
const PACKAGED: &str = ".cargo_vcs_info.json";

/// Where the templates lie: in the workspace, or beside this file in a packaged crate.
const PLACES: [&str; 2] = ["../..", "bundle"];

/// The templates, the first being the one nobody has to name.
const TEMPLATES: [&str; 2] = ["sync", "minimal"];

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-env=RIVERRUN_VERSION={}", version());
    let place = PLACES.iter().map(Path::new).find(|place| place.join("templates").is_dir());
    let place = place.ok_or_else(|| io::Error::other("there are no templates: run `cargo xtask bundle` first"))?;
    embed(place, &PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?).join("templates.rs"))
}

fn version() -> String {
    for head in ["../../.git/HEAD", "../../.git/logs/HEAD"] {
        if Path::new(head).exists() {
            println!("cargo:rerun-if-changed={head}");
        }
    }
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    match from_git().or_else(from_package) {
        Some(commit) => format!("{version} ({commit})"),
        None => version,
    }
}

fn from_git() -> Option<String> {
    // Only of the repository this crate lies in, not of one that happens to lie around an unpacked package.
    if !Path::new("../../.git").exists() {
        return None;
    }
    let told = Command::new("git").args(["rev-parse", "--short=10", "HEAD"]).output().ok()?;
    let commit = String::from_utf8(told.stdout).ok()?.trim().to_owned();
    (told.status.success() && !commit.is_empty()).then_some(commit)
}

fn from_package() -> Option<String> {
    let text = fs::read_to_string(PACKAGED).ok()?;
    // Only where it is: a file that is missing counts as changed at every build.
    println!("cargo:rerun-if-changed={PACKAGED}");
    let (_, after) = text.split_once("\"sha1\": \"")?;
    after.get(..10).map(str::to_owned)
}

/// Writes the Rust that embeds everything.
fn embed(place: &Path, to: &Path) -> io::Result<()> {
    let whole = fs::canonicalize(place)?;
    let literal = |path: &Path| format!("{:?}", path.to_string_lossy());
    let mut lines = Vec::new();
    for (name, file) in [("MANIFEST", "Cargo.toml"), ("LOCK", "Cargo.lock")] {
        let file = found(&whole, file)?;
        println!("cargo:rerun-if-changed={}", file.display());
        lines.push(format!("pub(super) const {name}: &str = include_str!({});", literal(&file)));
    }
    lines.push("pub(super) const TEMPLATES: &[Template] = &[".to_owned());
    for name in TEMPLATES {
        let root = whole.join("templates").join(name);
        let mut files = Vec::new();
        walk(&root, &root, &mut files)?;
        files.sort();
        lines.push(format!("    Template {{ name: {name:?}, files: &["));
        lines.extend(
            files.iter().map(|(inside, file)| format!("        ({inside:?}, include_bytes!({})),", literal(file))),
        );
        lines.push("    ] },".to_owned());
    }
    lines.push("];\n".to_owned());
    fs::write(to, lines.join("\n"))
}

/// A manifest, which bears another name in a bundle: cargo packs no directory that holds a package of its own.
fn found(folder: &Path, file: &str) -> io::Result<PathBuf> {
    [file.to_owned(), format!("{file}.bundled")]
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| io::Error::other(format!("{} has no {file}", folder.display())))
}

/// The files that belong to an application, by their paths in it. What a build or a run of the template left is none.
fn walk(root: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    println!("cargo:rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            if name != "target" && name != ".git" {
                walk(root, &path, files)?;
            }
            continue;
        }
        let left_over = name.contains(".db") || name.ends_with('~') || name == ".env" || name == "Cargo.lock";
        if !left_over {
            let inside = path.strip_prefix(root).map_err(io::Error::other)?;
            let inside = inside.to_string_lossy().replace('\\', "/");
            files.push((inside.trim_end_matches(".bundled").to_owned(), path));
        }
    }
    Ok(())
}
