//! Whether a server can be reached the way a browser reaches it, through whatever stands between: its health, its sync
//! routes, and a WebSocket that opens, speaks and is answered. A proxy that breaks one of them is named by what it does.

use std::{
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use tungstenite::{Message, client::IntoClientRequest, http, stream::MaybeTlsStream};

use super::Finding;
use crate::http::Server;

/// How long a connection, the greeting and a pong may take.
const PATIENCE: Duration = Duration::from_secs(10);

const PING: &str = r#"{"topic":"sys","data":{"type":"ping"}}"#;

/// Frames looked at for an answer; a server says little to somebody who subscribed to nothing.
const FRAMES: usize = 8;

pub(crate) fn look(server: &Server) -> Vec<Finding> {
    let health = health(server);
    if health.health == super::Health::Wrong {
        return vec![health];
    }
    vec![health, routes(server), socket(server)]
}

fn health(server: &Server) -> Finding {
    match server.get("/healthz") {
        Ok(answer) if answer.status == 200 => Finding::well("server", format!("{} is up", server.base())),
        Ok(answer) if answer.status == 503 => Finding::wrong(
            "server",
            format!("{} answers, and says it is not well: {}", server.base(), answer.body.trim()),
        ),
        Ok(answer) => Finding::note("server", format!("{}/healthz answers {}", server.base(), answer.status)),
        Err(error) => Finding::wrong("server", format!("{error:#}")),
    }
}

fn routes(server: &Server) -> Finding {
    const WHAT: &str = "sync routes";
    match server.post("pull", r#"{"scope":"riverrun:doctor","cursor":0}"#) {
        Ok(answer) => {
            let is_ours = serde_json::from_str::<serde_json::Value>(&answer.body)
                .is_ok_and(|body| body.get("code").is_some() || body.get("next_cursor").is_some());
            let prefix = &server.prefix;
            match answer.status {
                200 if is_ours => Finding::well(WHAT, format!("{prefix}/pull answers")),
                401 | 403 if is_ours => {
                    Finding::well(WHAT, format!("{prefix}/pull answers, and asks who it is; try with -H"))
                }
                status if is_ours => Finding::note(WHAT, format!("{prefix}/pull answers {status}")),
                status => Finding::wrong(
                    WHAT,
                    format!(
                        "{prefix}/pull answers {status}, and it is not riverrun that answers: does the proxy pass it on?"
                    ),
                ),
            }
        }
        Err(error) => Finding::wrong(WHAT, format!("{error:#}")),
    }
}

fn socket(server: &Server) -> Finding {
    const WHAT: &str = "websocket";
    match speak(server) {
        Ok(text) => Finding::well(WHAT, text),
        Err(text) => Finding::wrong(WHAT, format!("{text}; without it clients pull, and changes come late")),
    }
}

fn speak(server: &Server) -> Result<String, String> {
    let base = server.base();
    let url = match base.split_once("://") {
        Some(("https", rest)) => format!("wss://{rest}/ws"),
        Some(("http", rest)) => format!("ws://{rest}/ws"),
        _ => return Err(format!("{base} is no http or https URL")),
    };
    let mut request = url.as_str().into_client_request().map_err(|error| error.to_string())?;
    let value = |text: &str| http::HeaderValue::from_str(text).map_err(|error| error.to_string());
    // As a page of this site would: the server asks for its own origin.
    request.headers_mut().insert(http::header::ORIGIN, value(base)?);
    for (name, text) in &server.headers {
        let name = http::HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
        request.headers_mut().insert(name, value(text)?);
    }
    let host = request.uri().host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = request.uri().port_u16().unwrap_or(if url.starts_with("wss") { 443 } else { 80 });
    let stream = connect(&host, port)?;
    let (mut socket, _) = tungstenite::client_tls(request, stream).map_err(|error| match error {
        tungstenite::HandshakeError::Failure(tungstenite::Error::Http(response)) => refused(response.status()),
        other => format!("{url} does not open: {other}"),
    })?;
    if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
        // A TLS stream keeps the timeouts its socket was given before.
        let _ = stream.set_read_timeout(Some(PATIENCE));
    }
    await_type(&mut socket, "hello")
        .map_err(|why| format!("{url} opens, and no greeting comes ({why}): the proxy holds frames back"))?;
    socket.send(Message::text(PING)).map_err(|error| format!("{url} takes no frame: {error}"))?;
    await_type(&mut socket, "pong").map_err(|why| format!("{url} greets, and a ping gets no answer ({why})"))?;
    let _ = socket.close(None);
    Ok(format!("{url} opens, greets and answers a ping"))
}

fn connect(host: &str, port: u16) -> Result<TcpStream, String> {
    let told = |error: std::io::Error| format!("{host}:{port} can't be reached: {error}");
    let mut last = format!("{host} has no address");
    for address in (host, port).to_socket_addrs().map_err(told)? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE)).map_err(told)?;
                stream.set_write_timeout(Some(PATIENCE)).map_err(told)?;
                return Ok(stream);
            }
            Err(error) => last = told(error),
        }
    }
    Err(last)
}

fn refused(status: http::StatusCode) -> String {
    let why = match status.as_u16() {
        400 | 426 => {
            "the proxy drops the Upgrade header: pass `Upgrade` and `Connection` on, with HTTP/1.1 to the server"
        }
        401 => "the server asks who it is: try with -H",
        403 => {
            "the server refuses this origin: is the URL the one pages are served from, and does the proxy pass `Host` on?"
        }
        404 => "nobody knows /ws there: does the proxy pass it on?",
        502..=504 => "the proxy does not reach the server",
        _ => "no WebSocket is opened",
    };
    format!("/ws answers {status}: {why}")
}

fn await_type(socket: &mut tungstenite::WebSocket<MaybeTlsStream<TcpStream>>, wanted: &str) -> Result<(), String> {
    for _ in 0..FRAMES {
        let message = socket.read().map_err(|error| error.to_string())?;
        let Ok(text) = message.to_text() else { continue };
        let is_wanted = serde_json::from_str::<serde_json::Value>(text)
            .is_ok_and(|frame| frame["data"]["type"].as_str() == Some(wanted));
        if is_wanted {
            return Ok(());
        }
    }
    Err("only other frames came".into())
}
