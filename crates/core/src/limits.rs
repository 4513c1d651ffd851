//! Every limit of the contract, by name, each with its reason. Nothing here reads a configuration: an edge that wants a
//! tighter limit applies its own before these.

/// The largest cursor, seq or integer in JSON: the largest integer a JavaScript number holds exactly, 2^53 − 1.
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Bytes in a scope's name: it is a key in every table and part of every live topic.
pub const SCOPE_BYTES: usize = 255;

/// Bytes in an id of a mutation or client: a UUID is 36; room for prefixed ones, too little to hide a payload in.
pub const ID_BYTES: usize = 128;

/// Bytes in a mutation's type: it is a name such as `todo.create`, printed in logs and errors.
pub const TYPE_BYTES: usize = 128;

/// Bytes in a principal's name: user ids, e-mail addresses and subject claims fit.
pub const PRINCIPAL_BYTES: usize = 255;

/// Bytes in a collection's name or an entity's id: both are keys of the same index row as the scope.
pub const KEY_BYTES: usize = 255;

/// Levels of nesting in JSON: deeper than any sane document, shallow enough for every parser's stack.
pub const JSON_DEPTH: usize = 64;

/// Mutations in one push: a larger queue travels in several; one slow push must not hold the writer for long.
pub const PUSH_MUTATIONS: usize = 100;

/// Bytes of a push over HTTP: what a phone on a bad link still gets through in a few seconds.
pub const PUSH_BYTES: usize = 1 << 20;

/// Bytes of a push in a live frame: a frame is at most 64 KiB, and the envelope takes its part.
pub const LIVE_PUSH_BYTES: usize = 60 << 10;

/// Bytes of any other request body (pull, snapshot): ids and numbers only.
pub const REQUEST_BYTES: usize = 16 << 10;

/// Changes a pull answers with when the reader names no wish.
pub const PULL_DEFAULT: u64 = 100;

/// The most changes a pull's wish can ask for. A page may pass it only to finish its last mutation.
pub const PULL_MAX: u64 = 1000;

/// Bytes of change data after which a page of a pull ends early (at a mutation's end): bounds memory for a reader.
pub const PAGE_BYTES: usize = 1 << 20;

/// The same for a page a live subscription catches up with: what one socket's queue holds.
pub const LIVE_PAGE_BYTES: usize = 64 << 10;

/// Seconds a pull may wait for something new: proxies cut silent requests at 60 s, some at 30 s.
pub const WAIT_SECONDS: u64 = 30;

/// Changes one mutation may make: it is one transaction and one page that can't be cut.
pub const MUTATION_CHANGES: usize = 1000;

/// Bytes of change data one mutation may make: the same reason, in bytes.
pub const MUTATION_BYTES: usize = 1 << 20;

/// Scopes one mutation may write to: each is locked for the length of the commit.
pub const MUTATION_SCOPES: usize = 8;

/// Bytes of a rejection's reason: it is a code for programs, such as `title_empty`.
pub const REASON_BYTES: usize = 128;

/// Bytes of a rejection's message: it is a sentence for people, kept with the verdict.
pub const ERROR_BYTES: usize = 1024;

/// Bytes of a snapshot sent as a live frame; a larger one is fetched over HTTP, which can compress and resume it.
pub const LIVE_SNAPSHOT_BYTES: usize = 256 << 10;

/// The type of a mutation that only takes up its place: sent for one the server refused to read.
pub const VOID: &str = "_void";

/// The scope of a mutation that names none.
pub const DEFAULT_SCOPE: &str = "_default";
