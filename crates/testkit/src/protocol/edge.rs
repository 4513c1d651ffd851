//! Cases of the way a push takes through the engine's front: who may, what is shown to whom, and what an answer looks like
//! on the wire. What the kernel decides has its own cases.

use riverrun_core::{Code, Cursor, Epoch, Json, Verdict, wire::PushRequest};
use riverrun_engine::{Action, MutateError};

use super::{
    Make,
    app::Note,
    faulty::Fault,
    front::{Rules, codes, engine, push, request, run},
    shared::{Faulty, Shared},
    world::{World, line, principal, put, scope},
};

/// "The server looks the id up first, before authorisation": a permission withdrawn changes no verdict, in either direction.
pub fn a_withdrawn_permission_changes_no_verdict(make: Make<'_>) {
    run(async {
        let rules = Rules::default();
        let engine = engine(make(), &rules).await;
        let first = push(&engine, "ann", [put("m1").seq("c", 1)]).await;
        rules.deny("ann", "s", Action::Write);
        let both = || [put("m1").seq("c", 1), put("m2").seq("c", 2)];
        let second = push(&engine, "ann", both()).await;
        assert_eq!(codes(&second), [None, Some(Code::Forbidden)]);
        assert_eq!((second[0].cursor, second[0].digest), (first[0].cursor, first[0].digest));
        rules.allow("ann", "s", Action::Write);
        let third = push(&engine, "ann", both().into_iter().chain([put("m3").seq("c", 3)])).await;
        assert_eq!(codes(&third), [None, Some(Code::Forbidden), None]);
        assert!(third[1].duplicate && third[1].error == second[1].error);
        rules.fail(true);
        let fourth = push(&engine, "ann", both().into_iter().chain([put("m4").seq("c", 4)])).await;
        assert_eq!(codes(&fourth), [None, Some(Code::Forbidden), Some(Code::Unavailable)]);
        assert_eq!(fourth[2].retry, Some(true));
        rules.fail(false);
        assert_eq!(codes(&push(&engine, "ann", [put("m4").seq("c", 4)]).await), [None]);
    });
}

/// "They are authorised at the edge": a declared scope one may not write to is a `forbidden` that consumes its place.
pub fn a_declared_scope_one_may_not_write_to_is_forbidden(make: Make<'_>) {
    run(async {
        let rules = Rules::default();
        let engine = engine(make(), &rules).await;
        rules.deny("ann", "t", Action::Write);
        let shift = || line("m2", "note.move", r#"{"id":"n","to":"t"}"#).seq("c", 2);
        let all = push(&engine, "ann", [put("m1").seq("c", 1), shift(), put("m3").seq("c", 3)]).await;
        assert_eq!(codes(&all), [None, Some(Code::Forbidden), None]);
        rules.allow("ann", "t", Action::Write);
        assert_eq!(codes(&push(&engine, "ann", [shift()]).await), [Some(Code::Forbidden)]);
        assert!(engine.list::<Note>("t").await.expect("a read").is_empty());
        let moved = push(&engine, "ann", [line("m4", "note.move", r#"{"id":"n","to":"t"}"#)]).await;
        assert_eq!(moved[0].cursors, [(scope("t"), Cursor(1))].into());
    });
}

/// "Changes are shown only of scopes the caller may read", though the mutation had its effect in all of them.
pub fn changes_are_shown_only_of_scopes_the_caller_may_read(make: Make<'_>) {
    run(async {
        let rules = Rules::default();
        let engine = engine(make(), &rules).await;
        rules.deny("ann", "t", Action::Read);
        push(&engine, "ann", [put("m1")]).await;
        let shift = |id: &str| line(id, "note.move", r#"{"id":"n","to":"t"}"#);
        let moved = push(&engine, "ann", [shift("m2")]).await.remove(0);
        let seen: Vec<_> = moved.changes.unwrap().into_iter().map(|change| change.scope).collect();
        assert_eq!((seen, moved.cursors.len()), (vec![scope("s")], 1));
        rules.deny("ann", "s", Action::Read);
        let blind = push(&engine, "ann", [put("m3")]).await.remove(0);
        assert_eq!((blind.ok, blind.changes), (true, Some(vec![])));
        rules.allow("ann", "t", Action::Read);
        rules.allow("ann", "s", Action::Read);
        let both = push(&engine, "ann", [shift("m4")]).await.remove(0);
        assert_eq!(both.changes.unwrap().len(), 2);
    });
}

/// "200 with one result per mutation, in order", written as the contract writes them.
pub fn results_read_as_the_contract_writes_them(make: Make<'_>) {
    run(async {
        let engine = engine(make(), &Rules::default()).await;
        let lines = || [line("m1", "nothing", "{}"), line("m2", "reject", r#"{"id":"n"}"#), put("m3"), put("m1")];
        let text = |results: &Vec<_>| results.iter().map(|r| Json::of(r).unwrap().to_string()).collect::<Vec<_>>();
        let first = push(&engine, "ann", lines()).await;
        let zero = r#""cursor":0,"digest":"0000000000000000""#;
        let no = r#""code":"rejected","reason":"because","error":"the mutator said no","retry":false"#;
        let texts = text(&first);
        assert_eq!(texts[0], format!(r#"{{"id":"m1","ok":true,{zero},"changes":[]}}"#));
        assert_eq!(texts[1], format!(r#"{{"id":"m2","ok":false,{no}}}"#));
        assert!(texts[2].starts_with(r#"{"id":"m3","ok":true,"cursor":1,"digest":""#), "{}", texts[2]);
        assert!(texts[2].contains(r#""changes":[{"cursor":1,"#), "{}", texts[2]);
        assert!(texts[3].contains(r#""ok":false,"code":"invalid_mutation""#), "{}", texts[3]);
        assert!(texts[3].ends_with(r#""retry":false}"#), "{}", texts[3]);
        let texts = text(&push(&engine, "ann", lines()).await);
        assert_eq!(texts[0], format!(r#"{{"id":"m1","ok":true,{zero},"duplicate":true}}"#));
        assert_eq!(texts[1], format!(r#"{{"id":"m2","ok":false,"duplicate":true,{no}}}"#));
        assert!(texts[2].ends_with(r#""duplicate":true}"#) && !texts[2].contains("changes"), "{}", texts[2]);
    });
}

/// A body off the wire, with the contract's spellings, is the same push.
pub fn a_push_off_the_wire_is_decided_as_it_says(make: Make<'_>) {
    run(async {
        let engine = engine(make(), &Rules::default()).await;
        let body = r#"{"client":"c","scope":"list:42","mutations":[
            {"id":"m1","type":"note.put","args":{"id":"a"},"seq":1},
            {"id":"m2","name":"note.put","args":{"id":"b"},"seq":2,"scope":"other"},
            {"id":"m3","type":"_void","seq":2}]}"#;
        let read = || PushRequest::read(body.as_bytes(), 1 << 20).expect("a push");
        let results = engine.push(&principal("ann"), read()).await.expect("an answer").results;
        assert_eq!(codes(&results), [None, Some(Code::ClientUnknown), Some(Code::InvalidMutation)]);
        assert_eq!(engine.list::<Note>("list:42").await.expect("a read").len(), 1);
        let empty = engine.push(&principal("ann"), request([])).await.expect("an answer");
        assert_eq!((empty.results, empty.epoch), (vec![], engine.epoch().await.expect("an epoch")));
    });
}

/// "A foreign `epoch` refuses the whole push (`epoch_changed`)", an empty one too.
pub fn a_foreign_epoch_refuses_the_whole_push(make: Make<'_>) {
    run(async {
        let engine = engine(make(), &Rules::default()).await;
        for lines in [vec![], vec![put("m1"), put("m2")]] {
            let foreign = PushRequest { epoch: Some(Epoch::new("another").unwrap()), ..request(lines) };
            let refused = engine.push(&principal("ann"), foreign).await.expect_err("a foreign epoch");
            assert_eq!(refused.code, Code::EpochChanged);
        }
        assert!(engine.list::<Note>("s").await.expect("a read").is_empty());
    });
}

/// "Nothing pends forever": code of the application that panics at the edge is a verdict like any other panic.
pub fn a_panic_while_scopes_are_declared_is_a_verdict(make: Make<'_>) {
    run(async {
        let engine = engine(make(), &Rules::default()).await;
        let lines = || [line("m1", "scopes.panic", "{}").seq("c", 1), put("m2").seq("c", 2)];
        assert_eq!(codes(&push(&engine, "ann", lines()).await), [Some(Code::InternalError), None]);
        let again = push(&engine, "ann", lines()).await;
        assert!(again[0].duplicate && again[1].duplicate);
        let unfit = push(&engine, "ann", [line("m3", "note.move", r#"{"id":7}"#).seq("c", 3)]).await;
        assert_eq!((codes(&unfit), unfit[0].retry), (vec![Some(Code::InvalidMutation)], Some(false)));
    });
}

/// "No byte of a scope leaves on a session that may not read it"; what can't be checked is not let through.
pub fn who_may_not_read_gets_nothing(make: Make<'_>) {
    run(async {
        let rules = Rules::default();
        let engine = engine(make(), &rules).await;
        push(&engine, "ann", [put("m1")]).await;
        rules.deny("eve", "s", Action::Read);
        for (failing, code) in [(false, Code::Forbidden), (true, Code::Unavailable)] {
            rules.fail(failing);
            let eve = principal("eve");
            assert_eq!(engine.pull(&eve, World::ask("s", 0)).await.unwrap_err().code, code);
            let ask = riverrun_core::wire::SnapshotRequest { scope: scope("s"), client: None };
            assert_eq!(engine.snapshot(&eve, ask).await.unwrap_err().code, code);
            let ask = riverrun_core::wire::Subscribe::default();
            let subscribed = engine.subscribe(&eve, &scope("s"), &ask).await;
            assert_eq!(subscribed.err().map(|refused| refused.code), Some(code));
        }
    });
}

/// "However often it is called, it has one effect and one verdict."
pub fn a_mutation_of_the_servers_own_runs_once_under_its_id(make: Make<'_>) {
    run(async {
        let engine = engine(make(), &Rules::default()).await;
        let who = principal("server");
        let args = serde_json::json!({ "id": "c" });
        let id = |text: &str| riverrun_core::MutationId::new(text).unwrap();
        let one = engine.mutate_once(id("form-1"), &who, "s", "counter.add", &args).await.expect("accepted");
        let two = engine.mutate_once(id("form-1"), &who, "s", "counter.add", &args).await.expect("accepted");
        assert_eq!((one.cursor, &one), (Cursor(1), &two));
        assert_eq!(engine.mutate(&who, "s", "counter.add", &args).await.expect("accepted").cursor, Cursor(2));
        let no = |error: MutateError| (error.code(), error.to_string());
        let first = engine.mutate_once(id("form-2"), &who, "s", "reject", &args).await.map_err(no);
        let again = engine.mutate_once(id("form-2"), &who, "s", "reject", &args).await.map_err(no);
        assert_eq!(first, Err((Code::Rejected, "the mutator said no".into())));
        assert_eq!(first, again);
        let bad = engine.mutate(&who, "", "counter.add", &args).await.map_err(|error| error.code());
        assert_eq!(bad, Err(Code::InvalidMutation));
    });
}

/// A store that fails makes the whole push `unavailable`; sent again, it has exactly one effect. A mutation that fails every
/// time holds nobody else up.
pub fn a_failing_store_makes_a_push_come_again_and_holds_up_nobody_else(make: Make<'_>) {
    run(async {
        let store = make();
        let faulty = Faulty::new(store.clone());
        let engine = engine(Shared::new(faulty.clone()), &Rules::default()).await;
        let add = || line("m1", "counter.add", r#"{"id":"c"}"#).seq("c", 1);
        for fault in [Fault::Commit, Fault::Answer] {
            faulty.fail(fault);
            let refused = engine.push(&principal("ann"), request([add()])).await.expect_err("the store failed");
            assert_eq!(refused.code, Code::Unavailable);
        }
        assert!(push(&engine, "ann", [add()]).await[0].duplicate, "the second time it was applied");
        let mut tasks = Vec::new();
        for at in 0..40 {
            let engine = engine.clone();
            tasks.push(tokio::spawn(async move {
                let own = if at % 4 == 0 { "latch" } else { "counter.add" };
                let answer =
                    engine.push(&principal("bob"), request([line(&format!("b{at}"), own, r#"{"id":"c"}"#)])).await;
                assert_eq!(answer.is_err(), at % 4 == 0, "{answer:?}");
            }));
        }
        for task in tasks {
            task.await.expect("as it should be");
        }
        let world = World::over(store, super::world::Hands::new(), |builder| builder);
        assert_eq!(world.effects("s"), 31);
        assert!(matches!(world.record("ann", "s", "m1").map(|r| r.verdict), Some(Verdict::Accepted(_))));
        world.verify(&["s"]);
    });
}
