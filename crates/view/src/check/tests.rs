//! The check's rules, a template a row: what it must refuse, and what it must leave alone.

use minijinja::Environment;

use super::Rules;
use crate::helpers;
use crate::source::{Folder, Templates};

fn rules() -> Rules {
    let mut env = Environment::new();
    helpers::add_to(&mut env);
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/site").into();
    Rules { env, templates: Templates::Folder(Folder::open(root).unwrap()) }
}

fn check(source: &str, problems: &[&str]) {
    let found: Vec<_> = rules().check("pages/x.html", source).iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), problems.len(), "{source}: {found:#?}");
    for (found, part) in found.iter().zip(problems) {
        assert!(found.contains(part), "{source}: {found}");
    }
}

#[test]
fn a_template_that_does_not_parse_is_refused_with_its_line() {
    check("a\nb {% if x %}\n{{ y }", &["pages/x.html:3: syntax error"]);
}

#[test]
fn unknown_filters_tests_and_templates_are_found() {
    check("\n{{ x | trunacte }}", &["pages/x.html:2: there is no filter `trunacte`"]);
    check("{% filter uper %}x{% endfilter %}", &["no filter `uper`"]);
    check("{% if x is definde and y is not nothing %}{% endif %}", &["no test `definde`", "no test `nothing`"]);
    check("{% include \"partials/gone.html\" %}", &["no template `partials/gone.html`"]);
    check("{% include \"../Cargo.toml\" %}", &["no template `../Cargo.toml`"]);
    check("{{ component(\"gone\", a=1) }}{{ component('gone') }}", &["no component `gone`", "no component `gone`"]);
}

#[test]
fn what_exists_or_is_computed_is_left_alone() {
    check("{{ x | upper | default('|nope') }} {# x | nope #} {% raw %}{{ x | nope }}{% endraw %}", &[]);
    check("{{ \"a | nope\" }} {{ x.is }} {{ x is none }} {% if x is not defined %}{% endif %}", &[]);
    check("{% include \"partials/gone.html\" ignore missing %}{% include name %}", &[]);
    check("{% include \"partials/nav.html\" %}{{ component(\"item\", a={\"b\": {}}) }}", &[]);
}

#[test]
fn a_value_outside_quotes_is_refused() {
    check("<a href={{ x }}>", &["must be quoted"]);
    check("<a href=/x/{{ x }}>", &["must be quoted"]);
    check("<a href = \n {{ x }} title=\"{{ y }}\">", &["must be quoted"]);
    check("<a {{ attrs(href=x) }} {% if x %}hidden{% endif %} href=\"/a?b={{ x }}\">{{ x }}</a> a < b = {{ x }}", &[]);
}

#[test]
fn json_in_double_quotes_is_refused() {
    check("<a data-x=\"{{ x | json }}\">", &["use `json_attr`"]);
    check("<a data-x=\"{{ x | tojson }}\">", &["use `json_attr`"]);
    check("<a data-x='{{ x | json }}' data-y=\"{{ x | json_attr }}\" data-z=\"{{ (x | json) ~ 1 }}\">", &[]);
}

#[test]
fn a_value_inside_a_script_must_be_json() {
    check("<script>const x = \"{{ x }}\"</script>", &["use `json`"]);
    check("<SCRIPT async>if (a < b && {{ x | upper }}) {}</SCRIPT>{{ x }}", &["use `json`"]);
    check("<script nonce=\"{{ x }}\">const x = {{ x | json }}, y = {{ x | safe }}</script><p>{{ x }}</p>", &[]);
    check("<script>{{ stack(\"scripts\") }}</script><style>{{ x }}</style><!-- <script> {{ x }} -->", &[]);
    check("<script>let a = {b: 1}; const s = `</p>` + {{ x | json }};</script>", &[]);
}

#[test]
fn a_value_inside_an_event_handler_must_be_json() {
    check("<a onclick=\"f('{{ x }}')\">", &["use `json_attr`"]);
    check("<a onclick=\"f({{ x | json_attr }})\" data-on=\"{{ x }}\">", &[]);
}

#[test]
fn lines_are_counted_across_tags_comments_and_literals() {
    check("{# a\nb #}\n{{ [\n1] }}\n{% raw %}\n{% endraw %}{{ x | nope }}", &["pages/x.html:6: "]);
}
