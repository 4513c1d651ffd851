//! Cases of a live subscription: catch up, then stay live, each change once and in order, and an end that is always said.
//! Streams under load have their own cases.

use std::time::Duration;

use riverrun_core::{
    Code, Digest, Epoch,
    wire::{PullRequest, SnapshotRequest, Subscribe},
};
use riverrun_engine::{Action, Event};

use super::{
    Make,
    faulty::Fault,
    front::{Rules, end, engine, follow, push, request, run, subscribe, take},
    replica::Replica,
    shared::{Exchanged, Faulty, Shared},
    world::{Hands, World, client, line, principal, put, scope},
};

fn many(id: &str, count: usize) -> super::world::Line {
    line(id, "note.many", &format!(r#"{{"prefix":"p","count":{count}}}"#))
}

/// "Catch up from 12, then stay live"; "`ack`: head when the subscription began", with the watermark of the named client.
pub fn a_subscription_begins_with_an_ack_catches_up_and_stays_live(make: Make<'_>) {
    run(async {
        let engine = engine(make(), &Rules::default()).await;
        push(&engine, "ann", [put("m1").seq("c", 1), many("m2", 5).seq("c", 2), put("m3").seq("c", 3)]).await;
        let ask =
            Subscribe { cursor: Some(riverrun_core::Cursor(1)), client: Some(client("c")), ..Subscribe::default() };
        let mut subscription = engine.subscribe(&principal("ann"), &scope("s"), &ask).await.expect("a subscription");
        let Some(Event::Ack { cursor, epoch, last_seq }) = subscription.next().await else {
            panic!("an ack comes first")
        };
        assert_eq!((cursor.0, epoch, last_seq.map(|s| s.0)), (7, engine.epoch().await.unwrap(), Some(3)));
        let mut replica = Replica::empty("s");
        let one = PullRequest { limit: Some(1), ..World::ask("s", 0) };
        replica.pulled(&engine.pull(&principal("ann"), one).await.unwrap());
        assert!(follow(&mut subscription, &mut replica, 7).await.is_none());
        for at in 4..20 {
            push(&engine, "bob", [put(&format!("b{at}"))]).await;
            assert!(follow(&mut subscription, &mut replica, at + 4).await.is_none());
        }
        let ask = SnapshotRequest { scope: scope("s"), client: None };
        replica.must_be(&engine.snapshot(&principal("ann"), ask).await.unwrap());
    });
}

/// "Without `cursor`: a `snapshot` frame first", and nothing between it and what follows is missed.
pub fn a_subscription_without_a_cursor_begins_with_a_snapshot(make: Make<'_>) {
    run(async {
        let engine = engine(make(), &Rules::default()).await;
        push(&engine, "ann", [put("m1"), many("m2", 3)]).await;
        let ask = Subscribe { client: Some(client("c")), ..Subscribe::default() };
        let mut subscription = engine.subscribe(&principal("ann"), &scope("s"), &ask).await.expect("a subscription");
        // Committed after the snapshot was taken and before anything is read.
        push(&engine, "ann", [put("m3").seq("c", 1)]).await;
        let Some(Event::Snapshot(snapshot)) = subscription.next().await else { panic!("a snapshot comes first") };
        assert_eq!((snapshot.cursor.0, snapshot.last_seq.map(|seq| seq.0)), (4, Some(0)));
        let mut replica = Replica::from_snapshot("s", &snapshot);
        let Some(Event::Ack { cursor, .. }) = subscription.next().await else { panic!("then the ack") };
        assert_eq!(cursor, snapshot.cursor);
        assert!(follow(&mut subscription, &mut replica, 5).await.is_none());
        let ask = SnapshotRequest { scope: scope("s"), client: None };
        replica.must_be(&engine.snapshot(&principal("ann"), ask).await.unwrap());
    });
}

/// "Up to 256 KiB; above: `reset` with code `use_http`."
pub fn a_snapshot_too_large_for_a_frame_is_fetched_over_http(make: Make<'_>) {
    run(async {
        let engine = engine(make(), &Rules::default()).await;
        let long = "x".repeat(200);
        for at in 0..4 {
            push(
                &engine,
                "ann",
                [line(&format!("m{at}"), "note.many", &format!(r#"{{"prefix":"{long}{at}","count":200}}"#))],
            )
            .await;
        }
        let mut subscription =
            engine.subscribe(&principal("ann"), &scope("s"), &Subscribe::default()).await.expect("a subscription");
        assert!(matches!(subscription.next().await, Some(Event::UseHttp)));
        assert!(subscription.next().await.is_none());
        // Its reader comes back with the cursor of what it fetched, and follows from there.
        let ask = SnapshotRequest { scope: scope("s"), client: None };
        let mut replica = Replica::from_snapshot("s", &engine.snapshot(&principal("ann"), ask).await.unwrap());
        let mut subscription = subscribe(&engine, "ann", "s", &replica).await;
        push(&engine, "ann", [put("after")]).await;
        assert!(follow(&mut subscription, &mut replica, 801).await.is_none());
    });
}

/// "`reset`: ended too; take a snapshot": below the floor, above the head, another epoch, another digest.
pub fn a_reader_that_cannot_be_followed_is_told_to_start_over(make: Make<'_>) {
    run(async {
        let store = make();
        let engine = engine(store.clone(), &Rules::default()).await;
        push(&engine, "ann", [put("m1"), put("m2"), put("m3")]).await;
        World::over(store, Hands::new(), |builder| builder).trim_to("s", 2);
        let from = |cursor| Subscribe { cursor: Some(riverrun_core::Cursor(cursor)), ..Subscribe::default() };
        for (ask, code) in [
            (from(1), Code::CursorTooOld),
            (from(4), Code::EpochChanged),
            (Subscribe { digest: Some(Digest(7)), ..from(3) }, Code::EpochChanged),
            (Subscribe { digest: Some(Digest(7)), ..from(2) }, Code::EpochChanged),
            (Subscribe { epoch: Some(Epoch::new("another").unwrap()), ..from(3) }, Code::EpochChanged),
        ] {
            let mut subscription =
                engine.subscribe(&principal("ann"), &scope("s"), &ask).await.expect("it is said inside");
            let event = subscription.next().await;
            assert!(matches!(event, Some(Event::Reset(said)) if said == code), "{ask:?}: {event:?}");
            assert!(subscription.next().await.is_none());
        }
        push(&engine, "ann", [put("mine").seq("c", 1)]).await;
        let foreign = Subscribe { client: Some(client("c")), ..from(3) };
        let refused = engine.subscribe(&principal("bob"), &scope("s"), &foreign).await.err();
        assert_eq!(refused.map(|refused| refused.code), Some(Code::Forbidden));
    });
}

/// "Losing a scope ends its subscription with `forbidden`", at once after `access_changed`, and before another change is
/// passed on; whoever keeps the right stays.
pub fn losing_the_right_to_read_ends_a_subscription_at_once(make: Make<'_>) {
    run(async {
        let rules = Rules::default();
        let engine = engine(make(), &rules).await;
        let (mut eve, mut bob) = (Replica::empty("s"), Replica::empty("s"));
        let mut evil = subscribe(&engine, "eve", "s", &eve).await;
        let mut good = subscribe(&engine, "bob", "s", &bob).await;
        push(&engine, "ann", [put("m1")]).await;
        assert!(follow(&mut evil, &mut eve, 1).await.is_none());
        rules.deny("eve", "s", Action::Read);
        engine.access_changed();
        push(&engine, "ann", [put("m2")]).await;
        let last = tokio::time::timeout(Duration::from_secs(20), end(&mut evil, &mut eve)).await.expect("at once");
        assert!(matches!(last, Event::Refused(refused) if refused.code == Code::Forbidden));
        assert_eq!(eve.cursor.0, 1);
        assert!(follow(&mut good, &mut bob, 2).await.is_none());
        // Waiting quietly is no protection either.
        rules.deny("bob", "s", Action::Read);
        let quiet = tokio::spawn(async move { end(&mut good, &mut bob).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        engine.access_changed();
        let last = tokio::time::timeout(Duration::from_secs(20), quiet).await.expect("at once").expect("no panic");
        assert!(matches!(last, Event::Refused(refused) if refused.code == Code::Forbidden));
    });
}

/// The same in the middle of a long catch-up: the log is not read on for somebody who lost the right.
pub fn losing_the_right_to_read_ends_a_catch_up_too(make: Make<'_>) {
    run(async {
        let rules = Rules::default();
        let engine = engine(make(), &rules).await;
        for at in 0..5 {
            push(&engine, "ann", [many(&format!("m{at}"), 900)]).await;
        }
        let mut eve = Replica::empty("s");
        let mut subscription = subscribe(&engine, "eve", "s", &eve).await;
        while eve.cursor.0 == 0 {
            assert!(take(&mut subscription, &mut eve).await.is_none());
        }
        assert!(eve.cursor.0 < 4500);
        let read = eve.cursor;
        rules.deny("eve", "s", Action::Read);
        engine.access_changed();
        let last = end(&mut subscription, &mut eve).await;
        assert!(matches!(last, Event::Refused(refused) if refused.code == Code::Forbidden));
        assert_eq!(eve.cursor, read);
        // A change of access that takes nothing from this reader does not disturb it.
        let mut bob = Replica::empty("s");
        let mut subscription = subscribe(&engine, "bob", "s", &bob).await;
        engine.access_changed();
        assert!(follow(&mut subscription, &mut bob, 4500).await.is_none());
    });
}

/// "`lagged`: the reader was too slow: the subscription has ended; subscribe again from one's cursor." What waits for it is
/// bounded, however much is committed meanwhile.
pub fn a_reader_that_stops_taking_is_told_that_it_lagged_and_catches_up(make: Make<'_>) {
    run(async {
        let engine = engine(make(), &Rules::default()).await;
        let mut replica = Replica::empty("s");
        let mut subscription = subscribe(&engine, "ann", "s", &replica).await;
        push(&engine, "ann", [put("first")]).await;
        assert!(follow(&mut subscription, &mut replica, 1).await.is_none());
        for at in 0..400 {
            push(&engine, "ann", [put(&format!("m{at}"))]).await;
        }
        let Event::Lagged(head) = end(&mut subscription, &mut replica).await else { panic!("it lagged") };
        assert_eq!(head.0, 401);
        assert_eq!(replica.cursor.0, 1, "nothing is passed on out of the middle");
        let mut subscription = subscribe(&engine, "ann", "s", &replica).await;
        assert!(follow(&mut subscription, &mut replica, 401).await.is_none());
        push(&engine, "ann", [put("last")]).await;
        assert!(follow(&mut subscription, &mut replica, 402).await.is_none());
    });
}

/// A commit too large to be carried along reaches a live reader all the same, whole and in order.
pub fn a_commit_too_large_to_carry_is_read_from_the_log(make: Make<'_>) {
    run(async {
        let engine = engine(make(), &Rules::default()).await;
        let mut replica = Replica::empty("s");
        let mut subscription = subscribe(&engine, "ann", "s", &replica).await;
        let large = |at: usize| line(&format!("l{at}"), "event", &format!(r#"{{"id":"{}"}}"#, "x".repeat(100_000)));
        for at in 0..4 {
            push(&engine, "ann", [put(&format!("a{at}")), large(at), put(&format!("b{at}"))]).await;
        }
        push(&engine, "ann", [put("small")]).await;
        assert!(follow(&mut subscription, &mut replica, 13).await.is_none());
    });
}

/// "The one answer that may be either is an error": a commit that nobody could tell of is still seen, without another one.
pub fn a_commit_answered_with_an_error_still_reaches_subscribers(make: Make<'_>) {
    run(async {
        let faulty = Faulty::new(make());
        let engine = engine(Shared::new(faulty.clone()), &Rules::default()).await;
        let mut replica = Replica::empty("s");
        let mut subscription = subscribe(&engine, "ann", "s", &replica).await;
        push(&engine, "ann", [put("m1")]).await;
        assert!(follow(&mut subscription, &mut replica, 1).await.is_none());
        faulty.fail(Fault::Answer);
        let answer = engine.push(&principal("ann"), request([put("m2")])).await;
        assert_eq!(answer.err().map(|refused| refused.code), Some(Code::Unavailable));
        let seen = tokio::time::timeout(Duration::from_secs(20), follow(&mut subscription, &mut replica, 2)).await;
        assert!(seen.expect("it is seen without another commit").is_none());
        let again = push(&engine, "ann", [put("m2"), put("m3")]).await;
        assert!(again[0].duplicate && !again[1].duplicate);
        assert!(follow(&mut subscription, &mut replica, 3).await.is_none());
    });
}

/// A log that is exchanged under a live reader (a failover that lost commits) ends it, at the very next commit: equal
/// cursors are not enough.
pub fn a_log_exchanged_under_a_live_reader_ends_it(make: Make<'_>) {
    run(async {
        let (now, old) = (make(), make());
        let world = World::over(now.clone(), Hands::new(), |builder| builder);
        let other = World::over(old.clone(), Hands::new(), |builder| builder);
        other.write(|tx| tx.set_epoch(&world.epoch()));
        for world in [&world, &other] {
            world.push("ann", [put("m1"), put("m2")]);
        }
        world.push("ann", [put("m3")]);
        other.push("ann", [put("o3")]);
        let file = Exchanged::new(now);
        let engine = engine(Shared::new(file.clone()), &Rules::default()).await;
        let mut replica = Replica::empty("s");
        let mut subscription = subscribe(&engine, "ann", "s", &replica).await;
        assert!(follow(&mut subscription, &mut replica, 3).await.is_none());
        let quiet = tokio::time::timeout(Duration::from_millis(50), take(&mut subscription, &mut replica)).await;
        assert!(quiet.is_err(), "it is live");
        file.become_store(old);
        push(&engine, "ann", [put("o4")]).await;
        let last = end(&mut subscription, &mut replica).await;
        assert!(matches!(last, Event::Reset(Code::EpochChanged)), "{last:?}");
        assert_eq!(replica.cursor.0, 3, "nothing of the other history was passed on");
    });
}

/// `next` can be cancelled at any moment without losing a change or getting one twice.
pub fn a_reader_that_is_interrupted_loses_nothing(make: Make<'_>) {
    run(async {
        let engine = engine(make(), &Rules::default()).await;
        let mut replica = Replica::empty("s");
        let mut subscription = subscribe(&engine, "ann", "s", &replica).await;
        let pushing = tokio::spawn({
            let engine = engine.clone();
            async move {
                for at in 0..300 {
                    push(&engine, "ann", [put(&format!("m{at}"))]).await;
                }
            }
        });
        let mut interrupted = 0;
        while replica.cursor.0 < 300 {
            let patience = Duration::from_micros(50 * (interrupted % 20));
            match tokio::time::timeout(patience, take(&mut subscription, &mut replica)).await {
                Ok(None) => {}
                Ok(Some(Event::Lagged(_))) => subscription = subscribe(&engine, "ann", "s", &replica).await,
                Ok(Some(end)) => panic!("{end:?}"),
                Err(_) => interrupted += 1,
            }
        }
        pushing.await.expect("no panic");
        assert!(interrupted > 0);
    });
}
