//! Presence in a crowd: what is told stays bounded however many are here, however fast they change, and however slowly
//! somebody reads.

#![allow(clippy::unwrap_used, reason = "what can't be unwrapped fails the test")]

mod common;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use common::{Site, Socket, soon};
use riverrun_live::{DELTA_BYTES, PEERS_TOLD, QUEUE_BYTES};
use serde_json::{Value, json};

const S: &str = "sync:s";

/// Who is here as a client knows it, from the frames alone.
#[derive(Default)]
struct Known {
    peers: BTreeMap<String, Value>,
    more: u64,
    lists: usize,
    frames: usize,
    bytes: usize,
}

impl Known {
    fn take(&mut self, text: &str) {
        let envelope: Value = serde_json::from_str(text).unwrap();
        assert_eq!(envelope["topic"], S, "{text}");
        let data = &envelope["data"];
        assert_eq!(data["type"], "presence", "{text}");
        assert!(data.get("code").is_none(), "{text}");
        assert!(text.len() < DELTA_BYTES + 4096, "a frame of {} bytes", text.len());
        self.frames += 1;
        self.bytes += text.len();
        let entries = |key: &str| data[key].as_array().cloned().unwrap_or_default();
        if data.get("peers").is_some() {
            self.peers.clear();
            self.more = 0;
            self.lists += 1;
        }
        for peer in entries("peers").into_iter().chain(entries("join")) {
            self.peers.insert(id(&peer), peer["state"].clone());
        }
        for peer in entries("set") {
            assert!(self.peers.insert(id(&peer), peer["state"].clone()).is_some(), "known before it changes");
        }
        for gone in entries("leave") {
            self.peers.remove(gone.as_str().unwrap());
        }
        self.more = data["more"].as_u64().unwrap_or(self.more);
        assert!(self.peers.len() <= PEERS_TOLD);
    }

    async fn until(&mut self, socket: &mut Socket, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            let text = socket.text().await;
            self.take(&text);
        }
    }
}

fn id(peer: &Value) -> String {
    peer["id"].as_str().unwrap().to_owned()
}

async fn is(socket: &mut Socket, name: &str, state: &Value) {
    socket.say(S, json!({"type": "presence", "as": name, "state": state})).await;
}

async fn looks(site: &Site) -> Socket {
    let mut socket = site.socket().await;
    socket.say(S, json!({"type": "presence", "look": true})).await;
    socket
}

/// Connections that are present as sixteen each; their own frames stay unread until `drop`.
async fn crowd(site: &Site, connections: usize) -> Vec<Socket> {
    let mut all = Vec::new();
    for _ in 0..connections {
        let mut socket = site.socket().await;
        for name in 0..16 {
            is(&mut socket, &name.to_string(), &json!({})).await;
        }
        all.push(socket);
    }
    all
}

#[tokio::test]
async fn of_many_changes_within_a_moment_the_last_is_told() {
    const CHANGES: usize = 200;
    let site = Site::open().await;
    let (mut reader, mut known) = (looks(&site).await, Known::default());
    let mut pointer = site.socket().await;
    let since = Instant::now();
    for n in 1..=CHANGES {
        is(&mut pointer, "", &json!({"n": n})).await;
        // One after the other, so that each could be told.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    known.until(&mut reader, |known| known.peers.values().any(|state| state["n"] == CHANGES)).await;
    let pauses = usize::try_from(since.elapsed().as_millis() / 100).unwrap();
    println!("{CHANGES} changes came in {} frames", known.frames);
    assert!(known.frames <= pauses + 3, "{} frames in {pauses} pauses", known.frames);
}

#[tokio::test]
async fn no_more_than_so_many_are_told_of_and_the_rest_is_counted_and_moves_up() {
    let site = Site::open().await;
    let mut first = crowd(&site, 1).await;
    let (mut early, mut known) = (looks(&site).await, Known::default());
    let rest = crowd(&site, 16).await;
    let all = 17 * 16;
    let full = |known: &Known| known.peers.len() == PEERS_TOLD && known.more == (all - PEERS_TOLD) as u64;
    known.until(&mut early, full).await;
    // Who comes now is told the same.
    let (mut late, mut known_late) = (looks(&site).await, Known::default());
    known_late.until(&mut late, full).await;
    assert_eq!(known.peers, known_late.peers);
    // As many as did not fit leave: all who are left are known.
    drop(first.pop());
    let whole = |known: &Known| known.peers.len() == all - 16 && known.more == 0;
    known.until(&mut early, whole).await;
    known_late.until(&mut late, whole).await;
    assert_eq!(known.peers, known_late.peers);
    drop(rest);
    known.until(&mut early, |known| known.peers.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_stops_holds_up_nobody_and_is_told_the_list_anew() {
    /// Told to a reader that reads: several times what a socket holds for one that does not.
    const TOLD: usize = 1536 << 10;
    let site = Site::open().await;
    let mut slow = looks(&site).await;
    let mut known_slow = Known::default();
    known_slow.until(&mut slow, |known| known.lists == 1).await;
    let mut talker = site.socket().await;
    let (mut reader, mut known) = (looks(&site).await, Known::default());
    let fill = |n: usize| json!({"n": n, "fill": "x".repeat(980)});
    let mut n = 0;
    while known.bytes < TOLD {
        n += 1;
        for name in 0..16 {
            is(&mut talker, &name.to_string(), &fill(n)).await;
        }
        known
            .until(&mut reader, |known| known.peers.len() == 16 && known.peers.values().all(|one| one["n"] == n))
            .await;
        while let Ok(text) = tokio::time::timeout(Duration::from_millis(1), talker.text()).await {
            assert!(text.len() <= QUEUE_BYTES);
        }
    }
    assert_eq!(known.lists, 1, "who reads needs no second list");
    known_slow.until(&mut slow, |known| known.peers.len() == 16 && known.peers.values().all(|one| one["n"] == n)).await;
    println!(
        "{} KiB told, {} KiB to the one that stopped, in {} lists",
        known.bytes >> 10,
        known_slow.bytes >> 10,
        known_slow.lists
    );
    assert!(known_slow.lists > 1, "the list came anew");
    assert!(known_slow.bytes < known.bytes, "and not all that was missed");
    assert_eq!(known_slow.peers, known.peers);
    // From here on it is told like the others.
    is(&mut talker, "0", &json!({"n": "new"})).await;
    known_slow.until(&mut slow, |known| known.peers.values().any(|one| one["n"] == "new")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_comes_moves_and_goes_costs_what_it_should() {
    /// With two sockets each they stay below the 1,024 open files that many systems allow a process.
    const PEERS: usize = 490;
    let site = Site::open().await;
    let (mut reader, mut known) = (looks(&site).await, Known::default());
    let since = Instant::now();
    let (all_came, came) = tokio::sync::watch::channel(false);
    let mut others = tokio::task::JoinSet::new();
    for n in 0..PEERS {
        let mut socket = site.socket().await;
        let mut came = came.clone();
        others.spawn(async move {
            let mut known = Known::default();
            is(&mut socket, "", &json!({"n": n})).await;
            known.until(&mut socket, |known| known.peers.len() == PEERS_TOLD).await;
            soon(came.wait_for(|all| *all)).await.unwrap();
            for x in 0..10 {
                is(&mut socket, "", &json!({"n": n, "x": x})).await;
            }
            known.until(&mut socket, |known| known.peers.values().all(|one| one["x"] == 9)).await;
            (socket, known.frames, known.bytes)
        });
    }
    let more = (PEERS - PEERS_TOLD) as u64;
    known.until(&mut reader, |known| known.peers.len() == PEERS_TOLD && known.more == more).await;
    println!("all came in {:.1?}: {} frames, {} KiB for one reader", since.elapsed(), known.frames, known.bytes >> 10);
    let (coming, moving) = (known.frames, Instant::now());
    all_came.send_replace(true);
    known.until(&mut reader, |known| known.peers.values().all(|one| one["x"] == 9)).await;
    println!("all moved in {:.1?}: {} more frames", moving.elapsed(), known.frames - coming);
    let pauses = usize::try_from(since.elapsed().as_millis() / 100).unwrap();
    assert!(known.frames <= pauses + 3, "{} frames in {pauses} pauses", known.frames);
    let mut kept = Vec::new();
    let (mut frames, mut bytes) = (0, 0);
    while let Some(done) = soon(others.join_next()).await {
        let (socket, its_frames, its_bytes) = done.unwrap();
        kept.push(socket);
        frames += its_frames;
        bytes += its_bytes;
    }
    println!("{frames} frames, {} MiB for all {PEERS}", bytes >> 20);
    let going = Instant::now();
    drop(kept);
    known.until(&mut reader, |known| known.peers.is_empty() && known.more == 0).await;
    println!("all went in {:.1?}", going.elapsed());
}
