//! Cases of verdicts that say no: each refusal of a well-formed mutation is recorded, repeated word for word, leaves
//! nothing behind in the state, and consumes its place. And of the answers that are no verdict.

use riverrun_core::{Code, Verdict, limits};
use riverrun_engine::Edge;

use super::{
    Make,
    world::{Line, Said, World, accepted, line, put, said, verdict},
};

fn every_refusal() -> Vec<(&'static str, Line, Code)> {
    let note = r#"{"id":"n"}"#;
    vec![
        ("the mutator's own no", line("m", "reject", note), Code::Rejected),
        ("what is not found", line("m", "note.edit", r#"{"id":"nowhere"}"#), Code::NotFound),
        ("what exists already", line("m", "note.insert", r#"{"id":"there"}"#), Code::Conflict),
        ("no access", put("m").forbidden(), Code::Forbidden),
        ("a scope not declared", line("m", "stray", r#"{"id":"n","to":"t"}"#), Code::Forbidden),
        ("an unknown type", line("m", "no.such", note), Code::InvalidMutation),
        ("arguments that don't fit", line("m", "note.put", r#"{"id":7}"#), Code::InvalidMutation),
        ("no arguments", line("m", "note.put", "null"), Code::InvalidMutation),
        ("an entity's id no store takes", line("m", "note.put", r#"{"id":""}"#), Code::InvalidMutation),
        (
            "a change in disguise",
            line("m", "disguise", r#"{"op":"del","collection":"note","id":"there"}"#),
            Code::InvalidMutation,
        ),
        (
            "a null in disguise",
            line("m", "disguise", r#"{"op":"put","collection":"note","id":"x","value":null}"#),
            Code::InvalidMutation,
        ),
        ("too many changes", line("m", "note.many", r#"{"prefix":"p","count":1001}"#), Code::TooLarge),
        ("an old schema", put("m").schema(1), Code::SchemaMismatch),
        ("a void", line("m", limits::VOID, "null"), Code::InvalidMutation),
        ("a panic", line("m", "panic", note), Code::InternalError),
        ("a failure inside", line("m", "leak", note), Code::InternalError),
        ("a mutator that claims to be unavailable", line("m", "claim", note), Code::Rejected),
    ]
}

/// "`ok:false, retry:false` is a verdict: recorded, repeated (code, reason, error) to a retry, and it consumes its `seq`."
pub fn every_refusal_consumes_its_place_and_is_repeated_word_for_word(make: Make<'_>) {
    let world = World::with(make, |builder| builder.schemas(2..=4));
    world.push("ann", [line("before", "note.put", r#"{"id":"there"}"#)]);
    for (at, (what, refused, code)) in every_refusal().into_iter().enumerate() {
        let at = at as u64;
        let named = |mut line: Line, id: String| {
            line.0.mutation.id = riverrun_core::MutationId::new(id).expect("an id");
            line
        };
        let no = || named(refused.clone(), format!("no{at}")).seq("c", 2 * at + 1);
        let before = world.snapshot("s");
        let first = world.one("ann", no());
        assert_eq!(said(&first), Said::No(code), "{what}");
        assert_eq!(world.snapshot("s"), before, "{what} leaves nothing behind");
        assert_eq!(world.last_seq("ann", "s", "c"), Some(2 * at + 1), "{what} consumes its place");
        let next = world.one("ann", put(&format!("next{at}")).seq("c", 2 * at + 2));
        assert_eq!(said(&next), Said::Yes(at + 2), "{what} lets the next one through");
        for world in [&world, &world.restarted()] {
            let again = world.one("ann", no());
            assert_eq!((said(&again), verdict(&again)), (Said::NoAgain(code), verdict(&first)), "{what}");
        }
        let Verdict::Rejected(no) = verdict(&first) else { unreachable!() };
        assert!(!no.error.is_empty(), "{what} says so to people");
        assert_eq!(no.reason.as_deref(), (what == "the mutator's own no").then_some("because"), "{what}");
    }
    world.verify(&["s"]);
}

/// "`internal_error` (no inner text leaks)."
pub fn what_failed_inside_stays_inside(make: Make<'_>) {
    let world = World::new(make);
    for name in ["panic", "leak"] {
        let answer = world.one("ann", line(name, name, r#"{"id":"n"}"#));
        let Verdict::Rejected(no) = verdict(&answer) else { panic!("{name}: {answer:?}") };
        assert_eq!((no.code, no.reason.as_deref()), (Code::InternalError, None));
        assert!(!no.error.contains("secret"), "{}", no.error);
    }
}

/// "`schema` is an integer: older than the server accepts is a verdict, newer is a retry (a rolling deploy)."
pub fn a_newer_schema_is_asked_to_come_again_and_an_older_one_is_refused_for_good(make: Make<'_>) {
    let world = World::with(make, |builder| builder.schemas(2..=4));
    let newer = || put("m1").seq("c", 1).schema(5);
    assert_eq!(world.say("ann", [newer()]), [Said::Retry(Code::SchemaMismatch)]);
    assert!(world.record("ann", "s", "m1").is_none());
    assert_eq!(world.last_seq("ann", "s", "c"), Some(0));
    let all = world.say("ann", [put("m2").schema(2), put("m3").schema(4), put("m4"), put("m5").schema(1)]);
    assert_eq!(all, [Said::Yes(1), Said::Yes(2), Said::Yes(3), Said::No(Code::SchemaMismatch)]);
    let updated = World::over(world.store.clone(), world.clock.clone(), |builder| builder.schemas(2..=5));
    assert_eq!(updated.say("ann", [newer()]), [Said::Yes(4)]);
    assert_eq!(updated.say("ann", [put("m5").schema(1)]), [Said::NoAgain(Code::SchemaMismatch)]);
}

/// "`ok:false, retry:true` is no verdict (`unavailable`): nothing was recorded."
pub fn access_that_could_not_be_checked_is_no_verdict(make: Make<'_>) {
    let world = World::new(make);
    assert_eq!(world.say("ann", [put("m1").seq("c", 1).edge(Edge::Unknown)]), [Said::Retry(Code::Unavailable)]);
    assert!(world.record("ann", "s", "m1").is_none());
    assert_eq!((world.last_seq("ann", "s", "c"), world.head("s").cursor.0), (Some(0), 0));
    assert_eq!(world.say("ann", [put("m1").seq("c", 1)]), [Said::Yes(1)]);
}

/// "A mutation that changed nothing is accepted at the head", in its place.
pub fn a_mutation_that_changed_nothing_is_accepted_at_the_head(make: Make<'_>) {
    let world = World::new(make);
    assert_eq!(said(&world.one("ann", line("m0", "nothing", "{}").seq("c", 1))), Said::Yes(0));
    world.push("ann", [put("m1").seq("c", 2), put("m2").seq("c", 3)]);
    let nothing = world.one("ann", line("m3", "nothing", "{}").seq("c", 4));
    assert_eq!(said(&nothing), Said::Yes(2));
    assert_eq!(accepted(&nothing).digest, world.digest("s"));
    world.push("ann", [put("m4").seq("c", 5)]);
    let again = world.one("ann", line("m3", "nothing", "{}").seq("c", 4));
    assert_eq!((said(&again), verdict(&again)), (Said::YesAgain(2), verdict(&nothing)));
}
