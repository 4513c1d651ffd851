//! Everything that can be read of a store within a small world of keys, as lines to compare. Two stores that were given the
//! same writes must give the same lines; nothing the contract leaves open may show in them.

use riverrun_core::{Cursor, Seq};
use riverrun_engine::store::{Layer, Range, ReadTx, Store, StoreResult};

use super::{
    make::{client, look, mutation, principal, scope},
    survey,
};

pub(super) const SCOPES: [&str; 3] = ["Z", "a", "é:1"];
pub(super) const COLLECTIONS: [&str; 2] = ["todo", "t_do"];
pub(super) const IDS: [&str; 9] = ["A", "Z", "a", "a%", "a_b", "aab", "é", "\u{ffee}", "𝄞"];
pub(super) const CLIENTS: [&str; 3] = ["C1", "c1", "c2"];
pub(super) const PRINCIPALS: [&str; 2] = ["ann", "bob"];
pub(super) const MUTATIONS: [&str; 8] = ["m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"];
/// The highest place of a client in this world.
pub(super) const SEQS: u64 = 5;

/// What a transaction reads.
pub(super) fn observe(tx: &mut dyn ReadTx) -> StoreResult<Vec<String>> {
    let mut lines = vec![format!("epoch {}, forgotten before {:?}", tx.epoch()?, tx.forgotten_before()?)];
    for scope in tx.scopes(None, usize::MAX)? {
        // Whether a scope that was locked and left at zero counts as written to is the store's own affair.
        let head = tx.head(&scope)?.unwrap_or_default();
        if head != riverrun_engine::store::Head::default() {
            lines.push(format!("scope {scope}"));
        }
    }
    for name in SCOPES {
        scoped(tx, name, &mut lines)?;
    }
    for name in CLIENTS {
        lines.push(format!("{name} belongs to {:?}", tx.owner(&client(name))?));
    }
    lines.push(format!("owners {:?}", survey::owners(tx, 2)?));
    Ok(lines)
}

fn scoped(tx: &mut dyn ReadTx, name: &str, lines: &mut Vec<String>) -> StoreResult<()> {
    let scope = scope(name);
    lines.push(format!("{name}: {:?}", tx.head(&scope)?.unwrap_or_default()));
    let mut entries = Vec::new();
    tx.entries(&scope, Cursor::ZERO, &mut |entry| {
        entries.push(entry);
        true
    })?;
    for entry in entries {
        lines.push(format!("{name}: {entry:?} from {:?}", tx.origin(&scope, entry.last())?));
    }
    for layer in [Layer::Current, Layer::Base] {
        tx.each_entity(&scope, layer, &mut |collection, id, text| {
            lines.push(format!("{name}: {layer:?} {collection} {id} {text}"));
            Ok(())
        })?;
    }
    for collection in COLLECTIONS {
        let all = Range { prefix: "", after: None, limit: usize::MAX };
        lines.push(format!("{name}: {collection} {:?}", tx.entities(&scope, collection, all)?));
    }
    for client_name in CLIENTS {
        let client = client(client_name);
        let mut decided = Vec::new();
        for seq in (1..=SEQS).map(Seq) {
            if tx.decided_at(&scope, &client, seq)? {
                decided.push(seq.0);
            }
        }
        let mark = tx.watermark(&scope, &client)?;
        lines.push(format!("{name}: {client_name} is at {mark:?}, decided {decided:?}"));
    }
    for who in PRINCIPALS {
        for id in MUTATIONS {
            if let Some(record) = tx.verdict(&scope, &principal(who), &mutation(id))? {
                lines.push(format!("{name}: {who} {record:?}"));
            }
        }
    }
    lines.push(format!("{name}: logged {:?}", survey::logged(tx, &scope)?));
    lines.push(format!("{name}: verdicts {:?}", survey::verdicts(tx, &scope, 2)?));
    lines.push(format!("{name}: watermarks {:?}", survey::watermarks(tx, &scope, 2)?));
    Ok(())
}

/// What a new read reads.
pub(super) fn observed(store: &dyn Store) -> Vec<String> {
    look(store, observe)
}

/// Fails with the lines that differ, and with nothing else of the many that don't.
pub(super) fn same(what: &str, found: &[String], expected: &[String]) {
    if let Some(difference) = difference(found, expected) {
        panic!("{what}:\n{difference}");
    }
}

/// The lines that differ, if any do.
pub(super) fn difference(found: &[String], expected: &[String]) -> Option<String> {
    if found == expected {
        return None;
    }
    let only = |these: &[String], those: &[String], sign: &str| -> String {
        let lines = these.iter().filter(|line| !those.contains(line));
        lines.fold(String::new(), |text, line| text + "  " + sign + " " + line + "\n")
    };
    let found_only = only(found, expected, "found   ");
    let expected_only = only(expected, found, "expected");
    Some(if found_only.is_empty() && expected_only.is_empty() {
        format!("  the same lines in another order:\n  found    {found:#?}\n  expected {expected:#?}")
    } else {
        found_only + &expected_only
    })
}
