//! A reader that stops reading: what it costs, what it does not hold up, and when it is let go.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{PATIENCE, close_code, say, start};
use futures_util::StreamExt;
use riverrun_live::{CloseReason, Frame, Options, QUEUE_BYTES, Session};
use tokio_tungstenite::tungstenite::Message as WsMessage;

const FRAME: usize = 16 * 1024;

/// Sends for ever, counting what was taken in, until the session closes.
fn offer(session: &Session<String>, limit: usize) -> Arc<AtomicUsize> {
    let taken = Arc::new(AtomicUsize::new(0));
    let (session, count) = (session.clone(), Arc::clone(&taken));
    let frame = Frame::from_text("x".repeat(FRAME));
    tokio::spawn(async move {
        while count.load(Ordering::Relaxed) < limit && session.send(frame.clone()).await.is_ok() {
            count.fetch_add(FRAME, Ordering::Relaxed);
        }
    });
    taken
}

/// Waits until the sender makes no progress any more: the kernel's buffers and the queue are full.
async fn until_blocked(taken: &AtomicUsize) -> usize {
    let mut before = usize::MAX;
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = taken.load(Ordering::Relaxed);
        if now == before && now > 0 {
            return now;
        }
        before = now;
    }
}

fn resident_bytes() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(statm.split(' ').nth(1)?.parse::<usize>().ok()? * 4096)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_stops_costs_a_bounded_amount_and_loses_nothing_when_it_goes_on() {
    const OFFERED: usize = 100 * 1024 * 1024;
    let mut site = start(Options::default()).await;
    let (mut client, session) = site.join().await;
    let before = resident_bytes();
    let taken = offer(&session, OFFERED);
    let blocked_at = tokio::time::timeout(PATIENCE, until_blocked(&taken)).await.unwrap();
    assert!(blocked_at < OFFERED / 2, "the sender waits: it was let go on to {blocked_at} bytes");
    assert!(session.queued_bytes() <= QUEUE_BYTES, "{} bytes are queued", session.queued_bytes());
    if let (Some(before), Some(now)) = (before, resident_bytes()) {
        let grown = now.saturating_sub(before);
        assert!(grown < 16 * 1024 * 1024, "the process grew by {grown} bytes for one reader");
    }

    let mut read = 0;
    while read < OFFERED {
        match tokio::time::timeout(PATIENCE, client.next()).await.unwrap() {
            Some(Ok(WsMessage::Text(text))) => read += text.len(),
            other => panic!("{other:?}"),
        }
        assert!(session.queued_bytes() <= QUEUE_BYTES);
    }
    assert_eq!(read, OFFERED);
}

#[tokio::test]
async fn a_blocked_write_does_not_stop_reading() {
    let mut site = start(Options::default()).await;
    let (mut client, session) = site.join().await;
    let taken = offer(&session, usize::MAX);
    until_blocked(&taken).await;
    for n in 0..10 {
        say(&mut client, &format!(r#"{{"topic":"note","data":{n}}}"#)).await;
        assert_eq!(site.note().await, format!("note {n}"));
    }
    assert!(!session.is_closed());
}

#[tokio::test]
async fn one_slow_reader_does_not_hold_up_another() {
    let mut site = start(Options::default()).await;
    let (slow, slow_session) = site.join().await;
    let (mut quick, quick_session) = site.join().await;
    slow_session.join("n").unwrap();
    quick_session.join("n").unwrap();
    until_blocked(&offer(&slow_session, usize::MAX)).await;
    for n in 0..100 {
        site.server.publish("n", Frame::envelope("n", &n).unwrap());
        assert_eq!(common::next(&mut quick).await["data"], n);
    }
    drop(slow);
}

#[tokio::test]
async fn a_write_without_progress_ends_the_session_as_stalled() {
    let mut site = start(Options { stall: Duration::from_millis(700), ..Options::default() }).await;
    let (client, session) = site.join().await;
    offer(&session, usize::MAX);
    assert_eq!(site.ended().await, (session.id(), CloseReason::Stalled));
    drop(client);
}

#[tokio::test]
async fn a_drain_is_not_held_up_by_a_reader_that_stopped() {
    let mut site = start(Options::default()).await;
    let (client, session) = site.join().await;
    until_blocked(&offer(&session, usize::MAX)).await;
    site.trigger.start();
    tokio::time::timeout(Duration::from_secs(10), site.trigger.finished()).await.expect("bounded by the farewell");
    assert_eq!(site.ended().await.1, CloseReason::Draining);
    drop(client);
}

#[tokio::test]
async fn a_frame_larger_than_the_queue_is_delivered() {
    let mut site = start(Options::default()).await;
    let (mut client, session) = site.join().await;
    let large = "y".repeat(QUEUE_BYTES * 20);
    let sender = tokio::spawn({
        let (session, large) = (session.clone(), large.clone());
        async move {
            session.send(Frame::from_text("before".to_owned())).await?;
            session.send(Frame::from_text(large)).await?;
            session.send(Frame::from_text("after".to_owned())).await
        }
    });
    for expected in ["before", &large, "after"] {
        let got = common::soon(client.next()).await.unwrap().unwrap();
        assert!(got == WsMessage::text(expected), "got {} bytes, expected {}", got.len(), expected.len());
    }
    sender.await.unwrap().unwrap();
    session.close(CloseReason::Forbidden);
    assert_eq!(close_code(&mut client).await, 4403);
}
