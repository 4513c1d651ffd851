//! Why serving could not begin. Each is a sentence for the person who started the program: what failed, where, and what
//! to do about it.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

/// Why serving could not begin. Once it has, no error ends it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address could not be understood or resolved.
    #[error("the address to listen on could not be resolved: {source}. Write it as host:port, like 127.0.0.1:8080")]
    Resolve {
        /// What resolving said.
        source: io::Error,
    },
    /// The address could not be listened on.
    #[error("{}", bind_sentence(.addr, .source))]
    Bind {
        /// Where.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The signals that end the process could not be listened for.
    #[error("signals could not be listened for: {source}")]
    Signals {
        /// What the system said.
        source: io::Error,
    },
}

fn bind_sentence(addr: &SocketAddr, source: &io::Error) -> String {
    let why = match source.kind() {
        ErrorKind::AddrInUse => {
            format!("another program is using port {}. Stop it, or choose another port", addr.port())
        }
        ErrorKind::PermissionDenied => {
            format!("this user may not use port {}. Choose one above 1023", addr.port())
        }
        ErrorKind::AddrNotAvailable => format!(
            "this machine has no address {}. Use 127.0.0.1 for this machine only, or 0.0.0.0 for all its addresses",
            addr.ip()
        ),
        _ => source.to_string(),
    };
    format!("cannot listen on {addr}: {why}")
}
