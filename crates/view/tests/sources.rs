//! Where templates come from: the binary and the folder agree, a release is checked as a whole, names stay inside.

#![allow(clippy::unwrap_used, reason = "a test ends at the first thing that fails")]

mod common;

use common::Folder;
use riverrun_view::{BuildError, SourceError, Views, embed, embed_always};

fn render(views: &Views) -> String {
    views.page("home").with("name", "<Ada>").render().unwrap()
}

#[test]
fn what_is_embedded_renders_as_the_folder_does() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/site");
    let pages: Vec<_> = [false, true]
        .into_iter()
        .flat_map(|dev| {
            let sources = [
                folder.into(),
                embed!("$CARGO_MANIFEST_DIR/tests/site"),
                embed_always!("$CARGO_MANIFEST_DIR/tests/site"),
            ];
            sources.map(|source| render(&Views::builder(source).layout("layouts/main").dev(dev).build().unwrap()))
        })
        .collect();
    assert!(pages[0].contains("<h1>Hello &lt;Ada&gt;</h1>") && pages[0].contains("<li>one</li>"));
    assert!(pages.iter().all(|page| *page == pages[0]), "{pages:#?}");
}

#[test]
fn a_release_with_mistakes_tells_all_of_them_and_does_not_start() {
    let folder = Folder::new("mistakes");
    folder
        .write("pages/a.html", "fine")
        .write("pages/b.html", "\n{{ x | nope }}")
        .write("pages/c.html", "{% if %}")
        .write("components/d.html", "\n\n<a href={{ x }}>{{ component('gone') }}");
    let told = match Views::builder(folder.path()).layout("layouts/main").dev(false).build() {
        Err(error @ BuildError::Templates(_)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    for part in [
        "components/d.html:3: the value of an attribute must be quoted",
        "components/d.html:3: there is no component `gone`",
        "pages/b.html:2: there is no filter `nope`",
        "pages/c.html:1: syntax error",
        "the default layout `layouts/main` does not exist",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }

    let dev = Views::builder(folder.path()).dev(true).build().unwrap();
    assert_eq!(dev.page("a").render().unwrap(), "fine");
    assert!(dev.page("c").render().is_err());
    assert!(matches!(dev.check(), Err(BuildError::Templates(problems)) if problems.len() == 4));
}

#[test]
fn a_folder_that_is_missing_or_unreadable_is_an_error() {
    let folder = Folder::new("unreadable");
    assert!(matches!(
        Views::builder(folder.path().join("nothing")).build(),
        Err(BuildError::Source(SourceError::NotAFolder { .. }))
    ));
    folder.write("pages/latin.html", [0xe9]);
    assert!(matches!(
        Views::builder(folder.path()).dev(false).build(),
        Err(BuildError::Source(SourceError::NotUtf8 { file })) if file == "pages/latin.html"
    ));
    folder.write("pages/latin.html", "x".repeat((1 << 20) + 1));
    assert!(matches!(
        Views::builder(folder.path()).dev(false).build(),
        Err(BuildError::Source(SourceError::TooLarge { .. }))
    ));
}

#[test]
fn no_name_leads_out_of_the_root() {
    let folder = Folder::new("outside/views");
    Folder::new("outside/secrets").write("secret.html", "SECRET");
    folder.write("pages/home.html", "{% include name %}").write("pages/.hidden.html", "SECRET");
    folder.write("pages/component.html", "{{ component(name) }}").write("pages/backup.html~", "SECRET");
    for dev in [true, false] {
        let views = Views::builder(folder.path()).dev(dev).build().unwrap();
        for name in [
            "../secrets/secret.html",
            "../secrets/secret",
            "pages/../../secrets/secret.html",
            ".hidden",
            "pages/.hidden.html",
            "backup.html~",
            "pages/backup.html~",
            "/etc/passwd",
            "..\\secrets\\secret.html",
            "",
        ] {
            for page in ["home", "component"] {
                assert!(views.page(page).with("name", name).render().is_err(), "{name}");
            }
            assert!(views.page(name).render().is_err(), "{name}");
            assert!(views.page("home").layout(name).render().is_err(), "{name}");
            assert!(!views.has_page(name));
        }
    }
}

#[test]
fn a_name_is_found_only_as_it_is_spelt() {
    let folder = Folder::new("spelling");
    folder.write("pages/home.html", "x");
    for dev in [true, false] {
        let views = Views::builder(folder.path()).dev(dev).build().unwrap();
        assert!(views.has_page("home") && !views.has_page("Home"));
    }
}
