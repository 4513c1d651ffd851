//! The accept loop: connections in, their end in good order. It is riverrun's own because a header that never ends, a
//! crowd that never stops and a shutdown that sessions learn of are nobody's job otherwise. It must never look into a
//! request beyond handing it to the application.

mod connection;
mod dev;
mod error;
mod listen;
mod signals;
mod socket;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use riverrun_live::Drain;
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub use error::ServeError;

use connection::Connections;

/// 10 s: far more than a header takes on a poor link, far less than one who holds sockets open would like. It also
/// bounds how long a kept-alive connection may idle between requests.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// 20,000: the WebSocket sessions a server allows by default, and below common limits on open files. Above it,
/// connections wait in the kernel's backlog instead of failing for want of a file descriptor.
pub const MAX_CONNECTIONS: usize = 20_000;

/// 10 s: requests in flight and sessions need less; orchestrators commonly kill after 30.
pub const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// 64 KiB: a reader that stalls pins megabytes in the kernel with the buffer it sizes by itself, and a few hundred KB
/// with this. Half of it holds a single segment of a loopback interface: a proxy on the same machine then waits 40 ms
/// for each (delayed ACK), and a snapshot of 50 MB took half a minute. The price is speed over long distances: about
/// this much, twice over, per round trip.
pub const SEND_BUFFER: usize = 64 * 1024;

/// 2 min: an answer nobody reads must not keep its memory and its connection for ever. Above the 75 s after which a live
/// session is closed with a reason of its own.
pub const WRITE_STALL: Duration = Duration::from_mins(2);

/// 1 s: after an accept failed for want of something (file descriptors, memory) there is nothing to do but wait.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves `app` at `addr` until the process is told to stop (Ctrl-C or SIGTERM), then drains: no more connections,
/// requests in flight are finished, sessions close with 1001, all within [`DRAIN_WITHIN`]. A second signal ends the
/// process at once.
pub async fn serve(app: Router, addr: impl ToSocketAddrs) -> Result<(), ServeError> {
    Serve::bind(addr, app).await?.run().await;
    Ok(())
}

/// A server about to run: a listener, an application, and the limits.
///
/// ```no_run
/// # async fn example(app: axum::Router) -> std::io::Result<()> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
/// let server = riverrun_http::Serve::new(listener, app).shutdown(async { drop(stopped.await) });
/// tokio::spawn(server.run());
/// // …
/// drop(stop);
/// # Ok(())
/// # }
/// ```
#[must_use = "a server does nothing until `run`"]
pub struct Serve {
    listener: TcpListener,
    app: Router,
    header_timeout: Duration,
    max_connections: usize,
    drain_within: Duration,
    send_buffer: Option<usize>,
    write_stall: Duration,
    shutdown: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Serve {
    /// A server that listens at `addr` already, with this module's limits, until the process is told to stop. For whoever
    /// wants to say so, or to change a limit, before it runs.
    pub async fn bind(addr: impl ToSocketAddrs, app: Router) -> Result<Self, ServeError> {
        // Below `riverrun dev` the address is the one it forwards to.
        let front = dev::front();
        let listener = match front {
            Some(address) => listen::bind(address).await?,
            None => listen::bind(addr).await?,
        };
        let shutdown = signals::first().map_err(|source| ServeError::Signals { source })?;
        let server = Self::new(listener, app);
        Ok(match front {
            Some(_) => server.shutdown(dev::or_gone(shutdown)),
            None => server.shutdown(shutdown),
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> std::io::Result<std::net::SocketAddr> {
        self.listener.local_addr()
    }

    /// A server with this module's limits that runs until its future is dropped.
    pub fn new(listener: TcpListener, app: Router) -> Self {
        Self {
            listener,
            app,
            header_timeout: HEADER_TIMEOUT,
            max_connections: MAX_CONNECTIONS,
            drain_within: DRAIN_WITHIN,
            send_buffer: Some(SEND_BUFFER),
            write_stall: WRITE_STALL,
            shutdown: Box::pin(std::future::pending()),
        }
    }

    /// The time a request's header may take, and a kept-alive connection may idle. Behind a proxy that keeps
    /// connections, set it above the proxy's own idle time. Default [`HEADER_TIMEOUT`].
    pub fn header_timeout(mut self, span: Duration) -> Self {
        self.header_timeout = span;
        self
    }

    /// Connections at a time, WebSocket sessions included. Default [`MAX_CONNECTIONS`]; at least one.
    pub fn max_connections(mut self, count: usize) -> Self {
        self.max_connections = count;
        self
    }

    /// The time a drain may take; what is still there then is dropped. Default [`DRAIN_WITHIN`].
    pub fn drain_within(mut self, span: Duration) -> Self {
        self.drain_within = span;
        self
    }

    /// The kernel's send buffer for each connection, in bytes; `None` leaves it to the kernel. Default [`SEND_BUFFER`].
    pub fn send_buffer(mut self, bytes: impl Into<Option<usize>>) -> Self {
        self.send_buffer = bytes.into();
        self
    }

    /// The time a connection's writing may make no progress at all before the connection is dropped, live sessions
    /// included. Default [`WRITE_STALL`].
    pub fn write_stall(mut self, span: Duration) -> Self {
        self.write_stall = span;
        self
    }

    /// What starts the drain.
    pub fn shutdown(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.shutdown = Box::pin(signal);
        self
    }

    /// Accepts and serves until the shutdown, then drains. Every request finds a
    /// [`ConnectInfo<SocketAddr>`](axum::extract::ConnectInfo) and a [`Drain`] in its extensions.
    ///
    /// Dropping the future drops the connections with it, requests in flight included; sessions and other tasks of the
    /// application's own end with the runtime.
    pub async fn run(self) {
        let Self {
            listener,
            app,
            header_timeout,
            max_connections,
            drain_within,
            send_buffer,
            write_stall,
            mut shutdown,
        } = self;
        let (trigger, drain) = Drain::new();
        let slots = Arc::new(Semaphore::new(max_connections.clamp(1, Semaphore::MAX_PERMITS)));
        let connections = Connections::new(app, header_timeout, drain);
        let mut tasks = JoinSet::new();
        tracing::debug!(addr = ?listener.local_addr().ok(), "accepting connections");
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(ended) = tasks.join_next() => report(ended),
                accepted = socket::accept(&listener, &slots, send_buffer, write_stall) => match accepted {
                    Ok((socket, peer)) => {
                        tasks.spawn(connections.serve(socket, peer));
                    }
                    Err(error) if socket::is_of_one_connection(&error) => {}
                    Err(error) => {
                        tracing::warn!(%error, "no connection can be accepted");
                        tokio::select! {
                            () = &mut shutdown => break,
                            () = sleep(ACCEPT_PAUSE) => {}
                        }
                    }
                },
            }
        }

        // Closed first, so that a balancer's next attempt goes elsewhere instead of waiting here.
        drop(listener);
        tracing::info!(open = trigger.guards(), "draining");
        trigger.start();
        if timeout(drain_within, trigger.finished()).await.is_err() {
            tracing::warn!(left = trigger.guards(), "the drain took too long; what is left is dropped");
        }
    }
}

/// Connections end with their own errors; a task that did not end by itself is a fault to be seen.
fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed");
    }
}
