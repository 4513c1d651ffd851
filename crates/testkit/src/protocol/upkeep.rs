//! Cases of what the engine does by itself, and of its end: trimming, noticing readers, outliving what panics underneath
//! it, waiting for something new, closing.

use std::{future::Future, task::Poll, time::Duration};

use riverrun_core::{Code, wire::PullRequest};
use riverrun_engine::{Action, Retention, Store, store::StoreError};

use super::{
    Make,
    app::Ledger,
    front::{Rules, codes, engine, engine_with, push, request, run},
    world::{DAY, Hands, Line, Said, World, client, line, principal, put, scope},
};

/// "`engine.close` settles what was pushed so far"; later pushes are asked to come again, reads go on.
pub fn closing_settles_what_waits_and_refuses_what_comes_after(make: Make<'_>) {
    run(async {
        let store = make();
        let engine = engine(store.clone(), &Rules::default()).await;
        // Somebody else holds the store, so that everything pushed now is still waiting when the engine is closed.
        let (began, holds) = tokio::sync::oneshot::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let holder = std::thread::spawn(move || {
            let mut began = Some(began);
            let held = store.write(&mut |_| {
                let _ = began.take().map(|began| began.send(()));
                released.recv().map_err(|error| StoreError::Other(error.to_string()))
            });
            held.expect("a transaction that only waits");
        });
        holds.await.expect("the store is held");
        let who = principal("ann");
        let mut waiting: Vec<_> =
            (0..50).map(|at| Box::pin(engine.push(&who, request([put(&format!("m{at}"))])))).collect();
        for push in &mut waiting {
            // One poll hands it to the writer.
            let polled = std::future::poll_fn(|context| Poll::Ready(push.as_mut().poll(context).is_pending())).await;
            assert!(polled, "nothing can be settled yet");
        }
        let mut closing = Box::pin(engine.close());
        assert!(std::future::poll_fn(|context| Poll::Ready(closing.as_mut().poll(context).is_pending())).await);
        release.send(()).expect("the holder waits");
        for push in waiting {
            assert!(push.await.expect("what was pushed before the end is settled").results[0].ok);
        }
        closing.await;
        engine.close().await;
        holder.join().expect("no panic");
        let head = engine.pull(&who, World::ask("s", 0)).await.expect("reads go on").next_cursor;
        assert_eq!(head.0, 50);
        let refused = engine.push(&who, request([put("late")])).await.expect_err("closed");
        assert_eq!(refused.code, Code::Unavailable);
    });
}

/// "`wait` holds an empty answer back until something commits."
pub fn a_pull_that_waits_is_answered_by_a_commit_or_by_its_end(make: Make<'_>) {
    run(async {
        let engine = engine(make(), &Rules::default()).await;
        let ask = |wait, cursor| PullRequest { wait: Some(wait), ..World::ask("s", cursor) };
        let began = tokio::time::Instant::now();
        let nothing = engine.pull(&principal("ann"), ask(1, 0)).await.expect("an answer");
        assert!(nothing.changes.is_empty() && began.elapsed() >= Duration::from_millis(900));
        push(&engine, "ann", [put("m1")]).await;
        let at_once = engine.pull(&principal("ann"), ask(30, 0)).await.expect("an answer");
        assert_eq!(at_once.next_cursor.0, 1);
        let waiting = tokio::spawn({
            let (engine, ask) = (engine.clone(), ask(30, 1));
            async move { engine.pull(&principal("ann"), ask).await }
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        push(&engine, "ann", [put("m2").at("elsewhere")]).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!waiting.is_finished(), "another scope's commit is no answer");
        push(&engine, "ann", [put("m3")]).await;
        let answer = tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("before the wait is over");
        assert_eq!(answer.expect("no panic").expect("an answer").next_cursor.0, 2);
        assert!(began.elapsed() < Duration::from_secs(29), "a commit ends the wait, not its end");
    });
}

/// The right to read may go while a pull waits: then its answer is `forbidden`, not the changes.
pub fn a_pull_that_waits_loses_its_right_with_everyone_else(make: Make<'_>) {
    run(async {
        let rules = Rules::default();
        let engine = engine(make(), &rules).await;
        let waiting = tokio::spawn({
            let engine = engine.clone();
            let ask = PullRequest { wait: Some(30), ..World::ask("s", 0) };
            async move { engine.pull(&principal("eve"), ask).await }
        });
        tokio::time::sleep(Duration::from_millis(200)).await;
        rules.deny("eve", "s", Action::Read);
        push(&engine, "ann", [put("m1")]).await;
        assert_eq!(waiting.await.expect("no panic").expect_err("a refusal").code, Code::Forbidden);
    });
}

/// "Its watermark for 180 days after it was last **seen**": a client that only reads is seen.
pub fn a_client_that_only_reads_is_not_forgotten(make: Make<'_>) {
    run(async {
        let (store, clock) = (make(), Hands::new());
        let own = clock.clone();
        let engine = engine_with(store.clone(), &Rules::default(), |builder| builder.clock(own)).await;
        push(&engine, "ann", [put("m1").seq("c", 1), put("x1").seq("idle", 1)]).await;
        for _ in 0..4 {
            // From the head: the log below may be trimmed by its age at any time.
            let ask = PullRequest { client: Some(client("c")), ..World::ask("s", 2) };
            let answer = engine.pull(&principal("ann"), ask).await.expect("an answer");
            assert_eq!(answer.last_seq.map(|seq| seq.0), Some(1));
            // The note that it was seen goes through the writer: what is pushed now comes after it.
            push(&engine, "ann", [line("sync", "nothing", "{}")]).await;
            clock.forward(100 * DAY);
        }
        let world = World::over(store, clock, |builder| builder);
        world.forget();
        assert_eq!(world.last_seq("ann", "s", "c"), Some(1), "it read 100 days ago");
        assert_eq!(world.last_seq("ann", "s", "idle"), Some(0), "it was not seen for 400");
        assert_eq!(world.say("ann", [put("m2").seq("c", 2)]), [Said::Yes(3)]);
    });
}

/// "Retention is on by default": the log is kept within bounds while pushes go on, and stays whole.
pub fn a_log_that_grows_is_trimmed_by_itself(make: Make<'_>) {
    run(async {
        let store = make();
        let keep = Retention { changes: 50, ..Retention::default() };
        let engine = engine_with(store.clone(), &Rules::default(), |builder| builder.retention(keep)).await;
        for at in 0..40 {
            let many = |n| line(&format!("m{at}-{n}"), "note.many", r#"{"prefix":"p","count":3}"#);
            push(&engine, "ann", (0..4).map(many)).await;
        }
        let world = World::over(store, Hands::new(), |builder| builder);
        let length = || world.head("s").cursor.0 - world.head("s").floor.0;
        for _ in 0..500 {
            if length() <= 50 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(length() <= 50 && length() > 40, "{}", length());
        world.verify(&["s"]);
    });
}

/// Code of the application that panics where no mutation can be blamed (a state that no longer replays) makes its scope
/// unavailable, and nothing else.
pub fn a_state_that_no_longer_replays_stops_its_own_scope_only(make: Make<'_>) {
    run(async {
        let store = make();
        let earlier = World::over(store.clone(), Hands::new(), |builder| builder);
        earlier.push("ann", [line("m1", "disguise", "1313").at("broken"), line("m2", "disguise", "4")]);
        let engine = engine_with(store, &Rules::default(), |builder| builder.machine(Ledger)).await;
        let add = |id: &str| line(id, "add", "[1]");
        for _ in 0..2 {
            let refused = engine.push(&principal("ann"), request([add("m3").at("broken")])).await.expect_err("broken");
            assert_eq!(refused.code, Code::Unavailable);
            let ask = riverrun_core::wire::SnapshotRequest { scope: scope("broken"), client: None };
            let refused = engine.snapshot(&principal("ann"), ask).await.expect_err("broken");
            assert_eq!(refused.code, Code::InternalError);
        }
        assert_eq!(codes(&push(&engine, "ann", [add("m4")]).await), [None], "the writer lives");
        let many: Vec<Line> = (0..10).map(|at| add(&format!("n{at}"))).collect();
        assert_eq!(codes(&push(&engine, "ann", many).await), vec![None; 10]);
        let sum = engine.state::<super::app::Lines>("s").await.expect("a read").map(|state| state.sum);
        assert_eq!(sum, Some(15));
    });
}

/// What no engine may start without is said before the first request.
pub fn an_engine_without_rules_or_access_does_not_start(make: Make<'_>) {
    run(async {
        let says = |started: Result<_, riverrun_engine::StartError>| started.err().map(|error| error.to_string());
        let no_rules = riverrun_engine::Engine::builder(make()).access(riverrun_engine::Public).start().await;
        assert!(says(no_rules.map(drop)).is_some_and(|text| text.contains("needs rules")));
        let no_access = riverrun_engine::Engine::builder(make()).mutators(super::app::mutators()).start().await;
        assert!(says(no_access.map(drop)).is_some_and(|text| text.contains("who may do what")));
        let twice = super::app::mutators().on("reject", |_: &mut riverrun_core::Tx<'_>, (): ()| Ok(()));
        let builder = riverrun_engine::Engine::builder(make()).mutators(twice).access(riverrun_engine::Public);
        assert!(says(builder.start().await.map(drop)).is_some_and(|text| text.contains("registered twice")));
    });
}
