//! The order of texts and rows: by UTF-8 bytes, everywhere, and never by a language's rules.

use riverrun_core::{Cursor, Json};
use riverrun_engine::store::{Layer, Range};

use super::{
    Make,
    make::{append, commit, entry, head, json, look, scope},
};

/// Texts in the order of their bytes, which is not that of any dictionary, nor that of UTF-16: `\u{ffee}` comes after 𝄞
/// there.
const SORTED: [&str; 17] =
    [" ", "!", "10", "9", "Z", "Zebra", "_", "a", "a ", "aa", "b", "e\u{301}", "~", "é", "\u{d7ff}", "\u{ffee}", "𝄞"];

/// The texts in an order that is neither sorted nor the reverse.
fn shuffled() -> impl Iterator<Item = &'static str> {
    (0..SORTED.len()).map(|place| SORTED[place * 5 % SORTED.len()])
}

pub(super) fn ids_are_listed_by_their_bytes(make: Make<'_>) {
    let store = make();
    commit(&*store, |tx| shuffled().try_for_each(|id| tx.put(&scope("a"), Layer::Current, "todo", id, &json("1"))));
    let all = Range { prefix: "", after: None, limit: 100 };
    let ids = |rows: Vec<(Box<str>, _)>| rows.into_iter().map(|(id, _)| id.into_string()).collect::<Vec<_>>();
    assert_eq!(ids(look(&*store, |tx| tx.entities(&scope("a"), "todo", all))), SORTED);
    // Rows written in the same transaction are in their places too, and so are the gaps of removed ones.
    let inside = commit(&*store, |tx| {
        tx.del(&scope("a"), Layer::Current, "todo", "Zebra")?;
        tx.put(&scope("a"), Layer::Current, "todo", "Zero", &json("1"))?;
        tx.entities(&scope("a"), "todo", all)
    });
    assert_eq!(ids(inside), SORTED.map(|id| if id == "Zebra" { "Zero" } else { id }));
}

pub(super) fn all_entities_are_listed_by_collection_and_id(make: Make<'_>) {
    let store = make();
    let expected: Vec<_> = SORTED.iter().flat_map(|collection| SORTED.map(|id| (*collection, id))).collect();
    for layer in [Layer::Current, Layer::Base] {
        commit(&*store, |tx| {
            for id in shuffled() {
                for collection in shuffled() {
                    tx.put(
                        &scope("a"),
                        layer,
                        collection,
                        id,
                        &Json::of(&[collection, id]).expect("two texts are JSON"),
                    )?;
                }
            }
            Ok(())
        });
        let mut found = Vec::new();
        look(&*store, |tx| {
            tx.each_entity(&scope("a"), layer, &mut |collection, id, text| {
                assert_eq!(
                    Json::of(&[collection, id]).as_ref().map(Json::as_str),
                    Ok(text),
                    "a row has another's value"
                );
                found.push((collection.to_string(), id.to_string()));
                Ok(())
            })
        });
        let found: Vec<_> = found.iter().map(|(collection, id)| (collection.as_str(), id.as_str())).collect();
        assert_eq!(found, expected, "{layer:?}");
    }
}

pub(super) fn entries_are_listed_by_cursor(make: Make<'_>) {
    let store = make();
    // Numbers that texts or 32 bits would put elsewhere.
    let firsts = [1, 9, 10, 99, 100, 255, 256, 65_536, 1 << 31, (1 << 31) + 1, 1 << 32, (1 << 53) - 1];
    commit(&*store, |tx| firsts.iter().try_for_each(|first| append(tx, &scope("a"), &entry(*first, &["1"]))));
    for from in 0..=firsts.len() {
        let after = if from == 0 { 0 } else { firsts[from - 1] };
        let mut found = Vec::new();
        look(&*store, |tx| {
            tx.entries(&scope("a"), Cursor(after), &mut |entry| {
                found.push(entry.first.0);
                true
            })
        });
        assert_eq!(found, firsts[from..], "after {after}");
    }
}

pub(super) fn scopes_are_listed_by_their_bytes_and_in_pages(make: Make<'_>) {
    let store = make();
    // In several commits: a scope's number in a database must not show in the order.
    for name in shuffled() {
        commit(&*store, |tx| {
            tx.lock(&scope(name))?;
            tx.set_head(&scope(name), &head(1))
        });
    }
    let sorted = SORTED.map(scope);
    assert_eq!(look(&*store, |tx| tx.scopes(None, usize::MAX)), sorted);
    assert_eq!(look(&*store, |tx| tx.scopes(None, 0)), []);
    for size in [1, 2, 3, 17, 20] {
        let mut found = Vec::new();
        // A page that begins where the last one began would go on for ever.
        while found.len() <= sorted.len() {
            let page = look(&*store, |tx| tx.scopes(found.last(), size));
            assert!(page.len() <= size);
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        assert_eq!(found, sorted, "in pages of {size}");
    }
    // A scope need not exist to come after it.
    assert_eq!(look(&*store, |tx| tx.scopes(Some(&scope("aaa")), 2)), [scope("b"), scope("e\u{301}")]);
    assert_eq!(look(&*store, |tx| tx.scopes(Some(&scope("𝄞𝄞")), 2)), []);
}

pub(super) fn keys_that_only_look_alike_are_different(make: Make<'_>) {
    let store = make();
    // Case, spaces at the end, a composed and a decomposed letter, letters some collations call equal, numbers as text.
    let alike = ["a", "A", "a ", " a", "é", "e\u{301}", "É", "ß", "ss", "1", "01", "1.0", "ａ", "a\u{200b}"];
    commit(&*store, |tx| {
        for (number, key) in (1..).zip(alike) {
            let text = json(&number.to_string());
            tx.put(&scope(key), Layer::Current, "todo", "x", &text)?;
            tx.put(&scope("s"), Layer::Current, key, "x", &text)?;
            tx.put(&scope("s"), Layer::Current, "todo", key, &text)?;
            tx.lock(&scope(key))?;
            tx.set_head(&scope(key), &head(number))?;
        }
        Ok(())
    });
    look(&*store, |tx| {
        for (number, key) in (1..).zip(alike) {
            let text = Some(json(&number.to_string()));
            assert_eq!(tx.entity(&scope(key), "todo", "x")?, text, "scope {key:?}");
            assert_eq!(tx.entity(&scope("s"), key, "x")?, text, "collection {key:?}");
            assert_eq!(tx.entity(&scope("s"), "todo", key)?, text, "id {key:?}");
            assert_eq!(tx.head(&scope(key))?, Some(head(number)), "scope {key:?}");
        }
        Ok(())
    });
}
