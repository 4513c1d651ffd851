//! Whether the address an application would listen on is free.

use std::net::{TcpListener, ToSocketAddrs};

use super::Finding;

/// The template's defaults.
const HOST: &str = "127.0.0.1";
const PORT: u16 = 8080;

pub(crate) fn look(host: Option<&str>, port: Option<u16>) -> Finding {
    let (host, port) = (host.unwrap_or(HOST), port.unwrap_or(PORT));
    let addresses = match (host, port).to_socket_addrs() {
        Ok(addresses) => addresses.collect::<Vec<_>>(),
        Err(error) => return Finding::wrong("port", format!("{host} is no address of this machine: {error}")),
    };
    match TcpListener::bind(&*addresses) {
        Ok(_) => Finding::well("port", format!("{host}:{port} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Finding::note("port", format!("{host}:{port} is in use; a server runs there, or another one needs PORT"))
        }
        Err(error) => Finding::wrong("port", format!("{host}:{port} can't be listened on: {error}")),
    }
}
