//! Walks of real clients against the real kernel, recorded: what the client's core did to its replica while everything
//! went wrong that can, over crashes, restores, trims and refusals.

use rand::Rng;
use riverrun_client::{Event, mint};
use riverrun_core::{Cursor, Json, wire::ServerFrame};
use riverrun_engine::Memory;
use serde_json::json;

use super::{
    app::{mutators, server_mutators},
    form::Act,
    player::{Player, state},
};
use crate::common::{
    app::App,
    world::{Faults, NONE, World},
};

/// Steps of one walk.
const STEPS: usize = 60;

/// Ids whose order differs between bytes, UTF-16 units and letters.
pub const IDS: [&str; 9] = ["a", "B", "ab", "é", "z", "\u{E000}", "\u{FF5E}", "\u{10000}", "\u{1F600}"];

/// A command with arguments, often of something that is there.
pub fn intent(rng: &mut impl Rng) -> (&'static str, Json) {
    let id = IDS[rng.random_range(0..IDS.len())];
    let (name, args) = match rng.random_range(0..20) {
        0..6 => ("todo.create", json!({"id": id, "title": format!("new {}", rng.random_range(0..100))})),
        6..9 => ("todo.toggle", json!({"id": id})),
        9..11 => {
            let loud = ["", "!"][rng.random_range(0..2)];
            ("todo.rename", json!({"id": id, "title": format!("{loud}named {id}")}))
        }
        11..13 => ("todo.delete", json!({"id": id})),
        13 => ("todo.clear", json!({})),
        14..16 => {
            let by = rng.random_range(-3..9);
            let max = rng.random_bool(0.5).then_some(20);
            ("counter.add", json!({"id": "c", "by": by, "max": max}))
        }
        16 => {
            let (prefix, limit) = (["", "a", "\u{1F600}"][rng.random_range(0..3)], rng.random_range(1..12));
            ("order.read", json!({"id": "o", "prefix": prefix, "limit": limit}))
        }
        17 => ("note.add", json!({"text": format!("of {id}")})),
        18 => ("unheard", json!({})),
        _ => ("fail", json!({})),
    };
    (name, Json::of(&args).unwrap())
}

fn walk(seed: u64, restores: bool) -> World {
    let app = App { client: mutators(), server: server_mutators, records: true };
    let mut world = World::of(seed, &[true, false, true], &app);
    let mut backups: Vec<Memory> = Vec::new();
    for _ in 0..STEPS {
        let at = world.rng.random_range(0..world.nodes.len());
        match world.rng.random_range(0..100) {
            0..50 => {
                let (name, args) = intent(&mut world.rng);
                let id = mint(world.now, &mut world.rng);
                world.step(at, Event::Mutate { id, name: name.into(), args });
            }
            50..54 => {
                let last = world.nodes[at].core.pending().last().map(|pending| pending.entry.id.clone());
                if let Some(id) = last {
                    world.step(at, Event::Undo(id));
                }
            }
            54..60 => world.crash(at),
            60..65 => world.cut(at),
            65..67 => world.end_session(at, ServerFrame::Lagged { cursor: Cursor(0) }),
            67..69 => world.end_session(at, ServerFrame::Reset { code: "use_http".into() }),
            69..71 => world.server.blind = !world.server.blind,
            71..75 => world.sockets = !world.sockets,
            75..79 => {
                let head = world.server.kernel_head();
                let floor = world.rng.random_range(0..=head);
                world.server.trim_to(Cursor(floor));
            }
            79..85 => {
                let (lose, double) = (world.rng.random_range(0..40), world.rng.random_range(0..30));
                let (delay, cut) = (world.rng.random_range(1..4_000), world.rng.random_range(0..15));
                world.faults = Faults { lose, double, delay, cut };
            }
            85..90 => backups.push(world.server.store.copy()),
            90..94 if restores && !backups.is_empty() => {
                let which = world.rng.random_range(0..backups.len());
                let announced = world.rng.random_range(0..3) > 0;
                let backup = backups[which].clone();
                world.restore(&backup, announced);
            }
            _ => {}
        }
        let pause = [1, 30, 300, 3_000, 20_000][world.rng.random_range(0..5)];
        world.run(pause);
    }
    (world.faults, world.sockets, world.server.blind) = (NONE, true, false);
    world.run(60_000);
    world
}

/// The traces of one walk, a client each. Each of them, replayed, ends where the client ended.
pub fn traces(seed: u64) -> Vec<(String, Vec<Act>)> {
    let world = walk(seed, !seed.is_multiple_of(3));
    let mut traces = Vec::new();
    for (at, node) in world.nodes.iter().enumerate() {
        let heard = node.heard.as_ref().unwrap().lock().unwrap();
        let acts: Vec<Act> = heard.iter().map(|verb| verb.clone().map_or(Act::Open, Act::Do)).collect();
        let mut player = Player::new();
        let mut end = None;
        for act in &acts {
            end = Some(player.act(act.clone()));
        }
        let end = end.unwrap().state;
        assert_eq!(end, state(&player.replica));
        assert_eq!(end["cursor"], json!(node.core.cursor()), "walk {seed}, client {at}");
        let pending: Vec<_> = node.core.pending().map(|p| (p.entry.id.clone(), p.shown)).collect();
        let replayed: Vec<_> = player.replica.pending().map(|p| (p.entry.id.clone(), p.shown)).collect();
        assert_eq!(replayed, pending, "walk {seed}, client {at}");
        for collection in super::app::COLLECTIONS {
            let list = |rows: Vec<(&str, &Json)>| rows.iter().map(|(_, v)| v.to_string()).collect::<Vec<_>>();
            let of_core = list(node.core.list(collection, "", None, usize::MAX));
            assert_eq!(list(player.replica.list(collection, "", None, usize::MAX)), of_core, "walk {seed}");
        }
        traces.push((format!("walk-{seed}-{at}"), acts));
    }
    traces
}
