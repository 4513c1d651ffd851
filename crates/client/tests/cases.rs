//! Single situations of the contract, each from its beginning to its end: a client core against the real kernel.

mod common;

use common::{
    app::{Args, Mark},
    world::World,
};
use riverrun_client::{Config, Core, Effect, Event, News, Saved, Status, limits, mint};
use riverrun_core::{Code, Json, Millis, Mutators, Reject, Scope, Tx};
use std::sync::Arc;

fn args() -> Args {
    Args { bad: false, pad: String::new() }
}

fn world() -> World {
    let mut world = World::new(1, &[true]);
    world.run(1_000);
    assert_eq!(*world.nodes[0].core.status(), Status::Live);
    world
}

fn marks(world: &World, at: usize) -> Vec<Mark> {
    common::client::view(&world.nodes[at].core)
}

#[test]
fn a_mutation_shows_at_once_is_saved_before_it_is_sent_and_ends_with_its_verdict() {
    let mut world = world();
    let pushes = world.server.pushes;
    let id = world.mutate(0, false);
    assert_eq!(marks(&world, 0).len(), 1);
    assert!(!world.nodes[0].fates[&id].saved);
    world.run(4);
    assert_eq!(world.server.pushes, pushes, "sent before it was safe");
    world.run(2_000);
    assert!(world.nodes[0].verdict(&id).unwrap().is_accepted());
    world.assert_converged();
    assert_eq!(world.server.pushes, pushes + 1);
}

#[test]
fn a_refused_mutation_leaves_the_view_with_its_reason() {
    let mut world = world();
    let id = world.mutate(0, true);
    assert_eq!(marks(&world, 0).len(), 1);
    world.run(2_000);
    assert_eq!(world.nodes[0].refusal(&id).unwrap().reason.as_deref(), Some("bad"));
    assert!(marks(&world, 0).is_empty());
    world.assert_converged();
}

#[test]
fn work_done_in_an_outage_survives_a_crash_and_is_sent_in_order_when_the_server_is_back() {
    let mut world = World::new(2, &[true, false]);
    world.run(1_000);
    world.faults.lose = 100;
    world.sockets = false;
    world.cut(0);
    let ids: Vec<_> = (0..250)
        .map(|_| {
            world.run(20);
            world.mutate(0, false)
        })
        .collect();
    world.run(60_000);
    world.crash(0);
    assert_eq!(marks(&world, 0).len(), 250);
    world.run(60_000);
    assert_eq!(*world.nodes[0].core.status(), Status::Offline);
    (world.faults.lose, world.sockets) = (0, true);
    world.run(120_000);
    world.assert_converged();
    let cursors: Vec<_> = ids.iter().map(|id| format!("{:?}", world.nodes[0].verdict(id).unwrap())).collect();
    assert_eq!(cursors.len(), 250);
    assert_eq!(
        world.nodes[0].core.get("shared", "s").unwrap().read::<common::app::Shared>().unwrap().last,
        ids[249].as_str()
    );
}

#[test]
fn a_mutation_the_server_cannot_read_is_found_among_its_neighbours_and_only_takes_up_its_place() {
    let mut world = world();
    world.server.unreadable = Some("silent");
    let before: Vec<_> = (0..6).map(|_| world.mutate(0, false)).collect();
    let bad = world.mutate_as(0, "silent", &args());
    let after: Vec<_> = (0..6).map(|_| world.mutate(0, false)).collect();
    world.run(20_000);
    assert_eq!(world.nodes[0].refusal(&bad).unwrap().error, "this can't be read");
    for id in before.iter().chain(&after) {
        assert!(world.nodes[0].verdict(id).unwrap().is_accepted());
    }
    world.assert_converged();
}

#[test]
fn what_the_door_refuses_leaves_no_trace() {
    let mut world = world();
    let pad = "x".repeat(limits::ARGS_BYTES);
    let deep = format!("{}{}", "[".repeat(limits::ARGS_DEPTH + 1), "]".repeat(limits::ARGS_DEPTH + 1));
    let mut rng = world.rng.clone();
    let mut now = world.now;
    for (name, args, says) in [
        ("mark", format!(r#"{{"pad":"{pad}"}}"#), "at most"),
        ("", "{}".into(), "1 to 128 bytes"),
        ("_void", "{}".into(), "no leading underscore"),
        ("mark", deep, "nested deeper"),
        ("mark", r#"{"a":1,"a":2}"#.into(), "stands twice"),
        ("mark", "not json".into(), "can't travel"),
        ("remove", r#""nobody""#.into(), "no such mark"),
        ("panics", "{}".into(), "panicked"),
    ] {
        now = Millis(now.0 + 1);
        let event = Event::Mutate { id: mint(now, &mut rng), name: name.into(), args: Json::trusted(args) };
        world.step(0, event);
        match world.nodes[0].news.last() {
            Some(News::Refused(_, no)) => assert!(no.error.contains(says), "{}", no.error),
            other => panic!("{name:?} was let in: {other:?}"),
        }
    }
    assert_eq!(world.nodes[0].pending(), 0);
    assert!(world.nodes[0].stores.is_empty());
}

#[test]
fn what_was_not_sent_can_be_taken_back_and_what_was_can_not() {
    let mut world = World::new(3, &[true]);
    world.run(1_000);
    world.server.refuses = Some((503, "unavailable"));
    let sent = world.mutate(0, false);
    world.run(100);
    let unsent = world.mutate(0, false);
    world.step(0, Event::Undo(unsent.clone()));
    world.step(0, Event::Undo(sent.clone()));
    assert!(world.nodes[0].fates[&unsent].undone && !world.nodes[0].fates[&sent].undone);
    world.server.refuses = None;
    world.run(60_000);
    assert!(world.nodes[0].verdict(&sent).unwrap().is_accepted());
    assert!(world.nodes[0].verdict(&unsent).is_none());
    world.assert_converged();
    world.assert_fates();
}

#[test]
fn a_server_that_wants_a_sign_in_keeps_the_queue_waiting_and_the_status_says_so() {
    let mut world = world();
    world.server.refuses = Some((401, "unauthenticated"));
    let id = world.mutate(0, false);
    world.run(10_000);
    assert!(matches!(world.nodes[0].core.status(), Status::Unauthorized { code, .. } if code == "unauthenticated"));
    assert!(world.nodes[0].verdict(&id).is_none());
    assert_eq!(marks(&world, 0).len(), 1);
    world.server.refuses = None;
    world.step(0, Event::Wake);
    world.run(1_000);
    assert!(world.nodes[0].verdict(&id).unwrap().is_accepted());
    assert_eq!(*world.nodes[0].core.status(), Status::Live);
}

#[test]
fn a_client_the_server_forgot_is_told_what_was_not_done_and_goes_on_under_a_new_id() {
    let mut world = world();
    world.mutate(0, false);
    world.run(2_000);
    let client = world.nodes[0].core.client().cloned();
    world.faults.lose = 100;
    world.cut(0);
    world.run(common::server::CLIENTS_MS + 10_000);
    while world.server.kernel.forget().unwrap() {}
    let placed = world.mutate(0, false);
    world.run(100);
    let unplaced = world.mutate(0, false);
    world.run(100);
    world.faults.lose = 0;
    world.run(60_000);
    assert_eq!(world.nodes[0].refusal(&placed).unwrap().code, "client_unknown");
    assert!(world.nodes[0].verdict(&unplaced).unwrap().is_accepted());
    assert_eq!(marks(&world, 0).len(), 2);
    assert_ne!(world.nodes[0].core.client().cloned(), client);
    assert_eq!(world.nodes[0].disk.client.as_ref(), world.nodes[0].core.client());
    let next = world.mutate(0, false);
    world.run(5_000);
    assert!(world.nodes[0].verdict(&next).unwrap().is_accepted());
    world.assert_converged();
    world.assert_fates();
}

/// Its watermark is another's: what of this client's own is in it can't be told.
#[test]
fn a_snapshot_asked_for_under_a_forgotten_id_is_asked_for_again_under_the_new_one() {
    let mut world = world();
    world.mutate(0, false);
    world.run(2_000);
    world.faults.lose = 100;
    world.cut(0);
    world.run(common::server::CLIENTS_MS + 10_000);
    while world.server.kernel.forget().unwrap() {}
    let client = world.nodes[0].core.client().cloned();
    world.mutate(0, false);
    world.run(100);
    world.faults.lose = 0;
    let before = world.nodes[0].core.cursor();
    // The very moment it knows.
    while world.nodes[0].core.client().cloned() == client {
        world.run(1);
    }
    let epoch = world.nodes[0].core.epoch().cloned().unwrap();
    let data = format!(
        r#"{{"type":"snapshot","data":{{"mark":{{}}}},"cursor":9,"digest":"0123456789abcdef","epoch":"{epoch}","last_seq":5}}"#
    );
    for connection in 1..1_000 {
        world.step(0, Event::Frame(connection, format!(r#"{{"topic":"sync:s","data":{data}}}"#)));
        assert_eq!(world.nodes[0].core.cursor(), before, "it was taken");
    }
    world.run(60_000);
    assert_eq!(*world.nodes[0].core.status(), Status::Live);
    world.assert_converged();
}

#[test]
fn a_client_whose_own_file_was_copied_back_gives_its_new_mutations_new_places() {
    let mut world = world();
    world.mutate(0, false);
    world.run(2_000);
    let copy = world.nodes[0].disk.clone();
    world.mutate(0, false);
    world.mutate(0, false);
    world.run(2_000);
    world.nodes[0].disk = copy;
    world.nodes[0].blind = true;
    world.crash(0);
    let id = world.mutate(0, false);
    world.run(60_000);
    assert!(world.nodes[0].verdict(&id).unwrap().is_accepted());
    world.assert_converged();
    assert_eq!(marks(&world, 0).len(), 4);
}

#[test]
fn losing_the_right_to_read_takes_the_data_away_and_keeps_the_queue() {
    let mut world = world();
    world.mutate(0, false);
    world.run(2_000);
    world.server.blind = true;
    world.nodes[0].blind = true;
    let id = world.mutate(0, false);
    let frame = riverrun_core::wire::ServerFrame::Error { reference: None, code: Code::Forbidden, error: "no".into() };
    world.end_session(0, frame);
    world.run(5_000);
    assert!(world.nodes[0].core.base("mark").is_empty());
    assert!(world.nodes[0].disk.base.is_none(), "what may not be read is not kept either");
    assert!(matches!(world.nodes[0].core.status(), Status::Unauthorized { code, .. } if code == "forbidden"));
    assert!(world.nodes[0].verdict(&id).unwrap().is_accepted());
    world.server.blind = false;
    world.run(60_000);
    world.assert_converged();
    assert_eq!(marks(&world, 0).len(), 2);
}

#[test]
fn a_storage_that_fails_is_said_once_and_the_work_goes_on_in_memory() {
    let mut world = world();
    let (id, event) = world.nodes[0].intend("mark", &args(), world.now, &mut world.rng);
    // The store of the next step is the one that fails.
    let now = world.now;
    let effects = world.nodes[0].step(event, now, (0, 0), &mut world.rng);
    let store = effects.iter().find_map(|effect| match effect {
        Effect::Store(number, _) => Some(*number),
        _ => None,
    });
    world.step(0, Event::StoreFailed(store.unwrap(), "the disk is full".into()));
    let said: Vec<_> = world.nodes[0].news.iter().filter(|news| matches!(news, News::StorageFailed(_))).collect();
    assert_eq!(said.len(), 1);
    world.run(5_000);
    assert!(world.nodes[0].verdict(&id).unwrap().is_accepted());
    assert!(!world.nodes[0].fates[&id].saved, "nothing that would be gone after a crash counts as saved");
}

#[test]
fn a_kept_base_is_there_at_once_and_only_what_is_new_is_asked_for() {
    let mut world = world();
    world.mutate(0, false);
    world.run(2_000);
    world.crash(0);
    assert_eq!(marks(&world, 0).len(), 1);
    assert!(world.nodes[0].core.is_valid());
    world.run(5_000);
    world.assert_converged();
    let snapshots = world.nodes[0].news.iter().filter(|news| matches!(news, News::Snapshot(..))).count();
    assert_eq!(snapshots, 1, "the first life's");
}

#[test]
fn changes_that_do_not_follow_on_each_other_are_pulled_and_not_applied() {
    let mut world = world();
    world.mutate(0, false);
    world.run(2_000);
    let cursor = world.nodes[0].core.cursor();
    let change = |n: u64| {
        let time = "2026-11-22T10:00:00.000Z";
        format!(
            r#"{{"cursor":{n},"scope":"s","time":"{time}","mutation":"x","data":{{"op":"put","collection":"mark","id":"x","value":{{"id":"x","n":1}}}}}}"#
        )
    };
    // A hole inside, a hole at the end, and one that begins too late.
    for (from, to, changes) in [(0, 3, vec![1, 3]), (0, 3, vec![1, 2]), (1, 2, vec![2]), (0, 0, vec![2])] {
        let (from, to) = (cursor.0 + from, cursor.0 + to);
        let changes = changes.iter().map(|n| change(cursor.0 + n)).collect::<Vec<_>>().join(",");
        let digest = "0123456789abcdef";
        let data =
            format!(r#"{{"type":"changes","from":{from},"cursor":{to},"digest":"{digest}","changes":[{changes}]}}"#);
        world.step(0, Event::Frame(1, format!(r#"{{"topic":"sync:s","data":{data}}}"#)));
        assert_eq!(world.nodes[0].core.cursor(), cursor, "{changes}");
        assert!(world.nodes[0].core.get("mark", "x").is_none(), "{changes}");
    }
    // One that overlaps with what is there: its beginning may not be what the base began with.
    let (from, to, changes) = (cursor.0 - 1, cursor.0 + 1, format!("{},{}", change(cursor.0), change(cursor.0 + 1)));
    let data = format!(
        r#"{{"type":"changes","from":{from},"cursor":{to},"digest":"0123456789abcdef","changes":[{changes}]}}"#
    );
    world.step(0, Event::Frame(1, format!(r#"{{"topic":"sync:s","data":{data}}}"#)));
    assert_eq!(world.nodes[0].core.cursor(), cursor, "an overlap");
    world.run(5_000);
    world.assert_converged();
}

#[test]
fn a_file_copied_back_is_found_out_by_its_digest_even_when_it_has_grown_past_the_reader() {
    for live in [true, false] {
        let mut world = World::new(7, &[live, true]);
        world.run(1_000);
        let backup = world.server.store.copy();
        world.mutate(0, false);
        world.run(5_000);
        let before = world.nodes[0].core.cursor();
        world.restore(&backup, false);
        for _ in 0..3 {
            world.mutate(1, false);
        }
        // The other one sends before the first has asked.
        world.run(30);
        world.run(120_000);
        assert!(world.server.state().cursor > before);
        world.assert_converged();
        assert_eq!(marks(&world, 0).len(), 3, "what the copy did not hold is gone, for everybody");
    }
}

#[test]
fn a_mutation_made_after_a_restore_stays_in_sight_while_its_place_and_the_base_change_history() {
    for seed in 0..30 {
        let mut world = World::new(seed, &[false]);
        world.run(1_000);
        world.mutate(0, false);
        world.run(5_000);
        let backup = world.server.store.copy();
        for _ in 0..4 {
            world.mutate(0, false);
        }
        world.run(5_000);
        world.restore(&backup, true);
        let id = world.mutate(0, false);
        for _ in 0..3_000 {
            world.run(1);
            assert!(world.nodes[0].core.get("mark", id.as_str()).is_some(), "seed {seed}: out of sight");
        }
        world.run(60_000);
        assert!(world.nodes[0].verdict(&id).unwrap().is_accepted());
        world.assert_converged();
    }
}

#[test]
fn an_accepted_mutation_the_base_has_not_reached_is_seen_and_not_asked_for_again_after_a_crash() {
    let mut world = World::new(9, &[false]);
    world.run(1_000);
    world.server.mute = true;
    let id = world.mutate(0, false);
    world.run(1_000);
    assert!(world.nodes[0].verdict(&id).unwrap().is_accepted());
    let pushes = world.server.pushes;
    world.crash(0);
    world.run(60_000);
    assert_eq!(marks(&world, 0).len(), 1);
    assert_eq!(world.server.pushes, pushes);
    world.server.mute = false;
    world.run(60_000);
    world.assert_converged();
}

#[test]
fn what_was_accepted_and_then_put_back_to_where_the_base_still_is_does_not_wait_for_ever() {
    let mut world = World::new(4, &[false]);
    world.run(1_000);
    let backup = world.server.store.copy();
    // The verdict arrives, the change does not; then the file is copied back, and nobody says so.
    world.server.mute = true;
    let id = world.mutate(0, false);
    world.run(1_000);
    assert!(world.nodes[0].verdict(&id).unwrap().is_accepted());
    world.restore(&backup, false);
    world.server.mute = false;
    world.run(120_000);
    assert_eq!(world.nodes[0].core.pending().count(), 0, "it waits for a cursor of a history that is gone");
    let next = world.mutate(0, false);
    world.run(60_000);
    assert!(world.nodes[0].verdict(&next).unwrap().is_accepted(), "and holds up what comes after it");
    world.assert_converged();
}

#[test]
fn what_a_lost_history_held_without_a_verdict_is_pending_again_in_the_next() {
    let mut world = world();
    let backup = world.server.store.copy();
    world.mute = true;
    let id = world.mutate(0, false);
    world.run(2_000);
    assert!(world.nodes[0].core.pending().all(|pending| !pending.shown), "the base holds it");
    world.server.refuses = Some((503, "unavailable"));
    world.restore(&backup, true);
    world.run(20_000);
    assert_eq!(world.nodes[0].core.epoch(), Some(&common::server::epoch(1)));
    assert_eq!(marks(&world, 0).len(), 1, "out of sight");
    (world.mute, world.server.refuses) = (false, None);
    world.run(60_000);
    assert!(world.nodes[0].verdict(&id).unwrap().is_accepted());
    world.assert_converged();
}

#[test]
fn what_the_base_holds_without_a_verdict_is_not_shown_twice_after_a_crash() {
    let mut world = world();
    world.mute = true;
    let id = world.mutate(0, false);
    world.run(2_000);
    assert!(world.nodes[0].verdict(&id).is_none() && world.nodes[0].core.is_pending(&id));
    assert_eq!(marks(&world, 0).len(), 1);
    world.crash(0);
    assert_eq!(marks(&world, 0)[0].n, 1);
    world.mute = false;
    world.run(60_000);
    assert!(world.nodes[0].verdict(&id).unwrap().is_accepted());
    world.assert_converged();
}

#[test]
fn a_mutator_that_looks_into_other_scopes_and_says_no_is_the_server_s_to_judge() {
    fn elsewhere(tx: &mut Tx<'_>, to: String) -> Result<(), Reject> {
        let mut other = tx.at(to.as_str())?;
        other.get::<Mark>("m")?.map(drop).ok_or_else(|| Reject::not_found("not there"))
    }
    let mutators = Mutators::new()
        .on("move", elsewhere)
        .scopes(|to: &String| vec![Scope::new(to).unwrap()])
        .on("here", |tx: &mut Tx<'_>, _: String| tx.get::<Mark>("m")?.map(drop).ok_or_else(|| Reject::not_found("no")));
    let mut core = Core::new(Config::new(common::server::scope()), Arc::new(mutators), Saved::default());
    let mut rng = <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(1);
    core.step(Event::Start, Millis(0), &mut rng);
    for (name, pending) in [("move", 1), ("here", 1)] {
        let (id, args) = (mint(Millis(1), &mut rng), Json::parse(r#""other""#).unwrap());
        core.step(Event::Mutate { id, name: name.into(), args }, Millis(1), &mut rng);
        assert_eq!(core.pending().count(), pending, "{name}");
    }
}

#[test]
fn a_frame_or_an_answer_that_can_t_be_read_takes_nothing_down() {
    let mut world = world();
    world.mutate(0, false);
    world.run(2_000);
    for text in [
        "",
        "nonsense",
        "[]",
        r#"{"topic":"sync:s"}"#,
        r#"{"topic":"sync:s","data":{"type":"changes"}}"#,
        r#"{"topic":"sync:s","data":{"type":"changes","from":900,"cursor":901,"digest":"0000000000000000","changes":[]}}"#,
        r#"{"topic":"sync:s","data":{"type":"ack","ref":"s0"}}"#,
        r#"{"topic":"sync:s","data":{"type":"results","ref":"1"}}"#,
        r#"{"topic":"sys","data":{"type":"hello","ping":-5}}"#,
        r#"{"topic":"other","data":7}"#,
    ] {
        world.step(0, Event::Frame(1, text.into()));
        world.run(1_000);
    }
    for ask in 0..40 {
        world.step(0, Event::Answered(ask, Ok("{}".into())));
        world.step(0, Event::Stored(ask + 1_000));
    }
    world.mutate(0, false);
    world.run(60_000);
    world.assert_converged();
    assert_eq!(marks(&world, 0).len(), 2);
}

#[test]
fn retry_after_is_obeyed_whatever_is_written_meanwhile() {
    let mut world = World::new(5, &[false]);
    world.run(1_000);
    world.server.refuses = Some((429, "rate_limited"));
    let id = world.mutate(0, false);
    world.run(1_000);
    let pushes = world.server.pushes;
    world.server.refuses = None;
    for _ in 0..10 {
        world.run(5_000);
        world.mutate(0, false);
        world.step(0, Event::Wake);
    }
    assert_eq!(world.server.pushes, pushes, "asked for peace");
    world.run(60_000);
    assert!(world.nodes[0].verdict(&id).unwrap().is_accepted());
    world.assert_converged();
}
