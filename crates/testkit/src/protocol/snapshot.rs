//! Cases of snapshot: the whole state of a scope, all of one moment, in the form the contract writes.

use riverrun_core::{Code, Digest, wire::SnapshotRequest};

use super::{
    Make,
    replica::Replica,
    world::{World, client, line, principal, put, scope},
};

/// "`data` of collection state is `{\"todo\":{\"t1\":{…}}}`": collections and ids in the order of their bytes.
pub fn a_snapshot_of_collections_is_written_as_the_contract_says(make: Make<'_>) {
    let world = World::new(make);
    let empty = world.snapshot("s");
    assert_eq!((empty.data.as_str(), empty.cursor.0, empty.digest, empty.last_seq), ("{}", 0, Digest::EMPTY, None));
    for (at, id) in ["é", "a", "Z", "𝄞", "\\\"</script>", "a b"].iter().enumerate() {
        let args = serde_json::json!({ "id": id }).to_string();
        world.push("ann", [line(&format!("m{at}"), "note.put", &args)]);
    }
    world.push("ann", [line("m6", "counter.add", r#"{"id":"c"}"#), line("m7", "event", r#"{"id":"no state"}"#)]);
    let snapshot = world.snapshot("s");
    let ids = ["Z", "\\\\\\\"</script>", "a", "a b", "é", "𝄞"];
    let texts = ["m2", "m4", "m1", "m5", "m0", "m3"];
    let notes: Vec<String> =
        ids.iter().zip(texts).map(|(id, text)| format!(r#""{id}":{{"id":"{id}","text":"{text}"}}"#)).collect();
    let expected = format!(r#"{{"counter":{{"c":{{"id":"c","n":1}}}},"note":{{{}}}}}"#, notes.join(","));
    assert_eq!(snapshot.data.as_str(), expected);
    assert_eq!((snapshot.cursor.0, snapshot.digest, snapshot.epoch), (8, world.digest("s"), world.epoch()));
    riverrun_core::Json::parse(snapshot.data.as_str()).expect("a snapshot passes the strict door");
}

/// "snapshot at c, then pull from c to d, equals snapshot at d", with the watermark of the asked client.
pub fn a_snapshot_and_the_changes_after_it_make_the_later_snapshot(make: Make<'_>) {
    let world = World::new(make);
    let mut replicas = vec![Replica::empty("s")];
    for seq in 1..=40 {
        let note = format!(r#"{{"id":"n{}"}}"#, seq % 7);
        let name = ["note.put", "note.delete", "note.put"][usize::try_from(seq % 3).unwrap_or_default()];
        world.push("ann", [line(&format!("m{seq}"), name, &note).seq("c", seq)]);
        if seq == 20 {
            world.trim_to("s", world.head("s").cursor.0 / 2);
            replicas.retain(|replica| replica.cursor >= world.head("s").floor);
        }
        let ask = SnapshotRequest { scope: scope("s"), client: Some(client("c")) };
        let snapshot = world.kernel.snapshot(&principal("ann"), &ask).expect("a snapshot");
        assert_eq!(snapshot.last_seq.map(|seq| seq.0), Some(seq));
        replicas.push(Replica::from_snapshot("s", &snapshot));
    }
    assert!(replicas.len() > 25);
    for mut replica in replicas {
        world.catch_up("s", &mut replica, 3);
        replica.must_be(&world.snapshot("s"));
    }
}

/// A snapshot is of its scope alone.
pub fn a_snapshot_shows_its_scope_alone(make: Make<'_>) {
    let world = World::new(make);
    world.push("ann", [put("m1"), put("m2").at("s2"), put("m3").at("S")]);
    assert_eq!(world.snapshot("s").data.as_str(), r#"{"note":{"n":{"id":"n","text":"m1"}}}"#);
    assert_eq!(world.refusal(&World::ask("s", 2)), Some(Code::EpochChanged));
}
