//! The limits of sessions: each one a number with a name and a reason. They are set once, when the server is made, and
//! no session can outgrow them.

use std::time::Duration;

use crate::Origins;

/// 64 KiB: a push of 60 KiB fits with its envelope; larger ones go by HTTP, where they can be refused before reading.
pub const MAX_FRAME: usize = 64 * 1024;

/// 4 KiB: the buffer is kept by every idle socket and zeroed at each read. 128 KiB, the stack's own default, cost
/// twenty times the memory and half the speed.
pub const READ_BUFFER: usize = 4 * 1024;

/// 64 KiB: what a slow reader may hold back before it counts as too slow.
pub const QUEUE_BYTES: usize = 64 * 1024;

/// 128: a page shows a handful of topics; this stops a session from making the server's tables grow at will.
pub const MAX_TOPICS_PER_SESSION: usize = 128;

/// 255 bytes: a scope's limit, so that a topic's name never costs more than a frame's head.
pub const MAX_TOPIC_BYTES: usize = 255;

/// 25 s: below the 30 s after which the shortest-lived proxies and address translators forget a silent connection.
pub const PING: Duration = Duration::from_secs(25);

/// 75 s: three pings unanswered. A tab whose process was paused for a minute is still there when it comes back.
pub const SILENCE: Duration = Duration::from_secs(75);

/// 75 s: a reader that stops for a minute is told it lagged, by the layer above, and keeps its connection.
pub const STALL: Duration = Duration::from_secs(75);

/// 15 s: long enough for a slow link and a token to be fetched, short enough that sockets of nobody don't pile up.
pub const AUTH_WITHIN: Duration = Duration::from_secs(15);

/// 20,000: at about 8 KiB each an idle crowd stays near 160 MiB, and below common limits on open files.
pub const MAX_SESSIONS: usize = 20_000;

/// 64: a client with a fault sees its error often enough to be found; one that only sends rubbish is let go.
pub const MAX_BAD_FRAMES: u32 = 64;

/// What a [`Server`](crate::Server) allows. The defaults are the constants of this crate, each with its reason.
#[derive(Clone, Debug)]
pub struct Options {
    /// Pages of which origins may open a session.
    pub origins: Origins,
    /// The largest incoming frame and message, in bytes. A larger one closes the session with 1009.
    pub max_frame: usize,
    /// The read buffer of each session, in bytes.
    pub read_buffer: usize,
    /// What may be queued for a session, in bytes. A frame counts for at least a
    /// [`QUEUE_MESSAGES`](crate::QUEUE_MESSAGES)th of it, so this bounds their number as well; a frame larger than the
    /// whole is admitted when the queue is empty.
    pub queue_bytes: usize,
    /// Application topics a session may have joined at a time.
    pub max_topics_per_session: usize,
    /// The longest topic, in bytes.
    pub max_topic_bytes: usize,
    /// Time without traffic in one direction after which the server sends a `ping`; each session takes up to a fifth
    /// off it, so that they don't beat as one.
    pub ping: Duration,
    /// Time without hearing anything after which the session counts as dead.
    pub silence: Duration,
    /// Time for which writing 64 KiB may take before the session counts as dead. Larger frames get it once more for
    /// each further 64 KiB.
    pub stall: Duration,
    /// Time from the handshake to an accepted `auth` frame, where the handshake carried no identity.
    pub auth_within: Duration,
    /// Frames not understood after which the session is closed with 1008.
    pub max_bad_frames: u32,
    /// Sessions at a time. One more is answered 503.
    pub max_sessions: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            origins: Origins::SameOrigin,
            max_frame: MAX_FRAME,
            read_buffer: READ_BUFFER,
            queue_bytes: QUEUE_BYTES,
            max_topics_per_session: MAX_TOPICS_PER_SESSION,
            max_topic_bytes: MAX_TOPIC_BYTES,
            ping: PING,
            silence: SILENCE,
            stall: STALL,
            auth_within: AUTH_WITHIN,
            max_bad_frames: MAX_BAD_FRAMES,
            max_sessions: MAX_SESSIONS,
        }
    }
}
