//! A reader that stops reading while tens of megabytes are committed: the server holds no more for it than for any other,
//! nobody else notices, and when it reads on it is told and catches up. Alone in its file: it measures the process.

#![allow(clippy::unwrap_used, reason = "what can't be unwrapped fails the test")]

mod common;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use common::{Heard, Reader, Scratch, Site, Socket, engine, soon};
use futures_util::future::BoxFuture;
use riverrun_core::Principal;
use riverrun_http::{Member, Topics};
use riverrun_live::{Message, Session};
use riverrun_sqlite::{Sqlite, Synchronous};
use serde_json::json;

/// What one change holds, in bytes: below what a commit carries along, so that the ring is what the reader falls out of.
const CHANGE: usize = 24_000;

/// Changes committed at least: 62 MB.
const CHANGES: u64 = 2_600;

/// Changes after which everything that is bounded has reached its bound: several times what a ring holds.
const SATURATED: u64 = 600;

/// What the process may grow by until then: the ring, its rendered frames, the store's caches, what the allocator keeps.
const GROWTH: u64 = 24 << 20;

/// What it may grow by from then on, while 48 MB more are committed: nothing but noise.
const NOISE: u64 = 8 << 20;

/// Changes the others may be behind: half of what a ring holds, so that a busy machine does not make them lag.
const BEHIND: u64 = 64;

/// Lets a test get at a session: whoever sends a frame joins its topic.
struct Join;

impl Topics for Join {
    fn on_message<'a>(&'a self, session: &'a Session<Member>, message: Message) -> BoxFuture<'a, ()> {
        Box::pin(async move { session.join(&message.topic).unwrap() })
    }
}

/// The memory of this process, in bytes, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? << 10)
}

/// Follows the scope without a pause and tells how far it is.
async fn follow(site: Arc<Site>, at: tokio::sync::watch::Sender<u64>) {
    let mut reader = Reader::new("s");
    let mut socket = site.socket().await;
    reader.subscribe(&mut socket).await;
    loop {
        assert_ne!(reader.hear(&mut socket).await, Heard::Lagged, "this one reads");
        at.send_replace(reader.cursor);
    }
}

async fn stopped_reader(for_at_least: Duration) {
    let scratch = Scratch::new();
    let store = Sqlite::options(scratch.file()).synchronous(Synchronous::Normal).open().unwrap();
    let site = Arc::new(Site::with(engine(store).await, |routes| routes.topics(Join)).await);
    let commit = async || {
        let fill = json!({"id": "b", "bytes": CHANGE});
        site.engine.mutate(&Principal::server(), "s", "blob.fill", &fill).await.unwrap().cursor.0
    };

    let (mut others, mut places) = (tokio::task::JoinSet::new(), Vec::new());
    for _ in 0..2 {
        let (at, place) = tokio::sync::watch::channel(0);
        others.spawn(follow(site.clone(), at));
        places.push(place);
    }
    let mut slow: Socket = site.socket().await;
    slow.say("slow", json!({})).await;
    slow.settled().await;
    let session = site.live.members("slow").pop().unwrap();
    let mut reader = Reader::new("s");
    reader.subscribe(&mut slow).await;
    reader.hear(&mut slow).await;
    // Past the beginning, so that what is cached once is there on both sides of the measurement.
    for _ in 0..200 {
        let cursor = commit().await;
        reader.reach(&mut slow, cursor).await;
    }

    let (before, stopped) = (resident(), Instant::now());
    let mut saturated = None;
    let (mut committed, mut end) = (0, 0);
    while committed < CHANGES || stopped.elapsed() < for_at_least {
        if committed >= CHANGES {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        end = commit().await;
        committed += 1;
        for place in &mut places {
            // The others go on unhindered: were one held up by the reader that stopped, this would never come.
            soon(place.wait_for(|at| at + BEHIND >= end)).await.unwrap();
        }
        if committed == SATURATED {
            saturated = resident();
        }
        let queued = session.queued_bytes();
        assert!(queued <= riverrun_live::QUEUE_BYTES, "{queued} bytes are queued");
    }
    for place in &mut places {
        soon(place.wait_for(|at| *at == end)).await.unwrap();
    }
    others.abort_all();
    let stopped = stopped.elapsed();
    if let (Some(before), Some(saturated), Some(after)) = (before, saturated, resident()) {
        let (first, then) = (saturated.saturating_sub(before), after.saturating_sub(saturated));
        let sent = committed * CHANGE as u64 / 1_000_000;
        println!("stopped for {stopped:.1?} and {sent} MB: grew by {} KiB, then {} KiB", first >> 10, then >> 10);
        assert!(first < GROWTH, "grew by {first} bytes at first");
        assert!(then < NOISE, "went on growing, by {then} bytes");
    }
    assert!(!session.is_closed(), "a reader that stops for {stopped:?} keeps its session");

    let lagged_at = loop {
        match reader.hear(&mut slow).await {
            Heard::Changes(_) => {}
            Heard::Lagged => break reader.cursor,
            Heard::Ack(_) => panic!("it asked once"),
        }
    };
    assert!(lagged_at < end, "what it was sent before is contiguous, and not all");
    reader.subscribe(&mut slow).await;
    assert_eq!(reader.hear(&mut slow).await, Heard::Ack(end));
    reader.reach(&mut slow, end).await;
    assert_eq!(reader.seen, end);
    // And it is as live as it was.
    let next = commit().await;
    reader.reach(&mut slow, next).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_stops_costs_the_server_nothing_and_catches_up_when_it_reads_on() {
    stopped_reader(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes more than a minute, as it says"]
async fn a_reader_that_stops_for_a_whole_minute_keeps_its_session() {
    stopped_reader(Duration::from_mins(1)).await;
}
