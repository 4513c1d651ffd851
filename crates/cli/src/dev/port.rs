//! The rule of the port: the one that was asked for with `--port` or none; otherwise the next one that is free, said
//! aloud. It must never take a port silently that nobody asked for.

use std::io::ErrorKind;

use anyhow::{Context, bail};
use tokio::net::TcpListener;

/// The port of an application that was told nothing, the same as the templates'.
const DEFAULT: u16 = 8080;

/// How many ports are tried: more programs than that do not listen side by side on a developer's machine.
const TRIES: u16 = 100;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// This one or none.
    Exactly(u16),
    /// This one, or the next that is free.
    From(u16),
}

impl Wish {
    /// `--port` insists; `PORT` and the default do not.
    pub(crate) fn read(flag: Option<u16>, variable: Option<&str>) -> anyhow::Result<Self> {
        match (flag, variable.filter(|port| !port.is_empty())) {
            (Some(port), _) => Ok(Self::Exactly(port)),
            (None, Some(text)) => {
                let port =
                    text.parse().ok().with_context(|| format!("PORT must be a number up to 65535, not {text:?}"))?;
                Ok(Self::From(port))
            }
            (None, None) => Ok(Self::From(DEFAULT)),
        }
    }
}

/// Listens, and tells which port was busy if it had to go on to another.
pub(crate) async fn listen(host: &str, wish: Wish) -> anyhow::Result<(TcpListener, Option<u16>)> {
    let (first, last) = match wish {
        Wish::Exactly(port) => (port, port),
        Wish::From(port) => (port, port.saturating_add(TRIES)),
    };
    for port in first..=last {
        match TcpListener::bind((host, port)).await {
            Ok(listener) => return Ok((listener, (port != first).then_some(first))),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => bail!("cannot listen on {host}:{port}: {error}"),
        }
    }
    match wish {
        Wish::Exactly(port) => {
            bail!(
                "another program is using port {port}. Stop it, or leave --port out to take the next one that is free"
            )
        }
        Wish::From(port) => bail!("the ports from {port} to {last} are all in use"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_insists_and_a_variable_does_not() {
        assert_eq!(Wish::read(Some(1), Some("2")).unwrap(), Wish::Exactly(1));
        assert_eq!(Wish::read(None, Some("2")).unwrap(), Wish::From(2));
        assert_eq!(Wish::read(None, Some("")).unwrap(), Wish::From(DEFAULT));
        assert!(Wish::read(None, Some("http")).is_err());
    }

    #[tokio::test]
    async fn a_busy_port_is_passed_over_and_told_unless_it_was_insisted_upon() {
        let busy = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = busy.local_addr().unwrap().port();
        let (next, told) = listen("127.0.0.1", Wish::From(port)).await.unwrap();
        assert!(next.local_addr().unwrap().port() > port);
        assert_eq!(told, Some(port));
        let refused = listen("127.0.0.1", Wish::Exactly(port)).await.unwrap_err().to_string();
        assert!(refused.contains(&port.to_string()), "{refused}");
        drop(busy);
        let (_, told) = listen("127.0.0.1", Wish::From(port)).await.unwrap();
        assert_eq!(told, None);
    }
}
