//! Cases of "`id` is identity": a mutation that was decided is never decided again, whatever else comes with it. They say
//! nothing about order.

use riverrun_core::{Code, limits};
use riverrun_engine::Edge;

use super::{
    Make,
    world::{Line, Said, World, line, push, put, said, verdict},
};

/// "The server looks the id up first, before authorisation and shape, and answers a known one with its recorded verdict."
pub fn a_known_id_gets_its_recorded_verdict_before_anything_else_is_looked_at(make: Make<'_>) {
    let world = World::with(make, |builder| builder.schemas(2..=4));
    world.push("bob", [put("theirs").at("elsewhere").seq("c-bob", 1)]);
    let no = |id: &str| line(id, "reject", r#"{"id":"n"}"#);
    let first = world.push("ann", [put("yes").seq("c", 1), no("no").seq("c", 2), put("last").seq("c", 3)]);
    for (id, decision, make) in [("yes", &first[0], put as fn(&str) -> Line), ("no", &first[1], no)] {
        for (how, again) in [
            ("as it was", make(id).seq("c", 1)),
            ("with another seq", make(id).seq("c", 9)),
            ("without its place", make(id)),
            ("by another client of hers", make(id).seq("c-other", 7)),
            ("under a foreign client id", make(id).seq("c-bob", 1)),
            ("after access was withdrawn", make(id).seq("c", 1).forbidden()),
            ("while access can't be checked", make(id).edge(Edge::Unknown)),
            ("under a schema no longer taken", make(id).schema(1)),
            ("under a schema not known yet", make(id).schema(9)),
        ] {
            let answer = world.one("ann", again);
            assert!(
                matches!(said(&answer), Said::YesAgain(1) | Said::NoAgain(Code::Rejected)),
                "{id} {how}: {answer:?}"
            );
            assert_eq!(verdict(&answer), verdict(decision), "{id} {how}");
        }
    }
    assert_eq!(world.head("s").cursor.0, 2);
    world.verify(&["s", "elsewhere"]);
}

/// "A duplicate repeats the verdict without its changes."
pub fn a_duplicate_carries_no_effects_and_tells_nobody(make: Make<'_>) {
    let world = World::new(make);
    let first = world.settle(&[push("ann", [put("m1")])]);
    assert_eq!(first.commits.len(), 1);
    let again = world.settle(&[push("ann", [put("m1")])]);
    let riverrun_engine::Decision::Decided { duplicate, effects, .. } = &again.pushes[0].as_ref().unwrap()[0] else {
        panic!("a verdict was due, not {again:?}")
    };
    assert!(*duplicate && effects.is_empty() && again.commits.is_empty());
}

/// "The same id with another type or args is `invalid_mutation`."
pub fn an_id_used_again_for_something_else_is_invalid_and_runs_nothing(make: Make<'_>) {
    let world = World::new(make);
    let first = world.one("ann", put("m1"));
    for other in [
        line("m1", "note.insert", r#"{"id":"n"}"#),
        line("m1", "note.put", r#"{"id":"other"}"#),
        line("m1", "note.put", r#"{"id":"n","more":1}"#),
        line("m1", "note.put", "null"),
    ] {
        assert_eq!(said(&world.one("ann", other)), Said::Final(Code::InvalidMutation));
    }
    let again = world.one("ann", put("m1"));
    assert_eq!((said(&again), verdict(&again)), (Said::YesAgain(1), verdict(&first)));
    assert_eq!(world.head("s").cursor.0, 1);
}

/// Args are compared by their meaning: a client may write the same object in another way.
pub fn args_of_one_meaning_are_one_mutation(make: Make<'_>) {
    let world = World::new(make);
    world.one("ann", line("m1", "note.put", r#"{"id":"n","more":{"a":1.50,"b":["é",null]}}"#));
    for text in [
        r#"{"more":{"b":["é",null],"a":1.50},"id":"n"}"#,
        r#" { "id" : "n", "more" : { "a" : 1.5, "b" : [ "\u00e9" , null ] } } "#,
    ] {
        assert_eq!(said(&world.one("ann", line("m1", "note.put", text))), Said::YesAgain(1), "{text}");
    }
    for text in [r#"{"id":"n","more":{"a":1.50,"b":[null,"é"]}}"#, r#"{"id":"n","more":{"a":1.51,"b":["é",null]}}"#] {
        let answer = said(&world.one("ann", line("m1", "note.put", text)));
        assert_eq!(answer, Said::Final(Code::InvalidMutation), "{text}");
    }
}

/// "`id` is unique per (principal, scope)."
pub fn an_id_is_unique_per_principal_and_scope(make: Make<'_>) {
    let world = World::new(make);
    assert_eq!(world.say("ann", [put("m1")]), [Said::Yes(1)]);
    assert_eq!(world.say("bob", [put("m1")]), [Said::Yes(2)]);
    assert_eq!(world.say("ann", [put("m1").at("t")]), [Said::Yes(1)]);
    assert_eq!(world.say("bob", [line("m1", "reject", r#"{"id":"n"}"#).at("t")]), [Said::No(Code::Rejected)]);
    assert_eq!(world.say("ann", [put("m1"), put("m1").at("t")]), [Said::YesAgain(1), Said::YesAgain(1)]);
    world.verify(&["s", "t"]);
}

/// A mutation has at most one effect, also when it comes twice before the first one's commit.
pub fn a_mutation_that_comes_twice_in_one_commit_has_one_effect(make: Make<'_>) {
    let world = World::new(make);
    let add = || line("m1", "counter.add", r#"{"id":"c"}"#);
    let settled = world.settle(&[push("ann", [add(), add()]), push("ann", [add()])]);
    let all: Vec<Said> = settled.pushes.iter().flatten().flatten().map(said).collect();
    assert_eq!(all, [Said::Yes(1), Said::YesAgain(1), Said::YesAgain(1)]);
    assert_eq!(world.effects("s"), 1);
}

/// "One that is refused alone is sent as `_void` and recorded as rejected", and stands for the mutation it took the place of.
pub fn a_void_is_recorded_as_rejected_and_speaks_for_its_id(make: Make<'_>) {
    let world = World::new(make);
    let void = |id| line(id, limits::VOID, "null");
    assert_eq!(world.say("ann", [void("m1").seq("c", 1)]), [Said::No(Code::InvalidMutation)]);
    assert_eq!(world.say("ann", [void("m1").seq("c", 1)]), [Said::NoAgain(Code::InvalidMutation)]);
    assert_eq!(world.say("ann", [put("m1").seq("c", 1)]), [Said::NoAgain(Code::InvalidMutation)]);
    assert_eq!(world.say("ann", [put("m2").seq("c", 2)]), [Said::Yes(1)]);
    assert_eq!(world.say("ann", [void("m2").seq("c", 2)]), [Said::YesAgain(1)]);
    assert_eq!(world.last_seq("ann", "s", "c"), Some(2));
}

/// A verdict is on disk: an engine started anew gives the same one.
pub fn a_verdict_outlives_the_engine_that_gave_it(make: Make<'_>) {
    let world = World::new(make);
    let lines = || [put("m1").seq("c", 1), line("m2", "reject", r#"{"id":"n"}"#).seq("c", 2)];
    let first = world.push("ann", lines());
    let again = world.restarted().push("ann", lines());
    for (first, again) in first.iter().zip(&again) {
        assert_eq!(verdict(first), verdict(again));
    }
    assert_eq!(again.iter().map(said).collect::<Vec<_>>(), [Said::YesAgain(1), Said::NoAgain(Code::Rejected)]);
}

/// "A foreign `epoch` refuses the whole push (`epoch_changed`), nothing executed"; its neighbours in the commit go on.
pub fn a_push_for_a_foreign_epoch_is_refused_whole_and_runs_nothing(make: Make<'_>) {
    let world = World::new(make);
    let mut foreign = push("ann", [put("m1").seq("c", 1), put("m2").at("t").seq("c", 1)]);
    foreign.epoch = Some(riverrun_core::Epoch::new("another").expect("an epoch"));
    let mut own = push("ann", [put("m3")]);
    own.epoch = Some(world.epoch());
    let settled = world.settle(&[foreign, own]);
    assert_eq!(settled.pushes[0], Err(Code::EpochChanged));
    assert_eq!(settled.pushes[1].as_ref().map(|d| said(&d[0])), Ok(Said::Yes(1)));
    assert!(world.record("ann", "s", "m1").is_none() && world.record("ann", "t", "m2").is_none());
    assert_eq!((world.last_seq("ann", "s", "c"), world.head("t").cursor.0), (Some(0), 0));
}
