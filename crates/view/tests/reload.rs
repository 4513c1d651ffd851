//! Development: templates follow their files, without a restart and without a torn page.

#![allow(clippy::unwrap_used, reason = "a test ends at the first thing that fails")]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::Folder;
use riverrun_view::Views;

fn site(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder
        .write("layouts/main.html", "[{{ content }}]")
        .write("pages/home.html", "one {{ component(\"item\") }} {% include \"partials/x.html\" %}")
        .write("components/item.html", "item")
        .write("partials/x.html", "x");
    folder
}

fn views(folder: &Folder, dev: bool) -> Views {
    Views::builder(folder.path()).layout("layouts/main").dev(dev).build().unwrap()
}

fn render(views: &Views) -> String {
    views.page("home").render().unwrap_or_else(|error| error.to_string())
}

#[test]
fn every_kind_of_template_follows_its_file() {
    let folder = site("reload");
    let views = views(&folder, true);
    assert_eq!(render(&views), "[one item x]");
    // Of equal length and within one tick of the clock: neither size nor time tells them apart.
    for text in ["two", "six", "ten"] {
        folder.write(
            "pages/home.html",
            format!("{text} {{{{ component(\"item\") }}}} {{% include \"partials/x.html\" %}}"),
        );
        assert_eq!(render(&views), format!("[{text} item x]"));
    }
    folder
        .write("layouts/main.html", "({{ content }})")
        .write("components/item.html", "ITEM")
        .write("partials/x.html", "X");
    assert_eq!(render(&views), "(ten ITEM X)");
}

#[test]
fn a_new_file_is_found_and_a_removed_one_is_gone() {
    let folder = site("new-file");
    let views = views(&folder, true);
    assert!(views.page("about").render().is_err());
    folder.write("pages/about.html", "about");
    assert_eq!(views.page("about").render().unwrap(), "[about]");
    folder.remove("pages/about.html");
    assert!(views.page("about").render().unwrap_err().to_string().contains("there is no page `about`"));
    folder.remove("components/item.html");
    assert!(render(&views).contains("there is no component `item`"), "{}", render(&views));
}

#[test]
fn a_mistake_shows_and_goes_away_when_it_is_mended() {
    let folder = site("mended");
    let views = views(&folder, true);
    assert_eq!(render(&views), "[one item x]");
    folder.write("components/item.html", "\n{{ oops }");
    assert!(render(&views).starts_with("components/item.html:2: syntax error"), "{}", render(&views));
    assert!(render(&views).contains("(from pages/home.html:1)"));
    folder.write("components/item.html", "mended");
    assert_eq!(render(&views), "[one mended x]");
}

#[test]
fn a_release_reads_its_folder_once() {
    let folder = site("release");
    let views = views(&folder, false);
    folder.write("pages/home.html", "changed");
    assert_eq!(render(&views), "[one item x]");
}

#[test]
fn many_threads_render_while_files_change_and_no_page_is_torn() {
    let folder = site("threads");
    let (a, b) = ("a".repeat(5_000), "b".repeat(5_000));
    folder.write("components/item.html", &a);
    let views = views(&folder, true);
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = (false, false);
                    while !is_done.load(Ordering::Relaxed) || seen == (false, false) {
                        let page = render(&views);
                        let is_a = page == format!("[one {a} x]");
                        assert!(is_a || page == format!("[one {b} x]"), "{page}");
                        seen = (seen.0 || is_a, seen.1 || !is_a);
                    }
                })
            })
            .collect();
        for round in 0..200 {
            folder.write("next", if round % 2 == 0 { &b } else { &a });
            std::fs::rename(folder.path().join("next"), folder.path().join("components/item.html")).unwrap();
        }
        is_done.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().unwrap();
        }
    });
    assert_eq!(render(&views), format!("[one {a} x]"));
}

#[test]
fn renders_at_the_same_time_do_not_share_stacks() {
    let folder = Folder::new("stacks-threads");
    folder
        .write("layouts/main.html", "{{ content }}|{{ stack(\"s\") }}")
        .write("pages/home.html", "{% for i in range(50) %}{{ component(\"push\", n=n) }}{% endfor %}")
        .write("components/push.html", "{% call push(\"s\") %}{{ n }},{% endcall %}");
    let views = views(&folder, false);
    thread::scope(|scope| {
        for n in 0..8 {
            let views = &views;
            scope.spawn(move || {
                for _ in 0..50 {
                    let page = views.page("home").with("n", n).render().unwrap();
                    assert_eq!(page, format!("|{}", format!("{n},").repeat(50)));
                }
            });
        }
    });
}
