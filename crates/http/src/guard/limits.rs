//! The limits an application may set, with their defaults and the reasons for them. Setting them decides nothing: that is
//! the meter's and the budget's.

use std::time::Duration;

use axum::http::HeaderName;

/// How often something may be asked: one for each question, live frame, or mutation of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In the long run; at least one.
    pub per_second: u32,
    /// At once, after a time of quiet; at least one.
    pub burst: u32,
}

/// 500 a second and 20,000 at once, for one principal: a client that comes back with 10,000 mutations sends them as fast as
/// it can, and a pointer that is told sixty times a second leaves the rest untouched.
pub const PRINCIPAL_RATE: Rate = Rate { per_second: 500, burst: 20_000 };

/// 2,000 a second and 40,000 at once, for all anonymous callers of one address: a school behind one address is hundreds.
pub const ADDRESS_RATE: Rate = Rate { per_second: 2_000, burst: 40_000 };

/// 64 MiB: bodies that are being read, and pushes that wait to be decided, all together. The largest push is 1 MiB, and
/// the writer settles 4 MiB in a batch: more that waits only gets older.
pub const BODIES_BYTES: usize = 64 << 20;

/// 8 MiB: the part of [`BODIES_BYTES`] that one principal, or one address's anonymous callers, may hold. A client has one push
/// on its way at a time.
pub const BODIES_SHARE: usize = 8 << 20;

/// 10 s without a single byte: far above a bad link's pauses. What was read of the body waits in memory meanwhile.
pub const BODY_IDLE: Duration = Duration::from_secs(10);

/// 60 s: what the largest body takes at 150 kbit/s. A body that never ends must not hold a connection for ever.
pub const BODY_WITHIN: Duration = Duration::from_mins(1);

/// What protects a server from its callers. The defaults are the constants of this module, each with its reason.
///
/// ```
/// # use riverrun_http::{Limits, Rate};
/// // Behind a proxy that appends the caller's address.
/// let limits = Limits {
///     address_header: Some("x-forwarded-for".parse().unwrap()),
///     address: Some(Rate { per_second: 100, burst: 1_000 }),
///     ..Limits::default()
/// };
/// ```
#[derive(Clone, Debug)]
pub struct Limits {
    /// How often one principal may ask. `None`: as often as it likes.
    pub principal: Option<Rate>,
    /// How often the anonymous callers of one address may ask, together; of an IPv6 address its first 64 bits count. `None`:
    /// as often as they like.
    ///
    /// An address that says nothing about who is asking is not limited: a loopback or private one that did not come out
    /// of [`Self::address_header`] may be a proxy that everybody comes through.
    pub address: Option<Rate>,
    /// The header in which a proxy of one's own names the caller's address; its last entry counts, the one the proxy itself
    /// has appended. Name it only if every request comes through that proxy: anybody can send a header. `None`: no
    /// header is believed.
    pub address_header: Option<HeaderName>,
    /// Bytes of bodies being read and of pushes that wait to be decided, all together. More is `unavailable`.
    pub bodies_bytes: usize,
    /// The part of them that one principal, or the anonymous callers of one address, may hold.
    pub bodies_share: usize,
    /// The time in which something of a body must arrive.
    pub body_idle: Duration,
    /// The time in which all of it must.
    pub body_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            principal: Some(PRINCIPAL_RATE),
            address: Some(ADDRESS_RATE),
            address_header: None,
            bodies_bytes: BODIES_BYTES,
            bodies_share: BODIES_SHARE,
            body_idle: BODY_IDLE,
            body_within: BODY_WITHIN,
        }
    }
}

impl Limits {
    /// No rates: for load drivers, and behind something that limits them already. Memory stays bounded.
    pub fn without_rates() -> Self {
        Self { principal: None, address: None, ..Self::default() }
    }
}
