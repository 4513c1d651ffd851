//! `riverrun new` without building what it makes: what is written, what is refused, and that nothing is left of a failure.
//! Building, testing and starting the applications is `cargo xtask new-app`.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path};

use common::{ok, run};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn entries(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn read(home: &Path, file: &str) -> String {
    fs::read_to_string(home.join(file)).unwrap()
}

#[test]
fn an_application_has_its_own_name_and_the_seed_s_layout() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path();
    let said = ok(home, &["new", "to-do", "--yes", "--no-git", "--riverrun-path", ROOT]);
    assert!(said.contains("cd to-do") && said.contains("riverrun dev"), "{said}");
    for file in [
        ".gitignore",
        "Cargo.lock",
        "Cargo.toml",
        "Dockerfile",
        "README.md",
        "assets/css/style.css",
        "assets/js/app.js",
        "src/handler/home.rs",
        "src/main.rs",
        "src/server/config.rs",
        "src/server/mod.rs",
        "src/server/routes.rs",
        "src/service/todo/mutator.rs",
        "tests/mutators.rs",
        "views/layouts/main.html",
        "views/pages/home.html",
    ] {
        assert!(home.join("to-do").join(file).is_file(), "{file}");
    }
    assert!(read(home, "to-do/README.md").starts_with("# to-do\n"));
    assert!(read(home, "to-do/src/main.rs").contains("use to_do::server"));
    assert!(read(home, "to-do/Cargo.lock").contains("name = \"to-do\""));
    let manifest = read(home, "to-do/Cargo.toml");
    assert!(manifest.contains("name = \"to-do\"") && !manifest.contains("workspace = true"), "{manifest}");
    assert!(!read(home, "to-do/Cargo.lock").contains("name = \"riverrun-cli\""));
    assert_eq!(entries(home), ["to-do"], "nothing is left beside");
    let leftover = walk(&home.join("to-do")).into_iter().find(|text| text.contains("myapp"));
    assert_eq!(leftover, None);
}

fn walk(folder: &Path) -> Vec<String> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| if path.is_dir() { walk(&path) } else { fs::read_to_string(path).into_iter().collect() })
        .collect()
}

#[test]
fn riverrun_comes_from_where_it_is_wanted() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path();
    ok(home, &["new", "a", "--yes", "--no-git", "--template", "minimal", "--riverrun-version", "0.9.1"]);
    assert!(read(home, "a/Cargo.toml").contains("riverrun = { version = \"0.9.1\" }"));
    assert!(!read(home, "a/Cargo.lock").contains("name = \"riverrun-core\""));
    let git = ["--riverrun-git", "https://example.org/r.git", "--riverrun-rev", "abc"];
    ok(home, &[&["new", "b", "--yes", "--no-git"][..], &git].concat());
    let manifest = read(home, "b/Cargo.toml");
    assert!(
        manifest.contains("git = \"https://example.org/r.git\", rev = \"abc\", features = [\"view\"]"),
        "{manifest}"
    );
    assert_eq!(run(home, &["new", "c", "--yes", "--riverrun-path", "a"]).code, 1, "no checkout");
    assert_eq!(entries(home), ["a", "b"]);
}

#[test]
fn a_directory_with_something_in_it_is_refused_by_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path();
    fs::create_dir(home.join("full")).unwrap();
    fs::write(home.join("full/mine.txt"), "keep me").unwrap();
    let ran = run(home, &["new", "full", "--yes"]);
    assert!(ran.code == 1 && ran.err.contains("full is not empty"), "{}", ran.err);
    assert_eq!(entries(&home.join("full")), ["mine.txt"]);
    fs::write(home.join("file"), "").unwrap();
    assert!(run(home, &["new", "file", "--yes"]).err.contains("file is a file"));
    fs::create_dir(home.join("empty")).unwrap();
    ok(home, &["new", "empty", "--yes", "--no-git", "--riverrun-path", ROOT]);
    assert!(home.join("empty/Cargo.toml").is_file());
}

#[test]
fn a_name_that_is_none_is_refused_and_nothing_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path();
    for args in [&["new", "x", "--name", "9lives"][..], &["new", "async"], &["new", "x", "--name", "tokio"]] {
        let ran = run(home, args);
        assert_eq!(ran.code, 2, "{args:?}: {}{}", ran.out, ran.err);
    }
    assert_eq!(entries(home), Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn what_can_t_be_written_whole_is_not_written_at_all() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path();
    fs::write(home.join("parent"), "a file where a directory should be").unwrap();
    let ran = run(home, &["new", "parent/app", "--yes", "--no-git"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert_eq!(entries(home), ["parent"]);
    fs::create_dir(home.join("shut")).unwrap();
    fs::set_permissions(home.join("shut"), fs::Permissions::from_mode(0o500)).unwrap();
    let ran = run(home, &["new", "shut/app", "--yes", "--no-git"]);
    // Who may do everything may write there too.
    assert!(ran.code == 1 || home.join("shut/app/Cargo.toml").is_file());
    fs::set_permissions(home.join("shut"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_repository_is_begun_unless_there_is_one_around() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path();
    ok(home, &["new", "a", "--yes", "--template", "minimal", "--riverrun-path", ROOT]);
    assert!(home.join("a/.git").is_dir());
    ok(&home.join("a"), &["new", "inner", "--yes", "--template", "minimal", "--riverrun-path", ROOT]);
    assert!(!home.join("a/inner/.git").exists());
}
