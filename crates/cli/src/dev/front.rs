//! What stands in front of the application and owns the port a browser knows, so that programs come and go behind it: the
//! application's own code needs nothing for development, its database is never opened by two programs at once, and a
//! browser never meets a closed door. `/_dev/*` is answered here; everything else is the application's.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use riverrun::live::Origins;

use super::{board::Board, proxy};

const SCRIPT: &str =
    concat!(include_str!("client/page.js"), include_str!("client/state.js"), include_str!("client/show.js"));

const STYLE: &str = include_str!("client/show.css");

/// Shared by all requests.
#[derive(Clone)]
pub(super) struct Front {
    pub(super) board: Arc<Board>,
    /// The name given with `--host`, which may be one this machine is known by.
    host: Arc<str>,
}

/// Every route there is.
pub(super) fn router(board: Arc<Board>, host: &str) -> Router {
    Router::new()
        .route("/_dev/client.js", get(script))
        .route("/_dev/events", get(events))
        .fallback(proxy::forward)
        .with_state(Front { board, host: host.into() })
}

/// The script of every page. It makes its styles by itself, which no policy of a page forbids.
async fn script() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    let style = serde_json::Value::from(STYLE);
    (headers, format!("(() => {{\n\"use strict\";\nconst STYLE = {style};\n{SCRIPT}}})();\n")).into_response()
}

/// Tells a page what is going on. A WebSocket, because a browser allows only six other connections to one place, and
/// somebody who tries out what is shared has more windows than that. It shows source, so no other site's page may have it.
async fn events(State(front): State<Front>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if Origins::SameOrigin.check(&headers).is_err() || !is_here(host, &front.host) {
        return StatusCode::FORBIDDEN.into_response();
    }
    upgrade.on_upgrade(move |socket| tell(socket, front.board))
}

async fn tell(mut socket: WebSocket, board: Arc<Board>) {
    let mut follow = board.follow();
    loop {
        let told = board.told(&follow.borrow_and_update()).to_string();
        if socket.send(Message::text(told)).await.is_err() {
            return;
        }
        tokio::select! {
            changed = follow.changed() => if changed.is_err() { return },
            // It has nothing to say; what comes is its end.
            said = socket.recv() => if !matches!(said, Some(Ok(_))) { return },
        }
    }
}

/// Whether a page that calls this server `host` can be trusted to have meant it: a name of another site that was made to
/// lead here comes with that name.
fn is_here(host: &str, own: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let name = name.to_ascii_lowercase();
    name.parse::<IpAddr>().is_ok() || name == "localhost" || name.ends_with(".localhost") || name == own
}

#[cfg(test)]
mod tests {
    use super::is_here;

    #[test]
    fn a_name_of_another_site_that_leads_here_is_not_ours() {
        for here in ["127.0.0.1:8080", "localhost:8080", "app.localhost", "[::1]:8080", "192.168.1.7:80", "box:8080"] {
            assert!(is_here(here, "box"), "{here}");
        }
        for other in ["evil.example:8080", "localhost.evil.example", "", "127.0.0.1.evil.example:80"] {
            assert!(!is_here(other, "box"), "{other}");
        }
    }
}
