//! Cases under load: many senders with the same mutations in every order, and readers that come, go and dawdle. What is
//! random is seeded; what the machine adds to it is not asserted on.

use std::{collections::BTreeMap, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use riverrun_core::{Code, Cursor, wire::PushResult};
use riverrun_engine::{Engine, Event};

use super::{
    Make,
    front::{Rules, engine, request, run, subscribe, take},
    replica::Replica,
    world::{Hands, Line, World, line, principal},
};

const MUTATIONS: u64 = 1000;
const SENDERS: u64 = 64;
const CLIENTS: u64 = 16;
const EACH: u64 = 60;
const STREAM: u64 = 10_000;
const READERS: u64 = 6;

/// Every tenth mutation is one that is always refused.
fn mutation(at: u64) -> Line {
    let name = if at % 10 == 9 { "reject" } else { "counter.add" };
    line(&format!("m{at}"), name, r#"{"id":"c"}"#)
}

/// Pushes until an answer comes.
async fn until_answered(engine: &Engine, who: &str, lines: &[Line]) -> Vec<PushResult> {
    loop {
        match engine.push(&principal(who), request(lines.to_vec())).await {
            Ok(answer) => return answer.results,
            Err(refused) => assert_eq!(refused.code, Code::Unavailable),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A verdict as a retry hears it again.
type Heard = (bool, Option<Cursor>, Option<Code>, Option<String>);

fn heard(result: &PushResult) -> Heard {
    (result.ok, result.cursor, result.code, result.error.clone())
}

/// "A mutation has at most one effect … retries get the same verdict": 64 senders push the same 1,000 in random order.
pub fn sixty_four_senders_of_the_same_mutations_leave_one_effect_each(make: Make<'_>) {
    run(async {
        let store = make();
        let engine = engine(store.clone(), &Rules::default()).await;
        let senders: Vec<_> = (0..SENDERS)
            .map(|seed| {
                let engine = engine.clone();
                tokio::spawn(async move {
                    let mut random = StdRng::seed_from_u64(seed);
                    let mut order: Vec<u64> = (0..MUTATIONS).collect();
                    order.shuffle(&mut random);
                    let mut verdicts: BTreeMap<String, Heard> = BTreeMap::new();
                    let mut fresh = 0;
                    while !order.is_empty() {
                        let count = random.random_range(1..=100).min(order.len());
                        let lines: Vec<Line> = order.drain(..count).map(mutation).collect();
                        for result in until_answered(&engine, "ann", &lines).await {
                            fresh += u64::from(result.ok && !result.duplicate);
                            verdicts.insert(result.id.to_string(), heard(&result));
                        }
                    }
                    (verdicts, fresh)
                })
            })
            .collect();
        let (mut verdicts, mut fresh) = (BTreeMap::new(), 0);
        for sender in senders {
            let (theirs, first) = sender.await.expect("no panic");
            fresh += first;
            assert_eq!(theirs.len() as u64, MUTATIONS);
            if verdicts.is_empty() {
                verdicts.clone_from(&theirs);
            }
            assert_eq!(theirs, verdicts, "every sender hears the same verdicts");
        }
        let world = World::over(store, Hands::new(), |builder| builder);
        let effects = MUTATIONS / 10 * 9;
        assert_eq!((world.effects("s"), world.head("s").cursor.0, fresh), (effects, effects, effects));
        let mut places: Vec<u64> = verdicts.values().filter_map(|heard| heard.1.map(|cursor| cursor.0)).collect();
        places.sort_unstable();
        assert_eq!(places, (1..=effects).collect::<Vec<_>>(), "each has a place of its own");
        world.verify(&["s"]);
    });
}

/// The same with clients that number theirs: each client's queue is pushed by several hands at once, in overlapping pieces.
pub fn sixteen_clients_with_many_hands_are_decided_in_their_order(make: Make<'_>) {
    run(async {
        let store = make();
        let engine = engine(store.clone(), &Rules::default()).await;
        let hands: Vec<_> = (0..CLIENTS * 4)
            .map(|hand| {
                let (engine, client) = (engine.clone(), format!("c{}", hand % CLIENTS));
                tokio::spawn(async move {
                    let mut random = StdRng::seed_from_u64(hand);
                    let own = |seq: u64| {
                        let name = if seq % 10 == 9 { "reject" } else { "counter.add" };
                        line(&format!("{client}-{seq}"), name, r#"{"id":"c"}"#).seq(&client, seq)
                    };
                    let mut verdicts: BTreeMap<String, Heard> = BTreeMap::new();
                    while (verdicts.len() as u64) < EACH {
                        // Not always from where it is, and never knowing how far the other hands have come.
                        let from = (verdicts.len() as u64 + 1).saturating_sub(random.random_range(0..4)).max(1);
                        let to = (from + random.random_range(0..12)).min(EACH);
                        let lines: Vec<Line> = (from..=to).map(own).collect();
                        for result in until_answered(&engine, "ann", &lines).await {
                            match result.code {
                                Some(Code::OutOfOrder | Code::ClientUnknown) => {}
                                Some(Code::Rejected) | None => {
                                    let before = verdicts.insert(result.id.to_string(), heard(&result));
                                    assert!(before.is_none_or(|before| before == heard(&result)));
                                }
                                other => panic!("{other:?} for {}", result.id),
                            }
                        }
                    }
                    verdicts
                })
            })
            .collect();
        let mut all: BTreeMap<String, Heard> = BTreeMap::new();
        for hand in hands {
            for (id, verdict) in hand.await.expect("no panic") {
                let before = all.insert(id, verdict.clone());
                assert!(before.is_none_or(|before| before == verdict));
            }
        }
        let world = World::over(store, Hands::new(), |builder| builder);
        assert_eq!(all.len() as u64, CLIENTS * EACH);
        for client in (0..CLIENTS).map(|client| format!("c{client}")) {
            assert_eq!(world.last_seq("ann", "s", &client), Some(EACH));
            let places: Vec<u64> =
                (1..=EACH).filter_map(|seq| all[&format!("{client}-{seq}")].1.map(|cursor| cursor.0)).collect();
            assert!(places.is_sorted(), "{client} is decided in its order");
        }
        assert_eq!(world.effects("s"), all.values().filter(|heard| heard.0).count() as u64);
        world.verify(&["s"]);
    });
}

/// "No change between the catch-up and the live tail is ever missed or sent twice": readers that join, drop and rejoin at
/// random amid 10,000 mutations see each cursor exactly once, in order; some of them slowly.
pub fn readers_that_come_and_go_amid_ten_thousand_mutations_see_each_once(make: Make<'_>) {
    run(async {
        let store = make();
        let engine = engine(store.clone(), &Rules::default()).await;
        let readers: Vec<_> = (0..READERS)
            .map(|seed| {
                let engine = engine.clone();
                tokio::spawn(async move {
                    let mut random = StdRng::seed_from_u64(seed);
                    let mut replica = Replica::empty("s");
                    let (mut lagged, mut joined) = (0, 0);
                    while replica.cursor.0 < STREAM {
                        let mut subscription = subscribe(&engine, "ann", "s", &replica).await;
                        joined += 1;
                        let stays = random.random_range(1..200);
                        for _ in 0..stays {
                            if replica.cursor.0 == STREAM {
                                break;
                            }
                            match take(&mut subscription, &mut replica).await {
                                None => {}
                                Some(Event::Lagged(_)) => {
                                    lagged += 1;
                                    break;
                                }
                                Some(end) => panic!("{end:?}"),
                            }
                            // Half of the readers dawdle.
                            if seed % 2 == 0 && random.random_bool(0.05) {
                                tokio::time::sleep(Duration::from_millis(random.random_range(1..60))).await;
                            }
                        }
                        drop(subscription);
                        if random.random_bool(0.3) {
                            tokio::time::sleep(Duration::from_millis(random.random_range(0..30))).await;
                        }
                    }
                    (replica, lagged, joined)
                })
            })
            .collect();
        let mut random = StdRng::seed_from_u64(99);
        let mut at = 0;
        while at < STREAM {
            let count = random.random_range(1..=40).min(STREAM - at);
            let lines: Vec<Line> = (at..at + count)
                .map(|at| line(&format!("m{at}"), "note.put", &format!(r#"{{"id":"n{}"}}"#, at % 9)))
                .collect();
            until_answered(&engine, "bob", &lines).await;
            at += count;
        }
        let world = World::over(store, Hands::new(), |builder| builder);
        let snapshot = world.snapshot("s");
        assert_eq!(snapshot.cursor.0, STREAM);
        for reader in readers {
            let (replica, _, joined) = reader.await.expect("no panic");
            assert_eq!(replica.seen.len() as u64, STREAM);
            assert!(joined > 1);
            replica.must_be(&snapshot);
        }
    });
}
