//! Publishing: who gets a frame, who no longer does, and what happens when a queue is full.

mod common;

use common::{next, say, soon, start, start_with};
use riverrun_live::{CloseReason, Frame, JoinError, Options, Overflow};

#[tokio::test]
async fn a_frame_reaches_all_who_have_joined_and_nobody_else() {
    let mut site = start(Options::default()).await;
    let (mut ann, ann_session) = site.join().await;
    let (mut bob, bob_session) = site.join().await;
    let (mut eve, eve_session) = site.join().await;
    ann_session.join("news").unwrap();
    bob_session.join("news").unwrap();
    bob_session.join("news").unwrap();
    eve_session.join("other").unwrap();
    assert_eq!(site.server.publish("news", Frame::envelope("news", &1).unwrap()), 2);
    assert_eq!(next(&mut ann).await["data"], 1);
    assert_eq!(next(&mut bob).await["data"], 1);

    bob_session.leave("news");
    assert_eq!(ann_session.publish("news", Frame::envelope("news", &2).unwrap()), 1);
    assert_eq!(next(&mut ann).await["data"], 2);
    for (client, text) in [(&mut bob, "bob"), (&mut eve, "eve")] {
        say(client, &format!(r#"{{"topic":"echo","data":"{text}"}}"#)).await;
        assert_eq!(next(client).await["data"], text, "nothing of the topic came before the echo");
    }
}

#[tokio::test]
async fn frames_of_one_publisher_arrive_in_order() {
    let mut site = start(Options::default()).await;
    let (mut client, session) = site.join().await;
    session.join("n").unwrap();
    for n in 0..200 {
        assert_eq!(site.server.publish("n", Frame::envelope("n", &n).unwrap()), 1);
    }
    for n in 0..200 {
        assert_eq!(next(&mut client).await["data"], n);
    }
}

#[tokio::test]
async fn topics_have_limits() {
    let mut site = start(Options { max_topics_per_session: 2, ..Options::default() }).await;
    let (mut client, session) = site.join().await;
    for (topic, expected) in [
        ("a", Ok(())),
        ("", Err(JoinError::BadTopic)),
        ("sys", Err(JoinError::BadTopic)),
        ("a\nb", Err(JoinError::BadTopic)),
        (&"t".repeat(256), Err(JoinError::BadTopic)),
        (&"t".repeat(255), Ok(())),
        ("a", Ok(())),
        ("b", Err(JoinError::TooMany { limit: 2 })),
    ] {
        assert_eq!(session.join(topic), expected, "{topic:?}");
    }
    session.leave("a");
    say(&mut client, r#"{"topic":"join","data":"b"}"#).await;
    assert!(next(&mut client).await["data"].is_null());
}

#[tokio::test]
async fn the_end_of_a_session_leaves_all_its_topics() {
    let mut site = start(Options::default()).await;
    let (client, session) = site.join().await;
    session.join("a").unwrap();
    session.join("b").unwrap();
    assert_eq!(site.server.members("a").len(), 1);
    drop(client);
    site.ended().await;
    assert!(site.server.members("a").is_empty() && site.server.members("b").is_empty());
    assert_eq!(session.join("c"), Err(JoinError::Closed));
    assert!(site.server.members("c").is_empty());
}

/// Publishes without giving the session's task a chance to write, so that its queue fills.
fn publish_until_overflow(site: &mut common::Site) -> usize {
    let frame = Frame::envelope("news", &"x".repeat(8 * 1024)).expect("text is JSON");
    let mut queued = 0;
    while site.notes.try_recv().is_err() {
        queued += site.server.publish("news", frame.clone());
    }
    queued
}

#[tokio::test]
async fn a_full_queue_asks_the_hook_which_may_drop_the_frame() {
    let mut site = start(Options::default()).await;
    let (mut client, session) = site.join().await;
    session.join("news").unwrap();
    let queued = publish_until_overflow(&mut site);
    assert_eq!(queued, 7, "64 KiB hold seven frames of 8 KiB and their envelopes");
    for _ in 0..queued {
        assert_eq!(next(&mut client).await["topic"], "news");
    }
    say(&mut client, r#"{"topic":"echo","data":"here"}"#).await;
    assert_eq!(next(&mut client).await["data"], "here");
}

#[tokio::test]
async fn a_full_queue_asks_the_hook_which_may_close_the_session() {
    let mut site = start_with(Options::default(), Overflow::Close).await;
    let (mut client, session) = site.join().await;
    session.join("news").unwrap();
    publish_until_overflow(&mut site);
    assert!(session.is_closed());
    assert_eq!(common::close_code(&mut client).await, 1013);
    assert_eq!(soon(site.closed.recv()).await.unwrap().1, CloseReason::Overflow);
}
