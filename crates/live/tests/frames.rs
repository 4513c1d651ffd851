//! What a session does with the frames it reads: the envelope, `sys`, and what is none of both.

mod common;

use std::time::Duration;

use common::{close_code, next, say, soon, start};
use futures_util::{SinkExt, StreamExt};
use riverrun_live::{CloseReason, Options};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message as WsMessage;
use tokio_tungstenite::tungstenite::protocol::frame::Frame as RawFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

#[tokio::test]
async fn a_ping_is_answered_with_its_ref() {
    let mut site = start(Options::default()).await;
    let (mut client, _) = site.join().await;
    say(&mut client, r#"{"topic":"sys","data":{"type":"ping"}}"#).await;
    assert_eq!(next(&mut client).await, json!({"topic":"sys","data":{"type":"pong"}}));
    say(&mut client, r#"{"topic":"sys","data":{"type":"ping","ref":"9"}}"#).await;
    assert_eq!(next(&mut client).await, json!({"topic":"sys","data":{"type":"pong","ref":"9"}}));
}

#[tokio::test]
async fn a_websocket_ping_is_answered_by_the_stack() {
    let mut site = start(Options::default()).await;
    let (mut client, _) = site.join().await;
    client.send(WsMessage::Ping("hi".into())).await.unwrap();
    assert_eq!(soon(client.next()).await.unwrap().unwrap(), WsMessage::Pong("hi".into()));
}

#[tokio::test]
async fn frames_that_are_not_understood_are_answered_and_forgiven() {
    let mut site = start(Options::default()).await;
    let (mut client, _) = site.join().await;
    for frame in [
        WsMessage::text("hello"),
        WsMessage::text(r#"{"topic":"a","topic":"b","data":1}"#),
        WsMessage::text(r#"{"topic":"sys","data":{"type":"reboot"}}"#),
        WsMessage::text(r#"{"topic":"sys","data":17}"#),
        WsMessage::text(r#"{"topic":"sys","data":{"type":"auth","token":"again"}}"#),
        WsMessage::text(format!(r#"{{"topic":"{}","data":1}}"#, "t".repeat(256))),
        WsMessage::binary(vec![1, 2, 3]),
    ] {
        client.send(frame.clone()).await.unwrap();
        let answer = next(&mut client).await;
        assert_eq!(answer["data"]["type"], "error", "{frame:?}");
        assert_eq!(answer["data"]["code"], "bad_frame", "{frame:?}");
    }
    say(&mut client, r#"{"topic":"echo","data":"still here"}"#).await;
    assert_eq!(next(&mut client).await["data"], "still here");
}

#[tokio::test]
async fn an_unknown_sys_type_is_answered_with_its_ref() {
    let mut site = start(Options::default()).await;
    let (mut client, _) = site.join().await;
    say(&mut client, r#"{"topic":"sys","data":{"type":"reboot","ref":"4"}}"#).await;
    assert_eq!(next(&mut client).await["data"]["ref"], "4");
}

#[tokio::test]
async fn one_who_only_sends_rubbish_is_closed() {
    let mut site = start(Options { max_bad_frames: 2, ..Options::default() }).await;
    let (mut client, _) = site.join().await;
    for _ in 0..3 {
        say(&mut client, "rubbish").await;
    }
    assert_eq!(close_code(&mut client).await, 1008);
    assert_eq!(site.ended().await.1, CloseReason::BadFrame);
}

#[tokio::test]
async fn a_frame_too_large_closes_its_own_session_and_no_other() {
    let mut site = start(Options { max_frame: 1024, ..Options::default() }).await;
    let (mut other, _) = site.join().await;
    let (mut client, session) = site.join().await;
    let fits = format!(r#"{{"topic":"echo","data":"{}"}}"#, "x".repeat(1024 - 26));
    assert_eq!(fits.len(), 1024);
    say(&mut client, &fits).await;
    assert_eq!(next(&mut client).await["topic"], "echo");
    say(&mut client, &format!("{fits} ")).await;
    assert_eq!(close_code(&mut client).await, 1009);
    assert_eq!(site.ended().await, (session.id(), CloseReason::TooLarge));
    say(&mut other, r#"{"topic":"echo","data":"unharmed"}"#).await;
    assert_eq!(next(&mut other).await["data"], "unharmed");
}

#[tokio::test]
async fn fragments_count_together() {
    let mut site = start(Options { max_frame: 1024, ..Options::default() }).await;
    let (mut client, _) = site.join().await;
    for part in 0..4 {
        let code = if part == 0 { Data::Text } else { Data::Continue };
        let frame = RawFrame::message(vec![b'x'; 400], OpCode::Data(code), part == 3);
        let _ = client.send(WsMessage::Frame(frame)).await;
    }
    assert_eq!(close_code(&mut client).await, 1009);
}

#[tokio::test]
async fn text_that_is_not_utf8_closes_with_1007() {
    let mut site = start(Options::default()).await;
    let (mut client, _) = site.join().await;
    let frame = RawFrame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
    client.send(WsMessage::Frame(frame)).await.unwrap();
    assert_eq!(close_code(&mut client).await, 1007);
    assert_eq!(site.ended().await.1, CloseReason::NotUtf8);
}

#[tokio::test]
async fn a_peer_that_breaks_the_protocol_is_closed_with_1002() {
    let mut site = start(Options::default()).await;
    let (mut client, _) = site.join().await;
    // A frame without the mask every client must use.
    client.get_mut().write_all(&[0x81, 0x02, b'h', b'i']).await.unwrap();
    assert_eq!(close_code(&mut client).await, 1002);
    assert_eq!(site.ended().await.1, CloseReason::Protocol);
}

#[tokio::test]
async fn messages_are_handled_one_at_a_time_and_in_order() {
    let mut site = start(Options::default()).await;
    let (mut client, _) = site.join().await;
    say(&mut client, r#"{"topic":"slow","data":100}"#).await;
    for n in 0..20 {
        say(&mut client, &format!(r#"{{"topic":"echo","data":{n}}}"#)).await;
    }
    assert_eq!(next(&mut client).await["topic"], "slow");
    for n in 0..20 {
        assert_eq!(next(&mut client).await["data"], n);
    }
}

#[tokio::test]
async fn a_hook_at_work_does_not_hold_up_writing() {
    let mut site = start(Options::default()).await;
    let (mut client, session) = site.join().await;
    say(&mut client, r#"{"topic":"slow","data":3600000}"#).await;
    assert_eq!(site.note().await, "begun");
    session.send(riverrun_live::Frame::envelope("news", "fresh").unwrap()).await.unwrap();
    assert_eq!(next(&mut client).await["data"], "fresh");
}

#[tokio::test]
async fn a_panic_in_a_hook_ends_its_own_session_only() {
    let mut site = start(Options::default()).await;
    let (mut other, _) = site.join().await;
    let (mut client, session) = site.join().await;
    say(&mut client, r#"{"topic":"panic","data":null}"#).await;
    assert_eq!(close_code(&mut client).await, 1011);
    assert_eq!(site.ended().await, (session.id(), CloseReason::Internal));
    say(&mut other, r#"{"topic":"echo","data":1}"#).await;
    assert_eq!(next(&mut other).await["data"], 1);
    assert!(tokio::time::timeout(Duration::from_millis(50), site.closed.recv()).await.is_err());
}
