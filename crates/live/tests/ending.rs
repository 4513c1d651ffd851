//! How a session ends: each way once, with its reason, and with nothing of it left over.

mod common;

use std::time::Duration;

use common::{close_code, next, say, soon, start};
use futures_util::{SinkExt, StreamExt};
use riverrun_live::{CloseReason, Closed, Frame, Options, SendError};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Nothing may be reported twice: a little time for a second report to show itself.
async fn nothing_more(site: &mut common::Site) {
    let more = timeout(Duration::from_millis(50), site.closed.recv()).await;
    assert!(more.is_err(), "on_close came again: {more:?}");
}

#[tokio::test]
async fn a_client_that_closes_gets_its_close_frame_answered() {
    let mut site = start(Options::default()).await;
    let (mut client, session) = site.join().await;
    client.close(None).await.unwrap();
    while let Some(item) = soon(client.next()).await {
        item.expect("the close handshake completes");
    }
    assert_eq!(site.ended().await, (session.id(), CloseReason::ClientClosed));
    nothing_more(&mut site).await;
}

#[tokio::test]
async fn a_connection_that_breaks_is_lost() {
    let mut site = start(Options::default()).await;
    let (client, session) = site.join().await;
    drop(client);
    assert_eq!(site.ended().await, (session.id(), CloseReason::Lost));
    nothing_more(&mut site).await;
    assert_eq!(session.send(Frame::from_text("late".into())).await, Err(Closed));
    assert_eq!(session.try_send(Frame::from_text("late".into())), Err(SendError::Closed));
    soon(session.closed()).await;
}

#[tokio::test]
async fn a_session_closed_by_the_application_still_delivers_what_was_queued() {
    let mut site = start(Options::default()).await;
    let (mut client, session) = site.join().await;
    for n in 0..50 {
        session.try_send(Frame::envelope("last", &n).unwrap()).unwrap();
    }
    session.close(CloseReason::Forbidden);
    session.close(CloseReason::Overflow);
    for n in 0..50 {
        assert_eq!(next(&mut client).await["data"], n);
    }
    assert_eq!(close_code(&mut client).await, 4403);
    assert_eq!(site.ended().await, (session.id(), CloseReason::Forbidden));
    nothing_more(&mut site).await;
}

#[tokio::test]
async fn a_hook_may_close_its_own_session() {
    let mut site = start(Options::default()).await;
    let (mut client, _) = site.join().await;
    say(&mut client, r#"{"topic":"close","data":null}"#).await;
    assert_eq!(close_code(&mut client).await, 4403);
    assert_eq!(site.ended().await.1, CloseReason::Forbidden);
}

#[tokio::test]
async fn what_a_session_spawned_ends_with_it() {
    let mut site = start(Options::default()).await;
    let (client, session) = site.join().await;
    let (held, dropped) = oneshot::channel::<()>();
    session.spawn(async move {
        let _held = held;
        std::future::pending::<()>().await;
    });
    drop(client);
    site.ended().await;
    assert!(soon(dropped).await.is_err(), "the spawned future was dropped");
}

#[tokio::test]
async fn a_drain_closes_with_1001_and_waits_for_the_sessions() {
    let mut site = start(Options::default()).await;
    let (mut client, _) = site.join().await;
    assert_eq!(site.trigger.guards(), 1);
    site.trigger.start();
    assert!(
        timeout(Duration::from_millis(100), site.trigger.finished()).await.is_err(),
        "the client has not answered the close frame yet"
    );
    assert_eq!(close_code(&mut client).await, 1001);
    while let Some(Ok(_)) = soon(client.next()).await {}
    soon(site.trigger.finished()).await;
    assert_eq!(site.closed.try_recv().unwrap().1, CloseReason::Draining, "on_close comes before the drain's end");
    assert_eq!(site.server.sessions(), 0);
    nothing_more(&mut site).await;
}

#[tokio::test]
async fn a_drain_lets_the_message_in_hand_be_answered() {
    let mut site = start(Options::default()).await;
    let (mut client, _) = site.join().await;
    say(&mut client, r#"{"topic":"slow","data":300}"#).await;
    assert_eq!(site.note().await, "begun");
    site.trigger.start();
    assert_eq!(next(&mut client).await["data"], "done");
    assert_eq!(close_code(&mut client).await, 1001);
}

#[tokio::test]
async fn a_client_that_ignores_the_close_frame_does_not_hold_up_the_drain() {
    let mut site = start(Options::default()).await;
    let (client, _) = site.join().await;
    site.trigger.start();
    timeout(Duration::from_secs(10), site.trigger.finished()).await.expect("bounded by the farewell");
    drop(client);
}

#[tokio::test]
async fn a_silent_peer_is_closed_and_one_that_answers_pings_is_not() {
    let options =
        Options { ping: Duration::from_millis(200), silence: Duration::from_millis(1500), ..Options::default() };
    let mut site = start(options).await;
    let (mut living, living_session) = site.join().await;
    let (silent, silent_session) = site.join().await;
    let answering = tokio::spawn(async move {
        let mut pings = 0;
        loop {
            assert_eq!(next(&mut living).await["data"]["type"], "ping");
            pings += 1;
            if living.send(r#"{"topic":"sys","data":{"type":"pong"}}"#.into()).await.is_err() || pings == 20 {
                return (living, pings);
            }
        }
    });
    assert_eq!(site.ended().await, (silent_session.id(), CloseReason::Idle));
    let (living, pings) = soon(answering).await.unwrap();
    assert_eq!(pings, 20, "twenty pings take more than twice the silence allowed");
    assert!(!living_session.is_closed());
    drop((silent, living));
}

#[tokio::test]
async fn a_hook_that_takes_longer_than_the_silence_is_not_held_against_the_peer() {
    let mut site = start(Options { silence: Duration::from_millis(300), ..Options::default() }).await;
    let (mut client, _) = site.join().await;
    say(&mut client, r#"{"topic":"slow","data":1000}"#).await;
    assert_eq!(next(&mut client).await["data"], "done");
}
