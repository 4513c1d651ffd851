//! Many sessions at once, in a process of their own, as each takes two sockets of it.

mod common;

use std::time::Duration;

use common::{next, soon, start};
use futures_util::future::join_all;
use riverrun_live::{Frame, Options};

/// With two sockets each they stay below the 1,024 open files that many systems allow a process.
const CROWD: usize = 490;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_is_served_and_leaves_nothing_behind() {
    let mut site = start(Options::default()).await;
    let mut clients = Vec::new();
    let mut sessions = Vec::new();
    for _ in 0..CROWD {
        let (client, session) = site.join().await;
        session.join("news").unwrap();
        clients.push(client);
        sessions.push(session);
    }
    assert_eq!(site.server.sessions(), CROWD);
    for n in 0..20 {
        assert_eq!(site.server.publish("news", Frame::envelope("news", &n).unwrap()), CROWD);
    }
    let reading = clients.into_iter().map(|mut client| async move {
        for n in 0..20 {
            assert_eq!(next(&mut client).await["data"], n);
        }
        client
    });
    drop(join_all(reading).await);
    for _ in 0..CROWD {
        site.ended().await;
    }
    soon(async {
        while site.server.sessions() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert!(site.server.members("news").is_empty());
    assert_eq!(site.trigger.guards(), 0);
    assert!(sessions.iter().all(riverrun_live::Session::is_closed));
}
