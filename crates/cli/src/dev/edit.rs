//! What an edit of a file asks for: a build, a restart, new styles, a new page, or nothing. It must never take what a
//! running application writes for an edit, or the application would be its own cause for being reloaded.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use super::{project::Project, settings};

/// What has to be done, the least first: more than one edit asks for the most of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Edit {
    /// Styles are taken anew without loading the page.
    Styles,
    /// The page is loaded anew.
    Page,
    /// The program is started anew.
    Settings,
    /// The program is built anew.
    Rust,
}

/// Endings of what a page is made of. An application writes other things: databases, logs, uploads of any kind but these
/// few.
const PAGE: [&str; 24] = [
    "html",
    "htm",
    "jinja",
    "j2",
    "txt",
    "md",
    "xml",
    "svg",
    "png",
    "jpg",
    "jpeg",
    "gif",
    "webp",
    "avif",
    "ico",
    "js",
    "mjs",
    "map",
    "json",
    "webmanifest",
    "wasm",
    "woff",
    "woff2",
    "ftl",
];

/// Files that say how to build, by name.
const MANIFESTS: [&str; 4] = ["Cargo.toml", "Cargo.lock", "rust-toolchain", "rust-toolchain.toml"];

/// Folders beside `src` whose Rust is in no program.
const NOT_IN_IT: [&str; 3] = ["tests", "benches", "examples"];

/// Whether a folder is not looked into: what is built, what is fetched, what is hidden.
pub(crate) fn is_ignored(name: &str) -> bool {
    name.starts_with('.') || matches!(name, "target" | "node_modules")
}

/// What an edit of `path` asks for. `inputs` are the files the program was last made from.
pub(crate) fn of(path: &Path, project: &Project, dir: &Path, inputs: &HashSet<PathBuf>) -> Option<Edit> {
    if inputs.contains(path) {
        return Some(Edit::Rust);
    }
    if path == dir.join(settings::FILE) {
        return Some(Edit::Settings);
    }
    // Of packages inside one another the innermost has the file.
    let sources = project.sources.iter().filter(|root| path.starts_with(root));
    let root = sources.max_by_key(|root| root.components().count())?;
    let parts: Vec<_> = path.strip_prefix(root).ok()?.iter().map(|part| part.to_str().unwrap_or(".")).collect();
    let (name, folders) = parts.split_last()?;
    if name.starts_with(['.', '#']) || name.ends_with('~') || folders.iter().any(|folder| is_ignored(folder)) {
        return None;
    }
    if path.starts_with(&project.target) {
        return None;
    }
    if folders.is_empty() && MANIFESTS.contains(name) {
        return Some(Edit::Rust);
    }
    match name.rsplit_once('.').map(|(_, ending)| ending)? {
        "rs" => (!folders.first().is_some_and(|folder| NOT_IN_IT.contains(folder))).then_some(Edit::Rust),
        // What lies beside the manifest is about the project, not a part of its pages.
        _ if *root != project.root || folders.is_empty() => None,
        "css" => Some(Edit::Styles),
        ending => (PAGE.contains(&ending) && !NOT_IN_IT.contains(&folders[0])).then_some(Edit::Page),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(path: &str) -> Option<Edit> {
        let project = Project {
            name: "app".into(),
            program: "app".into(),
            manifest: "/app/Cargo.toml".into(),
            root: "/app".into(),
            sources: vec!["/app".into(), "/lib/core".into()],
            packages: 2,
            target: "/app/out".into(),
            parts: "/app/out".into(),
            is_shared: false,
            members: vec!["app".into()],
        };
        let inputs = HashSet::from(["/app/src/main.rs".into(), "/app/sql/all.sql".into(), "/app/assets/in.css".into()]);
        of(Path::new(path), &project, Path::new("/app"), &inputs)
    }

    #[test]
    fn what_a_program_is_made_from_asks_for_a_build() {
        for path in [
            "/app/src/main.rs",
            "/app/src/new.rs",
            "/app/sql/all.sql",
            "/app/assets/in.css",
            "/app/Cargo.toml",
            "/app/build.rs",
            "/lib/core/src/lib.rs",
            "/lib/core/Cargo.toml",
        ] {
            assert_eq!(asks(path), Some(Edit::Rust), "{path}");
        }
    }

    #[test]
    fn styles_pages_and_settings_need_no_compile() {
        assert_eq!(asks("/app/assets/css/style.css"), Some(Edit::Styles));
        for path in ["/app/views/pages/home.html", "/app/assets/js/app.js", "/app/assets/icon.svg", "/app/src/a.html"] {
            assert_eq!(asks(path), Some(Edit::Page), "{path}");
        }
        assert_eq!(asks("/app/.env"), Some(Edit::Settings));
    }

    #[test]
    fn what_is_built_written_or_half_saved_asks_for_nothing() {
        for path in [
            "/app/app.db-wal",
            "/app/data/app.db",
            "/app/README.md",
            "/app/tests/forms.rs",
            "/app/tests/page.html",
            "/app/target/debug/x.rs",
            "/app/out/debug/x.rs",
            "/app/node_modules/a/a.js",
            "/app/.git/index",
            "/app/views/.home.html.swp",
            "/app/views/home.html~",
            "/app/src/.#main.rs",
            "/lib/core/assets/style.css",
            "/lib/other/src/lib.rs",
        ] {
            assert_eq!(asks(path), None, "{path}");
        }
    }

    #[test]
    fn the_most_is_asked_for_last() {
        assert!(Edit::Rust > Edit::Settings && Edit::Settings > Edit::Page && Edit::Page > Edit::Styles);
    }
}
