//! Hands requests to the application's program, WebSockets included, and answers back. While one program makes way for
//! the next, requests wait; it must never tell a browser of a gap that is over in a moment, and never send twice what may
//! have been heard, unless it is only a question.

use std::{net::SocketAddr, time::Duration};

use axum::{
    body::{Body, HttpBody as _},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, header},
};
use hyper::{body::Incoming, client::conn::http1, upgrade};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};

use super::{
    front::Front,
    inject::{self, Asked},
    waiting,
};

/// How long a request waits for a program that starts: longer than one that is well takes, shorter than browsers wait.
const HOLD: Duration = Duration::from_secs(30);

/// How long after a program stopped listening its end may become known.
const NOTICE: Duration = Duration::from_millis(200);

/// Headers about one connection, which is not the next one's.
const HOP: [HeaderName; 7] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Answers everything that is the application's.
pub(super) async fn forward(State(front): State<Front>, mut request: Request) -> Response<Body> {
    let is_page = accepts_html(request.headers());
    let asked = Asked::by(request.method());
    let repeatable = matches!(*request.method(), Method::GET | Method::HEAD) && request.body().is_end_stream();
    let browser = request.extensions_mut().remove::<upgrade::OnUpgrade>();
    let mut outgoing = Some(prepare(request, is_page));
    let until = Instant::now() + HOLD;
    while Instant::now() < until {
        let Some(address) = front.board.upstream(HOLD).await else { break };
        // Before the page is made, so that an edit in between makes it an old one.
        let version = front.board.version();
        let Ok(stream) = TcpStream::connect(address).await else {
            // It is ending, and that will be known in a moment; or it has ended, and nothing will follow.
            front.board.leaves(address, NOTICE).await;
            continue;
        };
        let next = if repeatable { outgoing.as_ref().map(repeat) } else { outgoing.take() };
        let Some(next) = next else { break };
        match send(stream, next).await {
            Ok(answer) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => return switch(answer, browser),
            Ok(answer) => return inject::page(answer, asked, version).await,
            Err(_) if repeatable => front.board.leaves(address, NOTICE).await,
            Err(_) => break,
        }
    }
    waiting::answer(&front.board, is_page, asked)
}

/// The request as the program gets it.
fn prepare(request: Request, is_page: bool) -> Request {
    let (mut parts, body) = request.into_parts();
    let to = parts.headers.get(header::UPGRADE).cloned();
    remove_hop(&mut parts.headers);
    if let Some(to) = to {
        parts.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        parts.headers.insert(header::UPGRADE, to);
    }
    if is_page {
        // What is squeezed can't be added to, and what the browser has kept has an old version in it.
        for name in [header::ACCEPT_ENCODING, header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE] {
            parts.headers.remove(name);
        }
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = path.parse().unwrap_or_else(|_| Uri::from_static("/"));
    parts.extensions.clear();
    Request::from_parts(parts, body)
}

fn repeat(request: &Request) -> Request {
    let mut again = Request::new(Body::empty());
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    again
}

/// On a connection of its own: one that was kept could end just as it is used.
async fn send(stream: TcpStream, request: Request) -> hyper::Result<Response<Incoming>> {
    // Frames are small and must not wait for more.
    drop(stream.set_nodelay(true));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Its errors are the request's.
    tokio::spawn(async { drop(connection.with_upgrades().await) });
    let mut answer = sender.send_request(request).await?;
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        remove_hop(answer.headers_mut());
    }
    Ok(answer)
}

/// Joins the two ends of what is no longer HTTP.
fn switch(mut answer: Response<Incoming>, browser: Option<upgrade::OnUpgrade>) -> Response<Body> {
    let program = upgrade::on(&mut answer);
    let (parts, _) = answer.into_parts();
    if let Some(browser) = browser {
        tokio::spawn(async {
            let (Ok(browser), Ok(program)) = tokio::join!(browser, program) else { return };
            // An end that breaks off ends the other.
            drop(tokio::io::copy_bidirectional(&mut TokioIo::new(browser), &mut TokioIo::new(program)).await);
        });
    }
    Response::from_parts(parts, Body::empty())
}

fn remove_hop(headers: &mut HeaderMap) {
    for name in HOP {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

/// Whether a person waits for a page: scripts and styles ask for anything.
fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// Whether somebody listens at `address`.
pub(super) async fn listens(address: SocketAddr) {
    /// Often enough that nobody waits for it, seldom enough to cost nothing.
    const AGAIN: Duration = Duration::from_millis(15);
    while TcpStream::connect(address).await.is_err() {
        sleep(AGAIN).await;
    }
}
