//! Whether a page may open a session: the check that browsers leave to the server, as they let any page open a
//! WebSocket anywhere and send the cookies along. It trusts no header but `Origin`, `Host` and `Cookie`.

use axum::http::{HeaderMap, header};

/// Pages of which origins may open a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    /// The `Origin`'s host and port are the request's own `Host`. Behind a proxy that rewrites `Host`, name the origins
    /// instead. The scheme is not compared, as a server behind TLS termination does not know its own.
    #[default]
    SameOrigin,
    /// Exactly these, written as a browser writes them: `https://app.example`, with a port where it is not the
    /// scheme's default.
    List(Vec<String>),
    /// Every page of the web. Only for sessions that cookies play no part in.
    Any,
}

/// A handshake that was refused for its origin. The text is fit for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginRefused {
    /// It came with cookies but without an `Origin`.
    #[error("a request with cookies must carry an Origin")]
    Missing,
    /// Its `Origin` is not allowed, or there is more than one.
    #[error("this origin is not allowed")]
    NotAllowed,
}

impl Origins {
    /// Judges a request by its headers. Without an `Origin` and without cookies it is no page, and passes.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), OriginRefused> {
        let mut given = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = given.next() else {
            return if headers.contains_key(header::COOKIE) { Err(OriginRefused::Missing) } else { Ok(()) };
        };
        let origin = origin.to_str().map_err(|_| OriginRefused::NotAllowed)?;
        let allowed = given.next().is_none()
            && match self {
                Self::Any => true,
                Self::List(list) => list.iter().any(|entry| same(entry, origin)),
                Self::SameOrigin => is_own(headers, origin),
            };
        if allowed { Ok(()) } else { Err(OriginRefused::NotAllowed) }
    }
}

/// Whether two origins are the same one: scheme, host and port, the default port written or not.
fn same(a: &str, b: &str) -> bool {
    match (split(a), split(b)) {
        (Some((scheme_a, host_a)), Some((scheme_b, host_b))) => {
            scheme_a.eq_ignore_ascii_case(scheme_b)
                && without_default_port(scheme_a, host_a).eq_ignore_ascii_case(without_default_port(scheme_b, host_b))
        }
        _ => false,
    }
}

fn is_own(headers: &HeaderMap, origin: &str) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let (Ok(host), Some((scheme, authority))) = (host.to_str(), split(origin)) else { return false };
    without_default_port(scheme, authority).eq_ignore_ascii_case(without_default_port(scheme, host))
}

fn split(origin: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = origin.split_once("://")?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    (!scheme.is_empty() && !authority.is_empty() && !authority.contains(['/', '@', '?', '#', ' ']))
        .then_some((scheme, authority))
}

fn without_default_port<'a>(scheme: &str, authority: &'a str) -> &'a str {
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    authority.strip_suffix(port).unwrap_or(authority)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(rows: &[(&'static str, &str)]) -> HeaderMap {
        rows.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).fold(
            HeaderMap::new(),
            |mut all, (name, value)| {
                all.append(name, value);
                all
            },
        )
    }

    fn check(origins: &Origins, rows: &[(&'static str, &str)], expected: Result<(), OriginRefused>) {
        assert_eq!(origins.check(&headers(rows)), expected, "{origins:?} {rows:?}");
    }

    #[test]
    fn same_origin_means_the_host_and_port_of_the_request() {
        let own = &Origins::SameOrigin;
        let no = Err(OriginRefused::NotAllowed);
        check(own, &[("host", "a.example"), ("origin", "https://a.example")], Ok(()));
        check(own, &[("host", "a.example:443"), ("origin", "https://a.example")], Ok(()));
        check(own, &[("host", "A.example"), ("origin", "http://a.example:80")], Ok(()));
        check(own, &[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8080")], Ok(()));
        check(own, &[("host", "[::1]:8080"), ("origin", "http://[::1]:8080")], Ok(()));
        check(own, &[("host", "a.example"), ("origin", "https://b.example")], no);
        check(own, &[("host", "a.example"), ("origin", "https://a.example:8443")], no);
        check(own, &[("host", "a.example:80"), ("origin", "https://a.example")], no);
        check(own, &[("host", "a.example"), ("origin", "https://a.example.evil.example")], no);
        check(own, &[("host", "a.example"), ("origin", "https://x@a.example")], no);
        check(own, &[("host", "a.example"), ("origin", "null")], no);
        check(own, &[("origin", "https://a.example")], no);
    }

    #[test]
    fn an_absent_origin_is_refused_only_when_cookies_came_along() {
        for origins in [Origins::SameOrigin, Origins::Any, Origins::List(vec![])] {
            check(&origins, &[("host", "a.example")], Ok(()));
            check(&origins, &[("host", "a.example"), ("cookie", "sid=1")], Err(OriginRefused::Missing));
        }
    }

    #[test]
    fn a_list_names_exactly_who_may_come() {
        let list = &Origins::List(vec!["https://app.example".into(), "http://localhost:5173/".into()]);
        let no = Err(OriginRefused::NotAllowed);
        check(list, &[("host", "api.example"), ("origin", "https://app.example")], Ok(()));
        check(list, &[("host", "api.example"), ("origin", "https://APP.example:443")], Ok(()));
        check(list, &[("host", "api.example"), ("origin", "http://localhost:5173")], Ok(()));
        check(list, &[("host", "api.example"), ("origin", "http://app.example")], no);
        check(list, &[("host", "api.example"), ("origin", "https://api.example")], no);
        check(list, &[("host", "x"), ("origin", "https://app.example"), ("origin", "https://app.example")], no);
    }
}
