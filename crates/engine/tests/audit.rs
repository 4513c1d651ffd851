//! An audit finds the same however little it may remember: in one pass over a scope or in many.
#![allow(clippy::unwrap_used)]

use riverrun_core::{Cursor, Json, Mutators, Principal, Reject, Scope, Tx, entity};
use riverrun_engine::{
    Engine, Memory, Public,
    audit::{Audit, Flaw, Report, Wrong},
    store::{self, Layer},
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Todo {
    id: String,
    title: String,
}
entity!(Todo, "todo", id);

/// A log of 300 mutations over 100 todos, trimmed up to the middle.
async fn log() -> (Memory, Scope) {
    let store = Memory::new();
    let put = |tx: &mut Tx<'_>, todo: Todo| -> Result<(), Reject> { tx.put(&todo) };
    let del = |tx: &mut Tx<'_>, id: String| -> Result<(), Reject> { tx.delete::<Todo>(&id).map(drop) };
    let mutators = Mutators::new().on("put", put).on("del", del);
    let engine = Engine::builder(store.clone()).mutators(mutators).access(Public).start().await.unwrap();
    let server = Principal::server();
    for number in 0..300 {
        let id = format!("t{}", number % 100);
        if number % 7 == 0 && number >= 100 {
            engine.mutate(&server, "a", "del", &id).await.unwrap();
        } else {
            engine.mutate(&server, "a", "put", &Todo { id, title: format!("number {number}") }).await.unwrap();
        }
    }
    let scope = Scope::new("a").unwrap();
    while engine.kernel().trim_to(&scope, Cursor(150)).unwrap() {}
    engine.close().await;
    (store, scope)
}

fn audit(store: &Memory, scope: &Scope, remembered: usize) -> Report {
    let mut told = 0;
    let audit = Audit { remembered, ..Audit::default() };
    let mut report = audit.scope(store, scope, &mut |changes| told += changes).unwrap();
    assert_eq!(told, report.changes, "each change is told once, also where it is read often");
    report.flaws.sort_by_key(ToString::to_string);
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_scope_is_sound_in_one_pass_and_in_many() {
    let (store, scope) = log().await;
    let whole = audit(&store, &scope, usize::MAX);
    assert!(whole.sound(), "{:?}", whole.flaws);
    assert!(whole.changes > 100 && whole.entities > 50 && whole.verdicts == 300, "{whole:?}");
    for remembered in [1, 7, 40, 1000] {
        assert_eq!(audit(&store, &scope, remembered), whole, "remembering {remembered}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_found_in_one_pass_and_in_many() {
    let (store, scope) = log().await;
    store::write(&store, |tx| {
        tx.lock(&scope)?;
        let json = |text: &str| Json::parse(text).unwrap();
        tx.put(&scope, Layer::Current, "todo", "t5", &json("{}"))?;
        tx.del(&scope, Layer::Current, "todo", "t4")?;
        tx.put(&scope, Layer::Current, "todo", "t999", &json("{}"))?;
        let mut head = tx.head(&scope)?.unwrap();
        head.cursor = Cursor(head.cursor.0 + 5);
        tx.set_head(&scope, &head)
    })
    .unwrap();
    let whole = audit(&store, &scope, usize::MAX);
    let wrong = |wanted: &str| {
        whole.flaws.iter().find_map(|flaw| match flaw {
            Flaw::Entity { id, wrong, .. } if id == wanted => Some(*wrong),
            _ => None,
        })
    };
    assert_eq!(wrong("t5"), Some(Wrong::Changed));
    assert_eq!(wrong("t4"), Some(Wrong::Missing));
    assert_eq!(wrong("t999"), Some(Wrong::Extra));
    assert!(whole.flaws.iter().any(|flaw| matches!(flaw, Flaw::Head { .. })));
    assert_eq!(whole.flaws.len(), 4, "{:?}", whole.flaws);
    for remembered in [1, 7, 40, 1000] {
        assert_eq!(audit(&store, &scope, remembered), whole, "remembering {remembered}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_a_thousand_times_is_told_a_hundred_times_and_counted() {
    let (store, scope) = log().await;
    store::write(&store, |tx| {
        (0..1000).try_for_each(|number| tx.put(&scope, Layer::Current, "x", &number.to_string(), &Json::null()))
    })
    .unwrap();
    let report = audit(&store, &scope, usize::MAX);
    assert_eq!((report.flaws.len(), report.more), (100, 900));
}
