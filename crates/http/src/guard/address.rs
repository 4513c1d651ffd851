//! Where a request comes from, as far as that can be believed: the connection's other end, or what a proxy of one's own
//! wrote into the header that was named. No other header counts.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::{
    extract::ConnectInfo,
    http::{HeaderName, request::Parts},
};

/// The address a caller is counted under; `None` when none is known that says who it is.
pub(super) fn caller(parts: &Parts, header: Option<&HeaderName>) -> Option<IpAddr> {
    if let Some(named) = header.and_then(|header| named(parts, header)) {
        return Some(network(named));
    }
    let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    let peer = network(peer.ip());
    tells(peer).then_some(peer)
}

/// The last entry of the last header of this name: what the proxy nearest to the server has appended.
fn named(parts: &Parts, header: &HeaderName) -> Option<IpAddr> {
    let last = parts.headers.get_all(header).iter().next_back()?.to_str().ok()?;
    let entry = last.rsplit(',').next()?.trim();
    let bare = entry.strip_prefix('[').and_then(|entry| entry.strip_suffix(']')).unwrap_or(entry);
    bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// What one caller has at its command: an IPv4 address, or an IPv6 network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Whether the other end of a connection can be taken for the caller: one of this machine or network may be a proxy.
fn tells(peer: IpAddr) -> bool {
    match peer {
        IpAddr::V4(peer) => !(peer.is_loopback() || peer.is_private() || peer.is_link_local() || peer.is_unspecified()),
        // Loopback has become `::` with its network.
        IpAddr::V6(peer) => !(peer.is_unspecified() || peer.is_unique_local() || peer.is_unicast_link_local()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn check(peer: &str, headers: &[&str], trusted: bool, expected: Option<&str>) {
        let mut request = Request::new(());
        for value in headers {
            request.headers_mut().append("x-forwarded-for", value.parse().unwrap());
        }
        request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        let (parts, ()) = request.into_parts();
        let header = trusted.then(|| HeaderName::from_static("x-forwarded-for"));
        let found = caller(&parts, header.as_ref()).map(|address| address.to_string());
        assert_eq!(found.as_deref(), expected, "{peer} {headers:?} {trusted}");
    }

    #[test]
    fn the_connections_other_end_counts_unless_it_may_be_a_proxy() {
        check("203.0.113.7:1", &[], false, Some("203.0.113.7"));
        check("[2001:db8:1:2:3:4:5:6]:1", &[], false, Some("2001:db8:1:2::"));
        check("[::ffff:203.0.113.7]:1", &[], false, Some("203.0.113.7"));
        for near in
            ["127.0.0.1:1", "[::1]:1", "10.1.2.3:1", "192.168.0.9:1", "172.16.0.1:1", "[fd00::1]:1", "[fe80::1]:1"]
        {
            check(near, &[], false, None);
        }
    }

    #[test]
    fn a_header_counts_only_if_it_was_named_and_then_its_last_entry() {
        check("203.0.113.7:1", &["198.51.100.1"], false, Some("203.0.113.7"));
        check("127.0.0.1:1", &["198.51.100.1"], false, None);
        check("127.0.0.1:1", &["198.51.100.1"], true, Some("198.51.100.1"));
        check("127.0.0.1:1", &["6.6.6.6, 198.51.100.1"], true, Some("198.51.100.1"));
        check("127.0.0.1:1", &["6.6.6.6", "198.51.100.1"], true, Some("198.51.100.1"));
        check("127.0.0.1:1", &["198.51.100.1:443"], true, Some("198.51.100.1"));
        check("127.0.0.1:1", &["[2001:db8::1]:443"], true, Some("2001:db8::"));
        check("127.0.0.1:1", &["[2001:db8::1]"], true, Some("2001:db8::"));
        check("127.0.0.1:1", &["10.0.0.5"], true, Some("10.0.0.5"));
        check("127.0.0.1:1", &["unknown"], true, None);
        check("203.0.113.7:1", &["unknown"], true, Some("203.0.113.7"));
    }
}
