//! Cases of "Kept: …": what is remembered for how long, and that whatever is forgotten is never executed again. The clock
//! is moved by hand; the spans are the protocol's.

use riverrun_core::Code;
use riverrun_engine::Retention;

use super::{
    Make,
    world::{BEGIN, DAY, Said, World, line, put, uuid_v7},
};

fn ids(from: u64, to: u64) -> impl Iterator<Item = super::world::Line> {
    (from..=to).map(|seq| put(&format!("m{seq}")).seq("c", seq))
}

/// "Kept: verdicts of a client for 30 days and at least its last 1,000"; "at or below the watermark with the verdict gone ⇒
/// `expired`: decided, outcome forgotten, never executed again."
pub fn a_clients_verdicts_are_kept_thirty_days_and_its_last_thousand_for_longer(make: Make<'_>) {
    let world = World::new(make);
    for from in (1..=1200).step_by(100) {
        world.push("ann", ids(from, from + 99));
    }
    world.clock.forward(30 * DAY);
    world.forget();
    assert_eq!(world.say("ann", ids(1, 1)), [Said::YesAgain(1)], "thirty days are not over yet");
    world.clock.forward(1);
    world.forget();
    assert_eq!(world.say("ann", ids(1, 1)), [Said::Final(Code::Expired)]);
    assert_eq!(world.say("ann", ids(200, 202)), [Said::Final(Code::Expired), Said::YesAgain(201), Said::YesAgain(202)]);
    assert_eq!(world.say("ann", ids(1200, 1201)), [Said::YesAgain(1200), Said::Yes(1201)]);
    assert_eq!(world.head("s").cursor.0, 1201);
    // A forgotten place is no conflict: nobody knows any more which id had it.
    assert_eq!(world.say("ann", [put("other").seq("c", 5)]), [Said::Final(Code::Expired)]);
    assert_eq!(world.say("ann", [put("other").seq("c", 900)]), [Said::Retry(Code::SeqConflict)]);
    assert_eq!(world.last_seq("ann", "s", "c"), Some(1201));
}

/// "Its watermark for 180 days after it was last seen"; then "an unknown client with `seq` ≠ 1 ⇒ `client_unknown`".
pub fn a_client_is_forgotten_180_days_after_it_was_last_seen(make: Make<'_>) {
    let world = World::new(make);
    world.push("ann", ids(1, 3));
    world.clock.forward(100 * DAY);
    world.push("ann", ids(4, 4));
    world.clock.forward(180 * DAY);
    world.forget();
    assert_eq!(world.last_seq("ann", "s", "c"), Some(4), "180 days are not over yet");
    world.clock.forward(1);
    world.forget();
    world.forget();
    assert_eq!(world.last_seq("ann", "s", "c"), Some(0));
    assert_eq!(world.say("ann", ids(4, 5)), [Said::Final(Code::ClientUnknown); 2]);
    assert_eq!(world.head("s").cursor.0, 4);
}

/// A forgotten client's first mutation is not run again either, if its id tells that it was made too long ago.
pub fn a_forgotten_clients_old_first_mutation_is_expired_and_a_fresh_one_is_not(make: Make<'_>) {
    let world = World::new(make);
    let old = uuid_v7(BEGIN, 1);
    assert_eq!(world.say("ann", [put(&old).seq("c", 1)]), [Said::Yes(1)]);
    world.clock.forward(181 * DAY);
    world.forget();
    world.forget();
    assert_eq!(world.say("ann", [put(&old).seq("c", 1)]), [Said::Final(Code::Expired)]);
    // Made offline a hundred days ago by a client nobody knows yet: nothing that old was forgotten.
    let made_offline = uuid_v7(BEGIN + 81 * DAY, 2);
    assert_eq!(world.say("ann", [put(&made_offline).seq("new", 1)]), [Said::Yes(2)]);
    let fresh = uuid_v7(BEGIN + 181 * DAY, 3);
    assert_eq!(world.say("ann", [put(&fresh).seq("c", 1)]), [Said::Yes(3)]);
}

/// "Verdicts by id alone for 30 days": an id made before what was forgotten may have been decided, so it is `expired`.
pub fn an_id_alone_is_remembered_thirty_days_and_never_run_again_after(make: Make<'_>) {
    let world = World::new(make);
    let old = uuid_v7(BEGIN, 1);
    assert_eq!(world.say("ann", [line(&old, "counter.add", r#"{"id":"c"}"#)]), [Said::Yes(1)]);
    world.clock.forward(30 * DAY);
    world.forget();
    assert_eq!(world.say("ann", [line(&old, "counter.add", r#"{"id":"c"}"#)]), [Said::YesAgain(1)]);
    world.clock.forward(1);
    world.forget();
    assert!(world.record("ann", "s", &old).is_none());
    assert_eq!(world.say("ann", [line(&old, "counter.add", r#"{"id":"c"}"#)]), [Said::Final(Code::Expired)]);
    let fresh = uuid_v7(BEGIN + 30 * DAY + 1, 2);
    assert_eq!(world.say("ann", [line(&fresh, "counter.add", r#"{"id":"c"}"#)]), [Said::Yes(2)]);
    assert_eq!(world.effects("s"), 2);
}

/// The same holds for a mutation that had a place when it was decided and comes back without one.
pub fn a_forgotten_mutation_that_comes_back_without_its_place_is_not_run_again(make: Make<'_>) {
    let keep = Retention { verdicts_per_client: 1, ..Retention::default() };
    let world = World::with(make, |builder| builder.retention(keep));
    let old = uuid_v7(BEGIN, 1);
    let add = || line(&old, "counter.add", r#"{"id":"c"}"#);
    world.push("ann", [add().seq("c", 1), put("m2").seq("c", 2)]);
    world.clock.forward(30 * DAY + 1);
    world.forget();
    assert!(world.record("ann", "s", &old).is_none());
    assert_eq!(world.say("ann", [add()]), [Said::Final(Code::Expired)]);
    assert_eq!(world.effects("s"), 1);
}

/// The same where it comes back under the place that is next, as a storage that failed or was copied gives it: a client
/// sends in the order it makes, so what is older than something it sent was sent before. What waited offline runs.
pub fn a_forgotten_mutation_that_comes_back_under_the_next_place_is_not_run_again(make: Make<'_>) {
    let keep = Retention { verdicts_per_client: 1, ..Retention::default() };
    let world = World::with(make, |builder| builder.retention(keep));
    let id = |at: i64, number| uuid_v7(BEGIN + at, number);
    let add = |at, number| line(&id(at, number), "counter.add", r#"{"id":"c"}"#);
    world.push("ann", [add(0, 1).seq("c", 1), add(1, 2).seq("c", 2)]);
    world.clock.forward(30 * DAY + 2);
    world.forget();
    assert!(world.record("ann", "s", &id(0, 1)).is_none());
    assert_eq!(world.say("ann", [add(0, 1).seq("c", 3)]), [Said::No(Code::Expired)]);
    assert_eq!(world.last_seq("ann", "s", "c"), Some(3), "it takes its place like any refusal");
    assert_eq!(world.say("ann", [add(0, 1).seq("c", 3)]), [Said::NoAgain(Code::Expired)]);
    // Made after all that was sent, and as long ago: its client was offline. And an id that tells nothing.
    assert_eq!(world.say("ann", [add(2, 3).seq("c", 4), add(2, 4).seq("c", 5)]), [Said::Yes(3), Said::Yes(4)]);
    assert_eq!(world.say("ann", [put("mute").seq("c", 6)]), [Said::Yes(5)]);
    assert_eq!(world.effects("s"), 4);
}

/// Nothing is forgotten on a log nobody forgot anything of: an old id that was never sent runs.
pub fn an_old_id_runs_where_nothing_was_ever_forgotten(make: Make<'_>) {
    let world = World::new(make);
    world.forget();
    assert_eq!(world.say("ann", [put(&uuid_v7(BEGIN - 300 * DAY, 1))]), [Said::Yes(1)]);
}

/// "Retention is on by default; trimming never breaks promise 4": by count and by age, at a mutation's end.
pub fn a_log_is_trimmed_by_count_and_by_age_at_a_mutations_end(make: Make<'_>) {
    let keep = Retention { changes: 20, age: 10 * DAY, ..Retention::default() };
    let world = World::with(make, |builder| builder.retention(keep));
    let many = |at: u64| line(&format!("m{at}"), "note.many", r#"{"prefix":"p","count":7}"#);
    let mut overgrown = Vec::new();
    for at in 1..=5 {
        overgrown.push(!world.settle(&[super::world::push("ann", [many(at)])]).overgrown.is_empty());
    }
    assert_eq!(overgrown, [false, false, false, true, true], "a tenth over twenty is let pass");
    while world.kernel.trim(&super::world::scope("s")).expect("the store works") {}
    assert_eq!((world.head("s").floor.0, world.head("s").cursor.0), (21, 35));
    world.verify(&["s"]);
    world.clock.forward(10 * DAY);
    world.push("ann", [many(6)]);
    world.clock.forward(1);
    while world.kernel.trim(&super::world::scope("s")).expect("the store works") {}
    assert_eq!((world.head("s").floor.0, world.head("s").cursor.0), (35, 42));
    world.verify(&["s"]);
}
