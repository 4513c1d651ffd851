//! Cases of pull: cursors without a gap, pages that end with a mutation, and a reader's history judged against the store
//! and nothing else.

use riverrun_core::{ClientId, Code, Cursor, Digest, Epoch, wire::PullRequest};

use super::{
    Make,
    replica::Replica,
    world::{BEGIN, Line, World, line, put},
};

fn many(id: &str, count: usize) -> Line {
    line(id, "note.many", &format!(r#"{{"prefix":"{id}-","count":{count}}}"#))
}

/// The ends of mutations with 1, 2 … `last` changes each, after pushing them.
fn growing(world: &World, last: usize) -> Vec<u64> {
    let mut ends = vec![0];
    for count in 1..=last {
        world.one("ann", many(&format!("m{count}"), count));
        ends.push(ends[count - 1] + count as u64);
    }
    ends
}

/// "`limit` is a wish: a page never ends inside a mutation. `next_cursor` is always there"; "answers are in cursor order,
/// without a gap from `cursor`+1 to `next_cursor`."
pub fn pages_are_gapless_and_never_end_inside_a_mutation(make: Make<'_>) {
    let world = World::new(make);
    let ends = growing(&world, 50);
    let head = *ends.last().unwrap();
    for limit in 1..=60 {
        let mut replica = Replica::empty("s");
        loop {
            let before = replica.cursor.0;
            let answer = world.pull(&PullRequest { limit: Some(limit), ..World::ask("s", before) }).unwrap();
            replica.pulled(&answer);
            let at = answer.next_cursor.0;
            let wished = ends.iter().copied().find(|end| *end >= before + limit).unwrap_or(head);
            assert_eq!(at, wished, "limit {limit} from {before}: as few whole mutations as hold the wish");
            assert_eq!(answer.has_more, at < head);
            if !answer.has_more {
                break;
            }
        }
        replica.must_be(&world.snapshot("s"));
    }
}

/// A reader that stands inside a mutation (nobody should) gets the rest of it, and not a change twice.
pub fn a_cursor_inside_a_mutation_is_answered_with_the_rest_of_it(make: Make<'_>) {
    let world = World::new(make);
    let head = *growing(&world, 6).last().unwrap();
    let all = world.pull(&World::ask("s", 0)).unwrap().changes;
    for cursor in 0..=head {
        let answer = world.pull(&World::ask("s", cursor)).unwrap();
        assert_eq!(answer.changes, all[usize::try_from(cursor).unwrap()..]);
        assert_eq!((answer.next_cursor.0, answer.has_more), (head, false));
    }
}

/// "`limit` (default 100, at most 1000)", and whatever is asked, an answer comes.
pub fn a_limit_has_a_default_and_a_bound(make: Make<'_>) {
    let world = World::new(make);
    for at in 0..12 {
        world.one("ann", many(&format!("m{at}"), 99));
    }
    let length = |limit| world.pull(&PullRequest { limit, ..World::ask("s", 0) }).unwrap().changes.len();
    assert_eq!((length(None), length(Some(0)), length(Some(99)), length(Some(100))), (198, 99, 99, 198));
    assert_eq!((length(Some(1000)), length(Some(u64::MAX))), (1089, 1089));
}

/// A page ends early when it is heavy, so that a reader's memory is bounded; it never stands still.
pub fn a_heavy_page_ends_early_and_the_next_goes_on(make: Make<'_>) {
    let world = World::new(make);
    let heavy = "x".repeat(200_000);
    for at in 0..12 {
        world.one("ann", line(&format!("m{at}"), "event", &format!(r#"{{"id":"{heavy}"}}"#)));
    }
    let mut replica = Replica::empty("s");
    let first = world.pull(&World::ask("s", 0)).unwrap();
    assert!(first.has_more && (1..12).contains(&first.changes.len()), "{}", first.changes.len());
    replica.pulled(&first);
    world.catch_up("s", &mut replica, 1000);
    assert_eq!(replica.seen.len(), 12);
}

/// A reader at the head hears nothing new; one of a scope nobody wrote to stands at the head 0.
pub fn a_reader_at_the_head_gets_an_empty_answer(make: Make<'_>) {
    let world = World::new(make);
    world.push("ann", [put("m1")]);
    for (name, cursor) in [("s", 1), ("never", 0)] {
        let answer = world.pull(&World::ask(name, cursor)).unwrap();
        assert!(answer.changes.is_empty() && !answer.has_more);
        assert_eq!((answer.next_cursor.0, answer.digest), (cursor, world.digest(name)));
        assert_eq!((answer.epoch, answer.last_seq), (world.epoch(), None));
    }
    assert_eq!(world.refusal(&World::ask("never", 1)), Some(Code::EpochChanged));
}

/// "A cursor below the floor ⇒ `cursor_too_old`; above the head, a foreign epoch, or a digest that differs at that cursor ⇒
/// `epoch_changed`": at every cursor, those inside a mutation too.
pub fn a_reader_of_another_history_is_told_so_at_every_cursor(make: Make<'_>) {
    let world = World::new(make);
    let head = *growing(&world, 7).last().unwrap();
    world.trim_to("s", 11);
    assert_eq!(world.head("s").floor.0, 10, "a floor is a mutation's end");
    let mut digests = vec![];
    let mut replica = Replica::from_snapshot("s", &world.snapshot("s"));
    (replica.cursor, replica.digest) = (world.head("s").floor, world.head("s").floor_digest);
    digests.push(replica.digest);
    for change in world.pull(&World::ask("s", 10)).unwrap().changes {
        let next = digests.last().unwrap();
        digests.push(next.roll(change.cursor, change.time, &change.mutation, change.data.as_str()));
    }
    assert_eq!(*digests.last().unwrap(), world.digest("s"));
    for cursor in 0..=head + 2 {
        let ask = |digest| PullRequest { digest, epoch: Some(world.epoch()), ..World::ask("s", cursor) };
        let foreign = Some(Epoch::new("another").unwrap());
        assert_eq!(world.refusal(&PullRequest { epoch: foreign, ..ask(None) }), Some(Code::EpochChanged));
        let expected = match cursor {
            0..10 => Some(Code::CursorTooOld),
            _ if cursor > head => Some(Code::EpochChanged),
            _ => None,
        };
        assert_eq!(world.refusal(&ask(None)), expected, "{cursor} without a digest");
        assert_eq!(
            world.refusal(&ask(Some(Digest(7)))),
            expected.or(Some(Code::EpochChanged)),
            "{cursor} with a wrong one"
        );
        if expected.is_none() {
            let right = digests[usize::try_from(cursor - 10).unwrap()];
            assert_eq!(world.refusal(&ask(Some(right))), None, "{cursor} with the right one");
            let others = digests.iter().filter(|other| **other != right);
            others.for_each(|other| assert_eq!(world.refusal(&ask(Some(*other))), Some(Code::EpochChanged)));
        }
    }
}

/// A log that is trimmed whole still knows where it stands.
pub fn a_log_trimmed_to_its_head_answers_at_its_head_alone(make: Make<'_>) {
    let world = World::new(make);
    world.push("ann", [many("m1", 3), many("m2", 2)]);
    let digest = world.digest("s");
    world.trim_to("s", 99);
    assert_eq!((world.head("s").floor, world.head("s").floor_digest), (Cursor(5), digest));
    assert_eq!(world.refusal(&World::ask("s", 4)), Some(Code::CursorTooOld));
    let at_head = |digest| PullRequest { digest: Some(digest), ..World::ask("s", 5) };
    assert_eq!(world.pull(&at_head(digest)).unwrap().digest, digest);
    assert_eq!(world.refusal(&at_head(Digest::EMPTY)), Some(Code::EpochChanged));
    world.push("ann", [put("m3")]);
    let answer = world.pull(&at_head(digest)).unwrap();
    let change = &answer.changes[0];
    assert_eq!(digest.roll(Cursor(6), change.time, &change.mutation, change.data.as_str()), answer.digest);
    world.verify(&["s"]);
}

/// "`last_seq` is the watermark of `client`, read in the transaction that read the changes": a watermark never speaks of a
/// mutation whose changes are not below the answer's head. What lets a client drop its pending mutations rests on this.
pub fn a_watermark_is_of_the_same_moment_as_the_data(make: Make<'_>) {
    let world = World::new(make);
    let reader = World::over(world.store.clone(), world.clock.clone(), |builder| builder);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for seq in 1..=300 {
                world.push("ann", [put(&format!("m{seq}")).seq("c", seq)]);
            }
        });
        let who = super::world::principal("ann");
        let client: Option<ClientId> = Some(super::world::client("c"));
        let mut cursor = 0;
        while cursor < 300 {
            let ask = PullRequest { client: client.clone(), ..World::ask("s", cursor) };
            let answer = reader.kernel.pull(&who, &ask).unwrap();
            let head = if answer.has_more { None } else { Some(answer.next_cursor.0) };
            let seq = answer.last_seq.map(|seq| seq.0);
            assert!(head.is_none_or(|head| seq == Some(head)), "{head:?} with {seq:?}");
            let ask = riverrun_core::wire::SnapshotRequest { scope: ask.scope, client: client.clone() };
            let snapshot = reader.kernel.snapshot(&who, &ask).unwrap();
            assert_eq!(snapshot.last_seq.map(|seq| seq.0), Some(snapshot.cursor.0));
            cursor = answer.next_cursor.0;
        }
    });
}

/// "Cursors … assigned in commit order; once any reader saw N, nothing ≤ N appears": every change carries its scope, the
/// server's time and its mutation, as the contract writes it.
pub fn a_change_reads_as_the_contract_writes_it(make: Make<'_>) {
    let world = World::new(make);
    world.push("ann", [put("m1")]);
    world.clock.forward(1500);
    world.push("ann", [line("m2", "note.delete", r#"{"id":"n"}"#), line("m3", "event", r#"{"id":"é 1.50"}"#)]);
    let answer = world.pull(&World::ask("s", 0)).unwrap();
    let expected = [
        r#"{"cursor":1,"scope":"s","time":"2026-11-22T10:00:00.000Z","mutation":"m1","data":{"op":"put","collection":"note","id":"n","value":{"id":"n","text":"m1"}}}"#,
        r#"{"cursor":2,"scope":"s","time":"2026-11-22T10:00:01.500Z","mutation":"m2","data":{"op":"del","collection":"note","id":"n"}}"#,
        r#"{"cursor":3,"scope":"s","time":"2026-11-22T10:00:01.500Z","mutation":"m3","data":["happened","é 1.50"]}"#,
    ];
    for (change, expected) in answer.changes.iter().zip(expected) {
        assert_eq!(riverrun_core::Json::of(change).unwrap().as_str(), expected);
    }
    assert_eq!((answer.changes.len(), BEGIN), (3, answer.changes[0].time.0));
    assert_eq!(world.store_origin("s", 1), Some(("note.put".into(), r#"{"id":"n"}"#.into(), "ann".into())));
}
