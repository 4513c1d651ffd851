//! What one caller may take of the server: how often it may ask, and how much of its memory a request may hold. Met by those
//! who ask for it, and by nobody else.

#![allow(clippy::unwrap_used, reason = "what can't be unwrapped fails the test")]

mod common;

use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

use common::{Answer, Bearer, Request, Site, Socket, engine, mutators, soon};
use riverrun_core::{Reject, Tx};
use riverrun_engine::{Engine, Memory, Public};
use riverrun_http::{Limits, Rate};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};

/// Five at once, and then none for longer than a test takes.
const FIVE: Option<Rate> = Some(Rate { per_second: 1, burst: 5 });

async fn limited(limits: Limits) -> Site {
    let limits = Limits { address_header: Some("x-forwarded-for".parse().unwrap()), ..limits };
    Site::with(engine(Memory::new()).await, |routes| routes.authenticate(Guests).limits(limits)).await
}

/// [`Bearer`], and whoever shows nothing is anonymous.
struct Guests;

impl riverrun_http::Authenticate for Guests {
    async fn authenticate(
        &self,
        request: &axum::http::request::Parts,
    ) -> Result<riverrun_http::Identity, riverrun_http::AuthFailed> {
        match Bearer.authenticate(request).await {
            Err(riverrun_http::AuthFailed::Missing) => Ok(riverrun_core::Principal::anonymous().into()),
            known => known,
        }
    }
}

fn ask(site: &Site, from: &str) -> Request {
    let pull = site.post("/_sync/pull", &json!({"scope": "s", "cursor": 0}));
    if from.contains('.') { pull.header("x-forwarded-for", from) } else { pull.of(from) }
}

fn mutations(from: usize, count: usize) -> Value {
    let one = |n: usize| json!({"id": format!("m{n}"), "type": "say", "args": n, "scope": "s"});
    json!({"mutations": (from..from + count).map(one).collect::<Vec<_>>()})
}

/// A refusal that says when to come again.
fn later(answer: &Answer, status: u16, code: &str) -> u64 {
    answer.refused(status, code);
    answer.header("retry-after").unwrap().parse().unwrap()
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_again_and_nobody_else_notices() {
    let site = limited(Limits { principal: FIVE, address: FIVE, ..Limits::default() }).await;
    for caller in ["ann", "198.51.100.7"] {
        for _ in 0..5 {
            ask(&site, caller).send().await.ok();
        }
        let wait = later(&ask(&site, caller).send().await, 429, "rate_limited");
        assert!((1..=2).contains(&wait), "{wait}");
    }
    for other in ["bob", "198.51.100.8"] {
        ask(&site, other).send().await.ok();
    }
    // What a caller writes into the header itself does not help it: the proxy's own entry is the last one.
    later(&ask(&site, "203.0.113.1, 198.51.100.7").send().await, 429, "rate_limited");
    // The same principal from anywhere is the same.
    later(&ask(&site, "ann").header("x-forwarded-for", "203.0.113.2").send().await, 429, "rate_limited");
    for path in ["/_sync/push", "/_sync/snapshot"] {
        let asked = site.post(path, &json!({"mutations": []})).of("ann").send().await;
        later(&asked, 429, "rate_limited");
    }
    let handshake = Socket::refused(site.addr, &[("authorization", "Bearer token-of-ann")]).await;
    assert_eq!((handshake.0, &handshake.1["code"]), (429, &json!("rate_limited")));
    // An address that may be everybody's proxy is not limited.
    for _ in 0..20 {
        site.pull(json!({"scope": "s", "cursor": 0})).await.ok();
    }
}

#[tokio::test]
async fn a_push_counts_for_its_mutations_and_what_was_refused_can_be_sent_again() {
    let rate = Some(Rate { per_second: 10, burst: 20 });
    let site = limited(Limits { principal: rate, ..Limits::default() }).await;
    let push = |body: &Value| site.post("/_sync/push", body).of("ann");
    push(&mutations(0, 15)).send().await.ok();
    let second = mutations(15, 15);
    let wait = later(&push(&second).send().await, 429, "rate_limited");
    assert_eq!(site.snapshot(json!({"scope": "s"})).await.ok()["cursor"], 15, "nothing of it was done");
    sleep(Duration::from_secs(wait)).await;
    let results = push(&second).send().await.ok()["results"].clone();
    assert!(results.as_array().unwrap().iter().all(|one| one["ok"] == true && one.get("duplicate").is_none()));
    // One that is larger than a burst passes after a time of quiet.
    sleep(Duration::from_secs(3)).await;
    push(&mutations(30, 60)).send().await.ok();
}

#[tokio::test]
async fn guessing_tokens_is_slow() {
    let rate = Some(Rate { per_second: 1, burst: 30 });
    let site = limited(Limits { address: rate, ..Limits::default() }).await;
    let guess = || ask(&site, "198.51.100.7").header("authorization", "Bearer guess");
    for _ in 0..3 {
        guess().send().await.refused(401, "unauthenticated");
    }
    later(&guess().send().await, 429, "rate_limited");
}

#[tokio::test]
async fn a_socket_that_asks_too_often_is_read_more_slowly_and_loses_nothing() {
    let rate = Some(Rate { per_second: 20, burst: 10 });
    let site = limited(Limits { principal: rate, ..Limits::default() }).await;
    let mut ann = site.socket_of("ann").await;
    let since = Instant::now();
    for n in 0..30 {
        ann.say("sync:s", json!({"type": "push", "ref": n.to_string(), "mutations": mutations(n, 1)["mutations"]}))
            .await;
    }
    for n in 0..30 {
        assert_eq!(ann.expect("sync:s", "results").await["ref"], n.to_string());
    }
    assert!(since.elapsed() >= Duration::from_millis(950), "21 had to wait for 50 ms each");
}

#[tokio::test]
async fn a_frame_whose_turn_does_not_come_is_refused_under_its_ref() {
    let site = limited(Limits { principal: Some(Rate { per_second: 1, burst: 12 }), ..Limits::default() }).await;
    let mut ann = site.socket_of("ann").await;
    let push = |n: usize| json!({"type": "push", "ref": n.to_string(), "mutations": mutations(n, 10)["mutations"]});
    ann.say("sync:s", push(0)).await;
    ann.expect("sync:s", "results").await;
    ann.say("sync:s", push(10)).await;
    let refused = ann.expect("sync:s", "error").await;
    assert_eq!((&refused["code"], &refused["ref"]), (&json!("rate_limited"), &json!("10")));
    assert_eq!(site.snapshot(json!({"scope": "s"})).await.ok()["cursor"], 10);
    ann.settled().await;
}

#[tokio::test]
async fn a_client_that_comes_back_with_ten_thousand_mutations_meets_no_limit() {
    let site = limited(Limits::default()).await;
    for from in (0..10_000).step_by(100) {
        let push = site.post("/_sync/push", &mutations(from, 100));
        let push = if from < 5_000 { push.of("ann") } else { push.header("x-forwarded-for", "198.51.100.7") };
        push.send().await.ok();
    }
}

/// A connection that has sent all of a post but its last `missing` bytes.
async fn half_sent(request: &Request, missing: usize) -> (TcpStream, Vec<u8>) {
    let bytes = request.bytes();
    let (now, rest) = bytes.split_at(bytes.len() - missing);
    let mut stream = TcpStream::connect(request.addr()).await.unwrap();
    stream.write_all(now).await.unwrap();
    (stream, rest.to_vec())
}

fn large(site: &Site, who: &str, id: &str, bytes: usize) -> Request {
    let mutation = json!({"id": id, "type": "say", "args": "x".repeat(bytes), "scope": "s"});
    site.post("/_sync/push", &json!({"mutations": [mutation]})).of(who)
}

/// Asks again until it is answered otherwise than with 503.
async fn in_the_end(request: &Request) -> Answer {
    soon(async {
        loop {
            let answer = request.clone().send().await;
            if answer.status != 503 {
                return answer;
            }
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}

/// Asks until it is answered with 503: what was sent before has arrived.
async fn until_spent(request: &Request) -> Answer {
    soon(async {
        loop {
            let answer = request.clone().send().await;
            if answer.status == 503 {
                return answer;
            }
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}

#[tokio::test]
async fn bodies_under_way_are_bounded_together_and_for_each() {
    let site = limited(Limits { bodies_bytes: 1_000_000, bodies_share: 700_000, ..Limits::default() }).await;
    let (mut first, rest) = half_sent(&large(&site, "ann", "a1", 600_000), 100).await;
    let refused = until_spent(&large(&site, "ann", "a2", 200_000)).await;
    later(&refused, 503, "unavailable");
    large(&site, "bob", "b1", 300_000).send().await.ok();
    later(&large(&site, "bob", "b2", 500_000).send().await, 503, "unavailable");
    first.write_all(&rest).await.unwrap();
    soon(Answer::read(&mut first)).await.ok();
    large(&site, "bob", "b2", 500_000).send().await.ok();
    large(&site, "ann", "a3", 600_000).send().await.ok();
}

#[tokio::test]
async fn a_body_that_stops_or_trickles_is_given_up_and_its_bytes_come_back() {
    let (body_idle, body_within) = (Duration::from_millis(600), Duration::from_millis(2500));
    let limits = Limits { bodies_bytes: 1_000_000, body_idle, body_within, ..Limits::default() };
    let site = limited(limits).await;
    let (mut stopped, _) = half_sent(&large(&site, "ann", "a1", 900_000), 100).await;
    let since = Instant::now();
    let answer = soon(Answer::read(&mut stopped)).await;
    later(&answer, 503, "unavailable");
    assert!(since.elapsed() < body_within, "it is given up long before a whole body's time");
    let (mut trickling, rest) = half_sent(&large(&site, "ann", "a1", 900_000), 1000).await;
    let since = Instant::now();
    for byte in rest {
        if trickling.write_all(&[byte]).await.is_err() || since.elapsed() > body_within * 2 {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    in_the_end(&large(&site, "ann", "a2", 900_000)).await.ok();
    assert!(since.elapsed() < Duration::from_secs(50), "a byte now and then does not keep it alive");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_that_waits_is_counted_even_when_its_sender_is_gone() {
    let (release, wait) = mpsc::channel::<()>();
    let (begins, begun) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let rules = mutators().on("block", move |_: &mut Tx<'_>, _: Value| -> Result<(), Reject> {
        begins.send(()).unwrap();
        let _ = wait.lock().unwrap().recv();
        Ok(())
    });
    let engine = Engine::builder(Memory::new()).mutators(rules).access(Public).start().await.unwrap();
    let limits = Limits { bodies_bytes: 1_000_000, ..Limits::default() };
    let site = Site::with(engine, |routes| routes.authenticate(Bearer).limits(limits)).await;
    let mutation = json!({"id": "b", "type": "block", "args": "x".repeat(900_000), "scope": "s"});
    let blocking = site.post("/_sync/push", &json!({"mutations": [mutation]})).of("ann");
    let (mut stream, rest) = half_sent(&blocking, 1).await;
    stream.write_all(&rest).await.unwrap();
    let begun = tokio::task::spawn_blocking(move || begun.recv_timeout(common::PATIENCE));
    begun.await.unwrap().unwrap();
    later(&large(&site, "bob", "b1", 200_000).send().await, 503, "unavailable");
    drop(stream);
    sleep(Duration::from_millis(300)).await;
    later(&large(&site, "bob", "b2", 200_000).send().await, 503, "unavailable");
    // The same on a socket, whose push is refused alone.
    let mut bob = site.socket_of("bob").await;
    bob.say("sync:s", json!({"type": "push", "ref": "1", "mutations": [], "pad": "x".repeat(50_000)})).await;
    bob.expect("sync:s", "results").await;
    let (mut more, _) = half_sent(&large(&site, "eve", "e1", 90_000), 1).await;
    sleep(Duration::from_millis(300)).await;
    let refused = soon(async {
        loop {
            bob.say("sync:s", json!({"type": "push", "ref": "2", "mutations": [], "pad": "x".repeat(50_000)})).await;
            let answer = bob.on("sync:s").await;
            if answer["type"] == "error" {
                return answer;
            }
        }
    })
    .await;
    assert_eq!((&refused["code"], &refused["ref"]), (&json!("unavailable"), &json!("2")));
    release.send(()).unwrap();
    in_the_end(&large(&site, "bob", "b2", 200_000)).await.ok();
    let _ = more.shutdown().await;
}
