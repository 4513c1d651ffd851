//! Many readers of one scope that come and go at random while it changes, and a change is never missed or seen twice.

#![allow(clippy::unwrap_used, reason = "what can't be unwrapped fails the test")]

mod common;

use std::{sync::Arc, time::Duration};

use common::{Heard, Reader, Site, Socket, engine, soon};
use riverrun_engine::Memory;
use serde_json::json;
use tokio::time::{sleep, timeout};

const MUTATIONS: u64 = 10_000;
const BATCH: u64 = 20;
const PUSHERS: u64 = 4;
const READERS: u64 = 12;

/// A plain generator of numbers that look random: the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Follows the scope to its end in sessions of a few frames each; gives the reader and the number of sessions.
async fn come_and_go(site: Arc<Site>, seed: u64) -> (Reader, u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut reader = Reader::new("s");
    let mut sessions = 0;
    while reader.cursor < MUTATIONS {
        let mut socket: Socket = site.socket().await;
        sessions += 1;
        reader.subscribe(&mut socket).await;
        assert!(matches!(reader.hear(&mut socket).await, Heard::Ack(_)), "seed {seed}");
        for _ in 0..=dice.below(8) {
            // A reader may leave while nothing comes, too.
            let patience = Duration::from_millis(50 + dice.below(200));
            match timeout(patience, reader.hear(&mut socket)).await {
                Ok(Heard::Changes(_)) if reader.cursor < MUTATIONS => {}
                Ok(Heard::Lagged) if dice.below(2) == 0 => reader.subscribe(&mut socket).await,
                Ok(Heard::Ack(_)) => {}
                _ => break,
            }
        }
        // The socket is dropped here, with whatever was on its way.
        drop(socket);
        sleep(Duration::from_millis(dice.below(30))).await;
    }
    (reader, sessions)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_come_and_go_see_each_of_ten_thousand_changes_once_and_in_order() {
    let site = Arc::new(Site::of(engine(Memory::new()).await).await);
    let readers: Vec<_> = (1..=READERS).map(|seed| tokio::spawn(come_and_go(site.clone(), seed))).collect();
    let pushers: Vec<_> = (0..PUSHERS)
        .map(|pusher| {
            let site = site.clone();
            tokio::spawn(async move {
                for batch in 0..MUTATIONS / BATCH / PUSHERS {
                    let one = |n: u64| {
                        let args = json!({"by": pusher, "batch": batch, "n": n});
                        json!({"id": format!("{pusher}-{batch}-{n}"), "type": "say", "args": args, "scope": "s"})
                    };
                    let body = json!({"mutations": (0..BATCH).map(one).collect::<Vec<_>>()});
                    let results = site.push(body).await.ok()["results"].clone();
                    assert!(results.as_array().unwrap().iter().all(|result| result["ok"] == true));
                }
            })
        })
        .collect();
    for pusher in pushers {
        soon(pusher).await.unwrap();
    }
    let head = site.pull(json!({"scope": "s", "cursor": MUTATIONS})).await.ok();
    let mut sessions = 0;
    for reader in readers {
        let (reader, came) = soon(reader).await.unwrap();
        assert_eq!((reader.seen, reader.cursor), (MUTATIONS, MUTATIONS));
        assert_eq!(json!(reader.digest), head["digest"], "and all of them the same");
        sessions += came;
    }
    assert!(sessions >= READERS * 5, "only {sessions} sessions: nobody came and went");
}
