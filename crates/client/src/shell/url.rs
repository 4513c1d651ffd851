//! Where the server is: one address, and the routes of the contract below it. Only plain `http` is spoken; where the way
//! to the server is not one's own, something that speaks TLS stands between.

use hyper::Uri;

/// The address can't be used; says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{address:?} can't be a server's address: {problem}")]
pub struct UrlError {
    address: String,
    problem: String,
}

/// The addresses of one server.
#[derive(Debug, Clone)]
pub(super) struct Urls {
    base: String,
    socket: Uri,
}

impl Urls {
    /// `address` is `http://host:port` with a path if the app lives below one; `prefix` and `socket` are paths below it.
    pub(super) fn new(address: &str, prefix: &str, socket: &str) -> Result<Self, UrlError> {
        let fail = |problem: &str| UrlError { address: address.into(), problem: problem.into() };
        let address = address.trim_end_matches('/');
        let Some(rest) = address.strip_prefix("http://") else { return Err(fail("it must begin with http://")) };
        if rest.is_empty() || rest.contains(['?', '#', ' ']) {
            return Err(fail("it must be a host, a port and a path at most"));
        }
        let parse = |text: String| text.parse::<Uri>().map_err(|error| fail(&error.to_string()));
        let base = format!("{address}/{}", prefix.trim_matches('/'));
        parse(format!("{base}/push"))?;
        let socket = parse(format!("ws://{rest}/{}", socket.trim_matches('/')))?;
        Ok(Self { base, socket })
    }

    /// A route's address.
    pub(super) fn route(&self, route: &str) -> String {
        format!("{}/{route}", self.base)
    }

    /// The WebSocket's.
    pub(super) fn socket(&self) -> &Uri {
        &self.socket
    }
}

#[cfg(test)]
mod tests {
    use super::Urls;

    #[test]
    fn routes_stand_below_the_address_however_its_slashes_are_written() {
        for (address, push, socket) in [
            ("http://localhost:8080", "http://localhost:8080/_sync/push", "ws://localhost:8080/ws"),
            ("http://[::1]:80/app/", "http://[::1]:80/app/_sync/push", "ws://[::1]:80/app/ws"),
        ] {
            let urls = Urls::new(address, "/_sync/", "ws").unwrap();
            assert_eq!((urls.route("push").as_str(), urls.socket().to_string().as_str()), (push, socket));
        }
        for bad in ["", "localhost:8080", "https://example.org", "http://", "http://a b", "http://a/?x=1", "http://a#b"]
        {
            assert!(Urls::new(bad, "_sync", "ws").is_err(), "{bad}");
        }
    }
}
