//! Every limit of the client, by name, each with its reason. Those of the contract are `riverrun_core::limits`; nothing
//! here may be looser than they are.

/// Bytes of one mutation's arguments as JSON: a hundred small ones, or a few of these, still fit into one push.
pub const ARGS_BYTES: usize = 64 << 10;

/// Levels of nesting in arguments. The contract's 64 counts a whole frame, and the envelope, the push, its list and the
/// mutation stand around the arguments.
pub const ARGS_DEPTH: usize = riverrun_core::limits::JSON_DEPTH - 4;

/// Bytes of a push that are not mutations: the client id, the epoch, the envelope.
pub const PUSH_HEAD_BYTES: usize = 1024;

/// Mutations waiting at once: days of work offline, and a queue that is replayed in a moment.
pub const QUEUE_MUTATIONS: usize = 10_000;

/// Changes asked for in one pull: catching up takes few round trips, and a page still fits into one frame.
pub const PULL_CHANGES: u64 = 500;

/// The first try again comes within this many milliseconds: most failures are one lost packet.
pub const BACKOFF_FIRST_MS: i64 = 500;

/// No wait is longer (milliseconds), unless the server asks: a server that came back should be noticed within half a minute.
pub const BACKOFF_MAX_MS: i64 = 30_000;

/// The longest Retry-After that is believed, one hour in milliseconds: a wrong header must not silence a client for a day.
pub const RETRY_AFTER_MAX_MS: i64 = 3_600_000;

/// Milliseconds between polls: slow enough for a thousand clients on one small server, fast enough to feel alive.
pub const POLL_MS: i64 = 3_000;

/// Seconds a poll waits at the server where there is no WebSocket: below what proxies cut, and below [`ANSWER_MS`].
pub const POLL_WAIT_SECONDS: u64 = 20;

/// Polling starts this many milliseconds after the first try of a WebSocket, if that is not live by then.
pub const GRACE_MS: i64 = 1_500;

/// A question without an answer for this many milliseconds counts as lost: the server's own limits are shorter.
pub const ANSWER_MS: i64 = 30_000;

/// The greeting must come within this many milliseconds of the attempt, or the network is one that breaks WebSockets.
pub const HELLO_MS: i64 = 10_000;

/// A subscription not answered in this many milliseconds means the connection is of no use.
pub const SUBSCRIBE_MS: i64 = 15_000;

/// Live changes an accepted mutation waits for come within this many milliseconds, or they are pulled.
pub const EXPECT_MS: i64 = 5_000;

/// Resets further apart than this, in milliseconds, don't count as a loop.
pub const CALM_MS: i64 = 60_000;

/// Snapshots one catch-up takes before it waits: two histories may follow each other, a third is a loop.
pub const CATCH_UP_RESETS: u32 = 3;

/// A new mutation cuts a wait short, but not sooner than this many milliseconds after the last try.
pub const WRITE_MS: i64 = 2_000;

/// Milliseconds in which changes of the base gather before it is kept: a crash begins again that much earlier.
pub const KEEP_MS: i64 = 200;

/// Seconds between pings where the greeting names none.
pub const PING_SECONDS: i64 = 25;

/// The least and most seconds between pings that a greeting is believed: neither a flood nor silence on one wrong number.
pub const PING_SECONDS_RANGE: (i64, i64) = (1, 600);
