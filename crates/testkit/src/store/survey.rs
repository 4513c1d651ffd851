//! What tools read: pages that leave nothing out and tell nothing twice, whatever their size.

use riverrun_core::{ClientId, Cursor, Principal, Scope};
use riverrun_engine::store::{Entry, Origin, ReadTx, Record, StoreError, StoreResult, Watermark};

use super::{
    Make,
    make::{append, client, commit, entry, look, mark, origin, principal, record, scope},
};

/// All verdicts of a scope, by pages of this size.
pub(super) fn verdicts(tx: &mut dyn ReadTx, scope: &Scope, page: usize) -> StoreResult<Vec<(Principal, Record)>> {
    let mut all: Vec<(Principal, Record)> = Vec::new();
    loop {
        let after = all.last().map(|(principal, record)| (principal, &record.id));
        let next = tx.verdicts(scope, after, page)?;
        let last = next.len() < page;
        all.extend(next);
        if last {
            return Ok(all);
        }
    }
}

/// All watermarks of a scope, by pages of this size.
pub(super) fn watermarks(tx: &mut dyn ReadTx, scope: &Scope, page: usize) -> StoreResult<Vec<(ClientId, Watermark)>> {
    let mut all: Vec<(ClientId, Watermark)> = Vec::new();
    loop {
        let next = tx.watermarks(scope, all.last().map(|(client, _)| client), page)?;
        let last = next.len() < page;
        all.extend(next);
        if last {
            return Ok(all);
        }
    }
}

/// All owners, by pages of this size.
pub(super) fn owners(tx: &mut dyn ReadTx, page: usize) -> StoreResult<Vec<(ClientId, Principal)>> {
    let mut all: Vec<(ClientId, Principal)> = Vec::new();
    loop {
        let next = tx.owners(all.last().map(|(client, _)| client), page)?;
        let last = next.len() < page;
        all.extend(next);
        if last {
            return Ok(all);
        }
    }
}

/// The whole log of a scope.
pub(super) fn logged(tx: &mut dyn ReadTx, scope: &Scope) -> StoreResult<Vec<(Entry, Origin)>> {
    let mut all = Vec::new();
    tx.logged(scope, Cursor::ZERO, &mut |entry, origin| {
        all.push((entry, origin));
        Ok(true)
    })?;
    Ok(all)
}

/// Texts whose order by bytes is none of a language's.
const NAMES: [&str; 7] = ["A", "Z", "a", "a\"b", "b", "é", "𝄞"];

/// Less than all, just all, more than all.
const PAGES: [usize; 5] = [1, 2, 7, 8, usize::MAX];

pub(super) fn pages_of_verdicts_hold_each_one_once_and_in_order(make: Make<'_>) {
    let store = make();
    let mut written = Vec::new();
    commit(&*store, |tx| {
        for who in NAMES.iter().rev() {
            for id in NAMES.iter().rev() {
                let verdict = record(id, Some(("c1", 1)), 5);
                tx.record(&scope("a"), &principal(who), &verdict)?;
                written.push((principal(who), verdict));
            }
        }
        // A neighbour on either side, which is nobody's page.
        tx.record(&scope("A"), &principal("𝄞"), &record("m", None, 1))?;
        tx.record(&scope("b"), &principal("A"), &record("m", None, 1))
    });
    written.reverse();
    for page in PAGES {
        assert_eq!(look(&*store, |tx| verdicts(tx, &scope("a"), page)), written, "by {page}");
    }
    assert_eq!(look(&*store, |tx| verdicts(tx, &scope("none"), 2)), []);
}

pub(super) fn pages_of_watermarks_hold_each_client_once_and_in_order(make: Make<'_>) {
    let store = make();
    let mut written: Vec<_> = NAMES.iter().zip(1..).map(|(name, seq)| (client(name), mark(seq, 7))).collect();
    written.reverse();
    commit(&*store, |tx| {
        written.iter().try_for_each(|(client, mark)| tx.set_watermark(&scope("a"), client, mark))?;
        tx.set_watermark(&scope("A"), &client("𝄞"), &mark(9, 9))?;
        tx.set_watermark(&scope("b"), &client("A"), &mark(9, 9))
    });
    written.reverse();
    for page in PAGES {
        assert_eq!(look(&*store, |tx| watermarks(tx, &scope("a"), page)), written, "by {page}");
    }
}

pub(super) fn pages_of_owners_hold_each_client_once_and_in_order(make: Make<'_>) {
    let store = make();
    let mut written: Vec<_> = NAMES.iter().map(|name| (client(name), principal(&format!("of {name}")))).collect();
    written.reverse();
    commit(&*store, |tx| written.iter().try_for_each(|(client, owner)| tx.set_owner(client, owner)));
    written.reverse();
    for page in PAGES {
        assert_eq!(look(&*store, |tx| owners(tx, page)), written, "by {page}");
    }
}

pub(super) fn entries_are_listed_with_where_they_came_from(make: Make<'_>) {
    let store = make();
    let entries = [entry(1, &["1"]), entry(2, &["2", "3", "4"]), entry(5, &["5"])];
    commit(&*store, |tx| {
        entries.iter().try_for_each(|entry| append(tx, &scope("a"), entry))?;
        append(tx, &scope("b"), &entry(1, &["9"]))
    });
    let from = |after| {
        let mut all = Vec::new();
        look(&*store, |tx| {
            tx.logged(&scope("a"), Cursor(after), &mut |entry, from| {
                all.push((entry, from));
                Ok(true)
            })
        });
        all
    };
    let with_origins = |entries: &[Entry]| entries.iter().map(|entry| (entry.clone(), origin())).collect::<Vec<_>>();
    assert_eq!(from(0), with_origins(&entries));
    // Inside an entry: it begins with that entry, as `entries` does.
    assert_eq!(from(3), with_origins(&entries[1..]));
    assert_eq!(from(4), with_origins(&entries[2..]));
    assert_eq!(from(5), []);
    let mut seen = 0;
    look(&*store, |tx| {
        tx.logged(&scope("a"), Cursor(0), &mut |_, _| {
            seen += 1;
            Ok(false)
        })
    });
    assert_eq!(seen, 1);
}

pub(super) fn an_error_of_the_sink_ends_the_log_and_comes_back(make: Make<'_>) {
    let store = make();
    commit(&*store, |tx| append(tx, &scope("a"), &entry(1, &["1"])));
    let own = StoreError::Other("the sink's own".into());
    let ended = riverrun_engine::store::read(&*store, |tx| {
        tx.logged(&scope("a"), Cursor(0), &mut |_, _| Err(StoreError::Other("the sink's own".into())))
    });
    assert_eq!(ended, Err(own));
}

pub(super) fn a_sound_store_has_no_defects(make: Make<'_>) {
    let store = make();
    commit(&*store, |tx| {
        append(tx, &scope("a"), &entry(1, &["1"]))?;
        tx.record(&scope("a"), &principal("ann"), &record("m1", Some(("c1", 1)), 5))
    });
    let mut defects = Vec::new();
    look(&*store, |tx| tx.defects(&mut |defect| defects.push(defect.to_string())));
    assert_eq!(defects, Vec::<String>::new());
}
