//! From an address to a listener, with an error that names the address.

use std::io::{self, ErrorKind};

use tokio::net::{TcpListener, ToSocketAddrs, lookup_host};

use crate::serve::ServeError;

/// Listens on the first of the addresses that can be listened on; the error is the last one's.
pub(super) async fn bind(addr: impl ToSocketAddrs) -> Result<TcpListener, ServeError> {
    let resolved = lookup_host(addr).await.map_err(|source| ServeError::Resolve { source })?;
    let mut last = None;
    for addr in resolved {
        match TcpListener::bind(addr).await {
            Ok(listener) => return Ok(listener),
            Err(source) => last = Some(ServeError::Bind { addr, source }),
        }
    }
    Err(last.unwrap_or_else(|| ServeError::Resolve {
        source: io::Error::new(ErrorKind::NotFound, "the name has no address"),
    }))
}
