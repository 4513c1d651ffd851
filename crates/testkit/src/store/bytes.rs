//! What is put comes back as it was: every byte of a text, every bit of a number.

use riverrun_core::{Accepted, Cursor, Digest, Json, Millis, Seq, Verdict};
use riverrun_engine::store::{Entry, Head, Layer, Origin, Range, Record, Store, Watermark};

use super::{
    Make,
    make::{client, commit, epoch, json, look, mutation, principal, scope},
};

/// Texts that a store which reads and rewrites JSON, or splits and joins it, would give back differently.
const TEXTS: [&str; 22] = [
    r#"{"a":1,"b":2}"#,
    r#"{ "b" : 2 , "a" : 1 }"#,
    "{\n\t\"a\":\r\n1}",
    "1.50",
    "1E5",
    "-0",
    "-0.0",
    "1e-7",
    "0.1000000000000000055511151231257827",
    "9007199254740991",
    r#""\u00e9""#,
    "\"é\"",
    "\"𝄞\"",
    r#""\ud834\uDD1E""#,
    r#""\/""#,
    r#""a\"b\\""#,
    r#""],[\"""#,
    r#"["[","]",{},[],null]"#,
    "\"\u{2028}\u{2029}\u{feff}\"",
    "null",
    "\"\"",
    "false",
];

fn round_trip(store: &dyn Store, texts: &[Json]) {
    let a = scope("a");
    let entry = Entry {
        first: Cursor(1),
        digest: Digest(1),
        time: Millis(1),
        mutation: mutation("m1"),
        changes: texts.to_vec(),
    };
    let origin = |args: &Json| Origin { name: "n".into(), args: args.clone(), principal: principal("p"), place: None };
    commit(store, |tx| {
        for (number, text) in (0_u64..).zip(texts) {
            let own = scope(&format!("own:{number}"));
            tx.put(&a, Layer::Current, "todo", &format!("t{number:03}"), text)?;
            tx.put(&a, Layer::Base, "todo", &format!("t{number:03}"), text)?;
            tx.lock(&own)?;
            tx.append(&own, &Entry { changes: vec![text.clone()], ..entry.clone() }, &origin(text))?;
        }
        tx.lock(&a)?;
        tx.append(&a, &entry, &origin(&texts[0]))
    });
    look(store, |tx| {
        assert_eq!(tx.entry_at(&a, Cursor(1))?, Some(entry.clone()));
        let all = Range { prefix: "", after: None, limit: 1000 };
        let listed: Vec<_> = tx.entities(&a, "todo", all)?.into_iter().map(|(_, json)| json).collect();
        assert_eq!(listed, texts);
        for layer in [Layer::Current, Layer::Base] {
            let mut each = Vec::new();
            tx.each_entity(&a, layer, &mut |_, _, text| {
                each.push(Json::trusted(text));
                Ok(())
            })?;
            assert_eq!(each, texts, "{layer:?}");
        }
        for (number, text) in (0_u64..).zip(texts) {
            let own = scope(&format!("own:{number}"));
            assert_eq!(tx.entity(&a, "todo", &format!("t{number:03}"))?.as_ref(), Some(text));
            assert_eq!(tx.origin(&own, Cursor(1))?, Some(origin(text)));
            let mut changes = Vec::new();
            tx.entries(&own, Cursor(0), &mut |entry| {
                changes.extend(entry.changes);
                true
            })?;
            assert_eq!(&changes, std::slice::from_ref(text));
        }
        Ok(())
    });
}

pub(super) fn json_comes_back_byte_for_byte(make: Make<'_>) {
    round_trip(&*make(), &TEXTS.map(json));
}

pub(super) fn a_mebibyte_of_json_comes_back_byte_for_byte(make: Make<'_>) {
    let wide = format!("\"{}\"", "é𝄞 ".repeat((1 << 20) / 7));
    let many = format!("[{}]", vec!["1.50"; (1 << 20) / 5].join(","));
    round_trip(&*make(), &[json(&wide), json(&many)]);
}

pub(super) fn the_longest_keys_are_kept_apart(make: Make<'_>) {
    let store = make();
    // Equal but for the last byte, so that a key cut short anywhere meets its neighbour.
    let long = |bytes: usize, last: char| format!("{}{last}", "é".repeat(bytes / 2)[..(bytes - 1) / 2 * 2].to_owned());
    let ends = ['a', 'b'];
    let record = |end| Record {
        id: mutation(&long(127, end)),
        place: Some((client(&long(127, end)), Seq(1))),
        fingerprint: u64::from(end),
        time: Millis(1),
        verdict: Verdict::Accepted(Accepted {
            cursor: Cursor(1),
            digest: Digest(u64::from(end)),
            cursors: ends.map(|other| (scope(&long(255, other)), Cursor(u64::from(other)))).into(),
        }),
    };
    commit(&*store, |tx| {
        for end in ends {
            let (scope, key) = (scope(&long(255, end)), long(255, end));
            tx.lock(&scope)?;
            tx.set_head(&scope, &super::make::head(u64::from(end)))?;
            tx.put(&scope, Layer::Current, &key, &key, &json(&format!("\"{end}\"")))?;
            tx.set_owner(&client(&long(127, end)), &principal(&key))?;
            tx.set_watermark(&scope, &client(&long(127, end)), &super::make::mark(u64::from(end), 1))?;
            tx.record(&scope, &principal(&key), &record(end))?;
        }
        Ok(())
    });
    look(&*store, |tx| {
        assert_eq!(tx.scopes(None, 10)?, ends.map(|end| scope(&long(255, end))));
        for end in ends {
            let (scope, key) = (scope(&long(255, end)), long(255, end));
            assert_eq!((scope.as_str().len(), long(127, end).len()), (255, 127));
            assert_eq!(tx.head(&scope)?, Some(super::make::head(u64::from(end))));
            assert_eq!(tx.entity(&scope, &key, &key)?, Some(json(&format!("\"{end}\""))));
            assert_eq!(tx.owner(&client(&long(127, end)))?, Some(principal(&key)));
            let mark = tx.watermark(&scope, &client(&long(127, end)))?;
            assert_eq!(mark, Some(super::make::mark(u64::from(end), 1)));
            let found = tx.verdict(&scope, &principal(&key), &mutation(&long(127, end)))?;
            assert_eq!(found, Some(record(end)));
        }
        Ok(())
    });
}

pub(super) fn numbers_at_their_limits_come_back(make: Make<'_>) {
    const SAFE: u64 = (1 << 53) - 1;
    let store = make();
    let a = scope("a");
    // Digests and fingerprints use all 64 bits, where a signed integer or a double has fewer.
    let bits = [0, 1, 1 << 53, (1 << 53) + 1, i64::MAX as u64, 1 << 63, u64::MAX - 1, u64::MAX];
    let moments = [0, 1, SAFE.cast_signed(), i64::MAX, -1, i64::MIN, 1_795_341_600_123, 2];
    for (number, (bits, time)) in (0_u64..).zip(bits.into_iter().zip(moments)) {
        let cursor = Cursor(SAFE - number);
        let head = Head { cursor, digest: Digest(bits), floor: cursor, floor_digest: Digest(!bits) };
        let mark = Watermark { last_seq: Seq(SAFE - number), seen: Millis(time), made: Millis(time) };
        let entry = Entry {
            first: cursor,
            digest: Digest(bits),
            time: Millis(time),
            mutation: mutation("m1"),
            changes: vec![json("1")],
        };
        let record = Record {
            id: mutation(&format!("m{number}")),
            place: Some((client("c1"), Seq(SAFE - number))),
            fingerprint: bits,
            time: Millis(time),
            verdict: Verdict::Accepted(Accepted {
                cursor,
                digest: Digest(bits),
                cursors: [(scope("b"), cursor)].into(),
            }),
        };
        let origin =
            Origin { name: "n".into(), args: json("1"), principal: principal("p"), place: record.place.clone() };
        commit(&*store, |tx| {
            tx.lock(&a)?;
            tx.set_head(&a, &head)?;
            tx.append(&a, &entry, &origin)?;
            tx.set_watermark(&a, &client("c1"), &mark)?;
            tx.record(&a, &principal("p"), &record)?;
            tx.set_forgotten_before(Millis(time))
        });
        look(&*store, |tx| {
            assert_eq!(tx.head(&a)?, Some(head));
            assert_eq!(tx.entry_at(&a, cursor)?, Some(entry));
            assert_eq!(tx.origin(&a, cursor)?, Some(origin));
            assert_eq!(tx.watermark(&a, &client("c1"))?, Some(mark));
            assert_eq!(tx.verdict(&a, &principal("p"), &record.id)?, Some(record));
            assert!(tx.decided_at(&a, &client("c1"), mark.last_seq)?);
            assert_eq!(tx.forgotten_before()?, Millis(time));
            Ok(())
        });
    }
}

pub(super) fn texts_that_look_like_code_are_texts(make: Make<'_>) {
    let store = make();
    for text in
        ["'; drop table log; --", "\"", "''", "?1", ":a", "$1", "%s", "\\", "{}", "NULL", "null", "0x1", "x'00'"]
    {
        let (scope, who, id) = (scope(text), principal(text), mutation(text));
        let record = Record {
            id: id.clone(),
            place: Some((client(text), Seq(1))),
            fingerprint: 1,
            time: Millis(1),
            verdict: super::make::rejected(text),
        };
        let origin = Origin {
            name: text.into(),
            args: Json::of(text).expect("a text is JSON"),
            principal: who.clone(),
            place: record.place.clone(),
        };
        let entry = super::make::entry(1, &["1"]);
        commit(&*store, |tx| {
            tx.lock(&scope)?;
            tx.append(&scope, &entry, &origin)?;
            tx.put(&scope, Layer::Current, text, text, &json("1"))?;
            tx.set_owner(&client(text), &who)?;
            tx.record(&scope, &who, &record)?;
            tx.set_epoch(&epoch(text))
        });
        look(&*store, |tx| {
            assert_eq!(tx.entity(&scope, text, text)?, Some(json("1")));
            let range = Range { prefix: text, after: None, limit: 10 };
            assert_eq!(tx.entities(&scope, text, range)?, [(text.into(), json("1"))]);
            assert_eq!(tx.origin(&scope, Cursor(1))?, Some(origin));
            assert_eq!(tx.owner(&client(text))?, Some(who.clone()));
            assert_eq!(tx.verdict(&scope, &who, &id)?, Some(record));
            assert_eq!(tx.epoch()?.as_str(), text);
            Ok(())
        });
    }
}
