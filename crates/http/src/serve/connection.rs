//! One connection: HTTP/1 with a timer, upgrades, and an orderly end. Its errors are the peer's affair and are only
//! traced; they never reach the accept loop.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use riverrun_live::Drain;
use tower::ServiceExt;

use crate::serve::socket::Socket;

/// What all connections of a server share.
pub(super) struct Connections {
    app: Router,
    http: http1::Builder,
    drain: Drain,
}

impl Connections {
    pub(super) fn new(app: Router, header_timeout: Duration, drain: Drain) -> Self {
        let mut http = http1::Builder::new();
        // Without a timer the header timeout never fires, and says nothing about it.
        http.timer(TokioTimer::new()).header_read_timeout(header_timeout);
        // Done once here, or every request would do it again.
        Self { app: app.with_state(()), http, drain }
    }

    /// Serves one connection to its end; after the drain's start, to the end of the request in flight.
    pub(super) fn serve(&self, socket: Socket, peer: SocketAddr) -> impl Future<Output = ()> + Send + 'static {
        let (app, drain) = (self.app.clone(), self.drain.clone());
        let service = service_fn({
            let drain = drain.clone();
            move |request: hyper::Request<Incoming>| {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(ConnectInfo(peer));
                request.extensions_mut().insert(drain.clone());
                app.clone().oneshot(request)
            }
        });
        let connection = self.http.serve_connection(TokioIo::new(socket), service).with_upgrades();
        async move {
            let _guard = drain.guard();
            let mut connection = pin!(connection);
            let outcome = tokio::select! {
                outcome = connection.as_mut() => outcome,
                () = drain.started() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = outcome {
                tracing::debug!(%peer, %error, "a connection ended with an error");
            }
        }
    }
}
