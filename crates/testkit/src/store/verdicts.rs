//! Verdicts, places, owners and watermarks: what a retry is answered from.

use riverrun_core::{Accepted, Code, Cursor, Digest, Millis, Rejected, Seq, Verdict};
use riverrun_engine::store::Record;

use super::{
    Make,
    make::{client, commit, look, mark, mutation, principal, record, rejected, scope},
};

fn round_trip(make: Make<'_>, verdicts: impl IntoIterator<Item = Verdict>) {
    let store = make();
    let records: Vec<Record> = (1..)
        .zip(verdicts)
        .map(|(number, verdict)| Record {
            id: mutation(&format!("m{number}")),
            place: (number % 2 == 0).then(|| (client("c1"), Seq(number))),
            fingerprint: number,
            time: Millis(number.cast_signed()),
            verdict,
        })
        .collect();
    assert!(!records.is_empty());
    commit(&*store, |tx| records.iter().try_for_each(|record| tx.record(&scope("a"), &principal("ann"), record)));
    look(&*store, |tx| {
        for record in &records {
            assert_eq!(tx.verdict(&scope("a"), &principal("ann"), &record.id)?.as_ref(), Some(record));
        }
        Ok(())
    });
}

pub(super) fn an_accepted_verdict_comes_back_with_its_cursors(make: Make<'_>) {
    let others = [vec![], vec!["b"], vec!["b", "a\"b", "é", "Z", "list:7", " ", "{}"]];
    let accepted = others.map(|others| {
        let cursors = others.iter().map(|name| scope(name)).zip((7..).map(Cursor)).collect();
        Verdict::Accepted(Accepted { cursor: Cursor(12), digest: Digest(u64::MAX), cursors })
    });
    let at_zero = Accepted { cursor: Cursor(0), digest: Digest(0), cursors: [].into() };
    round_trip(make, accepted.into_iter().chain([Verdict::Accepted(at_zero)]));
}

pub(super) fn a_rejected_verdict_comes_back_word_for_word(make: Make<'_>) {
    let codes = Code::ALL.iter().map(|code| Rejected { code: *code, reason: None, error: code.to_string() });
    let texts = ["", " ", "a todo needs a title", "'\"\\", "line\nline\ttab", "é𝄞\u{2028}", "null", "{\"a\":1}"];
    let longest = "é".repeat(512);
    let texts = texts.into_iter().chain([longest.as_str()]).flat_map(|text| {
        // No reason is another answer than an empty one.
        [None, Some(text.to_string())].map(|reason| Rejected { code: Code::Rejected, reason, error: text.into() })
    });
    round_trip(make, codes.chain(texts).map(Verdict::Rejected));
}

pub(super) fn a_verdict_belongs_to_one_scope_and_principal(make: Make<'_>) {
    let store = make();
    let places = [("a", "ann"), ("a", "bob"), ("b", "ann"), ("A", "ann"), ("a", "Ann")];
    commit(&*store, |tx| {
        for (number, (at, who)) in (1..).zip(places) {
            assert_eq!(tx.verdict(&scope(at), &principal(who), &mutation("m1"))?, None, "{at} {who}");
            let record = Record { fingerprint: number, ..record("m1", None, 1) };
            tx.record(&scope(at), &principal(who), &record)?;
        }
        Ok(())
    });
    look(&*store, |tx| {
        for (number, (at, who)) in (1..).zip(places) {
            let found = tx.verdict(&scope(at), &principal(who), &mutation("m1"))?;
            assert_eq!(found.map(|record| record.fingerprint), Some(number), "{at} {who}");
            assert_eq!(tx.verdict(&scope(at), &principal(who), &mutation("M1"))?, None);
        }
        assert_eq!(tx.verdict(&scope("b"), &principal("bob"), &mutation("m1"))?, None);
        Ok(())
    });
}

pub(super) fn a_place_is_decided_where_a_verdict_is_kept_for_it(make: Make<'_>) {
    let store = make();
    commit(&*store, |tx| {
        tx.record(&scope("a"), &principal("ann"), &record("m1", Some(("c1", 1)), 1))?;
        assert!(tx.decided_at(&scope("a"), &client("c1"), Seq(1))?);
        let no = Record { verdict: rejected("no"), ..record("m3", Some(("c1", 3)), 1) };
        tx.record(&scope("a"), &principal("ann"), &no)?;
        tx.record(&scope("a"), &principal("ann"), &record("m4", None, 1))
    });
    look(&*store, |tx| {
        for (at, who, seq, decided) in [
            ("a", "c1", 1, true),
            ("a", "c1", 3, true),
            ("a", "c1", 0, false),
            ("a", "c1", 2, false),
            ("a", "c1", 4, false),
            ("a", "c2", 1, false),
            ("a", "C1", 1, false),
            ("a", "c", 1, false),
            ("b", "c1", 1, false),
        ] {
            assert_eq!(tx.decided_at(&scope(at), &client(who), Seq(seq))?, decided, "{who} {seq} in {at}");
        }
        Ok(())
    });
}

pub(super) fn owners_and_watermarks_are_kept(make: Make<'_>) {
    let store = make();
    commit(&*store, |tx| {
        tx.set_owner(&client("c1"), &principal("ann"))?;
        tx.set_owner(&client("C1"), &principal("bob"))?;
        tx.set_watermark(&scope("a"), &client("c1"), &mark(1, 10))?;
        tx.set_watermark(&scope("b"), &client("c1"), &mark(5, 11))?;
        tx.set_watermark(&scope("a"), &client("C1"), &mark(6, 12))
    });
    commit(&*store, |tx| tx.set_watermark(&scope("a"), &client("c1"), &mark(2, 10)));
    commit(&*store, |tx| tx.set_watermark(&scope("a"), &client("c1"), &mark(2, 20)));
    look(&*store, |tx| {
        assert_eq!(tx.owner(&client("c1"))?, Some(principal("ann")));
        assert_eq!(tx.owner(&client("C1"))?, Some(principal("bob")));
        assert_eq!(tx.owner(&client("c2"))?, None);
        assert_eq!(tx.watermark(&scope("a"), &client("c1"))?, Some(mark(2, 20)));
        assert_eq!(tx.watermark(&scope("b"), &client("c1"))?, Some(mark(5, 11)));
        assert_eq!(tx.watermark(&scope("a"), &client("C1"))?, Some(mark(6, 12)));
        assert_eq!(tx.watermark(&scope("b"), &client("C1"))?, None);
        assert_eq!(tx.watermark(&scope("A"), &client("c1"))?, None);
        Ok(())
    });
}
