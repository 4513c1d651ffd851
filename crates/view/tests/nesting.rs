//! Nesting without an end is an error on a thread of the usual size, never the end of the process.

#![allow(clippy::unwrap_used, reason = "a test ends at the first thing that fails")]

mod common;

use common::Folder;
use riverrun_view::Views;

/// What a runtime's worker thread has.
const STACK_BYTES: usize = 2 << 20;

fn check(name: &str, templates: &[(&str, &str)], message: &str) {
    let folder = Folder::new(name);
    for (file, text) in templates {
        folder.write(file, text);
    }
    let views = Views::builder(folder.path()).build().unwrap();
    let render = move || views.page("home").with("n", 0).render().unwrap_err().to_string();
    let told = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(render).unwrap().join().unwrap();
    assert!(told.contains(message), "{told}");
}

#[test]
fn a_component_within_itself() {
    let page = ("pages/home.html", "{{ component(\"a\") }}");
    check("nest-plain", &[page, ("components/a.html", "{{ component(\"a\") }}")], "nested too deep");
    let block = "{% call component(\"a\") %}{{ component(\"a\") }}{% endcall %}";
    check("nest-block", &[page, ("components/a.html", block)], "nested too deep");
}

#[test]
fn the_way_there_is_told_in_short() {
    let templates = [
        ("pages/home.html", "{{ component(\"a\") }}"),
        ("components/a.html", "{{ component(\"b\") }}"),
        ("components/b.html", "{{ component(\"a\") }}"),
    ];
    check("nest-told", &templates, " more) (from pages/home.html:1)");
}

#[test]
fn a_component_whose_includes_nest_as_well() {
    let include = "{% if n < 30 %}{% set n = n + 1 %}{% include \"partials/deep.html\" %}{% else %}{{ component(\"a\") }}{% endif %}";
    check(
        "nest-includes",
        &[
            ("pages/home.html", "{{ component(\"a\") }}"),
            ("components/a.html", "{% set n = 0 %}{% include \"partials/deep.html\" %}"),
            ("partials/deep.html", include),
        ],
        "nested too deep",
    );
}

#[test]
fn an_include_or_a_macro_within_itself() {
    check("nest-include", &[("pages/home.html", "{% include \"pages/home.html\" %}")], "recursion limit");
    check("nest-macro", &[("pages/home.html", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")], "recursion limit");
}

#[test]
fn an_endless_include_at_the_bottom_of_endless_components() {
    let both = "{% include \"partials/x.html\" ignore missing %}{{ component(\"a\") if n < 20 else \"\" }}{% include \"components/a.html\" %}";
    check(
        "nest-both",
        &[
            ("pages/home.html", "{{ component(\"a\", n=0) }}"),
            ("components/a.html", &both.replace("component(\"a\")", "component(\"a\", n=n+1)")),
        ],
        "recursion limit",
    );
}
