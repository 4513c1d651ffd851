//! Parts of a collection: prefix, after, limit, alone and together. A prefix is letters, whatever they mean to a database.

use riverrun_core::Scope;
use riverrun_engine::store::{Layer, Range, Store};

use super::{
    Make,
    make::{commit, json, look, scope},
};

fn put(store: &dyn Store, scope: &Scope, collection: &str, ids: &[&str]) {
    commit(store, |tx| ids.iter().try_for_each(|id| tx.put(scope, Layer::Current, collection, id, &json("1"))));
}

fn list(store: &dyn Store, prefix: &str, after: Option<&str>, limit: usize) -> Vec<String> {
    let rows = look(store, |tx| tx.entities(&scope("a"), "todo", Range { prefix, after, limit }));
    rows.into_iter().map(|(id, _)| id.into_string()).collect()
}

/// What a range means, said in the plainest way.
fn plain(ids: &[&str], prefix: &str, after: Option<&str>, limit: usize) -> Vec<String> {
    let mut sorted = ids.to_vec();
    sorted.sort_by_key(|id| id.as_bytes());
    let goes = |id: &&&str| id.starts_with(prefix) && after.is_none_or(|after| id.as_bytes() > after.as_bytes());
    sorted.iter().filter(goes).take(limit).map(ToString::to_string).collect()
}

fn each(make: Make<'_>, ids: &[&str], prefixes: &[&str]) {
    let store = make();
    put(&*store, &scope("a"), "todo", ids);
    let afters = [None].into_iter().chain(ids.iter().chain(prefixes).map(|text| Some(*text)));
    for after in afters {
        for prefix in prefixes {
            for limit in [1, 2, 100] {
                let found = list(&*store, prefix, after, limit);
                let expected = plain(ids, prefix, after, limit);
                assert_eq!(found, expected, "prefix {prefix:?}, after {after:?}, limit {limit}");
            }
        }
    }
}

pub(super) fn a_prefix_means_its_own_letters(make: Make<'_>) {
    let ids = [
        "%", "%a", "*", "*a", "?", "A", "AB", "[a]", "\\", "\\%", "^a", "_", "_a", "a", "a%", "a%b", "a*b", "a_b",
        "ab", "abc", "axb", "a\\b", "a'b", "a\"b", "b", "é", "éa", "e\u{301}",
    ];
    let prefixes = [
        "", "%", "*", "?", "[", "[a]", "\\", "^", "_", "a", "a%", "a*", "a_", "a\\", "a'", "a\"", "A", "ab", "abcd",
        "c", "é", "e",
    ];
    each(make, &ids, &prefixes);
}

pub(super) fn a_prefix_may_end_at_the_edge_of_its_plane(make: Make<'_>) {
    // The characters after which the next one has more bytes, lies behind the surrogates, or does not exist.
    let edges = ["~", "\u{7ff}", "\u{800}", "\u{d7ff}", "\u{e000}", "\u{ffff}", "\u{10000}", "\u{10ffff}"];
    let twice = edges.map(|edge| edge.repeat(2));
    let more = edges.map(|edge| format!("a{edge}"));
    let end = "\u{10ffff}".repeat(60);
    let mut ids: Vec<&str> = edges.to_vec();
    ids.extend(twice.iter().chain(&more).map(String::as_str));
    ids.extend(["a", "b", end.as_str()]);
    let mut prefixes = ids.clone();
    prefixes.push("");
    each(make, &ids, &prefixes);
}

pub(super) fn pages_follow_one_another_without_a_hole(make: Make<'_>) {
    let store = make();
    let all: Vec<String> = (0..250).map(|number| format!("t{number:03}")).collect();
    put(&*store, &scope("a"), "todo", &all.iter().map(String::as_str).collect::<Vec<_>>());
    for (prefix, size) in [("", 1), ("", 7), ("", 250), ("t", 100), ("t1", 33), ("t2", 50)] {
        let expected: Vec<_> = all.iter().filter(|id| id.starts_with(prefix)).cloned().collect();
        let mut found: Vec<String> = Vec::new();
        // A page that begins where the last one began would go on for ever.
        while found.len() <= all.len() {
            let page = list(&*store, prefix, found.last().map(String::as_str), size);
            if page.is_empty() {
                break;
            }
            assert!(page.len() <= size);
            found.extend(page);
        }
        assert_eq!(found, expected, "prefix {prefix:?} in pages of {size}");
    }
}

pub(super) fn a_limit_may_be_nothing_or_everything(make: Make<'_>) {
    let store = make();
    put(&*store, &scope("a"), "todo", &["a", "b", "c"]);
    assert_eq!(list(&*store, "", None, 0), Vec::<String>::new());
    assert_eq!(list(&*store, "", None, usize::MAX), ["a", "b", "c"]);
    assert_eq!(list(&*store, "", Some("a"), usize::MAX), ["b", "c"]);
}

pub(super) fn a_range_stays_in_its_scope_and_collection(make: Make<'_>) {
    let store = make();
    put(&*store, &scope("a"), "todo", &["m"]);
    for (name, collection) in
        [("a", "tod"), ("a", "todo2"), ("a", "todp"), ("a", "Todo"), ("A", "todo"), ("aa", "todo")]
    {
        put(&*store, &scope(name), collection, &["l", "m", "n"]);
    }
    commit(&*store, |tx| tx.put(&scope("a"), Layer::Base, "todo", "base", &json("1")));
    for (prefix, after) in [("", None), ("m", None), ("", Some("l"))] {
        assert_eq!(list(&*store, prefix, after, 100), ["m"], "prefix {prefix:?}, after {after:?}");
    }
    assert_eq!(list(&*store, "", Some("m"), 100), Vec::<String>::new());
    assert_eq!(list(&*store, "n", None, 100), Vec::<String>::new());
}
