//! The accept loop against real sockets: what it closes, what it lets finish, and what it says.

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, Extension};
use axum::http::HeaderMap;
use axum::routing::{any, get};
use futures_util::StreamExt;
use riverrun_http::{Serve, ServeError, serve};
use riverrun_live::{Authed, Drain, Hooks, Message, Options, Refused, Server, Session};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message as WsMessage;

/// Far longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// More than any kernel holds for one connection.
const LARGE: usize = 16 << 20;

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it should have come by now")
}

struct NoHooks;

impl Hooks for NoHooks {
    type Auth = ();

    async fn on_auth(&self, _token: &str) -> Result<Authed<()>, Refused> {
        Err(Refused::Unauthenticated("no".to_owned()))
    }

    async fn on_message(&self, _session: &Session<()>, _message: Message) {}
}

fn app() -> Router {
    let live = Server::new(NoHooks, Options::default());
    Router::new()
        .route("/", get(|| async { "here" }))
        .route("/large", get(|| async { "x".repeat(LARGE) }))
        .route("/peer", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }))
        .route(
            "/slow",
            get(|| async {
                sleep(Duration::from_millis(700)).await;
                "done"
            }),
        )
        .route(
            "/poll",
            get(|Extension(drain): Extension<Drain>| async move {
                drain.started().await;
                "drained"
            }),
        )
        .route(
            "/ws",
            any(|handshake: WebSocketUpgrade, headers: HeaderMap, Extension(drain): Extension<Drain>| async move {
                live.upgrade(handshake, &headers, Some(Authed::new(())), drain)
            }),
        )
}

struct Running {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

async fn start(configure: impl FnOnce(Serve) -> Serve) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let server = configure(Serve::new(listener, app())).shutdown(async { drop(stopped.await) });
    Running { addr, stop, ended: tokio::spawn(server.run()) }
}

impl Running {
    /// Sends a request and leaves the connection open.
    async fn request(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.addr).await.expect("the server accepts");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.addr);
        stream.write_all(request.as_bytes()).await.expect("the request is sent");
        stream
    }
}

/// Reads one answer with a body of known text, leaving the connection open.
async fn answer(stream: &mut TcpStream, body: &str) -> String {
    let mut read = Vec::new();
    soon(async {
        while !read.ends_with(body.as_bytes()) {
            let mut chunk = [0; 1024];
            let count = stream.read(&mut chunk).await.expect("an answer");
            assert!(count > 0, "closed after {:?}", String::from_utf8_lossy(&read));
            read.extend_from_slice(&chunk[..count]);
        }
    })
    .await;
    String::from_utf8_lossy(&read).into_owned()
}

/// Reads until the peer closes, in whatever way.
async fn until_closed(stream: &mut TcpStream) {
    let mut chunk = [0; 1024];
    while let Ok(1..) = soon(stream.read(&mut chunk)).await {}
}

#[tokio::test]
async fn a_header_that_never_ends_is_closed_by_the_timeout() {
    let running = start(|server| server.header_timeout(Duration::from_millis(300))).await;
    let mut stream = TcpStream::connect(running.addr).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX-Half: ").await.unwrap();
    let begun = Instant::now();
    until_closed(&mut stream).await;
    assert!(begun.elapsed() >= Duration::from_millis(250), "not before its time");
}

#[tokio::test]
async fn a_slow_answer_is_not_cut_by_the_header_timeout() {
    let running = start(|server| server.header_timeout(Duration::from_millis(200))).await;
    let mut stream = running.request("/slow").await;
    assert!(answer(&mut stream, "done").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn requests_learn_who_the_peer_is() {
    let running = start(|server| server).await;
    let mut stream = running.request("/peer").await;
    let own = stream.local_addr().unwrap().to_string();
    answer(&mut stream, &own).await;
}

#[tokio::test]
async fn a_drain_finishes_the_request_in_flight_and_takes_no_more() {
    let running = start(|server| server).await;
    let mut stream = running.request("/slow").await;
    sleep(Duration::from_millis(200)).await;
    running.stop.send(()).unwrap();
    let text = answer(&mut stream, "done").await;
    assert!(text.contains("connection: close"), "{text}");
    soon(running.ended).await.unwrap();
    assert!(TcpStream::connect(running.addr).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_drain() {
    let running = start(|server| server.header_timeout(PATIENCE * 2).drain_within(PATIENCE * 2)).await;
    let mut kept_alive = running.request("/").await;
    answer(&mut kept_alive, "here").await;
    let mut silent = TcpStream::connect(running.addr).await.unwrap();
    // One more round trip, so that the silent one has been accepted.
    answer(&mut running.request("/").await, "here").await;
    running.stop.send(()).unwrap();
    soon(running.ended).await.unwrap();
    until_closed(&mut kept_alive).await;
    until_closed(&mut silent).await;
}

#[tokio::test]
async fn a_long_poll_learns_of_the_drain() {
    let running = start(|server| server.drain_within(PATIENCE * 2)).await;
    let mut stream = running.request("/poll").await;
    sleep(Duration::from_millis(200)).await;
    running.stop.send(()).unwrap();
    answer(&mut stream, "drained").await;
    soon(running.ended).await.unwrap();
}

#[tokio::test]
async fn sessions_are_closed_with_1001_before_the_drain_ends() {
    let running = start(|server| server.drain_within(PATIENCE * 2)).await;
    let stream = TcpStream::connect(running.addr).await.unwrap();
    let (mut client, _) = tokio_tungstenite::client_async(format!("ws://{}/ws", running.addr), stream).await.unwrap();
    assert!(matches!(soon(client.next()).await, Some(Ok(WsMessage::Text(_)))));
    running.stop.send(()).unwrap();
    match soon(client.next()).await {
        Some(Ok(WsMessage::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 1001),
        other => panic!("expected a close frame, got {other:?}"),
    }
    while let Some(Ok(_)) = soon(client.next()).await {}
    soon(running.ended).await.unwrap();
}

#[tokio::test]
async fn a_drain_is_bounded_and_drops_what_is_left() {
    let running = start(|server| server.drain_within(Duration::from_millis(200))).await;
    let mut stream = running.request("/slow").await;
    sleep(Duration::from_millis(100)).await;
    running.stop.send(()).unwrap();
    soon(running.ended).await.unwrap();
    let mut read = Vec::new();
    let _ = soon(stream.read_to_end(&mut read)).await;
    assert!(read.is_empty(), "dropped before its answer: {:?}", String::from_utf8_lossy(&read));
}

#[tokio::test]
async fn above_the_cap_connections_wait_and_websockets_count() {
    let running = start(|server| server.max_connections(1)).await;
    let stream = TcpStream::connect(running.addr).await.unwrap();
    let (client, _) = tokio_tungstenite::client_async(format!("ws://{}/ws", running.addr), stream).await.unwrap();
    let mut waiting = running.request("/").await;
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(300), waiting.peek(&mut byte)).await.is_err(), "it waits for a place");
    drop(client);
    answer(&mut waiting, "here").await;
}

#[tokio::test]
async fn a_port_in_use_is_said_in_a_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = taken.local_addr().unwrap();
    let error = soon(serve(app(), addr)).await.unwrap_err();
    assert!(matches!(&error, ServeError::Bind { addr: at, .. } if *at == addr));
    assert_eq!(
        error.to_string(),
        format!(
            "cannot listen on {addr}: another program is using port {}. Stop it, or choose another port",
            addr.port()
        )
    );
}

#[tokio::test]
async fn an_address_that_is_none_is_said_in_a_sentence() {
    let error = soon(serve(app(), "no-port-here")).await.unwrap_err();
    assert!(matches!(error, ServeError::Resolve { .. }));
    assert!(error.to_string().contains("127.0.0.1:8080"), "{error}");
}

#[tokio::test]
async fn a_large_answer_is_not_held_up_on_its_way_to_the_same_machine() {
    let running = start(|server| server).await;
    let begun = Instant::now();
    let mut stream = running.request("/large").await;
    let (mut read, mut chunk) = (0, vec![0; 64 * 1024]);
    while read < LARGE {
        read += soon(stream.read(&mut chunk)).await.unwrap();
    }
    // Tens of milliseconds; with a pause for each segment, some ten seconds.
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_answer_nobody_reads_is_dropped_and_gives_its_place_back() {
    let running = start(|server| server.max_connections(1).write_stall(Duration::from_millis(300))).await;
    let _unread = running.request("/large").await;
    let mut next = running.request("/").await;
    answer(&mut next, "here").await;
}
