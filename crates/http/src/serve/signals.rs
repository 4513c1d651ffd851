//! The signals that end the process: the first drains, the second does not wait. Nothing else in the library listens
//! for signals.

use std::future::Future;
use std::io;

/// By convention a process ended by a signal exits with 128 plus its number: SIGINT's here.
const EXIT_BY_SIGNAL: i32 = 130;

/// Resolves at the first signal. From then on a second one exits the process at once, whatever is still running: the
/// stores are made for that.
///
/// Listening begins before this returns, so no signal between the start and the first poll is lost.
pub(super) fn first() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut signals = Signals::listen()?;
    Ok(async move {
        signals.next().await;
        tokio::spawn(async move {
            signals.next().await;
            tracing::warn!("a second signal: not waiting for the drain");
            std::process::exit(EXIT_BY_SIGNAL);
        });
    })
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
}

#[cfg(windows)]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    async fn next(&mut self) {
        self.interrupt.recv().await;
    }
}
