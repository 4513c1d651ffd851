//! Cases of "one transaction": mark, effect and log entry are there together or not at all, whatever fails in between.
//! Failures are made by a store that fails where it is told; what is asked afterwards is asked of the store under test.

use riverrun_core::Code;
use riverrun_engine::{Push, Store};

use super::{
    Make,
    faulty::Fault,
    shared::{Faulty, Shared},
    world::{Said, World, line, push, put, said, scope},
};

/// "A rejection rolls the effects back and records the verdict all the same."
pub fn a_rejection_rolls_its_writes_back_and_its_neighbours_stand(make: Make<'_>) {
    let world = World::new(make);
    let all = world.say(
        "ann",
        [
            line("m1", "note.put", r#"{"id":"a"}"#),
            line("m2", "reject", r#"{"id":"a"}"#),
            line("m3", "reject", r#"{"id":"b"}"#),
            line("m4", "note.put", r#"{"id":"c"}"#),
        ],
    );
    assert_eq!(all, [Said::Yes(1), Said::No(Code::Rejected), Said::No(Code::Rejected), Said::Yes(2)]);
    let expected = r#"{"note":{"a":{"id":"a","text":"m1"},"c":{"id":"c","text":"m4"}}}"#;
    assert_eq!(world.snapshot("s").data.as_str(), expected);
    world.verify(&["s"]);
}

/// "A panic is caught, rolled back to its savepoint, a terminal `internal_error`, its neighbours unharmed."
pub fn a_panic_is_rolled_back_and_its_neighbours_stand(make: Make<'_>) {
    let world = World::new(make);
    let settled = world.settle(&[
        push("ann", [line("m1", "note.put", r#"{"id":"a"}"#), line("m2", "panic", r#"{"id":"a"}"#)]),
        push("bob", [line("m3", "panic", r#"{"id":"b"}"#), line("m4", "note.put", r#"{"id":"c"}"#)]),
    ]);
    let all: Vec<Said> = settled.pushes.iter().flatten().flatten().map(said).collect();
    assert_eq!(all, [Said::Yes(1), Said::No(Code::InternalError), Said::No(Code::InternalError), Said::Yes(2)]);
    let expected = r#"{"note":{"a":{"id":"a","text":"m1"},"c":{"id":"c","text":"m4"}}}"#;
    assert_eq!(world.snapshot("s").data.as_str(), expected);
    world.verify(&["s"]);
}

/// A mutator's reads see its own writes, and those of the mutations before it in the same commit.
pub fn a_mutator_sees_its_own_writes_and_those_before_it(make: Make<'_>) {
    let world = World::new(make);
    let all = world.say(
        "ann",
        [
            line("m1", "note.own_writes", r#"{"id":"a"}"#),
            line("m2", "note.insert", r#"{"id":"b"}"#),
            line("m3", "note.edit", r#"{"id":"b"}"#),
            line("m4", "note.insert", r#"{"id":"b"}"#),
            line("m5", "note.delete", r#"{"id":"b"}"#),
            line("m6", "note.insert", r#"{"id":"b"}"#),
        ],
    );
    let conflict = Said::No(Code::Conflict);
    assert_eq!(all, [Said::Yes(2), Said::Yes(3), Said::Yes(4), conflict, Said::Yes(5), Said::Yes(6)]);
    assert_eq!(world.snapshot("s").data.as_str(), r#"{"note":{"b":{"id":"b","text":"m6"}}}"#);
    world.verify(&["s"]);
}

fn batch() -> [Push; 2] {
    let note = r#"{"id":"n"}"#;
    [
        push(
            "ann",
            [
                put("m1").seq("c", 1),
                line("m2", "reject", note).seq("c", 2),
                line("m3", "note.move", r#"{"id":"n","to":"t"}"#).declares(&["t"]).seq("c", 3),
                line("m4", "counter.add", r#"{"id":"c"}"#).seq("c", 4),
                line("m4", "counter.add", r#"{"id":"c"}"#).seq("c", 4),
            ],
        ),
        push(
            "bob",
            [
                line("m5", "panic", note).seq("b", 1),
                line("m6", "careless", note),
                line("m7", "counter.add", r#"{"id":"c"}"#).at("t"),
            ],
        ),
    ]
}

fn nothing_of_it_is_there(store: &Shared) {
    let world = World::over(store.clone(), super::world::Hands::new(), |builder| builder);
    for name in ["s", "t"] {
        assert_eq!((world.head(name).cursor.0, world.snapshot(name).data.as_str()), (0, "{}"));
        assert_eq!(world.last_seq("ann", name, "c"), Some(0));
        for (who, id) in (1..=7).flat_map(|at| [("ann", format!("m{at}")), ("bob", format!("m{at}"))]) {
            assert!(world.record(who, name, &id).is_none(), "{id} is recorded");
        }
    }
}

fn retried(store: Shared) -> World {
    let world = World::over(store, super::world::Hands::new(), |builder| builder);
    let settled = world.settle(&batch());
    let fresh: Vec<Said> = settled.pushes.iter().flatten().flatten().map(said).collect();
    let same = |said: &Said| match said {
        Said::YesAgain(at) => Said::Yes(*at),
        Said::NoAgain(code) => Said::No(*code),
        other => *other,
    };
    let (rejected, panicked) = (Said::No(Code::Rejected), Said::No(Code::InternalError));
    let expected =
        [Said::Yes(1), rejected, Said::Yes(2), Said::Yes(3), Said::Yes(3), panicked, Said::Yes(6), Said::Yes(2)];
    assert_eq!(fresh.iter().map(same).collect::<Vec<_>>(), expected);
    assert_eq!((world.effects("s"), world.effects("t")), (1, 1));
    assert_eq!((world.last_seq("ann", "s", "c"), world.last_seq("bob", "s", "b")), (Some(4), Some(1)));
    world.verify(&["s", "t"]);
    world
}

/// "A store failure latches in `Tx`, and whatever the mutator returns the whole batch rolls back as `unavailable`": at every
/// single call the store is asked, and at the commit.
pub fn a_store_that_fails_anywhere_leaves_nothing_and_a_retry_has_exactly_one_effect(make: Make<'_>) {
    let counted = Faulty::new(make());
    let probe = World::over(Shared::new(counted.clone()), super::world::Hands::new(), |builder| builder);
    probe.settle(&batch());
    let calls = counted.calls();
    assert!(calls > 40, "the probe counted {calls} calls: it does not look at the transaction");
    for fault in (1..=calls).map(Fault::Call).chain([Fault::Commit]) {
        let store = make();
        let faulty = Faulty::new(store.clone());
        let world = World::over(Shared::new(faulty.clone()), super::world::Hands::new(), |builder| builder);
        faulty.fail(fault);
        let failed = world.kernel.settle(&batch());
        assert!(failed.is_err(), "{fault:?} was swallowed: {failed:?}");
        nothing_of_it_is_there(&store);
        retried(Shared::new(faulty));
    }
}

/// "The one answer that may be either is an error": applied, answered with an error, and found out by a retry.
pub fn a_commit_that_was_applied_and_answered_with_an_error_is_found_by_the_retry(make: Make<'_>) {
    let store = make();
    let faulty = Faulty::new(store.clone());
    let world = World::over(Shared::new(faulty.clone()), super::world::Hands::new(), |builder| builder);
    faulty.fail(Fault::Answer);
    assert!(world.kernel.settle(&batch()).is_err());
    let applied = (world.snapshot("s"), world.snapshot("t"));
    let again = retried(store);
    assert_eq!((again.snapshot("s"), again.snapshot("t")), applied);
}

/// A table of the application's own that failed underneath a mutator which makes nothing of it: nothing commits.
pub fn a_failure_in_a_table_of_the_applications_own_commits_nothing(make: Make<'_>) {
    let world = World::new(make);
    let pushed = world.kernel.settle(&[push("ann", [put("m1").seq("c", 1), line("m2", "latch", r#"{"id":"x"}"#)])]);
    assert!(pushed.is_err(), "{pushed:?}");
    assert_eq!((world.head("s").cursor.0, world.last_seq("ann", "s", "c")), (0, Some(0)));
    assert_eq!(world.say("ann", [put("m1").seq("c", 1)]), [Said::Yes(1)]);
}

/// A push is decided in one commit with its neighbours, and readers are told one commit per scope.
pub fn a_commit_tells_its_readers_one_stretch_per_scope(make: Make<'_>) {
    let world = World::new(make);
    world.push("ann", [put("before")]);
    let settled = world.settle(&[
        push("ann", [put("m1"), put("m2").at("t"), line("m3", "reject", r#"{"id":"n"}"#).at("u")]),
        push("bob", [put("m4"), line("m5", "nothing", "{}").at("v")]),
    ]);
    let told: Vec<_> = settled.commits.iter().map(|c| (c.scope.clone(), c.from.0, c.cursor.0)).collect();
    assert_eq!(told, [(scope("s"), 1, 3), (scope("t"), 0, 1)]);
    for commit in &settled.commits {
        let head = world.head(commit.scope.as_str());
        assert_eq!((commit.cursor, commit.digest), (head.cursor, head.digest));
        let cursors: Vec<u64> =
            commit.changes().expect("small commits carry theirs").iter().map(|c| c.cursor.0).collect();
        assert_eq!(cursors, (commit.from.0 + 1..=commit.cursor.0).collect::<Vec<_>>());
    }
    assert!(world.store.describe().len() > 2, "a store says what it is");
}
