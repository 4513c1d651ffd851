//! What a client hears: frames, answers and events in any order, a line each, from a server that may say anything. The
//! client never panics, never sends what is not safe, speaks only what the server's door lets in, tells each verdict once,
//! and shows base + pending.
//!
//! `M name args` mutates, `U` undoes the last one, `W` wakes, `T ms` lets time pass, `R` begins a new life from what was
//! stored. `A body` answers the last question, `E status body` fails it. `F data` is a frame on the scope's topic, `L text`
//! a whole frame, `C code` the end of the connection. `S` stores all that waits, `X` fails to. `$R` is the reference of the
//! last question on the connection, `$0` … `$9` are the ids of pending mutations.

mod rig;

use rig::Rig;

/// Lines of one script that are followed: a longer one finds nothing that two short ones don't.
const LINES: usize = 200;

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut rig = Rig::new(text.starts_with("poll\n"));
    for line in text.lines().take(LINES) {
        rig.line(line);
    }
    rig.end();
}
