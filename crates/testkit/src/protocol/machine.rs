//! Cases of "state of one's own": apply proposes, fold is the only thing that changes memory, a batch folds into a working
//! copy that is published after the commit, and after a start the state is rebuilt by replaying the log.

use riverrun_core::{Code, Cursor, Epoch};

use super::{
    Make,
    app::{Ledger, Lines, UNFOLDABLE},
    faulty::Fault,
    shared::{Exchanged, Faulty, Shared},
    world::{Hands, Line, Said, World, line, push, said, scope},
};

fn ledger(store: Shared) -> World {
    World::over(store, Hands::new(), |builder| builder.machine(Ledger))
}

fn add(id: &str, lines: &[i64]) -> Line {
    line(id, "add", &format!("{lines:?}"))
}

fn state(world: &World) -> Lines {
    world.snapshot("s").data.read().expect("a ledger's state")
}

fn lines(sum: i64, lines: &[i64]) -> Lines {
    Lines { sum, lines: lines.to_vec() }
}

/// apply reads the state at its turn, also what mutations before it in the same commit made of it.
pub fn a_machine_sees_what_came_before_it_in_the_same_commit(make: Make<'_>) {
    let world = ledger(make());
    assert_eq!(state(&world), Lines::default());
    let all =
        world.say("ann", [add("m1", &[5, 2]), add("m2", &[-8]), add("m3", &[-7]), add("m4", &[-1]), add("m5", &[])]);
    assert_eq!(all, [Said::Yes(2), Said::No(Code::Rejected), Said::Yes(3), Said::No(Code::Rejected), Said::Yes(3)]);
    assert_eq!(state(&world), lines(0, &[5, 2, -7]));
    world.verify(&["s"]);
}

/// "After a start the state is rebuilt by replaying the log", and from the base where the log was trimmed.
pub fn a_machines_state_is_rebuilt_from_base_and_log(make: Make<'_>) {
    let world = ledger(make());
    for at in 1..=20 {
        world.one("ann", add(&format!("m{at}"), &[at, 1]));
        if at % 6 == 0 {
            world.trim_to("s", u64::try_from(at).unwrap() * 2 - 3);
        }
        let again = ledger(world.store.clone());
        assert_eq!(again.snapshot("s"), world.snapshot("s"), "after {at}");
        // The restarted engine decides by the same state.
        let sum = state(&world).sum;
        assert_eq!(again.say("ann", [add(&format!("no{at}"), &[-sum - 1])]), [Said::No(Code::Rejected)]);
    }
    assert_eq!(world.head("s").floor.0, 32);
    assert_eq!(state(&world).sum, (1..=20).sum::<i64>() + 20);
    world.verify(&["s"]);
}

/// snapshot(c) + pull(c→d) = snapshot(d), in the application's own form.
pub fn a_machines_snapshot_and_what_follows_make_the_later_snapshot(make: Make<'_>) {
    let world = ledger(make());
    let mut held: Vec<(u64, Lines)> = vec![(0, Lines::default())];
    for at in 1..=30 {
        world.one("ann", add(&format!("m{at}"), &vec![at; usize::try_from(at % 4).unwrap()]));
        if at == 15 {
            world.trim_to("s", 12);
        }
        held.push((world.head("s").cursor.0, state(&world)));
    }
    for (cursor, mut old) in held.into_iter().filter(|(cursor, _)| *cursor >= world.head("s").floor.0) {
        for change in world.pull(&World::ask("s", cursor)).unwrap().changes {
            riverrun_core::Machine::fold(&Ledger, &mut old, &change.data);
        }
        assert_eq!(old, state(&world), "from {cursor}");
    }
}

/// A panic in fold is a verdict, and nobody ever sees the half that was folded.
pub fn a_fold_that_panics_is_a_verdict_and_the_state_is_intact(make: Make<'_>) {
    let world = ledger(make());
    let all = world.say(
        "ann",
        [
            add("m1", &[1]),
            add("m2", &[2, UNFOLDABLE]),
            add("m3", &[3]),
            line("m4", "panic", "[]"),
            add("m5", &[-6]),
            add("m6", &[UNFOLDABLE]),
        ],
    );
    let (broken, below) = (Said::No(Code::InternalError), Said::No(Code::Rejected));
    assert_eq!(all, [Said::Yes(1), broken, Said::Yes(2), broken, below, broken]);
    for world in [&world, &ledger(world.store.clone())] {
        assert_eq!(state(world), lines(4, &[1, 3]));
        assert_eq!(world.say("ann", [add("m2", &[2, UNFOLDABLE])]), [Said::NoAgain(Code::InternalError)]);
    }
    assert_eq!(said(&world.one("ann", add("m7", &[-4]))), Said::Yes(3));
    world.verify(&["s"]);
}

/// "A batch folds into a working copy that is published after the commit": a commit that failed leaves no trace in memory.
pub fn a_working_copy_is_not_seen_before_its_commit(make: Make<'_>) {
    let faulty = Faulty::new(make());
    let world = ledger(Shared::new(faulty.clone()));
    world.one("ann", add("m1", &[5]));
    assert_eq!(state(&world), lines(5, &[5]));
    faulty.fail(Fault::Commit);
    assert!(world.kernel.settle(&[push("ann", [add("m2", &[7])])]).is_err());
    assert_eq!(state(&world), lines(5, &[5]));
    assert_eq!(world.say("ann", [add("m3", &[-6])]), [Said::No(Code::Rejected)]);
    faulty.fail(Fault::Answer);
    assert!(world.kernel.settle(&[push("ann", [add("m4", &[1])])]).is_err());
    assert_eq!(state(&world), lines(6, &[5, 1]), "what was committed is there, whatever the answer said");
    assert_eq!(world.say("ann", [add("m4", &[1]), add("m5", &[-6])]), [Said::YesAgain(2), Said::Yes(3)]);
    assert_eq!(state(&world), lines(0, &[5, 1, -6]));
}

/// A snapshot is of one moment: its state is that of its cursor, while commits go on.
pub fn a_machines_snapshot_is_of_its_cursor_while_commits_go_on(make: Make<'_>) {
    let world = ledger(make());
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for at in 1..=300 {
                world.one("ann", add(&format!("m{at}"), &[1]));
            }
        });
        let mut last = 0;
        while last < 300 {
            let snapshot = world.snapshot("s");
            let state: Lines = snapshot.data.read().unwrap();
            assert_eq!(state.lines.len() as u64, snapshot.cursor.0);
            assert!(snapshot.cursor.0 >= last, "a snapshot never goes back");
            last = snapshot.cursor.0;
        }
    });
}

/// State in memory is only believed as far as the log proves it: another log under the same cursors is read anew.
pub fn state_in_memory_is_not_believed_over_another_log(make: Make<'_>) {
    let (one, two, three) = (make(), make(), make());
    let file = Exchanged::new(one);
    let world = ledger(Shared::new(file.clone()));
    let epoch = world.epoch();
    world.push("ann", [add("m1", &[1]), add("m2", &[2])]);
    for (store, line) in [(&two, 30), (&three, 40)] {
        let other = ledger(store.clone());
        other.write(|tx| tx.set_epoch(&epoch));
        other.push("ann", [add("m1", &[1]), add("m3", &[line])]);
    }
    ledger(three.clone()).write(|tx| tx.set_epoch(&Epoch::new("restored").unwrap()));
    file.become_store(two);
    assert_eq!(state(&world), lines(31, &[1, 30]), "the digest tells");
    file.become_store(three);
    assert_eq!(state(&world), lines(41, &[1, 40]), "the epoch tells");
    assert_eq!(world.say("ann", [add("m4", &[-42]), add("m5", &[-41])]), [Said::No(Code::Rejected), Said::Yes(3)]);
    assert_eq!(world.head("s").cursor, Cursor(3));
    assert!(world.kernel.verify(&scope("s")).unwrap().damage.is_empty());
}
