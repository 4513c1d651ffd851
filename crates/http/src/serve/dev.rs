//! What `riverrun dev`, which stands in front of an application during development, asks of the server behind it: to
//! listen where it forwards to, and not to outlive it. Only debug builds ask; a release must never listen anywhere but
//! where its application says.

use std::{
    env,
    future::Future,
    io,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tokio::sync::oneshot;

/// Host and port to listen on.
const ADDRESS: &str = "RIVERRUN_DEV_ADDR";

/// A process has one front; what else it serves, listens where it was told to.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Where the front of this process forwards to, told once.
pub(super) fn front() -> Option<SocketAddr> {
    let address = told(env::var(ADDRESS).ok()?.as_str())?;
    (!TAKEN.swap(true, Ordering::Relaxed)).then_some(address)
}

fn told(address: &str) -> Option<SocketAddr> {
    if cfg!(debug_assertions) { address.parse().ok() } else { None }
}

/// Resolves with `stop`, or when the front is gone, however it ended: it holds the other end of standard input.
pub(super) fn or_gone(stop: impl Future<Output = ()> + Send) -> impl Future<Output = ()> + Send {
    let (gone, is_gone) = oneshot::channel::<()>();
    // Not a task: reading standard input can't be given up, and would keep a runtime from ending.
    let watching = thread::Builder::new().name("riverrun-dev".into()).spawn(|| {
        drop(io::copy(&mut io::stdin().lock(), &mut io::sink()));
        drop(gone);
    });
    async move {
        tokio::select! {
            () = stop => {}
            _ = is_gone, if watching.is_ok() => tracing::info!("riverrun dev is gone"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn an_address_is_heard_in_debug_builds_only() {
        assert_eq!(told("127.0.0.1:1").is_some(), cfg!(debug_assertions));
        assert_eq!(told("somewhere"), None);
    }
}
