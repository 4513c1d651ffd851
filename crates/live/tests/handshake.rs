//! How a session begins: hello, origin, identity, room.

mod common;

use std::time::Duration;

use common::{close_code, next, refusal, say, soon, start};
use futures_util::SinkExt;
use riverrun_live::{CloseReason, Options, Origins};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message as WsMessage;

#[tokio::test]
async fn the_first_frame_is_hello() {
    let site = start(Options::default()).await;
    let mut client = site.handshake("/ws", &[]).await.unwrap();
    let hello = next(&mut client).await;
    assert_eq!(hello["topic"], "sys");
    assert_eq!(hello["data"]["type"], "hello");
    assert_eq!(hello["data"]["protocol"], 1);
    assert_eq!(hello["data"]["ping"], 25);
    assert_eq!(hello["data"]["session"].as_str().map(str::len), Some(32));
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused() {
    let site = start(Options::default()).await;
    let (status, body) = refusal(site.handshake("/ws", &[("origin", "https://evil.example")]).await);
    assert_eq!(status, 403);
    assert_eq!(body["code"], "forbidden");
    assert!(body["error"].is_string() && body["request"].is_string(), "{body}");
    assert_eq!(site.server.sessions(), 0);
}

#[tokio::test]
async fn cookies_without_an_origin_are_refused_and_with_the_own_origin_allowed() {
    let site = start(Options::default()).await;
    assert_eq!(refusal(site.handshake("/ws", &[("cookie", "sid=1")]).await).0, 403);
    let own = format!("http://{}", site.addr);
    let mut client = site.handshake("/ws", &[("cookie", "sid=1"), ("origin", &own)]).await.unwrap();
    assert_eq!(next(&mut client).await["data"]["type"], "hello");
}

#[tokio::test]
async fn a_listed_origin_is_allowed() {
    let origins = Origins::List(vec!["https://app.example".to_owned()]);
    let site = start(Options { origins, ..Options::default() }).await;
    assert!(site.handshake("/ws", &[("origin", "https://app.example")]).await.is_ok());
    assert_eq!(refusal(site.handshake("/ws", &[("origin", "https://other.example")]).await).0, 403);
}

#[tokio::test]
async fn a_full_server_refuses_one_more_until_one_leaves() {
    let mut site = start(Options { max_sessions: 1, ..Options::default() }).await;
    let (client, _) = site.join().await;
    let (status, body) = refusal(site.handshake("/ws", &[]).await);
    assert_eq!((status, body["code"].as_str()), (503, Some("unavailable")));
    drop(client);
    assert_eq!(site.ended().await.1, CloseReason::Lost);
    soon(async {
        while site.server.sessions() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    site.join().await;
}

#[tokio::test]
async fn a_draining_server_refuses_handshakes() {
    let site = start(Options::default()).await;
    site.trigger.start();
    assert_eq!(refusal(site.handshake("/ws", &[]).await).0, 503);
}

#[tokio::test]
async fn a_token_opens_the_session() {
    for token in ["ann", "endless"] {
        let mut site = start(Options::default()).await;
        let mut client = site.handshake("/token", &[]).await.unwrap();
        next(&mut client).await;
        say(&mut client, &json!({"topic":"sys","data":{"type":"auth","token":token}}).to_string()).await;
        say(&mut client, r#"{"topic":"echo","data":7}"#).await;
        assert_eq!(next(&mut client).await, json!({"topic":"echo","data":7}));
        assert_eq!(soon(site.opened.recv()).await.unwrap().auth(), "ann");
    }
}

async fn check_auth(frames: &[&str], auth_within: Duration, code: u16, error: Option<&str>) {
    let mut site = start(Options { auth_within, ..Options::default() }).await;
    let mut client = site.handshake("/token", &[]).await.expect("the handshake itself passes");
    next(&mut client).await;
    for frame in frames {
        let _ = client.send(WsMessage::text(*frame)).await;
    }
    if let Some(error) = error {
        assert_eq!(next(&mut client).await["data"]["code"], error, "{frames:?}");
    }
    assert_eq!(close_code(&mut client).await, code, "{frames:?}");
    assert!(site.opened.try_recv().is_err(), "a session without an identity must not open: {frames:?}");
}

#[tokio::test]
async fn without_an_identity_there_is_no_session() {
    let (long, short) = (Duration::from_mins(1), Duration::from_millis(100));
    let auth = |token: &str| json!({"topic":"sys","data":{"type":"auth","token":token}}).to_string();
    check_auth(&[], short, 4401, None).await;
    check_auth(&[&auth("never")], short, 4401, None).await;
    check_auth(&[&auth("mallory")], long, 4401, Some("unauthenticated")).await;
    check_auth(&[&auth("later")], long, 1013, Some("unavailable")).await;
    check_auth(&[r#"{"topic":"echo","data":1}"#], long, 4401, None).await;
    check_auth(&[r#"{"topic":"sys","data":{"type":"auth"}}"#], long, 4401, None).await;
    check_auth(&["rubbish", &auth("ann")], long, 4401, None).await;
}

#[tokio::test]
async fn an_expired_identity_closes_the_session() {
    // No other deadline is near, so that none of them wakes the session by chance.
    let hour = Duration::from_hours(1);
    let options = Options { auth_within: hour, ping: hour, silence: hour, stall: hour, ..Options::default() };
    let mut site = start(options).await;
    let mut client = site.handshake("/token", &[]).await.unwrap();
    say(&mut client, r#"{"topic":"sys","data":{"type":"auth","token":"brief"}}"#).await;
    say(&mut client, r#"{"topic":"note","data":1}"#).await;
    assert_eq!(site.note().await, "note 1");
    assert_eq!(close_code(&mut client).await, 4401);
    assert_eq!(site.ended().await.1, CloseReason::AuthExpired);
}
