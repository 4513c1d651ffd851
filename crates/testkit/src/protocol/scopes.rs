//! Cases of mutations that write to several scopes: declared ones are written together or not at all, and each scope
//! remains a stream of its own. Who may write where is asked at the edge, so that is a case of the engine's.

use riverrun_core::{Code, Cursor};

use super::{
    Make,
    replica::Replica,
    world::{Said, World, accepted, line, put, said, scope, verdict},
};

fn shift(id: &str) -> super::world::Line {
    line(id, "note.move", r#"{"id":"n","to":"t"}"#).declares(&["t"])
}

/// "A mutation that also wrote to other scopes names their cursors", and a retry hears the same.
pub fn a_mutation_over_declared_scopes_is_one_effect_and_names_their_cursors(make: Make<'_>) {
    let world = World::new(make);
    world.push("ann", [put("m1"), put("m2").at("t"), line("m3", "event", r#"{"id":"x"}"#).at("t")]);
    let moved = world.one("ann", shift("m4").seq("c", 1));
    let yes = accepted(&moved);
    assert_eq!((yes.cursor, yes.digest), (Cursor(2), world.digest("s")));
    assert_eq!(yes.cursors, [(scope("t"), Cursor(3))].into());
    let again = world.one("ann", shift("m4").seq("c", 1));
    assert_eq!((said(&again), verdict(&again)), (Said::YesAgain(2), verdict(&moved)));
    assert_eq!(world.snapshot("s").data.as_str(), "{}");
    assert_eq!(world.snapshot("t").data.as_str(), r#"{"note":{"n":{"id":"n","text":"m4"}}}"#);
    for name in ["s", "t"] {
        let mut replica = Replica::empty(name);
        world.catch_up(name, &mut replica, 1);
        replica.must_be(&world.snapshot(name));
    }
    // The watermark is the mutation's own scope's.
    assert_eq!((world.last_seq("ann", "s", "c"), world.last_seq("ann", "t", "c")), (Some(1), Some(0)));
    world.verify(&["s", "t"]);
}

/// A declared scope that was not written to gets no cursor and no entry.
pub fn a_declared_scope_that_was_not_written_to_stays_as_it_was(make: Make<'_>) {
    let world = World::new(make);
    let settled = world.settle(&[super::world::push("ann", [put("m1").declares(&["t", "u"])])]);
    assert!(accepted(&settled.pushes[0].as_ref().unwrap()[0]).cursors.is_empty());
    assert_eq!(settled.commits.len(), 1);
    assert_eq!((world.head("t").cursor.0, world.head("u").cursor.0), (0, 0));
}

/// A mutation that only wrote to another scope is accepted at the head of its own.
pub fn a_mutation_that_only_wrote_elsewhere_is_accepted_at_its_own_head(make: Make<'_>) {
    let world = World::new(make);
    world.push("ann", [put("m1").at("t"), put("m2").at("s")]);
    world.one("ann", line("m3", "note.move", r#"{"id":"n","to":"t"}"#).declares(&["t"]));
    world.verify(&["s", "t"]);
    let own = line("m4", "stray", r#"{"id":"n","to":"s"}"#);
    assert_eq!(said(&world.one("ann", own)), Said::Yes(4), "its own scope needs no declaring");
}

/// "Touching another is `forbidden`": nothing of it stays, in no scope.
pub fn touching_a_scope_that_was_not_declared_is_forbidden_and_undone(make: Make<'_>) {
    let world = World::new(make);
    let stray = || line("m1", "stray", r#"{"id":"n","to":"t"}"#);
    assert_eq!(world.say("ann", [stray().declares(&["u"])]), [Said::No(Code::Forbidden)]);
    assert_eq!(world.say("ann", [stray().declares(&["t"])]), [Said::NoAgain(Code::Forbidden)]);
    assert_eq!((world.head("s").cursor.0, world.head("t").cursor.0), (0, 0));
    assert_eq!(world.snapshot("s").data.as_str(), "{}");
}

/// A refusal undoes what was written in every scope.
pub fn a_rejection_undoes_what_was_written_in_every_scope(make: Make<'_>) {
    let world = World::new(make);
    world.push("ann", [put("m1"), put("m2").at("t")]);
    let before = (world.snapshot("s"), world.snapshot("t"));
    // The note is deleted here and then can't be written there.
    let bad = line("m3", "note.move", r#"{"id":"n","to":"x"}"#).declares(&["t"]);
    assert_eq!(said(&world.one("ann", bad)), Said::No(Code::Forbidden));
    assert_eq!((world.snapshot("s"), world.snapshot("t")), before);
    world.verify(&["s", "t"]);
}
