//! Cases of "`seq` is order": a client's mutations in one scope are decided 1, 2, 3 … without holes, and a client id has
//! one owner. They say nothing about what becomes of a mutation whose turn it is.

use riverrun_core::Code;
use riverrun_engine::{Decision, Edge};

use super::{
    Make,
    world::{Said, World, client, line, principal, push, put, said},
};

/// "A hole before it ⇒ `out_of_order`, nothing recorded."
pub fn a_hole_before_a_mutation_keeps_it_waiting_and_records_nothing(make: Make<'_>) {
    let world = World::new(make);
    let all = world.say("ann", [put("m1").seq("c", 1), put("m3").seq("c", 3), put("m4").seq("c", 4)]);
    assert_eq!(all, [Said::Yes(1), Said::Retry(Code::OutOfOrder), Said::Retry(Code::OutOfOrder)]);
    assert!(world.record("ann", "s", "m3").is_none());
    assert_eq!(world.last_seq("ann", "s", "c"), Some(1));
    let all = world.say("ann", [put("m2").seq("c", 2), put("m3").seq("c", 3), put("m4").seq("c", 4)]);
    assert_eq!(all, [Said::Yes(2), Said::Yes(3), Said::Yes(4)]);
}

/// "A `seq` already decided for another id ⇒ `seq_conflict`: the client renumbers what is undecided from `last_seq`+1, ids
/// unchanged."
pub fn a_seq_decided_for_another_id_is_a_conflict_and_renumbering_goes_on(make: Make<'_>) {
    let world = World::new(make);
    world.push("ann", [put("m1").seq("c", 1), line("no", "reject", r#"{"id":"n"}"#).seq("c", 2)]);
    for seq in [1, 2] {
        let answer = world.one("ann", put("copy").seq("c", seq));
        assert_eq!(said(&answer), Said::Retry(Code::SeqConflict));
        let Decision::Again { error, .. } = answer else { unreachable!() };
        assert!(error.contains("go on with 3"), "{error}");
    }
    assert!(world.record("ann", "s", "copy").is_none());
    let next = world.last_seq("ann", "s", "c").unwrap_or_default() + 1;
    assert_eq!(world.say("ann", [put("copy").seq("c", next)]), [Said::Yes(2)]);
    assert_eq!(world.last_seq("ann", "s", "c"), Some(3));
}

/// "An unknown client with `seq` ≠ 1 ⇒ `client_unknown`: not executed; the client … starts anew."
pub fn an_unknown_client_can_only_begin_at_one(make: Make<'_>) {
    let world = World::new(make);
    let all = world.say("ann", [put("m7").seq("c", 7), put("m8").seq("c", 8)]);
    assert_eq!(all, [Said::Final(Code::ClientUnknown); 2]);
    assert!(world.record("ann", "s", "m7").is_none());
    assert_eq!(world.head("s").cursor.0, 0);
    assert_eq!(world.say("ann", [put("m7").seq("anew", 1)]), [Said::Yes(1)]);
}

/// A new client whose first mutation must wait is not unknown: what follows waits with it.
pub fn a_new_client_whose_first_mutation_must_wait_waits_as_a_whole(make: Make<'_>) {
    let world = World::with(make, |builder| builder.schemas(0..=4));
    for first in [put("m1").edge(Edge::Unknown), put("m1").schema(5)] {
        let all = world.say("ann", [first.seq("c", 1), put("m2").seq("c", 2), put("m3").seq("c", 3)]);
        assert!(matches!(all[0], Said::Retry(Code::Unavailable | Code::SchemaMismatch)));
        assert_eq!(all[1..], [Said::Retry(Code::OutOfOrder); 2]);
    }
    let all = world.say("ann", [put("m1").seq("c", 1), put("m2").seq("c", 2), put("m3").seq("c", 3)]);
    assert_eq!(all, [Said::Yes(1), Said::Yes(2), Said::Yes(3)]);
}

/// "A client id belongs to the principal that first used it; another's use is `forbidden`", and takes nothing from its owner.
pub fn a_foreign_client_id_is_forbidden_and_its_owner_keeps_its_place(make: Make<'_>) {
    let world = World::new(make);
    world.push("ann", [put("m1").seq("c", 1)]);
    for (name, seq) in [("s", 2), ("s", 9), ("s", 1), ("t", 1)] {
        let id = format!("theft-{name}-{seq}");
        let theft = || put(&id).at(name).seq("c", seq);
        assert_eq!(world.say("bob", [theft(), theft()]), [Said::No(Code::Forbidden), Said::NoAgain(Code::Forbidden)]);
    }
    assert_eq!(world.say("ann", [put("m2").seq("c", 2), put("t1").at("t").seq("c", 1)]), [Said::Yes(2), Said::Yes(1)]);
    let pull = riverrun_core::wire::PullRequest { client: Some(client("c")), ..World::ask("s", 0) };
    let refused = world.kernel.pull(&principal("bob"), &pull).expect_err("another's watermark");
    assert_eq!(refused.code, Code::Forbidden);
    let snapshot = riverrun_core::wire::SnapshotRequest { client: Some(client("c")), scope: pull.scope };
    let refused = world.kernel.snapshot(&principal("bob"), &snapshot).expect_err("another's watermark");
    assert_eq!(refused.code, Code::Forbidden);
}

/// Two principals that take the same new client id in one commit: the first one has it.
pub fn a_client_id_claimed_twice_in_one_commit_belongs_to_the_first(make: Make<'_>) {
    let world = World::new(make);
    let settled = world.settle(&[push("ann", [put("a").seq("c", 1)]), push("bob", [put("b").seq("c", 1)])]);
    let all: Vec<Said> = settled.pushes.iter().flatten().flatten().map(said).collect();
    assert_eq!(all, [Said::Yes(1), Said::No(Code::Forbidden)]);
    assert_eq!(world.say("bob", [put("b2").seq("c", 2)]), [Said::No(Code::Forbidden)]);
}

/// "A client's mutations **in one scope** are numbered 1, 2, 3 …": each scope counts by itself.
pub fn each_scope_counts_by_itself(make: Make<'_>) {
    let world = World::new(make);
    let all = world.say(
        "ann",
        [
            put("a1").at("a").seq("c", 1),
            put("b1").at("b").seq("c", 1),
            put("a2").at("a").seq("c", 2),
            put("b3").at("b").seq("c", 3),
        ],
    );
    assert_eq!(all, [Said::Yes(1), Said::Yes(1), Said::Yes(2), Said::Retry(Code::OutOfOrder)]);
    assert_eq!((world.last_seq("ann", "a", "c"), world.last_seq("ann", "b", "c")), (Some(2), Some(1)));
}

/// "`client` + `seq` are optional": a mutation by its id alone has no place and moves no watermark.
pub fn a_mutation_by_id_alone_moves_no_watermark(make: Make<'_>) {
    let world = World::new(make);
    assert_eq!(world.say("ann", [put("m1"), put("m2")]), [Said::Yes(1), Said::Yes(2)]);
    assert_eq!(world.last_seq("ann", "s", "c"), Some(0));
    assert_eq!(world.say("ann", [put("m3").seq("c", 1)]), [Said::Yes(3)]);
}

/// "`ok:false, retry:false` … consumes its `seq`; nothing may leave a hole": also when an id was used again for something else.
pub fn an_id_used_again_for_something_else_consumes_its_place(make: Make<'_>) {
    let world = World::new(make);
    let reused = || line("m1", "note.put", r#"{"id":"other"}"#).seq("c", 2);
    let all = world.say("ann", [put("m1").seq("c", 1), reused(), put("m3").seq("c", 3)]);
    assert_eq!(all, [Said::Yes(1), Said::Final(Code::InvalidMutation), Said::Yes(2)]);
    assert_eq!(world.say("ann", [reused()]), [Said::Final(Code::InvalidMutation)]);
    assert_eq!(world.last_seq("ann", "s", "c"), Some(3));
}

/// A mutation that was decided before and comes under a new number (its client renumbered) leaves no hole there either.
pub fn a_known_id_under_a_new_number_takes_that_place(make: Make<'_>) {
    let world = World::new(make);
    world.push("ann", [put("alone"), put("m1").seq("c", 1)]);
    let all = world.say("ann", [put("alone").seq("c", 2), put("m1").seq("c", 3), put("m4").seq("c", 4)]);
    assert_eq!(all, [Said::YesAgain(1), Said::YesAgain(2), Said::Yes(3)]);
    assert_eq!(world.last_seq("ann", "s", "c"), Some(4));
    // Not ahead of its turn, and not in another's place.
    assert_eq!(world.say("ann", [put("alone").seq("c", 9), put("m9").seq("c", 9)])[1], Said::Retry(Code::OutOfOrder));
    assert_eq!(world.say("bob", [put("b")]), [Said::Yes(4)]);
    assert_eq!(world.say("bob", [put("b").seq("c", 5)]), [Said::YesAgain(4)]);
    assert_eq!(world.last_seq("ann", "s", "c"), Some(4));
}

/// A place taken by a mutation that had its verdict under another one has no verdict of its own. Who comes with it and was
/// surely never decided (its id is young, the place is one whose verdict would still be kept) is not told `expired`.
pub fn a_place_taken_by_a_known_mutation_is_in_conflict_for_another_and_not_expired(make: Make<'_>) {
    let young = "01990000-0000-7000-8000-000000000001";
    let world = World::new(make);
    assert_eq!(world.say("ann", [put("m1").seq("c", 1), put("m1").seq("c", 2)]), [Said::Yes(1), Said::YesAgain(1)]);
    assert_eq!(world.last_seq("ann", "s", "c"), Some(2));
    assert_eq!(world.say("ann", [put(young).seq("c", 2)]), [Said::Retry(Code::SeqConflict)]);
    assert_eq!(world.say("ann", [put(young).seq("c", 3)]), [Said::Yes(2)]);
    assert_eq!(world.say("ann", [put("m2").seq("c", 2)]), [Said::Final(Code::Expired)], "an id that tells no time");
}
