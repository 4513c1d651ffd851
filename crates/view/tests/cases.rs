//! Templates as data: each folder of `tests/cases` holds `views/`, the page's values in `data.json`, and what must come
//! of `pages/home.html`: `page.html`, or `problem.txt`. Run with `UPDATE=1` to write what came instead, and read it.

#![allow(clippy::unwrap_used, reason = "a test ends at the first thing that fails")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use riverrun_view::{BuildError, Views};

/// Renders the case, in development and as a release, which must agree.
fn check(case: &str) {
    let folder = folder().join(case);
    let outcome = outcome(&folder, true);
    let (expected, text) = match &outcome {
        Ok(page) => ("page.html", page),
        Err(problem) => ("problem.txt", problem),
    };
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(folder.join(expected), text).unwrap();
    }
    let wanted = std::fs::read_to_string(folder.join(expected)).unwrap_or_else(|_| panic!("{case} gave: {text}"));
    assert_eq!(*text, wanted, "{case}");
    assert_eq!(self::outcome(&folder, false), outcome, "{case}, as a release");
}

fn outcome(folder: &Path, dev: bool) -> Result<String, String> {
    let data = std::fs::read_to_string(folder.join("data.json")).unwrap_or_else(|_| "{}".to_owned());
    let data: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&data).unwrap();
    let mut builder = Views::builder(folder.join("views"))
        .dev(dev)
        .function("asset", |file: &str| format!("/static/{file}?v=1"))
        .filter("money", |cents: i64| format!("€ {}.{:02}", cents / 100, cents % 100));
    if folder.join("views/layouts/main.html").exists() {
        builder = builder.layout("layouts/main");
    }
    let views = match builder.build() {
        Ok(views) => views,
        Err(BuildError::Templates(problems)) => return Err(problems[0].to_string() + "\n"),
        Err(error) => return Err(error.to_string()),
    };
    let page = data.iter().fold(views.page("home"), |page, (name, value)| page.with(name, value));
    page.render().map_err(|error| error.to_string() + "\n")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// A test for each case, and one that no folder is left out.
macro_rules! cases {
    ($($name:ident: $case:literal,)*) => {
        $(#[test] fn $name() { check($case); })*

        #[test]
        fn every_folder_is_a_test() {
            let named: BTreeSet<_> = [$($case.to_owned()),*].into();
            let there: BTreeSet<_> = std::fs::read_dir(folder()).unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            assert_eq!(named, there);
        }
    };
}

cases! {
    a_page_stands_in_its_layout_which_sees_its_values_and_what_it_set: "layout",
    a_component_gets_its_arguments_and_the_callers_content: "component",
    a_component_does_not_see_the_pages_variables: "component-isolated",
    a_component_renders_a_tree_of_itself: "component-tree",
    includes_extends_and_macros_work_as_in_jinja: "partials",
    what_is_pushed_before_or_after_reaches_the_stack: "stacks",
    values_are_escaped_in_text_and_attributes: "escaping",
    json_can_not_end_what_it_stands_in: "json",
    words_numbers_and_dates_have_helpers: "text",
    addresses_are_encoded_and_never_run_script: "urls",
    functions_and_filters_of_ones_own_are_there: "own",
    an_undefined_variable_is_an_error_that_names_it: "undefined",
    an_undefined_variable_may_be_asked_for: "undefined-asked",
    an_undefined_attribute_in_a_component_is_traced_back_to_the_page: "undefined-nested",
    a_template_that_does_not_parse_is_an_error_with_its_line: "syntax",
    a_misplaced_value_is_an_error_with_its_line: "misplaced",
    a_problem_in_the_layout_is_traced: "layout-problem",
}
