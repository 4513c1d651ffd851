//! Cases of "nobody goes on silently from another history": a file copied back, a snapshot of the machine, a new epoch.
//! Two stores play the parts of one file: they are given the same beginning, byte for byte, and then part.

use riverrun_core::{Code, Cursor, Epoch, wire::PullRequest};

use super::{
    Make,
    replica::Replica,
    shared::Shared,
    world::{Hands, World, line, put},
};

/// A world and the world of its file as it was a while ago: equal up to the cursor 3.
fn copied_back(make: Make<'_>) -> (World, World) {
    let (now, old) = (World::new(make), World::over(make(), Hands::new(), |builder| builder));
    old.write(|tx| tx.set_epoch(&now.epoch()));
    for world in [&now, &old] {
        world.push("ann", [put("m1").seq("c", 1), put("m2").seq("c", 2), put("m3").seq("c", 3)]);
    }
    assert_eq!((now.head("s"), now.epoch()), (old.head("s"), old.epoch()), "one file, two copies");
    (now, old)
}

/// "A digest that differs (a file copied back …: no announcement needed) means resync": the same cursor, another change.
pub fn a_file_copied_back_is_noticed_by_its_digest_at_the_same_cursor(make: Make<'_>) {
    let (now, old) = copied_back(make);
    let mut reader = Replica::empty("s");
    now.push("ann", [put("m4").seq("c", 4), put("m5").seq("c", 5)]);
    now.catch_up("s", &mut reader, 100);
    let ask = PullRequest { digest: Some(reader.digest), epoch: Some(now.epoch()), ..World::ask("s", 5) };
    assert_eq!(old.refusal(&ask), Some(Code::EpochChanged), "above the head of the old copy");
    // The old copy goes on as if nothing had happened, and reaches and passes the reader's cursor.
    for id in ["n4", "n5", "n6"] {
        old.push("ann", [put(id)]);
        assert_eq!(old.refusal(&ask), Some(Code::EpochChanged), "after {id}");
    }
    // A reader that stopped before the histories parted may go on.
    let ask = PullRequest { digest: Some(World::digest_at(&now, 3)), ..World::ask("s", 3) };
    assert_eq!(old.pull(&ask).unwrap().next_cursor, Cursor(6));
    assert_eq!(
        now.refusal(&PullRequest { digest: Some(old.digest("s")), ..World::ask("s", 5) }),
        Some(Code::EpochChanged)
    );
}

/// Equal data at an equal cursor is still another history, if another mutation made it or at another time.
pub fn equal_data_of_two_histories_has_two_digests(make: Make<'_>) {
    let (now, old) = copied_back(make);
    let same = |id: &str| line(id, "event", r#"{"id":"toggled"}"#);
    now.push("ann", [same("m4")]);
    old.push("ann", [same("n4")]);
    assert_ne!(now.digest("s"), old.digest("s"), "another mutation");
    let (now, old) = copied_back(make);
    old.clock.forward(1);
    now.push("ann", [same("m4")]);
    old.push("ann", [same("m4")]);
    assert_ne!(now.digest("s"), old.digest("s"), "another time");
}

/// What was decided only in the lost future is decided again, once, after the resync: pending mutations above `last_seq` are
/// sent again, and their ids keep them apart from those that are there.
pub fn pending_mutations_after_a_resync_are_decided_once(make: Make<'_>) {
    let (now, old) = copied_back(make);
    let future = || [line("a4", "counter.add", r#"{"id":"c"}"#).seq("c", 4), put("m5").seq("c", 5)];
    now.push("ann", future());
    assert_eq!(old.last_seq("ann", "s", "c"), Some(3));
    old.push("ann", future());
    old.push("ann", future());
    assert_eq!((old.effects("s"), old.last_seq("ann", "s", "c")), (1, Some(5)));
    old.verify(&["s"]);
}

/// "`epoch`: an opaque id of the log's identity; minted at creation, at `restore`": it is kept, and a new one ends every old
/// cursor, also one that both histories share.
pub fn a_new_epoch_ends_every_old_cursor(make: Make<'_>) {
    let world = World::new(make);
    let (old, other) = (world.epoch(), World::new(make).epoch());
    assert_ne!(old, other, "each log has an identity of its own");
    world.push("ann", [put("m1")]);
    assert_eq!(world.restarted().epoch(), old);
    world.write(|tx| tx.set_epoch(&Epoch::new("restored").unwrap()));
    let ask = |epoch: Epoch| PullRequest { epoch: Some(epoch), ..World::ask("s", 1) };
    assert_eq!(world.refusal(&ask(old)), Some(Code::EpochChanged));
    assert_eq!(world.pull(&ask(Epoch::new("restored").unwrap())).unwrap().epoch.as_str(), "restored");
    assert_eq!(world.snapshot("s").epoch.as_str(), "restored");
}

impl World {
    /// The digest at a mutation's end, as a pull to there shows it.
    pub(super) fn digest_at(&self, cursor: u64) -> riverrun_core::Digest {
        let mut replica = Replica::empty("s");
        while replica.cursor.0 < cursor {
            let ask = PullRequest { limit: Some(1), ..Self::ask("s", replica.cursor.0) };
            replica.pulled(&self.pull(&ask).expect("a pull from where it stands"));
        }
        replica.digest
    }
}

/// Only a committed epoch counts.
pub fn an_epoch_of_a_write_that_failed_is_not_the_logs(make: Make<'_>) {
    let world = World::new(make);
    let before = world.epoch();
    let failed: Result<(), _> = riverrun_engine::store::write(&world.store as &Shared, |tx| {
        tx.set_epoch(&Epoch::new("never").unwrap())?;
        Err(riverrun_engine::store::StoreError::Other("not this time".into()))
    });
    assert!(failed.is_err());
    assert_eq!(world.epoch(), before);
}
