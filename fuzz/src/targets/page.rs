//! JSON inside of a page: nothing in it ends what it stands in, and a browser reads back what was written.

use std::sync::LazyLock;

use riverrun_core::Json;
use riverrun_view::{
    Views, embed,
    minijinja::value::{Serde, Value as Template},
    raw_json,
};
use serde_json::Value;

static VIEWS: LazyLock<Views> = LazyLock::new(|| {
    let built = Views::builder(embed!("$CARGO_MANIFEST_DIR/views")).dev(false).build();
    built.expect("the target's own templates are sound")
});

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // What is no JSON is shown as a text.
    let json = Json::parse(text).unwrap_or_else(|_| Json::of(text.trim_matches('\0')).unwrap_or_else(|_| Json::null()));
    let value: Value = json.read().expect("what came through the door reads");
    for as_text in [false, true] {
        let given =
            || if as_text { raw_json(&json).expect("JSON is JSON") } else { Template::from(Serde(value.clone())) };
        let script = inside(&render("script", given()), "<script type=\"application/json\">", "</script>");
        assert!(!script.contains(['<', '>', '&', '\'', '\u{2028}', '\u{2029}']), "{script}");
        same(&script, &value);
        let single = inside(&render("single", given()), "<i data-value='", "'></i>");
        assert!(!single.contains(['\'', '<', '>', '&']), "{single}");
        same(&single, &value);
        let attribute = inside(&render("attribute", given()), "<i data-value=\"", "\"></i>");
        assert!(!attribute.contains(['"', '<', '>']), "{attribute}");
        same(&unescaped(&attribute), &value);
    }
}

fn render(page: &str, value: Template) -> String {
    VIEWS.page(page).with("value", value).render().expect("the page renders")
}

/// What stands between the page's own two marks. The end is looked for from the front, as a browser does.
fn inside(page: &str, start: &str, end: &str) -> String {
    let rest = page.strip_prefix(start).unwrap_or_else(|| panic!("the page begins otherwise: {page}"));
    let (inside, after) = rest.split_once(end).unwrap_or_else(|| panic!("the page ends otherwise: {page}"));
    assert!(after.trim().is_empty(), "something ended early: {page}");
    inside.to_owned()
}

fn same(text: &str, value: &Value) {
    let read: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(read, *value, "a browser reads something else");
}

/// An attribute's text, as a browser reads it. The last one first: what it makes is no escape.
fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&#x27;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
