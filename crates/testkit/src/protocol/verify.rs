//! Cases of verification: a whole log is found whole, and each kind of planted damage is named where it is. The damage is
//! planted through the store, below everything that would refuse it.

use riverrun_core::{Cursor, Digest, Json, Millis, MutationId};
use riverrun_engine::{
    Damage,
    store::{Entry, Head, Layer, Origin, WriteTx},
};

use super::{
    Make,
    world::{World, line, principal, put, scope},
};

fn whole(make: Make<'_>) -> World {
    let world = World::new(make);
    for at in 0..6 {
        world.push("ann", [line(&format!("m{at}"), "note.many", &format!(r#"{{"prefix":"p{at}","count":2}}"#))]);
    }
    world.push("ann", [put("last"), put("elsewhere").at("t")]);
    world.trim_to("s", 4);
    world.verify(&["s", "t", "never"]);
    world
}

fn entity(id: &str) -> Damage {
    Damage::Entity { collection: "note".into(), id: id.into() }
}

fn note(text: &str) -> Json {
    Json::parse(text).expect("a note")
}

type Plant = fn(&mut dyn WriteTx, Head) -> riverrun_engine::store::StoreResult<()>;

/// "`riverrun verify` rebuilds every scope and compares state and digest."
pub fn each_planted_damage_is_found_and_named(make: Make<'_>) {
    let cases: [(&str, Plant, Vec<Damage>); 8] = [
        (
            "an entity changed",
            |tx, _| tx.put(&scope("s"), Layer::Current, "note", "p50", &note(r#"{"id":"p50","text":"forged"}"#)),
            vec![entity("p50")],
        ),
        ("an entity lost", |tx, _| tx.del(&scope("s"), Layer::Current, "note", "p00"), vec![entity("p00")]),
        (
            "an entity from nowhere",
            |tx, _| tx.put(&scope("s"), Layer::Current, "note", "x", &note("{}")),
            vec![entity("x")],
        ),
        ("a base changed", |tx, _| tx.put(&scope("s"), Layer::Base, "note", "p10", &note("{}")), vec![entity("p10")]),
        (
            "a head's digest changed",
            |tx, head| tx.set_head(&scope("s"), &Head { digest: Digest(1), ..head }),
            vec![Damage::Digest(Cursor(13))],
        ),
        (
            "a head moved",
            |tx, head| tx.set_head(&scope("s"), &Head { cursor: Cursor(14), ..head }),
            vec![Damage::Head { head: Cursor(14), log: Cursor(13) }],
        ),
        (
            "a floor's digest changed",
            |tx, head| tx.set_head(&scope("s"), &Head { floor_digest: Digest(1), ..head }),
            vec![Damage::Digest(Cursor(6))],
        ),
        (
            "entries lost",
            |tx, _| tx.trim(&scope("s"), Cursor(6)),
            vec![
                Damage::Gap { expected: Cursor(5), found: Cursor(7) },
                Damage::Digest(Cursor(8)),
                entity("p20"),
                entity("p21"),
            ],
        ),
    ];
    for (what, plant, damage) in cases {
        let world = whole(make);
        world.write(|tx| {
            let head = tx.lock(&scope("s"))?;
            plant(tx, head)
        });
        assert_eq!(world.kernel.verify(&scope("s")).expect("the store works").damage, damage, "{what}");
        world.verify(&["t"]);
    }
}

/// An entry forged at the end of the log is found by its digest, though every cursor is right.
pub fn a_forged_entry_is_found_by_its_digest(make: Make<'_>) {
    let world = whole(make);
    world.write(|tx| {
        let head = tx.lock(&scope("s"))?;
        let entry = Entry {
            first: Cursor(14),
            digest: Digest(9),
            time: Millis(1),
            mutation: MutationId::new("forged").expect("an id"),
            changes: vec![note(r#"["forged"]"#)],
        };
        let origin = Origin { name: "event".into(), args: Json::null(), principal: principal("eve"), place: None };
        tx.append(&scope("s"), &entry, &origin)?;
        tx.set_head(&scope("s"), &Head { cursor: Cursor(14), digest: Digest(9), ..head })
    });
    let verified = world.kernel.verify(&scope("s")).expect("the store works");
    assert_eq!((verified.damage, verified.cursor), (vec![Damage::Digest(Cursor(14))], Cursor(14)));
}
