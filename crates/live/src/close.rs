//! Why a session ended, and what the peer is told about it. The reasons are a closed list; the texts are fixed, so that
//! nothing internal can leak into a close frame.

use std::fmt;

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// The peer closed with a close frame.
    ClientClosed,
    /// The connection ended without a close frame.
    Lost,
    /// The server is going away: reconnect, with jitter.
    Draining,
    /// No `auth` frame came in time.
    AuthTimeout,
    /// Another frame came before the `auth` frame.
    AuthMissing,
    /// The token was refused.
    AuthRefused,
    /// The identity's time is over.
    AuthExpired,
    /// The application withdrew the permission.
    Forbidden,
    /// No sign of life from the peer.
    Idle,
    /// Writing made no progress: the peer does not read.
    Stalled,
    /// A frame was larger than the limit.
    TooLarge,
    /// A text frame was not UTF-8.
    NotUtf8,
    /// Too many frames that could not be understood.
    BadFrame,
    /// The peer broke the WebSocket protocol.
    Protocol,
    /// The session's queue was full when something was published, and the application chose to close.
    Overflow,
    /// Something the server needs is not there now: reconnect later.
    Unavailable,
    /// The server failed: a panic in a hook, or a task that was torn down.
    Internal,
}

impl CloseReason {
    /// The WebSocket close code. 1006 stands for "no close frame" and is never sent.
    pub fn code(self) -> u16 {
        match self {
            Self::ClientClosed => 1000,
            Self::Draining => 1001,
            Self::Protocol => 1002,
            Self::Lost => 1006,
            Self::NotUtf8 => 1007,
            Self::BadFrame => 1008,
            Self::TooLarge => 1009,
            Self::Internal => 1011,
            Self::Overflow | Self::Unavailable => 1013,
            Self::AuthTimeout | Self::AuthMissing | Self::AuthRefused | Self::AuthExpired => 4401,
            Self::Forbidden => 4403,
            Self::Idle | Self::Stalled => 4408,
        }
    }

    /// The text of the close frame: at most 123 bytes, as the WebSocket protocol asks.
    pub fn text(self) -> &'static str {
        match self {
            Self::ClientClosed => "closed by the client",
            Self::Lost => "connection lost",
            Self::Draining => "the server is going away",
            Self::AuthTimeout => "no auth frame came in time",
            Self::AuthMissing => "the auth frame must come first",
            Self::AuthRefused => "the token was refused",
            Self::AuthExpired => "the token has expired",
            Self::Forbidden => "no longer allowed",
            Self::Idle => "nothing heard for too long",
            Self::Stalled => "the reader made no progress",
            Self::TooLarge => "the frame is too large",
            Self::NotUtf8 => "the frame is not UTF-8",
            Self::BadFrame => "too many bad frames",
            Self::Protocol => "protocol error",
            Self::Overflow => "the reader is too slow",
            Self::Unavailable => "try again later",
            Self::Internal => "internal error",
        }
    }

    /// Whether a close frame is owed to the peer: not when it sent one itself, when it is gone, or when nothing can be
    /// written any more.
    pub(crate) fn owes_close_frame(self) -> bool {
        !matches!(self, Self::ClientClosed | Self::Lost | Self::Stalled)
    }

    /// Whether the message in hand may be finished first, so that its answer still reaches the peer.
    pub(crate) fn lets_message_finish(self) -> bool {
        matches!(self, Self::Draining | Self::AuthExpired | Self::Forbidden)
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
