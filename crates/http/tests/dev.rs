//! What a server does below `riverrun dev`: another process, because what it hears is its environment and its standard
//! input. The child is this very program, running one test that is left out otherwise.
#![allow(clippy::unwrap_used)]

use std::{
    env,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use axum::{Router, routing::get};

const PATIENCE: Duration = Duration::from_mins(1);

#[test]
#[ignore = "runs in a process of its own"]
fn child() {
    // Whoever runs all that is left out means it well.
    let Ok(own) = env::var("OWN_ADDRESS") else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let app = Router::new().route("/", get(async || "hello"));
        riverrun_http::serve(app, own).await.unwrap();
    });
}

/// Ended with the test, however that goes.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(own: &str, front: &str) -> Server {
    let child = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "child"])
        .env("OWN_ADDRESS", own)
        .env("RIVERRUN_DEV_ADDR", front)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    Server(child)
}

fn free() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn wait_for(what: &str, mut is: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < until, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_debug_build_listens_where_its_front_forwards_to_and_ends_with_it() {
    let (own, front) = (free(), free());
    let mut server = start(&own, &front);
    let (there, elsewhere) = if cfg!(debug_assertions) { (&front, &own) } else { (&own, &front) };
    wait_for("it does not listen", || TcpStream::connect(there).is_ok());
    assert!(TcpStream::connect(elsewhere).is_err());
    let mut stream = TcpStream::connect(there).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("hello"), "{answer}");
    // The front is gone: nobody holds the other end any more.
    drop(server.0.stdin.take());
    if cfg!(debug_assertions) {
        wait_for("it outlives its front", || server.0.try_wait().unwrap().is_some());
        assert!(server.0.wait().unwrap().success());
    }
}
